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
# # BERT, 2: heads and fine-tuning
#
# ## 1. Can a tagger be nearly always right and find nothing?
#
# Somebody has marked the names in tweets: people, places, teams, films. Each word has a **tag**. `B-person` begins a
# person's name, `I-person` goes on with it, and `O` is no name at all.
#
# Here is a tagger that needs no training. It answers `O` to every word.
#
# <div class="predict">
#
# **Predict.** Of the words of new tweets, how many get the right tag from it?
#
# <details><summary>A. About half: tweets are full of names</summary>
#
# This tempts because names catch the eye. Count the words between them.
#
# </details>
# <details><summary>B. More than nine of ten</summary>
#
# Yes. Most words are no names. So it is nearly always right, and it has found nothing.
#
# </details>
# <details><summary>C. None: it has learnt nothing</summary>
#
# This tempts because it does not look at the words. It need not: one answer fits most of them.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - put a head on BERT for a text, for each word, or for an answer in a passage;
# - give each word's label to the right piece, and score names as names;
# - choose how far the weights may move, and say what to check before you believe a score;
# - ask what layers and heads know, with a control beside each answer.
#
# **Before you start.** Two questions; if one is hard, follow its link.
# What is `[CLS]`, and why may a word be several pieces? ([lesson 1](lesson.ipynb)). What is a peak rate, and what does
# freezing a layer mean? ([chapter 07](../07_ulmfit/lesson_2_fine_tuning.ipynb)).
#
# **Time:** about 40 minutes. **Data:** tweets with names, questions with their kinds, sentences of film critics, the
# Brown corpus, articles of Wikipedia, our own small BERT, and MiniLM. Everything is on your machine already.

# %%
from qkv.notebook import setup

setup()

# %%
from qkv.data import load
from qkv.data.ner_tweets import TAGS

tweets = load("ner-tweets")
example = next(row for row in tweets["train"] if row["words"][1] == "Mattingly")
print(*(f"{word}/{TAGS[tag]}" for word, tag in zip(example["words"], example["tags"], strict=True)))

# %%
from qkv.scoring.spans import span_f1

true = [[TAGS[i] for i in row["tags"]] for row in tweets["test"]]
nothing = [["O"] * len(tags) for tags in true]


def words_right(given, true):
    pairs = [pair for rows in zip(given, true, strict=True) for pair in zip(*rows, strict=True)]
    return sum(a == b for a, b in pairs) / len(pairs)


# %%
print(f"words right {words_right(nothing, true):.1%}   names found {span_f1(nothing, true).recall:.1%}")
assert words_right(nothing, true) > 0.9
assert span_f1(nothing, true).f1 == 0

# %% [markdown]
# So names are scored as names. A name counts only if its kind, its first word and its last word are right.
#
# **Precision**: of the names that the tagger gives, the share that is true. **Recall**: of the true names, the share
# that the tagger gives. **F1** is their harmonic mean, nearer to the smaller of the two (Tjong Kim Sang & De Meulder
# 2003, §2).
#
# A name half found is not found. Worse, it costs twice: one name too many, and one missed.

# %%
truth = ["O", "B-person", "I-person", "O", "B-geo-loc"]
answers = {
    "both names": truth,
    "half a name": ["O", "B-person", "O", "O", "B-geo-loc"],
    "another kind": ["O", "B-person", "I-person", "O", "B-company"],
}
for name, answer in answers.items():
    right, score = words_right([answer], [truth]), span_f1([answer], [truth])
    print(f"{name:13} words right {right:.0%}   precision {score.precision:.2f}   F1 {score.f1:.2f}")

# %% [markdown]
# **Change** an answer: in a new cell, give the fourth word `B-company`, where no name is, and leave the rest right.
# Print `span_f1([answer], [truth])`. Which of precision and recall falls, and does the other one?
#
# Can a tagger be nearly always right and find nothing? Yes, where one answer fits most words; so count whole names, and
# print what the empty tagger gets.

# %% [markdown]
# ## 2. What is there before the head?
#
# Lesson 1 trained a model on gaps. The course has a larger one of that kind, *our BERT* from here on: four blocks,
# 4,000 pieces, trained to fill gaps in three million words of books, presidents' addresses, articles, reviews and
# tweets.
#
# <div class="predict">
#
# **Predict.** On new text, one piece in seven is hidden. Beside our BERT stands a table of counts that sees one
# neighbour on each side. Which of the two names more of the hidden pieces?
#
# <details><summary>A. BERT, by far: it sees the whole row</summary>
#
# This tempts because whoever sees more may know more. But the two neighbours tell most, and what lies farther off is
# hard to learn for a small model.
#
# </details>
# <details><summary>B. The counts, by far: they forget nothing</summary>
#
# This tempts because such a model is too small to learn a book by heart. But counts say little of two neighbours that
# never met before.
#
# </details>
# <details><summary>C. They name about as many; BERT spreads its chances better</summary>
#
# Yes. On average BERT gives the hidden piece a larger chance. Counting who has it in first place does not show that.
# The loss does, in nats, in the box below.
#
# </details>
# </div>

# %%
import torch

from qkv.models.bert import BERTForPreTraining
from qkv.text.wordpiece import WordPiece

ours, small_pieces = BERTForPreTraining.from_pretrained("bert"), WordPiece.from_pretrained("bert")


