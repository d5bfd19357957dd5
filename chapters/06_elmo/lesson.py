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
# # ELMo, 1: a model that reads word by word
#
# ## 1. Which bank is meant?
#
# > he cashed a check at the **bank**
#
# 1. they pulled the canoe up on the **bank**
# 2. that **bank** holds the mortgage on my home
# 3. the plane went into a steep **bank**
# 4. he sat on the **bank** of the river and watched the currents
#
# One of the four uses *bank* as the first line does. You saw it at once: the second.
#
# Now we ask a table of word vectors. It has one row for each word, and *bank* is a word. The rows come from MiniLM, a
# model that has read a great deal of English; chapter 04 used the same table. The **cosine** says how alike two vectors
# are: 1 for the same direction.
#
# <div class="predict">
#
# **Predict.** We compare the vector of *bank* in the first line with that of *bank* in each of the four. Where is the
# cosine largest?
#
# <details><summary>A. In sentence 2: both banks have to do with money</summary>
#
# This tempts because the meanings are alike. But the table has never seen these sentences. It is asked for *bank*, and
# it answers for *bank*.
#
# </details>
# <details><summary>B. In sentences 1 and 4: the river is the older meaning</summary>
#
# This tempts because one meaning may be the usual one in what the table has learned from. Whatever that was, it went
# into one row, and the row is the same for all.
#
# </details>
# <details><summary>C. It is 1 in all four</summary>
#
# Yes. One vector per word is a vector per *spelling*: it cannot know in which sentence it stands.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - compute one step of an LSTM on paper, and prove your cell equal to `nn.LSTM`;
# - say what a language model is, and turn its loss into perplexity and into bits per character;
# - build a baseline by counting, and say honestly whether a network beats it;
# - find an exchange of two gates that no shape and no loss would show.
#
# **Time:** about 45 minutes. **Data:** five example sentences of WordNet, two novels by Jane Austen, and MiniLM's table.
# Everything is on your machine already.
#
# <details><summary>Are you ready? Two questions</summary>
#
# *A model gives the right symbol a probability of one half. What is its loss in nats?* It is $\ln 2$, about `0.69`; if
# that is new, see [chapter 00](../00_start/lesson.ipynb).
#
# *What is the mean of a loss over a batch with padding?* The sum over real places divided by their number; if that is
# new, see [chapter 05](../05_transformer/lesson_2_training.ipynb).
#
# </details>

# %%
from qkv.notebook import setup

setup()

# %%
import torch
from torch.nn.functional import cosine_similarity

from qkv.models.bert import BERT
from qkv.text.wordpiece import WordPiece

FIRST = "he cashed a check at the bank"
FOUR = [
    "they pulled the canoe up on the bank",
    "that bank holds the mortgage on my home",
    "the plane went into a steep bank",
    "he sat on the bank of the river and watched the currents",
]

# %%
table = BERT.from_pretrained("minilm").token.weight.detach()
pieces = WordPiece.from_pretrained("minilm")


def bank_in(sentence):
    place = pieces.tokens(sentence).index("bank")
    return table[pieces.encode(sentence)[place]]


# %%
for sentence in FOUR:
    print(f"{cosine_similarity(bank_in(FIRST), bank_in(sentence), dim=0):.3f}  {sentence}")
    assert torch.equal(bank_in(FIRST), bank_in(sentence))

# %% [markdown]
# Four times 1. The table is no help, and a better table of the same kind would be none either.
#
# The company of a word must tell. The cheapest way to use it: leave *bank* out, and take the mean of all other vectors of
# the sentence.


# %%
def company(sentence):
    others = [i for i, token in zip(pieces.encode(sentence), pieces.tokens(sentence), strict=True) if token != "bank"]
    return table[others].mean(0)


for sentence in FOUR:
    print(f"{cosine_similarity(company(FIRST), company(sentence), dim=0):.3f}  {sentence}")

