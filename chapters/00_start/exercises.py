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
print("asked:", toy.QUERY[2])
for word, row in zip(toy.WORDS, toy.KEY, strict=True):
    print(f"{word:3}   ", row)

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
# ``` total = 0 for i in range(len(first)):     total = total + (first[i] - second[i]) ** 2 ```
#
# First put this line into the stub, in place of `return ...`, and run the check. It is not right, on purpose:
#
# ```     return (sum(first) - sum(second)) ** 2 ```
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
# ``` for i in range(n):     for j in range(m):         turned[j][i] = table[i][j] ```


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
# ``` for i in range(n):     for j in range(m):         table[i][j] = 0         for k in range(d):
# table[i][j] = table[i][j] + asking[i][k] * words[j][k] ```


# %%
def dot_products(asking: list[list[float]], words: list[list[float]]) -> list[list[float]]:
    """Every row of asking with every row of words."""
    return ...


check("start.dot_products", dot_products)

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
    "dropout": None,  # "A", "B", "C"
    "batch": None,  # "A", "B", "C"
}

check("start.which_sentence", answer)

# %% [markdown]
# ## How far you are

# %%
progress()
