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
# # Positions
#
# ## 1. What does attention know of order?
#
# > act · cat · tac
#
# Three words, each with an *a*, a *c* and a *t*.
# You say them differently, because you see which letter comes first.
# A trained model of this course says them differently too: it is a Transformer, made of attention, that reads letters
# and writes sounds (chapter 00).
#
# Now we switch off one small part of it: the numbers that tell it where each letter stands.
#
# <div class="predict">
#
# **Predict.** What does the model say for *act*, *cat* and *tac* now?
#
# <details><summary>A. The same as before: the letters still come in, one after the other</summary>
#
# This tempts because we hand over the letters in order. But attention looks at all of them at once. A list that
# nobody reads from left to right has no left and no right.
#
# </details>
# <details><summary>B. Three different kinds of nonsense</summary>
#
# This tempts because a broken machine makes noise. To say three different things, the model would have to see three
# different things.
#
# </details>
# <details><summary>C. The same sounds for all three</summary>
#
# Yes. Without positions the three words are one and the same bag of letters.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - prove in three lines that attention alone cannot see order, and test it;
# - write the table of waves that tells positions apart, and say what each column does;
# - find a mistake in it that neither the loss nor the usual checks show;
# - say what happens when a text is longer than all texts of training, and with which positions.
#
# **Time:** about 40 minutes. **Data:** three words of three letters, two hundred words of the CMU dictionary, and the
# real weights of two models: our own for pronunciation, and MiniLM. Everything is on your machine already.

# %%
from qkv.notebook import setup

setup()

# %% [markdown]
# The part that we switch off is a table called `waves`, one row per position.
# A table of zeros takes its place.

# %%
import torch

from qkv.models.transformer import Transformer
from qkv.pronounce import pronounce

speaker = Transformer.from_pretrained("g2p")
trained_waves = speaker.waves
for name, table in {"with positions": trained_waves, "without": torch.zeros_like(trained_waves)}.items():
    speaker.waves = table
    said = pronounce(speaker, ["act", "cat", "tac"])
    print(f"{name:14}", "  ".join(f"{' '.join(sounds):8}" for sounds in said))
    assert len(set(said)) == (3 if table.any() else 1)

# %% [markdown]
# Without the table, all three words sound like *cat*.
#
# That is a little unfair: this model learned with positions and lost them afterwards.
# So we also trained models that never had any, and counted how many test words they get wrong.
# The two lines before the box are those counts, in percent of words.

# %%
from qkv.recipes.claims import field, show_claim

print("words wrong with waves:    ", field("positions", "WER sinusoidal"))
print("words wrong without:       ", field("positions", "WER none"))
show_claim("positions")

# %% [markdown]
# A model that never had positions gets nine words in ten wrong. It can hardly do better, for it must say
# the same for *act*, *cat* and *tac*.
#
# Where does the order get lost? Take the sentence of chapter 02, give each word a random vector, and let *it* attend to
# all nine words. Then shuffle the sentence and ask again.

# %%
import re

from qkv import toy
from qkv.nn.attention import scaled_dot_product_attention

words = re.findall(r"\w+", toy.SENTENCE.lower())
torch.manual_seed(0)
vector = {word: torch.randn(4) for word in sorted(set(words))}
shuffled = [words[i] for i in torch.randperm(len(words))]

for sentence in (words, shuffled):
    rows = torch.stack([vector[word] for word in sentence])
    output, weights = scaled_dot_product_attention(vector["it"][None], rows, rows)
    share = weights[0, sentence.index("cat")]
    print(" ".join(sentence))
    print(f"    share of cat {share:.3f}   output", output[0])

# %% [markdown]
# The second sentence is word salad, and *it* cannot tell.
# A score is made from one query and one key, and neither knows where it stands.
# The output is a sum, and a sum does not care in which order it is added up.
#
# **Change** the two sentences, in a new cell: let them be "the cat left the mat" and "the mat left the cat". They tell
# two stories. Which number notices?
#
# What does attention know of order? Nothing: to attention a sentence is a bag of words.

# %% [markdown]
# ## 2. Can it be proved?
#
# One example is no proof. Here is one, in three lines.
# Let $P$ be the matrix that shuffles rows, so that $PX$ has the rows of $X$ in another order. Then $P^\top P = I$:
# shuffle, shuffle back, and nothing has changed.
#
# Queries, keys and values are $Q$, $K$ and $V$, as in chapter 02, and $W$ is the table of weights.
# The division by $\sqrt{d_k}$ treats all scores alike, so it is left out.
#
# 1. Scores: $(PQ)(PK)^\top = P\,(QK^\top)\,P^\top$. The same numbers, with rows and columns shuffled alike.
#
# 2. Weights: softmax works inside each row and only sees which numbers are there, so it gives $P\,W\,P^\top$.
#
# 3. Output: $(P W P^\top)(P V) = P\,W\,(P^\top P)\,V = P\,(WV)$. The old output, shuffled.
#
# So shuffling the words shuffles the outputs and changes none of them.
# The word for it is **permutation equivariance**: a permutation is a shuffle, and "equivariant" means that the output
# moves along with the input.
#
# A writing model also has the causal mask: each word reads only itself and what came before (chapter 02).
#
# <div class="predict">
#
# **Predict.** Does the proof still hold under a causal mask?
#
# <details><summary>A. No</summary>
#
# Yes, it fails. With the mask, a word's output depends on how many words come before it, and on which ones.
#
# </details>
# <details><summary>B. Yes: a mask only blocks, it adds no numbers</summary>
#
# This tempts because nothing is added to any vector. But the mask says *before*, and that word is about places.
# Shuffle the words, and other words come before.
#
# </details>
# <details><summary>C. Yes: the mask is the same triangle for every sentence</summary>
#
# This tempts because the triangle does not look at the words. That is the trouble. Line 1 would need the triangle to be
# shuffled with the words, and it stays where it is.
#
# </details>
# </div>
#
# A proof about paper is one thing, and our code another. A hundred random shuffles test the code.

