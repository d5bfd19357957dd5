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
# # BERT, 1: pieces and masks
#
# ## 1. What does a model read when it does not know the word?
#
# > embeddings · brobdingnagian · café · cat🐈
#
# MiniLM, a small BERT with real weights, has a table with 30,522 rows. A row is all that it can look up.
# None of the four words above has a row of its own.
#
# <div class="predict">
#
# **Predict.** What does MiniLM see in place of *cat🐈*, a cat with a picture of a cat behind it?
#
# <details><summary>A. The row of <em>cat</em>, and one for "unknown"</summary>
#
# This tempts because the letters are known. But a word is cut as a whole or not at all: one sign without a row spoils
# all of it.
#
# </details>
# <details><summary>B. One row, "unknown", and no cat</summary>
#
# Yes. The word has one sign that no piece holds, so the whole word becomes `[UNK]`.
#
# </details>
# <details><summary>C. Its three letters, and one row for the picture</summary>
#
# This tempts because letters do have rows. They are used where nothing longer fits, and only if all of the word can
# be written.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - cut any word into pieces by hand, and learn which pieces there should be;
# - say what a larger vocabulary buys, with counts;
# - hide tokens as BERT does, and say why one gap in five shows something other than `[MASK]`;
# - find the famous line that never masks, which the loss will not show you;
# - say what next sentence prediction was, and what became of it.
#
# **Before you start.** Two questions; if one is hard, follow its link.
# Which matrix product turns a token's number into its vector, and what is cross-entropy?
# ([chapter 00](../00_start/lesson.ipynb)). What may a word read under a causal mask?
# ([chapter 02](../02_attention/lesson.ipynb)).
#
# **Time:** about 40 minutes. **Data:** English books of Project Gutenberg, tweets, the words of the CMU dictionary, and
# MiniLM's vocabulary and weights. Everything is on your machine already.

# %%
from qkv.notebook import setup

setup()

# %%
from qkv.text.wordpiece import WordPiece

pieces = WordPiece.from_pretrained("minilm")
for word in ("embeddings", "brobdingnagian", "café", "cat🐈"):
    print(f"{word:15}", *pieces.tokens(word))
assert len(pieces) == 30_522
assert pieces.tokens("cat🐈") == ["[UNK]"]

# %% [markdown]
# The marks `##` say: this piece goes on with the same word, without a space.
# The accent of *café* is gone. This vocabulary is *uncased*: capitals and accents are taken away before anything else.
#
# A word in pieces is still readable: the model can put *bed* and *ding* together. `[UNK]` is not.
#
# **Change** the words, in a new cell: your own name, a word of your language, a typing error. How many pieces does a
# rare word take?
#
# What does a model read when it does not know the word? The pieces of it that it knows, and `[UNK]` for the whole word
# if there is a sign that no piece holds.

# %% [markdown]
# ## 2. How is a word cut?
#
# The rule is greedy. Find the longest piece that begins the word. Then the longest piece that goes on from there, with
# `##` before it, until nothing is left.
# This is **WordPiece** as BERT uses it (Devlin et al. 2019, §3).
#
# <div class="predict">
#
# **Predict.** The vocabulary is *un, una, ##able, ##ble, ##a, ##ff, ##f*. How is *unaffable* cut?
#
# <details><summary>A. un ##a ##ff ##able: the parts that mean something</summary>
#
# This tempts because *un* and *able* are what the word is made of. The rule knows no meaning. It sees that *una* is
# longer than *un*.
#
# </details>
# <details><summary>B. una ##ff ##able: the longest piece first, each time</summary>
#
# Yes. At each place the longest piece that fits, and no look ahead.
#
# </details>
# <details><summary>C. una ##ff ##a ##ble: four pieces, as small as possible at the end</summary>
#
# This tempts because *ble* is in the list. But *##able* fits at the same place as *##a*, and is longer.
#
# </details>
# </div>

# %%


def longest_first(word, vocabulary):
    found, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        end = len(word)
        while end > start and mark + word[start:end] not in vocabulary:
            end -= 1
        if end == start:  # nothing fits: all of the word is unknown
            return ["[UNK]"]
        found.append(mark + word[start:end])
        start = end
    return found


few = {"un", "una", "##able", "##ble", "##a", "##ff", "##f"}
print(longest_first("unaffable", few), longest_first("unable", few), longest_first("cable", few))
assert longest_first("unaffable", few) == ["una", "##ff", "##able"]