# %% [markdown]
# Now the numbers differ, and the river wins. The first and the last sentence share *he* and *the*, and to a mean these
# little words weigh as much as *check* and *mortgage*. A mean has no order either: to it, *the dog bit the man* is *the
# man bit the dog*.
#
# We want a reader that goes through the sentence word by word, keeps what matters and forgets what does not. This
# lesson builds one and teaches it English; lesson 2 makes it ELMo.
#
# **Change** `token != "bank"` to `token not in ("bank", "he", "the")`, in a copy of the last cell. Which sentence wins
# when the two little words have no say?
#
# Which bank is meant? A vector that belongs to the spelling cannot say; only the sentence can.

# %% [markdown]
# ## 2. How does a network remember?
#
# A **recurrent network**, RNN, reads one word after another and keeps a row of numbers, its **hidden state** $h$. At each
# word it makes a new state from two things, the word $x$ and the state that it had:
#
# $$h \leftarrow \tanh(W x + U h + b)$$
#
# The same $W$, $U$ and $b$ serve at every word. That is all: it is the network of chapter 00 with a second input, its own
# last output. tanh bends every number into the range from $-1$ to $1$.
#
# Take the smallest one: one number in the state, $W = 1$, $b = 0$. The first word is $x = 1$, all later words are $0$. So
# everything that the state still knows later, it knows of the first word.
#
# <div class="predict">
#
# **Predict.** With $U = 0.5$, what has the state become eight words later?
#
# <details><summary>A. About the same as at first: nothing else has come in</summary>
#
# This tempts because zeros add nothing. But the state goes through $U$ at every word, also when nothing comes in.
#
# </details>
# <details><summary>B. Less than a hundredth of what it was</summary>
#
# Yes. It is halved at every word, and tanh takes a little more: after eight words at most $0.5^8$ is left.
#
# </details>
# <details><summary>C. It has grown: tanh pushes numbers towards 1</summary>
#
# This tempts because large inputs do end near 1. But tanh never enlarges: for $x$ above 0, $\tanh(x)$ is smaller than
# $x$.
#
# </details>
# </div>

# %%
import math

for u in (0.5, 1.0, 2.0):
    h, states = 0.0, []
    for x in [1, *[0] * 8]:
        h = math.tanh(x + u * h)
        states.append(h)
    print(f"U = {u}:", "  ".join(f"{state:.3f}" for state in states))

# %% [markdown]
# With $U$ below 1 the first word fades. With $U = 2$ the state stays near 1 for ever: it remembers *that* there was
# something, and a small word that comes later cannot turn it round. Between the two there is one value, 1, and even
# there tanh eats the memory slowly.
#
# The same happens to the gradient on its way back, for it goes through the same $U$ at every word. It fades or explodes.
# Lesson 1 of chapter 05 saw it in twenty layers; here a layer is a word, and the cure is the same plus sign.
#
# **Change** the later inputs from `0` to `-1`, in a copy of the cell. After how many words is the state below 0, for
# each $U$? Then try `-0.5`: which state does not turn round at all?
#
# How does a network remember? In a state that it hands on from word to word, and a plain one loses it or is stuck with
# it.

# %% [markdown]
# ## 3. What do the gates do?
#
# The **LSTM**, long short-term memory, keeps a second row beside $h$: the **memory** $c$. At each word it makes a row
# of **news** $g$, which might be added. Three gates, each a number from 0, closed, to 1, open, decide what becomes of
# both (Hochreiter and Schmidhuber 1997; the forget gate is from Gers et al. 2000):
#
# - the **forget gate** $f$ says how much of the memory is kept;
# - the **input gate** $i$ says how much of the news is written;
# - the **output gate** $o$ says how much of the memory is shown in the state $h$.
#
# $$c \leftarrow f \cdot c + i \cdot g \qquad\qquad h = o \cdot \tanh(c)$$
#
# Every entry of the memory has three gates of its own, so $f$, $i$ and $o$ are rows as long as $c$. Here is one entry.
#
# There is the plus sign. With $f = 1$ and $i = 0$ the memory goes on untouched, for as many words as it takes.
#
# On paper: $c = 2$, $f = 3/4$, $i = 1/2$, $g = 1/2$, $o = 1/2$. Kept is $1.5$, written is $0.25$, so the new memory is
# $1.75$. The new state is half of $\tanh(1.75)$; the cell works it out.
#
# <div class="predict">
#
# **Predict.** The name "forget gate" is old. At $f = 1$ the old memory is
#
# <details><summary>A. cleared: an open forget gate lets things go</summary>
#
# This tempts by the name. Put $f = 1$ into $f \cdot c$: everything stays. A better name would be *keep gate*.
#
# </details>
# <details><summary>B. kept whole</summary>
#
# Yes. It is multiplied by 1.
#
# </details>
# <details><summary>C. kept, if the input gate is closed</summary>
#
# This tempts because an open input gate changes the memory. It adds to what is kept; the old part stays whole all the
# same.
#
# </details>
# </div>

