# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Exercises: Attention
#
# Work on a copy: `python -m qkv start 02` makes one in the folder `workbook`, and nothing ever overwrites it.
# Replace `None` and `...` by your answer, then run the cell.
#
# `check` says what holds, where the first difference is, and the name of the mistake when it knows it.
# After `report = check(…)`, `report.inputs` holds the numbers that it speaks of.
# `hint` gives three hints, one at a time: where to look, the idea on other numbers, the line with a gap.
# `solution` shows one right answer.
#
# A star marks the exercise that goes beyond the lesson. All names below come from the first cell.

# %%
import math

import torch
from torch import Tensor

from qkv import toy
from qkv.exercises import ask, check, hint, progress, solution
from qkv.notebook import setup

setup()
for tool in (ask, check, hint, solution, progress):
    print(f"{tool.__name__}: {tool.__doc__.splitlines()[0]}")

# %% [markdown]
# The running example again: the query of *it* and the keys of *cat*, *mat*, *it*.

# %%
query, key, value = (torch.tensor(table) for table in (toy.QUERY, toy.KEY, toy.VALUE))
print("query of it:", query[2].tolist(), " keys:", key.tolist())
print("√d_k =", math.isqrt(query.shape[-1]))

# %% [markdown]
# ## 1. Predict two softmaxes
#
# *predict · difficulty 1 of 5 · about 2 minutes · comes back in chapter 03*

# %%
ask("attention.predict_softmax")

# %%
answer = {
    "softmax(102, 101, 100)": None,  # "A", "B", "C", "D"
    "softmax(4, 2, 0)": None,  # "A", "B", "C", "D"
    "reason": None,  # "A", "B", "C", "D"
}

check("attention.predict_softmax", answer)

# %% [markdown]
# ## 2. Order the steps of attention
#
# *Parsons · difficulty 1 of 5 · about 4 minutes · comes back in chapter 05*

# %%
ask("attention.order_the_steps")

# %%
order = None  # letters, for example "FEDC"

check("attention.order_the_steps", order)

# %% [markdown]
# ## 3. Fill two gaps in the scores
#
# *complete · difficulty 2 of 5 · about 5 minutes · comes back in chapter 05*
#
# Fill the two gaps. `query` has shape (…, t_q, d_k), `key` has shape (…, t_k, d_k); there may be axes for batch and
# heads in front. `d_model` is the width of the whole model, all heads together. Do you need it?


# %%
def attention_scores(query: Tensor, key: Tensor, d_model: int) -> Tensor:
    """Scaled scores: one number for each query and key."""
    keys_as_columns = ...  # (…, d_k, t_k)
    divisor = ...
    return query @ keys_as_columns / divisor


check("attention.fill_the_scores", attention_scores)

# %% [markdown]
# ## 4. One query, in plain lists
#
# *write · difficulty 2 of 5 · about 12 minutes · comes back in chapter 03*
#
# Write attention for a single query with plain lists: no tensors, no loops hidden in a library. On the toy, the query
# of *it* must give `[6.65, 2.45]`. Scores may be as large as 1000, and the values may be shorter or longer than the
# keys.


# %%
def attend(query: list[float], keys: list[list[float]], values: list[list[float]]) -> list[float]:
    """What one query reads: a mix of the values, by the shares of the keys."""
    return ...


check("attention.one_query", attend)

# %% [markdown]
# ## 5. Find the query
#
# *write · difficulty 2 of 5 · about 6 minutes · comes back in chapter 04*

# %%
ask("attention.find_the_query")

# %%
answer = {
    "query": None,  # a list of 4 numbers
    "can reach (12, 0)": None,  # "A", "B", "C", "D"
}

check("attention.find_the_query", answer)

# %% [markdown]
# ## 6. Predict two rows under the causal mask
#
# *predict · difficulty 2 of 5 · about 5 minutes · comes back in chapter 05*

# %%
ask("attention.predict_causal_rows")

# %%
answer = {
    "cat": None,  # "A", "B", "C", "D", "E", "F"
    "mat": None,  # "A", "B", "C", "D", "E"
    "reason": None,  # "A", "B", "C", "D", "E"
}

check("attention.predict_causal_rows", answer)

