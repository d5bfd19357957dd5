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
# # ELMo, 2: two readers, one vector
#
# ## 1. What if the hint comes afterwards?
#
# > the **bank** paid him a hundred pounds
#
# > the **bank** of the stream was steep
#
# A reader goes through both from the left and stops at *bank*. It has read the same two words.
#
# <div class="predict">
#
# **Predict.** Can a perfect reader, endlessly trained, tell the two banks apart at this place?
#
# <details><summary>A. Yes, if it is large enough</summary>
#
# This tempts because larger models do read more out of a text. What has not been read yet, no size can read out.
#
# </details>
# <details><summary>B. No: it has read the same words, so it is in the same state</summary>
#
# Yes. The state is computed from what was read, and that was *the bank* both times.
#
# </details>
# <details><summary>C. Yes: it can guess what will come</summary>
#
# This tempts because guessing what comes is its trade. But the guess is made from the same words too, so it is the same
# guess.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - say how a model reads a word that it has never seen, and compute one filter by hand;
# - join two readers so that both halves of a vector speak of the same word;
# - find a leak that makes a loss wonderful and the model useless;
# - mix layers with shares and one factor, freeze them, and hand them to a tagger.
#
# **Time:** about 45 minutes. **Data:** our own ELMo, trained for this course on books, addresses, articles and short
# texts; *Emma*; and sentences of the Brown corpus with a part of speech on each word. You need lesson 1.
#
# <details><summary>Are you ready? Two questions</summary>
#
# *What does the state of an LSTM hold after three words?* What its gates kept of these three; of the fourth it knows
# nothing. If that is new, see [lesson 1](lesson.ipynb).
#
# *What do shares made by softmax add up to?* To 1; see [chapter 02](../02_attention/lesson.ipynb).
#
# </details>

# %%
from qkv.notebook import setup

setup()

# %%
import torch
from torch import nn
from torch.nn.functional import cosine_similarity, cross_entropy

from qkv.models.elmo import ELMo, reversed_by_length
from qkv.text.words import BEGIN, END, spell, tokens

elmo = ELMo.from_pretrained("elmo").requires_grad_(False)


def read(texts):
    """All layers (layers, b, t, 2 d), and each text's words between their marks."""
    words = [[BEGIN, *tokens(text), END] for text in texts]
    return elmo(torch.tensor(spell(words)), torch.tensor([len(each) for each in words])), words


# %%
layers, words = read(["the bank paid him a hundred pounds", "the bank of the stream was steep"])
paid, stream = layers[-1, :, words[0].index("bank")]
for name, half in {"from the left": slice(0, 128), "from the right": slice(128, 256)}.items():
    print(f"{name:14}  cosine of the two banks {cosine_similarity(paid[half], stream[half], dim=0):.3f}")
assert torch.allclose(paid[:128], stream[:128], atol=1e-5)
assert not torch.allclose(paid[128:], stream[128:], atol=1e-5)

# %% [markdown]
# From the left the two banks are one. A second reader, which begins at the end of the sentence, has seen *paid* or
# *stream* when it comes to *bank*, and its states differ. (Each reader gives half of the vector, 128 numbers.)
#
# **ELMo**, "embeddings from language models", is these two readers (Peters et al. 2018). Each is a language model, trained
# on plain text. What they learn on the way is then lent to other tasks: that is **transfer**, the subject of all chapters
# from here on.
#
# **Change** the texts, in a new cell, to *he went to the bank* and *he went to the bank again*. Which half differs now,
# and does that make sense?
#
# What if the hint comes afterwards? Then only a reader from the other end has it.

# %% [markdown]
# ## 2. How is a word read letter by letter?
#
# A table of words has no row for a name, a typing error or *unbankable*. ELMo has no table of words for reading. It spells:
# every word is a list of bytes between a mark for its begin and one for its end.
#
# Over the letters slide **filters**. A filter of width 2 is a pattern for two letters in a row; at each place it says how
# well they fit, and the **best** match of the whole word is kept. So the number says whether the pattern occurs, and not
# where.
#
# On paper: let *a*, *b*, *k*, *n* be the vectors $(1,0,0,0)$, $(0,1,0,0)$, $(0,0,1,0)$, $(0,0,0,1)$. A filter for *an*
# has two rows, the vectors of *a* and *n*. A match is the dot product of the first letter with the first row, plus that
# of the second letter with the second. Over *bank* the filter meets *ba*, *an*, *nk* and *k* with nothing behind it.
#
# <div class="predict">
#
# **Predict.** What are its four matches?
#
# <details><summary>A. 0, 2, 0, 0</summary>
#
# Yes. Both letters fit at *an*, and none at the other places: the *a* of *ba* stands where the filter wants an *n*.
#
# </details>
# <details><summary>B. 1, 2, 1, 0</summary>
#
# This tempts because *ba* holds an *a* and *nk* an *n*. A filter has an order: its first row meets the first letter.
#
# </details>
# <details><summary>C. 0, 1, 0, 0</summary>
#
# This tempts because the pattern occurs once. The match adds up over both letters, one for each that fits.
#
# </details>
# </div>

