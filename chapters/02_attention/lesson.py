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
# # Attention
#
# ## 1. Which word does *it* mean?
#
# > The cat left the mat because **it** was hungry.
#
# You knew at once that *it* is the cat.
# A computer starts with three words and no idea.
# So *it* looks at the words and gives each one a share of its attention: two thirds to *cat*, a quarter to *mat*, and
# the rest to itself.
#
# Now change one word: the cat left the mat because *it* was **wet**.
#
# <div class="predict">
#
# **Predict.** Which shares move?
#
# <details><summary>A. Only the share of <em>mat</em>: it grows</summary>
#
# This tempts because *wet* speaks about the mat and says nothing about the cat. But the shares are parts of one
# whole. What *mat* wins, another word must lose.
#
# </details>
# <details><summary>B. <em>cat</em> and <em>mat</em> trade places, <em>it</em> keeps its share</summary>
#
# Yes. One word of the sentence changed, so *it* asks another question, and the shares follow the question.
#
# </details>
# <details><summary>C. All three move</summary>
#
# This tempts because the shares hang together. They do, but here *cat* loses exactly what *mat* wins, so nothing is
# left over for *it*.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - compute attention by hand for three words, in four steps: score, scale, softmax, mix;
# - write it in Python and prove it equal to PyTorch's;
# - find a mistake that the training loss does not show;
# - say what a real model's attention tells you about *it*, and what it does not.
#
# **Time:** about 40 minutes. **Data:** three words with numbers set by hand, forty sentence pairs of our own, and the
# real weights of MiniLM, a small published model. Everything is on your machine already.
#
# The first cell of every notebook sets the stage: it fixes the random numbers, so that you see what we saw.

# %%
from qkv.notebook import setup

setup()

# %% [markdown]
# Here is the sentence, alive. Swap *hungry* for *wet* and watch the bars.

# %%
from qkv.figures import Stepper

Stepper(compact=True)

# %% [markdown]
# Two bars trade places and one stands still.
# We set the numbers behind these bars by hand, so that you can check each step on paper.
# In a real model nobody sets them: training finds them, and earlier stages of the model must first carry the word
# *hungry* into *it*.
#
# Which word does *it* mean? In this machine, *it* has no meaning of its own: it is a mix of the words it attends to,
# in shares that the rest of the sentence decides.

# %% [markdown]
# ## 2. How do two vectors ask and answer?
#
# A **vector** is a row of numbers, and each word gets two of them here.
# Its **query** says what the word is looking for.
# Its **key** says what the word offers to those who look.
# The next cell puts the numbers into tensors, which are tables of numbers (chapter 00), and prints two of them.

# %%
import torch

from qkv import toy
from qkv.notebook import show

query = torch.tensor(toy.QUERY, dtype=torch.float32)
key = torch.tensor(toy.KEY, dtype=torch.float32)
value = torch.tensor(toy.VALUE, dtype=torch.float32)

show("query", query, toy.WORDS, toy.FEATURES, axes=("t_q", "d_k"))
print()
show("key", key, toy.WORDS, toy.FEATURES, axes=("t_k", "d_k"))

# %% [markdown]
# Read the last row of `query`: *it* looks for something alive and singular.
# Read the first row of `key`: *cat* offers both.
# The columns have names because we chose them; in a real model they have none.
#
# The letters are the course's names for sizes: `t_q` words ask, `t_k` words are read, and queries and keys have `d_k`
# entries each.
#
# To compare a query with a key we take their **dot product**: multiply entry by entry, then add up (chapter 00).
#
# <div class="predict">
#
# **Predict.** The query of *it* is (2, 0, 2, 0). Whose key gives the largest dot product with it?
#
# <details><summary>A. The key of <em>it</em>: a word fits itself best</summary>
#
# This tempts because like should find like. But query and key are two different vectors. What *it* looks for is not
# what *it* offers: its score with itself is 0.
#
# </details>
# <details><summary>B. <em>cat</em> and <em>mat</em> tie, for both are singular</summary>
#
# This tempts because both keys have a 1 under *singular*. Each earns 2 points there. The query asks for *alive* too,
# and only the cat's key has that.
#
# </details>
# <details><summary>C. The key of <em>cat</em></summary>
#
# Yes: 2·1 + 0·0 + 2·1 + 0·0 = 4.
#
# </details>
# </div>

# %%
from qkv.nn.attention import dot

for word, offered in zip(toy.WORDS, toy.KEY, strict=True):
    terms = " + ".join(f"{q}·{k}" for q, k in zip(toy.QUERY[2], offered, strict=True))
    print(f"it asks {word}: {terms} = {dot(toy.QUERY[2], offered)}")

print()
scores = query @ key.T
show("scores", scores, toy.WORDS, toy.WORDS)

# %% [markdown]
# The sign `@` is the matrix product, a whole table of dot products at once (chapter 00).
# `key.T` is the key table turned on its side, so that each row of `query` meets each row of `key`.
# In the table of **scores**, rows ask and columns are read: the last row holds the 4, 2 and 0 that you saw above.
#
# **Change** one entry of the mat's key, on paper or in a copy: `other = key.clone(); other[1, 0] = 1`.
# Now the mat is alive, and `query @ other.T` gives *it* a tie. What must the entry be for the mat to win? Try 2.
#
# How do two vectors ask and answer? A query meets a key in one number, their dot product, and it is large when the
# key offers what the query looks for.

