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
# # Exercises: BERT
#
# Work on a copy: `python -m qkv start 09` makes one in the folder `workbook`, and nothing ever overwrites it.
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
# The running example in MiniLM's pieces, the numbers of the marks, and what a blind guess costs.

# %%
from qkv.text.wordpiece import SPECIAL, WordPiece

pieces = WordPiece.from_pretrained("minilm")
print(*pieces.tokens(toy.SENTENCE))
print({token: pieces.ids[token] for token in SPECIAL})
print(f"a blind guess among {len(pieces)} pieces costs ln {len(pieces)} = {math.log(len(pieces)):.2f}")

# %% [markdown]
# ## 1. Two words, cut
#
# *predict · difficulty 1 of 5 · about 2 minutes · comes back in chapter 10*

# %%
ask("bert.predict_the_pieces")

# %%
answer = {
    "replayed": None,  # "A", "B", "C"
    "playing": None,  # "A", "B", "C"
}

check("bert.predict_the_pieces", answer)

# %% [markdown]
# ## 2. From a text to a question
#
# *Parsons · difficulty 2 of 5 · about 5 minutes · comes back in chapter 10*

# %%
ask("bert.order_the_batch")

# %%
order = None  # letters, for example "IHGF"

check("bert.order_the_batch", order)

# %% [markdown]
# ## 3. Cut a word
#
# *write · difficulty 3 of 5 · about 15 minutes · comes back in chapter 10*
#
# Cut one word as WordPiece does and return the ids of its pieces: the longest piece that begins the word, then the
# longest that goes on, written with `##`. A word with a place that no piece fills, or with more than 100 characters,
# gives `[vocabulary["[UNK]"]]`. The vocabulary may hold a `#`.


# %%
def wordpiece_encode(word: str, vocabulary: dict[str, int]) -> list[int]:
    """Ids of the longest pieces from left to right, or the id of [UNK] for the whole word."""
    return ...


check("bert.wordpiece_encode", wordpiece_encode)

# %% [markdown]
# ## 4. Fill the gaps in a score
#
# *complete · difficulty 2 of 5 · about 6 minutes · comes back in chapter 10*
#
# `words` are words in pieces, and `times` says how often each was read. Fill the gaps: the score of a pair is how
# often it stands in the text, divided by the product of how often its two parts do. In the lesson's five words *j
# ##u* scores 1/3 and *##e ##d* 1/10.

# %%
from itertools import pairwise


def pair_score(words: list[list[str]], times: list[int], left: str, right: str) -> float:
    """f_ab / (f_a · f_b): how often the pair stands in the text, over how often its parts do."""
    together = lefts = rights = 0
    for word, n in zip(words, times, strict=True):
        together += n * list(pairwise(word)).count((left, right))
        lefts += ...
        rights += ...
    return ...


check("bert.pair_score", pair_score)

# %% [markdown]
# ## 5. Merge a pair
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 10*
#
# `ids` is a row of pieces. Replace `left` followed by `right` by the one piece `new`, wherever the two stand, from
# left to right. Each piece is used once, and what was merged is not merged again. Return a new list.


# %%
def merge(ids: list[int], left: int, right: int, new: int) -> list[int]:
    """The ids with each left, right replaced by new, from left to right."""
    return ...


check("bert.merge", merge)

# %% [markdown]
# ## 6. The word that never ends
#
# *debug · difficulty 3 of 5 · about 8 minutes · comes back in chapter 10*

# %%
ask("bert.which_loop")

# %%
answer = {
    "version": None,  # "A", "B"
    "line": None,  # "3", "4", "7"
    "input": None,  # "A", "B", "C"
    "fix": None,  # "A", "B", "C"
}

check("bert.which_loop", answer)

# %% [markdown]
# ## 7. Four tallies
#
# *debug · difficulty 3 of 5 · about 6 minutes · comes back in chapter 10*

# %%
ask("bert.which_tally")

# %%
answer = {
    "Q": None,  # "A", "B", "C"
    "R": None,  # "A", "B", "C"
    "S": None,  # "A", "B", "C"
}

check("bert.which_tally", answer)

# %% [markdown]
# ## 8. What becomes of each token
#
# *write · difficulty 3 of 5 · about 12 minutes · comes back in chapter 10*
#
# All draws are made already, one per token: a token is chosen if its `choice` is below `0.15` and it is not special.
# Of the chosen ones, a `fate` below `0.8` makes it `mask_id`, below `0.9` the token in `drawn`, else it stays. Return
# two lists: what the model reads, and the labels, −100 where nothing is asked.