# %%
c, f, i, g, o = 2.0, 0.75, 0.5, 0.5, 0.5
c = f * c + i * g
print(f"memory {c:.3f}, state {o * math.tanh(c):.3f}")

# %%
c = 2.0
for _ in range(100):
    c = 1.0 * c + 0.0 * g
print(f"a hundred words later, gates set to keep: {c:.3f}")

# %% [markdown]
# Where do the gates come from? Each is computed from the word and the last state, in the way of section 2, with weights of
# its own. A sigmoid, $\sigma(x) = 1 / (1 + e^{-x})$, brings it between 0 and 1; the news $g$ gets tanh instead, for it
# may be negative.
#
# So a trained cell *decides* at every word what to keep. Our cell computes the four parts at once, stacked on top of
# each other, and cuts the result:

# %%
from qkv.nn.lstm import LSTMCell
from qkv.notebook import source

source(LSTMCell)

# %% [markdown]
# Is it right? PyTorch's own LSTM is the judge. It gets our weights, both read five words of four numbers, and every state
# must agree.

# %%
torch.manual_seed(0)
cell, judge = LSTMCell(4, 3), torch.nn.LSTM(4, 3)
weights = [cell.from_input.weight, cell.from_hidden.weight, cell.from_input.bias, cell.from_hidden.bias]
for theirs, ours in zip(judge.parameters(), weights, strict=True):
    theirs.data = ours.data

# %%
words = torch.randn(5, 4)
state = torch.zeros(3), torch.zeros(3)
for word, expected in zip(words, judge(words)[0], strict=True):
    state = cell(word, state)
    assert torch.allclose(state[0], expected, atol=1e-6)
print("last state", state[0].detach(), "  memory", state[1].detach())

# %% [markdown]
# **Change** `1.0 * c` to `0.99 * c` in the cell with a hundred words. How much of the memory survives a gate that is almost
# open?
#
# What do the gates do? They keep, write and speak, each by its own share, and the memory in between is a plain sum.

# %% [markdown]
# ## 4. What does a language model guess?
#
# A **language model** gives every possible next symbol a probability, after what it has read. Symbols may be words,
# pieces or letters. Here they are letters, because there are few of them and we can count everything.
#
# No labels are needed: any text says itself what came next. We take Jane Austen's *Emma* to learn from and the beginning
# of *Persuasion* to be tested on, in 26 small letters, space, comma and full stop.

# %%
import itertools
import re
from collections import Counter

from qkv.data import load

SYMBOLS = "abcdefghijklmnopqrstuvwxyz .,"
books = load("gutenberg")


def letters_of(split, book):
    text = " ".join(row["text"] for row in books[split] if row["book"] == book).lower()
    return re.sub(r" +", " ", re.sub(r"[^a-z.,]", " ", text))


# %%
emma, persuasion = letters_of("train", "austen-emma"), letters_of("validation", "austen-persuasion")[:20_000]
print(f"{len(emma):,} letters to learn from, {len(persuasion):,} to be tested on")
for letter in "qt ":
    after = Counter(b for a, b in itertools.pairwise(emma) if a == letter)
    shares = ", ".join(f"{b!r} {count / after.total():.2f}" for b, count in after.most_common(3))
    print(f"after {letter!r}: {shares}")