# %% [markdown]
# ## 3. How do scores become shares?
#
# *it* has the scores 4, 2 and 0.
# First we divide them by 2, which gives 2, 1 and 0; section 6 shows why.
# Shares must be positive and add up to 1, and the recipe for that is called **softmax**: raise $e \approx 2.72$ to
# the power of each score, then divide by the sum.
#
# So $e^2, e^1, e^0$ are about $7.39, 2.72, 1$, their sum is $11.11$, and the shares are $0.665, 0.245, 0.090$: the
# bars of the first picture. A score that is one higher earns $e$ times the share, because $e^{s+1} = e \cdot e^s$.
#
# <div class="predict">
#
# **Predict.** The scores 2, 1, 0 become 102, 101, 100. What are the shares now?
#
# <details><summary>A. Nearly a third each: the three numbers are nearly equal</summary>
#
# This tempts because 102 is only a little more than 100. Softmax does not compare sizes in that way. It sees
# differences: two, one, zero.
#
# </details>
# <details><summary>B. Nearly everything goes to the first: its power of e is enormous</summary>
#
# This tempts because the first power of e is larger than any number of your daily life. So are the other two, and
# dividing by their sum takes the size out again.
#
# </details>
# <details><summary>C. The same shares as before</summary>
#
# Yes. All three powers are multiplied by one and the same number, and the division takes it out again.
#
# </details>
# </div>


# %%
def naive_softmax(scores):
    exponents = torch.exp(scores)
    return exponents / exponents.sum()


large = torch.tensor([102.0, 101.0, 100.0])
print("2, 1, 0:                        ", naive_softmax(torch.tensor([2.0, 1.0, 0.0])))
print("102, 101, 100:                  ", naive_softmax(large))
print("102, 101, 100, less the maximum:", naive_softmax(large - large.max()))

# %% [markdown]
# The second line says `nan`, "not a number".
# In 32-bit numbers $e^{102}$ is too large to store, so the computer writes *infinity*, and infinity divided by
# infinity has no answer. The way out is the answer to the prediction: since only differences count, take the maximum
# off every score first. The tested `softmax` of the package does that; here is its real source.

# %%
from qkv.nn.attention import softmax
from qkv.notebook import source

assert torch.allclose(softmax(large), naive_softmax(large - large.max()))
source(softmax)

# %% [markdown]
# **Change** the three scores with the sliders below, when you run this notebook.
# Raise all three together and nothing moves. Then try to give a word a share of exactly zero: can you?

# %%
from qkv import plots
from qkv.notebook import explore


def draw_shares(cat, mat, it):
    shares = softmax(torch.tensor([cat, mat, it], dtype=torch.float32))
    return plots.shares({f"scores {cat}, {mat}, {it}": shares}, toy.WORDS)


note = "Run this notebook to move the three scores. Only their differences count."
control = explore(draw_shares, note, cat=(-5, 5), mat=(-5, 5), it=(-5, 5))

# %% [markdown]
# A share can become tiny, but a power of $e$ is never zero. Section 8 needs a real zero and finds one.
#
# How do scores become shares? Softmax raises $e$ to each score and divides by the sum, and so only the differences
# between scores count.

# %% [markdown]
# ## 4. What is shared out?
#
# Each word has a third vector, its **value**: what it hands over when it is read.
# The value of *cat* is (10, 0), of *mat* (0, 10), of *it* (0, 0).
# The **output** of a word is the sum of all values, each multiplied by its share.
#
# <div class="predict">
#
# **Predict.** You may choose any query for *it*, as large as you like. Can its output be (12, 0)?
#
# <details><summary>A. Yes: a larger query pulls harder</summary>
#
# This tempts because a larger query gives larger scores. But scores become shares first, and the shares still add up
# to 1. The most that *cat* can get is everything, and everything is (10, 0).
#
# </details>
# <details><summary>B. Yes: with a negative share for <em>mat</em></summary>
#
# This tempts because a weighted sum may have negative weights. These come from softmax, and a power of e is never
# negative.
#
# </details>
# <details><summary>C. No, whatever the query</summary>
#
# Right. The output is a mix of the three values, so it stays inside their triangle.
#
# </details>
# </div>
#
# Here are the four steps, one line each.

# %% mystnb={"image": {"alt": "The plane of the values. Three open squares mark the values of cat at (10, 0), mat at (0, 10) and it at (0, 0), the corners of a shaded triangle. Three filled dots, the outputs of cat, mat and it, lie inside; the output of it lies nearest to the value of cat. A red cross at (12, 0) lies outside."}}
import math

scores = query @ key.T  # 1. score: (t_q 3 × t_k 3)
scaled = scores / math.sqrt(4)  # 2. scale, by the square root of d_k
weights = softmax(scaled, dim=-1)  # 3. softmax, inside each row
output = weights @ value  # 4. mix: (t_q 3 × d_v 2)

show("weights", weights, toy.WORDS, toy.WORDS, sums=True)
print()
show("output", output, toy.WORDS, ["first", "second"], axes=("t_q", "d_v"))
figure = plots.mix(value, weights, toy.WORDS, wanted=(12.0, 0.0))

# %% [markdown]
# The shares are called **weights** from here on, for that is what the field calls them.
# `dim=-1` means "along the last axis": softmax works inside each row, and each row adds up to 1.
# Follow the last row on paper: $0.665 \cdot (10, 0) + 0.245 \cdot (0, 10) + 0.090 \cdot (0, 0) = (6.65, 2.45)$.
#
# The three outputs lie inside the triangle of the values, and (12, 0) lies outside.
# Can you push one out? Below, every number can be edited: step forward to the mix, then try a large query.