# %%
from qkv.nn.masks import causal

query, key, value = torch.randn(3, 7, 4)  # three tables, each (t 7 × d_k 4)
for name, may_attend in {"no mask": None, "causal": causal(7)}.items():
    output, _ = scaled_dot_product_attention(query, key, value, may_attend)
    moved_along = 0
    for _ in range(100):
        order = torch.randperm(7)
        again, _ = scaled_dot_product_attention(query[order], key[order], value[order], may_attend)
        moved_along += torch.allclose(again, output[order], atol=1e-6)
    print(f"{name:8}  the output moved along with {moved_along} of 100 shuffles")
    assert moved_along == (100 if may_attend is None else 0)

# %% [markdown]
# Under the causal mask the first word reads one word, the second two, and so on: the mask alone says something about
# place.
# It is a weak clue. In section 9 we meet models that have the mask and no positions. On texts as long as those of
# training they do a little worse than all others.
#
# **Change** the test, in a new cell: keep the last word where it is and shuffle only those before it,
# `order = torch.cat([torch.randperm(6), torch.tensor([6])])`. Under the causal mask, which output never changes?
#
# Can it be proved? Yes: a shuffle $P$ passes through scores, softmax and mix and comes out as $P$ again, unless a mask
# speaks of places.

# %% [markdown]
# ## 3. How can a clock tell a position?
#
# So we must tell attention where each word stands. The plan: give each position a vector, and put it into the word's
# vector.
#
# Which vector? The number of the position itself, 0, 1, 2, …, grows without end and soon drowns everything else.
# Divided by the length of the sentence it stays small, but then "the third word" is another number in each sentence.
# We want numbers that stay small, and that mean the same in every sentence.
#
# A clock does both. Its hand stays on the dial, and hands of different speed together tell hours, minutes and
# seconds.
# At position 0 each hand points to the right.
#
# Let the first hand turn by 1 **radian** per position. A full turn has $2\pi$ radians, so this is a little less than a
# sixth of the dial.
# For a hand of length 1, the *sine* of its angle says how far up its tip is, and the *cosine* how far to the right.
#
# <div class="predict">
#
# **Predict.** One full turn takes $2\pi \approx 6.28$ positions. At which position, of the first hundred, does this hand
# come nearest to where it stood at position 0?
#
# <details><summary>A. At position 1, its neighbour</summary>
#
# This tempts because neighbours should look alike. This hand is fast: it has left by 1 radian. For neighbours to be
# alike we need slow hands.
#
# </details>
# <details><summary>B. At position 6, after nearly one turn</summary>
#
# This tempts because one turn is a little more than six positions. At 6 the hand is still well short of a full turn,
# and a later round fits better.
#
# </details>
# <details><summary>C. At position 44, after seven turns</summary>
#
# Yes. Seven turns are seven times 2π, and π is nearly 22/7, so they take almost exactly 44 positions.
#
# </details>
# </div>

# %%
import math

distance = {p: math.hypot(math.sin(p), math.cos(p) - 1) for p in range(1, 100)}
nearest_place = min(distance, key=distance.get)
for p in (1, 6, nearest_place):
    print(f"position {p:2}: the tip is {distance[p]:.3f} away from where it stood at 0")
assert nearest_place == 44

# %% [markdown]
# One hand cannot tell 44 from 0. A second, slow hand can: at position 44 it has moved, and not yet come round.
#
# The tip of a hand is two numbers, a sine and a cosine. A table with `d_model` columns has room for `d_model / 2`
# hands.
# Vaswani et al. make each hand slower than the one before, always by the same factor. Hand $i$ turns by
# $1 / 10000^{2i / d_{\text{model}}}$ radians per position (§3.5).
#
# With `d_model` 4 there are two hands, $i = 0$ and $i = 1$: the first turns by $1$, the second by
# $1 / 10000^{2/4} = 0.01$. Follow the rows on paper.


# %%
from qkv.notebook import show


