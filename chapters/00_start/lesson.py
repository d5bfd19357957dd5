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
# # Before we start
#
# ## 1. What shape is it?
#
# Three words, and four marks for each of them:
#
# ```
#     alive thing singular pronoun
# cat   1     0      1        0
# mat   0     1      1        0
# it    0     0      0        1
# ```
#
# Somebody thinks of one of these words and gives you only a row of numbers:
#
# ```
#       2     0      2        0
# ```
#
# <div class="predict">
#
# **Predict.** Which word is meant?
#
# <details><summary>A. <em>mat</em>: it is singular too</summary>
#
# This tempts because one large number meets a 1 of *mat*. But the row asks for two things, and *mat* has one of them.
#
# </details>
# <details><summary>B. None: no word has a 2</summary>
#
# This tempts because no row is equal to the given one. We did not ask which is equal, we asked which is nearest, and
# that is a question with an answer.
#
# </details>
# <details><summary>C. <em>cat</em></summary>
#
# Yes. It has what the row asks for, alive and singular, and nothing else. You have compared rows of numbers, and most
# of this course is made of that.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - say the shape of a table of numbers, and foresee the shape of what is made from it;
# - compare rows by dot products, many at once;
# - read a loss in nats, a slope, and a training loop of twelve lines;
# - find a mistake that makes the loss look better;
# - read a claim: effect, interval, seeds, verdict;
# - work with the checker of the exercises.
#
# **Time:** about 50 minutes. **Data:** the three words above, and words from the CMU Pronouncing Dictionary with their
# sounds. Everything is on your machine already.
#
# **Who may skip?** Each section ends with two folded questions. Answer them aloud; if both are easy, you need not read
# that section.
#
# - The whole course: chapters 00 to 10, in order.
# - The shortest way to BERT: [chapter 02](../02_attention/lesson.ipynb), then 05, then 09.
# - Transfer learning alone: sections 6 to 10 of this page, then chapters 06 to 10.
#
# The first cell of every notebook fixes the random numbers, so that you see what we saw.

# %%
from qkv.notebook import setup

setup()

# %% [markdown]
# A table of numbers is called a **tensor**, and it has a **shape**: how many rows, how many columns.
# The three words above are stored in the package, in `toy.KEY`.
# `show` prints a table with labels.

# %%
import torch

from qkv import toy
from qkv.notebook import show

words = torch.tensor(toy.KEY, dtype=torch.float32)
show("words", words, toy.WORDS, toy.FEATURES, axes=("t", "d"))
print("shape:", tuple(words.shape))

# %% [markdown]
# The shape (3, 4) has two **axes**. Axis 0 counts the words, axis 1 counts the marks.
# One can also count from the end: axis −1 is the last one, whatever the shape.
# The letters `t` and `d` are the course's names for these sizes: `t` words, `d` numbers for each.
#
# Many operations work along one axis, and it is called `dim` in the code.
#
# <div class="predict">
#
# **Predict.** What is the shape of `words.sum(0)`?
#
# <details><summary>A. (3,): one sum for each of the rows, and axis 0 is the rows</summary>
#
# This tempts because axis 0 counts the rows. But `dim` names the axis that is added up, and what is added up is gone.
# Each row has its own sum in `words.sum(1)`.
#
# </details>
# <details><summary>B. (4,): axis 0 disappears</summary>
#
# Yes. The three rows are added, and four sums are left, one for each column.
#
# </details>
# <details><summary>C. (): everything is added up</summary>
#
# This tempts because "sum" alone means that. Without an axis, `words.sum()` does add up everything.
#
# </details>
# </div>

# %%
print("sum(0):", words.sum(0), "  shape", tuple(words.sum(0).shape))
print("sum(1):", words.sum(1), "      shape", tuple(words.sum(1).shape))
assert torch.equal(words.sum(-1), words.sum(1))

# %% [markdown]
# Two singular words, so the third column adds up to 2.
# The course writes shapes into the head of every function, and a test checks them.
# Here is such a head, to be read aloud once:
#
# ```python
# def nearest(
#     asked: Float[Tensor, "d"], words: Float[Tensor, "t d"]
# ) -> Float[Tensor, "t"]: ...
# ```
#
# "The function takes a row of d numbers and a table of t rows with d numbers each, and it gives back t numbers."
# The letter `d` stands there twice, so both must have the same size.
#
# **Change** it, in a new cell: `words.sum(0, keepdim=True).shape`. The axis stays, with size 1, and section 4 needs
# that. Which axis stays with `words.sum(1, keepdim=True)`?
#
# **Self-check.**
#
# <details><summary>1. A tensor has the shape (2, 3, 4). What is left of it after <code>sum(-1)</code>?</summary>
#
# (2, 3): the last axis is gone. If you said (2, 4), read the prediction once more.
#
# </details>
# <details><summary>2. Five sentences of seven words with four numbers each: which shape?</summary>
#
# (5, 7, 4), from the outside to the inside. The first axis is called the **batch**. On to
# [section 2](#2-how-alike-are-two-rows).
#
# </details>
#
# What shape is it? The list of its sizes, axis by axis, and an operation along an axis makes that axis disappear.

# %% [markdown]
# ## 2. How alike are two rows?
#
# Take two rows with equally many numbers, multiply them entry by entry, then add up.
# The result is one number, their **dot product**.
# It is large where both rows have something in the same place.

# %%
asked = [2, 0, 2, 0]


def dot(first, second):
    total = 0
    for i in range(len(first)):
        total = total + first[i] * second[i]
    return total


for word, row in zip(toy.WORDS, toy.KEY, strict=True):
    print(f"{word:3}  {' + '.join(f'{a}·{b}' for a, b in zip(asked, row, strict=True))} = {dot(asked, row)}")

