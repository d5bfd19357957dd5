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
# # Exercises: The Transformer
#
# Work on a copy: `python -m qkv start 05` makes one in the folder `workbook`, and nothing ever overwrites it.
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
# A word as the pronouncer sees it, in ids; and the toy's words as a decoder would read and say them.

# %%
from qkv.text.sounds import letter_ids, sound_ids

print("reads", letter_ids("phone"), "  says", sound_ids(["F", "OW", "N"]))
for read, say in zip(["start", *toy.WORDS], [*toy.WORDS, "end"], strict=True):
    print(f"reads {read:5}  must say {say}")
print(f"an even guess among 69 symbols costs ln 69 = {math.log(69):.3f}")

# %% [markdown]
# ## 1. What is read, what is said
#
# *predict · difficulty 1 of 5 · about 2 minutes · comes back in chapter 08*

# %%
ask("transformer.predict_the_shift")

# %%
answer = {
    "reads": None,  # "A", "B", "C"
    "says": None,  # "A", "B", "C"
    "unshifted": None,  # "A", "B", "C"
}

check("transformer.predict_the_shift", answer)

# %% [markdown]
# ## 2. Order an encoder with one block
#
# *Parsons · difficulty 1 of 5 · about 4 minutes · comes back in chapter 08*

# %%
ask("transformer.order_the_block")

# %%
order = None  # letters, for example "FEDC"

check("transformer.order_the_block", order)

# %% [markdown]
# ## 3. Two cuts of one word
#
# *complete · difficulty 1 of 5 · about 5 minutes · comes back in chapter 08*
#
# Fill the two gaps: from the sounds of one word, as ids, make what the decoder reads and what it must say. For the
# sounds `[7, 4, 9]` with start 1 and end 2 it reads `[1, 7, 4, 9]` and must say `[7, 4, 9, 2]`. Leave the list
# `sounds` as it is.


# %%
def reads_and_says(sounds: list[int], start: int, end: int) -> list[list[int]]:
    """What the decoder reads and what it must say there, as two lists of one length."""
    reads = ...
    says = ...
    return [reads, says]


check("transformer.reads_and_says", reads_and_says)

# %% [markdown]
# ## 4. Shift a batch to the right
#
# *write · difficulty 2 of 5 · about 5 minutes · comes back in chapter 08*
#
# The same shift for a whole batch: `ids` (b, t) holds what must be said, padding included. Return what the decoder
# reads, again (b, t): `start_id` first, then all ids one place later, the last one dropped. Leave `ids` as it is.
#
# For `[[7, 4, 9, 2]]` and start 1 return `[[1, 7, 4, 9]]`.


# %%
def shift_right(ids: Tensor, start_id: int) -> Tensor:
    """ids (b, t) one place late: start_id first, the last id dropped."""
    return ...


check("transformer.shift_right", shift_right)

# %% [markdown]
# ## 5. Two masks in one
#
# *complete · difficulty 2 of 5 · about 6 minutes · comes back in chapter 08*
#
# Fill the two gaps. `ids` (b, t) is a batch of words, filled up with `pad_id`. Say for each word which places may be
# read from which: itself and what came before, and no padding. True means *may attend*; rows ask, columns are read;
# the result is (b, t, t).


# %%
def decoder_mask(ids: Tensor, pad_id: int) -> Tensor:
    """What each place of ids (b, t) may read, (b, t, t): itself and what came before it, and no padding."""
    causal = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).tril()
    real = ...
    return ...


check("transformer.decoder_mask", decoder_mask)

# %% [markdown]
# ## 6. LayerNorm
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 06*
#
# Write LayerNorm without `nn.LayerNorm`. Each word of x (b, t, d) gets mean 0 and spread 1 from its own d numbers:
# subtract their mean, divide by the root of (their variance plus `eps`). The variance is the mean of the squares.
# Then multiply by `gain` (d) and add `bias` (d).
#
# The word (1, 1, 5, 5) becomes (−1, −1, 1, 1) with gain 1 and bias 0.


