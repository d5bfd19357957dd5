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
# # Exercises: OpenAI GPT
#
# Work on a copy: `python -m qkv start 08` makes one in the folder `workbook`, and nothing ever overwrites it.
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
# The running example as a row of our GPT's tokens, with the three new ones around it, and two losses mixed.

# %%
from qkv.text.bpe import BPE
from qkv.transfer.inputs import SpecialIds, entailment

tokens = BPE.from_pretrained("gpt")
special = SpecialIds(len(tokens), len(tokens) + 1, len(tokens) + 2)
premise, hypothesis = (tokens.encode(f" {text}") for text in (toy.SENTENCE, "A cat was hungry."))
print("⟨s⟩, $, ⟨e⟩:", special.start, special.delimiter, special.extract)
print(torch.tensor(entailment(premise, hypothesis, special)))
print(f"label {math.log(2):.2f} + 1/2 · tokens {math.log(len(tokens)):.2f}, both guessed evenly")

# %% [markdown]
# ## 1. Which slot answers?
#
# *predict · difficulty 1 of 5 · about 2 minutes · comes back in chapter 10*

# %%
ask("gpt.predict_the_state")

# %%
answer = {
    "answers": None,  # "A", "B", "C"
    "delimiter": None,  # "A", "B", "C"
    "position": None,  # "A", "B", "C"
}

check("gpt.predict_the_state", answer)

# %% [markdown]
# ## 2. From two texts to scores
#
# *Parsons · difficulty 2 of 5 · about 4 minutes · comes back in chapter 10*

# %%
ask("gpt.order_the_row")

# %%
order = None  # letters, for example "HGFE"

check("gpt.order_the_row", order)

# %% [markdown]
# ## 3. A pair without an order
#
# *write · difficulty 2 of 5 · about 6 minutes · comes back in chapter 10*
#
# Write the two rows by which GPT compares two texts: first with `first` before the delimiter, then with `second`
# before it. Each begins with `start` and ends with `extract`. Return both rows, in this order.


# %%
def similarity_inputs(first: list[int], second: list[int], start: int, delimiter: int, extract: int) -> list[list[int]]:
    """Both orders: start first delimiter second extract, and start second delimiter first extract."""
    return ...


check("gpt.similarity_inputs", similarity_inputs)

# %% [markdown]
# ## 4. One of four
#
# *complete · difficulty 2 of 5 · about 5 minutes · comes back in chapter 10*
#
# `scores` holds a row for each example: one score for each of its candidates. Fill the gaps: the chances of the
# candidates. Scores may be large.


# %%
def candidate_chances(scores: list[list[float]]) -> list[list[float]]:
    """Chances of the candidates of each example: each row adds up to 1."""
    chances = []
    for row in scores:
        top = ...
        powers = [math.exp(...) for score in row]
        chances.append([power / ... for power in powers])
    return chances


check("gpt.candidate_chances", candidate_chances)

# %% [markdown]
# ## 5. Change the odds
#
# *write · difficulty 3 of 5 · about 12 minutes · comes back in chapter 09*
#
# `chances` are ordered, the best first. Apply three steps: the temperature (each chance to the power 1/T, then shared
# out anew), then keep the best `top_k` and share out anew, then keep the fewest best ones that reach `top_p` together
# (at least one). Return the odds, which add up to 1, and 0 for what was cut.


# %%
def odds(chances: list[float], temperature: float, top_k: int, top_p: float) -> list[float]:
    """Odds after temperature, then the best k, then the fewest best ones that reach p; ordered, adding up to 1."""
    return ...


check("gpt.odds", odds)

# %% [markdown]
# ## 6. Which guesses count?
#
# *write · difficulty 2 of 5 · about 7 minutes · comes back in chapter 09*
#
# `ids` is one padded row: ⟨s⟩ … ⟨e⟩ and then padding of any id. List every guess that L1 counts, as `[place, token]`:
# the place whose state guesses, and the token it must say. The delimiter and ⟨e⟩ are guessed as well, padding is not.
#
# For `90 5 92 0` with extract token 92 that is `[[0, 5], [1, 92]]`.


# %%
def guesses(ids: list[int], extract_id: int) -> list[list[int]]:
    """[place, token to say] for every guess of a padded row, up to and with the extract token."""
    return ...


check("gpt.guesses", guesses)

# %% [markdown]
# ## 7. The token after next
#
# *debug · difficulty 3 of 5 · about 6 minutes · comes back in chapter 10*

# %%
ask("gpt.which_shift")

# %%
answer = {
    "line": None,  # "1", "2", "3"
    "asks": None,  # "A", "B", "C"
    "shows": None,  # "A", "B", "C"
    "fix": None,  # "A", "B", "C"
}

check("gpt.which_shift", answer)

# %% [markdown]
# ## 8. Label and tokens
#
# *complete · difficulty 2 of 5 · about 5 minutes · comes back in chapter 10*
#
# `label_losses` has the label's loss of each row, `token_losses` the losses of each row's tokens. Fill the gaps: L2 +
# λ · L1. Each row has its own mean, and rows are averaged.


# %%
def joint_loss(label_losses: list[float], token_losses: list[list[float]], lm_weight: float) -> float:
    """L2 + λ · L1: the mean of the labels' losses, and λ times the mean of the rows' means."""
    of_labels = sum(label_losses) / ...
    of_rows = [... for row in token_losses]
    return ...


check("gpt.joint_loss", joint_loss)

# %% [markdown]
# ## 9. Who looks ahead?
#
# *debug · difficulty 2 of 5 · about 5 minutes · comes back in chapter 09*

# %%
ask("gpt.who_looks_ahead")

