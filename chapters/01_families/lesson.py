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
# # The three families
#
# ## 1. Which reader can fill which gap?
#
# > 1. I went to the ▢ and borrowed two novels.
# > 2. I borrowed two novels from the ▢
# > 3. English: two novels. French: deux ▢
#
# Three texts, each with a gap. Two readers try to fill them. Reader **A** sees what stands on both sides of a gap.
# Reader **B** sees only what stands before it.
#
# <div class="predict">
#
# **Predict.** For which gaps does B know as much as A?
#
# <details><summary>A. For none: who sees both sides always knows more</summary>
#
# This tempts because two sides are more than one. But A gains something only where there is something to see, and
# behind two of the gaps there is nothing.
#
# </details>
# <details><summary>B. For the second only: a translation needs both texts</summary>
#
# This tempts because translating is more than going on with a text. It does need both texts, and both stand before the
# gap.
#
# </details>
# <details><summary>C. For the second and the third</summary>
#
# Yes. In the first text the clue comes after the gap. In the others all clues stand before it, and B sees every one.
#
# </details>
# </div>
#
# So what a reader is good for depends on what it may read. This is the whole idea of the chapter: **one kind of block,
# and a table that says who may read whom**. Models of today fall into three families, and the families differ in that
# table.
#
# **After this lesson you can**
#
# - say of any model who reads whom in it, without looking inside;
# - draw the tables of the three families, and say which task each is made for;
# - explain why a model that writes must not look ahead, and find the leak when it does;
# - name a dozen published models with their family and what they were trained to do.
#
# **Time:** about 40 minutes. **Data:** six words, a few books of Project Gutenberg, and the real weights of three
# models: MiniLM, SmolLM2 and our own for pronunciation. Everything is on your machine already.
#
# **Do you have what it takes?** Two questions from [chapter 00](../00_start/lesson.ipynb); unfold to compare.
#
# <details><summary>A model names the next of 27 letters and has no idea. What is its loss?</summary>
#
# ln 27, about $3.3$ nats. A loss far below what an honest guesser could reach makes us look for a leak.
#
# </details>
# <details><summary>What is a token, and what does a model see of it?</summary>
#
# A word or a piece of one. The model sees a row of numbers, its embedding.
#
# </details>

# %%
from qkv.notebook import setup

setup()

# %% [markdown]
# Here are four ways to read six words, three of them English and three of them their translation.
# What is each way good for? Choose a family, then point at a cell: may the word of this row read the word of that
# column?

# %%
from qkv.figures import Families

Families()

# %% [markdown]
# A family is a table: change who may read whom, and other tasks become possible. The next sections build it from the
# ground up.
#
# **Change** the family from "prefix" to "encoder–decoder", and count the cells that move. Section 6 explains what you
# see.
#
# Which reader can fill which gap? One that may read the place where the clue stands.

# %% [markdown]
# ## 2. What does a sealed box promise?
#
# All models of this course are made of blocks. What happens inside a block is the subject of chapters 02 to 05, and
# until then the block is a **sealed box**.
#
# It makes one promise. *Position $i$ may read these positions, and gets a new vector.* Which positions these are stands
# in a table of True and False, called a **mask**: row $i$ reads, column $j$ is read, and True means "may read".
#
# Three words, three vectors with random numbers, and a box with random weights. The mask lets each word read itself and
# the word before.

# %%
import torch

from qkv.inspection.families import SealedBox, print_reading

torch.manual_seed(0)
words = ["cat", "mat", "it"]
vectors = torch.randn(3, 16)  # one row per word
box = SealedBox(d_model=16)
one_back = torch.tensor([[True, False, False], [True, True, False], [False, True, True]])
new = box(vectors, vectors, one_back)  # who reads, what is read, and what is allowed
print_reading(one_back, words, words, "reads")
print("\nbefore:", tuple(vectors.shape), " after:", tuple(new.shape))

