"""Right answers to the exercises of chapter 05, at least two beside the solution of each."""

import heapq
import math

import torch
from torch import nn
from torch.nn import functional

from qkv.nn import masks


def reads_and_says_by_one_list(sounds, start, end):
    whole = [start, *sounds, end]
    return [whole[:-1], whole[1:]]


def reads_and_says_step_by_step(sounds, start, end):
    pairs, before = [], start
    for sound in [*sounds, end]:
        pairs.append((before, sound))
        before = sound
    return [list(each) for each in zip(*pairs, strict=True)]


def shift_by_slices(ids, start_id):
    shifted = ids.new_zeros(ids.shape)
    shifted[:, 1:] = ids[:, :-1].clone()
    shifted[:, 0] = start_id
    return shifted


def shift_by_roll(ids, start_id):
    shifted = ids.roll(1, dims=1)
    shifted[:, 0] = start_id
    return shifted


def shift_by_padding(ids, start_id):
    return functional.pad(ids, (1, 0), value=start_id)[:, :-1]


def mask_by_library(ids, pad_id):
    return masks.causal(ids.shape[1]) & (ids != pad_id).unsqueeze(1)


def mask_by_lengths(ids, pad_id):
    return masks.causal(ids.shape[1]) & masks.not_padding((ids != pad_id).sum(1), ids.shape[1])


def norm_by_library(x, gain, bias, eps=1e-5):
    return functional.layer_norm(x, x.shape[-1:], gain, bias, eps)


def norm_by_var(x, gain, bias, eps=1e-5):
    variance, mean = torch.var_mean(x, -1, correction=0, keepdim=True)
    return (x - mean) * torch.rsqrt(variance + eps) * gain + bias


def block_in_one_line(x, attend, feed, first, second):
    return (h := x + attend(first(x))) + feed(second(h))


def block_in_four_lines(x, attend, feed, first, second):
    found = attend(first(x))
    talked = found + x
    thought = feed(second(talked))
    return torch.stack([talked, thought]).sum(0)


def smoothed_by_targets(log_probabilities, labels, epsilon, pad_id):
    losses = []
    for row, label in zip(log_probabilities, labels, strict=True):
        if label == pad_id:
            continue
        target = [epsilon / len(row)] * len(row)
        target[label] += 1 - epsilon
        losses.append(-sum(t * p for t, p in zip(target, row, strict=True)))
    return sum(losses) / len(losses)


def smoothed_by_torch(log_probabilities, labels, epsilon, pad_id):
    scores, right = torch.tensor(log_probabilities, dtype=torch.float64), torch.tensor(labels)
    return functional.cross_entropy(scores, right, ignore_index=pad_id, label_smoothing=epsilon).item()


def rate_by_roots(step, d_model, warmup):
    if step <= 0:
        raise ValueError(f"step {step} is below 1")
    return min(1 / math.sqrt(step), step / math.sqrt(warmup) ** 3) / math.sqrt(d_model)


def rate_by_the_peak(step, d_model, warmup):
    if step < 1:
        raise ValueError(f"steps count from 1: {step}")
    peak = (d_model * warmup) ** -0.5
    return peak * (step / warmup if step < warmup else (warmup / step) ** 0.5)


def loss_by_selection(logits, target, pad_id):
    labels = target[:, 1:]
    real = labels != pad_id
    return functional.cross_entropy(logits[real], labels[real])