def chances(text):
    ids = torch.tensor([small_pieces.encode(f"[CLS] {text} [SEP]")])
    with torch.no_grad():
        hidden = ours.bert(ids)[ids == small_pieces.ids["[MASK]"]]  # (gaps 1, d 160)
        return ours.piece_scores(hidden)[0].softmax(-1)  # (v 4000,)


# %%
for gap in ("the people of the united [MASK] .", "she [MASK] at him and smiled .", "the film is very [MASK] ."):
    best = chances(gap).topk(5)
    offers = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    print(f"{gap:36}", *(f"{small_pieces.vocabulary[i]} {p:.2f} " for i, p in offers))

# %%
from qkv.recipes.claims import field, show_claim

for arm in ("BERT", "neighbours", "frequency"):
    print(f"{arm:10} names {field('bert-mlm', f'accuracy {arm}'):>7} of the hidden pieces")
show_claim("bert-mlm")

# %% [markdown]
# Would the other question have taught more in the same time? BERT learns from hidden pieces alone, our GPT of chapter
# 08 from every token. In the paper a model that reads from left to right is ahead after 30,000 steps, `79.4` against
# `78.6` on sentence pairs. After 100,000 hidden pieces are, and at the end they have `84.4` against `82.2` (Figure 5).
#
# Of both our models we kept what they were after equally many steps. A linear map reads from their frozen states which
# of six kinds of thing a question asks for.

# %%
print(f"steps {'GPT':>8} {'BERT':>8}   GPT minus BERT")
for step in range(0, 3601, 600):
    right = [field("budget", f"accuracy {model}, step {step}") for model in ("GPT", "BERT")]
    print(f"{step:5} {right[0]:>8} {right[1]:>8}  ", field("budget", f"GPT minus BERT, step {step}"))
show_claim("budget")

# %% [markdown]
# **Not seen**: at the smallest budget, the row named before the run, the interval holds 0. GPT has the better mean
# after each budget, as the paper has it for short training. But of six such rows one may well leave 0 by chance.
#
# Look at the first line: it is not training that answers most of these questions. Two networks that read nothing are a
# few points behind the best. So this task is a blunt tool here.
#
# And a step is not the same for both. BERT reads nearly twice as many pieces in it, and is asked for fewer than GPT.
#
# In the figure, write a gap of your own. What the model offers is what fits the place, and seldom what the text is
# about.

# %%
from qkv.figures import FillMask

FillMask()

# %% [markdown]
# **Limits.** It repeats what it has read, and most of that is old. Which of *he* and *she* does it put in the gap?

# %%
for start in ("the president said that", "the nurse said that", "the girl said that"):
    found = chances(f"{start} [MASK] was tired .")
    he, she = (found[small_pieces.ids[word]].item() for word in ("he", "she"))
    print(f"{start:24} he {he:.3f}   she {she:.3f}")

# %% [markdown]
# *He* is ahead of *she* in all three rows, even after *the girl*. Those are habits of its books, and no facts about
# people. A head that is put on top inherits them.
#
# The other model of this lesson, MiniLM, was made in another way. It is a **student**: six blocks that were trained to
# do what a larger model does. Then it was trained on a billion pairs of sentences, so that the *mean* of its states
# says what a sentence means. Its file has no head for gaps.
#
# **Change** the first gap to *she and her sister walked to the village , and [MASK] was tired .*, then let it begin
# with *he and his brother*. The gap's neighbours stay the same. Do the offers of our BERT stay the same too?
#
# What is there before the head? States that help to name a hidden piece from its surroundings, with the habits of what
# was read.

# %% [markdown]
# ## 3. Which state feeds which head?
#
# A head is one linear map. What differs is the state that it reads (Devlin et al. 2019, Figure 4):
#
# | task | reads | gives |
# |---|---|---|
# | a text's class | the state of `[CLS]`, through the **pooler**, tanh of a linear map | a score for each class |
# | a tag for each word | the state of the word's first piece | a score for each tag |
# | an answer in a passage | the state of every piece | one score as the first, one as the last |
#
# <div class="predict">
#
# **Predict.** MiniLM's states have 384 entries. How many new numbers does the third head need, for a passage of a
# hundred pieces?
#
# <details><summary>A. 770</summary>
#
# Yes. Two rows of 384 and two offsets, the same for every piece.
#
# </details>
# <details><summary>B. 77,000: two scores for each of a hundred places</summary>
#
# This tempts because there are two hundred scores. They come from the same two rows; only the states differ.
#
# </details>
# <details><summary>C. 384 · 384: it has to compare pieces with each other</summary>
#
# This tempts because an answer depends on the question. Comparing is what the blocks below have done already.
#
# </details>
# </div>

# %%
from qkv import toy
from qkv.models.bert import BERT
from qkv.transfer.bert_heads import SentenceClassifier, SpanFinder, TokenClassifier

minilm, pieces = BERT.from_pretrained("minilm"), WordPiece.from_pretrained("minilm")

# %%
torch.manual_seed(0)
heads = [SentenceClassifier(minilm, 2), TokenClassifier(minilm, len(TAGS)), SpanFinder(minilm)]
before = sum(weight.numel() for weight in minilm.parameters())
for head in heads:
    new = sum(weight.numel() for weight in head.parameters()) - before
    print(f"{type(head).__name__:20} {before:,} numbers that are there, {new:,} new ones")