# %%
def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Each word of x (b, t, d) with mean 0 and spread 1, times gain (d), plus bias (d)."""
    return ...


check("transformer.layer_norm", layer_norm)

# %% [markdown]
# ## 7. A pre-LN block
#
# *write · difficulty 3 of 5 · about 8 minutes · comes back in chapter 08*
#
# Write one pre-LN block. `attend`, `feed`, `first` and `second` are functions from (b, t, d) to (b, t, d): the
# attention, the feed-forward network, and the norm that belongs to each. Each layer reads a normed copy, and what it
# finds is added to the word.

# %%
from collections.abc import Callable


def pre_norm_block(
    x: Tensor,
    attend: Callable[[Tensor], Tensor],
    feed: Callable[[Tensor], Tensor],
    first: Callable[[Tensor], Tensor],
    second: Callable[[Tensor], Tensor],
) -> Tensor:
    """Two layers with their detours: attend reads first(x), feed reads second(…); both add to the word."""
    return ...


check("transformer.pre_norm_block", pre_norm_block)

# %% [markdown]
# ## 8. Famous code: which encoder grows?
#
# *debug · difficulty 3 of 5 · about 8 minutes · comes back in chapter 08*

# %%
ask("transformer.which_encoder")

# %%
answer = {
    "grows": None,  # "A", "B", "C"
    "closed": None,  # "A", "B", "C"
    "evidence": None,  # "A", "B", "C", "D"
    "fix": None,  # "A", "B", "C", "D"
}

check("transformer.which_encoder", answer)

# %% [markdown]
# ## 9. From all chapters before
#
# *predict · difficulty 2 of 5 · about 5 minutes · comes back in chapter 08*

# %%
ask("transformer.again")

# %%
answer = {
    "embedding": None,  # "A", "B", "C"
    "divisor": None,  # "A", "B", "C"
    "mask": None,  # "A", "B", "C"
    "guess": None,  # "A", "B", "C"
}

check("transformer.again", answer)

# %% [markdown]
# ## 10. Label smoothing by hand
#
# *write · difficulty 3 of 5 · about 12 minutes · comes back in chapter 08*
#
# For each place of a word, `log_probabilities` holds one row with the logarithms of the model's probabilities, one
# for each of V symbols, and `labels` the id that is right. The target gives ε / V to every symbol, padding included,
# and 1 − ε on top to the right one; a place's loss is −Σ target · log probability. Return the mean over the places
# whose label is not `pad_id`.
#
# One place with the probabilities `.7, .1, .1, .1`, the first one right and ε = `.1` costs `.503`: the target is
# `.925, .025, .025, .025`.


# %%
def smoothed_loss(log_probabilities: list[list[float]], labels: list[int], epsilon: float, pad_id: int) -> float:
    """The mean smoothed loss over the places that are no padding."""
    return ...


check("transformer.smoothed_loss", smoothed_loss)

# %% [markdown]
# ## 11. Warm-up, step by step
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 08*
#
# The paper's learning rate (Vaswani et al. 2017, equation 3) is `d_model^(−.5) · min(step^(−.5), step ·
# warmup^(−1.5))`. Write it with plain Python. Steps count from 1: a step below 1 is a `ValueError` that names it.
#
# With d_model 64 and a warm-up of 4 steps, step 1 has the rate `.0156` and step 4 the peak, `.0625`.


# %%
def warmup_rate(step: int, d_model: int, warmup: int) -> float:
    """The learning rate of the paper's equation 3; step counts from 1."""
    return ...


check("transformer.warmup_rate", warmup_rate)

# %% [markdown]
# ## 12. The loss of a batch
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 08*
#
# `target` (b, t + 1) holds whole words, from the start symbol to the end symbol, filled up with `pad_id`. The decoder
# read `target[:, :-1]`, the plain cut of exercise 3, and gave `logits` (b, t, v), scores of what comes next. Return
# the mean cross-entropy over all real symbols that had to be said: one number.
#
# You may use `torch.nn.functional.cross_entropy`.