def clock(length, d_model):
    rows = []
    for p in range(length):
        angles = [p / 10_000 ** (2 * i / d_model) for i in range(d_model // 2)]
        rows.append([tip for angle in angles for tip in (math.sin(angle), math.cos(angle))])
    return torch.tensor(rows)


columns = ["fast sin", "fast cos", "slow sin", "slow cos"]
show("table", clock(5, 4), [f"position {p}" for p in range(5)], columns, axes=("t", "d_model"))

# %% [markdown]
# Row 0 is 0, 1, 0, 1: both hands point to the right.
# The fast hand moves a lot from row to row, the slow one hardly.
#
# Now the tested version. It must give what we built.

# %% mystnb={"image": {"alt": "A table of 60 positions by 32 columns as shades from white, minus 1, to black, plus 1, row 0 at the top. The leftmost columns flicker from row to row; further right the stripes get longer; the right half hardly changes, grey for the sines and black for the cosines."}}
from qkv import plots
from qkv.nn.positions import sinusoidal
from qkv.notebook import source

assert torch.allclose(sinusoidal(60, 32), clock(60, 32), atol=1e-6)
figure = plots.tables({"sinusoidal(60, 32)": sinusoidal(60, 32)}, "position", "column")
source(sinusoidal)

# %% [markdown]
# Read the picture from left to right: fast hands flicker, slow hands drift.
# Each pair of columns is one hand.
#
# **Change** the size: `sinusoidal(1000, 32).abs().max()`, in a new cell. However far you go, no number leaves the
# range from $-1$ to $1$. And all rows have the same length: which one does `sinusoidal(1000, 32).norm(dim=-1)` tell?
#
# How can a clock tell a position? By many hands of different speed: the fast ones tell neighbours apart, the slow ones
# tell apart what the fast ones confuse.

# %% [markdown]
# ## 4. Why may positions be added?
#
# The Transformer *adds* the position's vector to the word's vector.
# Leo Dirac says of it that it is a strange thing to do, and that it works (minute 16 of the talk in the reading list).
# Strange indeed: from $7$ alone nobody can tell whether it was $3 + 4$ or $5 + 2$.
#
# MiniLM adds too. Its table of words has 30,522 rows, its table of positions 512, each row with 384 numbers.
#
# <div class="predict">
#
# **Predict.** We draw a word and a position, add their vectors, and hand you the sum. Can you find both again?
#
# <details><summary>A. Neither: a sum cannot be taken apart</summary>
#
# This tempts because it is true of single numbers. A vector of 384 numbers has 384 directions to put things in.
#
# </details>
# <details><summary>B. Both, practically always</summary>
#
# Yes. The next cell does it a thousand times. It looks for the word nearest to the sum, takes that word away, and looks
# for the position nearest to the rest.
#
# </details>
# <details><summary>C. The word, but not the position: its vectors are smaller</summary>
#
# This tempts because the larger part of a sum is easier to see. The smaller part is well visible when it points
# in a direction of its own.
#
# </details>
# </div>

# %%
from qkv.models.bert import BERT

minilm = BERT.from_pretrained("minilm")
word_table, position_table = minilm.token.weight.detach(), minilm.position.weight.detach()


def nearest(wanted, table):
    return torch.cdist(wanted, table).argmin(-1)


torch.manual_seed(0)
word, position = torch.randint(len(word_table), (1000,)), torch.randint(512, (1000,))
added = word_table[word] + position_table[position]
found = nearest(added, word_table)  # the word, with the position still on it
rest = added - word_table[found]
right_word, right_position = found == word, nearest(rest, position_table) == position
print(f"of 1000 sums: word found {right_word.sum()}, position found {right_position.sum()}")
assert right_word.float().mean() > 0.99
assert right_position.float().mean() > 0.99

# %% [markdown]
# How can that be? Word and position point in different directions.
# The **cosine** says how alike two directions are: 1 for the same, 0 for a right angle.
# In a plane two random directions are often alike; with hundreds of entries they almost never are.

# %%
from torch.nn.functional import normalize

pairs = {f"random, {size} entries": (torch.randn(1000, size), torch.randn(512, size)) for size in (2, 32, 384)}
pairs["MiniLM, word and position"] = word_table, position_table
for name, (first, second) in pairs.items():
    cosine = (normalize(first, dim=-1) @ normalize(second, dim=-1).T).abs().median()
    print(f"{name:25}  typical size of the cosine {cosine:.3f}")
assert cosine < 0.05

# %% [markdown]
# MiniLM's words and positions stand about as near to a right angle as random directions do.
# The query is made by a projection, and a projection takes a sum apart: $(w + p)\,W_q = wW_q + pW_q$. Such a matrix can
# keep the directions of words and shrink those of positions, or the other way round.
# So adding does what putting them side by side would do, without the extra columns.
#
# One more thing must fit: the sizes. Our Transformer draws its word vectors with a length of about 1, and the waves
# have a length of $\sqrt{d_{\text{model}} / 2}$, which is 8 for `d_model` 128.
# That is why it multiplies the word by $\sqrt{d_{\text{model}}}$ before adding (§3.4). We try both with 69 random
# vectors, one for each letter, sound and mark that our pronunciation model knows.

# %%
d_model = 128
letters, waves = torch.randn(69, d_model) / math.sqrt(d_model), sinusoidal(40, d_model)
letter, position = torch.randint(69, (1000,)), torch.randint(40, (1000,))
for factor in (1.0, math.sqrt(d_model)):
    scaled = factor * letters
    again = (nearest(scaled[letter] + waves[position], scaled) == letter).float().mean()
    lengths = f"letters of length {scaled[0].norm():4.1f}, positions of length {waves[0].norm():.1f}"
    print(f"{lengths}: {again:.0%} found again")

# %% [markdown]
# Without the factor the position drowns the letter; with it, both can be read.
# These vectors are untrained. A model can learn larger ones, but it would have to begin by doing so.
#
# **Change** `d_model` to 4 in that cell. In four columns there is little room for 69 vectors and forty positions.
#
# Why may positions be added? With many columns, word and position point in nearly perpendicular directions, so their
# sum keeps both.

# %% [markdown]
# ## 5. What does a step to the right do?
#
# Order matters most nearby: the word before, the word after. So a model should find it easy to say "one to the
# right", wherever it stands.
#
# A hand of speed $\omega$ stands at the angle $p\,\omega$. Three positions further on it stands at
# $(p + 3)\,\omega$.
#
# <div class="predict">
#
# **Predict.** Which 2 × 2 matrix takes the tip of a hand from position $p$ to position $p + 3$?
#
# <details><summary>A. One and the same for all p: a turn by 3ω</summary>
#
# Yes. A step to the right is a turn, and a turn is the same wherever it starts.
#
# </details>
# <details><summary>B. Another one for each p: the further the position, the larger the step</summary>
#
# This tempts because the angle grows with the position. The *difference* of the two angles does not.
#
# </details>
# <details><summary>C. Another one for each p: it depends on where the hand points</summary>
#
# This tempts because the tip moves up when the hand points to the right, and down when it points to the left. Both
# are one and the same turn.
#
# </details>
# </div>
#
# Write the tip as (sine, cosine). Then the matrix of a turn by the angle $a$ is
# $\begin{pmatrix} \cos a & \sin a \\ -\sin a & \cos a \end{pmatrix}$.

# %%
table, step = sinusoidal(1000, 4), 3
for hand, speed in enumerate([1.0, 0.01]):
    cos, sin = math.cos(step * speed), math.sin(step * speed)
    tips = table[:, 2 * hand : 2 * hand + 2]
    turned = tips[:-step] @ torch.tensor([[cos, sin], [-sin, cos]]).T
    print(f"hand {hand}: largest error over {len(turned)} positions {(turned - tips[step:]).abs().max():.6f}")
    assert torch.allclose(turned, tips[step:], atol=1e-5)

# %% [markdown]
# One matrix serves all positions: that is what the school formula for $\sin(a + b)$ says.
#
# The dot product of two rows follows. Each hand adds the cosine of the angle between its two tips:
#
# $$\mathrm{PE}_p \cdot \mathrm{PE}_q = \sum_i \cos((q - p)\,\omega_i)$$
#
# Only the distance is left.

# %%
table = sinusoidal(200, 32)
product = table @ table.T
for p in (0, 50, 190):
    print(f"row {p:3} times the row 3 further on {product[p, p + 3]:.4f}, 9 further on {product[p, p + 9]:.4f}")
    assert torch.allclose(product[p, p + 3], product[0, 3], atol=1e-4)

# %% [markdown]
# Which promises does the table keep, and which of them break when it is built with a mistake?
# Move the position and the offset first. Then choose a mistake from the list, and read the five lines below the dials.

# %%
from qkv.figures import Clock

Clock()

# %% [markdown]
# A step to the right turns each hand by its own angle, the same from every position. Some mistakes keep even that
# promise, and the next section commits one.
#
# **Change** the offset to its negative, on paper: is the dot product with the row 3 *before* another one? The cosine
# does not see signs, so the plain dot product does not tell left from right. A turn does, and a query can learn one.
#
# What does a step to the right do? It turns every hand by an angle that depends on the step alone, so the dot product
# of two rows depends on their distance alone.

# %% [markdown]
# ## 6. Which formula is right?
#
# Here is the table once more, typed from memory.
# The paper's exponent is $2i / d_{\text{model}}$, and so it says below.


# %%
def from_memory(length, d_model):
    i = torch.arange(0, d_model, 2)
    angle = torch.arange(length)[:, None] / 10_000 ** (2 * i / d_model)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


suspect = from_memory(60, 32)
assert suspect.shape == sinusoidal(60, 32).shape
assert suspect.abs().max() <= 1
assert torch.equal(suspect[0], sinusoidal(60, 32)[0])

# %% [markdown]
# The shape is right, no number leaves the range, and row 0 is 0, 1, 0, 1.
# Does it train? We take the copy task of chapter 02: eight letters, repeated one by one. *Told* is the share of right
# letters when the true ones before are given, *alone* the share when the network reads its own.
#
# Without any positions the network can hardly copy; a table of zeros shows what that looks like.

# %% mystnb={"image": {"alt": "Training loss against training step on a logarithmic scale, for the tested table, solid, and the one typed from memory, dashed and red. The tested one falls first; both have come down from above 2 to about 0.002 after 300 steps."}}
from qkv.inspection.copy_task import D_MODEL, LENGTH, train_copier

size = 2 * LENGTH + 1, D_MODEL
versions = {"tested": sinusoidal(*size), "from memory": from_memory(*size), "zeros": torch.zeros(size)}
runs = {name: train_copier(scaled_dot_product_attention, positions=table) for name, table in versions.items()}
for name, run in runs.items():
    print(f"{name:11}  loss {sum(run.losses[-10:]) / 10:.3f}  told {run.told:.2f}  alone {run.alone:.2f}")

assert runs["tested"].alone == runs["from memory"].alone == 1
assert runs["zeros"].alone < 0.5
figure = plots.losses({name: runs[name].losses for name in ("tested", "from memory")})

# %% [markdown]
# The loss falls as it should, and even writing alone, which found the mistake of chapter 02, is perfect.
# And yet the table is not the paper's.
#
# <div class="predict">
#
# **Predict.** Which check tells the two tables apart?
#
# <details><summary>A. The length of the rows: it must be the same for all</summary>
#
# This tempts because sine and cosine of *one* angle give a length of 1 per hand. Here, too, both have the same angle.
# It is the wrong one.
#
# </details>
# <details><summary>B. The dot products: they must depend on the distance alone</summary>
#
# This tempts because it is the beautiful property of section 5. It holds for hands of any speed, so also for hands of
# the wrong speed.
#
# </details>
# <details><summary>C. Neither. Only the numbers themselves</summary>
#
# Yes. A table with other speeds is a perfectly good clock. It is another clock.
#
# </details>
# </div>
#
# The package holds five mistakes met in public code, ours among them, and the five promises as checks. A ✓ says that
# the promise is kept.

# %%
from qkv.inspection.waves import PROPERTIES, VERSIONS

assert torch.allclose(VERSIONS["doubled exponent"](60, 32), suspect, atol=1e-5)
for number, promise in enumerate(PROPERTIES, start=1):
    print(number, promise)
print(f"\n{'':22}", *range(1, 6), sep="  ")
for name, build in VERSIONS.items():
    kept = [keeps(build(60, 32)) for keeps in PROPERTIES.values()]
    print(f"{name:22}", *("✓" if keeps else "✗" for keeps in kept), sep="  ")
    assert kept[-1] == (name == "formula")

# %% [markdown]
# Four promises are blind to our mistake; the last check is not. It needs one number worked out by hand.
# With `d_model` 4 the second hand turns by $0.01$ per position; let us look.

# %%
print("second hand, one step:  tested", f"{sinusoidal(2, 4)[1, 2]:.4f}", f"  from memory {from_memory(2, 4)[1, 2]:.4f}")


def corrected(length, d_model):
    even = torch.arange(0, d_model, 2)  # this is 2i already
    angle = torch.arange(length)[:, None] / 10_000 ** (even / d_model)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


assert torch.allclose(corrected(60, 32), sinusoidal(60, 32), atol=1e-5)

# %% [markdown]
# `torch.arange(0, d_model, 2)` counts 0, 2, 4, …, so it is $2i$ already, and the code doubled it again.
# The fix is to call it what it is.
#
# Does it matter, if it trains? It does as soon as the weights and the table come from two places.
#
# Our pronunciation model learned with the right table; let it read two hundred test words with the others.
# This model is larger than those of section 1 and was trained longer, so it gets fewer words wrong.

# %%
from qkv.recipes import pronunciation
from qkv.scoring.edit_distance import word_error_rate

tested = pronunciation.splits(pronunciation.PRESETS["full"])["test"][::50][:200]
wrong = {}
for name, build in VERSIONS.items():
    speaker.waves = build(*trained_waves.shape)
    wrong[name] = word_error_rate(pronunciation.answer(speaker, tested, beam_size=1, alpha=0.0))
    print(f"{name:22}  words wrong {wrong[name]:.0%}")
speaker.waves = trained_waves
assert wrong["doubled exponent"] > wrong["formula"] + 0.2

# %% [markdown]
# Some wrong tables ruin the model, and others hardly show.
# So a good score does not prove the table right, either.
#
# **Change** `cosine_ahead` in a new cell: `from qkv.inspection.waves import waves`, then `waves(60, 32,
# cosine_ahead=1)`. Which promises break, and why does row 0 keep its own?
#
# Which formula is right? The one whose numbers equal the paper's, and only exact values catch every mistake.

# %% [markdown]
# ## 7. Learned or computed?
#
# There is another way: let training find the table.
# Start with random rows, one per position, and treat them like all other weights. GPT and BERT do so (chapters 08
# and 09), and the Transformer's authors tried it.

# %%
print("words wrong with a learned table:", field("learned-positions", "WER learned"))
show_claim("learned-positions")

# %% [markdown]
# "Equivalent" means more than "we saw no difference": the whole interval lies within two points, a margin that was
# written down before the run. It speaks of short words and of short training.
#
# So what does a learned table look like? MiniLM's came out of training, and no formula ties its row 100 to row 101.
#
# <div class="predict">
#
# **Predict.** For each of the 512 rows we look for the row most like it. In how many is that a neighbour, the row
# before or after?
#
# <details><summary>A. In a handful: rows are learned one by one</summary>
#
# This tempts because no formula ties the rows together. Training does, for what is said at place 100 might as well
# have been said at 101.
#
# </details>
# <details><summary>B. In nearly all</summary>
#
# Yes, as the next cell counts, beside two baselines.
#
# </details>
# <details><summary>C. In about half: early rows are used often, late ones rarely</summary>
#
# This tempts because most texts are short. Yet the late rows were used often enough, as the count shows.
#
# </details>
# </div>

# %% mystnb={"image": {"alt": "Two tables of cosines between the first 100 positions, dark where two rows are alike. MiniLM, learned: a dark diagonal and many stripes parallel to it, about six positions apart, fading and returning. Waves: a dark diagonal that fades evenly to both sides, almost without stripes."}}
from qkv.inspection.waves import neighbours_nearest

torch.manual_seed(0)
tables = {
    "MiniLM, learned": position_table,
    "waves": sinusoidal(512, 384),
    "rows shuffled": position_table[torch.randperm(512)],
    "smooth noise": torch.randn(519, 384).unfold(0, 8, 1).mean(-1),  # each row the mean of 8 random ones
}
for name, table in tables.items():
    print(f"{name:16}  neighbour nearest in {neighbours_nearest(table).sum():3} of 512")
alike = {name: normalize(tables[name][:100], dim=-1) for name in ("MiniLM, learned", "waves")}
figure = plots.tables({name: table @ table.T for name, table in alike.items()}, "position", "position")

# %% [markdown]
# Training put neighbours next to each other in all rows but one.
# That alone is little: smooth noise does it too, a table in which each row shares seven of its eight parts with the
# next.
#
# But look at the stripes of MiniLM. Rows a few places apart are alike, then less alike, then alike again: something
# comes round. Is there a clock in it?
#
# If so, one matrix takes every row ten steps on, as in section 5. We fit the best such matrix on the first half of the
# table and judge it on the second.
# A score of 1 is exact, and 0 is no better than a constant.
#
# For comparison we add a table of five true hands. Row 0 is left out; we come to it.

# %%
from qkv.inspection.waves import one_matrix_steps

candidates = {name: table[1:] for name, table in tables.items() if name != "waves"}
candidates["waves, five hands"] = sinusoidal(511, 10)
for name, table in candidates.items():
    print(f"{name:18} one matrix for ten steps: {one_matrix_steps(table, step=10):5.2f}")

# %% [markdown]
# True hands give 1 and noise, smooth or shuffled, gives nothing. MiniLM stands in between: half a clock.
#
# How fast would its hands be? A Fourier transform finds the strongest waves in the columns.
#
# And how many hands are there? Each takes two directions of the 384. So we also ask how much of the table lies in the
# ten directions that hold most of it.

# %%
from qkv.inspection.waves import periods

for name in ("MiniLM, learned", "rows shuffled"):
    print(f"{name:15}  positions per turn:", [round(period, 1) for period in periods(tables[name][1:])])
sizes = torch.linalg.svdvals(position_table[1:] - position_table[1:].mean(0)).square()
print(f"ten of 384 directions hold {sizes[:10].sum() / sizes.sum():.0%} of the table")

# %% [markdown]
# Five waves, each about three times as long as the one before, as if somebody had chosen the speeds. And ten
# directions, room for five hands, hold nearly all of the table.
#
# The shuffled rows have no such order. The slowest two waves are known only roughly, for the table ends after one or
# three of their turns.
#
# No formula forces this. How the table began before training we do not know, and we looked at one model: others may
# have learned something else.
#
# And which row is the exception, without a neighbour?

# %%
odd = (~neighbours_nearest(position_table)).nonzero().flatten().tolist()
lengths = position_table.norm(dim=-1)
print(f"no neighbour nearest: rows {odd}")
print(f"length of row 0: {lengths[0]:.2f}   in the middle of all rows: {lengths.median():.2f}")
assert odd == [0]
assert lengths[0] > 2 * lengths[1:].max()

# %% [markdown]
# Row 0 is several times as long as a usual row and like none of them: at position 0 there always stands `[CLS]`, never
# a word.
#
# A learned table has an end. MiniLM has 512 rows, and for token 513 there is none.

# %%
try:
    minilm(torch.full((1, 513), 1000))
except ValueError as error:
    print(error)

# %% [markdown]
# **Change** `step=10` to 1, 50 and 100. True hands keep their 1 however far the step goes; how far does MiniLM's
# clock carry?
#
# Learned or computed? On short words they do equally well; the learned table that we looked at is half a clock, and a
# learned table ends where training ended.

# %% [markdown]
# ## 8. Could positions turn the queries? ★
#
# Waves are added to the words, once, before all else. What attention then compares is
# $(w + p)\,W_q$ with $(w' + p')\,W_k$.
# In section 5 the product of two rows saw only the distance. Here words and positions are mixed, and the learned
# matrices come between.
#
# Another idea: leave the words alone, and turn each query and each key by the angle of its position, right
# before they meet (Su et al. 2021). Each pair of entries is a hand. This is **RoPE**, rotary position embedding.
#
# <div class="predict">
#
# **Predict.** The same five words stand at positions 0 to 4, and in another text at 100 to 104. Whose attention
# weights are the same in both?
#
# <details><summary>A. Those of added waves and of RoPE: both depend on the distance alone</summary>
#
# This tempts because of section 5. There, rows of waves met rows of waves. In attention a word also meets a position,
# and that term changes with the place.
#
# </details>
# <details><summary>B. Those of RoPE only</summary>
#
# Yes. A query turned by its position and a key turned by its own: what is left in their product is the
# difference.
#
# </details>
# <details><summary>C. Neither: 100 is not 0</summary>
#
# This tempts because all angles differ. They differ by the same amount for query and key, and the dot product does
# not notice when both are turned alike.
#
# </details>
# </div>

# %%
from qkv.nn.positions import RotaryPositions

torch.manual_seed(0)
words, w_query, w_key = torch.randn(5, 16), torch.randn(16, 16) / 4, torch.randn(16, 16) / 4
waves, rotary = sinusoidal(200, 16), RotaryPositions(16)
seen = {}
for start in (0, 100):
    x = words + waves[start : start + 5]
    _, added = scaled_dot_product_attention(x @ w_query, x @ w_key, words)
    _, turned = scaled_dot_product_attention(rotary(words @ w_query, start), rotary(words @ w_key, start), words)
    seen[start] = added, turned
    print(f"from {start:3}   added", added[2])
    print("           RoPE ", turned[2])
assert torch.allclose(seen[0][1], seen[100][1], atol=1e-5)
assert not torch.allclose(seen[0][0], seen[100][0], atol=0.01)

# %% [markdown]
# With RoPE the weights are the same wherever the text begins. No length changes, for a turn keeps lengths, and the
# values are not turned at all: what is handed over carries no position.
#
# Modern models such as Llama use it. Here are our hands and theirs, on the same queries:

# %%
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

query = torch.randn(1, 3, 7, 16)  # (b 1, h 3, t 7, d_k 16)
config = LlamaConfig(hidden_size=48, num_attention_heads=3, head_dim=16)
cos, sin = LlamaRotaryEmbedding(config)(query, torch.arange(7)[None])
theirs, _ = apply_rotary_pos_emb(query, query, cos, sin)
assert torch.allclose(rotary(query), theirs, atol=1e-5)

# %%
source(RotaryPositions)

# %% [markdown]
# One trap is left. Su et al. turn the neighbours 2i and 2i + 1 together; Llama and we turn i and i + half. Both are
# right, and weights trained for one do not fit the other. That is section 6 again.
#
# **Change** one side only, in a new cell: turn the queries from 100 and the keys from 0. Now each distance is 100
# larger, and the weights move.
#
# Could positions turn the queries? Yes: turn query and key by the angle of their places, and their score knows the
# distance and no place.

# %% [markdown]
# ## 9. What happens beyond the length of training? ★
#
# Waves and turns can be computed for any position. The authors of the Transformer chose waves partly for that:
#
# > We chose the sinusoidal version because it may allow the model to extrapolate to sequence lengths longer than the
# > ones encountered during training. (Attention Is All You Need, §3.5)
#
# A third way is even plainer: add nothing to the words, and take points off a score, the more the further away the key
# is. This is **ALiBi**, "attention with linear biases" (Press et al. 2022). Each head has its own rate.

# %%
from qkv.nn.positions import alibi_bias, alibi_slopes

print("rates of eight heads:", *[f"1/{1 / slope:.0f}" for slope in alibi_slopes(8).tolist()])
four = ["the", "cat", "was", "hungry"]
show("taken off, head 0", -alibi_bias(8, 4)[0], four, four)

# %% [markdown]
# What lies in the future is left at 0 here, for the causal mask blocks it anyway.
#
# Suppose that all scores are equal. Then the bias alone decides.

# %%
_, plain = scaled_dot_product_attention(*torch.zeros(3, 4, 2), causal(4))
_, nearer = scaled_dot_product_attention(*torch.zeros(3, 4, 2), causal(4), bias=alibi_bias(8, 4)[0])
print("weights of the last word, without", plain[3])
print("                          with   ", nearer[3])
assert nearer[3].diff().min() > 0

# %% [markdown]
# The nearest word gets the most.
#
# Now the test. Small models learned to guess the next letter from 64 letters of English books. Then they read a book
# that they do not know, with up to 512 letters before their eyes.
#
# <div class="predict">
#
# **Predict.** Whose loss does not rise when the text is longer than in training?
#
# <details><summary>A. That of ALiBi</summary>
#
# Yes. Far keys lose points, so an unknown distance weighs next to nothing.
#
# </details>
# <details><summary>B. That of the waves: the formula goes on for ever</summary>
#
# This tempts because there is a row for every position. The model has never seen these rows, and what it learned
# about the others does not tell it what to do.
#
# </details>
# <details><summary>C. That of RoPE: only distances count, and small distances are known</summary>
#
# This tempts because of section 8. But a longer text also has longer distances, and keys at such distances get
# scores that no training has set right.
#
# </details>
# </div>

# %%
arms = {"sinusoidal": "waves", "rotary": "RoPE", "ALiBi": "ALiBi", "none": "none, causal mask only"}
for arm, name in arms.items():
    losses = [field("length-extrapolation", f"loss {length} {arm}.mean") for length in (64, 128, 256, 512)]
    print(f"{name:23}", "  ".join(losses))
print(f"{'learned':23}", field("length-extrapolation", "loss 64 learned.mean"), " and there the table ends")
show_claim("length-extrapolation")

# %% [markdown]
# The columns are 64, 128, 256 and 512 letters. The 64 letters that are scored are always the same ones; only the text
# before them grows.
# Waves fail as soon as the text is longer, RoPE later but in the end as badly, and ALiBi does not fail.
# The models with only a mask are a little worse at 64 than all others, as section 2 said, and beyond it better than the
# waves.
#
# Two doubts. These models are small and far from finished, and with more training the others may fail more gently or
# more steeply. And ALiBi's loss stays level, which is no sign that it uses the distant text: its penalty nearly
# hides it.
#
# **Change** the head in `alibi_bias(8, 4)[0]` to the last one, `[7]`. Its rate is so small that the four weights are
# nearly equal: this head can read far.
#
# What happens beyond the length of training? A learned table ends, waves and RoPE go on and the loss rises, and ALiBi
# holds because far keys hardly count.

# %% [markdown]
# ## Summary
#
# - Attention is **permutation equivariant**: shuffle the words, and the outputs are shuffled and otherwise the same.
# - **Waves** give each position a row of clock hands. A step turns each hand by an angle of its own, the same from
#   every position.
# - Positions may be **added**, because hundreds of columns leave room for directions of their own; $\sqrt{d_{\text{model}}}$
#   keeps the word from drowning.
# - A wrong table trains as well as the right one. Compare exact values.
# - **RoPE** turns queries and keys, **ALiBi** takes points off for distance. Of all these, only ALiBi coped with
#   texts longer than those of training.
#
# ### What the papers said, and what we measured
#
# - *Since the model has no recurrence and no convolution, positions must be put in* (Vaswani et al., §3.5).
#   **Here:** proved, tested, and reproduced with an interval (sections 1 and 2).
# - *For any fixed offset, the later row is a linear function of the earlier one* (same).
#   **Here:** it is a rotation, checked at a thousand positions (section 5).
# - *Learned positions and waves do about equally well* (same, Table 3, row E).
#   **Here:** equivalent on pronunciation, within a margin stated before (section 7).
# - *Waves may let the model read longer texts than in training* (same, §3.5).
#   **Here:** not seen; the loss rises at once (section 9).
# - *ALiBi does* (Press et al. 2022).
#   **Here:** reproduced, with small models on one book (section 9).
#
# ### Common mistakes
#
# - **The exponent doubled**, when a counter that is $2i$ already is doubled again. Shows in exact values only.
# - **The cosine with an exponent of its own.** Shows in the length of the rows.
# - **Sines left, cosines right** where neighbours are expected. Shows in row 0.
# - **Positions that start at 1.** Shows in row 0.
# - **No** $\sqrt{d_{\text{model}}}$, or twice. Shows in the lengths of word and position.
# - **RoPE pairs of another kind** than the weights were trained with. Shows against a second implementation.
#
# ### Further reading
#
# - [Attention Is All You Need](https://arxiv.org/abs/1706.03762), Vaswani et al., 2017. Read §3.4 and §3.5.
# - [LSTM is dead, long live Transformers](https://www.youtube.com/watch?v=S27pHKBEp30), a talk by Leo Dirac, 2019:
#   minute 16.
# - [Transformer Architecture: The Positional Encoding](https://kazemnejad.com/blog/transformer_architecture_positional_encoding/)
#   by Amirhossein Kazemnejad: the same waves with other pictures.
# - [RoFormer](https://arxiv.org/abs/2104.09864), Su et al., 2021: turning the queries.
# - [Train Short, Test Long](https://arxiv.org/abs/2108.12409), Press, Smith and Lewis, 2022: ALiBi.
# - [Transformer Language Models without Positional Encodings Still Learn Positional
#   Information](https://arxiv.org/abs/2203.16634), Haviv et al., 2022: what the causal mask alone tells.
# - [What Do Position Embeddings Learn?](https://arxiv.org/abs/2010.04903), Wang and Chen, 2020: the learned tables of
#   several models.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. Why can attention without positions not tell <em>act</em> from <em>cat</em>?</summary>
#
# A score is made from one query and one key, and the output is a sum over all keys. Neither says where a letter
# stands, so shuffled letters give the same outputs, shuffled.
#
# </details>
# <details><summary>2. Your table of waves has rows of equal length and its dot products depend on distance alone. Is
# it right?</summary>
#
# Not necessarily. Hands of any speed have both properties. Work out one number by hand and compare, or compare with a
# second implementation.
#
# </details>
# <details><summary>3. From chapter 02: which sums of the weights must be 1, and what is left of a blocked
# key?</summary>
#
# Each row, for it belongs to the word that asks. A blocked key has a score of −∞ before softmax and so a weight of
# exactly 0.
#
# </details>
#
# **Next.** The exercises of this chapter, where each mistake above is found by name. Then chapter 05: attention and
# positions become a whole Transformer.
