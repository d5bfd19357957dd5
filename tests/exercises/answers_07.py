"""Right answers to the exercises of chapter 07, at least two beside the solution of each."""

import math

import torch

from qkv.training import schedules
from qkv.transfer import param_groups, pooling, vocabulary


def triangle_of_the_library(step, num_steps, cut_frac, ratio):
    return schedules.slanted_triangular(step, num_steps, cut_frac=cut_frac, ratio=ratio)


def triangle_between_two_ends(step, num_steps, cut_frac, ratio):
    cut, low = int(num_steps * cut_frac), 1 / ratio
    if cut == 0:
        return 1 - (1 - low) * step / num_steps
    if step <= cut:
        return low + (1 - low) * step / cut
    return max(low, 1 - (1 - low) * (step - cut) * cut_frac / (cut * (1 - cut_frac)))


def below_by_a_bound(num_steps, cut_frac, ratio):
    cut = math.floor(num_steps * cut_frac)
    fall = cut * (1 / cut_frac - 1)
    last = cut + fall * (1 + (1 + 1e-9) / (ratio - 1))  # where 1 + p (ratio - 1) = -1e-9
    return [step for step in range(num_steps + 1) if step > last]


def below_with_tensors(num_steps, cut_frac, ratio):
    steps = torch.arange(num_steps + 1, dtype=torch.float64)
    cut = int(num_steps * cut_frac)
    p = torch.where(steps < cut, steps / cut, 1 - (steps - cut) / (cut * (1 / cut_frac - 1)))
    return ((1 + p * (ratio - 1)) < -1e-9).nonzero().flatten().tolist()


def rates_by_powers(num_groups, top_rate, factor):
    return [top_rate * factor ** (level - num_groups + 1) for level in range(num_groups)]


def rates_of_the_library(num_groups, top_rate, factor):
    groups = [[torch.nn.Parameter(torch.zeros(1))] for _ in range(num_groups)]
    return [group["lr"] for group in param_groups.discriminative(groups, top_rate, factor)]