# %%
letter = dict(zip("abkn", torch.eye(4), strict=True))
pattern = torch.stack([letter["a"], letter["n"]])
for word in ("bank", "knab"):
    spelled = torch.stack([letter[each] for each in word] + [torch.zeros(4)])
    matches = [(spelled[i : i + 2] * pattern).sum().item() for i in range(len(word))]
    print(f"{word}: matches {matches}, best {max(matches)}")

# %% [markdown]
# *knab* has the same letters in another order, and its best match is half as large.
#
# The model has filters of several widths and learns their patterns. Behind them come two **highway layers**, which mix
# the matches and let through what needs no mixing, and a projection to the size of a word vector.
#
# Such a product at every place is called a **convolution**, and `Conv1d` does it for all filters at once. We take the
# filter of width 2 that answers *bank* most, by hand and against the module. (The mark of the begin is at place 0, so
# place 1 is *ba*.)

# %%
cnn = elmo.token
convolution, width = cnn.filters[1], cnn.widths[1]
letters = cnn.character(torch.tensor(spell([["bank"]])))[0, 0]
letters = torch.cat([letters, torch.zeros(width - 1, letters.shape[1])])  # a filter may hang over the end

by_module = convolution(letters.T[None])[0]  # (filters, places)
strongest = by_module.amax(-1).argmax()
pattern, bias = convolution.weight[strongest].T, convolution.bias[strongest]

# %%
matches = torch.stack([(letters[i : i + width] * pattern).sum() + bias for i in range(len(letters) - width + 1)])
print(f"filter {strongest} of width {width}: best match with bank {matches.amax():.4f}, at place {matches.argmax()}")
assert torch.allclose(matches, by_module[strongest], atol=1e-5)

# %%
from qkv.nn.char_cnn import CharCNN
from qkv.notebook import source

source(CharCNN)

# %% [markdown]
# What does such a vector know? For three spellings, one of them an error and one a word that nobody uses, we look for the
# nearest of the words that the model has learned to predict.

# %%
from qkv import assets

known = assets.weights("elmo")[1]["words"][:3000]
vectors = nn.functional.normalize(cnn(torch.tensor(spell([known]))[0]), dim=-1)
for word in ("riverr", "unbankable", "walkest"):
    asked = nn.functional.normalize(cnn(torch.tensor(spell([[word]]))[0]), dim=-1)
    print(f"{word:10} is near", ", ".join(known[i] for i in (vectors @ asked[0]).topk(5).indices))

# %% [markdown]
# What is near is spelled alike: beginnings, endings, length. That is what a word's letters can tell, and no more. Whether
# the meaning fits is luck.
#
# **Change** the list of words, in a copy of the cell: try your own name, and `"the"`. Then spell two words at once,
# `spell([["bank", "extraordinarily"]])`. The short one is padded to the length of the long one: does its vector change?
#
# How is a word read letter by letter? Patterns slide over it, each keeps its best match, and every spelling has a vector.

# %% [markdown]
# ## 3. How do two readers meet at one word?
#
# The reader from the right is a second LSTM of the same kind. It gets the sentence back to front and never meets the first.
# Both share the spelling below them and the scores of words above them (§3.1), nothing else.
#
# Two traps lie in "back to front". A batch has sentences of several lengths, filled up with padding, and `flip` would put
# the padding first. So each sentence is turned for itself. And its states come out back to front too, so they must be
# turned again, or the halves of a vector speak of two different words.