# %%
Stepper()

# %% [markdown]
# The query decides the shares, and the values are what gets shared out.
# Whatever the query, the output stays inside the triangle.
#
# **Change** the values alone, in a new cell: `weights @ (value * 2)`. The triangle grows, and the weights stay as they
# are, for no value was asked when they were made.
#
# Now the tested version, with its checks and its documentation. It must give what we built, and so must PyTorch's
# own.

# %%
from qkv.nn.attention import scaled_dot_product_attention

tested_output, tested_weights = scaled_dot_product_attention(query, key, value)
fused = torch.nn.functional.scaled_dot_product_attention(query[None], key[None], value[None])
assert torch.allclose(tested_weights, weights)
assert torch.allclose(tested_output, output)
assert torch.allclose(fused[0], output, atol=1e-6)
source(scaled_dot_product_attention)

# %% [markdown]
# No `assert` complained, so all three agree.
# The line that begins with `fused` is the same in one line of PyTorch. The `[None]` adds an axis for the batch, a set
# of sentences handled together.
# In the source, `einsum` is the matrix product with its axes named, and `may_attend` and `bias` are for later
# sections.
#
# In the paper's letters, the four steps are one formula: $\mathrm{softmax}(QK^\top / \sqrt{d_k})\,V$ (Attention Is
# All You Need, §3.2.1).
#
# What is shared out? The values: the query and the keys decide the shares, and the output is the mix of the values in
# those shares.

# %% [markdown]
# ## 5. Whose shares add up to 1?
#
# Here is attention once more, typed from memory on a tired evening.
# All four steps are there; `may_attend` keeps words from reading what comes later (section 8).
# Two signs are new: `transpose(-2, -1)` turns each table of a batch on its side, as `.T` does with a single one, and
# `~` turns every True into False and back.
#
# To try it out, we train a tiny network to copy eight letters, once with the tested attention and once with this one.

# %% mystnb={"image": {"alt": "Training loss against training step on a logarithmic scale. The tested attention, solid, falls first; the one typed from memory, dashed and red, follows later. After 300 steps both have come down from above 2 to about 0.002."}}
from qkv.inspection.copy_task import train_copier


def from_memory(query, key, value, may_attend):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(~may_attend, -math.inf)
    weights = torch.softmax(scores, dim=-2)
    return weights @ value, weights


versions = {"tested": scaled_dot_product_attention, "from memory": from_memory}
runs = {name: [train_copier(attention, seed) for seed in range(5)] for name, attention in versions.items()}
figure = plots.losses({name: copies[0].losses for name, copies in runs.items()})

# %% [markdown]
# Training works by making a number small, the **loss**: the surprise at the right answer, 0 when the network is sure
# and right (chapter 00).
# Both curves fall to almost nothing; the dashed one takes longer and arrives all the same.
# Most people would stop here and call it done.
#
# While it trains, the network has the right letters before its eyes.
# Let it write alone now, reading its own letters, one after the other.

# %%
for name, copies in runs.items():
    for seed, run in enumerate(copies):
        loss = sum(run.losses[-10:]) / 10
        print(f"{name:11}  seed {seed}  loss {loss:.3f}  told {run.told:.2f}  alone {run.alone:.2f}")

assert all(run.told == 1 for copies in runs.values() for run in copies)
assert max(run.alone for run in runs["from memory"]) < min(run.alone for run in runs["tested"])

# %% [markdown]
# A **seed** is the number that the random start is drawn from; we used five of them.
# "Told" is the share of right letters while the right ones stand in the input: perfect in both versions.
# "Alone" is the share when nothing is told. The tested version stays perfect; the other one loses letters with each
# seed.
#
# Something is broken, and neither the loss nor the accuracy "told" could see it. We look for evidence in the smallest
# case we have: the toy, without any mask.
#
# <div class="predict">
#
# **Predict.** We print the nine weights of the toy, as the version from memory makes them. Which sum gives the
# mistake away?
#
# <details><summary>A. The sum of all nine weights</summary>
#
# This tempts because a mistake ought to show in the total. The total is 3 in both versions: three words share out one
# whole each, whichever way you count.
#
# </details>
# <details><summary>B. The sum down each column</summary>
#
# This tempts because every column adds up to exactly 1, which looks right. It is the mistake itself: nobody promised
# that each word is *read* to the amount of 1.
#
# </details>
# <details><summary>C. The sum along each row</summary>
#
# Yes. A row belongs to the word that asks, and it has one whole to give away.
#
# </details>
# </div>

# %%
everything = torch.ones(3, 3, dtype=torch.bool)
_, suspect = from_memory(query, key, value, may_attend=everything)
show("weights", suspect, toy.WORDS, toy.WORDS, sums=True)
print("all nine:", f"{suspect.sum():.3f}", "  down the columns:", suspect.sum(0))

_, corrected = scaled_dot_product_attention(query, key, value, may_attend=everything)
assert torch.allclose(corrected.sum(-1), torch.ones(3))
assert not torch.allclose(suspect.sum(-1), torch.ones(3), atol=0.05)