# %% [markdown]
# *cable* begins with *c*, and no piece does. So it is unknown, although *able* is there.
#
# Note where the marks are added: for the look-up alone. `word` itself never holds a `#`.
#
# A well-known version of this loop writes the marks *into* the rest of the word and cuts that. It works until the
# vocabulary has a `#`, and MiniLM's has one. Then the mark itself is cut off as a piece, a new one is written, and the
# loop never ends. The exercises have it.
#
# Now the tested version. It must agree with ours on every word, and with the tokenizer of `transformers` on books and
# tweets.

# %%
from transformers import BertTokenizer

from qkv import assets
from qkv.data import load
from qkv.text.wordpiece import cut, words

theirs = BertTokenizer(str(assets.path("minilm", "vocab.txt")))
texts = [*load("gutenberg")["test"]["text"], *load("tweets")["test"]["text"]]
different = sorted({word for text in texts for word in words(text)})
assert all(cut(word, pieces.ids) == longest_first(word, pieces.ids) for word in different)
assert all(pieces.tokens(text) == theirs.tokenize(text) for text in texts)
print(f"{len(different)} different words cut alike, {len(texts)} texts tokenized as transformers does")

# %% [markdown]
# The one difference: our library calls a word of more than a hundred letters unknown, as `transformers` does. Look-ups
# grow with the square of the length, so one very long word would cost thousands.
#
# **Change** `"unaffable"` to `"unaffableness"`, in a new cell. One missing end, and what is left of the other pieces?
#
# How is a word cut? From left to right, always the longest piece that fits; if nothing fits, the whole word is unknown.

# %% [markdown]
# ## 3. Which pieces should there be?
#
# Nobody writes 30,522 pieces down. They are learnt from text: begin with single letters, and merge two neighbours into
# one piece, again and again, until the vocabulary is full.
#
# The question is which two. Five words, with how often each was read:
#
# > walk 8 · walked 4 · talk 6 · talked 3 · jumped 3
#
# Byte-pair encoding, **BPE**, takes the pair that occurs most often (Sennrich et al. 2016, §3.2).
# The score that is widely used for WordPiece divides by how often the two parts occur at all:
#
# $$\text{score}(a, b) = \frac{f_{ab}}{f_a \cdot f_b}$$
#
# <div class="predict">
#
# **Predict.** Which pair does this score merge first?
#
# <details><summary>A. ##a ##l: it is in four of the five words</summary>
#
# This tempts because it is what BPE does. Here the count is divided by the counts of *##a* and of *##l*, and both are
# large.
#
# </details>
# <details><summary>B. ##e ##d: an ending, and it is in three words</summary>
#
# This tempts because an ending is a useful piece. Its score is 10 / (10 · 10), one tenth.
#
# </details>
# <details><summary>C. j ##u: three times only, but neither is ever seen without the other</summary>
#
# Yes. The score is 3 / (3 · 3), one third. Rare letters that always meet cannot be beaten.
#
# </details>
# </div>

# %%
from qkv.text.pairs import PairCounts
from qkv.text.wordpiece import association, characters, frequency, likelihood_gain

read = {"walk": 8, "walked": 4, "talk": 6, "talked": 3, "jumped": 3}
found = PairCounts(read, characters)
for pair in (("##a", "##l"), ("##e", "##d"), ("j", "##u")):
    counts = found.pairs[pair], found.tokens[pair[0]], found.tokens[pair[1]], found.total
    scores = [score(*counts) for score in (frequency, association, likelihood_gain)]
    print(
        f"{' '.join(pair):8} counts {counts[:3]}   BPE {scores[0]:2.0f}   score {scores[1]:.3f}   gain {scores[2]:.1f}"
    )

# %% [markdown]
# The third number is nearer to what Google's authors describe: take the pair that makes the text most likely (Wu et al.
# 2016, §4.1). That gain is $f_{ab} \ln \frac{N f_{ab}}{f_a f_b}$, with $N$ pieces in all. It likes pairs that are
# both frequent and faithful.
#
# Google never published its trainer, so nobody outside knows which of these it was. And the `tokenizers` library of
# Hugging Face trains "WordPiece" with BPE's counts.
# Does it matter? Three vocabularies of 1,000 pieces each, learnt from the same passages of books:

# %%
books = load("gutenberg")
held_out = [word for text in books["test"]["text"] for word in words(text)]
for score in (frequency, association, likelihood_gain):
    learnt = WordPiece.train(books["train"]["text"][::16], 1000, score)
    per_word = sum(len(cut(word, learnt.ids)) for word in held_out) / len(held_out)
    newest = " ".join(learnt.vocabulary[-5:])
    print(f"{score.__name__:16} {per_word:.2f} pieces a word    the last five: {newest}")

