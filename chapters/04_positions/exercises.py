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
# # Exercises: Positions
#
# Work on a copy: `python -m qkv start 04` makes one in the folder `workbook`, and nothing ever overwrites it.
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
# The table of positions for the three places of the toy: two hands of a clock, a quick and a slow one.

# %%
from qkv.nn.positions import sinusoidal as table_of

for place, row in enumerate(table_of(3, 4).tolist()):
    print(f"{toy.WORDS[place]:3} at place {place}: " + "  ".join(f"{entry:.3f}" for entry in row))
print(f"sin 1 = {math.sin(1):.3f}, cos 1 = {math.cos(1):.3f}")

# %% [markdown]
# ## 1. Two words change places
#
# *predict · difficulty 1 of 5 · about 2 minutes · comes back in chapter 05*

# %%
ask("positions.predict_the_swap")

# %%
answer = {
    "it": None,  # "A", "B", "C"
    "cat": None,  # "A", "B", "C", "D"
}

check("positions.predict_the_swap", answer)

# %% [markdown]
# ## 2. From words to the model's input
#
# *Parsons · difficulty 2 of 5 · about 4 minutes · comes back in chapter 05*

# %%
ask("positions.order_the_input")

# %%
order = None  # letters, for example "FEDC"

check("positions.order_the_input", order)

# %% [markdown]
# ## 3. One row of the table
#
# *write · difficulty 2 of 5 · about 10 minutes · comes back in chapter 05*
#
# Write one row of the table of positions with plain Python: column 2i holds sin(position / 10000^(2i / d_model)),
# column 2i + 1 the cosine of the same angle. With d_model 4, position 1 must give `[0.841, 0.540, 0.010, 1.000]`. An
# odd d_model ends with a sine.


# %%
def position_row(position: int, d_model: int) -> list[float]:
    """One row of the table: sine and cosine of position / 10000^(2i / d_model), in turn."""
    return ...


check("positions.position_row", position_row)

# %% [markdown]
# ## 4. One step further, without the position
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 08*
#
# A pair of columns is the hand of a clock: `hand` is [sin(p · frequency), cos(p · frequency)] of some position p that
# you are not told. Return the hand of position p + offset. The offset may be negative.


# %%
def shift_hand(hand: list[float], offset: float, frequency: float) -> list[float]:
    """The hand (sin, cos) of position p, turned to position p + offset."""
    return ...


check("positions.shift_hand", shift_hand)

# %% [markdown]
# ## 5. Three tables, one loss
#
# *debug · difficulty 3 of 5 · about 8 minutes · comes back in chapter 09*

# %%
ask("positions.which_table")

# %%
answer = {
    "version": None,  # "A", "B", "C"
    "line": None,  # "1", "2", "3", "4"
    "evidence": None,  # "A", "B", "C", "D"
    "fix": None,  # "A", "B", "C", "D"
}

check("positions.which_table", answer)

# %% [markdown]
# ## 6. Learned or computed: what may be printed?
#
# *claim · difficulty 3 of 5 · about 6 minutes · comes back in chapter 07*

# %%
ask("positions.which_sentence")

# %%
answer = {
    "measured": None,  # "A", "B", "C", "D"
    "invented": None,  # "A", "B", "C"
    "reason": None,  # "A", "B", "C", "D"
}

check("positions.which_sentence", answer)

# %% [markdown]
# ## 7. From the chapters before
#
# *predict · difficulty 2 of 5 · about 4 minutes · comes back in chapter 05*

# %%
ask("positions.again")

# %%
answer = {
    "divisor": None,  # "A", "B", "C"
    "mask": None,  # "A", "B", "C"
    "split": None,  # "A", "B", "C"
}

check("positions.again", answer)

# %% [markdown]
# ## 8. Fill two gaps in the angles
#
# *complete · difficulty 2 of 5 · about 5 minutes · comes back in chapter 05*
#
# Fill the two gaps: the angle of hand i at position p is p / 10000^(2i / d_model). `even` holds 0, 2, 4, …, so it
# already is 2i. The result has one row per position and one column per hand.


# %%
def angles(length: int, d_model: int) -> Tensor:
    """The angle of every hand at every position, (length, number of hands), in float64."""
    position = torch.arange(length, dtype=torch.float64)
    even = torch.arange(0, d_model, 2, dtype=torch.float64)
    divisor = ...
    return ... / divisor


check("positions.fill_the_angles", angles)

# %% [markdown]
# ## 9. The table of positions
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 05*
#
# Write the whole table as the paper has it: even columns are sines, odd ones cosines of the same angle. An odd
# d_model ends with a sine. Compute in float64.
#
# Shape and size of the entries tell none of the known mistakes, so the check compares numbers.


# %%
def sinusoidal(length: int, d_model: int) -> Tensor:
    """The table of positions, (length, d_model), in float64."""
    return ...


check("positions.sinusoidal", sinusoidal)

# %% [markdown]
# ## 10. Words and places together
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 05*
#
# `ids` holds word numbers, (b, t); `embedding` one row per word of the vocabulary, (v, d_model); `table` one row per
# position, (length, d_model). Return √d_model times each word's embedding plus the row of its place, shape (b, t,
# d_model).
#
# A sentence with more words than the table has rows is a `ValueError` that tells both numbers.


# %%
def add_positions(ids: Tensor, embedding: Tensor, table: Tensor) -> Tensor:
    """√d_model times the embedding of each word, plus the row of its place."""
    return ...


check("positions.add_positions", add_positions)

# %% [markdown]
# ## 11. A test for order
#
# *write · difficulty 3 of 5 · about 8 minutes · comes back in chapter 05*
#
# `layer` turns rows into as many rows. Say whether it is blind to order: whether shuffling its input by `order` gives
# the same output, shuffled by `order`. `x[order]` shuffles the rows of x. Compare up to 1e-8.

# %%
from collections.abc import Callable


def is_order_blind(layer: Callable[[Tensor], Tensor], x: Tensor, order: Tensor) -> bool:
    """Whether shuffling the rows of x shuffles the rows of the output alike."""
    return ...


check("positions.is_order_blind", is_order_blind)

# %% [markdown]
# ## 12. ★ Turn the queries
#
# *write · difficulty 5 of 5 · about 15 minutes · comes back in chapter 08*
#
# Rotary positions turn instead of adding. `x` holds queries or keys, (…, t, d_k), with an even d_k. Turn the pair of
# entries i and i + d_k / 2 of row p by the angle p / 10000^(2i / d_k): the pair (a, b) becomes (a cos − b sin, b cos
# + a sin). There may be axes for batch and heads in front.


# %%
def rotary(x: Tensor) -> Tensor:
    """Each pair (i, i + d_k / 2) of row p turned by p / 10000^(2i / d_k), from p = 0 on; (…, t, d_k)."""
    return ...


check("positions.rotary", rotary)

# %% [markdown]
# ## How far you are

# %%
progress()
