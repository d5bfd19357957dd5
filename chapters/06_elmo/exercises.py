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
# # Exercises: ELMo
#
# Work on a copy: `python -m qkv start 06` makes one in the folder `workbook`, and nothing ever overwrites it.
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
# One step of the memory cell with round numbers, and the toy's words as ELMo reads them.

# %%
from qkv.text.words import character_ids as spelled

kept, written = 0.75 * 2, 0.5 * 0.5  # forget gate times memory, input gate times what may be written
print(f"kept {kept}, written {written}, memory {kept + written}, said {0.5 * math.tanh(kept + written):.3f}")
for word in [*toy.WORDS, "bank"]:
    print(f"{word:4}", spelled(word))

# %% [markdown]
# ## 1. Three settings of the gates
#
# *predict · difficulty 1 of 5 · about 2 minutes · comes back in chapter 07*

# %%
ask("elmo.predict_the_gates")

# %%
answer = {
    "keep": None,  # "A", "B", "C"
    "half": None,  # "A", "B", "C", "D"
    "shut": None,  # "A", "B", "C"
}

check("elmo.predict_the_gates", answer)

# %% [markdown]
# ## 2. One step of an LSTM
#
# *Parsons · difficulty 2 of 5 · about 4 minutes · comes back in chapter 07*

# %%
ask("elmo.order_the_cell")

# %%
order = None  # letters, for example "GFED"

check("elmo.order_the_cell", order)

# %% [markdown]
# ## 3. The cell in plain Python
#
# *write · difficulty 2 of 5 · about 10 minutes · comes back in chapter 07*
#
# Write one step of an LSTM. `parts` holds four parts one behind the other, each as long as the memory `cell`: input
# gate, forget gate, what may be written, output gate. They have not gone through sigmoid or tanh yet. Return two
# rows: the hidden state, then the new memory. All numbers lie between −30 and 30.


# %%
def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def lstm_step(parts: list[float], cell: list[float]) -> list[list[float]]:
    """Hidden state and memory after one step; ``parts`` are i, f, g, o in a row, before sigmoid and tanh."""
    return ...


check("elmo.lstm_step", lstm_step)

# %% [markdown]
# ## 4. Bits per character
#
# *write · difficulty 2 of 5 · about 6 minutes · comes back in chapter 07*
#
# A language model has read some texts. `nats` holds its whole loss on each of them, in nats. Return its bits per
# character over all texts together, so that models with words and models with characters can be compared. A loss of 3
# ln 2 on `cat` is 1 bit per character.


# %%
def bits_per_character(nats: list[float], texts: list[str]) -> float:
    """The loss of all texts together, in bits for each of their characters."""
    return ...


check("elmo.bits_per_character", bits_per_character)

# %% [markdown]
# ## 5. A word, byte by byte
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 09*
#
# Spell a word as ELMo reads it: 1 for its begin, then each byte of its UTF-8 plus 5, then 2 for its end, then 0 until
# there are `length` ids. A word that is too long loses its last letters and keeps its end. `length` is at least 3;
# `word.encode()` gives the bytes. With room for six, *at* is `[1, 102, 121, 2, 0, 0]`.


# %%
def character_ids(word: str, length: int) -> list[int]:
    """Begin 1, the bytes of the word plus 5, end 2, then 0 up to ``length`` ids; a long word loses its last letters."""
    return ...


check("elmo.character_ids", character_ids)

# %% [markdown]
# ## 6. Who predicts what
#
# *write · difficulty 2 of 5 · about 6 minutes · comes back in chapter 08*
#
# Two language models read a sentence of word ids, one from the left, one from the right. At each place a model has
# read the word there and all before it, in its own direction, and predicts the word that comes next for it. Return
# two rows, both by place: what the left reader predicts at each word, and what the right reader does. Where there is
# nothing to predict, put −100.


# %%
def targets(ids: list[int]) -> list[list[int]]:
    """For each word: what is to be predicted there from the left, and what from the right; -100 where nothing is."""
    return ...


check("elmo.targets", targets)

# %% [markdown]
# ## 7. Back to front, padding behind
#
# *write · difficulty 2 of 5 · about 6 minutes · comes back in chapter 08*
#
# The reader from the right gets each sentence back to front. `rows` are sentences of word ids, filled up with 0 to
# one length; `lengths` says how many ids of each are words. Return the rows with the words reversed and the padding
# where it was. The id 0 may be a word too.


# %%
def reverse_by_length(rows: list[list[int]], lengths: list[int]) -> list[list[int]]:
    """Each sentence back to front, its padding left behind it."""
    return ...


check("elmo.reverse_by_length", reverse_by_length)