# %% [markdown]
# *it* gives away $1.178$ where it has $1$, and *cat* gives less than it has.
# The guilty spot is `dim=-2`: softmax ran down the columns, along the words that ask.
# The fix is one character, `dim=-1`.
#
# Why did training not mind? Down a column, the words that ask compete with each other, the later ones included.
# In training all of them are there, so the network learns to live with it. When it writes alone, the later ones are
# not there yet, the shares come out different, and letters go wrong.
#
# Is this mistake a special one? We collected nineteen mistakes from public code and trained each of them to copy, in a
# somewhat larger network, with five seeds. Code with one mistake put in on purpose is called a **mutant**.

# %%
from qkv.recipes.claims import field, show_claim

reached, tried, worst = (field("mutants-train", name) for name in ("reached", "mutants", "worst mutant"))
print(f"{reached} of {tried} mistakes end at the loss of correct attention; the exception: {worst}")
show_claim("mutants-train")

# %% [markdown]
# Read the box like this. The first number after *Measured* is the **effect**, an average over the seeds; it is in
# nats, the unit of the loss. The **interval** is the range of true effects that fit such numbers (chapter 00). The
# **verdict** follows by a rule that was fixed before the run.
#
# We had claimed that the loss tells *none* of the mistakes: even the worst mutant ends within the margin of correct
# attention. One of them ends far outside. So the verdict on our own claim is "reversed", and we print it. The lesson
# for you stays: for all the others, the loss said nothing.
#
# **Change** the question, in a new cell: let all three words ask the same, `alike = query[[2, 2, 2]]`, and print
# `from_memory(alike, key, value, everything)[1]`. Which sums are now right, and what does that say about testing with
# easy numbers?
#
# Whose shares add up to 1? Those of the word that asks, so each *row* of the weights adds up to 1, and a falling loss
# does not prove it.

# %% [markdown]
# ## 6. Why divide by √d_k?
#
# We divided the scores by 2, the square root of $d_k = 4$.
# To see why, forget words and draw vectors from coin tosses: each entry is $+1$ or $-1$.
# Nothing is learned here, and no query knows any key.
#
# The cell below draws five thousand pairs of vectors for each length. The dot product of two such vectors is 0 on
# average. Its
# **standard deviation** is its usual distance from that average.
#
# <div class="predict">
#
# **Predict.** With $d_k = 64$ the dot product adds up 64 coins. What is its standard deviation?
#
# <details><summary>A. 64: each coin adds 1</summary>
#
# This tempts because 64 is the largest value possible. For that, all coins would have to fall on the same side.
#
# </details>
# <details><summary>B. About 1: plus and minus cancel</summary>
#
# This tempts because the average is 0 whatever the length. But the more coins, the further a sum can stray from its
# average.
#
# </details>
# <details><summary>C. 8: the square root of 64</summary>
#
# Yes. Squared deviations add up, so 64 coins have a squared deviation of 64, and the square root of that is 8.
#
# </details>
# </div>


# %%
def coins(*shape):
    return torch.randint(2, shape, dtype=torch.float32) * 2 - 1


# %% mystnb={"image": {"alt": "Three rows of histograms of dot products, for d_k = 4, 16 and 64. On the left, as they are, they get wider from row to row: one standard deviation is 2, 4, then 8. On the right, divided by the square root of d_k, all three are equally narrow, with a standard deviation of 1."}}
torch.manual_seed(0)
drawn = {d_k: (coins(5000, d_k) * coins(5000, d_k)).sum(-1) for d_k in (4, 16, 64)}
for d_k, products in drawn.items():
    print(f"d_k {d_k:3}  standard deviation {products.std():5.1f}   divided by √d_k {products.std() / d_k**0.5:4.1f}")
figure = plots.spread(drawn)

# %% [markdown]
# Every time $d_k$ is four times as large, the scores spread twice as wide; divided by $\sqrt{d_k}$, they always
# spread by 1.
# And softmax sees differences. What do wide scores do to the weights?
#
# Nothing is learned here, and yet one word takes everything. Why? Move $d_k$, and compare with and without the
# division.

# %%
from qkv.figures import DkSlider

DkSlider()

# %% [markdown]
# Dot products spread like $\sqrt{d_k}$; dividing restores a spread of 1. The next cell counts what the slider shows,
# over many draws of eight keys.

# %%
from qkv.nn.attention import softmax_gradient

torch.manual_seed(0)
for d_k in (4, 16, 64, 512):
    draws = (coins(1500, 8, d_k) @ coins(1500, d_k, 1))[..., 0]
    for divisor in (1, math.sqrt(d_k)):
        shares = softmax(draws / divisor)
        top, slope = shares.amax(-1).median(), softmax_gradient(shares).norm(dim=(-2, -1)).median()
        print(f"d_k {d_k:3}  scores divided by {divisor:4.1f}:  top weight {top:.2f}   slope {slope:.3f}")
    assert d_k < 16 or (0.30 < top < 0.36 and slope > 0.35)

# %% [markdown]
# The "top weight" is the largest of eight, in the middle one of many draws.
# Without dividing, one key takes everything once the vectors are long, and nobody has learned anything yet.
# The "slope" says how far the weights move when the scores are nudged (section 9 explains it). Once one key has
# everything, it is almost 0: a nudge changes nothing, and training is made of nudges.
#
# > We suspect that for large values of d_k, the dot products grow large in magnitude, pushing the softmax function
# > into regions where it has extremely small gradients. (Attention Is All You Need, §3.2.1)
#
# Does it ruin training, then? That is another question, so we measured it, as a recipe of the package that you can run
# again. A network sees 32 pairs of a symbol and a digit, then one of the symbols, and must name its digit: one step of
# attention can do it. Only the score changes between the three versions: divided, undivided, and additive, which
# section 7 explains.