# %% [markdown]
# After *q* comes *u*, and a table of pairs knows it. That table is a language model, the smallest one that is any good.
#
# The probability of a whole text is a product: the first symbol's, times the second's after the first, and so on. Products
# of small numbers soon leave the range of a computer, so we add logarithms, with the sign turned: $-\ln p$ of each
# symbol, the loss of chapter 00.
#
# <div class="predict">
#
# **Predict.** A model reads up to a letter, and is asked for the next one. At which place of a word is its loss
# largest?
#
# <details><summary>A. At the first letter of a word</summary>
#
# Yes. After a space nearly any word may come; inside a word there are few ways to go on.
#
# </details>
# <details><summary>B. At the last letter: it has to know where the word ends</summary>
#
# This tempts because endings vary. By then the word is nearly known, and little is left to guess.
#
# </details>
# <details><summary>C. Everywhere the same: each letter is one of 29</summary>
#
# This tempts because there are 29 choices everywhere. They are not equally likely, and what has been read decides how
# unequal they are.
#
# </details>
# </div>
#
# The model of section 6 will show it; keep your answer.
#
# **Change** `"qt "` to `SYMBOLS`, in a copy of the cell. Apart from *q*, which letter of the alphabet leaves the least
# doubt about the next one?
#
# What does a language model guess? The next symbol, as a probability for each, and any text can be its teacher.

# %% [markdown]
# ## 5. How surprised is a model?
#
# Suppose that a model reads *cat* and gives its three letters the probabilities $1/2$, $1/4$ and $1/8$. Its loss in
# nats is $\ln 2 + \ln 4 + \ln 8 = 6 \ln 2$, which is $2 \ln 2$ per letter.
#
# People report the same number in three ways:
#
# - **nats per letter**: $2 \ln 2 \approx 1.386$;
# - **bits per character**: the same with logarithms to base 2. One bit is $\ln 2$ nats, so it is $2$;
# - **perplexity**: $e^{1.386} = 2^2 = 4$. The model is as unsure as if it had to choose evenly among four letters.

# %%
p = torch.tensor([1 / 2, 1 / 4, 1 / 8])
nats = -p.log().mean()
print(f"cat:        {nats:.3f} nats, {nats / math.log(2):.3f} bits per character, perplexity {nats.exp():.3f}")
even = math.log(len(SYMBOLS))
print(f"even guess: {even:.3f} nats, {even / math.log(2):.3f} bits per character, perplexity {math.exp(even):.3f}")

# %% [markdown]
# <div class="predict">
#
# **Predict.** A letter model has perplexity 3. Words have five letters, their space included. What is its perplexity per
# word?
#
# <details><summary>A. 15: five times as much</summary>
#
# This tempts because losses add up, and five letters cost five times as much. But perplexity is $e$ to the power of the
# loss: where losses are added, perplexities are multiplied.
#
# </details>
# <details><summary>B. 243: three to the fifth power</summary>
#
# Yes. Five choices among three, one after the other.
#
# </details>
# <details><summary>C. 3: perplexity is a mean</summary>
#
# This tempts because it is a mean per symbol. Change the symbol, and you change what the mean is taken over.
#
# </details>
# </div>
#
# So a perplexity means nothing without its unit. Bits per character can be compared across units: take the whole loss
# of the text, in bits, and divide by its characters, however the model cuts it up.
#
# One trap stays. A word model with a list of words says *unknown* for all others, and that is easy to guess. It was
# spared the rare words, and no change of units gives them back.
#
# **Change** the three probabilities to `0.9, 0.9, 0.01`. Two good guesses and one bad one: what is the perplexity?
#
# How surprised is a model? By $-\ln p$ at each symbol; perplexity and bits per character are that mean in other clothes.

# %% [markdown]
# ## 6. How far does counting carry?
#
# Whoever trains a network owes a **baseline**: what the simplest sensible method reaches. For language models it is
# counting. An **n-gram** model of order 3 looks at the last two letters and asks which letter came after them, and how
# often.
#
# Longer contexts say more and are seen less often. Of the contexts of a new book, some never occurred, and then the count
# is zero. The cure of Kneser and Ney: every count gives up a little, its **discount**, and what is gathered goes to the
# model with one letter less of context. Where nothing was seen, that model speaks alone.