# %%
def sequence_loss(logits: Tensor, target: Tensor, pad_id: int) -> Tensor:
    """Mean loss per real symbol; logits (b, t, v) come from target[:, :-1], and target is (b, t + 1)."""
    return ...


check("transformer.sequence_loss", sequence_loss)

# %% [markdown]
# ## 13. The perplexity of uneven batches
#
# *write · difficulty 2 of 5 · about 6 minutes · comes back in chapter 08*
#
# A test set comes in batches; a batch is a list of words, a word a list with the loss −ln p of each of its tokens, in
# nats. Batches and words differ in length, and there is no padding. Return the perplexity per token of the whole set:
# e to the power of the mean loss.
#
# Two batches `[[ln 2, ln 2, ln 2]]` and `[[ln 32]]` have a perplexity of 4.


# %%
def perplexity(batches: list[list[list[float]]]) -> float:
    """e to the mean loss per token; batches hold words, words hold one loss (nats) for each token."""
    return ...


check("transformer.perplexity", perplexity)

# %% [markdown]
# ## 14. Cross-attention and its padding
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 08*
#
# Write the middle box of a decoder block, with one head and without projections. `query` (b, t, d) comes from the
# decoder; keys and values are the encoder's output `memory` (b, t_s, d), as it is. `source` (b, t_s) holds the ids
# that the encoder read: no row that belongs to `pad_id` may be read. Each word has at least one real id.
#
# The same word must get the same numbers, whoever stands beside it in the batch.


# %%
def cross_attention(query: Tensor, memory: Tensor, source: Tensor, pad_id: int) -> Tensor:
    """Each row of query (b, t, d) reads the rows of memory (b, t_s, d) whose source id is no padding."""
    return ...


check("transformer.cross_attention", cross_attention)

# %% [markdown]
# ## 15. Famous code: smoothing that spreads over padding
#
# *debug · difficulty 3 of 5 · about 8 minutes · comes back in chapter 09*

# %%
ask("transformer.which_loss")

# %%
answer = {
    "keeps": None,  # "A", "B", "C"
    "half": None,  # "A", "B", "C"
    "learns": None,  # "A", "B", "C"
    "shows": None,  # "A", "B", "C"
}

check("transformer.which_loss", answer)

# %% [markdown]
# ## 16. What does a model hold?
#
# *predict · difficulty 2 of 5 · about 5 minutes · comes back in chapter 06*

# %%
ask("transformer.what_is_held")

# %%
answer = {
    "tied": None,  # "A", "B", "C"
    "count": None,  # "A", "B", "C"
    "waves": None,  # "A", "B", "C"
    "decay": None,  # "A", "B", "C"
}

check("transformer.what_is_held", answer)

# %% [markdown]
# ## 17. Four slips in a training script
#
# *predict · difficulty 3 of 5 · about 8 minutes · comes back in chapter 07*

# %%
ask("transformer.four_slips")

# %%
answer = {
    "new rows": None,  # "A", "B", "C"
    "clip": None,  # "A", "B", "C"
    "rate": None,  # "A", "B", "C"
    "measure": None,  # "A", "B", "C"
}

check("transformer.four_slips", answer)

# %% [markdown]
# ## 18. Label smoothing: what may be printed?
#
# *claim · difficulty 3 of 5 · about 8 minutes · comes back in chapter 07*

# %%
ask("transformer.which_sentence")

# %%
answer = {
    "loss": None,  # "A", "B", "C"
    "words": None,  # "A", "B", "C"
    "both": None,  # "A", "B", "C"
    "next": None,  # "A", "B", "C"
}

check("transformer.which_sentence", answer)

# %% [markdown]
# ## 19. Word and sound errors by hand
#
# *predict · difficulty 2 of 5 · about 6 minutes · comes back in chapter 06*

# %%
ask("transformer.score_by_hand")

# %%
answer = {
    "night": None,  # "A", "B", "C"
    "words": None,  # "A", "B", "C"
    "sounds": None,  # "A", "B", "C", "D"
    "batches": None,  # "A", "B", "C"
}

check("transformer.score_by_hand", answer)