# %%
ids = torch.tensor([pieces.encode(f"[CLS] {toy.SENTENCE} [SEP]")])  # (b 1 × t 12)
classify, tag, find = (head.eval() for head in heads)
with torch.no_grad():
    h = minilm(ids)  # (b 1, t 12, d 384)
    pooled = torch.tanh(minilm.pooler(h[:, 0]))
    assert torch.allclose(classify.classifier(pooled), classify(ids), atol=1e-6)
    assert torch.allclose(tag.classifier(h), tag(ids), atol=1e-6)
    first, last = (h @ find.ends.weight.T + find.ends.bias).unbind(-1)
    assert torch.allclose(first, find(ids)[0], atol=1e-6)
print("scores: text", tuple(classify(ids).shape), "  words", tuple(tag(ids).shape), "  first", tuple(first.shape))

# %% [markdown]
# Is the state of `[CLS]` a good place to read? In the paper's BERT it was trained, by next sentence prediction. Our
# BERT was trained on gaps alone, and MiniLM by its mean.
#
# Below, critics' sentences are read in two ways, and each time
# a linear map learns from frozen states whether the critic praises. A hundred and fifty labels, as many new texts; a
# coin gets about half.

# %%
from qkv.inspection.probes import linear_probe
from qkv.recipes.bert_layers import read
from qkv.recipes.transfer_systems import Source
from qkv.text.words import tokens

encoders = {"MiniLM": Source(minilm, pieces), "our BERT": Source(ours.bert, small_pieces)}
films = load("movie-snippets")
some, new = (films[split].shuffle(seed=0).select(range(150)) for split in ("train", "test"))


# %%
def two_ways(encoder, texts):
    states = [reading.layers[:, -1] for reading in read(encoder, [tokens(text)[:30] for text in texts])]
    return torch.stack([h[0] for h in states]), torch.stack([h.mean(0) for h in states])


labels, new_labels = torch.tensor(some["label"]), torch.tensor(new["label"])
print("new texts right   [CLS]   mean")
for name, encoder in encoders.items():
    seen, unseen = two_ways(encoder, some["text"]), two_ways(encoder, new["text"])
    shares = [linear_probe(a, labels, b, new_labels) for a, b in zip(seen, unseen, strict=True)]
    print(f"{name:15}", *(f"{share:7.0%}" for share in shares))

# %% [markdown]
# With another hundred and fifty texts such a share may be seven or eight points higher or lower, by chance alone. So
# the table does not say which way is better, and hardly which model. Whoever fine-tunes need not choose: `[CLS]` is
# then trained for the task at hand.
#
# **Change** `h.mean(0)` to `h.amax(0)`, the largest entry over the row. Does it help?
#
# Which state feeds which head? `[CLS]` a text's, first pieces the words', all pieces that of an answer. Whether a state
# was ever trained to be read there is a question to ask of each model; fine-tuning may still move it.

# %% [markdown]
# ## 4. Why does the loss fall and hardly a name appear?
#
# A tagger for names. MiniLM stays frozen, so that its states are computed once, and a linear map learns 21 tags. Three
# hundred tweets to learn from, two hundred new ones.
#
# MiniLM reads pieces, and tags belong to words. Let us try it this way: `[CLS]` comes first and gets −100, "not asked";
# then the tags, one after the other; whatever is left at the end gets −100 too.

# %%
from torch import nn
from torch.nn.functional import cross_entropy

known, new = tweets["train"].select(range(300)), tweets["test"].select(range(200))
seen, unseen = (read(encoders["MiniLM"], rows["words"]) for rows in (known, new))


# %%
def one_after_the_other(row, tags):
    return ([-100, *tags] + [-100] * len(row.ids))[: len(row.ids)]


# %%
def train_head(labels_of, num_steps=120):
    torch.manual_seed(0)
    head = nn.Linear(384, len(TAGS))
    states = torch.cat([reading.layers[:, -1] for reading in seen])
    told = (labels_of(reading.row, tags) for reading, tags in zip(seen, known["tags"], strict=True))
    labels = torch.tensor([label for row in told for label in row])
    optimizer, losses = torch.optim.AdamW(head.parameters(), lr=1e-2), []
    for _ in range(num_steps):
        loss = cross_entropy(head(states), labels)  # leaves -100 out
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return head, losses


# %%
@torch.no_grad()
def report(name, head, losses):
    best = [head(reading.layers[reading.row.places, -1]).argmax(-1).tolist() for reading in unseen]
    given = [[TAGS[i] for i in tags] for tags in best]
    right, names = words_right(given, true[:200]), span_f1(given, true[:200])
    print(f"{name:20} loss {losses[0]:.2f} → {losses[-1]:.2f}   words right {right:.1%}   F1 {names.f1:.3f}")


# %%
first_try = train_head(one_after_the_other)
report("one after the other", *first_try)
print(f"always O             words right {words_right(nothing[:200], true[:200]):.1%}")

