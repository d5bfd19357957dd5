"""Right answers to the exercises of chapter 06, at least two beside the solution of each."""

import math

import torch
from torch.nn.functional import conv1d, pad

from qkv.models.elmo import reversed_by_length
from qkv.nn.lstm import LSTMCell
from qkv.nn.scalar_mix import ScalarMix
from qkv.text import words


def step_by_torch(parts, cell):
    d = len(cell)
    torch_cell = LSTMCell(1, d).double()
    with torch.no_grad():
        for parameter in torch_cell.parameters():
            parameter.zero_()
        torch_cell.from_input.bias.copy_(torch.tensor(parts, dtype=torch.float64))
        zero = torch.zeros(d, dtype=torch.float64)
        hidden, memory = torch_cell(torch.zeros(1, dtype=torch.float64), (zero, torch.tensor(cell).double()))
    return [hidden.tolist(), memory.tolist()]


def step_entry_by_entry(parts, cell):
    hidden, memory = [], []
    d = len(cell)
    for j, old in enumerate(cell):
        write, keep, speak = ((1 + math.tanh(parts[part * d + j] / 2)) / 2 for part in (0, 1, 3))
        memory.append(keep * old + write * math.tanh(parts[2 * d + j]))
        hidden.append(speak * math.tanh(memory[-1]))
    return [tuple(hidden), tuple(memory)]


def bits_by_powers(nats, texts):
    return sum(loss * math.log2(math.e) for loss in nats) / len("".join(texts))


def bits_in_a_loop(nats, texts):
    total = characters = 0
    for loss, text in zip(nats, texts, strict=True):
        total += loss
        characters += len(text)
    return total / characters / math.log(2)


def spelled_by_the_library(word, length):
    ids = words.character_ids(word, length)
    return ids + [words.PADDING] * (length - len(ids))


def spelled_into_a_box(word, length):
    box = [0] * length
    coded = word.encode("utf-8")[: length - 2]
    box[0], box[len(coded) + 1] = 1, 2
    for place, byte in enumerate(coded, start=1):
        box[place] = byte + 5
    return box


def targets_place_by_place(ids):
    last = len(ids) - 1
    left = [ids[i + 1] if i < last else -100 for i in range(len(ids))]
    right = [ids[i - 1] if i > 0 else -100 for i in range(len(ids))]
    return [left, right]


def targets_from_one_row(ids):
    framed = [-100, *ids, -100]
    return framed[2:], framed[:-2]


def reversed_place_by_place(rows, lengths):
    return [
        [row[n - 1 - i] if i < n else row[i] for i in range(len(row))] for row, n in zip(rows, lengths, strict=True)
    ]


def reversed_by_the_library(rows, lengths):
    ids = torch.tensor(rows)[..., None].double()
    return reversed_by_length(ids, torch.tensor(lengths))[..., 0].long().tolist()


def matches_by_convolution(letters, filters, bias, lengths):
    width = filters.shape[1]
    found = conv1d(pad(letters.transpose(1, 2), (0, width - 1)), filters.transpose(1, 2), bias)
    behind = torch.arange(letters.shape[1]) >= lengths[:, None]
    return found.relu().masked_fill(behind[:, None], 0.0).amax(-1)


def matches_word_by_word(letters, filters, bias, lengths):
    rows = []
    for word, n in zip(letters, lengths.tolist(), strict=True):
        room = pad(word, (0, 0, 0, filters.shape[1]))
        found = [(room[p : p + filters.shape[1]] * filters).sum((1, 2)) + bias for p in range(n)]
        rows.append(torch.stack(found).amax(0).clamp(min=0))
    return torch.stack(rows)


def mix_by_the_library(layers, weights, gamma):
    mix = ScalarMix(len(layers)).double()
    return torch.func.functional_call(mix, {"weights": weights, "gamma": gamma}, (layers,))


def mix_by_exp(layers, weights, gamma):
    powers = weights.exp()
    return sum(gamma * power / powers.sum() * layer for power, layer in zip(powers, layers, strict=True))


def joined_by_the_library(left, right, lengths):
    joined = torch.cat([left, reversed_by_length(right, lengths)], dim=-1)
    return joined * (torch.arange(left.shape[1]) < lengths[:, None])[..., None]


def joined_by_loops(left, right, lengths):
    rows = []
    for i, n in enumerate(lengths.tolist()):
        words_of = [torch.cat([left[i, j], right[i, n - 1 - j]]) for j in range(n)]
        rows.append(pad(torch.stack(words_of), (0, 0, 0, left.shape[1] - n)))
    return torch.stack(rows)


def reach_by_loops(states, x):
    before, found = states(x), torch.zeros(len(x), len(x), dtype=torch.bool)
    for j in range(len(x)):
        other = torch.cat([x[:j], x[j : j + 1] - 2, x[j + 1 :]])
        found[:, j] = ~torch.isclose(states(other), before, atol=1e-12).all(-1)
    return found


def reach_by_gradients(states, x):
    jacobian = torch.autograd.functional.jacobian(states, x)
    return (jacobian != 0).any(-1).any(1)


OTHER_WAYS = {
    "elmo.predict_the_gates": [
        {"keep": "a", "half": "a", "shut": "a"},
        {"shut": " A ", "half": "A", "keep": "A"},
    ],
    "elmo.order_the_cell": ["b a c d", ["A", "B", "C", "D"]],
    "elmo.lstm_step": [step_by_torch, step_entry_by_entry],
    "elmo.bits_per_character": [bits_by_powers, bits_in_a_loop],
    "elmo.character_ids": [spelled_by_the_library, spelled_into_a_box],
    "elmo.targets": [targets_place_by_place, targets_from_one_row],
    "elmo.reverse_by_length": [reversed_place_by_place, reversed_by_the_library],
    "elmo.which_leaks": [
        {"leaks": "b", "test": "c", "fix": "b"},
        {"fix": "B ", "leaks": "B", "test": "C"},
    ],
    "elmo.which_setup": [
        {"frozen": "c", "number": "b", "twice": "a"},
        {"twice": "A", "frozen": " C", "number": "B"},
    ],
    "elmo.which_perplexity": [
        {"per_word": "b", "sentence": "c", "settles": "a"},
        {"settles": "A", "sentence": "C ", "per_word": "B"},
    ],
    "elmo.again": [
        {"mask": "b", "divisor": "b", "row": "a", "loss": "b"},
        {"loss": "B", "row": "A", "divisor": " b", "mask": "B"},
    ],
    "elmo.best_matches": [matches_by_convolution, matches_word_by_word],
    "elmo.scalar_mix": [mix_by_the_library, mix_by_exp],
    "elmo.both_ways": [joined_by_the_library, joined_by_loops],
    "elmo.reach": [reach_by_loops, reach_by_gradients],
}