# %% [markdown]
# ## 7. Scaled dot-product attention
#
# *write · difficulty 3 of 5 · about 25 minutes · comes back in chapter 05*
#
# Write attention for tensors: `query` (…, t_q, d_k), `key` (…, t_k, d_k), `value` (…, t_k, d_v). `may_attend` is a
# boolean tensor that broadcasts to (…, t_q, t_k); True means that this query may read this key. Return the output (…,
# t_q, d_v).
#
# Scores may be as large as 1000. A query that may read no key at all is a `ValueError` that says where. Use
# `torch.exp` and sums; `F.scaled_dot_product_attention` would hide what you are building.


# %%
def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor | None = None) -> Tensor:
    """softmax(Q Kᵀ / √d_k) V; may_attend is True where a query may read a key."""
    return ...


check("attention.scaled_dot_product_attention", scaled_dot_product_attention)

# %% [markdown]
# ## 8. Which version sees the future?
#
# *debug · difficulty 3 of 5 · about 8 minutes · comes back in chapter 08*

# %%
ask("attention.find_the_leak")

# %%
answer = {
    "version": None,  # "A", "B", "C"
    "line": None,  # "2", "3", "4", "5"
    "input": None,  # "A", "B", "C", "D"
    "fix": None,  # "A", "B", "C", "D", "E"
}

check("attention.find_the_leak", answer)

# %% [markdown]
# ## 9. Which sentence may be printed?
#
# *claim · difficulty 4 of 5 · about 8 minutes · comes back in chapter 07*

# %%
ask("attention.which_sentence")

# %%
answer = {
    "slope": None,  # "A", "B", "C", "D"
    "evidence": None,  # "A", "B", "C", "D"
    "accuracy": None,  # "A", "B", "C", "D"
}

check("attention.which_sentence", answer)

# %% [markdown]
# ## 10. ★ Attention over chunks
#
# *write · difficulty 5 of 5 · about 40 minutes · comes back in chapter 06*
#
# A sequence is too long to hold all its scores. Its keys arrive in chunks, once: `chunks` yields (`key` (c, d_k),
# `value` (c, d_v), `may_attend` (c)), a few keys at a time. Compute the output of one `query` (d_k) without ever
# holding more than one chunk.
#
# Scores may be ±1000, and a chunk may be blocked as a whole. At least one key of the sequence may be read. This is
# the core of FlashAttention.

# %%
from collections.abc import Iterable


def attend_in_chunks(query: Tensor, chunks: Iterable[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """Attention of one query over keys that arrive a few at a time; no more than one chunk is held."""
    return ...


check("attention.in_chunks", attend_in_chunks)

# %% [markdown]
# ## 11. Dropout on the shares
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 05*
#
# Attention with dropout, without the dice: `keep` (t_q, t_k) says which shares survive, and it was drawn with
# probability 1 − `rate`. `scores` (t_q, t_k) are scaled already. In training, dropped shares count 0 and kept ones
# grow so that the average over many draws stays the same. In evaluation nothing is dropped.


# %%
def dropped_attention(scores: Tensor, value: Tensor, keep: Tensor, rate: float, training: bool) -> Tensor:
    """The mix of the values, with shares dropped where keep is False, in training only."""
    return ...


check("attention.dropout", dropped_attention)

# %% [markdown]
# ## 12. A causal mask with a cache
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 08*
#
# Return the causal mask for `scores` (…, t_q, t_k): a boolean table (t_q, t_k), True where a query may read a key, on
# the device of the scores. When a model writes word by word, old keys are kept in a cache: then there are fewer
# queries than keys, and the queries are the *last* positions.


# %%
def causal_mask(scores: Tensor) -> Tensor:
    """True where a query may read a key; the queries are the last of the t_k positions."""
    return ...


check("attention.causal_mask", causal_mask)

# %% [markdown]
# ## 13. One mask for many heads
#
# *write · difficulty 2 of 5 · about 6 minutes · comes back in chapter 05*
#
# Some code folds batch and heads into one axis: scores (b · h, t_q, t_k), where the h heads of the first sentence
# come first, then those of the second. Turn `may_attend` (b, t_q, t_k) into a mask of that shape.


# %%
def mask_for_heads(may_attend: Tensor, num_heads: int) -> Tensor:
    """One copy of each sentence's mask per head; the heads of a sentence lie side by side."""
    return ...


check("attention.mask_for_heads", mask_for_heads)

# %% [markdown]
# ## How far you are

# %%
progress()