# %% [markdown]
# The riddle of the first screen is solved by a machine: 4 for *cat*, 2 for *mat*, 0 for *it*.
# A dot product of 0 means that the rows have nothing in common, or that plus and minus cancel.
#
# But is the dot product a measure of *likeness*? Think of a row as an arrow. Its **length** is the root of its dot
# product with itself. So *cat*, (1, 0, 1, 0), has the length $\sqrt{2}$, and (2, 0, 2, 0) is twice as long.
#
# Two more measures compare arrows. The **distance** is the length of their difference. The **cosine** is the dot
# product divided by both lengths, so that only the direction counts.
#
# <div class="predict">
#
# **Predict.** Which row has the larger dot product with *cat*, (1, 0, 1, 0): *cat* itself, or (2, 0, 2, 0)?
#
# <details><summary>A. (2, 0, 2, 0)</summary>
#
# Yes. Twice the row, twice the dot product.
#
# </details>
# <details><summary>B. <em>cat</em> itself: nothing is more like a row than the same row</summary>
#
# This tempts because we called the dot product large for rows that are alike. It also grows with the length of the
# rows: it gives 2 here, and 4 for the longer one.
#
# </details>
# <details><summary>C. The two are equal: both point the same way</summary>
#
# This tempts because the rows differ in length alone. By the cosine they are equal indeed.
#
# </details>
# </div>

# %%
cat = torch.tensor([1.0, 0, 1, 0])
for other in (cat, 2 * cat, torch.tensor([0.0, 1, 1, 0])):
    cosine = cat @ other / (cat.norm() * other.norm())
    print(f"{other.int().tolist()}  dot product {cat @ other:.0f}  distance {(cat - other).norm():.2f}", end="")
    print(f"  cosine {cosine:.2f}")

assert dot(cat.tolist(), (2 * cat).tolist()) == cat @ (2 * cat)

# %% [markdown]
# Between two rows, the sign `@` is the dot product.
# The distance calls *cat* itself nearest, the cosine cannot tell the first two apart, and the dot product prefers the
# longest row.
# None of the three is right or wrong; a model that uses dot products uses the length of rows as well, as loudness.
#
# **Change** the third row to `-cat`. Its dot product is negative: the rows oppose each other. What is the cosine of a
# row with its opposite?
#
# **Self-check.**
#
# <details><summary>1. What is the dot product of (1, 2, 3) and (0, 1, 1)?</summary>
#
# 1·0 + 2·1 + 3·1 = 5. If you got three numbers, you have forgotten to add them up.
#
# </details>
# <details><summary>2. Can two rows of positive numbers have the dot product 0?</summary>
#
# No: every product is positive, and so is the sum. With zeros in them they can, as *cat* and *it* do. On to
# [section 3](#3-what-does-a-matrix-product-do).
#
# </details>
#
# How alike are two rows? Their dot product says it in one number, which also grows with their length.

# %% [markdown]
# ## 3. What does a matrix product do?
#
# Three words ask, three words are compared with them: nine dot products.
# A loop over a loop computes them, and so does one sign, `@`, the **matrix product**: `asking @ words.T`.
#
# `.T` turns a table on its side: rows become columns. It is needed because `@` takes *rows* of the left table and
# *columns* of the right one.
#
# <div class="predict">
#
# **Predict.** `asking` and `words` both have the shape (3, 4). What does `asking @ words` give, without the `.T`?
#
# <details><summary>A. The same nine numbers: PyTorch sees what is meant</summary>
#
# This tempts because there is one sensible way to compare the rows. PyTorch does not guess: the rows of the left
# table have 4 numbers, the columns of the right one have 3.
#
# </details>
# <details><summary>B. A (3, 4) table: entry times entry</summary>
#
# This tempts because the shapes are equal. Entry times entry is `asking * words`, another operation.
#
# </details>
# <details><summary>C. An error</summary>
#
# Yes. The two inner sizes must agree, and 4 is not 3.
#
# </details>
# </div>

# %%
asking = torch.tensor(toy.QUERY, dtype=torch.float32)

one_by_one = torch.zeros(3, 3)
for i in range(3):
    for j in range(3):
        one_by_one[i, j] = asking[i] @ words[j]

at_once = asking @ words.T
show("dot products", at_once, toy.WORDS, toy.WORDS, axes=("asks", "is compared"))
assert torch.equal(at_once, one_by_one)

try:
    asking @ words
except RuntimeError as error:
    print("\nstops:", error)

# %% [markdown]
# The last row holds our 4, 2 and 0, for the row `2 0 2 0` is the last of the three that ask.
#
# Write the shapes side by side, $(n, k)\,(k, m)$: the inner sizes must be equal, they disappear, and $(n, m)$ is left.
# That is the rule of section 1 again: along `k` one multiplies and adds up, so `k` is gone.
# `asking.T @ words` has agreeing sizes and no error, and yet it answers another question: it compares columns.
#
# With a batch in front, `@` does the same for each item: $(b, n, k)\,(b, k, m)$ gives $(b, n, m)$.
#
# **Change** the size of a table, in a new cell: `(asking[:2] @ words.T).shape`, then `(asking @ words[:2].T).shape`.
# Which axis of the result shrinks each time?
#
# **Self-check.**
#
# <details><summary>1. (5, 8) @ (8, 2): which shape, and how many products are added up for each number?</summary>
#
# (5, 2), and 8 products for each. If you wonder where the 8 went, read the sentence on inner sizes.
#
# </details>
# <details><summary>2. In <code>a @ b</code>, which rows and columns make the number in row 1, column 0?</summary>
#
# Row 1 of `a` and column 0 of `b`. [Chapter 02](../02_attention/lesson.ipynb) is built on such a table. Next:
# [section 4](#4-how-do-different-shapes-meet).
#
# </details>
#
# What does a matrix product do? It makes a whole table of dot products, each row on the left with each column on the
# right.

