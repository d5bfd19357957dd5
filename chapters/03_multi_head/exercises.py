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
# # Exercises: Many heads
#
# Work on a copy: `python -m qkv start 03` makes one in the folder `workbook`, and nothing ever overwrites it.
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
# The running example again, cut into two heads: *alive* and *thing* go to head 0, *singular* and *pronoun* to head 1.

# %%
query, key = torch.tensor(toy.QUERY), torch.tensor(toy.KEY)
for head in range(2):
    own = slice(2 * head, 2 * head + 2)
    print(f"head {head}: query of it {query[2, own].tolist()}, keys {key[:, own].tolist()}")
print(f"√d_k = {math.sqrt(query.shape[-1] / 2):.2f}")

# %% [markdown]
# ## 1. Predict what eight heads cost
#
# *predict · difficulty 1 of 5 · about 2 minutes · comes back in chapter 05*

# %%
ask("multi_head.predict_shapes")

# %%
answer = {
    "queries": None,  # "A", "B", "C", "D"
    "shares": None,  # "A", "B", "C", "D"
    "parameters": None,  # "A", "B", "C"
}

check("multi_head.predict_shapes", answer)

# %% [markdown]
# ## 2. Order the steps of two heads
#
# *Parsons · difficulty 1 of 5 · about 4 minutes · comes back in chapter 05*

# %%
ask("multi_head.order_the_steps")

# %%
order = None  # letters, for example "FEDC"

check("multi_head.order_the_steps", order)

# %% [markdown]
# ## 3. Cut rows into heads, in plain lists
#
# *write · difficulty 1 of 5 · about 8 minutes · comes back in chapter 04*
#
# Cut a table into heads with plain lists. `rows` has one row for each word. `heads[i][t]` is the i-th piece of row t:
# neighbouring entries, all pieces equally long. Rows that cannot be cut into `num_heads` equal pieces are a
# `ValueError` that names both numbers.
#
# The toy's queries `[0, 0, 2, 2], [0, 0, 0, 4], [2, 0, 2, 0]` in two heads give head 0 `[0, 0], [0, 0], [2, 0]` and
# head 1 `[2, 2], [0, 4], [2, 0]`.


# %%
def split_rows(rows: list[list[float]], num_heads: int) -> list[list[list[float]]]:
    """heads[i][t]: the i-th piece of row t."""
    return ...


check("multi_head.split_rows", split_rows)

# %% [markdown]
# ## 4. Fill two patterns
#
# *complete · difficulty 2 of 5 · about 6 minutes · comes back in chapter 05*
#
# A gate is one number for each head: 0 silences it, 1 lets it through. Fill the two patterns for `rearrange`: `cut`
# takes x (b, t, h · d) apart into heads (b, h, t, d), `join` undoes it. A head owns neighbouring entries.
#
# On the toy's queries the gate (0, 1) leaves *it* with `[0, 0, 2, 0]`.

# %%
from einops import rearrange


def silence(x: Tensor, gate: Tensor) -> Tensor:
    """Multiply every head by its gate: cut x (b, t, d_model) into heads, multiply, join again."""
    cut = ...
    join = ...
    heads = rearrange(x, cut, h=len(gate))
    return rearrange(heads * gate[:, None, None], join)


check("multi_head.fill_the_patterns", silence)

# %% [markdown]
# ## 5. Split into heads
#
# *write · difficulty 2 of 5 · about 10 minutes · comes back in chapter 05*
#
# Split x (b, t, d_model) into heads (b, h, t, d_k). Head i owns d_k neighbouring entries of every word. If d_model is
# no multiple of `num_heads`, raise a `ValueError` that names both numbers.


# %%
def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """x (b, t, d_model) → heads (b, h, t, d_k); head i owns entries i · d_k … (i + 1) · d_k - 1."""
    return ...


check("multi_head.split_heads", split_heads)

# %% [markdown]
# ## 6. Merge the heads
#
# *write · difficulty 2 of 5 · about 6 minutes · comes back in chapter 05*
#
# Undo the split: x (b, h, t, d) becomes (b, t, h · d). Row t holds what all heads found for word t: first head 0,
# then head 1, and so on.