# %% [markdown]
# The loss has fallen by nine tenths, and nearly nine words of ten are right. F1 is next to nothing.
#
# <div class="predict">
#
# **Predict.** Where do you look first?
#
# <details><summary>A. At the rate, and at the number of steps</summary>
#
# This tempts because it is what one can turn. The loss falls well already; a lower one on the same labels does not tell
# what they ask.
#
# </details>
# <details><summary>B. At MiniLM: frozen states may not hold names</summary>
#
# This tempts because frozen states are less than fine-tuned ones. They may hold more than this head shows; it has to be
# asked about the right places.
#
# </details>
# <details><summary>C. At one row: each piece beside the label that it got</summary>
#
# Yes. A loss speaks of the labels that were given. Read some.
#
# </details>
# </div>

# %%
pairs = zip(seen, known["tags"], strict=True)
reading, tags = next(
    (r, t) for r, t in pairs if max(t) > 0 and len(t) + 3 < len(r.row.ids) < 18 and r.row.places[2] > 3
)
for i, label in zip(reading.row.ids, one_after_the_other(reading.row, tags), strict=True):
    print(f"{pieces.vocabulary[i]:12} {TAGS[label] if label >= 0 else ''}")

# %% [markdown]
# Behind the first word of several pieces, every tag stands too far to the left: it belongs to a later word. Here
# *twitter* is the company, and *tonight* has its tag.
#
# A label has to stand at the first piece of its own word. All other places say −100: marks, padding, and the rest of a
# word (§5.3).

# %%
from qkv.notebook import source
from qkv.transfer import bert_inputs
from qkv.transfer.bert_inputs import at_first_pieces

report("one after the other", *first_try)
report("at first pieces", *train_head(at_first_pieces))
source(bert_inputs.at_first_pieces)

# %% [markdown]
# Now some names are found, as far as frozen states and three hundred tweets go. Look at the words once more: even this
# tagger has fewer of them right than the one that says `O`. It dares to answer.
#
# Why not a label at *every* piece of a word? Then long words count several times, in the loss and in the score. And two
# pieces of one word may get two tags: somebody has to decide.
#
# **Change** the steps of the first tagger: `report("longer", *train_head(one_after_the_other, 600))` in a new cell. The
# loss falls further. Where do the words right go, and F1?
#
# Why does the loss fall and hardly a name appear? The labels stood at other words; most are `O`, so that most fitted
# nevertheless.

# %% [markdown]
# ## 5. How far may the weights move?
#
# In fine-tuning all of BERT learns, with a head that begins at random. The paper took peak rates of `2e-5` to `5e-5`,
# below the `1e-4` of pretraining, and two to four passes over the labels (appendix A, on fine-tuning).
#
# Our own BERT is small and takes larger steps. The task: what kind of thing does a question ask for? Six kinds, two
# hundred labels, forty steps.
#
# <div class="predict">
#
# **Predict.** Pretrained, with the rates `1e-5`, `1e-3` and `3e-2`. Which learns most?
#
# <details><summary>A. The smallest: what was learnt before is kept</summary>
#
# This tempts because forgetting is the danger. Forty steps at such a rate leave the head as random as it was.
#
# </details>
# <details><summary>B. The one in the middle</summary>
#
# Yes. Far enough for the head and the blocks to meet, not so far that what was read is gone.
#
# </details>
# <details><summary>C. The largest: forty steps are few</summary>
#
# This tempts because of the count. Adam moves every weight by about its rate at each step; weights here are a few
# hundredths large.
#
# </details>
# </div>

# %%
from qkv.recipes.transfer_systems import BERTSystem, Counted, Training
from qkv.recipes.transfer_tasks import TASKS, labelled, share_right, splits

trec = splits("TREC", max_words=25, num_validation=150, num_test=150)
asked = labelled(TASKS["TREC"], trec.train, 200, 0)

# %%
for start, rate in (("pretrained", 1e-5), ("pretrained", 1e-3), ("pretrained", 3e-2), ("scratch", 1e-3)):
    answer = BERTSystem(start).fit(TASKS["TREC"], asked, rate, Training(num_steps=40, batch_size=16), seed=0)
    known, unknown = (share_right(answer(part), part) for part in (asked[:100], trec.validation))
    print(f"{start:11} {rate:7.0e}   right on the labels {known:3.0f} of 100, on new questions {unknown:3.0f}")

# %%
answer = Counted("bag of bigrams").fit(TASKS["TREC"], asked, 10.0, Training(0, 1), seed=0)
print(f"bag of bigrams: right on new questions {share_right(answer(trec.validation), trec.validation):3.0f}")

# %% [markdown]
# The small rate has hardly moved anything, and the large one has destroyed what was there. From random weights
# (*scratch*) forty steps at the middle rate bring next to nothing: what the pretrained model has at that rate, it has
# from reading. And the bag of bigrams, which has read nothing, is no worse here than our BERT after forty steps.
#
# Why so few passes? Compare the two numbers of the run with the middle rate: on the labels that it learns from it is
# far ahead. A network of two million weights soon knows two hundred texts by heart. The validation texts say when to
# stop.
#
# Three checks before you believe a score:
#
# - **eval.** Dropout is on while training. Forget `.eval()` afterwards, and the same text gets other scores each time.
# - **What moves.** Freezing saves time. And an optimizer knows only the weights that it was handed: a head put on later is
#   not among them, and stays random.
# - **The padding.** A text's scores must not depend on who else is in the batch.