# %% [markdown]
# ## 4. How do different shapes meet?
#
# Entry by entry needs two tables of one shape. PyTorch is more generous: it stretches axes of size 1.
# It is called **broadcasting**, and the rule has two lines.
#
# - Write the shapes under each other, aligned at the right; missing axes on the left count as 1.
# - Two sizes meet if they are equal or one of them is 1, and the 1 is stretched.
#
# ```
# words     (3, 4)        words            (3, 4)        column  (3, 1)
# weights      (4,)       words.sum(1)        (3,)       row        (3,)
# result    (3, 4)        error: 4 meets 3               result  (3, 3)
# ```
#
# The third case is the dangerous one. A network has guessed three numbers, in a column of shape (3, 1).
# The right answers stand in a row of shape (3,), and the guesses are perfect.
#
# <div class="predict">
#
# **Predict.** What is the average of the squared differences, `((guesses - answers) ** 2).mean()`?
#
# <details><summary>A. More than 0</summary>
#
# Yes. The column and the row are stretched into a table of nine differences.
#
# </details>
# <details><summary>B. 0: the guesses are perfect</summary>
#
# This tempts because it is what the formula means. The code subtracts each answer from *each* guess: nine
# differences, and only three of them are 0.
#
# </details>
# <details><summary>C. An error: the shapes differ</summary>
#
# This tempts because it would be kind. By the rule, 1 meets 3 and nothing is wrong.
#
# </details>
# </div>

# %%
answers = torch.tensor([1.0, 2, 3])  # (3,)
guesses = answers[:, None]  # (3, 1): the None adds an axis of size 1

differences = guesses - answers
print(differences, tuple(differences.shape))
print("as written: ", (differences**2).mean())
print("as intended:", ((guesses[:, 0] - answers) ** 2).mean())

# %% [markdown]
# No error, no warning, and a number that one can train on for days.
# An assertion such as `assert guesses.shape == answers.shape` finds it at once.
#
# Used on purpose, the same stretching saves loops: `a[:, None] - b` is the table of all differences.
# And `keepdim=True` keeps a sum ready to meet the table that it came from.

# %%
parts = torch.tensor([[2.0, 1, 1], [0, 3, 1]])
shares = parts / parts.sum(-1, keepdim=True)  # (2, 3) / (2, 1)
print(shares)
assert torch.equal(shares.sum(-1), torch.ones(2))

# %% [markdown]
# Each row is divided by its own sum.
#
# **Change** it, in a new cell: `parts / parts.sum(-1)`, and read the message. Then take a square table,
# `square = torch.tensor([[2.0, 1, 1], [0, 3, 1], [5, 5, 0]])`: now `square / square.sum(-1)` runs without an error.
# What do its rows add up to?
#
# **Self-check.**
#
# <details><summary>1. Which of these meet: (5, 1, 4) and (3, 1); (5, 4) and (5,)?</summary>
#
# The first two do, and give (5, 3, 4). The others do not: aligned at the right, 4 meets 5.
#
# </details>
# <details><summary>2. Each row of a (6, 6) table is to be divided by its own sum. Why may forgetting
# <code>keepdim</code> pass unseen?</summary>
#
# The sums have the shape (6,), which meets (6, 6) at the right: each *column* is divided by a row's sum. If that is
# not clear, go through the example above with three rows. Else on to [section 5](#5-what-do-the-letters-say).
#
# </details>
#
# How do different shapes meet? Aligned at the right, where a 1 is stretched to any size, silently.

# %% [markdown]
# ## 5. What do the letters say?
#
# Numbers of axes are easy to confuse: was it `dim=1` or `dim=2`? So the axes get letters.
# In an **einsum** one writes the letters of every input, an arrow, and the letters of the result.
# A letter that is missing behind the arrow is summed over.
#
# Read `einsum("q d, k d -> q k", asking, words)` like this: for each q and each k, multiply along d and add up.
# The pattern *is* the double loop of section 3.
#
# The second tool is `rearrange` from the package einops. It moves numbers without computing anything.
# Brackets join two axes into one, or split one into two.
#
# <div class="predict">
#
# **Predict.** The row `0 1 2 3 4 5` is split with `rearrange(row, "(h d) -> h d", h=2)`. What are the two rows?
#
# <details><summary>A. 0 2 4 and 1 3 5: the numbers are dealt out in turn</summary>
#
# This tempts because cards are dealt that way. It is the pattern `"(d h) -> h d"`: there `h` stands last and
# changes fastest.
#
# </details>
# <details><summary>B. 0 1 2 and 3 4 5</summary>
#
# Yes. In a bracket, the last letter changes fastest: all of `d` for the first `h`, then all of `d` for the second.
#
# </details>
# <details><summary>C. It depends on the size of d, which is not given</summary>
#
# This tempts because only `h` is given. 6 numbers in 2 rows leave 3 for each.
#
# </details>
# </div>

# %%
from einops import rearrange
from torch import einsum

assert torch.equal(einsum("q d, k d -> q k", asking, words), asking @ words.T)  # a table of dot products
assert torch.equal(einsum("t d -> d", words), words.sum(0))  # t is gone: added up
assert torch.equal(einsum("t d -> d t", words), words.T)  # nothing is gone: turned on its side

row = torch.arange(6)
print(rearrange(row, "(h d) -> h d", h=2).tolist())
print(rearrange(row, "(d h) -> h d", h=2).tolist())
print(rearrange(words, "t (h d) -> h t d", h=2).int().tolist())

# %% [markdown]
# Both patterns give the shape (2, 3), and no test of shapes can tell them apart.
# That is why the course prefers letters: a mistake can be read.
# The third line cuts the four marks of each word into two halves, and puts the halves into tables of their own.
#
# **Change** the last pattern to `"t (h d) -> t h d"`. Same numbers, other brackets: what comes first now?
#
# **Self-check.**
#
# <details><summary>1. What does <code>einsum("b t d, b t -> b d", x, w)</code> compute?</summary>
#
# For each item b, the rows of x, each multiplied by its number in w, then added up over t: a weighted sum of rows.
#
# </details>
# <details><summary>2. And <code>rearrange(x, "b t d -> (b t) d")</code>?</summary>
#
# One long table: all rows of the first item, then all rows of the second. If the order surprises you, go back to the
# prediction; else on to [section 6](#6-how-does-a-word-become-a-row).
#
# </details>
#
# What do the letters say? Which axis is which; a letter that is missing on the right is summed over.

# %% [markdown]
# ## 6. How does a word become a row?
#
# A model reads **tokens**: letters, words, or pieces of words. Each token has a number, its **id**.
# An id is a name like the number on a football shirt: one does not calculate with it.
# Here letters are the tokens, and the full stop marks where a word begins and ends.