# %%
ahead = field("dk-scaling", "additive ahead of unscaled")
print("at the largest d_k, additive attention is ahead of undivided dot products by", ahead)
show_claim("dk-scaling")

# %% [markdown]
# A point is one answer in a hundred. The interval lies on the paper's side of 0, so the verdict is "reproduced".
#
# The size belongs to this task: with half as many pairs, the drop was small. And the undivided network is
# slow, not lost: given four times as many steps it learned most of the task. What we tried on the way stands in the
# [log of experiments](https://github.com/query-key-value/qkv/blob/main/docs/experiments.md).
#
# Why divide by √d_k? Dot products spread like $\sqrt{d_k}$; dividing brings the spread back to 1, and softmax stays
# able to learn.

# %% [markdown]
# ## 7. Could a small network score instead?
#
# The first attention in translation had no dot product (Bahdanau, Cho and Bengio, 2015).
# A small network scored each pair: add query and key, then squeeze the sum with $\tanh$, a curve that never leaves
# the range from $-1$ to $1$.
# Because it adds, it is called **additive attention**.
#
# For single numbers, with $q = 1$ and the keys $1, 0, -1$, it scores $0.96, 0.76, 0$.
# The dot product scores $1, 0, -1$.
#
# <div class="predict">
#
# **Predict.** Now query and keys are all ten times larger. What happens to the two kinds of score?
#
# <details><summary>A. Both grow ten times</summary>
#
# This tempts because everything was multiplied by ten. The dot product multiplies two numbers that both grew, and the
# squeezed sum cannot grow beyond 1.
#
# </details>
# <details><summary>B. The dot product grows a hundred times, the additive score ten times</summary>
#
# This tempts because a sum of two numbers, each ten times larger, is ten times larger. That is right before the
# squeeze and wrong after it.
#
# </details>
# <details><summary>C. The dot product grows a hundred times, the additive score hardly moves</summary>
#
# Yes. The squeeze holds it below 1, whatever comes in.
#
# </details>
# </div>

# %%
from qkv.nn.attention import AdditiveAttention

for size in (1, 10):
    q, k = size * torch.tensor(1.0), size * torch.tensor([1.0, 0.0, -1.0])
    print(f"size {size:2}:  additive", torch.tanh(q + k), "  dot product", q * k)
torch.manual_seed(0)
_, additive_weights = AdditiveAttention(d_query=4, d_key=4, d_hidden=5)(query, key, value)
show("additive weights, untrained", additive_weights, toy.WORDS, toy.WORDS, sums=True)

# %% [markdown]
# At size 10 the additive score calls the first two keys equal: squeezed numbers cannot grow, and they cannot tell
# large things apart either.
# The full version first mixes query and key with learned tables, `W` and `U`, and weighs the squeezed sum with a
# learned vector `v`.
# Its weights above are nearly equal, since nothing is learned yet; the four steps and the sums are the same as
# before.
#
# **Change** `d_hidden`: the shape of the weights stays as it is. Only the scoring network gets wider.
#
# Could a small network score instead? Yes, and its scores stay small without any $\sqrt{d_k}$; the dot product won
# because one matrix product scores all pairs at once.

# %% [markdown]
# ## 8. What may be read?
#
# A model that writes must not read words that are not written yet.
# A **mask** says which pairs are allowed: `True` means "may attend".
# The **causal** mask lets each word read itself and what came before it.
#
# Without a mask, *mat* has the weights $0.107, 0.107, 0.787$ and the output $(1.07, 1.07)$. Its scores are 0, 0 and
# 4.
#
# <div class="predict">
#
# **Predict.** Under the causal mask *mat* may read *cat* and *mat*, but not *it*. What is its output?
#
# <details><summary>A. Nearly the same as before, about (1, 1): the share of <em>it</em> is dropped</summary>
#
# This tempts because the value of *it* is (0, 0) and gave nothing anyway. But *mat* still has one whole to give away.
# What *it* may not have goes to the others.
#
# </details>
# <details><summary>B. (5, 5)</summary>
#
# Yes. Two keys are left with the same score, so each gets one half.
#
# </details>
# <details><summary>C. About (3, 3): <em>it</em> now counts with a score of 0</summary>
#
# This tempts because "blocked" sounds like "zero". A score of 0 is an ordinary score and earns a share, here as large
# as the other two. A blocked key earns nothing.
#
# </details>
# </div>

# %% mystnb={"image": {"alt": "Two 3 by 3 tables of weights, rows ask and columns are read. Without a mask: cat 0.333 three times; mat 0.107, 0.107, 0.787; it 0.665, 0.245, 0.090. Under the causal mask three cells above the diagonal are hatched; cat has 1.000 on itself, mat has 0.500 and 0.500, and the row of it is unchanged."}}
from qkv.nn.masks import causal

may_attend = causal(3)
masked_output, masked_weights = scaled_dot_product_attention(query, key, value, may_attend)
show("output, causal", masked_output, toy.WORDS, ["first", "second"], axes=("t_q", "d_v"))
print()
assert torch.allclose(masked_output, torch.tensor([[10.0, 0.0], [5.0, 5.0], [6.65, 2.45]]), atol=0.01)
too_late = weights.masked_fill(~may_attend, 0)
show("masked after softmax", too_late, toy.WORDS, toy.WORDS, sums=True)
figure = plots.grids({"no mask": weights, "causal": masked_weights}, toy.WORDS, {"causal": may_attend})