# %%
rows = torch.tensor([[1.0, 2, 3, 0, 0], [4, 5, 6, 7, 8]])[..., None]
lengths = torch.tensor([3, 5])
print("flip:     ", rows.flip(1)[..., 0].int().tolist())
print("by length:", reversed_by_length(rows, lengths)[..., 0].int().tolist())
assert torch.equal(reversed_by_length(reversed_by_length(rows, lengths), lengths), rows)

# %% [markdown]
# <div class="predict">
#
# **Predict.** At the word *bank* in *the bank paid him*, what does the reader from the right predict?
#
# <details><summary>A. paid, the next word</summary>
#
# This tempts because language models predict the next word. Coming from the right it has read *paid* already; it would
# only have to repeat it.
#
# </details>
# <details><summary>B. the, the previous word</summary>
#
# Yes. For this reader *the* is what comes next.
#
# </details>
# <details><summary>C. bank, the word itself</summary>
#
# This tempts because the state stands at *bank*. It has just read *bank*.
#
# </details>
# </div>
#
# We build ELMo's upper layer from its parts, in four lines, and compare with the model.

# %%
texts = ["the bank paid him", "they pulled the canoe up on the bank"]
sentences = [[BEGIN, *tokens(text), END] for text in texts]
characters, lengths = torch.tensor(spell(sentences)), torch.tensor([len(each) for each in sentences])

# %%
spelled = elmo.token(characters)
left = elmo.from_left(spelled)[-1]
right = elmo.from_right(reversed_by_length(spelled, lengths))[-1]
joined = torch.cat([left, reversed_by_length(right, lengths)], dim=-1)

# %%
expected = elmo(characters, lengths)[-1]
for row, length in enumerate(lengths):
    assert torch.allclose(joined[row, :length], expected[row, :length], atol=1e-5)
print("upper layer", tuple(expected.shape), "  sentences of", lengths.tolist(), "words, marks included")

# %% [markdown]
# How good are the two as language models? Each predicts the words of a sentence, the mark at its far end included.
# Words outside a list of six thousand count as `<unk>`, unknown, so these perplexities compare with each other alone.

# %%
from qkv.text.words import WordVocabulary
from qkv.training.batches import pad

vocabulary = WordVocabulary(assets.weights("elmo")[1]["words"])

# %%
ids = pad([vocabulary.encode(each) for each in sentences], 0)
nats, count = elmo.loss(characters, lengths, ids)
for name, loss in zip(("from the left", "from the right"), nats / count, strict=True):
    print(f"{name:14}  perplexity {loss.exp():.1f} on {count} predictions")

# %% [markdown]
# Two sentences about banks are a poor test. Here are hundreds of passages, whole books and articles among them of which
# the model has read nothing. Beside it stand **trigrams**: the counting of lesson 1, with two words before in place of
# letters. They read the same text and predict the same words. (biLM is the paper's short name for the two language
# models together.)

# %%
from qkv.recipes.claims import field, show_claim

for arm in ("biLM from left", "biLM from right", "trigrams"):
    print(f"{arm:16} perplexity {field('elmo-lm', f'perplexity {arm}')}")
show_claim("elmo-lm")

# %% [markdown]
# Both readers are ahead of counting, the one from the right by a little more.
#
# **Change** `reversed_by_length(right, lengths)` to `right` in a copy of the cell that joins, and copy the comparison
# below it: its `assert` fails. For which word of a sentence with an odd number of words would it have passed?
#
# How do two readers meet at one word? Each sentence is turned by its own length, the states are turned back, and then the
# halves are joined.

# %% [markdown]
# ## 4. Which loss is too good?
#
# PyTorch has an argument for all this: `nn.LSTM(…, num_layers=2, bidirectional=True)`. It halves the code. We train two
# small letter models on *Emma*: one with that argument, whose left half predicts the next letter, and one with two layers
# from the left alone.

# %%
import re

from qkv.data import load

SYMBOLS = "abcdefghijklmnopqrstuvwxyz .,"
text = " ".join(row["text"] for row in load("gutenberg")["train"] if row["book"] == "austen-emma").lower()
emma = torch.tensor([SYMBOLS.index(each) for each in re.sub(r"[^a-z.,]+", " ", text)])


# %%
class LetterModel(nn.Module):
    def __init__(self, both_ways, d=48):
        super().__init__()
        self.embedding, self.scores = nn.Embedding(len(SYMBOLS), 16), nn.Linear(d, len(SYMBOLS))
        self.lstm = nn.LSTM(16, d, num_layers=2, bidirectional=both_ways, batch_first=True)
        self.d = d

    def forward(self, ids):
        return self.scores(self.lstm(self.embedding(ids))[0][..., : self.d])  # the half from the left