# %%
symbols = ".abcdefghijklmnopqrstuvwxyz"


def ids_of(text):
    return torch.tensor([symbols.index(symbol) for symbol in text])


print(".cat. ", ids_of(".cat.").tolist())

# %% [markdown]
# To compute with a token, the model looks its id up in a table and takes that row.
# Such a row is called an **embedding**, and its numbers are learned like all others.
#
# <div class="predict">
#
# **Predict.** The table has the shape (27, 4) and is freshly filled with random numbers. The letters a and b have the
# ids 1 and 2, the letter z has 26. Whose row is more like that of a?
#
# <details><summary>A. That of b: the ids are neighbours</summary>
#
# This tempts because 1 and 2 are close. An id only says where to look; nothing links neighbouring rows.
#
# </details>
# <details><summary>B. That of z: small ids are common letters, large ids rare ones</summary>
#
# This tempts because some tables are sorted by frequency. Ours is sorted by the alphabet, and it would not matter.
#
# </details>
# <details><summary>C. Chance decides, until training has moved the rows</summary>
#
# Yes. Letters that are used alike will get rows that are alike, wherever they stand in the table.
#
# </details>
# </div>

# %%
table = torch.randn(27, 4)
rows = table[ids_of("cat")]  # (3,) ids pick (3, 4) numbers
print("rows for c, a, t:", tuple(rows.shape))

marked = torch.nn.functional.one_hot(ids_of("cat"), 27).float()  # a 1 at the id, 0 elsewhere
assert torch.equal(marked @ table, rows)
assert torch.equal(torch.nn.functional.embedding(ids_of("cat"), table), rows)

a, b, z = table[ids_of("abz")]
print(f"dot product of a with b {a @ b:.2f}, with z {a @ z:.2f}")

# %% [markdown]
# Three ways, one result: picking rows, multiplying by a table of zeros and ones, and PyTorch's own `embedding`.
# The second explains why picking can be learned: it is a matrix product.
# If the ids have the shape (b, t), then the rows have the shape (b, t, d): every id is replaced by its row.
#
# Real models often use pieces of words as tokens. Here is how the published model MiniLM reads a sentence.

# %%
from qkv.text.wordpiece import WordPiece

pieces = WordPiece.from_pretrained("minilm")
tokens = pieces.tokens("[CLS] The cat was unimpressed. [SEP]")
print(tokens)
print(pieces.encode("[CLS] The cat was unimpressed. [SEP]"))
assert len(pieces.vocabulary) == 30522

# %% [markdown]
# A rare word is cut, and `##` marks a piece that continues a word.
# `[CLS]` and `[SEP]` are tokens that mark the beginning and the end.
# Take all three as given facts for now; chapter 09 explains them.
#
# **Change** the letters, in a new cell: `table[ids_of("tact")]`. Which two rows are equal, and how does the model know
# the two places apart? It does not; chapter 04 is about that.
#
# **Self-check.**
#
# <details><summary>1. A table has the shape (100, 8), the ids have the shape (2, 5). Which shape do the rows
# have?</summary>
#
# (2, 5, 8): one row of 8 for each of the ten ids.
#
# </details>
# <details><summary>2. Why may a model not use the ids themselves, as numbers from 0 to 26?</summary>
#
# They would say that z is 26 times as much as a. Ids are names. If that is clear, go on to
# [section 7](#7-how-surprised-is-a-guess).
#
# </details>
#
# How does a word become a row? It is cut into tokens, every token has an id, and the id picks a row of a learned
# table.

# %% [markdown]
# ## 7. How surprised is a guess?
#
# A model guesses the next letter by giving each of the 27 symbols a share, and the shares add up to 1: probabilities.
# Then the right letter is revealed. The **surprise** is $-\ln p$, where $p$ is the share that the right letter had.
# It is measured in **nats**.
#
# - Sure and right: $p = 1$, and $-\ln 1 = 0$.
# - Half and half: $-\ln 0.5 = 0.69$.
# - No idea among 27 symbols: $-\ln (1/27) = \ln 27 = 3.30$.
#
# Guessing blindly among $V$ things costs $\ln V$. Remember it: the loss of an untrained model should begin there.
#
# <div class="predict">
#
# **Predict.** Two models guess two letters. The careful one gave the right letters $0.5$ and $0.5$, the bold one
# $0.9$ and $0.1$. Whose average surprise is lower?
#
# <details><summary>A. The careful one</summary>
#
# Yes. The logarithm punishes boldness that goes wrong.
#
# </details>
# <details><summary>B. They are equal: on average, both gave the right letter one half</summary>
#
# This tempts because the two averages of p are equal. The surprise is not a straight line: a small p costs far more
# than a large one saves.
#
# </details>
# <details><summary>C. The bold one: it was nearly sure once</summary>
#
# This tempts because being sure and right costs almost nothing. But half and half costs little already, and being
# sure and wrong costs much.
#
# </details>
# </div>

# %%
import math

for name, given in {"careful": (0.5, 0.5), "bold": (0.9, 0.1), "blind among 27": (1 / 27, 1 / 27)}.items():
    surprises = [-math.log(p) for p in given]
    print(f"{name:15}", " and ".join(f"{s:.2f}" for s in surprises), f"  average {sum(surprises) / 2:.2f}")

# %% [markdown]
# The average surprise at the right answers is called **cross-entropy**, and it is the **loss** of nearly every model
# in this course: a number that training makes small.
#
# Models do not give shares; they give **scores**, any numbers at all.
# A recipe called [softmax](#term-softmax) turns scores into shares, and chapter 02 explains it.
# PyTorch's `cross_entropy` takes the scores and does both steps.

# %%
from torch.nn import functional

scores = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])  # two guesses among three symbols
right = torch.tensor([0, 2])
shares = torch.softmax(scores, dim=-1)
print(shares)
by_hand = -(shares[0, right[0]].log() + shares[1, right[1]].log()) / 2
assert torch.isclose(functional.cross_entropy(scores, right), by_hand)
print("cross-entropy:", by_hand, "  second guess alone:", -shares[1, right[1]].log())