# %% [markdown]
# Three rows go in and three rows come out. Does the box keep its promise? We need not open it. Change one word and see
# which rows come out changed: whoever changes has read that word.
#
# <div class="predict">
#
# **Predict.** We replace the vector of *mat*. Which of the three new vectors change?
#
# <details><summary>A. Only that of <em>mat</em></summary>
#
# This tempts because only *mat* was touched. But *it* stands next to it, and *it* may read *mat*.
#
# </details>
# <details><summary>B. Those of <em>mat</em> and <em>it</em></summary>
#
# Yes: the rows with a True in the column of *mat*.
#
# </details>
# <details><summary>C. All three</summary>
#
# This tempts because all three go through the same box. The mask keeps *mat* from *cat*, so the vector of *cat* comes
# out to the last digit as before.
#
# </details>
# </div>

# %%
with torch.no_grad():
    touched = vectors.clone()
    touched[1] = torch.randn(16)  # another mat
    moved = (box(touched, touched, one_back) - box(vectors, vectors, one_back)).abs().amax(dim=-1)
for word, distance in zip(words, moved, strict=True):
    print(f"{word:3}  changes by {distance:.3f}")
assert moved[0] == 0
assert moved[1:].min() > 0.01

# %% [markdown]
# One change fills one column of the table. `who_reads` changes each word in turn and returns the whole table.

# %%
from qkv.inspection.families import who_reads
from qkv.notebook import source

with torch.no_grad():
    found = who_reads(lambda x: box(x, x, one_back), vectors, torch.randn(3, 16))
assert torch.equal(found, one_back)
source(who_reads)

# %% [markdown]
# The table that we found from outside is the mask that we put in.
# This small test works on any model, and we shall use it on three real ones.
#
# **Change** one False of `one_back` to True, in a new cell, and run the test again. Which single cell of `found`
# follows?
#
# What does a sealed box promise? Each position reads what its mask allows, gets a new vector, and nothing else reaches
# it.

# %% [markdown]
# ## 3. Which masks are there?
#
# Four masks are enough for this course.
#
# - **None.** Everything is open; every word reads every word.
# - **Causal.** Each word reads itself and what came before it, never what comes later.
# - **Prefix.** The first few words are read by all, and among themselves both ways; the rest is causal.
# - **Cross.** The rows are one text and the columns another: the words of the second text read all words of the first.
#
# <div class="predict">
#
# **Predict.** The prefix has 3 words and the text has 5. How many of the 25 cells are open?
#
# <details><summary>A. 15, as many as in the causal mask</summary>
#
# This tempts because the prefix is causal at its end. At its beginning it opens three cells more: the first word reads
# the second and the third, and the second reads the third.
#
# </details>
# <details><summary>B. 18</summary>
#
# Yes: three full columns are 15 cells, and behind the prefix there are three more on and below the diagonal.
#
# </details>
# <details><summary>C. 25: the prefix is open to all</summary>
#
# This tempts because "open to all" sounds like everything. Only its *columns* are open; what comes after the prefix
# stays hidden from those before it.
#
# </details>
# </div>

# %%
from qkv.nn.masks import causal, prefix

everything = torch.ones(5, 5, dtype=torch.bool)
places = [str(p) for p in range(5)]
masks = {"none": everything, "causal": causal(5), "prefix 3": prefix(5, 3), "cross": everything[:2]}
for name, mask in masks.items():
    print_reading(mask, places[: len(mask)], places, name)
    print("open cells:", mask.sum().item(), "\n")

# %% [markdown]
# The prefix mask contains two of the others. With a prefix of 0 it is causal, and with a prefix of the whole length it
# opens everything.

# %%
assert torch.equal(prefix(5, 0), causal(5))
assert torch.equal(prefix(5, 5), everything)
source(prefix)

# %% [markdown]
# **Change** the prefix to 1. Why is nothing gained by a prefix of a single word?
#
# Which masks are there? None, causal, prefix and cross; they differ in who may read what comes later, and in whether
# the text that is read is one's own.