# %%
def make_gaps(
    ids: list[int],
    choice: list[float],
    fate: list[float],
    drawn: list[int],
    special: list[bool],
    mask_id: int,
) -> list[list[int]]:
    """What the model reads, and the labels: the id where a token was chosen, else -100."""
    return ...


check("bert.make_gaps", make_gaps)

# %% [markdown]
# ## 9. Which text is it?
#
# *write · difficulty 2 of 5 · about 6 minutes · comes back in chapter 10*
#
# Number the segments of [CLS] A [SEP] B [SEP] [PAD] …: 0 for A, 1 for B. A [SEP] belongs to the text that it ends,
# [CLS] to A, and padding has 0. There may be no B, and no padding.


# %%
def segment_ids(ids: list[int], sep_id: int, pad_id: int) -> list[int]:
    """0 up to and with the first [SEP], 1 up to and with the second, 0 for padding."""
    return ...


check("bert.segment_ids", segment_ids)

# %% [markdown]
# ## 10. Does B follow A?
#
# *debug · difficulty 3 of 5 · about 6 minutes · comes back in chapter 10*

# %%
ask("bert.next_or_not")

# %%
answer = {
    "right": None,  # "A", "B", "C"
    "shows": None,  # "A", "B", "C"
    "later": None,  # "A", "B", "C"
}

check("bert.next_or_not", answer)

# %% [markdown]
# ## 11. Nothing unknown: what may be printed?
#
# *claim · difficulty 3 of 5 · about 5 minutes · comes back in chapter 10*

# %%
ask("bert.which_sentence")

# %%
answer = {
    "books": None,  # "A", "B", "C"
    "tweets": None,  # "A", "B", "C"
}

check("bert.which_sentence", answer)

# %% [markdown]
# ## 12. From the chapters before
#
# *predict · difficulty 2 of 5 · about 4 minutes · comes back in chapter 10*

# %%
ask("bert.again")

# %%
answer = {
    "labels": None,  # "A", "B"
    "mask": None,  # "A", "B"
    "gaps": None,  # "A", "B"
    "use": None,  # "A", "B"
}

check("bert.again", answer)

# %% [markdown]
# ## 13. ★ Whole words
#
# *write · difficulty 4 of 5 · about 10 minutes · comes back in chapter 10*
#
# Choose whole words: all pieces of a word are chosen if the draw of its *first* piece is below `0.15`. `goes_on` is
# True for a piece with ##. A row may have been cut inside a word: then its first piece begins what is left of it.


# %%
def choose_words(goes_on: list[bool], draws: list[float]) -> list[bool]:
    """Whether each piece is chosen: all pieces of a word as the draw of its first one says."""
    return ...


check("bert.choose_words", choose_words)

# %% [markdown]
# ## 14. Hide tokens as BERT does
#
# *write · difficulty 4 of 5 · about 15 minutes · comes back in chapter 10*
#
# Write BERT's masking for `ids` (b, t). `special_mask` is True where nothing may be asked. Choose `15 %` of the rest;
# of these `80 %` become `mask_id`, `10 %` a token drawn from `vocab_size`, `10 %` stay. Return the masked ids and the
# labels, −100 where nothing is asked. Draw from `generator` alone, and leave `ids` as they are.
#
# The check calls it twice on half a million tokens and counts.