# %%
torch.manual_seed(0)
sentence = torch.tensor([pieces.encode("[CLS] it holds you to the end [SEP]")])
with torch.no_grad():
    twice = [classify.train()(sentence).softmax(-1)[0, 0].item() for _ in range(2)]
    settled = [classify.eval()(sentence).softmax(-1)[0, 0].item() for _ in range(2)]
print("train:", *(f"{p:.4f}" for p in twice), "  eval:", *(f"{p:.4f}" for p in settled))
assert twice[0] != twice[1]
assert settled[0] == settled[1]


# %%
def frozen_below(bert, num_layers):
    for part in (bert.token, bert.position, bert.segment, bert.embedding_norm, *bert.layers[:num_layers]):
        part.requires_grad_(False)
    return bert


for num_layers in (0, 2, 4, 6):
    student = frozen_below(BERT.from_pretrained("minilm"), num_layers)
    learn = sum(weight.numel() for weight in student.parameters() if weight.requires_grad)
    print(f"table and {num_layers} blocks frozen: {learn:>10,} of {before:,} numbers learn")

# %% [markdown]
# With the table and all six blocks frozen, the pooler is what is left to learn, and the head on top of it.
#
# One task and one seed show how to look, and no more. A comparison takes several tasks and several seeds. Each of the
# systems compared gets as many settings to choose from, and chooses on validation data.
#
# Here are four tasks, each with 640 labels and five seeds: whether a film pleased, parts of speech, names, and answers
# in a passage. Names are scored by F1, answers by exact match (the next section). *Pretrained* is our BERT, *scratch*
# the same with weights drawn anew, and *counting* has read nothing and has no network at all.

# %%
systems, tasks = ("BERT scratch", "BERT pretrained", "MiniLM", "counting"), ("films", "speech", "names", "answers")
print(f"{'':8}", *(f"{system.removeprefix('BERT '):>10}" for system in systems))
for task in tasks:
    print(f"{task:8}", *(f"{field('bert-tasks', f'{system}, {task}.mean'):>10}" for system in systems))

# %%
print("pretrained minus scratch")
for task in tasks:
    print(f"{task:8}", field("bert-tasks", f"pretraining, {task}"))
show_claim("bert-tasks")

# %% [markdown]
# Read such numbers in pairs. Pretrained against scratch says what *reading* was worth: on the mean of the four the
# claim is **reproduced**. But it comes from two of them, answers and parts of speech.
#
# For films nothing is shown; one of the five seeds got no further than a coin. And for names neither of our two BERTs
# finds a single one, at any rate that was tried. They are the tagger of section 1, after two hundred steps.
#
# MiniLM against ours says what a larger model with far more text is worth: much for films and answers, some for parts
# of speech. With names, two of its five seeds found none either.
#
# Counting says whether any of it was needed. It is not behind our pretrained BERT in any row, by the means. It is ahead
# of MiniLM where a rule made the questions, and at names. There it sees capital letters, which our pieces have lost.
#
# **Change** `num_steps` to 160; that takes some minutes. Which of the four runs gain on new questions, and which knows
# its labels by heart?
#
# How far may the weights move? As far as validation texts tell: too small a rate leaves the head random, too large a
# one washes out what was read. And a bag of words stands beside it.

# %% [markdown]
# ## 6. How does a head find an answer?
#
# A question and a passage stand in one row, as texts 0 and 1. The answer is a stretch of the passage, a **span**. So
# the head has two things to say: where it begins and where it ends (§4.2). Answers are short; here a span has at most
# four places.
#
# A row of nine, and scores by hand:
#
# | score as | [CLS] | who | left | [SEP] | the | cat | left | it | [SEP] |
# |---|---|---|---|---|---|---|---|---|---|
# | first | 0 | 6 | 0 | 0 | 3 | 2 | 0 | 4 | 0 |
# | last | 0 | 5 | 1 | 0 | 0 | 5 | 1 | 2 | 0 |
#
# <div class="predict">
#
# **Predict.** Which answer does BERT give?
#
# <details><summary>A. <em>who</em>: it has the highest scores</summary>
#
# This tempts because 6 and 5 are the largest of their rows. But *who* is in the question, and an answer is taken from
# the passage.
#
# </details>
# <details><summary>B. From <em>it</em> to <em>cat</em>: the best first and the best last one of the passage</summary>
#
# This tempts because 4 and 5 are the best there. But *cat* stands before *it*: that is no span.
#
# </details>
# <details><summary>C. <em>the cat</em></summary>
#
# Yes. 3 + 5 is the best sum of a pair in the passage whose first one is not behind its last one.
#
# </details>
# </div>

# %%
row = ["[CLS]", "who", "left", "[SEP]", "the", "cat", "left", "it", "[SEP]"]
first = torch.tensor([[0.0, 6, 0, 0, 3, 2, 0, 4, 0]])
last = torch.tensor([[0.0, 5, 1, 0, 0, 5, 1, 2, 0]])
in_passage = torch.tensor([[False] * 4 + [True] * 4 + [False]])

# %%
from qkv.transfer.bert_heads import best_span

pairs = [
    (first[0, i] + last[0, j], i, j) for i in range(9) for j in range(i, min(i + 4, 9)) if in_passage[0, [i, j]].all()
]
score, i, j = max(pairs)
print("answer:", *row[i : j + 1], f"  score {score:.0f}")
assert best_span(first, last, in_passage, max_length=4).tolist() == [[i, j]]