# %% [markdown]
# The widely used score spends most of its pieces on rare words, built up letter by letter, because their letters seldom
# part. Most other words stay in letters. The other two hardly differ.
# Our own BERT will read pieces learnt by the gain, which is nearer to what Google describes.
#
# The game below lets you choose the next pair yourself, on the five words. Which of the two scores agrees with you?

# %%
from qkv.figures import MergeGame

MergeGame()

# %% [markdown]
# Frequency asks how often two pieces meet; the score asks whether they ever part.
#
# **Change** `"jumped": 3` to 1 in the cell with the counts. Its score grows: the rarer, the better.
#
# Which pieces should there be? Those that merges of neighbours give, and the score decides between frequent pairs and
# faithful ones.

# %% [markdown]
# ## 4. How large should the vocabulary be?
#
# A larger vocabulary makes texts shorter and the table longer. And a vocabulary of whole words leaves words unknown.
#
# <div class="predict">
#
# **Predict.** Of a hundred words in new passages of the same books, how many are missing among the 16,000 most frequent
# words of the training passages?
#
# <details><summary>A. None or one: that is more words than most people use</summary>
#
# This tempts because 16,000 is a lot. But each passage has rare words of its own, and each counts.
#
# </details>
# <details><summary>B. A few</summary>
#
# Yes; the exact number comes below. However large the list, new passages bring new words.
#
# </details>
# <details><summary>C. About twenty: new passages talk about new things</summary>
#
# This tempts because topics change. But half of any English text is made of a hundred words or so, and those are
# known.
#
# </details>
# </div>

# %%
from qkv.recipes.claims import field, show_claim

print("size    words: unknown   pieces: tokens a word      entries met")
for size in (500, 1000, 2000, 4000, 8000, 16000):
    row = [field("vocabulary-size", f"{fact} {size}") for fact in ("unknown words", "tokens pieces", "types pieces")]
    print(f"{size:5} {row[0]:>14} {row[1]:>24} {row[2]:>12}")
show_claim("vocabulary-size")

# %% [markdown]
# No test word is unknown to the pieces, at any size: every letter is a piece, so every word can be written.
# That is exact, and it is a statement about these passages. A sign that the training passages never had would be
# unknown, as the cat in section 1 was. And of a book that was never opened, more words would be missing in the column
# of words.
#
# The last column shows the price of size. Of the largest vocabulary, many entries are never met in the test passages,
# and a row that is rarely met is rarely trained. With 4,000 pieces a word costs little more than one token; each
# doubling after that saves less.
#
# One more trap: the pieces must be learnt from the training passages alone. A vocabulary that has seen the test
# passages knows their rare words, and its counts look better than they are.
#
# **Change** nothing here; go on with the column of words instead, doubling by doubling. Which size would leave one word
# in a hundred unknown? (It is nearly all the words that the training passages have.)
#
# How large should the vocabulary be? Large enough that most words are one piece, small enough that every piece is met
# often; no word stays unknown at any size.

# %% [markdown]
# ## 5. What can you ask a model that sees everything?
#
# In chapter 05 the decoder guesses the next word and may not look ahead. An encoder looks both ways. Ask it for the
# next word, and it copies the word from the right.
#
# So hide the answer. Put `[MASK]` where the token stood, and ask which it was: a **masked language model**
# (Devlin et al. 2019, §3.1). Both sides may help.
#
# A text for BERT has more marks than that. `[CLS]` stands first, and what the model makes of it stands for the whole
# text. `[SEP]` ends each text. When there are two, each token also says to which it belongs: its **segment**, 0 or 1.
# A `[SEP]` belongs to the text that it ends.

# %%
import torch

first, second = "the cat left the mat", "it was hungry"
row = ["[CLS]", *pieces.tokens(first), "[SEP]", *pieces.tokens(second), "[SEP]"]
boundary = row.index("[SEP]") + 1
segments = [0] * boundary + [1] * (len(row) - boundary)
ids = torch.tensor([[pieces.ids[token] for token in row]])  # (b 1 × t 11)
print("tokens  ", *(f"{token:>7}" for token in row))
print("ids     ", *(f"{i:7}" for i in ids[0].tolist()))
print("segment ", *(f"{i:7}" for i in segments))
assert theirs(first, second)["input_ids"] == ids[0].tolist()
assert theirs(first, second)["token_type_ids"] == segments

# %% [markdown]
# Token, position and segment each have a table. Three rows are added, and LayerNorm (chapter 05) is applied to the sum:
# that is what the first block reads. We check it in the real weights, and here is the source:

# %%
from qkv.models.bert import BERT
from qkv.notebook import source