# %%
def mask_tokens(
    ids: Tensor, special_mask: Tensor, mask_id: int, vocab_size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Masked ids, and labels: the token that stood there where it was chosen, else -100."""
    return ...


check("bert.mask_tokens", mask_tokens)

# %% [markdown]
# ## 15. The loss at the gaps
#
# *complete · difficulty 3 of 5 · about 6 minutes · comes back in chapter 10*
#
# `scores` has a row of v scores for each place, (b, t, v), and `labels` (b, t) the id that stood there, or −100 where
# nothing is asked. Fill the gaps: the mean cross-entropy in nats over the places that are asked for. 0 is a piece
# like any other.

# %%
from torch.nn.functional import cross_entropy


def masked_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over the places whose label is not -100; scores (b, t, v), labels (b, t)."""
    asked = ...
    return cross_entropy(..., ...)


check("bert.masked_loss", masked_loss)

# %% [markdown]
# ## 16. Name the hidden piece
#
# *complete · difficulty 3 of 5 · about 10 minutes · comes back in chapter 10*
#
# Fill the gaps. The head of a masked language model: a linear layer (`weight` (d, d) as `nn.Linear` keeps it, and
# `offset`), GELU in its exact form, a LayerNorm without factors of its own (ε `1e-5`), and then the dot product with
# the vector of every token, `tokens` (v, d), plus a `bias` for each. `hidden` is (…, d); the result (…, v).

# %%
from torch.nn.functional import gelu, layer_norm


def piece_scores(hidden: Tensor, weight: Tensor, offset: Tensor, tokens: Tensor, bias: Tensor) -> Tensor:
    """LayerNorm(GELU(hidden Wᵀ + offset)) against every token vector, plus a bias; (…, v)."""
    x = gelu(...)
    x = layer_norm(x, ...)
    return ...


check("bert.piece_scores", piece_scores)

# %% [markdown]
# ## 17. Nearly all words right
#
# *predict · difficulty 2 of 5 · about 4 minutes · comes back in chapter 10*

# %%
ask("bert.predict_the_names")

# %%
answer = {
    "f1": None,  # "A", "B", "C"
    "empty": None,  # "A", "B", "C"
}

check("bert.predict_the_names", answer)

# %% [markdown]
# ## 18. Whose label is it?
#
# *write · difficulty 2 of 5 · about 8 minutes · comes back in chapter 10*
#
# A row reads [CLS] pieces [SEP]. `num_pieces` says how many pieces each word has, `tags` which tag. Return one label
# for each place of the row: a word's tag at its first piece, −100 everywhere else. Tag 0 is a tag like any other.


# %%
def piece_labels(num_pieces: list[int], tags: list[int]) -> list[int]:
    """One label for each place of [CLS] pieces [SEP]: a word's tag at its first piece, else -100."""
    return ...


check("bert.piece_labels", piece_labels)

# %% [markdown]
# ## 19. The best pair of ends
#
# *write · difficulty 3 of 5 · about 10 minutes · comes back in chapter 10*
#
# `first` and `last` hold a score for each place of [CLS] question [SEP] passage [SEP]; `may_answer` is True in the
# passage. Return [i, j], the first and the last place of the span with the highest first[i] + last[j]: both may
# answer, j is not before i, and the span has at most `longest` places. The first probe is the row of the lesson.


# %%
def best_answer(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
    """First and last place of the best span: both may answer, first <= last, at most `longest` places."""
    return ...


check("bert.best_answer", best_answer)

# %% [markdown]
# ## 20. Which weights decay
#
# *write · difficulty 3 of 5 · about 8 minutes · comes back in chapter 10*
#
# BERT was fine-tuned with weight decay on everything but biases and norms. Return 1 for each name that decays and 0
# for each that does not. Names come from several libraries: a norm is called `LayerNorm`, `attention_norm` or
# `norm1`; its gain `weight` or `gamma`, its offset `bias` or `beta`. Token tables decay.


# %%
def decaying(names: list[str]) -> list[int]:
    """1 for each weight that decays; 0 for biases, and for the gains and offsets of norms."""
    return ...


check("bert.decaying", decaying)

# %% [markdown]
# ## 21. Four runs, one bug each
#
# *debug · difficulty 4 of 5 · about 8 minutes · comes back in chapter 10*

# %%
ask("bert.which_run")

# %%
answer = {
    "Q": None,  # "A", "B", "C"
    "R": None,  # "A", "B", "C"
    "S": None,  # "A", "B", "C"
    "T": None,  # "A", "B", "C"
}

check("bert.which_run", answer)

# %% [markdown]
# ## 22. What a probe may say
#
# *claim · difficulty 3 of 5 · about 5 minutes · comes back in chapter 10*

# %%
ask("bert.which_probe")

# %%
answer = {
    "training": None,  # "A", "B", "C"
    "layers": None,  # "A", "B", "C"
    "use": None,  # "A", "B", "C"
}

check("bert.which_probe", answer)

# %% [markdown]
# ## 23. The mean of a text
#
# *write · difficulty 3 of 5 · about 8 minutes · comes back in chapter 10*
#
# MiniLM gives a sentence one vector: the mean of the states of its pieces, [CLS] and [SEP] included, padding left
# out. `hidden` is (b, t, d), `lengths` (b,) says how many pieces of each row are real. Return (b, d).


# %%
def mean_pool(hidden: Tensor, lengths: Tensor) -> Tensor:
    """Mean of the states of each text's real pieces: hidden (b, t, d), lengths (b,) → (b, d)."""
    return ...


check("bert.mean_pool", mean_pool)

# %% [markdown]
# ## How far you are

# %%
progress()