# %% [markdown]
# Now a task that is nearly real. For SQuAD people read passages and wrote questions about them (Rajpurkar et al. 2016);
# no package of this course has it. Our questions are **built by rule**, from Wikipedia: a pattern finds a year, a place
# or a number of things; other words of its sentence become the question.

# %%
from qkv.data.span_questions import span_questions

articles, asks = load("wikipedia-sample"), ("when", "where", "how many")
made = {}
for split in ("train", "test"):
    made[split] = [each for each in span_questions(articles[split]["text"], asks) if len(each.passage) < 46]
for kind in asks:
    question = next(each for each in made["train"] if each.kind == kind and len(each.question) > 4)
    print("Q:", *question.question, "  A:", question.answer)
    print("  ", *question.passage, "\n")
print({split: len(part) for split, part in made.items()}, "questions about short passages")

# %% [markdown]
# Nobody would ask like this. A question repeats words of its sentence, so that finding the same words again is half of
# the task. Scores here are no scores on SQuAD.
#
# What they still ask for: two texts in one row, a match between them, and two ends that fit. We freeze MiniLM's table
# and four of its blocks, and train the rest for fifty steps of eight questions. Beside it stands a tagger that counts:
# it sees a word, its neighbours and how many words of the question stand near it.

# %%
from qkv.recipes.answers import exact, find_by_counting, fine_tuned, spans
from qkv.recipes.bert_tasks import drawn
from qkv.scoring.rouge import rouge_n

few, new_ones = drawn(made["train"], 400, seed=0), drawn(made["test"], 80, seed=0)
student = frozen_below(BERT.from_pretrained("minilm"), 4)
finder = fine_tuned(student, pieces, few, rate=5e-4, training=Training(num_steps=50, batch_size=8), seed=0)
found = {"MiniLM": spans(finder, new_ones), "counting": find_by_counting(few, 1.0)(new_ones)}


# %%
def overlap(ends, question):
    given = question.passage[ends[0] : ends[1] + 1]
    return rouge_n(" ".join(given), question.answer, 1).f1


assert exact(found["counting"], new_ones) > exact(found["MiniLM"], new_ones)
for name, ends in found.items():
    shared = sum(map(overlap, ends, new_ones)) / len(ends)
    print(f"{name:9} exactly right {exact(ends, new_ones):3.0f} of 100, words in common (F1) {100 * shared:3.0f}")

# %% [markdown]
# **Exact match** wants all words; words in common give a part for a part. After fifty steps MiniLM is far behind the
# counting. Questions that are built by rule are answered by rule: ask of every test set who made it, and how.
#
# What kinds of errors are left to MiniLM?

# %%
pairs = zip(new_ones, found["MiniLM"], strict=True)
missed = [(question, ends) for question, ends in pairs if exact([ends], [question]) == 0]
for question, (a, b) in missed[:5]:
    print("Q:", *question.question, "  A:", question.answer, "  given:", *question.passage[a : b + 1])

# %% [markdown]
# Most are of the right kind, a place for a place or a number for a number. Some are part of the true answer.
#
# **Change** `in_passage` in the cell with the scores: let the places of the question be allowed, and run the cell after
# it once more. Which answer comes out?
#
# How does a head find an answer? By two scores for each piece, and the best pair that stands in the passage in the
# right order.

# %% [markdown]
# ## 7. What do the layers know?
#
# Freeze everything, take the states of one layer, and let a linear map read a property from them: a **linear probe**.
# If it succeeds, the property can be read off there.
#
# <div class="predict">
#
# **Predict.** Parts of speech, read from MiniLM's layers. And from the same network with random weights, never trained
# on anything: how many words are right there?
#
# <details><summary>A. About a fifth, as many as by always saying "noun"</summary>
#
# This tempts because nothing was learnt. But each piece has a vector of its own, even a random one, and the probe
# learns which piece is mostly a noun.
#
# </details>
# <details><summary>B. Well above that</summary>
#
# Yes. A random vector still says *which* word it is. That is why a probe without a control proves little.
#
# </details>
# <details><summary>C. As many as from the trained one: a probe learns the task itself</summary>
#
# This tempts because probes do learn. But of a word that was in none of the labelled sentences, a random vector tells
# nothing.
#
# </details>
# </div>

# %%
from qkv.data.brown import COARSE

brown = load("brown")
torch.manual_seed(0)
networks = {"trained": encoders["MiniLM"], "random": Source(BERT(minilm.config), pieces)}


def sentences(split):
    rows = brown[split].shuffle(seed=0).select(range(900))
    return [row for row in rows if 5 < len(row["words"]) < 16][:100]


# %%
parts = {split: sentences(split) for split in ("train", "test")}
kinds = {split: torch.tensor([tag for row in rows for tag in row["coarse"]]) for split, rows in parts.items()}
most = kinds["train"].mode().values
print("words:", {split: len(tags) for split, tags in kinds.items()})
print(f"always {COARSE[most]}: {(kinds['test'] == most).float().mean():.0%}")


# %%
def by_layer(network):
    readings = {split: read(network, [row["words"] for row in rows]) for split, rows in parts.items()}
    states = {s: torch.cat([each.layers[each.row.places] for each in found]) for s, found in readings.items()}
    for layer in range(7):
        known, new = (states[split][:, layer] for split in ("train", "test"))
        yield linear_probe(known, kinds["train"], new, kinds["test"])