minilm = BERT.from_pretrained("minilm")
with torch.no_grad():
    added = minilm.token(ids) + minilm.position.weight[: ids.shape[1]] + minilm.segment(torch.tensor([segments]))
    assert torch.allclose(minilm.embedding_norm(added), minilm._embed(ids, torch.tensor([segments])), atol=1e-6)
source(BERT._embed)

# %% [markdown]
# **Change** the second text to a question mark alone, in a new cell. How many of its tokens have segment 1?
#
# Is the right side worth having where nothing is hidden? Say the task is to name each word's part of speech. *that* is
# one thing in *that cat* and another in *that he left*: its right neighbour decides. In *the walk* and *to walk* the
# left one does.
#
# The paper says: very much. Reading from left to right alone costs `10.1` points of F1 on questions about passages, and
# an LSTM over both directions, put on top, brings back `7.1` of them (Devlin et al. 2019, Table 5; F1 goes from 0 to
# 100). The third row below has that remedy.
#
# <div class="predict">
#
# **Predict.** A small encoder learns parts of speech from 20,000 sentences, and nothing before that. Once all words are
# open to it; once a causal mask closes the right side. Which of the two gets more tags right?
#
# <details><summary>A. The one that sees both sides</summary>
#
# This tempts because it sees all that the other sees, and more. But what is seen has first to be told apart.
#
# </details>
# <details><summary>B. The one that sees the left side alone, by a little</summary>
#
# Yes. We had expected the reverse, and said so before the run.
#
# </details>
# <details><summary>C. Neither: most words have the same tag everywhere</summary>
#
# This tempts because it is true of most words. Look at the others alone, and the two differ by far.
#
# </details>
# </div>

# %%
kinds = ("right decides", "left decides")
print(f"tags right {'':15} all words", *(f"{kind:>15}" for kind in kinds))
for arm in ("both ways", "left to right", "left to right and LSTM"):
    total, *others = [field("right-context", f"{kind} {arm}") for kind in ("accuracy", *kinds)]
    print(f"{arm:26} {total:>9}", *(f"{share:>15}" for share in others))
for kind in kinds:
    print(f"{kind} for", field("right-context", f"words, {kind}"), "words; both ways minus left to right:")
    print("    ", field("right-context", f"{kind}, both ways minus left to right"))
show_claim("right-context")

# %% [markdown]
# Over all words the claim is **reversed**. The two columns on the right show what the total hides. They are few words,
# about one in ninety; the difference over all words comes from the others.
#
# *Right decides*: counted in the training sentences, the word's usual tag before its right neighbour is the true one,
# and its usual tag behind its left neighbour is not. There, seeing both sides is worth much, as the paper has it.
#
# *Left decides* is the other way about, and there the encoder that sees both sides is far behind. Yet it sees the left
# neighbour, too! Our guess, for these words and for the others: under a causal mask whatever a word sees stands before
# it. With both sides open, only the position vectors tell left from right, and what they mean has to be learnt.
#
# The LSTM knows the order from the start. It is ahead of both over all words and where the right neighbour decides. But
# it has more weights, too, so its lead need not come from the order alone.
#
# What this does not say: that BERT would do better with a causal mask. Nothing here was pretrained, the training is
# short, and Table 5 is about another task.
#
# What can you ask a model that sees everything? Which token was hidden, with both sides of the gap open. That it *may*
# look both ways does not mean that it has learnt to.

# %% [markdown]
# ## 6. Why is not every gap a mask?
#
# BERT chooses $15\,\%$ of the tokens to be guessed. `[CLS]`, `[SEP]` and padding are never chosen.
# Of the chosen ones, $80\,\%$ become `[MASK]`, $10\,\%$ become some other token, drawn at random, and $10\,\%$ stay as
# they are. All of the chosen ones are to be guessed, those that stayed too (§3.1).
#
# <div class="predict">
#
# **Predict.** Why leave $10\,\%$ as they are, and ask for them nevertheless?
#
# <details><summary>A. To save work: a known answer is quick to learn</summary>
#
# This tempts because such a gap is easy. It costs as much as any other; the model has to read and answer it.
#
# </details>
# <details><summary>B. By accident: the authors said so later</summary>
#
# This tempts because it looks odd. The paper explains it in §3.1 and compares six mixtures in its Table 8.
#
# </details>
# <details><summary>C. Because a finished model reads texts without any [MASK], and must have learnt to say something
# about plain words</summary>
#
# Yes. If only masks are ever asked, the model may do as it likes with all other tokens. And those are the ones that
# you will use.
#
# </details>
# </div>