# %% [markdown]
# ## 20. Longer or shorter?
#
# *predict · difficulty 2 of 5 · about 5 minutes · comes back in chapter 08*

# %%
ask("transformer.longer_or_shorter")

# %%
answer = {
    "alpha 0": None,  # "A", "B", "C"
    "long": None,  # "A", "B", "C", "D"
    "alpha 1": None,  # "A", "B"
    "why": None,  # "A", "B", "C"
}

check("transformer.longer_or_shorter", answer)

# %% [markdown]
# ## 21. One step of beam search
#
# *write · difficulty 3 of 5 · about 15 minutes · comes back in chapter 08*
#
# Write one step of beam search in plain Python. `totals` holds the log probability of each open hypothesis,
# `log_probabilities` a row for each of them: the log probability of every symbol that may come next. An extension is
# a row `[total, parent, symbol]`, with the number of its hypothesis as parent.
#
# Return one list. First come the extensions by the symbol `end` that are among the `beam_size` best of all: they are
# finished, and leave the beam. Then come the `beam_size` best extensions that go on. Both parts begin with their
# best.
#
# With totals ln `.6` and ln `.4`, the probabilities `.1, .5, .4` and `.7, .2, .1`, beam 2 and end 0 the best are
# `.30, .28, .24, .08` …: return `[ln .28, 1, 0]`, `[ln .30, 0, 1]`, `[ln .24, 0, 2]`.


# %%
def beam_step(
    totals: list[float], log_probabilities: list[list[float]], beam_size: int, end: int
) -> list[list[float | int]]:
    """Rows [total, parent, symbol], best first: those that end, then those that go on."""
    return ...


check("transformer.beam_step", beam_step)

# %% [markdown]
# ## 22. Why does the cached decoder differ?
#
# *debug · difficulty 4 of 5 · about 10 minutes · comes back in chapter 08*

# %%
ask("transformer.which_cache")

# %%
answer = {
    "equal": None,  # "A", "B", "C"
    "version B": None,  # "A", "B", "C"
    "version C": None,  # "A", "B", "C"
    "test": None,  # "A", "B", "C", "D"
}

check("transformer.which_cache", answer)

# %% [markdown]
# ## 23. Attention with a cache
#
# *write · difficulty 4 of 5 · about 12 minutes · comes back in chapter 08*
#
# A decoder has kept the keys and values of m words, `kept_key` and `kept_value` (b, h, m, d). Now n new words arrive,
# with `query`, `key` and `value` (b, h, n, d). Return what the new words read, (b, h, n, d): each may read all that
# is kept, the new words before it, and itself. m may be 0 and n may be 1.
#
# It must equal the last n rows of causal attention over all m + n words.


# %%
def cached_attention(query: Tensor, key: Tensor, value: Tensor, kept_key: Tensor, kept_value: Tensor) -> Tensor:
    """Causal attention of n new words (b, h, n, d), behind m words whose keys and values are kept, (b, h, m, d)."""
    return ...


check("transformer.cached_attention", cached_attention)

# %% [markdown]
# ## 24. ★ A whole beam search
#
# *write · difficulty 5 of 5 · about 20 minutes · comes back in chapter 08*
#
# Build a whole search out of your step. `table[a][b]` is the log probability of symbol b after symbol a: the model
# looks at the last symbol only. Begin with `[start]` and a total of 0. At each step an extension by `end` that is
# among the `beam_size` best is finished; the `beam_size` best others go on. At step number `max_length`, the last
# one, every open hypothesis may end, whatever its rank.
#
# Return the best finished hypothesis as one list, `[total, start, …, end]`. There is no length penalty. With a beam
# as wide as all that is open, the search must find what trying every sequence finds.


# %%
def beam_search(table: list[list[float]], beam_size: int, start: int, end: int, max_length: int) -> list[float | int]:
    """[total, start, …, end]: the best finished hypothesis with at most max_length symbols after the start."""
    return ...


check("transformer.beam_search", beam_search)

# %% [markdown]
# ## How far you are

# %%
progress()
