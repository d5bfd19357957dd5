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
# # ULMFiT, 1: three stages
#
# ## 1. Which one has read before?
#
# > the acting is stiff , but the story holds you .
# >
# > the acting stiff is , but the holds story you .
#
# Which of the two is English? A small classifier learns to tell, from 200 sentences: half are as a critic wrote them, in
# the other half three pairs of neighbours have changed places.
#
# We train it twice, in the same way, on the same sentences. Once it begins with random weights. Once it has read before:
# without any labels, it has learned to guess the next word of other reviews.
#
# The two curves below are their losses on these 200 sentences.
#
# <div class="predict">
#
# **Predict.** How will you know which one has read?
#
# <details><summary>A. Its curve falls faster: whoever knows English learns the task faster</summary>
#
# This tempts because it sounds like a head start. But this loss does not ask for English. It can be brought down by
# learning 200 sentences by heart, and that needs no English.
#
# </details>
# <details><summary>B. Its curve ends lower: it has more to work with</summary>
#
# This tempts because better models have lower losses. On sentences that they know, both come down; the random one has
# weights enough to learn them all by heart.
#
# </details>
# <details><summary>C. Not from these curves at all</summary>
#
# Yes. Both come down in the same way. What tells them apart is what they say of sentences that neither has seen.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - name ULMFiT's three stages and say how each may fail;
# - cut a text into rows that an LSTM may read, and say why nothing may be shuffled;
# - build weight drop, and tell the five dropouts apart;
# - carry a model over to other words, and find out when its words were mixed up;
# - turn a text of any length into one vector, whoever shares its batch.
#
# **Time:** about 35 minutes. **Data:** eight thousand sentences of film critics. Everything is on your machine already.
#
# **Self-check.**
#
# <details><summary>What does a loss of ln 1500 nats say of a model with 1500 words?</summary>
#
# It guesses evenly among all of them (chapter 00).
#
# </details>
# <details><summary>What does an LSTM hand on from word to word?</summary>
#
# A hidden state and a memory cell, and that is all it knows of the text so far (chapter 06).
#
# </details>

# %%
from qkv.notebook import setup

setup()

# %% [markdown]
# First the sentences. Some are kept for the task, the others are there to be read.
# A **vocabulary** gives each of the 1,500 commonest words a number; all other words share `<unk>`.

# %%
import random

from qkv.recipes import word_order

kept, to_read, vocabulary = word_order.reviews()
print(len(to_read), "sentences to read,", sum(map(len, to_read)), "words;", len(kept), "sentences kept")
print(" ".join(kept[6]), " ".join(word_order.exchanged(kept[6], random.Random(0))), sep="\n")
new, train = (word_order.labelled(kept[a:b], vocabulary) for a, b in ((0, 400), (400, 600)))

# %% [markdown]
# Now somebody must read. "A language model learns to predict the next word": here is the sentence as code. The model is
# an **AWD-LSTM**, a table of word vectors with two LSTM layers above it; section 3 says what is special.
#
# One step reads 35 words at each of 32 places of the text, and pays for every next word that it did not expect.
# `Carried` hands the state on from step to step (section 2). `penalty` is a small extra cost, which keeps states small
# and neighbours alike.

# %%
import torch
from torch.nn.utils import clip_grad_norm_

from qkv.training.bptt import Carried, ContiguousBatches


def read_once(carried, chunk, optimizer):
    nats, penalty, state = carried.model.loss(chunk.ids, chunk.targets, carried.state_before(chunk))
    carried.keep(state)
    optimizer.zero_grad()
    (nats + penalty).backward()
    clip_grad_norm_(carried.parameters(), 1.0)
    optimizer.step()


# %% [markdown]
# And 150 of those steps. `slanted_triangular` sets the learning rate; lesson 2 takes it apart.

# %%
from qkv.training.schedules import slanted_triangular