def loss_by_gather(logits, target, pad_id):
    labels = target[:, 1:]
    surprise = -logits.log_softmax(-1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    real = (labels != pad_id).double()
    return (surprise * real).sum() / real.sum()


def loss_of_log_softmax(logits, target, pad_id):
    """log_softmax twice is log_softmax once, so this is right, if wasteful."""
    return functional.cross_entropy(logits.log_softmax(-1).mT, target[:, 1:], ignore_index=pad_id)


def perplexity_by_counting(batches):
    total = count = 0
    for batch in batches:
        for word in batch:
            total, count = total + sum(word), count + len(word)
    return math.e ** (total / count)


def perplexity_by_products(batches):
    tokens = [loss for batch in batches for word in batch for loss in word]
    return math.prod(math.exp(loss) for loss in tokens) ** (1 / len(tokens))


def cross_by_library(query, memory, source, pad_id):
    return functional.scaled_dot_product_attention(query, memory, memory, (source != pad_id).unsqueeze(-2))


def cross_word_by_word(query, memory, source, pad_id):
    found = []
    for asked, rows, ids in zip(query, memory, source, strict=True):
        rows = rows[ids != pad_id]
        found.append(torch.softmax(asked @ rows.T / asked.shape[-1] ** 0.5, -1) @ rows)
    return torch.stack(found)


def step_by_heap(totals, log_probabilities, beam_size, end):
    every = [(-(totals[i] + p), i, symbol) for i, row in enumerate(log_probabilities) for symbol, p in enumerate(row)]
    best = heapq.nsmallest(beam_size, every)
    on = heapq.nsmallest(beam_size, (each for each in every if each[2] != end))
    return [[-cost, i, symbol] for cost, i, symbol in [each for each in best if each[2] == end] + on]


def step_by_rank(totals, log_probabilities, beam_size, end):
    finished, on = [], []
    every = [
        (t + p, i, s)
        for i, (t, row) in enumerate(zip(totals, log_probabilities, strict=True))
        for s, p in enumerate(row)
    ]
    for rank, row in enumerate(sorted(every, reverse=True)):
        if row[2] == end and rank < beam_size:
            finished.append(row)
        elif row[2] != end and len(on) < beam_size:
            on.append(row)
    return finished + on


def cached_by_library(query, key, value, kept_key, kept_value):
    kept, new = kept_key.shape[-2], query.shape[-2]
    may = masks.causal(kept + new)[kept:]
    return functional.scaled_dot_product_attention(
        query, torch.cat([kept_key, key], 2), torch.cat([kept_value, value], 2), may
    )


def cached_word_by_word(query, key, value, kept_key, kept_value):
    rows = []
    for i in range(query.shape[-2]):
        kept_key = torch.cat([kept_key, key[..., i : i + 1, :]], -2)
        kept_value = torch.cat([kept_value, value[..., i : i + 1, :]], -2)
        asked = query[..., i : i + 1, :] / query.shape[-1] ** 0.5
        rows.append((asked @ kept_key.mT).softmax(-1) @ kept_value)
    return torch.cat(rows, -2)


def search_by_steps(table, beam_size, start, end, max_length):
    opened, finished = [(0.0, [start])], []
    for step in range(1, max_length + 1):
        totals = [total for total, _ in opened]
        rows = [table[ids[-1]] for _, ids in opened]
        size = beam_size if step < max_length else len(opened) * len(table)
        found = step_by_rank(totals, rows, size, end)
        extended = [(total, [*opened[parent][1], symbol]) for total, parent, symbol in found]
        finished += [each for each in extended if each[1][-1] == end]
        opened = [each for each in extended if each[1][-1] != end][:beam_size]
    total, ids = max(finished)
    return [total, *ids]


def search_with_tuples(table, beam_size, start, end, max_length):
    beam, best = {(start,): 0.0}, (-math.inf, ())
    for step in range(max_length):
        every = {(*ids, s): total + p for ids, total in beam.items() for s, p in enumerate(table[ids[-1]])}
        ranked = sorted(every, key=every.get, reverse=True)
        for rank, ids in enumerate(ranked):
            if ids[-1] == end and (rank < beam_size or step + 1 == max_length):
                best = max(best, (every[ids], ids))
        beam = {ids: every[ids] for ids in [each for each in ranked if each[-1] != end][:beam_size]}
    return [best[0], *best[1]]


def block_by_module(x, attend, feed, first, second):
    class Residual(nn.Module):
        def __init__(self, layer, norm):
            super().__init__()
            self.layer, self.norm = layer, norm

        def forward(self, x):
            return x + self.layer(self.norm(x))

    return nn.Sequential(Residual(attend, first), Residual(feed, second))(x)


OTHER_WAYS = {
    "transformer.predict_the_shift": [
        {"reads": "a", "says": "b", "unshifted": "b"},
        {"unshifted": "B", "says": " B", "reads": "A "},
    ],
    "transformer.order_the_block": ["c f e a", ["C", "F", "E", "A"]],
    "transformer.reads_and_says": [reads_and_says_by_one_list, reads_and_says_step_by_step],
    "transformer.shift_right": [shift_by_slices, shift_by_roll, shift_by_padding],
    "transformer.decoder_mask": [mask_by_library, mask_by_lengths],
    "transformer.layer_norm": [norm_by_library, norm_by_var],
    "transformer.pre_norm_block": [block_in_one_line, block_in_four_lines, block_by_module],
    "transformer.which_encoder": [
        {"grows": "b", "closed": "c", "evidence": "c", "fix": "a"},
        {"fix": "A", "evidence": "C", "closed": " C", "grows": "B "},
    ],
    "transformer.again": [
        {"embedding": "a", "divisor": "b", "mask": "b", "guess": "a"},
        {"guess": "A", "mask": "B", "divisor": " b", "embedding": "A "},
    ],
    "transformer.smoothed_loss": [smoothed_by_targets, smoothed_by_torch],
    "transformer.warmup_rate": [rate_by_roots, rate_by_the_peak],
    "transformer.sequence_loss": [loss_by_selection, loss_by_gather, loss_of_log_softmax],
    "transformer.perplexity": [perplexity_by_counting, perplexity_by_products],
    "transformer.cross_attention": [cross_by_library, cross_word_by_word],
    "transformer.which_loss": [
        {"keeps": "a", "half": "b", "learns": "b", "shows": "b"},
        {"shows": "B", "learns": "B", "half": " B", "keeps": "A "},
    ],
    "transformer.what_is_held": [
        {"tied": "b", "count": "b", "waves": "b", "decay": "b"},
        {"decay": "B", "waves": "B", "count": " B", "tied": "B "},
    ],
    "transformer.four_slips": [
        {"new rows": "b", "clip": "b", "rate": "b", "measure": "b"},
        {"measure": "B", "rate": "B", "clip": " B", "new rows": "B "},
    ],
    "transformer.which_sentence": [
        {"loss": "a", "words": "c", "both": "b", "next": "b"},
        {"next": "B", "both": "B", "words": " C", "loss": "A "},
    ],
    "transformer.score_by_hand": [
        {"night": "a", "words": "a", "sounds": "b", "batches": "b"},
        {"batches": "B", "sounds": "B", "words": " A", "night": "A "},
    ],
    "transformer.longer_or_shorter": [
        {"alpha 0": "a", "long": "a", "alpha 1": "b", "why": "b"},
        {"why": "B", "alpha 1": "B", "long": " A", "alpha 0": "A "},
    ],
    "transformer.beam_step": [step_by_heap, step_by_rank],
    "transformer.which_cache": [
        {"equal": "a", "version B": "a", "version C": "b", "test": "b"},
        {"test": "B", "version C": "B", "version B": " A", "equal": "A "},
    ],
    "transformer.cached_attention": [cached_by_library, cached_word_by_word],
    "transformer.beam_search": [search_by_steps, search_with_tuples],
}
