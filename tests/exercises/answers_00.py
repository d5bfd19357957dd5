"""Right answers to the exercises of chapter 00, at least two beside the solution of each."""

from functools import cache

import torch
from einops import rearrange
from torch.nn import functional


def distance_by_indices(first, second):
    total = 0
    for i in range(len(first)):
        total = total + (first[i] - second[i]) ** 2
    return total


def distance_by_dot_products(first, second):
    return sum(a * a - 2 * a * b + b * b for a, b in zip(first, second, strict=True))


def turn_by_zip(table):
    return [list(column) for column in zip(*table, strict=True)]


def turn_by_filling(table):
    turned = [[0.0] * len(table) for _ in table[0]]
    for i, row in enumerate(table):
        for j, number in enumerate(row):
            turned[j][i] = number
    return turned


def dots_by_loops(asking, words):
    table = [[0.0] * len(words) for _ in asking]
    for i in range(len(asking)):
        for j in range(len(words)):
            for k in range(len(asking[0])):
                table[i][j] = table[i][j] + asking[i][k] * words[j][k]
    return table


def dots_by_map(asking, words):
    return [tuple(sum(map(float.__mul__, row, word)) for word in words) for row in asking]


def distances_by_one_axis(first, second):
    return (first[:, None] - second).pow(2).sum(2)


def distances_by_binomial(first, second):
    return (first**2).sum(1, keepdim=True) - 2 * first @ second.T + (second**2).sum(1)


def one_hot_by_rows_of_a_square(ids, size):
    return torch.eye(size, dtype=torch.bool)[ids]


def one_hot_by_scatter(ids, size):
    return torch.zeros(*ids.shape, size, dtype=torch.bool).scatter(-1, ids.unsqueeze(-1), True)


def split_by_pattern(rows, parts):
    return rearrange(rows, "t (p d) -> p t d", p=parts)


def split_by_chunks(rows, parts):
    return torch.stack(rows.chunk(parts, dim=1))


def surprises_by_library(scores, right):
    return functional.cross_entropy(scores, right, reduction="none")


def surprises_by_gather(scores, right):
    shares = scores.exp() / scores.exp().sum(1, keepdim=True)
    return -shares.gather(1, right[:, None]).log().squeeze(1)


def mean_by_einsum(rows, real):
    weights = real / real.sum(1, keepdim=True)
    return torch.einsum("btd,bt->bd", rows, weights.to(rows.dtype))


def mean_by_lists(rows, real):
    return torch.stack([item[mask].mean(0) for item, mask in zip(rows, real, strict=True)])


def edits_remembered(first, second):
    @cache
    def rest(i, j):
        if i == len(first) or j == len(second):
            return len(first) - i + len(second) - j
        if first[i] == second[j]:
            return rest(i + 1, j + 1)
        return 1 + min(rest(i + 1, j), rest(i, j + 1), rest(i + 1, j + 1))

    return rest(0, 0)


def edits_in_a_table(first, second):
    table = [[i + j for j in range(len(second) + 1)] for i in range(len(first) + 1)]
    for i in range(len(first)):
        for j in range(len(second)):
            replaced = table[i][j] + (first[i] != second[j])
            table[i + 1][j + 1] = min(table[i][j + 1] + 1, table[i + 1][j] + 1, replaced)
    return table[len(first)][len(second)]


OTHER_WAYS = {
    "start.predict_shapes": [
        {"sum(0)": "b", "product": "c", "reason": "a"},
        {"reason": " A", "product": "C ", "sum(0)": "B"},
    ],
    "start.meet_the_checker": [distance_by_indices, distance_by_dot_products],
    "start.turn_a_table": [turn_by_zip, turn_by_filling],
    "start.dot_products": [dots_by_loops, dots_by_map],
    "start.squared_distances": [distances_by_one_axis, distances_by_binomial],
    "start.one_hot": [one_hot_by_rows_of_a_square, one_hot_by_scatter],
    "start.split": [split_by_pattern, split_by_chunks],
    "start.surprises": [surprises_by_library, surprises_by_gather],
    "start.mean_of_real": [mean_by_einsum, mean_by_lists],
    "start.predict_surprise": [
        {"lowest": "a", "blind": "a", "reason": "a"},
        {"reason": "A ", "blind": " a", "lowest": "A"},
    ],
    "start.order_a_training_step": ["c e a b", ["C", "E", "A", "B"]],
    "start.find_the_column": [
        {"shape": "c", "assertion": "b", "fix": "a"},
        {"fix": "A", "assertion": "B", "shape": " C"},
    ],
    "start.edit_distance": [edits_remembered, edits_in_a_table],
    "start.which_sentence": [
        {"words": "b", "smaller": "a", "batch": "c"},
        {"batch": "C", "smaller": " A", "words": "B"},
    ],
}