random_model, reader = word_order.model_of(len(vocabulary)), word_order.model_of(len(vocabulary))
carried = Carried(reader)
batches = ContiguousBatches(word_order.running(to_read, vocabulary), batch_size=32, chunk_length=35)
optimizer = torch.optim.Adam(reader.parameters())
for step in range(150):
    optimizer.param_groups[0]["lr"] = 0.01 * slanted_triangular(step, 150)
    read_once(carried, batches[step], optimizer)

unread = word_order.running(kept[700:], vocabulary)
print(f"nats per next word, an even guess: {torch.tensor(1500).log():.2f}")
for name, model in {"random weights": random_model, "has read": reader}.items():
    print(f"{name:15} {word_order.surprise(model, unread):.2f}")

# %% [markdown]
# Of reviews that it has not read, the reader is less surprised: it has learned something of English, and of critics.
#
# Now the classifiers. Scores of words are no use for two labels, so a new **head** takes their place: two small layers
# with random weights. Everything below the head is carried over, and all of it learns.

# %% tags=["nbval-ignore-output"] mystnb={"image": {"alt": "Training loss over 160 steps on a logarithmic scale, a solid line for random weights and a dashed one for the model that has read. Both stay near 0.7 at first and fall together to a few hundredths."}}
from qkv import plots

fresh, fresh_losses = word_order.fine_tune(random_model, train, passes=16)
informed, informed_losses = word_order.fine_tune(reader, train, passes=16)
for name, classifier in {"random weights": fresh, "has read": informed}.items():
    own, others = (word_order.right(classifier, sentences) for sentences in (train, new))
    print(f"{name:15} right on its own 200: {own:.0%}   on 400 new ones: {others:.0%}")
assert min(word_order.right(each, train) for each in (fresh, informed)) > 0.95
assert word_order.right(informed, new) > word_order.right(fresh, new) + 0.1
figure = plots.losses({"random weights": fresh_losses, "has read": informed_losses})

# %% [markdown]
# The fine-tuning is an ordinary loop; here it is.

# %%
from qkv.notebook import source

source(word_order.fine_tune)

# %% [markdown]
# Both know their own sentences by heart, and their curves can hardly be told apart. Of new sentences the random one
# knows what a coin knows; the one that has read is right much more often.
#
# A caution. This is one run, and the question was made for a reader: word order is what a language model learns. What
# reading is worth for labels that people gave is the subject of lesson 3, next to a plain bag of words.
#
# ULMFiT (Howard & Ruder 2018) does this in **three stages**:
#
# 1. Train a language model on general text. It may fail if the text is too little or too far from the task.
#
# 2. Go on with the same model on the task's own text, labels not needed. It may fail by forgetting stage 1.
#
# 3. Put a head on top and learn the labels, with different rates for different layers, which join in one after the
#    other. It may fail by forgetting both: the head is random, and sends random corrections down.
#
# Above, stages 1 and 2 were one: the text that the model had read was already of the task's kind.
#
# **Change** the reading from 150 steps to 15, in both places, and run the classifiers again without their `assert`.
# What is left of the lead on new sentences? (Then put 150 back: the reader serves on.)
#
# Which one has read before? The one that is right about new sentences; the loss on old ones tells nothing.

# %% [markdown]
# ## 2. What does a language model learn?
#
# "A language model learns to predict the next word." No label is needed: every text is its own answer sheet.
#
# A text may be a million words long, and an LSTM reads one word after the other. To read 32 places at once, the text is
# cut into 32 long **rows**, and all rows are read side by side, a **chunk** of words at a time. The state after a chunk
# is where the next chunk begins.
#
# <div class="predict">
#
# **Predict.** The text is *a b c d e f g h i*, read in two rows. What stands in the first row?
#
# <details><summary>A. a c e g: the words are dealt out like cards</summary>
#
# This tempts because it is fair. But then *c* would follow *a*, and the state that is carried on would belong to another
# text. The loss still falls; it stays higher than it need be.
#
# </details>
# <details><summary>B. a b c d</summary>
#
# Yes. Each row is a running piece. The last word, *i*, is only ever said, because nothing follows it.
#
# </details>
# <details><summary>C. Any four words: a language model is trained on shuffled batches</summary>
#
# This tempts because most models are. Here each chunk must continue the last one, row by row, so neither words nor
# chunks may be shuffled.
#
# </details>
# </div>