# %% [markdown]
# ## 4. What happens in two boxes?
#
# Models have many boxes on top of each other. What one box writes, the next one reads.
#
# <div class="predict">
#
# **Predict.** Each word may read itself and the *one* word after it. Two such boxes lie on top of each other. How far
# ahead does a word see?
#
# <details><summary>A. One word: the mask is the same in both boxes</summary>
#
# This tempts because the mask says "one ahead" twice. But after the first box my neighbour is no longer a bare word: it
# has read *its* neighbour, and now I read it.
#
# </details>
# <details><summary>B. Two words</summary>
#
# Yes. News travels one step per box.
#
# </details>
# <details><summary>C. To the end of the text</summary>
#
# This tempts because news spreads. It spreads by one step per box, and there are only two.
#
# </details>
# </div>

# %%
boxes = [SealedBox(d_model=16) for _ in range(2)]
five, others = torch.randn(2, 5, 16)
one_ahead = torch.tensor([[0 <= j - i <= 1 for j in range(5)] for i in range(5)])


def stack(x, mask):
    for box in boxes:
        x = box(x, x, mask)
    return x


with torch.no_grad():
    for name, mask in {"one ahead": one_ahead, "causal": causal(5)}.items():
        print_reading(who_reads(lambda x, mask=mask: stack(x, mask), five, others), places, places, name)

# %% [markdown]
# Two boxes see two words ahead: a small leak in one box becomes a larger one in a stack.
# The causal mask has no such trouble. If I read only what came before, and they read only what came before them, then
# nothing from later can reach me, however many boxes there are.
#
# That is why one rule for all boxes suffices, and why there is no half-way house. The authors of BERT put it like this:
#
# > […] bidirectional conditioning would allow each word to indirectly "see itself", and the model could trivially
# > predict the target word in a multi-layered context. (BERT, §3.1)
#
# **Change** the number of boxes to 3, then to 4. From how many boxes on does the first word know everything?
#
# What happens in two boxes? Each box takes what it may read one step further, so a mask is safe only if it stays closed
# after any number of steps.

# %% [markdown]
# ## 5. Why may a writer not look ahead?
#
# Now a model that learns. It has to name the next letter at every place of a text, and later write by itself: name a
# letter, put it down, name the next.
#
# There are 32 letters before its eyes. Both sides tell more than one, as the first gap showed, so we open everything.

# %%
from qkv.data import load
from qkv.inspection.families import train_writer

books = load("gutenberg")
learnt, kept_back = ("\n\n".join(books[name]["text"][::7]) for name in ("train", "test"))


def open_mask(length):
    return torch.ones(length, length, dtype=torch.bool)


run = train_writer(learnt, kept_back, open_mask)
print("loss at steps 1, 100, 200, 300:", *(f"{run.losses[step]:.3f}" for step in (0, 99, 199, 299)))
print(f"loss on passages kept back: {run.test_loss:.3f} nats per letter")

# %% [markdown]
# The loss falls and falls. On passages that were kept back it is as low as in training, so nothing was learned by
# heart. Guessing evenly among its $83$ letters and signs would cost $\ln 83$ nats, and that is about where the loss
# began.
#
# Let it write. We give it a beginning, and it goes on.
#
# <div class="predict">
#
# **Predict.** What will it write?
#
# <details><summary>A. Good English: it is hardly ever surprised by the next letter</summary>
#
# This tempts because of the loss. The loss was taken while the next letter lay open before it.
#
# </details>
# <details><summary>B. Rubbish</summary>
#
# Yes. It never learned to guess a letter, only to find it.
#
# </details>
# <details><summary>C. Sentences copied from the books</summary>
#
# This tempts because it has done something like copying. It copies from the place next to it, and when it writes, that
# place is empty.
#
# </details>
# </div>

# %%
from qkv.inspection.families import write

for seed in range(4):
    print(repr(write(run.writer, "The old man ", 20, seed)))