# %%
from qkv.recipes.ngram import KneserNey, count_levels

learn_ids, test_ids = ([SYMBOLS.index(letter) for letter in text] for text in (emma, persuasion))
# %%
counted = {}
for order in range(1, 6):
    counted[order] = KneserNey(count_levels([learn_ids], order), len(SYMBOLS), discount=0.75)
    nats = counted[order].loss(test_ids) / (len(test_ids) - 1)
    rows = len(counted[order].levels[-1].grams)
    print(f"{order - 1} letters before: {nats / math.log(2):.3f} bits per character, {rows:7,} different {order}-grams")

# %% [markdown]
# Each further letter helps, and costs: the table grows several times as large. It cannot go on for ever, for most long
# contexts of a new text have never been seen.
#
# The prediction of section 4: we ask the largest of the five for its loss at each place of a word.

# %%
places = {}
for end in range(5, len(test_ids)):
    start = persuasion.rfind(" ", 0, end) + 1
    p = counted[5].probability(test_ids[end], test_ids[end - 4 : end])
    places.setdefault(min(end - start, 5), []).append(-math.log2(p))
for place, bits in sorted(places.items()):
    print(f"letter {place + 1}{' and later' if place == 5 else ''}: {sum(bits) / len(bits):.3f} bits")
assert max(places, key=lambda place: sum(places[place]) / len(places[place])) == 0

# %% [markdown]
# The first letter of a word costs nearly twice as much as the second, and later ones less still. (The space or the stop
# behind a word is counted here as one more letter of it.)
#
# **Change** the discount to `0.1` and to `0.99`, for order 5 alone and under another name than `counted`. Which is
# worse, to give up too little or too much?
#
# How far does counting carry? Far: four letters of context more than halve the bits, and a network has to beat that.

# %% [markdown]
# ## 7. Does a small LSTM do better?
#
# Our network has three parts: a row of numbers for each letter, an LSTM, and a score for each of the 29 next letters.
# *Emma* is cut into 32 long pieces, and all are read side by side, fifty letters at a time. The state is handed on to
# the next fifty; the gradient stops at the seam. And because it may explode (section 2), `clip_grad_norm_` shortens a
# gradient that is too long.


# %%
class CharacterLM(torch.nn.Module):
    def __init__(self, d_hidden=128):
        super().__init__()
        self.embedding = torch.nn.Embedding(len(SYMBOLS), 32)
        self.lstm = torch.nn.LSTM(32, d_hidden, batch_first=True)
        self.scores = torch.nn.Linear(d_hidden, len(SYMBOLS))

    def forward(self, ids, state=None):
        hidden, state = self.lstm(self.embedding(ids), state)
        return self.scores(hidden), state


# %% [markdown]
# <div class="predict">
#
# **Predict.** The network trains for half a minute and sees *Emma* a little more than once. Whom does it beat?
#
# <details><summary>A. All five: it is a neural network</summary>
#
# This tempts because networks win in the end. Half a minute is not the end, and counting needs to see a thing once to
# know it.
#
# </details>
# <details><summary>B. The models with up to three letters of context, but not the last</summary>
#
# Yes. It has found out what counting finds in three letters, and is still learning.
#
# </details>
# <details><summary>C. None: it has hardly been trained</summary>
#
# This tempts because training takes hours elsewhere. The first steps are the ones that teach most.
#
# </details>
# </div>

# %%
from torch.nn.functional import cross_entropy

from qkv.training.bptt import ContiguousBatches


@torch.no_grad()
def test_bits(model):
    ids = torch.tensor([test_ids])
    scores, _ = model(ids[:, :-1])
    return cross_entropy(scores[0], ids[0, 1:]).item() / math.log(2)


