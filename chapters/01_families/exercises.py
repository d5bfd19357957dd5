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
# # Exercises: The three families
#
# Work on a copy: `python -m qkv start 01` makes one in the folder `workbook`, and nothing ever overwrites it.
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
# Three words and the causal table over them, rows read, columns are read; and the cost of a blind guess.

# %%
from qkv.inspection.families import print_reading
from qkv.nn.masks import causal

print_reading(causal(3), toy.WORDS, toy.WORDS)
print(f"an even guess among 27 costs ln 27 = {math.log(27):.3f}")

# %% [markdown]
# ## 1. Three gaps, one reader
#
# *predict · difficulty 1 of 5 · about 2 minutes · comes back in chapter 08*

# %%
ask("families.predict_the_gap")

# %%
answer = {
    "first": None,  # "A", "B"
    "second": None,  # "A", "B"
    "third": None,  # "A", "B"
}

check("families.predict_the_gap", answer)

# %% [markdown]
# ## 2. Task cards
#
# *predict · difficulty 2 of 5 · about 5 minutes · comes back in chapter 09*

# %%
ask("families.deal_the_cards")

# %%
answer = {
    "snippet": None,  # "A", "B", "C"
    "names": None,  # "A", "B", "C"
    "extract": None,  # "A", "B", "C"
    "story": None,  # "A", "B", "C"
    "summary": None,  # "A", "B", "C"
    "translation": None,  # "A", "B", "C"
    "answer": None,  # "A", "B", "C"
}

check("families.deal_the_cards", answer)

# %% [markdown]
# ## 3. Two stacks out of three boxes
#
# *Parsons · difficulty 2 of 5 · about 5 minutes · comes back in chapter 05*

# %%
ask("families.order_the_boxes")

# %%
order = None  # letters, for example "FEDC"

check("families.order_the_boxes", order)

# %% [markdown]
# ## 4. One rule, three masks
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 02*
#
# Write the table of who may read whom, as nested lists of True and False: row i reads, column j is read. The first
# `prefix_length` words are a prefix that everybody reads. Besides, each word reads itself and what came before it. A
# prefix of 0 gives the causal mask, a prefix of the whole length opens everything.


# %%
def reading_table(length: int, prefix_length: int) -> list[list[bool]]:
    """Row i, column j: whether word i may read word j."""
    return ...


check("families.reading_table", reading_table)

# %% [markdown]
# ## 5. What arrives through several boxes
#
# *write · difficulty 3 of 5 · about 12 minutes · comes back in chapter 03*
#
# Several boxes lie on top of each other, all with the same table: `table[i][j]` says whether row i may read row j. A
# box adds to a row, so a row also keeps what it knew. Return who knows of whom after so many boxes, as nested lists
# of True and False. With no box a row knows itself alone.


# %%
def reach(table: list[list[bool]], boxes: int) -> list[list[bool]]:
    """Row i, column j: whether row i knows anything of word j after so many boxes."""
    return ...


check("families.reach", reach)

# %% [markdown]
# ## 6. Two losses that are too good
#
# *debug · difficulty 3 of 5 · about 8 minutes · comes back in chapter 05*

# %%
ask("families.which_looks_ahead")

# %%
answer = {
    "version": None,  # "A", "B", "C"
    "line": None,  # "1", "2", "3", "4", "5"
    "evidence": None,  # "A", "B", "C", "D"
    "fix": None,  # "A", "B", "C", "D"
}

check("families.which_looks_ahead", answer)

# %% [markdown]
# ## 7. Looking ahead: what may be printed?
#
# *claim · difficulty 3 of 5 · about 6 minutes · comes back in chapter 09*

# %%
ask("families.which_sentence")

# %%
answer = {
    "trained": None,  # "A", "B", "C"
    "written": None,  # "A", "B", "C"
    "encoders": None,  # "A", "B", "C"
}

check("families.which_sentence", answer)

# %% [markdown]
# ## 8. From the chapter before
#
# *predict · difficulty 2 of 5 · about 4 minutes · comes back in chapter 02*

# %%
ask("families.again")

# %%
answer = {
    "begin": None,  # "A", "B", "C"
    "leak": None,  # "A", "B", "C"
    "shape": None,  # "A", "B", "C"
}

check("families.again", answer)

# %% [markdown]
# ## 9. Two stacks in one table
#
# *complete · difficulty 2 of 5 · about 6 minutes · comes back in chapter 05*
#
# Put both texts of an encoder–decoder into one row, the first in front, and fill two gaps of the table of who may
# read whom. `source` and `before` are the two corners that you know: the encoder's own and the decoder's own. Missing
# are the corner at the top right, where the first text would read the second, and the one at the bottom left, where
# the second reads the first. Both hold True and False, with the sizes that fit.


# %%
def two_stacks(num_source: int, num_target: int) -> Tensor:
    """Who may read whom in an encoder–decoder, both texts in one row."""
    source = torch.ones(num_source, num_source, dtype=torch.bool)
    before = torch.ones(num_target, num_target, dtype=torch.bool).tril()
    top_right = ...
    bottom_left = ...
    return torch.cat([torch.cat([source, top_right], dim=1), torch.cat([bottom_left, before], dim=1)])


check("families.two_stacks", two_stacks)

# %% [markdown]
# ## 10. Who reads whom, from outside
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 08*
#
# A box is sealed; find out who reads whom without opening it. `run` turns a text (t, d) into new rows (t, d). Change
# one row of the text at a time, to that of `other`, and see which rows of the result change by more than 1e-6. Return
# True and False of shape (t, t): row i reads, column j is read. Leave `text` as it is.

# %%
from collections.abc import Callable


def who_reads(run: Callable[[Tensor], Tensor], text: Tensor, other: Tensor) -> Tensor:
    """Row i, column j: whether row i of run(text) changes when row j of the text is taken from other."""
    return ...


check("families.who_reads", who_reads)

# %% [markdown]
# ## 11. A batch of prefixes
#
# *write · difficulty 4 of 5 · about 15 minutes · comes back in chapter 08*
#
# A prefix model trains on a batch of texts, each with a prefix of its own: the question, say, and then the answer.
# Short texts are filled up with padding at the end. Return True and False of shape (b, longest, longest): every word
# reads the whole prefix of its text, itself and what came before; padding is read by nobody. What the rows of the
# padding read does not matter to the model, but like all rows they read the real words before them, so that no row is
# left without an open cell.


# %%
def prefix_masks(lengths: Tensor, prefix_lengths: Tensor, longest: int) -> Tensor:
    """(b, longest, longest): prefixes read both ways, the rest as written, and padding read by nobody."""
    return ...


check("families.prefix_masks", prefix_masks)

# %% [markdown]
# ## How far you are

# %%
progress()