# %% [markdown]
# This is the mistake of the lesson, and the code above made it: the mask opens the future. Where is the evidence?
#
# The loss of each place shows it. In a row of 32 letters every place but the last can see the letter that it must name.

# %%
print("loss at places 0, 10, 20, 30:", *(f"{run.by_place[place]:.3f}" for place in (0, 10, 20, 30)))
print(f"loss at the last place:       {run.by_place[31]:.3f}")
assert run.by_place[31] > 5 * min(run.by_place)

# %%
text, other = run.writer.encode("The old man sat"), run.writer.encode("A big fox dug a")
with torch.no_grad():
    leak = who_reads(lambda ids: run.writer(ids[None])[0], text, other)
print("place 3 is read by places", leak[:, 3].nonzero().flatten().tolist())
assert leak[:3, 3].all()

# %% [markdown]
# At the last place, where nothing can be copied, it guesses worse than anybody should. And our test from outside says
# it plainly: places 0, 1 and 2 read place 3.
#
# The fix is one word: `causal`.

# %%
honest = train_writer(learnt, kept_back, causal)
print(f"loss on passages kept back: {honest.test_loss:.3f}   at the last place: {honest.by_place[31]:.3f}")
for seed in range(4):
    print(repr(write(honest.writer, "The old man ", 20, seed)))
assert honest.test_loss > 5 * run.test_loss
assert honest.by_place[31] < run.by_place[31]

# %% [markdown]
# The honest loss is many times higher and the text far better. After a few seconds of training few of these are words,
# but letters, blanks and endings fall much as they do in English.
#
# One run proves little. So we measured it with five seeds, larger models and more text. A third party, which counted
# how often letters followed each other in the books, read what both models wrote; its loss is low for English and high
# for rubbish.

# %%
from qkv.recipes.claims import field, show_claim

for arm in ("the book itself", "causal mask", "no mask", "letters at random"):
    print(f"read by the third party, {arm:18}", field("look-ahead", f"written, {arm}.mean"))
for arm in ("causal mask", "no mask"):
    print(f"loss as trained, {arm:12}", field("look-ahead", f"as trained, {arm}.mean"))
show_claim("look-ahead")

# %% [markdown]
# Without a mask the loss as trained is a fraction of the honest one, and what is written is nearer to letters drawn at
# random than to what the honest model writes. Small as they are, neither comes near the book.
#
# BERT has no mask, and it is a fine model. It is never asked for the next word: some of its words are hidden from it,
# and it must name *those*. What is hidden cannot be copied.
#
# **Change** the mask in a new cell to one that hides only the place itself: `train_writer(learnt, kept_back, lambda n:
# ~torch.eye(n, dtype=torch.bool))`. Does that help, and where does the answer stand?
#
# Why may a writer not look ahead? Because in training the answer stands there, and when it writes, nothing does.

# %% [markdown]
# ## 6. Which three families are there?
#
# Out of boxes and masks come three families.
#
# - An **encoder** is a stack of boxes without a mask. It turns a text that is complete into vectors that know both
#   sides.
# - A **decoder** is a stack with a causal mask. It writes.
# - An **encoder–decoder** has both, and a cross box after each causal one: the decoder reads its own text causally, and all that
#   the encoder made.

# %%
first, second = ["the", "cat", "sleeps"], ["le", "chat", "dort"]
own, cross = [SealedBox(16) for _ in range(2)], [SealedBox(16) for _ in range(2)]
full = torch.ones(3, 3, dtype=torch.bool)


def encode(x):
    return stack(x, full)


def decode(y, memory):
    for read_own, read_other in zip(own, cross, strict=True):
        y = read_own(y, y, causal(3))
        y = read_other(y, memory, full)
    return y