# %%
def train(model, num_steps=700):
    batches = ContiguousBatches(learn_ids, batch_size=32, chunk_length=50)
    optimizer, state = torch.optim.Adam(model.parameters(), lr=4e-3), None
    for step in range(num_steps):
        if step % 350 == 0:
            print(f"after {step:3} steps: {test_bits(model):.3f} bits per character")
        chunk = batches[step]
        scores, state = model(chunk.ids, None if chunk.is_first else state)
        loss = cross_entropy(scores.flatten(0, 1), chunk.targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state = tuple(part.detach() for part in state)


# %%
torch.manual_seed(0)
reader = CharacterLM()
train(reader)
neural = test_bits(reader)
print(f"after 700 steps: {neural:.3f} bits per character")
counted_bits = {order: model.loss(test_ids) / (len(test_ids) - 1) / math.log(2) for order, model in counted.items()}
assert counted_bits[5] < neural < counted_bits[4]

# %% [markdown]
# It beats the models with up to three letters of context, and the one with four is still ahead. That is the honest state
# after half a minute. The table has learned all that it can from this book, while the network was still getting better
# when we stopped.
#
# And it has something that no table has: a state. In it lies what was read so far, and two banks with another past are no
# longer the same. We let it read our five sentences, and compare its states behind the letter *k* of *bank*.


# %%
@torch.no_grad()
def state_at_bank(sentence):
    upto = sentence[: sentence.index("bank") + len("bank")]
    hidden, _ = reader.lstm(reader.embedding(torch.tensor([[SYMBOLS.index(letter) for letter in upto]])))
    return hidden[0, -1]


for sentence in FOUR:
    print(f"{cosine_similarity(state_at_bank(FIRST), state_at_bank(sentence), dim=0):.3f}  {sentence}")

# %% [markdown]
# No two banks are the same any more. Do not read meaning into the order: the largest cosines belong to the two sentences
# that say *the bank*, as the first one does. This model knows how English is spelled, and its state is busy with the
# letters just behind it.
#
# It is also one novel deep. It has picked up the language of 1816 and of one author, and her world with it.
#
# **Change** the seed before `CharacterLM()`. How far do two runs differ? Believe no difference that is smaller.
#
# Does a small LSTM do better? Than short contexts yes, than long ones not after half a minute; but it has a state, and
# the state knows the sentence.

# %% [markdown]
# ## 8. Which gate is which?
#
# Here is an LSTM cell typed from memory. It is meant to run the weights that we have just trained, without `nn.LSTM`.
# `names` says in which order the four parts are stacked.


# %%
@torch.no_grad()
def run_cell(names, ids, length=2_000):
    lstm, hidden, cell = reader.lstm, torch.zeros(128), torch.zeros(128)
    hiddens = []
    for x in reader.embedding(torch.tensor(ids[:length])):
        parts = lstm.weight_ih_l0 @ x + lstm.bias_ih_l0 + lstm.weight_hh_l0 @ hidden + lstm.bias_hh_l0
        part = dict(zip(names, parts.chunk(4), strict=True))
        cell = part["f"].sigmoid() * cell + part["i"].sigmoid() * part["g"].tanh()
        hidden = part["o"].sigmoid() * cell.tanh()
        hiddens.append(hidden)
    return torch.stack(hiddens)


# %%
from_memory = run_cell("igfo", test_ids)
assert from_memory.shape == (2_000, 128)
assert from_memory.isfinite().all()
assert from_memory.abs().max() < 1

# %% [markdown]
# Shapes are right, nothing is NaN, every number lies between $-1$ and $1$.
#
# <div class="predict">
#
# **Predict.** Somebody trains a network of such cells from scratch. Does the loss betray the order `igfo`?
#
# <details><summary>A. Yes: the forget gate gets what was meant for the news</summary>
#
# This tempts because it is so for *our* weights. Before training nothing is meant for anything. Each part learns to be
# what the code takes it for.
#
# </details>
# <details><summary>B. No: it trains as well as any other order</summary>
#
# Yes. The four parts start as random numbers of one kind. Their names are decided by the code alone.
#
# </details>
# <details><summary>C. Yes: tanh and sigmoid are exchanged</summary>
#
# This tempts because one part would get the other bend. Look at the code: the part called g gets tanh, wherever it is
# cut from.
#
# </details>
# </div>
#
# So loss, shapes and ranges all stay silent. Only weights that come from elsewhere tell, and then everything is off.

# %%
targets = torch.tensor(test_ids[1:2_001])
for names in ("igfo", "ifgo"):
    with torch.no_grad():
        nats = cross_entropy(reader.scores(run_cell(names, test_ids)), targets)
    print(f"order {names}: {nats / math.log(2):.3f} bits per character")
# %%
expected = reader.lstm(reader.embedding(torch.tensor(test_ids[:2_000])))[0]
assert torch.allclose(run_cell("ifgo", test_ids), expected, atol=1e-4)
assert not torch.allclose(from_memory, expected, atol=0.1)

# %% [markdown]
# With the gates exchanged, the trained weights are worse than an even guess. The order typed from memory is TensorFlow's: input
# gate, news, forget gate, output gate. PyTorch has input, forget, news, output.
#
# ELMo was published with weights in the first order, and whoever reads them in the second gets numbers without meaning
# and no error.
#
# **Change** `"igfo"` to `"ifog"` in the loop that prints the bits; many papers list the gates in that order. Is it
# better or worse than an even guess?
#
# Which gate is which? The code that trained the weights decides, and only a comparison with it can tell.

# %% [markdown]
# ## The same in PyTorch, in five lines
#
# The library `transformers` has no LSTM; PyTorch has. Layers, directions and batches are arguments:

# %%
lstm = torch.nn.LSTM(input_size=32, hidden_size=128, num_layers=2, batch_first=True)
output, (hidden, memory) = lstm(torch.randn(4, 10, 32))  # four texts of ten words
print("states of the upper layer", tuple(output.shape), "  last states of both", tuple(hidden.shape))
assert torch.allclose(output[:, -1], hidden[-1])

# %% [markdown]
# ## Summary
#
# - **One vector per word** cannot tell two meanings of one spelling apart.
# - A **recurrent network** hands a state on from word to word. A plain one fades or is stuck.
# - An **LSTM** keeps a memory that is a plain sum. Gates keep, write and speak.
# - A **language model** gives each possible next symbol a probability. Any text teaches it.
# - **Perplexity** is $e$ to the power of the mean loss, per symbol. **Bits per character** compare across symbols.
# - **Counting** is the baseline. A small network needs more than half a minute to beat long contexts.
#
# ### Common mistakes
#
# - **Gates in another order** than the weights were trained in. Shows against a second implementation only.
# - **The state made of the old memory.** Shows when the forget gate is closed.
# - **No tanh before the output gate.** Shows in states larger than 1.
# - **Perplexities of different units compared.** Shows when both are brought to bits per character.
# - **No baseline.** Shows when somebody counts.
#
# ### Further reading
#
# - [Long Short-Term Memory](https://www.bioinf.jku.at/publications/older/2604.pdf), Hochreiter and Schmidhuber, 1997:
#   §4, the memory cell.
# - [Understanding LSTM Networks](https://colah.github.io/posts/2015-08-Understanding-LSTMs/) by Christopher Olah, 2015:
#   the same cell in pictures.
# - [An Empirical Study of Smoothing Techniques for Language Modeling](https://aclanthology.org/P96-1041/), Chen and
#   Goodman, 1996: how to count well.
# - [The Unreasonable Effectiveness of Recurrent Neural Networks](https://karpathy.github.io/2015/05/21/rnn-effectiveness/)
#   by Andrej Karpathy, 2015: what letter models learn when they train for hours.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. Which settings of the gates carry a memory over a hundred words unchanged?</summary>
#
# Forget gate 1, input gate 0. The output gate may be anything: it decides what is said, not what is kept.
#
# </details>
# <details><summary>2. A paper reports perplexity 4 per letter, another 60 per word. Which is better?</summary>
#
# Nobody can say yet. Bring both to bits per character of the same text, and ask what became of unknown words.
#
# </details>
# <details><summary>3. From chapter 05: why does a plus sign let a gradient through many layers?</summary>
#
# The gradient of a sum goes to both summands whole. On the way around the layer nothing multiplies it. The memory of an
# LSTM has the same plus sign, from word to word.
#
# </details>
#
# **Next.** Lesson 2: words read letter by letter, two models that read from both ends, and one vector for each word in its
# place.