# %% [markdown]
# ## 8. Which reader has seen the answer?
#
# *debug · difficulty 3 of 5 · about 6 minutes · comes back in chapter 09*

# %%
ask("elmo.which_leaks")

# %%
answer = {
    "leaks": None,  # "A", "B", "C"
    "test": None,  # "A", "B", "C"
    "fix": None,  # "A", "B", "C"
}

check("elmo.which_leaks", answer)

# %% [markdown]
# ## 9. Three lines round a frozen ELMo
#
# *debug · difficulty 3 of 5 · about 6 minutes · comes back in chapter 09*

# %%
ask("elmo.which_setup")

# %%
answer = {
    "frozen": None,  # "A", "B", "C"
    "number": None,  # "A", "B", "C"
    "twice": None,  # "A", "B", "C"
}

check("elmo.which_setup", answer)

# %% [markdown]
# ## 10. Two perplexities: what may be printed?
#
# *claim · difficulty 3 of 5 · about 5 minutes · comes back in chapter 08*

# %%
ask("elmo.which_perplexity")

# %%
answer = {
    "per_word": None,  # "A", "B", "C"
    "sentence": None,  # "A", "B", "C"
    "settles": None,  # "A", "B", "C"
}

check("elmo.which_perplexity", answer)

# %% [markdown]
# ## 11. From the chapters before
#
# *predict · difficulty 2 of 5 · about 4 minutes · comes back in chapter 07*

# %%
ask("elmo.again")

# %%
answer = {
    "mask": None,  # "A", "B", "C"
    "divisor": None,  # "A", "B", "C"
    "row": None,  # "A", "B", "C"
    "loss": None,  # "A", "B", "C"
}

check("elmo.again", answer)

# %% [markdown]
# ## 12. Fill two gaps in the character CNN
#
# *complete · difficulty 3 of 5 · about 8 minutes · comes back in chapter 09*
#
# Filters slide over the letters of words, and of each filter the best match is kept, at least 0. `letters` are
# vectors, (n, c, d), zeros behind each word; `lengths` counts the letters of each; `filters` is (k, width, d) and
# `bias` (k). A filter may hang over the end of a word, but no match starts behind it. Fill the two gaps.

# %%
from torch.nn.functional import pad


def best_matches(letters: Tensor, filters: Tensor, bias: Tensor, lengths: Tensor) -> Tensor:
    """The best match of each filter in each word, at least 0, (n, k); none starts in the padding."""
    width = filters.shape[1]
    windows = pad(letters, (0, 0, 0, width - 1)).unfold(1, width, 1)  # (n, c, d, width)
    matches = torch.einsum("ncdw,kwd->nck", windows, filters) + bias
    place = torch.arange(letters.shape[1])[None, :, None]
    matches = matches.masked_fill(..., float("-inf"))
    return ...


check("elmo.best_matches", best_matches)

# %% [markdown]
# ## 13. One vector of several layers
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 09*
#
# `layers` are the layers of a language model, (layers, …, d), the token layer first. Return γ times their sum, each
# weighed by its share; the shares are the softmax of `weights`, one number per layer. `gamma` is one number.


# %%
def scalar_mix(layers: Tensor, weights: Tensor, gamma: Tensor) -> Tensor:
    """γ times the layers weighed by softmax(weights); (layers, …, d) → (…, d)."""
    return ...


check("elmo.scalar_mix", scalar_mix)

# %% [markdown]
# ## 14. Join what two readers know
#
# *write · difficulty 3 of 5 · about 12 minutes · comes back in chapter 09*
#
# `left` holds the states of the reader from the left, (b, t, d), word by word. `right` holds those of the reader from
# the right **in the order of its reading**: row 0 belongs to the last word of its sentence. Behind a sentence of
# `lengths` words both hold numbers that mean nothing. Return (b, t, 2 d): for each word its state from the left, then
# the one from the right, and 0 behind the sentence.


# %%
def both_ways(left: Tensor, right: Tensor, lengths: Tensor) -> Tensor:
    """(b, t, 2 d): for each word its state from the left, then its state from the right; 0 in the padding."""
    return ...


check("elmo.both_ways", both_ways)

# %% [markdown]
# ## 15. ★ Who has read what?
#
# *write · difficulty 4 of 5 · about 12 minutes · comes back in chapter 08*
#
# Write the test that finds every leak. `states` turns words, (t, d), into states, (t, e). Return a table of truth
# values, (t, t): True at [i, j] where state i moves when word j is changed. The words themselves must stay as they
# are.

# %%
from collections.abc import Callable


def reach(states: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """(t, t), True at [i, j] where state i has read word j: where it moves when word j is another one."""
    return ...


check("elmo.reach", reach)

# %% [markdown]
# ## How far you are

# %%
progress()