# %%
def merge_heads(x: Tensor) -> Tensor:
    """x (b, h, t, d) → (b, t, h · d): for every word, what its heads found, side by side."""
    return ...


check("multi_head.merge_heads", merge_heads)

# %% [markdown]
# ## 7. One query, several heads, in plain lists
#
# *write · difficulty 2 of 5 · about 15 minutes · comes back in chapter 05*
#
# Attention of a single query with several heads, in plain lists. Every head takes its piece of the query, of each key
# and of each value, and attends by itself; return the outputs side by side. There is no W_O here.
#
# The toy with two heads: the query of *it*, `[2, 0, 2, 0]`, asks *alive* in head 0 and *singular* in head 1. With the
# values `[10, 0, 10, 0], [0, 10, 0, 10], [0, 0, 0, 0]` it must read `[6.73, 1.64, 4.46, 4.46]`. Scores may be as
# large as 1000. You may build on your `attend` of chapter 02 and on `split_rows`.


# %%
def attend_with_heads(
    query: list[float], keys: list[list[float]], values: list[list[float]], num_heads: int
) -> list[float]:
    """What one query reads with several heads: the outputs of the heads, side by side."""
    return ...


check("multi_head.one_query", attend_with_heads)

# %% [markdown]
# ## 8. Which version mixes the sentences?
#
# *debug · difficulty 3 of 5 · about 8 minutes · comes back in chapter 08*

# %%
ask("multi_head.find_the_mix")

# %%
answer = {
    "version": None,  # "A", "B", "C"
    "sentences": None,  # "A", "B", "C", "D"
    "words": None,  # "A", "B", "C", "D"
    "fix": None,  # "A", "B", "C", "D"
}

check("multi_head.find_the_mix", answer)

# %% [markdown]
# ## 9. Attention with several heads
#
# *write · difficulty 3 of 5 · about 25 minutes · comes back in chapter 05*
#
# Write self-attention with several heads, from given weights, each (d_model, d_model) and used as `x @ w` without
# biases. x is (b, t, d_model). `may_attend` (b, t, t) is True where a word may read another, the same for all heads;
# every word may read at least one. Return (b, t, d_model).
#
# On the toy, x holds one row of the unit matrix for each word, so x @ w picks that word's row. Before W_O the row of
# *it* is `[6.73, 1.64, 4.46, 4.46]`, as in exercise 7; the toy's W_O changes the order of the entries: `[6.73, 4.46,
# 1.64, 4.46]`.


# %%
def multi_head_attention(
    x: Tensor,
    w_query: Tensor,
    w_key: Tensor,
    w_value: Tensor,
    w_output: Tensor,
    num_heads: int,
    may_attend: Tensor | None = None,
) -> Tensor:
    """concat(head_1 … head_h) W_O; every head attends by itself; may_attend (b, t, t) is the same for all heads."""
    return ...


check("multi_head.multi_head_attention", multi_head_attention)

# %% [markdown]
# ## 10. Three projections in one
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 09*
#
# Fast code makes query, key and value by one matrix product. Each row of `fused` (b, t, 3 · d_model) holds all
# queries, then all keys, then all values; within each of them first head 0, then head 1, and so on. Return one tensor
# (3, b, h, t, d_k).


# %%
def unpack(fused: Tensor, num_heads: int) -> Tensor:
    """fused (b, t, 3 · d_model) → (3, b, h, t, d_k): query, key and value of every head."""
    return ...


check("multi_head.unpack", unpack)

# %% [markdown]
# ## 11. Chapter 02 again, with heads
#
# *predict · difficulty 2 of 5 · about 5 minutes · comes back in chapter 05*

# %%
ask("multi_head.review_with_heads")

# %%
answer = {
    "softmax": None,  # "A", "B", "C", "D"
    "divisor": None,  # "A", "B", "C", "D"
    "mask": None,  # "A", "B", "C", "D"
    "when": None,  # "A", "B", "C"
}