# %%
from qkv.data.masking import mask_tokens

generator = torch.Generator().manual_seed(2)
special = torch.tensor([[token.startswith("[") for token in row]])
marks = [pieces.ids[token] for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")]
for _ in range(4):
    masked, labels = mask_tokens(ids, special, pieces.ids["[MASK]"], len(pieces), generator, marks)
    asked = [f"{row[i]} (reads {pieces.vocabulary[masked[0, i]]})" for i in range(len(row)) if labels[0, i] >= 0]
    print(pieces.decode(masked[0].tolist()), "   asked:", ", ".join(asked))

# %% [markdown]
# Each call makes other gaps: a text comes back at every epoch with other questions. That is *dynamic* masking (Liu et
# al. 2019, §4.1). BERT's own code drew its gaps once, ten versions of each text, before training.
#
# Where nothing is asked the label is $-100$. PyTorch's cross-entropy leaves that number out. It is no token, so it can
# never be mixed up with one; a 0 could, for 0 is `[PAD]`.
#
# Four draws show nothing about shares. Here are all test passages of five hundred pieces or more, and beside each share
# how far chance alone would take it, in 95 of 100 draws.

# %%
rows = torch.tensor([pieces.encode(text)[:500] for text in books["test"]["text"] if len(pieces.encode(text)) >= 500])
plain = torch.zeros_like(rows, dtype=torch.bool)
masked, labels = mask_tokens(rows, plain, pieces.ids["[MASK]"], len(pieces), generator, marks)


def tally(rows, masked, labels):
    chosen, hidden, kept = labels >= 0, masked == 103, masked == rows
    fates = {"[MASK]": hidden, "another": ~hidden & ~kept, "itself": kept}
    yield "chosen", int(chosen.sum()), rows.numel(), 0.15
    total = int(chosen.sum())
    yield from ((name, int((chosen & of).sum()), total, p) for (name, of), p in zip(fates.items(), shares, strict=True))


shares = (0.8, 0.1, 0.1)
for name, count, total, p in tally(rows, masked, labels):
    print(f"{name:8} {count / total:7.2%}   expected {p:.0%} ± {1.96 * (p * (1 - p) / total) ** 0.5:.2%}")

# %% [markdown]
# **Change** `shares` in this cell to `(0.8, 0.2, 0.0)`. The counts stay, and now two lines leave their band. Then
# change it back: section 9 uses it.
#
# The source decides all three fates with *one* draw, and that is the point at which copies of it go wrong.

# %%
from qkv.data import masking

source(masking.corrupt)

# %% [markdown]
# What does the paper say of the mixture? Its Table 8 compares six, each with one training:
#
# > 80 / 10 / 10: MNLI 84.2, entities 95.4, entities from frozen features 94.9. All masks: 84.3, 94.9, 94.0.
# > (Devlin et al. 2019, Table 8)
#
# Fine-tuned, the mixture hardly matters; read from frozen features, masks alone seem to cost something. But differences
# below a point mean little, and this is one: the same model has two different numbers in two of these tables. (The
# paper writes mask / itself / other; we write mask / other / itself.)
#
# What can be measured with small models is the reason behind the mixture. We train small BERTs alike but for it, which
# are asked for two pieces in five. Then they read texts that they never met, without a single mask. What does each
# piece cost at its own place, in nats?
#
# Then one piece of a row gives way to another, drawn at random. How often is the exchange **noticed**: how often does the
# model find the true piece likelier than the false one that stands there? And what does the true piece cost **hidden**,
# behind `[MASK]`, as in training?

# %%
facts = {"own piece": "own {}.mean", "noticed": "noticed {}", "hidden": "masked {}.mean", "probe": "probe {}"}
print(f"{'mask/other/itself':18}", *(f"{name:>10}" for name in facts))
for mixture in ("80/10/10", "100/0/0", "80/0/20"):
    print(f"{mixture:18}", *(f"{field('unmasked', fact.format(mixture)):>10}" for fact in facts.values()))
show_claim("unmasked")

# %% [markdown]
# *Hidden* first: behind a mask all three are about as good. That is what all three were trained for.
#
# With masks alone the model sees a piece, is asked for it, and cannot say it. Nobody ever asked. Yet most pieces can
# still be told from its states: a new linear map, the *probe*, learns to name the piece from its state. It is right for
# most pieces, but for fewer than with the mixture.
#
# Why then does this model notice most exchanges? It does not name what stands there, true or false, so the true piece is
# nearly always ahead of the false one. That is no doubt. *Noticed* means something only beside a low cost of the own
# piece.
#
# Why not leave a fifth in plain sight, and none exchanged? The third row does. It names what it sees nearly without
# error, and it believes everything: a false piece is hardly ever noticed. The tenth of false pieces teaches a model that
# *does* name what it sees to doubt it, and to look at the neighbours as well.
#
# Why is not every gap a mask? Because a finished model never sees a mask, and has to have learnt something about the
# words that it does see.

# %% [markdown]
# ## 7. Where have all the masks gone?
#
# Here is a version that was in a popular repository at first (BERT-pytorch, issue 29 of October 2018; it was mended
# soon), in our words. It draws one
# number per token, and asks it twice.


# %%
def from_a_popular_repository(ids, special_mask, mask_id, vocab_size, generator):
    prob = torch.rand(ids.shape, generator=generator)
    chosen = (prob < 0.15) & ~special_mask
    masked = torch.where(chosen & (prob < prob * 0.8), mask_id, ids)
    drawn = torch.randint(5, vocab_size, ids.shape, generator=generator)
    masked = torch.where(chosen & (prob >= prob * 0.8) & (prob < prob * 0.9), drawn, masked)
    return masked, ids.masked_fill(~chosen, -100)


def only_masks(ids, special_mask, mask_id, vocab_size, generator):
    chosen = (torch.rand(ids.shape, generator=generator) < 0.15) & ~special_mask
    return ids.masked_fill(chosen, mask_id), ids.masked_fill(~chosen, -100)


def as_published(ids, special_mask, mask_id, vocab_size, generator):
    return mask_tokens(ids, special_mask, mask_id, vocab_size, generator, range(5))


# %% [markdown]
# We train a very small BERT with each: one block, on English words of eight letters, every letter a token.
# The pieces are the alphabet, so a gap is a missing letter, as in *p\_ctures*.

# %% mystnb={"image": {"alt": "Training loss against step for three ways to make gaps, on a logarithmic scale. The version from the repository falls from 3.4 to below 0.01 within 200 steps; the published mixture and only masks stay above 2."}}
from qkv import plots
from qkv.inspection.gap_task import three_questions, train_filler
from qkv.models.bert import BERTConfig, BERTForPreTraining
from qkv.text.wordpiece import SPECIAL

letters = WordPiece([*SPECIAL, *"abcdefghijklmnopqrstuvwxyz"])


def spelt(split):
    chosen = [word for word in load("cmudict")[split]["word"] if len(word) == 8 and word.isalpha() and word.isascii()]
    return torch.tensor([letters.encode(f"[CLS] {' '.join(word)} [SEP]") for word in chosen])


small, models, curves = BERTConfig(31, 48, 4, 96, 1, dropout=0.0, max_length=10), {}, {}
for make_gaps in (as_published, only_masks, from_a_popular_repository):
    torch.manual_seed(0)
    model = models[make_gaps] = BERTForPreTraining(small)
    curves[make_gaps.__name__] = train_filler(model, make_gaps, spelt("train"), 4, 31)
figure = plots.losses(curves)
for name, losses in curves.items():
    print(f"{name:26} loss over the last ten steps {sum(losses[-10:]) / 10:.2f}")

# %% [markdown]
# The version from the repository wins by far: its loss is next to nothing.
#
# <div class="predict">
#
# **Predict.** Now all three fill real gaps, letters behind `[MASK]`, in words that they do not know. Who is best?
#
# <details><summary>A. The one with the lowest loss</summary>
#
# This tempts because the loss is what we trained. But each loss speaks of the gaps that its own code made.
#
# </details>
# <details><summary>B. The two others; the one with the lowest loss is worse than a guess</summary>
#
# Yes. It never met a mask, and learnt to repeat what it sees.
#
# </details>
# <details><summary>C. All alike: the words are the same</summary>
#
# This tempts because texts, model and steps are the same. The questions were not.
#
# </details>
# </div>
#
# We ask all three the same gaps, in three disguises: behind `[MASK]`, with the letter left as it is, and with another
# letter in its place.

# %%
test = spelt("test")
share = torch.bincount(test[test >= 5], minlength=31)[5:] / (test >= 5).sum()
print(f"guessing by how frequent letters are costs {-(share * share.log()).sum():.2f}\n")
found = {make_gaps.__name__: three_questions(model, test, 4, 31) for make_gaps, model in models.items()}
for name, answers in found.items():
    print(f"{name:26}", "   ".join(f"{question} {nats:5.2f}" for question, nats in answers.items()))
assert found["from_a_popular_repository"]["[MASK]"] > 4 > 2.8 > found["as_published"]["[MASK]"]
assert found["as_published"]["itself"] < 1.5
assert found["only_masks"]["itself"] > found["only_masks"]["[MASK]"]

# %% [markdown]
# The famous line: `prob < prob * 0.8` compares a number with a smaller one. No probability is below four fifths of
# itself, so no token is ever masked.
#
# Every gap stays as it is, and the model learns to copy.
# The loss could not tell. A count of the masks tells at once.
#
# The middle row shows what the mixture is for. Trained on masks alone, the model was never asked about a letter in
# plain sight. Shown the very letter, it names it *worse* than when the letter is hidden. With a tenth left as they are,
# it has learnt to look. (One training each; the size of these numbers belongs to this task.)
#
# The cure is one division: given that it is below $15\,\%$, `prob / 0.15` is again a draw between 0 and 1. Or draw once
# more, as our source does. Each of the other versions in the figure below has been met as well.

# %%
for make_gaps in models:
    masked, labels = make_gaps(test, test < 5, 4, 31, torch.Generator().manual_seed(0))
    chosen = labels >= 0
    print(f"{make_gaps.__name__:26} {int((masked == 4).sum()):5} masks among {int(chosen.sum())} gaps")

# %%
from qkv.figures import MaskTallies

MaskTallies()

# %% [markdown]
# A share outside its band is a bug, or one draw in twenty; draw again, and only a bug stays outside.
#
# **Change** both `prob * 0.8` to `0.15 * 0.8`, and `prob * 0.9` to `0.15 * 0.9`, in the version above. Run its cell,
# the training and the count of the masks again: the masks are back, and the loss is higher. (Leave out the cell with
# the three questions. It asserts that the version is wrong.)
#
# Where have all the masks gone? A number was compared with a part of itself; the loss fell because the question had
# become trivial.

# %% [markdown]
# ## 8. Does one text follow the other?
#
# BERT had a second question. Two texts, A and B: did B come after A in the document? In half of the pairs it did; in
# the other half B is from *another* document. This is **next sentence prediction**, NSP, and it is asked of `[CLS]`.

# %%
from qkv.data.sentence_pairs import PairBatches, passages_of

batches = PairBatches(passages_of(books["test"], pieces), pieces, batch_size=2, max_length=32)
batch = batches[2]
for i in range(2):
    print(pieces.decode(batch.ids[i].tolist()), "→", "not next" if batch.not_next[i] else "next")
    print("         segments", *batch.segments[i].tolist())

# %% [markdown]
# In our code, as in BERT's, 0 means "B follows" and 1 "it does not". A model trained with the labels the other way
# round learns as well and answers the reverse; only reading the examples shows it.
#
# Why from another document? From the same one, B would be about the same things, and the question harder. It also
# means that the topic alone gives the answer away.
#
# What became of it?
#
# > Without NSP: MNLI 83.9 instead of 84.4, QNLI 84.9 instead of 88.4. (Devlin et al. 2019, Table 5)
#
# > Pairs with NSP: MNLI 84.0, SQuAD 90.4. Full sentences without NSP: 84.7, 90.4. (Liu et al. 2019, RoBERTa, Table 2)
#
# The second group found that removing NSP does no harm when all of a row is one running text. RoBERTa left it out, and
# most later encoders did; ALBERT asked instead whether two neighbours had been swapped (Lan et al. 2020, §3.1).
# Both tables are other people's, on machines that we do not have. Our own small BERT has no NSP.
#
# **Change** `batches[2]` to `batches[3]`, in a new cell. Can you tell the false pair before you read the label?
#
# Does one text follow the other? The model was asked so, in half of the pairs falsely; later work found that it can do
# without.

# %% [markdown]
# ## 9. Is this what the library does?
#
# The same in `transformers`, in five lines:

# %%
from transformers import BertModel, DataCollatorForLanguageModeling

collate = DataCollatorForLanguageModeling(theirs, mlm_probability=0.15)
torch.manual_seed(0)
batch = collate([{"input_ids": row} for row in rows])
for name, count, total, p in tally(rows, batch["input_ids"], batch["labels"]):
    print(f"{name:8} {count / total:7.2%}   expected {p:.0%} ± {1.96 * (p * (1 - p) / total) ** 0.5:.2%}")

# %% [markdown]
# The shares agree. One thing differs: the library draws its random tokens from the whole vocabulary, special ones
# included, and ours never draws `[CLS]` or `[MASK]`. With 30,522 pieces that is one draw in thousands.
#
# And our BERT with MiniLM's weights gives what theirs does, with two texts of different length in one batch:

# %%
from qkv.nn.masks import not_padding

reference = BertModel.from_pretrained(assets.path("minilm", "config.json").parent).eval()
both = theirs([first, second], [second, "why ?"], padding=True, return_tensors="pt")
with torch.no_grad():
    expected = reference(**both).last_hidden_state
    lengths = both["attention_mask"].sum(1)
    given = minilm(both["input_ids"], both["token_type_ids"], not_padding(lengths))
real = both["attention_mask"].bool()
assert torch.allclose(given[real], expected[real], atol=1e-5)
print("largest difference below 1e-5 on", int(real.sum()), "tokens")

# %% [markdown]
# **Limits.** MiniLM was trained to make sentence vectors, and its file has no head that names pieces. It cannot fill a
# gap.
#
# Its vocabulary was made from English of before 2019: newer words fall apart, and so do most names that are not
# English. What falls apart costs more tokens and was seen less often.
#
# **Change** `mlm_probability` to `0.4`. Which of the four shares move?
#
# Is this what the library does? Yes, but for special tokens among the random ones.

# %% [markdown]
# ## Summary
#
# - **WordPiece** cuts a word from left to right into the longest pieces that there are. One sign without a piece makes
#   the whole word `[UNK]`.
# - Pieces are learnt by merging neighbours; *which* neighbours is a matter of the score, and it matters.
# - A **masked language model** sees both sides and is asked for hidden tokens: $15\,\%$, of which $80\,\%$ behind `[MASK]`,
#   $10\,\%$ behind another token, $10\,\%$ in plain sight.
# - The mixture makes the model look at words that are not hidden.
# - The loss cannot tell whether the question was the right one. Count what the code did.
# - **NSP** asked whether B follows A. Later models do without.
#
# ### What the papers said, and what we measured
#
# - *Subword pieces leave no word unknown* (Sennrich et al., Table 1). **Here:** exact, on books whose letters were all
#   met before (section 4).
# - *Text that is read later has no masks, so not every gap may be one* (Devlin et al., §3.1, Table 8). **Here:** the
#   reason is reproduced: masks alone leave a model that cannot name a piece that it sees (section 6). The table's small
#   differences between tasks were not measured.
# - *Tagging needs both sides* (Devlin et al., Table 5). **Here:** reversed for a small encoder that begins anew; true of
#   the words whose right neighbour decides (section 5).
# - *NSP helps* (Devlin et al., Table 5), *it does not* (Liu et al., Table 2). **Here:** cited only.
#
# ### Common mistakes
#
# - **A number compared with a part of itself.** No mask at all. Shows in the tallies.
# - **Two separate draws for one decision.** Shares of other sizes. Shows in the tallies.
# - **Special tokens among the gaps.** Shows when gaps are counted by token.
# - **Labels copied after masking.** The model is asked to say `[MASK]`. Shows in one printed row.
# - **A label of 0 for "not asked".** It is the id of `[PAD]`. Shows in the count of labels.
# - **One piece unknown, the rest kept.** Shows against a second implementation.
#
# ### Further reading
#
# - [BERT](https://arxiv.org/abs/1810.04805), Devlin et al., 2019. Read §3 and appendix A.
# - [The Illustrated BERT](https://jalammar.github.io/illustrated-bert/) by Jay Alammar.
# - [Google's Neural Machine Translation System](https://arxiv.org/abs/1609.08144), Wu et al., 2016: §4.1, wordpieces.
# - [Neural Machine Translation of Rare Words with Subword Units](https://arxiv.org/abs/1508.07909), Sennrich et al.,
#   2016: BPE.
# - [RoBERTa](https://arxiv.org/abs/1907.11692), Liu et al., 2019: dynamic masking, and life without NSP.
# - [BERT-pytorch, issue 29](https://github.com/codertimo/BERT-pytorch/issues/29): the branch that never masked.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. Why is <em>cable</em> unknown to a vocabulary that has <em>##able</em>?</summary>
#
# No piece begins with *c*, and a word is cut from the left. If one place cannot be filled, the whole word is unknown.
#
# </details>
# <details><summary>2. Your training loss falls to nearly nothing within two hundred steps. What do you count
# first?</summary>
#
# The masks: how many tokens were chosen, and how many of them became `[MASK]`, another token, or stayed.
#
# </details>
# <details><summary>3. From chapter 02: which mask does BERT's attention use, and why not the causal one?</summary>
#
# Only the one against padding. The answer is hidden behind `[MASK]`, so nothing is given away by looking to the right;
# a causal mask would take one side away.
#
# </details>
#
# **Next.** [Lesson 2](lesson_2_heads.ipynb) puts heads on BERT: for texts, for words, for answers. The exercises of
# this chapter find each mistake above by name.