# %%
def train(model, num_steps=250, length=32):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(num_steps):
        starts = torch.randint(len(emma) - length - 1, (16, 1))
        chunk = emma[starts + torch.arange(length + 1)]
        loss = cross_entropy(model(chunk[:, :-1]).flatten(0, 1), chunk[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


# %%
models = {}
for name, both_ways in {"from the left": False, "bidirectional=True": True}.items():
    torch.manual_seed(0)
    models[name] = LetterModel(both_ways)
    print(f"{name:18}  loss {train(models[name]):.3f}")

# %% [markdown]
# A wonderful loss, and half the code. Counting with four letters of context, in lesson 1, stayed far above it: nearly
# two bits, and a bit is about two thirds of a nat.
#
# <div class="predict">
#
# **Predict.** We give both models twenty letters and ask for the twenty-first, which neither has before its eyes. Who
# is better?
#
# <details><summary>A. The one with the smaller loss</summary>
#
# This tempts because a loss is meant to say who is better. It says so for the question that was asked in training, and
# there the answer lay open.
#
# </details>
# <details><summary>B. The one that reads from the left</summary>
#
# Yes. It has learned to guess; the other has learned to look the answer up.
#
# </details>
# <details><summary>C. Both alike: they read the same twenty letters</summary>
#
# This tempts because the inputs are the same. What they do with them was learned under different conditions.
#
# </details>
# </div>

# %%
torch.manual_seed(1)
starts = torch.randint(len(emma) - 21, (1000, 1))
chunk = emma[starts + torch.arange(21)]

# %%
with torch.no_grad():
    for name, model in models.items():
        loss = cross_entropy(model(chunk[:, :-1])[:, -1], chunk[:, -1])
        changed = chunk[:, :-1].clone()
        changed[:, -1] = (changed[:, -1] + 1) % len(SYMBOLS)
        moved = not torch.allclose(model(changed)[:, 0], model(chunk[:, :-1])[:, 0])
        print(f"{name:18}  loss on a letter it cannot see {loss:.3f}, state 0 has read letter 19: {moved}")
        assert moved == (name == "bidirectional=True")

# %% [markdown]
# The last word of each line is the evidence, and it needs no training: change the *last* letter, and the state at the
# *first* must stay. With `bidirectional=True` it moves. The first layer is innocent, for each half of it reads letters
# alone. The second layer reads both halves of the first, and so its left half has heard the future.
#
# The cure is what ELMo does: two stacks of layers that never meet, whose states are put side by side only afterwards.
# Where no words are predicted, as when each word is to get a label, `bidirectional=True` is right: such a model may
# read all.
#
# **Change** `num_layers=2` to `num_layers=1`. Does the state still move? (The `assert` will tell you: it expects the
# leak.)
#
# Which loss is too good? One below what counting can reach: look for a way in which the answer gets to the model.

# %% [markdown]
# ## 5. Is that reading both ways?
#
# ELMo's vector holds what was read from the left, and beside it what was read from the right. It looks as if it had read
# both. Has it?
#
# Let the left neighbour of a word be 0 or 1, and the right one too. The word means A when both are equal, and B when they
# differ. The left reader knows its number, the right reader knows its own, and a score is a sum of what the two halves
# say: $f(\text{left}) + g(\text{right})$. It should be above 0 for A and below 0 for B.
#
# <div class="predict">
#
# **Predict.** Are there numbers $f(0), f(1), g(0), g(1)$ that do it?
#
# <details><summary>A. Yes: four numbers for four cases</summary>
#
# This tempts because the counts agree. Add up the two cases of A: $f(0) + g(0) + f(1) + g(1)$. Add up those of B: the
# same four numbers. One sum cannot be above 0 and below 0.
#
# </details>
# <details><summary>B. No</summary>
#
# Yes. Both kinds of case have the same sum.
#
# </details>
# <details><summary>C. Only if the readers have more layers</summary>
#
# This tempts because layers help elsewhere. However deep, each reader knows one of the two numbers, and the last step is
# still a sum.
#
# </details>
# </div>

# %%
neighbours = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
wanted = torch.tensor([1.0, -1, -1, 1])[:, None]
halves = nn.functional.one_hot(neighbours).flatten(1).float()  # what the left knows, what the right knows
products = (halves[:, :2, None] * halves[:, None, 2:]).flatten(1)  # what both together know
for name, features in {"side by side": halves, "combined": products}.items():
    best = torch.linalg.lstsq(features, wanted, driver="gelsd").solution
    print(f"{name:12}  best scores {[round(score, 2) + 0.0 for score in (features @ best)[:, 0].tolist()]}")

# %% [markdown]
# `lstsq` looks for the numbers whose sums come closest to $1, -1, -1, 1$. Side by side, the best that a sum can do is
# to say nothing. Combined, which means with one number for each pair of neighbours, it is easy. So ELMo leaves the
# combining to the task: papers put an LSTM or attention on top, which reads both halves together.
#
# Why does ELMo not combine earlier? Because of section 4: whoever has heard both sides of a word cannot be asked for the
# word. Chapter 09 finds the way out, and hides the word from both.
#
# **Change** `wanted` to `[1.0, 1, -1, -1]`. Which reader alone knows the answer?
#
# Is that reading both ways? No: it is two one-way readings side by side, and something behind them must bring them
# together.

# %% [markdown]
# ## 6. Which layer should a task read?
#
# A model with two LSTM layers has three vectors for each word: the **token layer**, which is its spelling, and one from
# each LSTM layer. The last layer is the nearest to predicting words. That need not be what a task wants.
#
# ELMo lets the task choose. It learns one number $w_j$ per layer, makes shares of them with softmax, and one factor
# $\gamma$ for the size (equation 1):
#
# $$\gamma \sum_j s_j\, h_j \qquad s = \mathrm{softmax}(w)$$
#
# On paper: layers $(2, 0)$, $(0, 4)$ and $(2, 2)$, shares $1/2, 1/4, 1/4$, and $\gamma = 2$. The sum is
# $(1 + 0 + 0.5,\; 0 + 1 + 0.5)$, and twice that is $(3, 3)$.

# %%
from qkv.nn.scalar_mix import ScalarMix

three = torch.tensor([[[2.0, 0]], [[0, 4]], [[2, 2]]])
weights, gamma = torch.tensor([2.0, 1, 1]).log(), 2.0
by_hand = gamma * (weights.softmax(0)[:, None, None] * three).sum(0)

# %%
mix = ScalarMix(3)
mix.weights.data, mix.gamma.data = weights, torch.tensor(gamma)
print("shares", weights.softmax(0), "  mix", by_hand[0])
assert torch.allclose(mix(three), by_hand)

# %%
source(ScalarMix)

# %% [markdown]
# Before training the $w$ are 0 and the shares even. Two places of a network that read ELMo have a mix each, with weights of
# their own. The library AllenNLP counts them as `num_output_representations`, and many took that for the number of layers and
# wondered why all were equal.
#
# Which layer tells the two banks apart? Move the shares, one layer at a time. Then move $\gamma$, and watch which marks in
# the list change.

# %%
from qkv.figures import Mix

Mix()

# %% [markdown]
# In the token layer all ten are one point, for they are spelled alike. A layer that has read the sentence gives each bank a
# place of its own, and one of the two tells the senses apart better than the other. And γ changes no cosine: it makes all
# vectors longer or shorter, so that the task behind them gets numbers of the size that it is used to.
#
# **Change** nothing but $\gamma$, to its smallest. Each bank is tied by a line to the nearest other one: does one line
# get another partner?
#
# And if a task asks for grammar? Our ELMo stayed as it is, and one matrix learned to name **parts of speech**, noun,
# verb and so on, from a single layer or from a mix of all. Each matrix saw a thousand sentences in which every word has
# its label, called a **tag**, and was tested on a thousand from other texts. Layer 0 is the token layer.

# %%
for arm in ("layer 0", "layer 1", "layer 2", "all layers", "untrained layer 1"):
    print(f"{arm:18} right {field('elmo-layers', f'accuracy {arm}')}")
for other in ("layer 2", "layer 1"):
    print(f"all layers minus {other}:", field("elmo-layers", f"all layers minus {other}"))
show_claim("elmo-layers")

# %% [markdown]
# For grammar the first LSTM layer is ahead of the second, if not by much, and in the paper it is as well. Layer 0 knows
# the spelling alone. The mix is better than the last layer; that it is better than the first is not certain. So a task
# that may choose loses nothing.
#
# The row *untrained layer 1* is a control: the same layer with weights that nobody trained. What a layer knows of
# grammar comes from reading, not from its shape.
#
# Which layer should a task read? It learns that: one share per layer, and one factor for all.

# %% [markdown]
# ## 7. Does the model tell the banks apart?
#
# Back to lesson 1: which of the four sentences uses *bank* as the first does? It is the second. The columns are the layers of
# our model, and last the mean of all three.

# %%
FIRST = "he cashed a check at the bank"
FOUR = [
    "they pulled the canoe up on the bank",
    "that bank holds the mortgage on my home",
    "the plane went into a steep bank",
    "he sat on the bank of the river and watched the currents",
]

# %%
layers, words = read([FIRST, *FOUR])
banks = torch.stack([layers[:, i, each.index("bank")] for i, each in enumerate(words)])  # (5, layers, 2 d)
stacked = torch.cat([banks, banks.mean(1, keepdim=True)], dim=1)
print("token  first second   mean")
for vectors, text in zip(stacked[1:], FOUR, strict=True):
    print("  ".join(f"{cosine:.3f}" for cosine in cosine_similarity(stacked[0], vectors, dim=-1)), "", text)
assert torch.allclose(cosine_similarity(stacked[0, 0], stacked[1:, 0], dim=-1), torch.ones(4), atol=1e-5)

# %% [markdown]
# The token layer gives 1 four times, as any table of words would. The other columns differ, so each *bank* has a vector of
# its own place. Look for the largest number of each column: is it in the second row?
#
# It is not, and the row of the same sense comes last. A state knows the neighbours of a word better than anything else: two
# sentences that end with *the bank* look alike to it. And this model has read about three million words, where the
# published ELMo has read a thousand million.
#
# One puzzle proves nothing in either direction, so we counted. WordNet gives examples for the senses of a word. For 230
# words, such as *bank*, we asked whether two examples of one sense are nearer to each other than two of different senses.
#
# Guessing is right in half of the comparisons. So is a table of words (*static*, here the token layer), except where
# the word is written in two ways, such as *bank* and *banks*.

# %%
for arm in ("static", "averaged static", "biLM layer 1", "biLM layer 2", "MiniLM"):
    print(f"{arm:16} right {field('senses', f'right {arm}')}")
print("layer 2 minus layer 1:", field("senses", "layer 2 minus layer 1"))
show_claim("senses")

# %% [markdown]
# *Averaged static* is the mean of the static vectors over the whole sentence: it knows the neighbours, but not their
# order or which of them matters. Our ELMo is ahead of both and behind MiniLM. In the paper the second layer knows
# senses better than the first; here nothing tells the two apart.
#
# **Change** `read([FIRST, *FOUR])` to `read(["he sat down on the bank", *FOUR])`, in a copy of the cell with the
# cosines. Two sentences should win now: do they?
#
# Does the model tell the banks apart? It gives each its own vector. Counted over many words, the nearer one has the same
# meaning more often than chance would have it, and far from always.

# %% [markdown]
# ## 8. What is it worth to a tagger?
#
# A **tagger** says of each word which part of speech it is: here there are twelve. *Bank* can be a noun or a verb, and
# only the sentence tells. We have few sentences with tags, two hundred, and a language model that has read plain text
# for free.
#
# The model is **frozen**: `eval()` stops its dropout, `requires_grad_(False)` its learning. So each sentence is read once and
# its vectors are kept. On top comes the smallest tagger there is, one matrix.


# %%
def read_words(sentences):
    framed = [[BEGIN, *each, END] for each in sentences]
    lengths = torch.tensor([len(each) for each in framed])
    place = torch.arange(lengths.max())
    real = (place >= 1) & (place < lengths[:, None] - 1)  # without the marks
    return elmo(torch.tensor(spell(framed)), lengths)[:, real]


def features(rows):
    return read_words([row["words"] for row in rows]), torch.tensor([tag for row in rows for tag in row["coarse"]])


# %%
brown = load("brown")
train_layers, train_tags = features(brown["train"].shuffle(seed=0).select(range(200)))
test_layers, test_tags = features(brown["validation"].shuffle(seed=0).select(range(200)))
print(f"{len(train_tags):,} tagged words to learn from, {len(test_tags):,} to be tested on")

# %% [markdown]
# <div class="predict">
#
# **Predict.** One tagger gets the token layer alone: the spelling. Another gets a mix of all three layers, with shares that
# it learns. What does the second gain?
#
# <details><summary>A. Nothing: the ending of a word says what it is</summary>
#
# This tempts because endings say a lot: *-ly*, *-ing*, *-ness*. But *bank*, *that* and *her* have no ending to tell.
#
# </details>
# <details><summary>B. Some: it sees the words around</summary>
#
# Yes. Spelling knows most of it, and the neighbours decide where a spelling can be two things.
#
# </details>
# <details><summary>C. Nearly everything: a word alone says little</summary>
#
# This tempts after so much talk of *bank*. Most words are not like *bank*: they are nearly always the same part of speech.
#
# </details>
# </div>


# %%
def train_tagger(layers, tags, num_steps=150):
    torch.manual_seed(0)
    mix, matrix = ScalarMix(len(layers)), nn.Linear(layers.shape[-1], 12)
    optimizer = torch.optim.Adam([*mix.parameters(), *matrix.parameters()], lr=1e-2)
    for _ in range(num_steps):
        loss = cross_entropy(matrix(mix(layers)), tags)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return mix, matrix


# %%
before = elmo.word_scores.weight.clone()
right = {}
for name, used in {"token layer": slice(0, 1), "all layers": slice(0, 3)}.items():
    mix, matrix = train_tagger(train_layers[used], train_tags)
    right[name] = matrix(mix(test_layers[used])).argmax(-1) == test_tags
    shares = ", ".join(f"{share:.2f}" for share in mix.weights.softmax(0).tolist())
    print(f"{name:12} {right[name].float().mean():.1%} right, shares {shares}, γ {mix.gamma.item():.2f}")
assert torch.equal(before, elmo.word_scores.weight)

# %% [markdown]
# The last line of the cell checks that ELMo is what it was. The shares say which layers the tagger asked for; with one matrix
# and two hundred sentences, do not read more into them than that.
#
# **Change** the training to 20 sentences, `range(20)` in the line of `brown["train"]`. Who loses more, the spelling or
# the mix?
#
# How many labels is that worth? Now a tagger of a usual kind, a bidirectional LSTM; it may look both ways, since no tag is in
# its input. A character CNN of its own spells its words, and all of it learns, from ten sentences to ten thousand.
#
# Beside each word vector stands nothing; or the token layer of our ELMo, which knows no neighbours; or a mix of all three
# layers. Five seeds each, and in each seed the same sentences for all three.

# %% mystnb={"image": {"alt": "Labels right in percent against the number of labelled sentences, three lines with short bars. With 10 sentences the line without ELMo begins 20 points below the two others, which run close together, the one with all layers on top from 100 on. At 10,000 sentences all three are within two points."}}
from qkv import plots
from qkv.recipes import elmo_labels
from qkv.recipes.result import load as result

figure = plots.learning_curves({"parts of speech": elmo_labels.curves(result("elmo-labels"))})

# %%
print("with ELMo minus without, and what one sentence is worth; below, all layers minus the token layer")
for size in (10, 100, 1000, 10000):
    facts = (f"gain {size} characters and ELMo", f"worth {size}", f"{size} ELMo minus spelling")
    gain, worth, of_context = (field("elmo-labels", each) for each in facts)
    print(f"{size:5} {gain:43} {worth}\n{'':5} {of_context}")
for beside in ("characters", "characters and ELMo"):
    print(f"{beside:19} as good as the first at its best after {field('elmo-labels', f'steps 1000 {beside}')}")
show_claim("elmo-labels")

# %% [markdown]
# *What one sentence is worth*: how many a tagger without ELMo needs in its place. About ten and more, up to a
# thousand sentences: the paper's finding in kind, for which `1` % of the labels with ELMo did as much as `10` % without
# (§5.4). With ten thousand about a point of the lead is left.
#
# The last two lines are for a thousand sentences, and the paper has such a line, too: `10` passes with ELMo for `486`
# without. Here it is 50 steps for 600.
#
# Now look at the dashed line of the figure. The token layer alone has most of the lead, and it has never seen a
# neighbour. What it knows is English words: how they are spelled, and which of them are used alike. The layers that
# read the sentence add a point or so, and with ten sentences not even that is sure.
#
# What is it worth to a tagger? What the sentence adds to the spelling, learned from text that nobody had to label.

# %% [markdown]
# ## 9. Is it the same in `transformers`?
#
# The library has no ELMo. But a mix of layers fits any model that hands out its layers, and every model there does. MiniLM
# in five lines, its seven layers mixed with even shares:

# %%
from transformers import AutoModel, AutoTokenizer

folder = assets.folder("minilm")
tokenizer, minilm = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
inputs = tokenizer([FIRST, *FOUR], padding=True, return_tensors="pt")

# %%
with torch.no_grad():
    mixed = ScalarMix(7)(torch.stack(minilm(**inputs, output_hidden_states=True).hidden_states))
at_bank = mixed[inputs.input_ids == tokenizer.convert_tokens_to_ids("bank")]
cosines = cosine_similarity(at_bank[0], at_bank[1:], dim=-1)
for cosine, text in zip(cosines, FOUR, strict=True):
    print(f"{cosine:.3f}  {text}")
assert cosines.argmax() == 0

# %% [markdown]
# MiniLM is a Transformer, it has read far more text, and each of its layers reads both sides (chapter 09). And it puts the
# canoe first all the same. Both sentences end with *the bank*, and a vector tells of place and grammar as well as of meaning.
#
# A cosine weighs all that alike. A task that is trained, as in section 8, picks out the directions that it needs. So a
# vector may hold the meaning, and the nearest neighbour need not show it.
#
# **The limits of our ELMo.** It reads one sentence at a time. Its books bring the manners and prejudices of their time, and
# half of its text is presidents' addresses.
#
# Its word list has six thousand entries, so as a language model it says `<unk>` for everything rare. And a vector that
# differs from place to place is no proof that a meaning was understood.
#
# **Change** the mix to one layer alone: `mixed = minilm(**inputs, output_hidden_states=True).hidden_states[-1]`. Try
# `0` to `6` in place of `-1`, too. Does any layer of MiniLM put the second sentence first?
#
# Is it the same in `transformers`? The model is not there, and the mix fits any model that is.

# %% [markdown]
# ## Summary
#
# - A reader from the left knows nothing of what follows. ELMo has a **second reader** from the right.
# - Words are **spelled**: filters keep their best match, so every spelling has a vector.
# - Both readers are language models. They share spelling and word scores, and what one has read never reaches the other.
# - `bidirectional=True` in two layers **leaks**: the loss is wonderful, the model useless.
# - Two readings side by side are **not** one reading both ways. The task must combine them.
# - The **scalar mix** learns one share per layer and one γ. The rest is **frozen**.
# - With few labels ELMo's states are worth about ten times as many, or more. Most of that is in its **spelling**.
#
# ### Common mistakes
#
# - **A backward model that predicts the next word.** Shows in a loss near zero from one side.
# - **`flip` over padding.** Shows when a sentence stands beside a longer one.
# - **Halves of two different words joined.** Shows against the model's own layers.
# - **Raw weights in place of shares.** Shows when they are added up.
# - **Dropout left on**, or ELMo left to learn. Shows when a sentence is read twice.
#
# ### Further reading
#
# - [Deep contextualized word representations](https://arxiv.org/abs/1802.05365), Peters et al., 2018. Read §3 and §5.
# - [Character-Aware Neural Language Models](https://arxiv.org/abs/1508.06615), Kim et al., 2016: filters over letters.
# - [Training Very Deep Networks](https://arxiv.org/abs/1507.06228), Srivastava et al., 2015: highway layers.
# - [The Illustrated BERT, ELMo, and co.](https://jalammar.github.io/illustrated-bert/) by Jay Alammar, 2018: the same
#   readers in pictures.
# - [Dissecting Contextual Word Embeddings](https://arxiv.org/abs/1808.08949), Peters et al., 2018: what each layer knows.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. Why may a tagger use <code>bidirectional=True</code>, and a language model not?</summary>
#
# A tagger predicts tags, which are not in its input. A language model predicts words, and the second layer would have read
# them.
#
# </details>
# <details><summary>2. What does γ change, and what not?</summary>
#
# The length of every vector, and no direction: no cosine and no share.
#
# </details>
# <details><summary>3. From chapter 04: could attention without positions tell <em>the dog bit the man</em> from <em>the man bit
# the dog</em>, and can an LSTM?</summary>
#
# Attention alone could not, for it has no order. An LSTM can: its state depends on what came before what.
#
# </details>
#
# **Next.** The exercises of this chapter, where each mistake above is found by name. Then chapter 07: the whole language
# model is adapted to the task, instead of being frozen.