print("layer    ", *(f"{layer:5}" for layer in range(7)), "  (0: embeddings)")
for name, network in networks.items():
    print(f"{name:9}", *(f"{share:5.0%}" for share in by_layer(network)))

# %% [markdown]
# Random states get far beyond *always noun*, in every layer alike: they say which word it is, and little more. What the
# trained ones have beyond that is what training has put there, and it is largest in the middle. The last layer falls
# back. MiniLM was taught to say in one mean what a sentence means, and that may be why; this table does not show it.
#
# What a probe does not prove: that the model *uses* what can be read. Nor that a lower score means less knowledge; it
# may be there in a form that no linear map finds. And a difference of a point or two between layers is within what
# other sentences would give.
#
# BERT's authors asked which layers make good features, for names (Table 7): the last alone `94.9`, four side by side
# `96.1`, fine-tuned `96.4`.
#
# We ask MiniLM the same about tweets with ten kinds of names. A linear map learns from twelve hundred tweets and reads
# the chosen layers at each word's first piece; five seeds. *Weighted* is the mix of chapter 06, one learnt share for
# each layer; *side by side* puts the layers one after the other. As before, one row is a network that nobody trained.

# %%
rows_of_table = ("embeddings", "second to last", "last", "last four weighted", "last four side by side", "all weighted")
for layers in (*rows_of_table, "last four side by side, untrained", "fine-tuned"):
    print(f"{layers:33} F1 {field('bert-layers', layers)}")
print("fine-tuned minus side by side:", field("bert-layers", "fine-tuned minus side by side"))
show_claim("bert-layers")

# %% [markdown]
# As in the paper the last layer alone is behind four side by side, and by far more than there: in MiniLM even the
# embeddings are ahead of it. Every row of frozen, trained states that may read the layer before the last is far ahead
# of the others, and how layers are joined matters little.
#
# In the paper fine-tuning is best. Here its five seeds lie so far apart that the interval holds a loss and a gain. It
# took two hundred steps, and longer was not tried; for so few labels frozen layers are at least the steadier way.
#
# **Change** `[:100]` to `[:30]`: fewer sentences to learn from, and fewer to test on. What is left of the last layer's
# lead over random states?
#
# What do the layers know? What a linear map reads off them *beyond* what it reads off random states.

# %% [markdown]
# ## 8. What do heads look at?
#
# The heads of this section are attention heads, as in chapter 03, and not what we put on top. Each of MiniLM's 72 hands
# out its weight over the row. Does one of them point from a determiner, such as *the*, to its noun, or from an object
# to its verb?
#
# Papers count that with treebanks, sentences whose grammar was marked by hand (Clark et al. 2019, §4.2). We have parts
# of speech, and a rule that makes pairs of words from them, **arcs**: *the old cat* gives *the → cat*. A verb and the
# noun of the phrase right after it count as verb and object: *saw the old cat* gives *cat → saw*.
#
# Two things stand beside the count. A blind rule, *always one word to the right*, is often good already. And the best
# of 72 is lucky: so choose it on one half of the sentences, and count on the other.

# %%
from qkv.inspection.probes import best_offset, determiners, objects, pointing
from qkv.recipes.bert_layers import attention

rows = parts["train"] + parts["test"]
tagged = [[COARSE[tag] for tag in row["coarse"]] for row in rows]
arcs = {
    "previous word": [[(i, i - 1) for i in range(1, len(tags))] for tags in tagged],
    "determiner → noun": [determiners(tags) for tags in tagged],
    "object → verb": [objects(tags) for tags in tagged],
}


# %%
def best_head(network, listed):
    weights, half = [attention(network, tuple(row["words"])) for row in rows], len(rows) // 2
    best = pointing(weights[:half], listed[:half]).flatten().argmax()
    return divmod(int(best), 12), pointing(weights[half:], listed[half:]).flatten()[best]


for relation, listed in arcs.items():
    distance, blind = best_offset(listed)
    print(f"{relation}, {sum(map(len, listed))} arcs; always {distance:+d}: {blind:.0%}")
    for name, network in networks.items():
        (layer, number), share = best_head(network, listed)
        print(f"    {name:8} layer {layer}, head {number:2}: {share:.0%}")

# %% [markdown]
# Here layer 0 is the first block. The head for the previous word is as good as the blind rule, for it *is* that rule.
# For determiners and objects one head is ahead of every fixed distance, and the random network, one draw of it, has
# nothing like that.
#
# Does the head "know" objects? It points where our rule points, on sentences of Brown, and our rule knows no grammar
# beyond twelve kinds of words. Nor does a pointing head show that anything further up uses it: for that, silence it, as
# in chapter 03.
#
# **Change** the halves in `best_head`: choose on the second one (`[half:]`) and count on the first. Are they the same
# heads, and how far does a share move?
#
# What do heads look at? Some at fixed places, some at what grammar asks for; count it beside a blind rule and a random
# network, on sentences that did not choose the head.

# %% [markdown]
# ## 9. Does the library do the same?
#
# Labels at first pieces, a head and its loss: the same tagger in `transformers`, in a few lines.

# %%
from transformers import AutoTokenizer, BertForTokenClassification

from qkv import assets

