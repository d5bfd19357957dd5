"""Right answers to the exercises of chapter 01, at least two beside the solution of each."""

import torch

from qkv.nn import masks


def table_by_slices(length, prefix_length):
    table = [[False] * length for _ in range(length)]
    for i in range(length):
        seen = max(i + 1, prefix_length)
        table[i][:seen] = [True] * seen
    return table


def table_by_numbers(length, prefix_length):
    return [[int(j < prefix_length) | int(i - j >= 0) for j in range(length)] for i in range(length)]


def reach_by_powers(table, boxes):
    step = (torch.tensor(table) | torch.eye(len(table), dtype=torch.bool)).double()
    return (torch.linalg.matrix_power(step, boxes) > 0).tolist()


def reach_by_search(table, boxes):
    rows = []
    for i in range(len(table)):
        known = {i}
        for _ in range(boxes):
            known |= {j for m in known for j in range(len(table)) if table[m][j]}
        rows.append([j in known for j in range(len(table))])
    return rows


def stacks_by_the_prefix_mask(num_source, num_target):
    return masks.prefix(num_source + num_target, num_source)


def stacks_by_blocks(num_source, num_target):
    table = torch.zeros(num_source + num_target, num_source + num_target, dtype=torch.bool)
    table[:, :num_source] = True
    table[num_source:, num_source:] = masks.causal(num_target)
    return table


def read_by_batches(run, text, other):
    before = run(text)
    after = [run(torch.where((torch.arange(len(text)) == j)[:, None], other, text)) for j in range(len(text))]
    return ((torch.stack(after) - before).abs().amax(-1) > 1e-6).T


def read_by_cells(run, text, other):
    table = torch.zeros(len(text), len(text), dtype=torch.bool)
    for j in range(len(text)):
        changed = torch.cat([text[:j], other[j : j + 1], text[j + 1 :]])
        for i, (new, old) in enumerate(zip(run(changed), run(text), strict=True)):
            table[i, j] = not torch.allclose(new, old, atol=1e-7, rtol=0)
    return table


def prefixes_one_by_one(lengths, prefix_lengths, longest):
    tables = [
        masks.prefix(longest, int(p)) & (torch.arange(longest) < n)
        for n, p in zip(lengths, prefix_lengths, strict=True)
    ]
    return torch.stack(tables)


def prefixes_by_broadcasting(lengths, prefix_lengths, longest):
    seen = torch.maximum(torch.arange(1, longest + 1)[None], prefix_lengths[:, None])
    seen = torch.minimum(seen, lengths[:, None])
    return torch.arange(longest) < seen[..., None]


OTHER_WAYS = {
    "families.predict_the_gap": [
        {"first": "b", "second": "a", "third": "a"},
        {"first": " B", "second": "A ", "third": "A"},
    ],
    "families.deal_the_cards": [
        dict(zip(("snippet", "names", "extract", "story", "summary", "translation", "answer"), letters, strict=True))
        for letters in ("aaabccc", "AAABCCC")
    ],
    "families.order_the_boxes": ["BAC", ["B", "A", "C"], "a, b, c"],
    "families.reading_table": [table_by_slices, table_by_numbers],
    "families.reach": [reach_by_powers, reach_by_search],
    "families.which_looks_ahead": [
        {"version": "b", "line": 3, "evidence": "b", "fix": "a"},
        {"version": "B", "line": "3", "evidence": "B", "fix": "A"},
    ],
    "families.which_sentence": [
        {"trained": "b", "written": "a", "encoders": "b"},
        {"trained": "B ", "written": "A", "encoders": "B"},
    ],
    "families.again": [{"begin": "a", "leak": "b", "shape": "b"}, {"begin": "A", "leak": "B ", "shape": "B"}],
    "families.two_stacks": [stacks_by_the_prefix_mask, stacks_by_blocks],
    "families.who_reads": [read_by_batches, read_by_cells],
    "families.prefix_masks": [prefixes_one_by_one, prefixes_by_broadcasting],
}