# %%
letters = list("abcdefghi")
for chunk in ContiguousBatches(range(9), batch_size=2, chunk_length=3):
    for row, ids in enumerate(torch.stack([chunk.ids, chunk.targets], 1)):
        read, say = (" ".join(letters[i] for i in part) for part in ids)
        print(f"row {row}: reads {read:6} says {say:6}", "from zeros" if chunk.is_first else "goes on")
    if not chunk.is_first:  # after the last chunk the text begins again
        break

# %% [markdown]
# A gradient that goes back from word to word is called **back-propagation through time**. Here it ends where the chunk
# begins, or each chunk would need the whole history of those before. `Carried` keeps the numbers of the state and drops
# their history.
#
# What does our reader expect after a few words?

# %%
from qkv.text.words import END

for start in ("the film", "one of the", "it's not"):
    ids = torch.tensor([[vocabulary.ids[END], *vocabulary.encode(start.split())]])
    chances = reader.eval()(ids)[0][0, -1].softmax(-1)
    best = chances.topk(4)
    print(f"{start} …", "  ".join(f"{vocabulary.words[i]} {chances[i]:.2f}" for i in best.indices))

# %% [markdown]
# First comes `<unk>`, which stands for all rare words together, then the small words that fit nearly everywhere. It has
# read little.
#
# **Change** the beginnings. Which grammar does it have, and which facts?
#
# What does a language model learn? To give the next word a high probability, and for that whatever helps: which words
# go together, and in which order.

# %% [markdown]
# ## 3. How does a network forget on purpose?
#
# A language model has many weights and sees the same text many times. To keep it from learning by heart, **dropout**
# sets a share $p$ of numbers to zero while it learns, and divides the others by $1 - p$ (chapter 05).
#
# In a recurrent network this hurts. Drop entries of the state at every word, and after ten words a share $(1-p)^{10}$
# of what it knew at first is left.
#
# AWD-LSTM drops **weights** instead: some connections from one step to the next, the same ones for the whole text
# (Merity et al. 2017, §2). WD stands for *weight-dropped*. Here are a thousand numbers that must be remembered for ten
# words, with $p = 1/2$; each goes through one connection, from itself to itself.

# %%
torch.manual_seed(0)


def remembered(drop_state, length=10, keep=0.5):
    state, weight = torch.ones(1000), torch.eye(1000)  # each of a thousand numbers is handed on as it is
    dropped = weight * (torch.rand(1000, 1000) < keep)  # one draw for the whole text
    for _ in range(length):
        state = state * (torch.rand(1000) < keep) if drop_state else dropped @ state
    return int(state.count_nonzero())


print("still there after ten words: states dropped", remembered(True), " weights dropped", remembered(False))

# %% [markdown]
# Dropped states are gone, word after word. Dropped weights cost half of the numbers at the first word, and nothing
# after it. (The scaling by $1/(1-p)$ is left out here; it changes sizes, not what is lost.)
#
# The real thing is an `nn.LSTM` whose matrix from step to step, `weight_hh`, is masked once per call.

# %%
from torch import nn
from torch.func import functional_call

from qkv.nn.dropout import WeightDrop

lstm, x = nn.LSTM(4, 6, batch_first=True), torch.randn(2, 5, 4)  # (b 2, t 5, d 4)
torch.manual_seed(1)
masked = nn.functional.dropout(lstm.weight_hh_l0, 0.5)  # by hand
by_hand, _ = functional_call(lstm, dict(lstm.named_parameters()) | {"weight_hh_l0": masked}, (x,))
torch.manual_seed(1)
by_library, _ = WeightDrop(lstm, 0.5).train()(x)
assert torch.allclose(by_hand, by_library)
source(WeightDrop)

