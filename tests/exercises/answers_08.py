"""Right answers to the exercises of chapter 08, at least two beside the solution of each."""

import math
from itertools import accumulate, pairwise

import torch
from torch import nn

from qkv.decoding.search import sharpened
from qkv.transfer import inputs


def similarity_by_library(first, second, start, delimiter, extract):
    return inputs.similarity(first, second, inputs.SpecialIds(start, delimiter, extract))  # a tuple of two lists


def similarity_by_appending(first, second, start, delimiter, extract):
    rows = []
    for left, right in [(first, second), (second, first)]:
        row = [start]
        row.extend(left)
        row.append(delimiter)
        row.extend(right)
        row.append(extract)
        rows.append(row)
    return rows


def chances_by_logs(scores):
    def total(row):
        return max(row) + math.log(sum(math.exp(x - max(row)) for x in row))

    return [[math.exp(x - total(row)) for x in row] for row in scores]


def chances_by_torch(scores):
    return torch.tensor(scores, dtype=torch.float64).softmax(-1).tolist()


def odds_by_library(chances, temperature, top_k, top_p):
    scores = torch.tensor([chances], dtype=torch.float64).log()
    return sharpened(scores, temperature, top_k, top_p).softmax(-1)[0].tolist()


def odds_by_sums(chances, temperature, top_k, top_p):
    hot = [chance ** (1 / temperature) if i < top_k else 0.0 for i, chance in enumerate(chances)]
    hot = [each / math.fsum(hot) for each in hot]
    before = [0.0, *accumulate(hot)][:-1]
    kept = [each if sum_so_far < top_p - 1e-12 else 0.0 for each, sum_so_far in zip(hot, before, strict=True)]
    return [each / math.fsum(kept) for each in kept]


def guesses_by_pairs(ids, extract_id):
    real = ids[: ids.index(extract_id) + 1]
    return [[place, token] for place, (_, token) in enumerate(pairwise(real))]


def guesses_by_loop(ids, extract_id):
    found = []
    for place in range(len(ids) - 1):
        if ids[place] == extract_id:
            break
        found.append((place, ids[place + 1]))
    return found


def joint_by_zip(label_losses, token_losses, lm_weight):
    rows = zip(label_losses, token_losses, strict=True)
    return sum(label + lm_weight * sum(row) / len(row) for label, row in rows) / len(label_losses)


def joint_by_torch(label_losses, token_losses, lm_weight):
    means = torch.stack([torch.tensor(row, dtype=torch.float64).mean() for row in token_losses])
    return float(torch.tensor(label_losses, dtype=torch.float64).mean() + lm_weight * means.mean())


def decays_by_parts(names):
    return [0 if name.split(".")[-1] == "bias" or "norm" in name else 1 for name in names]


def decays_by_exclusion(names):
    free = {name for name in names if "norm" in name} | {name for name in names if name[-5:] == ".bias"}
    return [1 - (name in free) for name in names]


def shares_by_library(first, second, room):
    return inputs.shares(first, second, room)  # a tuple of two numbers


def shares_by_cases(first, second, room):
    half = room // 2
    if first + second <= room:
        return [first, second]
    if first <= half:
        return [first, room - first]
    if second <= half:
        return [room - second, second]
    return [half, half]


def position_by_library(ids, extract_id):
    return inputs.extract_position(ids, extract_id)


def position_by_lists(ids, extract_id):
    places = []
    for number, row in enumerate(ids.tolist()):
        if extract_id not in row:
            raise ValueError(f"row {number} has no extract token")
        places.append(row.index(extract_id))
    return torch.tensor(places)


def pairs_by_linear(first, second, weight, bias):
    return nn.functional.linear(second + first, weight, bias)


def pairs_by_einsum(first, second, weight, bias):
    return torch.einsum("bd,cd->bc", first, weight) + torch.einsum("bd,cd->bc", second, weight) + bias


def block_by_modules(x, weights, inner, outer):
    norm = nn.LayerNorm(x.shape[-1], elementwise_affine=False)
    n = norm(weights.matmul(x) + x)
    return norm(nn.GELU("tanh")(n.matmul(inner)).matmul(outer) + n)


def block_by_hand(x, weights, inner, outer):
    def norm(rows):
        centred = rows - rows.mean(-1, keepdim=True)
        return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()

    n = norm(x + weights @ x)
    y = n @ inner
    bent = 0.5 * y * (1 + torch.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * y**3)))
    return norm(n + bent @ outer)


def grown_by_two_products(hidden, table, new):
    return torch.cat([hidden @ table.T, hidden @ new.T], dim=-1)


def grown_by_einsum(hidden, table, new):
    return torch.einsum("...d,vd->...v", hidden, torch.vstack([table, new]))


OTHER_WAYS = {
    "gpt.predict_the_state": [
        {"answers": "b", "delimiter": "a", "position": "a"},
        {"position": " A", "delimiter": "A", "answers": "B "},
    ],
    "gpt.order_the_row": ["a b c d e", ["A", "B", "C", "D", "E"]],
    "gpt.similarity_inputs": [similarity_by_library, similarity_by_appending],
    "gpt.candidate_chances": [chances_by_logs, chances_by_torch],
    "gpt.odds": [odds_by_library, odds_by_sums],
    "gpt.guesses": [guesses_by_pairs, guesses_by_loop],
    "gpt.which_shift": [
        {"line": 3, "asks": "c", "shows": "b", "fix": "a"},
        {"fix": "A", "shows": "B", "asks": " C", "line": "3"},
    ],
    "gpt.joint_loss": [joint_by_zip, joint_by_torch],
    "gpt.who_looks_ahead": [
        {"P": "a", "Q": "b", "R": "b", "loss": "b"},
        {"loss": "B", "R": "B ", "Q": "B", "P": " A"},
    ],
    "gpt.two_scores": [
        {"line": 3, "input": "c", "missed": "b", "fix": "a"},
        {"fix": "A", "missed": "B", "input": " C", "line": "3"},
    ],
    "gpt.decays": [decays_by_parts, decays_by_exclusion],
    "gpt.which_sentence": [
        {"paper": "b", "seeds": "c", "other": "b"},
        {"other": "B", "seeds": "C", "paper": " B"},
    ],
    "gpt.again": [
        {"scale": "b", "positions": "a", "norm": "a", "elmo": "a", "ulmfit": "b"},
        {"ulmfit": "B", "elmo": "A", "norm": "A", "positions": " A", "scale": "B"},
    ],
    "gpt.shares": [shares_by_library, shares_by_cases],
    "gpt.extract_position": [position_by_library, position_by_lists],
    "gpt.pair_scores": [pairs_by_linear, pairs_by_einsum],
    "gpt.decoder_block": [block_by_modules, block_by_hand],
    "gpt.grown_scores": [grown_by_two_products, grown_by_einsum],
}