# %% [markdown]
# The second guess had no idea, and it costs $\ln 3 = 1.10$.
#
# **Change** the second right answer from 2 to 1. Why does the loss stay? Then change the first one from 0 to 2. Its
# score is 2 lower, and yet the loss grows by 1: where has the other 1 gone?
#
# **Self-check.**
#
# <details><summary>1. A model chooses among 1000 words, and its loss begins at about 7. Is that a good sign?</summary>
#
# Yes: $\ln 1000 = 6.9$, the price of having no idea. A start far above that hints at a mistake.
#
# </details>
# <details><summary>2. A model gave the right letter the share 0. What is the loss?</summary>
#
# Infinite: $-\ln 0$ has no end. Section 10 meets such a model. On to [section 8](#8-which-way-is-down).
#
# </details>
#
# How surprised is a guess? By $-\ln p$: nothing when it was sure and right, $\ln V$ when it had no idea, and without
# end when it ruled the answer out.

# %% [markdown]
# ## 8. Which way is down?
#
# To make a loss smaller, nudge a number and see what happens.
# Take $f(x) = x \cdot x$ at $x = 3$, and nudge $x$ by $0.01$.


# %%
def f(x):
    return x * x


change = f(3.01) - f(3)
print(f"f moves by {change:.4f}, which is {change / 0.01:.2f} for each unit of nudge")

x = torch.tensor(3.0, requires_grad=True)
f(x).backward()
print("autograd says", x.grad)

# %% [markdown]
# How much one number moves, for each unit of nudge of another, is called a **slope** or derivative.
# The last three lines are PyTorch's **autograd**: mark a number with `requires_grad`, compute, call `backward()`, read
# `.grad`. It finds the slope without nudging, for millions of numbers at once, and the collection of all slopes is the
# **gradient**.
#
# The slope is positive: more $x$, more $f$. So the way down is *against* the slope: subtract it, times a small number,
# the **learning rate**.
#
# <div class="predict">
#
# **Predict.** At $x = 3$ the loss is 9 and the slope is 6. We take one step with learning rate 1: $x - 1 \cdot 6$.
# What is the loss then?
#
# <details><summary>A. 3: the loss falls by the slope</summary>
#
# This tempts because 9 − 6 is 3. But the slope is subtracted from *x*, not from the loss.
#
# </details>
# <details><summary>B. Nearly 0: the slope leads to the bottom</summary>
#
# This tempts because down is the right direction. The slope knows the direction at this point, and nothing of how far
# the bottom is.
#
# </details>
# <details><summary>C. 9, as before</summary>
#
# Yes. The step lands at −3, on the other side of the valley, exactly as high.
#
# </details>
# </div>

# %%
for rate in (0.1, 0.5, 1.0, 1.1):
    x, seen = 3.0, []
    for _ in range(4):
        x = x - rate * 2 * x  # the slope of x·x is 2·x
        seen.append(x * x)
    print(f"rate {rate}:  loss 9.00 →", " → ".join(f"{loss:.2f}" for loss in seen))

# %% [markdown]
# A small rate goes down slowly, a lucky one arrives at once, 1 jumps to and fro, and more than 1 climbs out of the
# valley.
# When a loss explodes, the learning rate is the first suspect.
#
# **Change** $f$ to `x * x * x` in the first cell of this section. The slope at 3 is 27; does the nudge agree?
#
# **Self-check.**
#
# <details><summary>1. The slope of the loss with respect to a weight is −4. Should the weight grow or shrink?</summary>
#
# Grow: more of it, less loss. Subtracting −4 times the rate adds something.
#
# </details>
# <details><summary>2. A slope is 0. What does training do with that number?</summary>
#
# Nothing. It may be at the bottom, or on a flat place where nudges have no effect;
# [chapter 02](../02_attention/lesson.ipynb) shows such a trap. On to [section 9](#9-what-does-training-do).
#
# </details>
#
# Which way is down? Against the slope, in steps that are small enough.

# %% [markdown]
# ## 9. What does training do?
#
# Now everything comes together: a model that learns to spell.
# It is a table of shape (27, 27). For each letter it holds a row of 27 scores for the letter after it.
# So the embedding of a letter *is* the guess: no other machinery.
#
# The text is a thousand words of the dictionary, joined by full stops.

# %%
from qkv.data import load

dictionary = load("cmudict")