# %%
answer = {
    "P": None,  # "A", "B", "C"
    "Q": None,  # "A", "B", "C"
    "R": None,  # "A", "B"
    "loss": None,  # "A", "B"
}

check("gpt.who_looks_ahead", answer)

# %% [markdown]
# ## 10. One text, two scores
#
# *debug · difficulty 3 of 5 · about 7 minutes · comes back in chapter 10*

# %%
ask("gpt.two_scores")

# %%
answer = {
    "line": None,  # "1", "2", "3", "4"
    "input": None,  # "A", "B", "C"
    "missed": None,  # "A", "B", "C"
    "fix": None,  # "A", "B", "C"
}

check("gpt.two_scores", answer)

# %% [markdown]
# ## 11. Who decays?
#
# *write · difficulty 2 of 5 · about 5 minutes · comes back in chapter 09*
#
# The published GPT is trained with weight decay on all weights but biases and gains (§4.1). `names` are those of a
# model's parameters; a name with `norm` in it belongs to a LayerNorm, whose `weight` is its gain. Return 1 for each
# that decays and 0 for each that does not. Embeddings decay too.


# %%
def decays(names: list[str]) -> list[int]:
    """1 for each weight that decays, 0 for biases and for the gains of norms."""
    return ...


check("gpt.decays", decays)

# %% [markdown]
# ## 12. With and without the second loss
#
# *claim · difficulty 3 of 5 · about 5 minutes · comes back in chapter 10*

# %%
ask("gpt.which_sentence")

# %%
answer = {
    "paper": None,  # "A", "B", "C"
    "seeds": None,  # "A", "B", "C"
    "other": None,  # "A", "B"
}

check("gpt.which_sentence", answer)

# %% [markdown]
# ## 13. From the chapters before
#
# *predict · difficulty 2 of 5 · about 4 minutes · comes back in chapter 10*

# %%
ask("gpt.again")

# %%
answer = {
    "scale": None,  # "A", "B"
    "positions": None,  # "A", "B"
    "norm": None,  # "A", "B"
    "elmo": None,  # "A", "B"
    "ulmfit": None,  # "A", "B"
}

check("gpt.again", answer)

# %% [markdown]
# ## 14. ★ Room for two
#
# *write · difficulty 4 of 5 · about 10 minutes · comes back in chapter 10*
#
# Two texts of `first` and `second` tokens must fit into `room`. Each may keep half (rounded down), and what one does
# not need of its half the other may use. Return how many tokens each keeps. A swap of the texts must swap the two
# numbers: two long texts in an odd room leave one place empty.
#
# Lengths 3 and 9 in a room of 8 give 3 and 5; 9 and 9 in a room of 7 give 3 and 3.


# %%
def shares(first: int, second: int, room: int) -> list[int]:
    """How many tokens each of two texts keeps: half of the room, and what the other leaves of its half."""
    return ...


check("gpt.shares", shares)

# %% [markdown]
# ## 15. Where does the extract token stand?
#
# *write · difficulty 3 of 5 · about 8 minutes · comes back in chapter 10*
#
# `ids` (b, t) are padded rows; each holds `extract_id` once. Return its place in each row, a tensor of shape (b). A
# row without it is a `ValueError` whose message holds the row's number. Padding may have any id, and a text may hold
# 0.


# %%
def extract_position(ids: Tensor, extract_id: int) -> Tensor:
    """The place of the extract token in each row, (b); a row without it is a ValueError that names the row."""
    return ...


check("gpt.extract_position", extract_position)

# %% [markdown]
# ## 16. Fair to both orders
#
# *complete · difficulty 2 of 5 · about 5 minutes · comes back in chapter 10*
#
# `first` and `second` (b, d) are the extract tokens' states of both orders. Fill the gaps: the scores (b, c) of a
# pair, with `weight` (c, d) as `nn.Linear` keeps it and one `bias` (c).


# %%
def pair_scores(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """(first + second) Wᵀ + bias: states of both orders (b, d), weight (c, d), bias (c)."""
    both = ...
    return both @ ... + ...


check("gpt.pair_scores", pair_scores)

# %% [markdown]
# ## 17. The block as published
#
# *complete · difficulty 3 of 5 · about 10 minutes · comes back in chapter 10*
#
# Fill the gaps: one block of the published GPT. Attention is given as its `weights` (t, t), so `weights @ x` is what
# each token gathers. `inner` (d, d_ff) and `outer` (d_ff, d) are the two matrices, GELU is in its tanh form, and the
# norms have no factors of their own (ε `1e-5`).

# %%
from torch.nn.functional import gelu, layer_norm


def decoder_block(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    """LN(n + GELU(n inner) outer) with n = LN(x + weights x); x (t, d), weights (t, t), inner (d, d_ff), outer back."""
    n = layer_norm(..., x.shape[-1:])
    return layer_norm(... + gelu(...) @ outer, x.shape[-1:])


check("gpt.decoder_block", decoder_block)

# %% [markdown]
# ## 18. Three new tokens
#
# *complete · difficulty 2 of 5 · about 6 minutes · comes back in chapter 09*
#
# GPT scores tokens with the table that embeds them. Fill the gaps: scores (…, v + n) of states `hidden` (…, d) for
# the v tokens of `table` (v, d) and n new ones, whose rows are `new` (n, d) and whose ids come last. Both tables must
# go on learning.


# %%
def grown_scores(hidden: Tensor, table: Tensor, new: Tensor) -> Tensor:
    """Scores of all tokens, the new ones last: hidden (…, d) against table (v, d) and new (n, d)."""
    rows = torch.cat(...)
    return hidden @ ...


check("gpt.grown_scores", grown_scores)

# %% [markdown]
# ## How far you are

# %%
progress()
