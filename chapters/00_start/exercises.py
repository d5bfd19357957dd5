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
# # Exercises: Before we start
#
# Work on a copy: `python -m qkv start 00` makes one in the folder `workbook`, and nothing ever overwrites it.
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
# The running example again: a row of numbers that asks, and the rows of *cat*, *mat*, *it*.

# %%
asked, words = torch.tensor(toy.QUERY[2]), torch.tensor(toy.KEY)
print("asked:", asked.tolist(), "  rows of cat, mat, it:", words.tolist())
print("dot products:", (words @ asked).tolist(), "  a blind guess among 27 costs ln 27 =", math.log(27))

# %% [markdown]
# ## 1. Predict two shapes
#
# *predict · difficulty 1 of 5 · about 2 minutes · comes back in chapter 02*

# %%
ask("start.predict_shapes")

# %%
answer = {
    "sum(0)": None,  # "A", "B", "C", "D"
    "product": None,  # "A", "B", "C", "D"
    "reason": None,  # "A", "B", "C"
}

check("start.predict_shapes", answer)

# %% [markdown]
# ## 2. Meet the checker: how far apart?
#
# *write · difficulty 1 of 5 · about 5 minutes · comes back in chapter 02*
#
# This one is made to fail first, so that you see how feedback looks. The slow loop says what is asked for:
#
# ```
# total = 0
# for i in range(len(first)):
#     total = total + (first[i] - second[i]) ** 2
# ```
#
# First put this line into the stub, in place of `return ...`, and run the check. It is not right, on purpose:
#
# ```
#     return (sum(first) - sum(second)) ** 2
# ```
#
# Read the message: what holds, where the first difference is, the name of the mistake, what to do next. Then repair
# the function, in one line if you like.


# %%
def squared_distance(first: list[float], second: list[float]) -> float:
    """How far apart two rows are: the squares of their differences, added up."""
    return ...


check("start.meet_the_checker", squared_distance)

# %% [markdown]
# ## 3. Turn a table on its side
#
# *write · difficulty 1 of 5 · about 5 minutes · comes back in chapter 03*
#
# A shape puzzle in plain lists: what `.T` does. `table` has n rows of m numbers; the result has m rows of n.
#
# ```
# for i in range(n):
#     for j in range(m):
#         turned[j][i] = table[i][j]
# ```


# %%
def turn(table: list[list[float]]) -> list[list[float]]:
    """Rows become columns."""
    return ...


check("start.turn_a_table", turn)

# %% [markdown]
# ## 4. A table of dot products
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 02*
#
# A shape puzzle in plain lists: what `asking @ words.T` does. `asking` has n rows and `words` has m rows, all of d
# numbers; the result has n rows of m numbers.
#
# ```
# for i in range(n):
#     for j in range(m):
#         total = 0
#         for k in range(d):
#             total = total + asking[i][k] * words[j][k]
#         table[i][j] = total
# ```


# %%
def dot_products(asking: list[list[float]], words: list[list[float]]) -> list[list[float]]:
    """Every row of asking with every row of words."""
    return ...


check("start.dot_products", dot_products)

# %% [markdown]
# ## 5. All distances at once
#
# *complete · difficulty 2 of 5 · about 6 minutes · comes back in chapter 02*
#
# Fill the two gaps, so that broadcasting makes the table of all squared distances. `first` has shape (n, d), `second`
# has shape (m, d); the result has shape (n, m).
#
# ```
# for i in range(n):
#     for j in range(m):
#         table[i, j] = squared_distance(first[i], second[j])
# ```


# %%
def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Every row of first (n, d) with every row of second (m, d)."""
    left = ...  # (n, 1, d)
    right = ...  # (1, m, d)
    return ((left - right) ** 2).sum(-1)


check("start.squared_distances", squared_distances)

# %% [markdown]
# ## 6. Ids as rows with a single True
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 06*
#
# A shape puzzle with broadcasting: turn ids into rows with a single True. `ids` has shape (t,) or (b, t); the result
# has one axis more, of length `size`, and holds True and False. Compare the ids with `torch.arange(size)`, or find
# another way without a loop; `F.one_hot` would hide what you are building.
#
# ```
# for i in range(t):
#     for j in range(size):
#         rows[i, j] = ids[i] == j
# ```


# %%
def one_hot(ids: Tensor, size: int) -> Tensor:
    """A row for every id: True at the id's place, False elsewhere."""
    return ...


check("start.one_hot", one_hot)

# %% [markdown]
# ## 7. Cut every row into parts
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 03*
#
# A shape puzzle for `rearrange` from einops, or for reshape and transpose: `rows` has shape (t, parts · d), the
# result has shape (parts, t, d). Chapter 03 cuts rows into heads in this way.
#
# ```
# for p in range(parts):
#     for i in range(t):
#         for j in range(d):
#             result[p, i, j] = rows[i, p * d + j]
# ```