# %% [markdown]
# The first word can read only itself, so its output is the value of *cat*, whatever its query asks.
# The last word may read everything, so its row did not change.
#
# The mask works on the scores: a blocked score becomes $-\infty$, and $e^{-\infty} = 0$.
# That is the real zero of section 3.
#
# What if we block after softmax instead? The second table above shows it.
# No blocked word is read, and yet the sums are too small: the blocked keys took their share before they were thrown
# out.
# So the future still leaks into the present, through the size of the shares.
#
# **Change** `causal(3)` so that the first word may read nothing: `may_attend[0, 0] = False`. A word must have
# something to read, and the error message names the row that has not.
#
# What may be read? What the mask marks `True`; everything else leaves before softmax, so that the rest still adds up
# to 1.

# %% [markdown]
# ## 9. What does the gradient move?
#
# A network learns by nudging numbers and watching the loss (chapter 00).
# So nudge one number: raise the scaled score that *it* gives to *cat* from $2$ to $2.1$.
#
# <div class="predict">
#
# **Predict.** In which direction do the three weights of *it* move: to *cat*, to *mat*, to *it*?
#
# <details><summary>A. Up, unchanged, unchanged: only one score moved</summary>
#
# This tempts because the scores of *mat* and *it* are as before. But the weights add up to 1, so what *cat* wins must
# come from somewhere.
#
# </details>
# <details><summary>B. Up, down, down</summary>
#
# Yes. Both lose, and *mat* loses more, because it had more to lose.
#
# </details>
# <details><summary>C. Up, down, unchanged: the nearest rival pays</summary>
#
# This tempts because *mat* is the only serious rival. All others pay, each in proportion to its share.
#
# </details>
# </div>

# %%
from torch.autograd.functional import jacobian

row = scaled[2]
nudged = row + torch.tensor([0.1, 0.0, 0.0])
print("weights of it:           ", softmax(row))
print("change after the nudge:  ", softmax(nudged) - softmax(row))
print("slope times nudge of 0.1:", softmax_gradient(softmax(row))[:, 0] * 0.1)

by_autograd = jacobian(lambda scores: torch.softmax(scores, dim=-1), row)
assert torch.allclose(softmax_gradient(softmax(row)), by_autograd, atol=1e-6)
show("slopes of row it", by_autograd, toy.WORDS, toy.WORDS, axes=("weight", "score"), sums=True)

# %% [markdown]
# The **gradient** collects such slopes: how much one number moves, per nudge of another.
# The table holds all nine for row *it*: the weight named at the left, with respect to the score named above.
# Our formula for it is $w_i (1 - w_i)$ on the diagonal and $-w_i w_j$ elsewhere. `jacobian` asks PyTorch's
# autograd, which finds slopes by itself, for the same table, and it agrees.
#
# Each row adds up to 0: what one weight gains, the others lose.
# If one weight is 1 and the others are 0, all nine slopes are 0. That is the trap of section 6.
#
# **Change** `row` to `scaled[2] * 10` and watch the slopes vanish.
#
# What does the gradient move? It moves share from one key to the others, and it moves nothing once a single key has
# everything.

# %% [markdown]
# ## 10. Does a real model do this?
#
# MiniLM is a published model with real, trained weights. It reads a sentence and turns each word into a vector of 384
# numbers.
# It has 6 layers, one after the other, and in each layer 12 attentions work side by side, called **heads** (chapter
# 03): 72 in all.
# Each head has its own queries, keys and values: 32 numbers per word.

# %%
from transformers import AutoModel, AutoTokenizer

from qkv import assets

folder = assets.folder("minilm")
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
inputs = tokenizer(toy.SENTENCE, return_tensors="pt")
seen = model(**inputs, output_attentions=True, output_hidden_states=True)
print(tokenizer.convert_ids_to_tokens(inputs.input_ids[0]))
print("layers:", len(seen.attentions), "  weights of each (b, h, t_q, t_k):", tuple(seen.attentions[0].shape))

# %% [markdown]
# These are "the same in `transformers`" in five lines: folder, tokenizer, model, inputs, result.
# The tokenizer cuts the sentence into **tokens**, here whole words. It adds `[CLS]` and `[SEP]`, which mark beginning
# and end (a given fact for now; chapter 09 explains them).
# The setting `"eager"` makes the model hand out its weights.
#
# Is that the attention we built? We take the model's own queries and keys and compute the weights ourselves, in
# layer 3 (layers and heads are counted from 0, as in code). `rearrange` cuts each row of 384 numbers into 12 heads of
# 32 (chapter 00).
#
# <div class="predict">
#
# **Predict.** A word's vector has 384 numbers, a head's query 32. By which square root does the model divide?
#
# <details><summary>A. That of 384, the size of the model</summary>
#
# This tempts because 384 is the number one reads first about a model, and well-known code has made this very mistake.
# But the dot product adds up only as many terms as the head's query has entries.
#
# </details>
# <details><summary>B. That of 32, the size of a query</summary>
#
# Yes. The spread comes from the number of terms in the sum, and that is 32.
#
# </details>
# <details><summary>C. That of 12, the number of heads</summary>
#
# This tempts because the heads share the 384 numbers out among themselves. The heads do not add up in one dot
# product, so their number does not widen the scores.
#
# </details>
# </div>