# %% [markdown]
# Four more dropouts work beside it. In the order in which a word meets them:
#
# | dropout | what is set to zero | how long one draw lasts |
# |---|---|---|
# | embedding | all entries of some words | one call, wherever the word occurs |
# | input | some entries of word vectors | the whole text, another draw for each text of the batch |
# | weight | some connections from step to step | one call, all texts and all steps |
# | hidden | some entries between two layers | the whole text, per text |
# | output | some entries of what the last layer says | the whole text, per text |
#
# In `eval()` all five are off. A frozen layer is not in `eval()`: freezing stops weights, and dropout goes on.
#
# **Change** `keep=0.5` to `keep=0.9`. How many of the thousand survive ten words under each?
#
# How does a network forget on purpose? It loses connections, words or entries, and what it loses it loses for the whole
# text.

# %% [markdown]
# ## 4. What becomes of words it never met?
#
# The general model of stage 1 has a table with a row for each of its words. The table serves twice: it says which
# vector a word is read as, and the score of a next word is the dot product with its row, plus one number of its own,
# the bias. The films have other words, and the words they share stand in another order.
#
# <div class="predict">
#
# **Predict.** The model goes from *the, king, ship* to *film, the*. Which vector should *film* begin with?
#
# <details><summary>A. A random one, as for any new weight</summary>
#
# This tempts because stage 1 began so. But the layers above have learned to expect vectors like those in the table; a
# random one is like nothing that they know.
#
# </details>
# <details><summary>B. Zeros: nothing is known of it</summary>
#
# This tempts because it seems to claim nothing. But no other word has a vector of zeros, and as a next word it would be
# scored by its bias alone, whatever was read.
#
# </details>
# <details><summary>C. The mean of all old vectors</summary>
#
# Yes: what words have in common. Howard and Ruder's code does it; the paper does not mention it.
#
# </details>
# </div>

# %%
from qkv.notebook import show
from qkv.transfer.vocabulary import carried_rows, with_vocabulary

old, films = ["the", "king", "ship"], ["film", "the"]
rows = torch.tensor([[1.0, 0.0], [4.0, 2.0], [1.0, 4.0]])
show("before", rows, old, ["first", "second"], axes=("v", "d"))
show("after", carried_rows(rows, old, films), films, ["first", "second"], axes=("v", "d"))

# %% [markdown]
# *the* takes its row along to its new place, and *film* gets the mean of the three.
#
# What would a wrong order cost? Our reader has a vocabulary. We hand it the same words in another order, once with the
# rows moved along and once with the rows left where they were.

# %%
words, order = vocabulary.words, torch.randperm(len(vocabulary)).tolist()
mixed = [words[i] for i in order]  # the same words, in another order
place = {word: i for i, word in enumerate(mixed)}
unread_mixed = torch.tensor([place[words[i]] for i in unread.tolist()])
moved_along = word_order.surprise(with_vocabulary(reader, words, mixed), unread_mixed)
left_behind = word_order.surprise(reader, unread_mixed)
print(
    f"nats per word: as it was {word_order.surprise(reader, unread):.2f}, rows carried along {moved_along:.2f},"
    f" rows left behind {left_behind:.2f}"
)
assert abs(moved_along - word_order.surprise(reader, unread)) < 1e-4
assert left_behind > 7.4 > torch.tensor(1500).log()

# %% [markdown]
# Rows left behind are worse than guessing: every word speaks with another word's vector. Nothing crashes, for the
# shapes agree.
#
# **Change** `films` so that it holds a word twice, in a copy of the cell, and read the message.
#
# What becomes of words it never met? They begin as the mean of all words, and every known word keeps its row wherever it
# moves.

