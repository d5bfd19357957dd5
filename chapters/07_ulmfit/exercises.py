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
# # Exercises: ULMFiT
#
# Work on a copy: `python -m qkv start 07` makes one in the folder `workbook`, and nothing ever overwrites it.
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
# A slanted triangle of 20 steps, the rates of three groups at its peak, and the toy's values, pooled.

# %%
from qkv.training.schedules import slanted_triangular as triangle

for step in (0, 1, 2, 11, 20):
    print(f"step {step:2} of 20: factor {triangle(step, 20):.3f}")
print("at the peak, from the bottom up:", [round(math.pow(2.6, -below), 3) for below in (2, 1, 0)])
values = torch.tensor(toy.VALUE).float()
print("pooled: last", values[-1].tolist(), " largest", values.amax(0).tolist(), " mean", values.mean(0))

# %% [markdown]
# ## 1. Who learns in which epoch?
#
# *predict · difficulty 1 of 5 · about 2 minutes · comes back in chapter 09*

# %%
ask("ulmfit.who_learns")

# %%
answer = {
    "learning": None,  # "A", "B", "C", "D"
    "fastest": None,  # "A", "B", "C"
}

check("ulmfit.who_learns", answer)

# %% [markdown]
# ## 2. Three stages in order
#
# *Parsons · difficulty 2 of 5 · about 4 minutes · comes back in chapter 10*

# %%
ask("ulmfit.order_the_stages")

# %%
order = None  # letters, for example "GFED"

check("ulmfit.order_the_stages", order)

# %% [markdown]
# ## 3. The slanted triangle, made safe
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 09*
#
# Write the factor on the peak rate at `step` = t of `num_steps` = T. With cut = ⌊T · cut_frac⌋, p = t / cut before
# the cut and 1 − (t − cut) / (cut · (1 / cut_frac − 1)) from there on. The factor is (1 + p · (ratio − 1)) / ratio.
#
# As published it goes negative for some T, and for a short run cut is 0. So let p stop at 0; and where cut is 0,
# start at p = 1 and fall in a straight line to 0 at step T. With T 20, cut_frac `.1` and ratio 32, steps 0, 2 and 11
# give `.031`, `1` and `.516`.


# %%
def slanted_triangular(step: int, num_steps: int, cut_frac: float, ratio: float) -> float:
    """Factor on the peak rate: up to 1 at step ⌊T · cut_frac⌋, then down to 1 / ratio; never below."""
    return ...


check("ulmfit.slanted_triangular", slanted_triangular)

# %% [markdown]
# ## 4. Where does the published formula fail?
#
# *write · difficulty 3 of 5 · about 8 minutes · comes back in chapter 08*
#
# Return the list of all steps t = 0, 1, …, T at which the *published* formula, without any repair, gives a rate below
# 0. A step with a negative rate climbs the loss. Every T here is at least 1 / cut_frac, so cut is not 0; count a rate
# above −1e-9 as not below 0.
#
# For T 20 and cut_frac `.1` the list is empty, for T 19 it is not.


# %%
def steps_below_zero(num_steps: int, cut_frac: float, ratio: float) -> list[int]:
    """Steps 0, 1, …, T at which the published formula gives a rate below 0."""
    return ...


check("ulmfit.steps_below_zero", steps_below_zero)

# %% [markdown]
# ## 5. A rate for each layer
#
# *complete · difficulty 2 of 5 · about 5 minutes · comes back in chapter 09*
#
# Fill the three gaps: the rates of all groups from the bottom up. The top group learns with `top_rate`, each group
# below with the rate of the one above it divided by `factor`. Three groups, top rate `.01` and factor 2 give `[.0025,
# .005, .01]`.


# %%
def layer_rates(num_groups: int, top_rate: float, factor: float) -> list[float]:
    """Rates from the bottom up: the top group has the full rate, each one below that of the group above / factor."""
    rates = [top_rate]
    for _ in range(...):
        rates.append(...)
    return ...


check("ulmfit.layer_rates", layer_rates)

# %% [markdown]
# ## 6. Who moves how far at this step?
#
# *write · difficulty 4 of 5 · about 12 minutes · comes back in chapter 10*
#
# Put the three ideas together, with the numbers of the paper: cut_frac `.1`, ratio 32, factor `2.6`. Return the
# factor on the peak rate of each group, from the bottom up, at `step` (from 0) of `num_steps`, one triangle for the
# whole run. A frozen group has 0. In epoch 0 the top group learns, and every `steps_per_epoch` steps the next one
# below joins. `num_steps` is a multiple of 10 here.
#
# Step 2 of 20 with three groups and epochs of 5 steps gives `[0, 0, 1]`; step 6 gives `[0, .302, .785]`.


# %%
def rates_at(step: int, num_steps: int, num_groups: int, steps_per_epoch: int) -> list[float]:
    """Factor on the peak rate for every group, from the bottom up; 0 while it is frozen."""
    return ...


check("ulmfit.rates_at", rates_at)

# %% [markdown]
# ## 7. Three ways to freeze
#
# *debug · difficulty 3 of 5 · about 8 minutes · comes back in chapter 09*

# %%
ask("ulmfit.which_freezes")

# %%
answer = {
    "version": None,  # "A", "B", "C"
    "line": None,  # "2", "3", "4"
    "evidence": None,  # "A", "B", "C"
    "fix": None,  # "A", "B", "C", "D"
}