# %%
from einops import rearrange

with torch.no_grad():
    layer = model.encoder.layer[3].attention.self
    words = seen.hidden_states[3]  # what layer 3 reads
    q, k, v = (rearrange(to(words), "b t (h d) -> b h t d", h=12) for to in (layer.query, layer.key, layer.value))
    _, ours = scaled_dot_product_attention(q, k, v)
    wrong = softmax(q @ k.transpose(-2, -1) / math.sqrt(384))

for name, computed in {"√32": ours, "√384": wrong}.items():
    close = torch.allclose(computed, seen.attentions[3], atol=1e-5)
    print(f"divided by {name:4}: equal to the model's own weights, to five digits? {close}")
assert torch.allclose(ours, seen.attentions[3], atol=1e-5)

# %% [markdown]
# With the square root of 32, our function reproduces a real model's weights.
#
# Now the question of the first screen. We wrote forty sentence pairs like hungry and wet before running any model on
# them.
# In each pair one word decides which of two nouns *it* means.
# Twenty pairs choose the best head, by rule; the other twenty, not looked at before, say how good it is.

# %%
from qkv.inspection.pronouns import PAIRS, best_by_luck, best_head, follows_meaning, gaps


@torch.no_grad()
def pair_gaps(pair):
    both = []
    for sentence in pair.sentences:
        inputs = tokenizer(sentence, return_tensors="pt")
        tokens = tokenizer.convert_ids_to_tokens(inputs.input_ids[0])
        assert not any("##" in token for token in tokens), tokens  # no word is cut into pieces
        attention = torch.stack(model(**inputs, output_attentions=True).attentions)[:, 0]
        both.append(gaps(attention, *(tokens.index(word) for word in ("it", pair.first, pair.second))))
    return torch.stack(both)


print(*PAIRS[0].sentences, *PAIRS[1].sentences, sep="\n")
all_gaps = torch.stack([pair_gaps(pair) for pair in PAIRS])
choosing, fresh = all_gaps[0::2], all_gaps[1::2]

# %% [markdown]
# For each head we have the gap in row *it*: its weight on the first noun minus its weight on the second.
# A pair is right when the gap is above 0 where *it* means the first noun, and below 0 where it means the second.
# Habits score nothing by this rule: "always the nearest noun" and "always the first noun" are right in one sentence
# of every pair, and so in no pair at all.
#
# <div class="predict">
#
# **Predict.** In how many of the twenty choosing pairs is the best of the 72 heads right?
#
# <details><summary>A. Nearly all: the model understands such sentences</summary>
#
# This tempts because the pictures one meets show a head that links *it* to its noun. Somebody chose those pictures.
# We count.
#
# </details>
# <details><summary>B. About ten: half are right by tossing a coin</summary>
#
# This tempts because there are two nouns. But a pair needs both sentences right, and most heads prefer the same noun
# in both.
#
# </details>
# <details><summary>C. Fewer than ten</summary>
#
# Yes. The next picture counts them: most heads never follow the meaning.
#
# </details>
# </div>

# %% mystnb={"image": {"alt": "A table of 6 layers by 12 heads with the number of choosing pairs, out of 20, in which each head is right. Most cells are empty. Layers 0, 1 and 5 have almost no hits; layers 3 and 4 have a few; the largest number is 8, in layer 3, head 1."}}
right = follows_meaning(choosing)
layer, head = best_head(right)
print(f"best of 72: layer {layer}, head {head}, right in {right[:, layer, head].sum()} of {len(choosing)} pairs")
assert right[0, layer, head]
assert right[:, layer, head].sum() < len(choosing) / 2
figure = plots.heads(right.sum(0).float(), total=len(choosing))

# %% [markdown]
# Among the hits is the pair of our first screen, cat and mat. Shown alone, it would make a beautiful picture, and a
# misleading one.
#
# The best of 72 is a lucky one, as the tallest of 72 people is a tall one.
# So we ask two questions before we believe it.
# How many would the best head get right if *hungry* and *wet* were swapped at random? And how does this one head do
# on the fresh pairs?

# %%
from scipy.stats import binomtest

luck = best_by_luck(choosing, 10_000, torch.Generator().manual_seed(0))
found = int(right[:, layer, head].sum())
print(f"meaning shuffled away: the best of 72 gets {int(luck.median())} at the median,", end=" ")
print(f"{found} or more in {(luck >= found).float().mean():.1%} of the draws")

hits = follows_meaning(fresh)[:, layer, head]
low, high = binomtest(int(hits.sum()), len(hits)).proportion_ci()
print(f"fresh pairs: {int(hits.sum())} of 20 right, 95 % interval {20 * low:.1f} to {20 * high:.1f}")
assert hits.sum() < found

lean = fresh[:, :, layer, head]  # above 0: towards the first noun
single = int((lean[:, 0] > 0).sum() + (lean[:, 1] < 0).sum())
print(f"single sentences: this head {single} of 40; nearest noun 20 of 40; first noun 20 of 40")

# %% [markdown]
# On the choosing pairs luck would rarely do as well, so luck alone is a poor explanation.
# On the fresh pairs the same head is right less often, as the winner of a large contest usually is.
# The **interval** says which true rates fit such a count (chapter 00), and it is wide.
# Sentence by sentence, the head does little better than either habit.
#
# Here are the failures. A positive gap leans to the first noun, a negative one to the second.