# %% [markdown]
# ## 5. How does a text become one vector?
#
# The head wants one vector, and the LSTM gives one per word. The last state has read everything, but the word that
# decides may be long ago. So ULMFiT puts three vectors side by side: the last state, the largest value of each entry,
# and the mean of each entry. This is **concat pooling** (Howard and Ruder, §3.3).
#
# Texts in a batch are padded to one length. Say a text has the states $-4$ and $-2$, and then two steps of padding,
# zeros.
#
# <div class="predict">
#
# **Predict.** What are last state, maximum and mean?
#
# <details><summary>A. 0, 0, and minus one and a half</summary>
#
# This tempts because it is what `states[-1]`, `max` and `mean` say. All three looked at the padding: it is 0, larger
# than both states, and it doubled the length.
#
# </details>
# <details><summary>B. −2, 0 and −3</summary>
#
# This tempts because padding of zeros adds nothing to a sum. It wins a maximum among negative numbers all the same.
#
# </details>
# <details><summary>C. −2, −2 and −3</summary>
#
# Yes. The text has two words, and three numbers come out of these two alone.
#
# </details>
# </div>

# %%
from qkv.transfer.pooling import concat_pooling

states = torch.tensor([[[-4.0], [-2.0], [0.0], [0.0]]])  # (b 1, t 4, d 1)
naive = torch.cat([states[:, -1], states.amax(1), states.mean(1)], dim=-1)
own = states[0, :2]
by_hand = torch.cat([own[-1], own.amax(0), own.mean(0)])
assert torch.equal(concat_pooling(states, torch.tensor([2]))[0], by_hand)
print("padding taken for words:", naive[0].tolist(), "  own words alone:", by_hand.tolist())

# %% [markdown]
# A vector that changes with the length of other texts in the batch is a mistake that no loss shows. A test does: pool a
# text alone, pool it in a batch, and compare.
#
# **Change** the two zeros in `states` to 9, then to −9. Which of the three naive numbers follow?
#
# How does a text become one vector? By its last state, maximum and mean, taken over its own words.

# %% [markdown]
# ## Summary
#
# - A **language model** learns to predict the next word. Every text is its own answer sheet.
# - **ULMFiT** has three stages: general text, the task's own text, the labels with a new head.
# - A text is read in running **rows**, chunk by chunk; the state goes on and the gradient does not.
# - **Weight drop** cuts connections from step to step, the same ones for a whole text.
# - **Other words**: known ones take their row along, new ones begin as the mean of all.
# - **Concat pooling** puts last state, maximum and mean side by side, over a text's own words.
#
# ### Common mistakes
#
# - **Rows dealt out like cards**, or shuffled chunks. Read row 0 aloud.
# - **A state that starts afresh** in each chunk, or whose history is kept. Follow one text over a chunk border.
# - **A mask drawn at every step**, or laid on states. Count the masks of one text.
# - **A vocabulary made anew** for the classifier. Look up one shared word in both tables.
# - **Padding in the pool.** Pool a short text alone and in a batch.
# - **Test texts read by the language model.** List what every stage has read.
#
# ### Further reading
#
# - [Universal Language Model Fine-tuning for Text Classification](https://arxiv.org/abs/1801.06146), Howard and Ruder,
#   2018. Read §3.
# - [Regularizing and Optimizing LSTM Language Models](https://arxiv.org/abs/1708.02182), Merity, Keskar and Socher, 2017:
#   AWD-LSTM and its dropouts.
# - [NLP's ImageNet moment has arrived](https://thegradient.pub/nlp-imagenet/), Sebastian Ruder, 2018: why it mattered.
# - [Introducing state of the art text classification with universal language
#   models](https://nlp.fast.ai/classification/2018/05/15/introducing-ulmfit.html), by the authors, 2018.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. Two classifiers reach the same training loss. One had a language model read before. Where does it
# show?</summary>
#
# On texts that neither has seen. A training loss can be brought down by learning by heart.
#
# </details>
# <details><summary>2. Why may chunks of a running text not be shuffled?</summary>
#
# Each chunk begins with the state that the last one left. In another order that state belongs to other words.
#
# </details>
# <details><summary>3. From chapter 05: why is a loss per word not the mean of the batches' means?</summary>
#
# A small batch would weigh as much as a large one. Add up losses and words over all batches, and divide once.
#
# </details>
#
# **Next.** Lesson 2: stage 3 in detail. Which layer learns how fast, and when.