check("multi_head.review_with_heads", answer)

# %% [markdown]
# ## 12. Does a head look at the previous word?
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 06*
#
# Before a head may be called “previous word”, its share must be measured, and compared with heads that know nothing.
# `weights` is the table of shares of one head: row i belongs to the word that asks. For each offset in `offsets`
# return the mean share that words give to the word at that distance: −1 is the previous word, 0 the word itself, 1
# the next. Words that have no such neighbour are left out.
#
# On the toy, offset −1 gives `.176`: *mat* gives *cat* `.107`, and *it* gives *mat* `.245`.


# %%
def shares_at_offsets(weights: list[list[float]], offsets: list[int]) -> list[float]:
    """For each offset, the mean share that a word gives to the word at that distance (−1: the previous one)."""
    return ...


check("multi_head.shares_at_offsets", shares_at_offsets)

# %% [markdown]
# ## 13. Which heads learn?
#
# *debug · difficulty 2 of 5 · about 6 minutes · comes back in chapter 05*

# %%
ask("multi_head.which_heads_learn")

# %%
answer = {
    "version": None,  # "A", "B", "C", "D"
    "count": None,  # "A", "B", "C", "D"
    "probe": None,  # "A", "B", "C", "D"
    "fix": None,  # "A", "B", "C", "D"
}

check("multi_head.which_heads_learn", answer)

# %% [markdown]
# ## 14. A layer without one head
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 05*
#
# To ask what a head is worth, silence it: it hands on zeros, and everything else stays as it is. `heads` (b, h, t, d)
# is what the heads found, `w_output` (h · d, d_model) mixes them, `bias` (d_model) is added at the end. Return the
# layer's output (b, t, d_model) without head number `removed`; the first head is number 0.


# %%
def without_head(heads: Tensor, w_output: Tensor, bias: Tensor, removed: int) -> Tensor:
    """The layer's output when head ``removed`` hands on nothing."""
    return ...


check("multi_head.without_head", without_head)

# %% [markdown]
# ## 15. Which sentence may be printed?
#
# *claim · difficulty 4 of 5 · about 8 minutes · comes back in chapter 05*

# %%
ask("multi_head.which_sentence")

# %%
answer = {
    "by chance": None,  # "A", "B", "C", "D"
    "at least one": None,  # "A", "B", "C", "D"
    "sentence": None,  # "A", "B", "C", "D"
    "next": None,  # "A", "B", "C", "D"
}

check("multi_head.which_sentence", answer)

# %% [markdown]
# ## 16. Heads folded into the batch
#
# *write · difficulty 4 of 5 · about 15 minutes · comes back in chapter 05*
#
# Older code stacks the heads on the batch axis: `query`, `key` and `value` are (h · b, t, d_k), all sentences of head
# 0 first, then all sentences of head 1. `may_attend` is (b, t, t), one mask for each sentence. Return the heads of
# each word side by side: (b, t, h · d_k).
#
# In chapter 02 the heads of one sentence lay side by side; here it is the other way round.


# %%
def attend_folded(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor, num_heads: int) -> Tensor:
    """Attention of heads that stand in the batch axis, all sentences of head 0 first; merged to (b, t, h · d_k)."""
    return ...


check("multi_head.attend_folded", attend_folded)

# %% [markdown]
# ## 17. ★ Grouped queries
#
# *write · difficulty 5 of 5 · about 15 minutes · comes back in chapter 08*
#
# Models that write word by word keep all old keys and values. To keep fewer, several query heads share one key and
# one value head: `query` is (b, h, t, d), `key` and `value` are (b, g, t, d). The first h / g query heads share the
# first key head, the next ones the second, and so on.
#
# Return (b, h, t, d). If h is no multiple of g, raise a `ValueError` that names both numbers.


# %%
def grouped_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention in which h query heads share g key and value heads, h / g neighbours each."""
    return ...


check("multi_head.grouped_attention", grouped_attention)

# %% [markdown]
# ## How far you are

# %%
progress()