# %% [markdown]
# <div class="predict">
#
# **Predict.** Put both texts into one row, the English first, and draw who reads whom in this encoder–decoder. Which
# mask of section 3 is it?
#
# <details><summary>A. None of them: two stacks cannot be one mask</summary>
#
# This tempts because there are two stacks with weights of their own. A mask does not speak of weights. It only says who
# may read whom.
#
# </details>
# <details><summary>B. The causal mask</summary>
#
# This tempts because the decoder is causal. The English words read each other both ways.
#
# </details>
# <details><summary>C. The prefix mask, with the English as its prefix</summary>
#
# Yes. The first text is read both ways and by all, the second as it is written.
#
# </details>
# </div>

# %%
x, y = torch.randn(2, 3, 16)


def both(row):
    memory = encode(row[:3])
    return torch.cat([memory, decode(row[3:], memory)])


with torch.no_grad():
    found = who_reads(both, torch.cat([x, y]), torch.randn(6, 16))
print_reading(found, first + second, first + second, "reads")
assert torch.equal(found, prefix(6, 3))

# %% [markdown]
# So no cell moves when the figure above goes from "prefix" to "encoder–decoder". What differs lies outside the table:
# two stacks have weights of their own, and the second text reads the *last* vectors of the first, where in a single
# stack it reads vectors of its own level.
#
# A single stack with a prefix mask is called a **prefix LM** (language model). Raffel et al. compared all of them at
# equal cost: in their runs the encoder–decoder came first, and the prefix LM was ahead of the causal one (T5, §3.2).
# Chapter 05 measures a small version of this.
#
# Here are real models, with what they were trained to do.
#
# | family | model | trained to |
# |---|---|---|
# | encoder | BERT (Devlin et al., 2019) | name words that are hidden; say whether two texts belong together |
# | | RoBERTa (Liu et al., 2019) | name words that are hidden, on far more text |
# | | DistilBERT (Sanh et al., 2019) | imitate BERT with half the layers |
# | | ELECTRA (Clark et al., 2020) | find the words that somebody replaced |
# | | MiniLM (Wang et al., 2020) | imitate the last layer of a larger model; ours then learned which sentences are close |
# | decoder | GPT, GPT-2, GPT-3 (Radford et al., 2018 and 2019; Brown et al., 2020) | name the next token |
# | | Llama (Touvron et al., 2023) | name the next token |
# | | SmolLM2 (Allal et al., 2025) | name the next token; ours then learned to answer |
# | encoder–decoder | Transformer (Vaswani et al., 2017) | name the next token of a translation |
# | | BART (Lewis et al., 2020) | restore a text that was damaged |
# | | T5 (Raffel et al., 2020) | write the pieces that were cut out of a text |
# | | ours for pronunciation | name the next sound of a word |
# | several masks in one | UniLM (Dong et al., 2019) | hidden words, under no mask, causal and prefix in turn |
#
# **Change** `causal(3)` to `full` in `decode`, run that cell, and then the one that prints the table. Its last line
# will complain, and rightly. Which cells open, and which mistake of section 5 is this?
#
# Which three families are there? Encoders read everything, decoders read what came before, encoder–decoders do one to
# the first text and the other to the second.

# %% [markdown]
# ## 7. Do real models keep to it?
#
# Three real models are at hand, one of each family. MiniLM is an encoder, SmolLM2 a decoder, and our pronunciation
# model an encoder–decoder that reads letters and writes sounds.
#
# We ask them as we asked the box. For SmolLM2 the next cell takes a while: it unpacks 135 million weights.

# %%
from qkv.generate import continuation, pretrained

smollm2, tokenizer = pretrained()

# %%
from qkv.models.bert import BERT
from qkv.models.transformer import Transformer
from qkv.text.sounds import letter_ids, sound_ids
from qkv.text.wordpiece import WordPiece

minilm, pieces = BERT.from_pretrained("minilm"), WordPiece.from_pretrained("minilm")
speaker = Transformer.from_pretrained("g2p")
cat, dog = torch.tensor(letter_ids("cat")), torch.tensor(letter_ids("dog"))
sounds, other_sounds = torch.tensor(sound_ids(["K", "AE", "T"])[:3]), torch.tensor(sound_ids(["D", "AO", "G"])[1:4])