def some_words(split, number):
    words = [word for word in dictionary[split]["word"] if set(word) <= set(symbols[1:])]
    return words[:: len(words) // number][:number]


text = ids_of("." + ".".join(some_words("train", 1000)) + ".")
print(len(text), "symbols, beginning with", "".join(symbols[i] for i in text[:30].tolist()))

# %% [markdown]
# Here is the training loop, in twelve lines. Every model of this course is trained by some form of it.


# %%
def train(inputs, targets, num_steps=100, rate=30):
    table = torch.zeros(27, 27, requires_grad=True)
    losses = []
    for _ in range(num_steps):
        scores = table[inputs]  # guess: pick a row for every letter, (n, 27)
        loss = functional.cross_entropy(scores, targets)  # compare
        loss.backward()  # find the slopes
        with torch.no_grad():
            table -= rate * table.grad  # step down
        table.grad = None  # forget the slopes, or the next ones are added to them
        losses.append(loss.item())
    return table.detach(), losses


table, losses = train(text[:-1], text[:-1])
print(f"loss: {losses[0]:.3f} at the start, {losses[-1]:.3f} at the end")
assert abs(losses[0] - math.log(27)) < 1e-5

# %% [markdown]
# The loss begins at $\ln 27$, as section 7 promised for a model without any idea, and falls to almost nothing.
# A splendid result?
#
# Let the model write. It gets the letter c, draws the next letter by its own shares, and goes on until it draws a full
# stop or has ten letters.


# %%
def write(table, generator):
    written = "c"
    while written[-1] != "." and len(written) < 10:
        shares = torch.softmax(table[symbols.index(written[-1])], dim=-1)
        written += symbols[torch.multinomial(shares, 1, generator=generator)]
    return written


generator = torch.Generator().manual_seed(0)
print(*(write(table, generator) for _ in range(6)))

# %% [markdown]
# Something is broken, and the loss did not say so: it praised it.
#
# <div class="predict">
#
# **Predict.** Which line holds the mistake?
#
# <details><summary>A. <code>rate=30</code>: far too large</summary>
#
# This tempts because 30 is a large rate, and section 8 warned of it. But then the loss would jump or grow, and this
# one fell.
#
# </details>
# <details><summary>B. <code>train(text[:-1], text[:-1])</code>: the targets are the inputs</summary>
#
# Yes. The model was asked for the letter that it sees, not for the one that follows.
#
# </details>
# <details><summary>C. <code>loss.backward()</code>: the slopes are of the wrong thing</summary>
#
# This tempts because slopes are the least visible part. They are those of the loss, and the loss did go down; the
# question is whether the loss asks for what we want.
#
# </details>
# </div>
#
# Here is the evidence, without any writing. How low *can* an honest loss be? Count all pairs of letters: the shares of
# the counts are the best that a table of pairs can do on this text.

# %%
here, after = text[:-1], text[1:]
counts = torch.zeros(27, 27)
for first, second in zip(here, after, strict=True):
    counts[first, second] += 1
best = counts / counts.sum(-1, keepdim=True)
lowest = -best[here, after].log().mean()
print(f"the best table of pairs has a loss of {lowest:.3f}; ours claims {losses[-1]:.3f}")
assert losses[-1] < lowest

# %% [markdown]
# A loss below the best possible one is no triumph, it is an alarm: somewhere the answer has leaked into the question.
# The fix is one character, so that each letter is asked for its successor.

# %% mystnb={"image": {"alt": "Training loss against training step on a logarithmic scale. Both curves begin at 3.3. The one whose targets are the inputs, dashed and red, falls to about 0.01. The one that is asked for the next letter, solid, levels off at about 2.6."}}
from qkv import plots

fixed, honest = train(text[:-1], text[1:])
print(f"loss: {honest[0]:.3f} at the start, {honest[-1]:.3f} at the end, {lowest:.3f} at best")
print(*(write(fixed, generator) for _ in range(6)))
assert lowest < honest[-1] < lowest + 0.1
figure = plots.losses({"next letter": honest, "same letter": losses})

# %% [markdown]
# The honest loss is far higher, and the words look almost like words.
# Slopes and counting agree: training ends close to the best table, which nobody told it.
#
# **Change** the learning rate, in a new cell: `train(text[:-1], text[1:], rate=3)[1][-3:]` shows the last three losses.
# Then try 300: the loss jumps about instead of coming to rest, as in section 8.
#
# **Self-check.**
#
# <details><summary>1. Name the four steps inside a training loop.</summary>
#
# Guess, compare, find the slopes, step against them; then forget the slopes. If one is missing, read the twelve lines
# aloud.
#
# </details>
# <details><summary>2. Your loss is lower than you dared to hope. What do you do first?</summary>
#
# You look for a leak: does the input hold the answer? [Chapter 02](../02_attention/lesson.ipynb) has a section on
# what may be read. On to [section 10](#10-how-do-you-know-that-it-works).
#
# </details>
#
# What does training do? It makes the loss small, step by step, and nothing else: whether the loss asks for what you
# want is up to you.

# %% [markdown]
# ## 10. How do you know that it works?
#
# A model that has seen the answers proves nothing. So the words are **split** before anything is trained.
#
# - **Training** words: the model learns from them.
# - **Validation** words: we choose settings by them, such as the learning rate.
# - **Test** words: opened once, at the end.
#
# And a number alone says little. Beside it stands a **baseline**, something plain that one has to beat: here the
# shares of single letters, whatever came before.
#
# <div class="predict">
#
# **Predict.** The table of counts is the best possible one on the training words. How does it do on test words, in
# comparison with the trained table?
#
# <details><summary>A. Its loss is infinite</summary>
#
# Yes. One pair that never occurred in training has the share 0, and $-\ln 0$ has no end.
#
# </details>
# <details><summary>B. It is the better one there too: its training loss is lower</summary>
#
# This tempts because lower is better. But the counts rule out every pair that they have not seen, and new words hold
# some of those.
#
# </details>
# <details><summary>C. About the same: letters are letters</summary>
#
# This tempts because the two tables are nearly equal. They differ where it is expensive: in the rarest pairs.
#
# </details>
# </div>


# %%
def cost(log_shares, word):
    ids = ids_of(f".{word}.")
    return -log_shares[ids[:-1], ids[1:]].mean().item()


single = counts.sum(0, keepdim=True).expand(27, 27)  # one row for all: what came before does not matter
models = {"single letters": single, "counts of pairs": counts, "trained table": torch.softmax(fixed, -1)}
fresh = some_words("test", 300)
costs = {}
for name, shares in models.items():
    log_shares = (shares / shares.sum(-1, keepdim=True)).log()
    costs[name] = [cost(log_shares, word) for word in fresh]
    print(f"{name:15}  loss on {len(fresh)} test words: {sum(costs[name]) / len(fresh):.3f}")

# %% [markdown]
# The winner on the training words fails on new ones, and the trained table beats the baseline.
#
# By how much, and how sure is that? Other test words would give another number.
# So we draw 300 words out of our 300 again and again, with repetition, and see how far the average moves. This is
# called a **bootstrap**.

# %%
from qkv.scoring.intervals import bootstrap_interval

gains = [a - b for a, b in zip(costs["single letters"], costs["trained table"], strict=True)]
gain = bootstrap_interval(gains)
print(f"gain {gain.mean:.3f} nats per letter, 95 % interval {gain.low:.3f} to {gain.high:.3f}")

half = len(gains) // 2
noise = [a - b for a, b in zip(costs["trained table"][:half], costs["trained table"][half:], strict=False)]
null = bootstrap_interval(noise)
print(f"half against half {null.mean:.3f}, 95 % interval {null.low:.3f} to {null.high:.3f}")

# %% [markdown]
# The **interval** holds the true gains that fit these words. It lies above 0 as a whole, so the gain is no accident of
# the draw.
#
# The second line compares the model with itself, on one half of the words and on the other. There the truth is 0.
# Such a comparison is called a **null**, and its interval holds the 0, as it should.
#
# Careful: an interval that holds 0 does not prove "no difference". It may also hold differences that would matter.
# "Not seen" is all that one may say.
#
# Papers make claims, and this course runs them again. Each result is printed as a box. This one is about
# [attention](#term-attention), but you can read it now.

# %%
from qkv.recipes.claims import show_claim

show_claim("positions")

# %% [markdown]
# Read it aloud, item by item.
#
# - **Claim**: one sentence that could turn out false. Here: a model that does not know the order of letters
#   mispronounces more words.
# - **Paper**: who said it, and where. Here nobody had measured it, and the box says so.
# - **Measured**: first the **contrast**, what is subtracted from what. Then the **effect**, an average, in points: a
#   point is one word in a hundred.
# - **Interval**: the true effects that fit. Neither end is near 0.
# - **Seeds**: a **seed** is the number that the random start is drawn from. Five models of each kind were trained from
#   five starts, so that one lucky start cannot decide.
# - **Verdict**: follows from the interval by a rule that was fixed before the run. Nobody chooses the word.
# - **Run it again**: the command. You can.
#
# What the box does *not* say: that it holds for other models, other languages, or longer words.
#
# **Change** the name to `"learned-positions"`. The verdict there is "equivalent": the whole interval lies inside a
# margin that was stated before.
#
# **Self-check.**
#
# <details><summary>1. Ten settings were tried on the test words, and the best one is reported. What is wrong?</summary>
#
# The best of ten is partly lucky, and the test words have become validation words. Choose on validation words, then
# open the test words once.
#
# </details>
# <details><summary>2. An effect of 2 points, interval from −1 to 5, five seeds. Which verdict?</summary>
#
# "Not seen": the interval holds 0. It also holds 5, so "there is no effect" would be as wrong as "there is one". On to
# [section 11](#11-how-does-a-word-sound).
#
# </details>
#
# How do you know that it works? You measure on words that it has not seen, beside a baseline, and you print the
# interval.

# %% [markdown]
# ## 11. How does a word sound?
#
# One small task runs through the chapters: read the letters of an English word, write its sounds.
# The dictionary writes 39 sounds in capital letters: *cat* is `K AE T`.
# It is a translation of a kind, with short sentences, and a model for it trains in minutes.
#
# The package holds a model that chapter 05 will build. It has never seen the test words.
# To say how wrong an answer is, the **edit distance** counts the fewest sounds to insert, delete or replace.

# %%
from qkv.models.transformer import Transformer
from qkv.pronounce import pronounce
from qkv.scoring.edit_distance import edit_distance, outcomes, phoneme_error_rate, word_error_rate
from qkv.text.sounds import without_stress

model = Transformer.from_pretrained("g2p")
listed = {row["word"]: row["pronunciations"] for split in dictionary.values() for row in split}
some = ["cat", "mat", "it", "colonel"]
for word, said in zip(some, pronounce(model, some), strict=True):
    wanted = without_stress(listed[word][0])
    print(
        f"{word:8} model: {' '.join(said):20} dictionary: {' '.join(wanted):14}", edit_distance(said, wanted), "edits"
    )
assert edit_distance(("K", "AE", "T"), ("M", "AE", "T")) == 1

# %% [markdown]
# Three words of our toy are right. *colonel* is not, although it was among the words that the model learned from: it
# spells out what is written, and English does not.
#
# Two rates follow from it. The **phoneme error rate**, PER, is the number of edits divided by the number of sounds.
# The **word error rate**, WER, is the share of words with at least one edit.
#
# <div class="predict">
#
# **Predict.** Of a hundred sounds of test words, about seven are wrong. How many of a hundred *words* are
# wrong?
#
# <details><summary>A. About as many: seven</summary>
#
# This tempts because both are called error rates. One bad sound spoils the whole word, and a word has about six.
#
# </details>
# <details><summary>B. About thirty</summary>
#
# Yes. If errors fell on sounds independently, all six sounds would be right in about two words of three. Errors like
# company, so a few more words stay whole.
#
# </details>
# <details><summary>C. Nearly all: somewhere every word has a difficult sound</summary>
#
# This tempts because English spelling is famous for it. Most sounds of most words are regular.
#
# </details>
# </div>

# %%
tested = [word for word in dictionary["test"]["word"] if set(word) <= set(symbols[1:])][::25]
references = [[without_stress(each) for each in listed[word]] for word in tested]
items = outcomes(pronounce(model, tested), references)
print(f"{len(items)} test words: WER {word_error_rate(items):.1%}, PER {phoneme_error_rate(items):.1%}")

wrong = bootstrap_interval([float(item.edits > 0) for item in items])
print(f"WER, 95 % interval over the words: {wrong.low:.1%} to {wrong.high:.1%}")
print("wrong, for example:", *[word for word, item in zip(tested, items, strict=True) if item.edits][:6])

# %% [markdown]
# `word_error_rate` is one line: `sum(item.edits > 0 for item in items) / len(items)`.
# With a few hundred words the interval is wide. The box of section 10 used 3000 test words for each model.
#
# Many of the errors are names. *cat* and *mat* were no fair test: three words of a toy say nothing about a dictionary.
#
# **Change** the words, in a new cell: `pronounce(model, ["ada", "grace"])`, then your own name. Does it know how you
# are called?
#
# **Self-check.**
#
# <details><summary>1. <code>K AE T S</code> was said, <code>K AE T</code> and <code>K AA T</code> are listed. Which
# edit distance counts?</summary>
#
# 1: the nearest listed pronunciation counts, and there one sound is to be deleted.
#
# </details>
# <details><summary>2. Can the PER be above 1?</summary>
#
# Yes: who says ten sounds where one is right has nine edits for one sound. If that surprises you, read the definition
# again; else on to [section 12](#12-how-does-the-checker-talk).
#
# </details>
#
# How does a word sound? A model can say it for about seven words in ten, and the edit distance says how far off it is
# with the others.

# %% [markdown]
# ## 12. How does the checker talk?
#
# Every chapter has exercises, and a checker reads your answers.
# It runs your function on several inputs, called **probes**, and compares it with a tested one.
# Often it knows your mistake by name.
#
# This answer to the second exercise of this chapter is not right, on purpose. It adds up first and multiplies then.

# %%
from qkv.exercises import check


def squared_distance(first, second):
    return (sum(first) - sum(second)) ** 2


check("start.meet_the_checker", squared_distance)

# %% [markdown]
# Read it in four steps.
#
# - **What holds**, and **where** the first difference is: on which probe, your number, the expected one.
# - **The name** of the mistake, with its code. A mistake is named only if your answer equals that of the mistake on
#   every probe; "no known mistake fits" is an honest answer too.
# - **Why** it matters, in one sentence.
# - **One next step**, and the section to read again.
#
# It says what to look at, and it does not print the corrected line. For that there are three hints.
#
# <div class="predict">
#
# **Predict.** We repair the function for this one probe: `return 2`. What does the checker say?
#
# <details><summary>A. Passed: the number that it complained about is right now</summary>
#
# This tempts because the message spoke of one number. There are more probes, with other sizes, and they were chosen so
# that mistakes show.
#
# </details>
# <details><summary>B. It fails on another probe</summary>
#
# Yes. An answer passes when it agrees on all of them.
#
# </details>
# <details><summary>C. The same name again</summary>
#
# This tempts because the function is still not right. But it makes another mistake now, and this one has no name.
#
# </details>
# </div>

# %%
check("start.meet_the_checker", lambda first, second: 2)

# %% [markdown]
# And when you are stuck, there is a first hint:

# %%
from qkv.exercises import hint

hint("start.meet_the_checker", 1)

# %% [markdown]
# `hint(…)` without a number gives the next of three hints: where to look, the idea on other numbers, the line with a
# gap. `solution(…)` shows one right answer, and `progress()` what you have done.
#
# Comparing with a second, independent implementation is called **parity**. It is the strongest check that this course
# knows, and you will use it on your own code: `assert torch.allclose(mine, theirs)`.
#
# **Change** the body of `squared_distance` until the check passes, here or in the exercises.
#
# **Self-check.**
#
# <details><summary>1. The checker names no mistake. Is the answer right?</summary>
#
# Not necessarily. It is right when the checker says *passed*; otherwise the mistake is one without a name, and the
# probe is in `report.inputs`.
#
# </details>
# <details><summary>2. Why several probes of different sizes?</summary>
#
# Many mistakes are invisible where sizes are equal or numbers are easy: section 4 has a case that passes for three
# rows and stops for two. Now go on to the exercises, or to [chapter 02](../02_attention/lesson.ipynb).
#
# </details>
#
# How does the checker talk? It says what holds, where the first difference is, which known mistake gives the same
# numbers, and what to look at next.

# %% [markdown]
# ## Summary
#
# - A **shape** lists the sizes of the axes. An operation along an axis makes it disappear.
# - A **dot product** says in one number how alike two rows are; a **matrix product** is a table of them.
# - **Broadcasting** stretches axes of size 1, silently. Letters make axes readable.
# - A token's **id** picks a row of a learned table, its **embedding**.
# - The **loss** is the average surprise at the right answers, in nats; having no idea among $V$ costs $\ln V$.
# - **Training** steps against the **gradient**. A low loss proves nothing if the answer has leaked into the question.
# - A **claim** is an effect with an interval, over seeds or items, beside a baseline, on data held back.
#
# ### What the papers said, and what we measured
#
# - *Positions must be put in* (Attention Is All You Need, §3.5; nothing measured there).
#   **Here:** measured on pronunciation, five seeds, with an interval (section 10).
# - *The edit distance is found row by row* (Wagner and Fischer, 1974).
#   **Here:** used for every error rate of the pronunciation task (section 11).
#
# ### Common mistakes
#
# - **Reading `dim` as the axis that stays.** It is the one that disappears.
# - **A column meets a row** in a loss. Shows in an assertion on shapes, not in an error.
# - **Brackets in the wrong order** when an axis is split. The shape is right, the numbers are dealt out differently.
# - **Targets that are the inputs.** Shows in a loss that is too good.
# - **Slopes that pile up**, because nobody cleared them.
# - **"Not seen" read as "no effect".** Read both ends of the interval.
#
# ### Further reading
#
# - [Tensor Puzzles](https://github.com/srush/Tensor-Puzzles) by Sasha Rush: more puzzles about broadcasting.
# - [einops basics](https://einops.rocks/1-einops-basics/): `rearrange` in pictures.
# - [PyTorch: broadcasting](https://pytorch.org/docs/stable/notes/broadcasting.html), the rule in full.
# - [Dive into Deep Learning, chapter 2](https://d2l.ai/chapter_preliminaries/index.html): linear algebra and slopes at
#   leisure.
# - [The CMU Pronouncing Dictionary](http://www.speech.cs.cmu.edu/cgi-bin/cmudict): look up how a word sounds.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. Which shapes may stand left and right of <code>@</code>, and what comes out?</summary>
#
# (n, k) and (k, m): the inner sizes agree and disappear, (n, m) is left. With a batch in front, each item by itself.
#
# </details>
# <details><summary>2. Your model chooses among 27 symbols. Which loss does it begin with, and which loss would make you
# suspicious?</summary>
#
# It begins near ln 27, about $3.3$ nats. A loss below what the best possible model of its kind could reach means a
# leak.
#
# </details>
# <details><summary>3. Five seeds give an effect with an interval from −1 to 5. What may you say?</summary>
#
# That the effect was not seen, and that anything from −1 to 5 remains possible. Not that there is none.
#
# </details>
#
# **Next.** The exercises of this chapter: the first takes two minutes. Then
# [chapter 01](../01_families/lesson.ipynb), or at once [chapter 02](../02_attention/lesson.ipynb), where rows begin to
# ask questions.
