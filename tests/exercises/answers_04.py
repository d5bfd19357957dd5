"""Right answers to the exercises of chapter 04, at least two beside the solution of each."""

import math

import torch

from qkv.nn import positions


def row_by_pairs(position, d_model):
    row = []
    for i in range((d_model + 1) // 2):
        angle = position * math.exp(-math.log(10_000) * 2 * i / d_model)
        row += [math.sin(angle), math.cos(angle)]
    return row[:d_model]


def row_by_shifted_sines(position, d_model):
    return [
        math.sin(position / 10_000 ** (2 * (c // 2) / d_model) + (math.pi / 2 if c % 2 else 0)) for c in range(d_model)
    ]


def shift_by_angle(hand, offset, frequency):
    angle = math.atan2(hand[0], hand[1]) + offset * frequency
    return [math.sin(angle), math.cos(angle)]


def shift_by_complex_numbers(hand, offset, frequency):
    turned = complex(hand[1], hand[0]) * complex(math.cos(offset * frequency), math.sin(offset * frequency))
    return (turned.imag, turned.real)


def angles_by_exp(length, d_model):
    even = torch.arange(0, d_model, 2, dtype=torch.float64)
    return torch.outer(torch.arange(length).double(), torch.exp(-math.log(10_000) / d_model * even))


def angles_by_a_loop(length, d_model):
    rows = [[p / 10_000 ** (even / d_model) for even in range(0, d_model, 2)] for p in range(length)]
    return torch.tensor(rows, dtype=torch.float64)


def table_by_stacking(length, d_model):
    angle = angles_by_exp(length, d_model)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :d_model]


def table_by_rows(length, d_model):
    return torch.tensor([row_by_pairs(p, d_model) for p in range(length)], dtype=torch.float64)


def added_by_embedding(ids, embedding, table):
    if ids.shape[-1] > table.shape[0]:
        raise ValueError(f"{ids.shape[-1]} words, but {table.shape[0]} positions")
    words = torch.nn.functional.embedding(ids, embedding) * embedding.shape[-1] ** 0.5
    return words + torch.nn.functional.embedding(torch.arange(ids.shape[-1]), table)


def added_sentence_by_sentence(ids, embedding, table):
    if ids.size(1) > table.size(0):
        raise ValueError(f"got {ids.size(1)} words for {table.size(0)} rows")
    scale = embedding.size(1) ** 0.5
    return torch.stack([scale * embedding[sentence] + table[: len(sentence)] for sentence in ids])


def blind_by_difference(layer, x, order):
    return bool((layer(x)[order] - layer(x[order])).abs().max() < 1e-8)


def blind_by_undoing(layer, x, order):
    return torch.allclose(layer(x[order])[order.argsort()], layer(x), atol=1e-8)


def rotary_by_library(x):
    turn = positions.RotaryPositions(x.shape[-1])
    turn.frequency = 10_000 ** (-torch.arange(0, x.shape[-1], 2).double() / x.shape[-1])
    return turn(x)


def rotary_by_complex_numbers(x):
    half = x.shape[-1] // 2
    turns = torch.polar(torch.ones(x.shape[-2], half).double(), angles_by_exp(x.shape[-2], x.shape[-1]))
    turned = torch.complex(x[..., :half], x[..., half:]) * turns
    return torch.cat([turned.real, turned.imag], dim=-1)


OTHER_WAYS = {
    "positions.predict_the_swap": [{"it": "a", "cat": "b"}, {"cat": " B", "it": "A "}],
    "positions.order_the_input": ["a b c d", ["A", "B", "C", "D"]],
    "positions.position_row": [row_by_pairs, row_by_shifted_sines],
    "positions.shift_hand": [shift_by_angle, shift_by_complex_numbers],
    "positions.which_table": [
        {"version": "b", "line": 4, "evidence": "c", "fix": "a"},
        {"fix": "A", "evidence": " C", "line": "4", "version": "B"},
    ],
    "positions.which_sentence": [
        {"measured": "b", "invented": "b", "reason": "b"},
        {"reason": "B", "invented": " B", "measured": "B "},
    ],
    "positions.again": [{"divisor": "b", "mask": "b", "split": "b"}, {"split": "B", "mask": " b", "divisor": "B"}],
    "positions.fill_the_angles": [angles_by_exp, angles_by_a_loop],
    "positions.sinusoidal": [table_by_stacking, table_by_rows],
    "positions.add_positions": [added_by_embedding, added_sentence_by_sentence],
    "positions.is_order_blind": [blind_by_difference, blind_by_undoing],
    "positions.rotary": [rotary_by_library, rotary_by_complex_numbers],
}