folder = assets.path("minilm", "config.json").parent
theirs = BertForTokenClassification.from_pretrained(folder, num_labels=len(TAGS)).eval()
encoded = AutoTokenizer.from_pretrained(folder)(example["words"], is_split_into_words=True, return_tensors="pt")
word = encoded.word_ids()
aligned = [example["tags"][w] if w is not None and w != word[i - 1] else -100 for i, w in enumerate(word)]
loss = theirs(**encoded, labels=torch.tensor([aligned])).loss

# %%
(reading,) = read(encoders["MiniLM"], [example["words"]])
row, tags = reading.row, example["tags"]
assert encoded["input_ids"][0].tolist() == row.ids
assert aligned == at_first_pieces(row, tags)
tag.classifier.load_state_dict(theirs.classifier.state_dict())
with torch.no_grad():
    ours_says = cross_entropy(tag(torch.tensor([row.ids]))[0], torch.tensor(at_first_pieces(row, tags)))
assert torch.allclose(ours_says, loss, atol=1e-5)
print(f"the same ids, the same labels, the same loss: {loss.item():.3f}")

# %% [markdown]
# `word_ids()` is the one line that people leave out. It says which word a piece belongs to, and `None` for the marks.
#
# **Limits.** MiniLM's vocabulary has no capitals: *US* and *us* are one piece, and for names that is a loss. It read
# English of the web; what it says about people, places and groups repeats what was written about them there. And our
# tweets are of about 2010, by people who did not expect to be studied.
#
# **Change**, in a new cell, the line of `aligned`: `True` in place of `w != word[i - 1]`, and print it. Which word now
# counts twice? And if *Don* had two pieces, what would its tag say at the second one?
#
# Does the library do the same? Yes, if the labels are aligned by hand.

# %% [markdown]
# ## Summary
#
# - A **head** is one linear map. `[CLS]` feeds a text's head, first pieces a word's, all pieces an answer's.
# - Labels stand at first pieces; everything else is −100. Read one row before you train.
# - Names are scored whole: **F1** of spans, beside a tagger that says `O`.
# - An answer is the best pair in the passage, its first place not behind its last one.
# - **Fine-tuning** moves all weights a little. The rate, the number of passes and what stays frozen are chosen on
#   validation data.
# - A **probe** and a pointing head say little without a random network, and a blind rule, beside them.
#
# ### What the paper said, and what we measured
#
# - *One layer on top is enough for many tasks* (Devlin et al., §4). **Here:** a text's class, words and spans, each with
#   one linear map (sections 3 to 6). Four tasks with few labels: reading is worth something on their mean, and much in
#   two of them. Counting is not behind our BERT in any, and ahead of MiniLM in two (section 5).
# - *Left to right is ahead when pretraining is short* (Devlin et al., Figure 5). **Here:** not seen, in a task where
#   pretraining brings little at all (section 2).
# - *The last layer is not the best feature* (Devlin et al., Table 7, on names). **Here:** reproduced, on names in tweets
#   and on parts of speech, with a random network beside it (section 7).
# - *Single heads find grammatical relations* (Clark et al., Table 1). **Here:** by a rule over parts of speech, with the
#   blind rule beside it (section 8).
#
# ### Common mistakes
#
# - **One label after the other, over pieces.** Shows when a row is read aloud, and in F1; not in the loss.
# - **Words right as the score of a tagger for names.** The empty tagger shines.
# - **Two ends chosen apart.** The answer ends before it begins, or stands in the question.
# - **No `.eval()`.** The same text gets two scores.
# - **An optimizer made before the head.** The head never learns.
# - **A mean over padding.** A text's score depends on its neighbours in the batch.
# - **`[CLS]` of a model that never trained it.** Read what was trained, or fine-tune.
# - **A probe without a control.**
#
# ### Further reading
#
# - [BERT](https://arxiv.org/abs/1810.04805), Devlin et al., 2019: §4, §5.3 and appendix A.
# - [What Does BERT Look At?](https://arxiv.org/abs/1906.04341), Clark et al., 2019: heads, with baselines.
# - [Designing and Interpreting Probes with Control Tasks](https://arxiv.org/abs/1909.03368), Hewitt and Liang, 2019.
# - [SQuAD](https://arxiv.org/abs/1606.05250), Rajpurkar et al., 2016: questions that people asked.
# - [Sentence-BERT](https://arxiv.org/abs/1908.10084), Reimers and Gurevych, 2019: why MiniLM is read by its mean.
# - [MiniLM](https://arxiv.org/abs/2002.10957), Wang et al., 2020: a student of a larger model.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. A word has three pieces. Which labels do they get, and who else gets the same as the last
# two?</summary>
#
# The first one the word's tag, the others −100; `[CLS]`, `[SEP]` and padding get −100 as well.
#
# </details>
# <details><summary>2. A tagger for names has nineteen of twenty words right. What do you ask?</summary>
#
# How many words a tagger has right that always says `O`, and how many whole names were found.
#
# </details>
# <details><summary>3. From chapter 08: GPT reads a text's class from its last token. Why may BERT read it from the
# first?</summary>
#
# In GPT a token sees only what stands before it, so the last one alone has read everything. In BERT every token sees
# all.
#
# </details>
#
# **Next.** The exercises of this chapter. Chapter 10 then sets BERT beside the other models, with the same labels and
# the same budget.