check("ulmfit.which_freezes", answer)

# %% [markdown]
# ## 8. One-cycle is another curve
#
# *predict · difficulty 2 of 5 · about 4 minutes · comes back in chapter 10*

# %%
ask("ulmfit.one_cycle")

# %%
answer = {
    "peaks": None,  # "A", "B", "C"
    "end": None,  # "A", "B", "C"
    "momentum": None,  # "A", "B", "C"
}

check("ulmfit.one_cycle", answer)

# %% [markdown]
# ## 9. Half a per cent of five hundred questions
#
# *claim · difficulty 3 of 5 · about 6 minutes · comes back in chapter 10*

# %%
ask("ulmfit.which_sentence")

# %%
answer = {
    "trec": None,  # "A", "B", "C"
    "triangle": None,  # "A", "B", "C"
    "leak": None,  # "A", "B"
}

check("ulmfit.which_sentence", answer)

# %% [markdown]
# ## 10. From chapters 02 to 05
#
# *predict · difficulty 2 of 5 · about 4 minutes · comes back in chapter 08*

# %%
ask("ulmfit.again")

# %%
answer = {
    "softmax": None,  # "A", "B"
    "wave": None,  # "A", "B"
    "heads": None,  # "A", "B"
    "mean": None,  # "A", "B"
}

check("ulmfit.again", answer)

# %% [markdown]
# ## 11. A book in rows
#
# *write · difficulty 3 of 5 · about 8 minutes · comes back in chapter 08*
#
# `ids` is one long text of n words. Cut it into `batch_size` rows of equal length, each a running piece, as long as
# possible, and give each word the word that follows it *in the text*. Return both as one tensor: `[0]` is read, `[1]`
# is to be said. What does not fill the rows is left out, and the very last word of the text is never read, since
# nothing follows it.
#
# Words 0 to 8 in two rows are read as 0 1 2 3 and 4 5 6 7, and 1 2 3 4 and 5 6 7 8 are said.


# %%
def running_rows(ids: Tensor, batch_size: int) -> Tensor:
    """What is read and what is to be said, (2, batch_size, row length): each row a running piece of the text."""
    return ...


check("ulmfit.running_rows", running_rows)

# %% [markdown]
# ## 12. Weight drop, by hand
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 10*
#
# A small recurrent network: h_t = tanh(W x_t + U h_(t−1)), from h = 0. Run it over the rows of `x` with weight drop
# and return all states, (t, d_hidden). `w_in` is W, `w_hidden` is U, `dropout` is p.
#
# `masks` is a pile of random tables of 0 and 1 in the shape of U, where 1 stays and a share p is 0. Take from the top
# of the pile as many as one call of weight drop needs, `masks[0]`, `masks[1]`, …


# %%
def dropped_run(x: Tensor, w_in: Tensor, w_hidden: Tensor, masks: Tensor, dropout: float) -> Tensor:
    """States h_t = tanh(W x_t + U h_(t-1)) from h = 0, with weight drop on U; (t, d_hidden)."""
    return ...


check("ulmfit.dropped_run", dropped_run)

# %% [markdown]
# ## 13. A film's words on a king's table
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 09*
#
# `rows` holds one vector for each word of `old`, the vocabulary of the language model. The task has the vocabulary
# `new`. Return its table: a word that both have keeps its row, wherever its new place is; a word that the model never
# met gets the mean of *all* old rows.


# %%
def carried(rows: Tensor, old: list[str], new: list[str]) -> Tensor:
    """One row for each new word: its old row, or the mean of all old rows where it has none."""
    return ...


check("ulmfit.carried_rows", carried)

# %% [markdown]
# ## 14. Pool a padded batch
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 09*
#
# `hidden_states` is (b, t, d); text i has `lengths[i]` words, and what stands behind them is padding, any numbers.
# Return for each text, side by side: its last state, the largest of each entry, the mean of each entry, shape (b, 3
# d).
#
# A text must give the same whoever shares its batch.


# %%
def concat_pooling(hidden_states: Tensor, lengths: Tensor) -> Tensor:
    """[last state, maximum, mean] of each text over its own words; (b, t, d) and (b,) to (b, 3 d)."""
    return ...


check("ulmfit.concat_pooling", concat_pooling)

# %% [markdown]
# ## 15. ★ Pool a text too long to hold
#
# *write · difficulty 5 of 5 · about 20 minutes · comes back in chapter 10*
#
# A text may be longer than memory. Read `x`, (b, t, d), in chunks of `chunk_length` steps. The recurrent layer here
# is h_t = decay · h_(t−1) + x_t, from h = 0, and its state goes on from chunk to chunk. Pool as in exercise 14: last
# state, maximum, mean of each text's own `lengths[i]` states, (b, 3 d).
#
# Keep what pooling needs and no more: never hold the states of the whole text.


# %%
def pooled_in_chunks(x: Tensor, lengths: Tensor, decay: float, chunk_length: int) -> Tensor:
    """Pool states h_t = decay · h_(t-1) + x_t chunk by chunk, never holding all of them; (b, t, d) to (b, 3 d)."""
    return ...


check("ulmfit.pooled_in_chunks", pooled_in_chunks)

# %% [markdown]
# ## How far you are

# %%
progress()