# %%
def split(rows: Tensor, parts: int) -> Tensor:
    """(t, parts · d) → (parts, t, d): the first d numbers of every row, then the next d, and so on."""
    return ...


check("start.split", split)

# %% [markdown]
# ## 8. Predict who is less surprised
#
# *predict · difficulty 2 of 5 · about 4 minutes · comes back in chapter 05*

# %%
ask("start.predict_surprise")

# %%
answer = {
    "lowest": None,  # "A", "B", "C", "D"
    "blind": None,  # "A", "B", "C", "D"
    "reason": None,  # "A", "B", "C"
}

check("start.predict_surprise", answer)

# %% [markdown]
# ## 9. One surprise for each guess
#
# *write · difficulty 3 of 5 · about 12 minutes · comes back in chapter 05*
#
# A shape puzzle that is half of cross-entropy: `scores` has shape (n, v), `right` holds n ids. Turn every row of
# scores into shares (exp of each, divided by the row's sum), and return −ln of the share of the row's own right id, n
# numbers. Scores stay below 50 here. Use `exp`, `log` and sums, or `torch.log_softmax`; `F.cross_entropy` would hide
# what you are building.
#
# ```
# for i in range(n):
#     total = 0
#     for j in range(v):
#         total = total + exp(scores[i, j])
#     surprise[i] = -log(exp(scores[i, right[i]]) / total)
# ```


# %%
def surprises(scores: Tensor, right: Tensor) -> Tensor:
    """−ln of the share that each row of scores (n, v) gives to its own right id; (n,) numbers."""
    return ...


check("start.surprises", surprises)

# %% [markdown]
# ## 10. The average of real rows
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 09*
#
# Sentences of a batch differ in length, so the short ones are filled up with rows that mean nothing, called padding.
# `rows` has shape (b, t, d); `real` has shape (b, t) and is True where a row belongs to the sentence. Return the
# average of each sentence's real rows, (b, d). Every sentence has at least one.
#
# ```
# for i in range(b):
#     count, total = 0, zeros(d)
#     for j in range(t):
#         if real[i, j]:
#             count, total = count + 1, total + rows[i, j]
#     average[i] = total / count
# ```


# %%
def mean_of_real(rows: Tensor, real: Tensor) -> Tensor:
    """The average of each item's rows, padding left out: rows (b, t, d), real (b, t) → (b, d)."""
    return ...


check("start.mean_of_real", mean_of_real)

# %% [markdown]
# ## 11. Order a step of training
#
# *Parsons · difficulty 2 of 5 · about 4 minutes · comes back in chapter 05*

# %%
ask("start.order_a_training_step")

# %%
order = None  # letters, for example "FEDC"

check("start.order_a_training_step", order)

# %% [markdown]
# ## 12. The loss falls, and the weight is 0
#
# *debug · difficulty 3 of 5 · about 8 minutes · comes back in chapter 05*

# %%
ask("start.find_the_column")

# %%
answer = {
    "shape": None,  # "A", "B", "C", "D"
    "assertion": None,  # "A", "B", "C", "D"
    "fix": None,  # "A", "B", "C", "D", "E"
}

check("start.find_the_column", answer)

# %% [markdown]
# ## 13. Which sentence may be printed?
#
# *claim · difficulty 3 of 5 · about 8 minutes · comes back in chapter 04*

# %%
ask("start.which_sentence")

# %%
answer = {
    "words": None,  # "A", "B", "C", "D"
    "smaller": None,  # "A", "B", "C"
    "batch": None,  # "A", "B", "C"
}

check("start.which_sentence", answer)

# %% [markdown]
# ## 14. ★ How far off is a pronunciation?
#
# *write · difficulty 4 of 5 · about 20 minutes · comes back in chapter 05*
#
# The edit distance of section 11, for lists of sounds: the fewest insertions, deletions and replacements that turn
# one into the other. This is what it means:
#
# ```
# def slow(first, second):
#     if not first or not second:
#         return len(first) + len(second)
#     if first[0] == second[0]:
#         return slow(first[1:], second[1:])
#     delete, insert = slow(first[1:], second), slow(first, second[1:])
#     return 1 + min(delete, insert, slow(first[1:], second[1:]))
# ```
#
# It asks the same questions again and again, and twelve sounds take it minutes. Write one that does not: keep a row
# of answers, and make the next row out of it.


# %%
def edit_distance(first: list[str], second: list[str]) -> int:
    """Fewest insertions, deletions and replacements that turn one list into the other."""
    return ...


check("start.edit_distance", edit_distance)

# %% [markdown]
# ## How far you are

# %%
progress()