def rates_from_the_top(step, num_steps, num_groups, steps_per_epoch):
    triangle = schedules.slanted_triangular(step, num_steps)
    rates = []
    for below in range(num_groups):
        rates.insert(0, triangle * 2.6**-below if below <= step // steps_per_epoch else 0)
    return rates


def rates_by_masking(step, num_steps, num_groups, steps_per_epoch):
    every = rates_by_powers(num_groups, schedules.slanted_triangular(step, num_steps), 2.6)
    frozen = max(0, num_groups - 1 - step // steps_per_epoch)
    return [0.0] * frozen + every[frozen:]


def rows_by_loops(ids, batch_size):
    length = (len(ids) - 1) // batch_size
    starts = [row * length for row in range(batch_size)]
    read = torch.stack([ids[start : start + length] for start in starts])
    return torch.stack([read, torch.stack([ids[start + 1 : start + 1 + length] for start in starts])])


def rows_by_reshaping(ids, batch_size):
    usable = (ids.numel() - 1) // batch_size * batch_size
    return torch.stack([ids[:-1][:usable], ids[1:][:usable]]).reshape(2, batch_size, -1)


def run_by_dropout_first(x, w_in, w_hidden, masks, dropout):
    kept = torch.where(masks[0] == 1, w_hidden / (1 - dropout), torch.zeros_like(w_hidden))
    h, found = x.new_zeros(w_hidden.shape[0]), []
    for row in x @ w_in.T:
        h = (row + kept @ h).tanh()
        found.append(h)
    return torch.stack(found)


def run_in_a_batch(x, w_in, w_hidden, masks, dropout):
    h, found = torch.zeros(1, len(w_hidden), dtype=x.dtype), []
    for row in x[:, None]:
        h = torch.tanh(row @ w_in.T + h @ (w_hidden * masks[0]).T / (1 - dropout))
        found.append(h)
    return torch.cat(found)


def carried_by_index(rows, old, new):
    known = torch.cat([rows, rows.mean(0, keepdim=True)])
    return known[[old.index(word) if word in old else len(old) for word in new]]


def pooled_by_masks(hidden_states, lengths):
    real = torch.arange(hidden_states.shape[1])[None, :, None] < lengths[:, None, None]
    last = hidden_states.gather(1, (lengths - 1)[:, None, None].expand(-1, 1, hidden_states.shape[2]))[:, 0]
    largest = torch.where(real, hidden_states, -torch.inf).max(1).values
    return torch.cat([last, largest, (hidden_states * real).sum(1) / lengths[:, None]], 1)


def chunks_text_by_text(x, lengths, decay, chunk_length):
    rows = []
    for text, length in zip(x, lengths.tolist(), strict=True):
        state, total, largest = torch.zeros_like(text[0]), 0, None
        for part in text[:length].split(chunk_length):
            for entry in part:
                state = decay * state + entry
                total = total + state
                largest = state if largest is None else torch.maximum(largest, state)
        rows.append(torch.cat([state, largest, total / length]))
    return torch.stack(rows)


def chunks_of_states(x, lengths, decay, chunk_length):
    b, t, d = x.shape
    state, last, total = torch.zeros(3, b, d, dtype=x.dtype)
    largest = torch.full((b, d), -torch.inf, dtype=x.dtype)
    for start in range(0, t, chunk_length):
        states = []
        for entry in x[:, start : start + chunk_length].unbind(1):
            state = decay * state + entry
            states.append(state)
        held = torch.stack(states, 1)  # one chunk
        place = torch.arange(start, start + held.shape[1])
        real = (place < lengths[:, None])[..., None]
        largest = torch.maximum(largest, held.masked_fill(~real, -torch.inf).amax(1))
        total = total + (held * real).sum(1)
        last = last + (held * (place == lengths[:, None] - 1)[..., None]).sum(1)
    return torch.cat([last, largest, total / lengths[:, None]], 1)


OTHER_WAYS = {
    "ulmfit.who_learns": [{"learning": "b", "fastest": "b"}, {"fastest": " B", "learning": "B "}],
    "ulmfit.order_the_stages": ["a b c d e", ["A", "B", "C", "D", "E"]],
    "ulmfit.slanted_triangular": [triangle_of_the_library, triangle_between_two_ends],
    "ulmfit.steps_below_zero": [below_by_a_bound, below_with_tensors],
    "ulmfit.layer_rates": [rates_by_powers, rates_of_the_library],
    "ulmfit.rates_at": [rates_from_the_top, rates_by_masking],
    "ulmfit.which_freezes": [
        {"version": "b", "line": 4, "evidence": "c", "fix": "b"},
        {"fix": "B", "evidence": " C", "line": "4", "version": "B"},
    ],
    "ulmfit.one_cycle": [
        {"peaks": "a", "end": "b", "momentum": "b"},
        {"momentum": "B", "end": " B", "peaks": "A "},
    ],
    "ulmfit.which_sentence": [
        {"trec": "b", "triangle": "b", "leak": "b"},
        {"leak": "B", "triangle": " B", "trec": "B "},
    ],
    "ulmfit.again": [
        {"softmax": "a", "wave": "b", "heads": "b", "mean": "b"},
        {"mean": "B", "heads": " B", "wave": "B ", "softmax": "A"},
    ],
    "ulmfit.running_rows": [rows_by_loops, rows_by_reshaping],
    "ulmfit.dropped_run": [run_by_dropout_first, run_in_a_batch],
    "ulmfit.carried_rows": [vocabulary.carried_rows, carried_by_index],
    "ulmfit.concat_pooling": [pooling.concat_pooling, pooled_by_masks],
    "ulmfit.pooled_in_chunks": [chunks_text_by_text, chunks_of_states],
}