def both_texts(row):
    letters, written = row[None, :3], row[None, 3:]
    memory = speaker.encode(letters)
    scores = memory[0] @ speaker.embedding.weight.T  # as wide as what the decoder gives
    return torch.cat([scores, speaker.decode(written, memory, letters)[0]])


# %%
line, other = "the cat slept on a mat", "my dog sat in his bed"
names = line.split()
with torch.no_grad():
    ids, other_ids = (torch.tensor(pieces.encode(each)) for each in (line, other))
    print_reading(who_reads(lambda ids: minilm(ids[None])[0], ids, other_ids), names, names, "MiniLM")
    ids, other_ids = (torch.tensor(tokenizer.encode(each)) for each in (line, other))
    print_reading(who_reads(lambda ids: smollm2.hidden_states(ids[None])[0], ids, other_ids), names, names, "SmolLM2")
    found = who_reads(both_texts, torch.cat([cat, sounds]), torch.cat([dog, other_sounds]))
    print_reading(found, [*"cat", "start", "K", "AE"], [*"cat", "start", "K", "AE"], "ours")
assert torch.equal(found, prefix(6, 3))

# %% [markdown]
# Three tables, three families, found without a look at their code. In the last one, three letters are read both ways,
# and the sounds read all letters and the sounds before them.
#
# Now each does what it is for, and then something that it is not for.
#
# **MiniLM** is for comparing texts: the average of its vectors says what a sentence is about. It is not for
# writing. If we force it and ask which word of its vocabulary has the vector nearest to its last one, what comes?
#
# <div class="predict">
#
# **Predict.** We force MiniLM to go on with "the cat slept on the". What does it say?
#
# <details><summary>A. mat, or another place to sleep</summary>
#
# This tempts because it has learned what cats and mats have to do with each other. But nobody ever asked it what comes
# next.
#
# </details>
# <details><summary>B. A word that stood in the sentence, or nothing sensible</summary>
#
# Yes. Its vectors speak of the words that are there.
#
# </details>
# <details><summary>C. It refuses</summary>
#
# This tempts because it is not for writing. A model never refuses: numbers come out whatever goes in.
#
# </details>
# </div>

# %%
from torch.nn.functional import cosine_similarity

lines = ["a cat slept on the mat", "the kitten was asleep on a rug", "the prices of oil fell again"]
with torch.no_grad():
    about = [minilm(torch.tensor([pieces.encode(f"[CLS] {each} [SEP]")])).mean(1)[0] for each in lines]
    last = minilm(torch.tensor([pieces.encode("[CLS] the cat slept on the")]))[0, -1]
for other_line, vector in zip(lines[1:], about[1:], strict=True):
    print(f"“{lines[0]}” and “{other_line}”: {cosine_similarity(about[0], vector, dim=0):.2f}")
nearest = (minilm.token.weight @ last).topk(5).indices.tolist()
print("\nforced to write: the cat slept on the …", [pieces.decode([i]) for i in nearest])

# %% [markdown]
# It knows that the kitten is near, although no word but *a*, *the* and *on* is the same. As a writer it is lost.
#
# **SmolLM2** is for going on with a text. It is not for gaps with the clue behind them: whatever follows the gap, it
# has not seen it. But tell the clue first, and it knows.

# %%
print("The capital of France is" + continuation(smollm2, tokenizer, "The capital of France is", 2), "\n")
beginnings = [
    "I went to the",  # … and borrowed two novels, or: … and swam ten lengths
    "I wanted to borrow two novels, so I went to the",
    "I wanted to swim, so I went to the",
]
with torch.no_grad():
    for beginning in beginnings:
        chances = smollm2(torch.tensor([tokenizer.encode(beginning)]))[0, -1].softmax(-1)
        best = {tokenizer.decode([i]).strip(): f"{chances[i]:.2f}" for i in chances.topk(3).indices.tolist()}
        print(f"{beginning} … {best}")