# %%
for pair, (first, second), hit in zip(PAIRS[1::2], lean.tolist(), hits, strict=True):
    words = f"{pair.first_word:>9} {first:+.2f} {pair.second_word:>9} {second:+.2f}"
    print(f"{pair.first + ' or ' + pair.second:20} {words}  {'right' if hit else '-'}")

same_noun = (lean[~hits].sign().sum(-1).abs() == 2).sum()
print(f"failures: {int((~hits).sum())}, of which {int(same_noun)} lean to the same noun in both sentences")

# %% [markdown]
# Most failures have one sign in both columns: the head leans to the same noun whatever the last word says.
#
# **The limits of this test.** A weight says where a head reads, and nothing about what the model does with what it
# has read. The meaning may also travel through several heads, or through parts of the model that are no attention,
# where no single row shows it.
#
# MiniLM was trained to compare sentences; it was never asked what *it* means. And forty pairs of our own, all built
# alike, are a small piece of English. For weights that the eye can check, see
# [lesson 2 of chapter 05](../05_transformer/lesson_2_training.ipynb), where each sound reads its letters.
#
# Last, the whole of attention without any library. Leo Dirac wrote it on a slide as a few lines of pseudo-code
# (minute 13 of the talk in the reading list); here they run, and give what the tensors give.

# %%
from qkv.nn.attention import attend_one_by_one

one_by_one = attend_one_by_one(toy.QUERY, toy.KEY, toy.VALUE)
assert torch.allclose(torch.tensor(one_by_one), output)
source(attend_one_by_one)

# %% [markdown]
# Match the lines: `scores` is step 1 and 2, `exponents` and `weights` are step 3, and the inner loop that adds
# `weight * entry` is step 4.
#
# Does a real model do this? Its attention is the one you built, to five digits; but on our pairs no single head of it
# follows the meaning the way our toy does.

# %% [markdown]
# ## Summary
#
# - A **query** asks, a **key** offers, and their dot product is a **score**.
# - Scores are divided by $\sqrt{d_k}$, masked where reading is forbidden, and turned into **weights** by softmax
#   along each row.
# - The **output** is the mix of the **values** in those weights, so it never leaves their triangle.
# - Loss and told accuracy can be perfect while attention is broken. Check the sums, and compare with a second
#   implementation.
# - A head's weights say where it reads. Count over many sentences, beside a baseline, before you say more.
#
# ### What the papers said, and what we measured
#
# - *Attention is* $\mathrm{softmax}(QK^\top/\sqrt{d_k})V$ (Vaswani et al., equation 1).
#   **Here:** equal to PyTorch's, and to the weights of a real model (sections 4 and 10).
# - *A dot product of independent entries with variance 1 has variance* $d_k$ (same, footnote 4).
#   **Here:** seen for coins (section 6).
# - *Large scores leave softmax extremely small gradients* (same, §3.2.1).
#   **Here:** seen for random vectors, where the median slope falls towards 0 (section 6).
# - *For large* $d_k$, *additive attention does better than undivided dot products* (same, §3.2.1).
#   **Here:** reproduced on a look-up task, with an interval (section 6).
#
# ### Common mistakes
#
# - **Softmax over the wrong axis.** Shows in the row sums, not in the loss.
# - **Dividing by the wrong root**, or twice, or not at all. Shows against a second implementation.
# - **Masking after softmax.** Shows in row sums below 1.
# - **A mask turned round.** Here and in PyTorch's `scaled_dot_product_attention`, `True` means "may attend"; in
#   `nn.MultiheadAttention` it means "blocked".
# - **Reading a weight as a reason.** It says where a head reads.
#
# ### Further reading
#
# - [The Illustrated Transformer](https://jalammar.github.io/illustrated-transformer/) by Jay Alammar: the same steps
#   in pictures.
# - [Attention Is All You Need](https://arxiv.org/abs/1706.03762), Vaswani et al., 2017. Read §3.2.
# - [Neural Machine Translation by Jointly Learning to Align and Translate](https://arxiv.org/abs/1409.0473),
#   Bahdanau, Cho and Bengio, 2015: additive attention.
# - [LSTM is dead, long live Transformers](https://www.youtube.com/watch?v=S27pHKBEp30), a talk by Leo Dirac, 2019:
#   the pseudo-code.
# - [Dive into Deep Learning, chapter 11](https://d2l.ai/chapter_attention-mechanisms-and-transformers/index.html):
#   attention with more mathematics.
# - [How Transformers work](https://theaisummer.com/transformer/), AI Summer: the way from here to the whole model.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. What do query, key and value each do?</summary>
#
# The query says what a word looks for, the key what a word offers. Together they make the weights. The value is what
# is handed over, in those shares.
#
# </details>
# <details><summary>2. Your loss is almost 0. Name two checks that attention must still pass.</summary>
#
# Each row of weights adds up to 1, and the result equals that of a second implementation on the same numbers. A
# third: changing a later word must not change an earlier output under a causal mask.
#
# </details>
# <details><summary>3. From chapter 00: the dot product of (1, 2, 3) and (0, 1, 1)? When is one 0?</summary>
#
# 1·0 + 2·1 + 3·1 = 5. It is 0 when what one vector has, the other lacks, or when plus and minus cancel. The vectors
# then stand at a right angle.
#
# </details>
#
# **Next.** The exercises of this chapter, where each mistake above is found by name. Then chapter 03: why one head is
# not enough.