# %% [markdown]
# The gap of our first text is closed to a decoder until the text is turned round. That is how decoders are used today
# for nearly everything: the task is written down first, and the answer comes after it. In this way reader B does the
# work of the other families, by a detour.
#
# **Our pronunciation model** turns one complete text into another. It is for words of English, and for nothing else.

# %%
from qkv.pronounce import pronounce
from qkv.text.sounds import UnreadableWordError

for word in ("families", "dort"):
    print(f"{word:8}", *pronounce(speaker, [word])[0])
try:
    pronounce(speaker, ["2026"])
except UnreadableWordError as error:
    print("2026     UnreadableWordError:", error)

# %% [markdown]
# *dort* is French, and its *t* is silent; the model says it as an English reader might. It knows no other way, and does
# not tell us.
#
# **The same in `transformers`, in five lines.** The library names the families in its classes. These models have random
# weights; what they may read does not depend on weights.

# %%
from transformers import BertConfig, BertModel, GPT2Config, GPT2Model, T5Config, T5Model

torch.manual_seed(0)
encoder = BertModel(BertConfig(vocab_size=100, hidden_size=24, num_hidden_layers=2)).eval()
decoder = GPT2Model(GPT2Config(vocab_size=100, n_embd=24, n_layer=2)).eval()
t5 = T5Model(T5Config(vocab_size=100, d_model=24, num_layers=2)).eval()

ids, other_ids = torch.arange(10, 14), torch.arange(50, 54)
with torch.no_grad():
    for name, model in {"BERT": encoder, "GPT-2": decoder}.items():
        found = who_reads(lambda ids, model=model: model(ids[None]).last_hidden_state[0], ids, other_ids)
        print(f"{name:6} equals", "no mask" if found.all() else "the causal mask")
        assert torch.equal(found, torch.ones(4, 4).bool() if name == "BERT" else causal(4))
    found = who_reads(lambda ids: t5(input_ids=ids[None], decoder_input_ids=other_ids[None])[0][0], ids, other_ids)
print("T5     its second text reads all of the first:", found.all().item())
assert found.all()

# %% [markdown]
# **Limits.** These are small models.
#
# MiniLM calls sentences close that share a topic, even when one denies the other.
# SmolLM2 makes up facts in fluent English. Both learned from text of the web, prejudices included.
#
# Our model knows American English as one dictionary spells it.
#
# **Change** the line for MiniLM: let one sentence be "the cat did not sleep on the mat". Is it far from the first one?
#
# Do real models keep to it? Yes: from outside, each shows the table of its family, and what it may read decides what it
# can be asked.

# %% [markdown]
# ## 8. Which family for which task?
#
# Two questions settle nearly all cases.
#
# - *Must something new be written?* If not: an encoder.
# - *Is there a text that is complete before the writing begins?* If there is: an encoder–decoder; if not, a decoder.
#
# <div class="predict">
#
# **Predict.** "Underline the answer to this question in this passage." Which family is made for it?
#
# <details><summary>A. Encoder–decoder: a question is answered</summary>
#
# This tempts because of the word "answer". Nothing is written here: two places of the passage are asked for, a
# beginning and an end.
#
# </details>
# <details><summary>B. Encoder</summary>
#
# Yes. Passage and question are complete, and each word gets a score as beginning and as end.
#
# </details>
# <details><summary>C. Decoder: the best assistants are decoders</summary>
#
# This tempts because they can do it. They write the answer anew, and may write one that does not stand in the passage.
#
# </details>
# </div>
#
# | task | what comes out | made for it | in this course |
# |---|---|---|---|
# | classify a sentence | one label | encoder | chapter 09, film reviews |
# | find names, classify words | one label per word | encoder | chapter 09, tweets |
# | extractive question answering | two places | encoder | chapter 09, passages |
# | generate text | the rest of a text | decoder | chapter 08 |
# | summarise | a shorter text | encoder–decoder | chapter 08, headlines |
# | translate | the same in another language | encoder–decoder | chapter 05, verses |
# | generative question answering | an answer in own words | encoder–decoder | chapter 08 |
#
# The third column says what each family was made for, and not who wins today. Where the table sends the last three
# tasks to one family, chapters 05 and 08 try two.
#
# Why, then, are nearly all large models of today decoders? One reason is in our table: a decoder does every one of
# these tasks by a detour, and learns from every word of every text. An encoder such as BERT learns only from the words
# that were hidden. What the detour costs on a small budget is measured in chapters 09 and 10.
#
# **Change** the task in your head: "say whether this sentence is the next one in the story". Is anything written?
#
# Which family for which task? Nothing new: an encoder. New text about a complete one: an encoder–decoder. New text and
# nothing else: a decoder.

# %% [markdown]
# ## Summary
#
# - A block is, for now, a **sealed box**: position $i$ may read some positions and gets a new vector.
# - The **mask** says which. True means "may read"; rows read, columns are read.
# - Four masks: none, **causal**, **prefix**, cross. Only a mask that stays closed through any number of boxes is safe.
# - **Encoders** read everything, **decoders** what came before, **encoder–decoders** one text each way.
# - A writer that may look ahead has a splendid loss and writes rubbish.
# - Change one word, see what moves: that tells who reads whom in any model.
#
# ### What the papers said, and what we measured
#
# - *Read in both directions, each word could see itself, and predicting it would be trivial* (BERT, §3.1; no such model
#   is shown there). **Here:** trained, five seeds, with an interval (section 5).
# - *A language model with a prefix differs from an encoder–decoder in its weights, not in what may be read* (T5, §3.2).
#   **Here:** the tables are equal, cell by cell (section 6).
# - *At equal cost the encoder–decoder is ahead* (T5, Table 2). **Here:** not seen on pronunciation; chapter 05 has the
#   numbers.
#
# ### Common mistakes
#
# - **Rows and columns exchanged.** Shows in row 0: the first word has nothing before it.
# - **A mask turned inside out.** Some libraries let True mean "hidden".
# - **Off by one.** A word reads itself.
# - **A prefix made of rows.** Open are its columns.
# - **A future that leaks.** Shows in a loss that is too good, in the loss of the last place, and when one later word is
#   changed.
# - **Judging a writer by its loss while the answer lies open.** Let it write.
#
# ### Further reading
#
# - [Hugging Face course, chapter 1](https://huggingface.co/learn/llm-course/chapter1/4): the families and the tasks of
#   each.
# - [BERT](https://arxiv.org/abs/1810.04805), Devlin et al., 2019: §3.1 says why it hides words.
# - [T5](https://arxiv.org/abs/1910.10683), Raffel et al., 2020: §3.2 compares the three, with pictures of the masks.
# - [BART](https://arxiv.org/abs/1910.13461), Lewis et al., 2020, and [UniLM](https://arxiv.org/abs/1905.03197), Dong et
#   al., 2019: other ways to put them together.
# - [Improving Language Understanding by Generative
#   Pre-Training](https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf), Radford et
#   al., 2018: the first GPT.
# - [The Illustrated BERT, ELMo, and co.](https://jalammar.github.io/illustrated-bert/) by Jay Alammar.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. How do you find out who reads whom in a model that you cannot open?</summary>
#
# Change one word at a time and see which rows of the result change. A change at $j$ fills column $j$.
#
# </details>
# <details><summary>2. A model without a mask names the next letter with hardly any loss. What has it learned?</summary>
#
# To copy from the next place. When it writes, that place is empty.
#
# </details>
# <details><summary>3. From chapter 00: the loss of an even guess among V is ln V. Which losses should alarm you?</summary>
#
# One far above ln V at the start, for then something is broken; and one below what an honest guesser could reach, for
# then something leaks.
#
# </details>
#
# **Next.** The exercises of this chapter: the first takes two minutes. Then
# [chapter 02](../02_attention/lesson.ipynb) opens the box.
