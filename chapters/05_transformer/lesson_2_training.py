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
# # The Transformer, 2: training
#
# ## 1. Where does the model look while it speaks?
#
# > phone → F OW N
#
# Our pronunciation model reads five letters and says three sounds. Nobody told it which letter belongs to which
# sound: it was given words and whole pronunciations.
#
# <div class="predict">
#
# **Predict.** When the model says F, which letter gets most of its attention?
#
# <details><summary>A. f: that is how F is written</summary>
#
# This tempts because most words write F so. There is no *f* in *phone*; what the model reads must be there.
#
# </details>
# <details><summary>B. All five alike: it must know the whole word before it says anything</summary>
#
# This tempts because the sound depends on its neighbours. But the neighbours have met already, in the encoder: the
# vector of each letter knows of the others.
#
# </details>
# <details><summary>C. p, and some h</summary>
#
# Yes. The two letters that make the sound, and no other to speak of.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - say what the encoder hands to the decoder, and show it on real numbers;
# - prepare what a decoder reads and what it must say, and tell which loss to trust;
# - combine masks, and count a loss over words of unequal length;
# - compute label smoothing, a warm-up and the price of a training run on paper.
#
# **Time:** about 50 minutes. **Data:** words of the CMU dictionary and our own pronunciation model. You need lesson 1.
# Everything is on your machine already.

# %%
from qkv.notebook import setup

setup()

# %%
import torch

from qkv.inspection.trace import Trace
from qkv.models.transformer import Transformer
from qkv.notebook import show
from qkv.text.sounds import PAD, letter_ids, sound_ids

model = Transformer.from_pretrained("g2p")


def looks(word, sounds):
    trace, source, target = Trace(), torch.tensor([letter_ids(word)]), torch.tensor([sound_ids(sounds)])
    with torch.no_grad():
        model(source, target[:, :-1], trace=trace)
    return trace["decoder1.cross_attention.weights"][0].mean(0)  # (t, t_s), the mean of four heads


table = looks("phone", ["F", "OW", "N"])
show("last cross-attention", table, ["says F", "says OW", "says N", "says end"], list("phone"))
assert table[0].argmax() == 0

# %% [markdown]
# Each row is one step of speaking and adds up to 1. F is read off *p* and *h*, OW off *o*, N off *n*.
#
# A table like this is called an **alignment**. It was learned, not given. It is that of the decoder's second and last
# block.
#
# How does a decoder read letters? Its block has a middle box, the **cross-attention**. The query is made of what the
# decoder has so far. Keys and values are made of the encoder's output, one row for each letter: the same rows, times two
# different tables.
#
# We take the box of the first block apart.

# %%
from qkv.nn.attention import merge_heads, scaled_dot_product_attention, split_heads

box = model.decoder[0].cross_attention
with torch.no_grad():
    memory = model.encode(torch.tensor([letter_ids("phone")]))  # (b 1, t_s 5, d_model 128)
    so_far = torch.randn(1, 4, 128)  # four rows that ask, made up
    query, key, value = box.query(so_far), box.key(memory), box.value(memory)
    heads, weights = scaled_dot_product_attention(*(split_heads(each, num_heads=4) for each in (query, key, value)))
    assert torch.allclose(box.output(merge_heads(heads)), box(so_far, memory), atol=1e-5)
print("query", tuple(query.shape), "  key and value", tuple(key.shape), "  weights", tuple(weights.shape))

# %% [markdown]
# Four rows ask five rows: the weights are 4 × 5, and no causal mask is needed, for all letters are there before the
# first sound is said. Queries come from one side, keys and values from the other. All else is the attention of
# chapters 02 and 03.
#
# **Change** the word: `looks("knight", ["N", "AY", "T"])`, with six letters. Which letters does the model look at for N,
# and is the silent *k* silent to it?
#
# Where does the model look while it speaks? At the encoder's output: of its rows the keys and values of the
# cross-attention are made, and each sound reads its own letters.

# %% [markdown]
# ## 2. How can all sounds be learned at once?
#
# To speak, the model says one sound, reads it, says the next. Training that way would be slow: four steps for *phone*.
#
# But in training the right sounds are known. So we hand the decoder all of them, one place late, and ask at each place
# for the sound that comes next. It is called **teacher forcing**: whatever the model would have said, it reads the
# teacher's sound.

# %%
from qkv.text.sounds import symbols

target = sound_ids(["F", "OW", "N"])
reads, must_say = target[:-1], target[1:]
for place, (read, say) in enumerate(zip(symbols(reads), symbols(must_say), strict=True)):
    print(f"place {place}: reads {read:8} must say {say}")

# %% [markdown]
# One list, two cuts: without its last symbol it is what the decoder reads, without its first what it must say. The
# start symbol makes room for the first sound; the end symbol says that the word is over.
#
# At place 0 the decoder must say F. Place 1 reads F. What keeps place 0 from looking there? The causal mask of
# chapter 02, in the decoder's self-attention.
#
# <div class="predict">
#
# **Predict.** We change the last sound that the decoder reads. At which places do its scores change?
#
# <details><summary>A. At all places: attention mixes everything</summary>
#
# This tempts because of the word "all at once". The mask lets each place read only itself and what is before it.
#
# </details>
# <details><summary>B. At the last place only</summary>
#
# Yes. So the scores at place 0 are the same as if nothing had been said yet, and one call trains every step.
#
# </details>
# <details><summary>C. At no place: it must be said, not read</summary>
#
# This tempts because the last symbol to be said is the end. The decoder does read the last sound, in order to say that
# end.
#
# </details>
# </div>

# %%
source = torch.tensor([letter_ids("phone")])
right, other = (torch.tensor([sound_ids(sounds)[:-1]]) for sounds in (["F", "OW", "N"], ["F", "OW", "K"]))
with torch.no_grad():
    moved = (model(source, right) - model(source, other)).abs().sum(-1)[0]
print("places whose scores moved:", moved.ne(0).tolist())
assert moved.ne(0).tolist() == [False, False, False, True]

# %% [markdown]
# **Change** the other end: let the first sound be K in the place of F. Now which places move, and which does not?
#
# How can all sounds be learned at once? The decoder reads the right sounds one place late, under a causal mask, so
# that every place is a step of its own.

# %% [markdown]
# ## 3. Which loss would you trust?
#
# Here are two ways to cut the target into what the decoder reads and what it must say, its **labels**. They differ in
# three characters.

# %%
from torch.nn.functional import cross_entropy

from qkv.data import load
from qkv.models.transformer import TransformerConfig
from qkv.training.batches import BucketedBatches
from qkv.text.sounds import LETTERS, without_stress

cuts = {
    "one place late": lambda target: (target[:, :-1], target[:, 1:]),
    "as it is": lambda target: (target[:, :-1], target[:, :-1]),
}
rows = load("cmudict")["train"].select(range(12_000))
plain = [row for row in rows if set(row["word"]) <= set(LETTERS) and len(row["word"]) <= 5]
pairs = [(letter_ids(row["word"]), sound_ids(without_stress(row["pronunciations"][0]))) for row in plain]
print(f"{len(pairs)} short words, such as {plain[0]['word']}: {plain[0]['pronunciations'][0]}")


# %%
def learn(cut, num_steps=200):
    torch.manual_seed(0)
    small = Transformer(TransformerConfig(69, 64, 4, 128, 1, 1, dropout=0.0, norm="pre", max_length=40))
    optimizer, batches, losses = torch.optim.Adam(small.parameters(), lr=3e-3), BucketedBatches(pairs, 64, PAD), []
    for step in range(num_steps):
        batch = batches[step]
        reads, must_say = cut(batch.target)
        scores = small(batch.source, reads)
        loss = cross_entropy(scores.flatten(0, 1), must_say.flatten(), ignore_index=PAD)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return small.eval(), losses


trained = {name: learn(cut) for name, cut in cuts.items()}

# %% mystnb={"image": {"alt": "Two falling curves of the training loss over 200 steps. The line of the cut one place late goes down slowly and stays well above zero; the line of the cut as it is falls below a hundredth within thirty steps."}}
from qkv import plots

figure = plots.losses({name: losses for name, (_, losses) in trained.items()})

# %% [markdown]
# <div class="predict">
#
# **Predict.** Which of the two models pronounces better?
#
# <details><summary>A. The one with the loss near zero: loss is what training is about</summary>
#
# This tempts because a smaller loss is better, for one and the same question. The two were asked different questions.
#
# </details>
# <details><summary>B. The one with the larger loss</summary>
#
# Yes. The other one has learned to repeat what it has just read.
#
# </details>
# <details><summary>C. They are alike: the models and the data are the same</summary>
#
# This tempts because only three characters differ. They decide what is to be said.
#
# </details>
# </div>

# %% tags=["nbval-ignore-output"]
from qkv.pronounce import pronounce

said = {name: pronounce(small, ["cat", "ship", "moon"], beam_size=1) for name, (small, _) in trained.items()}
for name, answers in said.items():
    print(f"{name:15}", [" ".join(answer[:4]) or "(nothing)" for answer in answers])
assert len(set(said["as it is"])) == 1
assert len(set(said["one place late"])) == 3

# %% [markdown]
# The model with the wonderful loss was asked to say what it reads. That takes no letters at all: it copies.
# Left alone, it reads the start symbol and says the start symbol, and so on. Whatever the word, it says the same.
#
# The other one is still mostly wrong after its 200 steps. Yet it answers each word differently: it reads
# the letters, and more steps will make it better.
#
# The evidence is not in the loss. It comes from letting the model *speak*, with nobody handing it the right sounds.
#
# **Change** the cut, in a new cell, to one that is two places late: `learn(lambda target: (target[:, :-2], target[:,
# 2:]))[1][-1]`. Its loss is worse than that of one place. Why must it be?
#
# Which loss would you trust? None, before the model has spoken alone. The wonderful one came from labels that were not
# shifted: the model says again what it reads.

# %% [markdown]
# ## 4. What if the words of a batch differ in length?
#
# A batch is one table, so short words are filled up with **padding**. No one may read it. The decoder also has its
# causal mask. Two masks are combined with "and": a place may be read only if both allow it.

# %%
from qkv.nn.masks import causal, not_padding

both = causal(4) & not_padding([4, 2])  # (t 4, t 4) & (b 2, 1, t 4)
print("(b, t, t):", tuple(both.shape))
for name, may_attend in zip(["four sounds", "two sounds, then padding"], both, strict=True):
    print(f"\n{name}")
    print("\n".join(" ".join("yes" if may else " – " for may in row) for row in may_attend.tolist()))

# %% [markdown]
# In the second word nobody reads the last two places, not even they themselves.
# What they say does not count, for the loss leaves them out.
#
# Now compare the two tables. They differ only in the last two rows, and those rows are padding. As long as padding stands
# at the right, the causal mask alone keeps every real place from it. So our own decoder does without this second mask;
# the encoder, which has no causal mask, needs it.
#
# The cross-attention needs a mask too: the letters of a short word end earlier. Forget it, and a word's sound depends
# on the longest word that happens to stand in its batch.
#
# <div class="predict">
#
# **Predict.** Somebody forgot that mask. Which test shows it for certain?
#
# <details><summary>A. The loss: padding is noise, and noise costs</summary>
#
# This tempts because noise does cost. But padding is always the same symbol, and a model that is trained with the
# mistake can learn to give it little weight. A loss alone does not say what is in it.
#
# </details>
# <details><summary>B. One word alone, then in company: do its scores stay?</summary>
#
# Yes. The same word must get the same numbers, whoever stands beside it.
#
# </details>
# <details><summary>C. Looking for NaN</summary>
#
# This tempts because masks and NaN often meet. NaN comes where *nothing* may be read; here too much may.
#
# </details>
# </div>

# %%
from qkv.training.batches import pad


def scores_of_cat(company, mask):
    source = pad([letter_ids(word) for word in ["cat", *company]], PAD)
    target = torch.tensor([sound_ids(["K", "AE", "T"])[:-1]] * len(source))
    memory = model.encode(source)
    real = source if mask else torch.ones_like(source)  # a source without padding ids blocks nothing
    return model.decode(target, memory, real)[0]


with torch.no_grad():
    for mask in (True, False):
        alone, beside = scores_of_cat([], mask), scores_of_cat(["pronunciation"], mask)
        difference = (alone - beside).abs().max()
        print(f"{'mask' if mask else 'mask forgotten':15} largest change of a score of cat: {difference:.1e}")
        assert (difference < 1e-4) == mask

# %% [markdown]
# With the mask, *cat* does not notice its company beyond rounding. Without it, it does.
#
# **Change** the company to `["cat"]`. With words of one length nothing shows, and the `assert` says so: test with unequal
# ones.
#
# What if the words of a batch differ in length? Fill up at the right, and block the filling in the encoder and in the
# cross-attention. In the decoder the causal mask blocks it already.

# %% [markdown]
# ## 5. What is the mean of a loss?
#
# Two words stand in a batch. The first has four sounds, with a loss of 1 each; the second has one sound, with a loss
# of 3. What is the mean?
#
# Per sound it is $(1 + 1 + 1 + 1 + 3) / 5 = 1.4$. Per word it is $(1 + 3) / 2 = 2$.
#
# Neither is wrong, but they are not the same question: the mean per word lets the sounds of short words weigh more.
# What is wrong is to divide by all places, padding included: $7 / 8$.

# %%
losses = torch.tensor([[1.0, 1, 1, 1], [3, 0, 0, 0]])
real = torch.tensor([[True] * 4, [True, False, False, False]])
per_sound = losses.sum() / real.sum()
per_word = (losses.sum(-1) / real.sum(-1)).mean()
print(f"per sound {per_sound:.3f}   per word {per_word:.3f}   padding counted {losses.mean():.3f}")
assert per_sound != per_word

# %% [markdown]
# We count per sound. So do most papers: their usual measure, the *perplexity*, is $e$ to the power of the mean loss per
# token.
#
# When a batch is split over two machines the same question comes again: the mean of two means is the mean only if both
# had as many sounds. Our training loop therefore adds up losses and counts, and divides once.
#
# **Change** the second word's length to four, with losses 3, 0, 0, 0. When do the two means agree? (The `assert` will
# tell you.)
#
# What is the mean of a loss? The sum over real places divided by their number, and never by places that are padding.

# %% [markdown]
# ## 6. Why should a model be less sure?
#
# The paper does not ask for a probability of 1 on the right symbol. It asks for a little less, and spreads the rest
# over all symbols (§5.4; Szegedy et al. 2016). It is called **label smoothing**.
#
# With four symbols and $\varepsilon = 0.1$ each symbol gets $0.1 / 4 = 0.025$, and the right one $0.9$ on top. So the
# target is $(0.925, 0.025, 0.025, 0.025)$. The loss is $-\sum_i t_i \ln p_i$, with $t$ for the target.
#
# <div class="predict">
#
# **Predict.** Which probabilities give the smallest smoothed loss?
#
# <details><summary>A. 1 on the right symbol, 0 on the others</summary>
#
# This tempts because that is best without smoothing. With it, $\ln 0$ is multiplied by $0.025$, and the loss is
# infinite.
#
# </details>
# <details><summary>B. The target's own: $0.925$ and three times $0.025$</summary>
#
# Yes. And even then the loss is not 0.
#
# </details>
# <details><summary>C. A quarter each</summary>
#
# This tempts because smoothing pulls that way. It pulls a tenth of the way.
#
# </details>
# </div>

# %%
answers = {
    "as the target": torch.tensor([[0.925, 0.025, 0.025, 0.025]]),
    "very sure": torch.tensor([[0.997, 0.001, 0.001, 0.001]]),
    "even": torch.full((1, 4), 0.25),
}
right = torch.tensor([0])
for name, p in answers.items():
    plain, smoothed = (cross_entropy(p.log(), right, label_smoothing=amount).item() for amount in (0.0, 0.1))
    print(f"{name:14} loss {plain:.3f}   smoothed {smoothed:.3f}")

# %% [markdown]
# The model that is very sure has the best plain loss, and not the best smoothed one.
# So whoever trains with smoothing aims at a worse plain loss. The paper found one on new sentences, and better answers
# nevertheless.

# %%
from qkv.recipes.claims import field, show_claim

for amount in ("0", "0.1", "0.2"):
    print(f"smoothing {amount:3}  loss", field("label-smoothing", f"loss {amount}"))
    print(f"{'':13}  words wrong", field("label-smoothing", f"WER {amount}"))
show_claim("label-smoothing")

# %% [markdown]
# The more smoothing, the larger the plain loss: that is reproduced. On new words it need not have been so, since a model
# that is less sure can also be less wrong.
#
# And the words? With a tenth of smoothing there are a little fewer wrong ones, yet the interval of the difference just
# touches zero. So of the paper's second half we can say neither yes nor no.

# %%
print("words wrong, smoothing 0.1 minus none:", field("label-smoothing", "words wrong, 0.1 minus 0"))

# %% [markdown]
# **Change** `label_smoothing` to `0.5` in a copy of the cell with three answers: `for amount in (0.0, 0.5)`. Which of the
# three is best now?
#
# Why should a model be less sure? So that it does not chase the last bit of certainty; it costs loss, and what it brings
# in answers was too small to see here.

# %% [markdown]
# ## 7. How fast should it learn at first?
#
# The paper's learning rate rises for 4,000 steps and then falls with the root of the step (§5.3, equation 3):
#
# $$\text{rate} = d_{\text{model}}^{-0.5} \cdot \min(\text{step}^{-0.5},\; \text{step} \cdot \text{warmup}^{-1.5})$$
#
# Both arguments are equal at the end of the warm-up, where $\text{step} = \text{warmup}$. There the rate is largest:
# $512^{-0.5} \cdot 4000^{-0.5}$, which is $1 / \sqrt{2{,}048{,}000}$, about `0.0007`.
#
# <div class="predict">
#
# **Predict.** The peak is at step 4,000. At which later step is the rate half the peak?
#
# <details><summary>A. 8,000</summary>
#
# This tempts because twice the step sounds like half the rate. The rate falls with the *root*: it is then the peak
# over $\sqrt2$.
#
# </details>
# <details><summary>B. 16,000</summary>
#
# Yes. Four times the step, half the rate.
#
# </details>
# <details><summary>C. 6,000: half-way down again</summary>
#
# This tempts because the way up is straight. The way down is not, and it gets ever slower.
#
# </details>
# </div>

# %%
from qkv.training.schedules import warmup_inverse_sqrt

peak = (512 * 4000) ** -0.5
for step in (1, 2_000, 4_000, 8_000, 16_000, 100_000):
    rate = peak * warmup_inverse_sqrt(step, warmup_steps=4_000)
    assert abs(rate - 512**-0.5 * min(step**-0.5, step * 4_000**-1.5)) < 1e-12
    print(f"step {step:7,}: rate {rate:.6f}   {rate / peak:.0%} of the peak")

# %% [markdown]
# Why does a slow start help? Lesson 1 gave one reason, the gradients of post-LN, which are large near the top before the
# first step, and found that a warm-up helps both orders a little.
#
# There is a second reason. Adam, the rule by which the
# weights move, divides each step by the size of the gradients it has seen. At first it has seen hardly any.
#
# **Change** the warm-up to 1,000 steps in the formula and in the function. Is the peak higher or lower, and by which
# factor?
#
# How fast should it learn at first? Slowly: the rate grows from nothing to its peak during the warm-up, and only then
# falls.

# %% [markdown]
# ## 8. How much should it forget, and how much read at once?
#
# Two numbers of every recipe are left: the dropout, and how many words make a batch.
#
# **Dropout** sets a share of the numbers to zero while the model learns, others at every step. The numbers that stay are
# made larger, so that a row keeps its sum on average. A model that cannot count on any single number cannot learn its
# words by heart as easily. In use, nothing is dropped.
#
# The paper drops a tenth: of what each box gives, before it is
# added to what went around, and of the embeddings with their waves (§5.4).

# %%
row, forgets = torch.ones(8), torch.nn.Dropout(0.25)
torch.manual_seed(3)
print("while it learns:", [round(x, 2) for x in forgets(row).tolist()])
print("in use:         ", forgets.eval()(row).tolist())
assert forgets.train()(torch.ones(100_000)).mean().sub(1).abs() < 0.01

# %% [markdown]
# A quarter is dropped, and 1 becomes $1 / 0.75$, which is `1.33`. The mean of many such numbers stays 1.
#
# <div class="predict">
#
# **Predict.** Small pronunciation models read 4,000 words, each 32 times. Which dropout gets fewest *new* words wrong?
#
# <details><summary>A. None: every number that is dropped is a loss</summary>
#
# This tempts because a model that keeps everything knows its own words best. But what is asked are new ones.
#
# </details>
# <details><summary>B. A tenth</summary>
#
# Yes. See the figures below: it gets fewer wrong than either neighbour.
#
# </details>
# <details><summary>C. Three tenths: the words come again so often</summary>
#
# This tempts because more of a good thing should be better. These models are small. With so much gone they learn too
# slowly for the steps they have.
#
# </details>
# </div>

# %%
for amount in ("0", "0.1", "0.3"):
    print(f"dropout {amount:3}  words wrong {field('dropout', f'WER {amount}')}")
    print(f"{'':11}  loss {field('dropout', f'loss {amount}')}")
show_claim("dropout")

# %% [markdown]
# The paper's tenth holds here. Three tenths are worse than none in words and yet better than none in loss. That is no
# contradiction: without dropout a model is sure of what it says, and a sure answer costs much when it is wrong. You met
# that in section 6.
#
# **Change** the share in the cell above to a half. What does each 1 become?
#
# A batch is how many words are read before one step is taken. The gradient is a mean over them: with few words it points
# here and there, with many it points more surely to where the loss falls. Such a step costs more, though.
#
# On characters that is said to decide everything: a Transformer with small batches stays behind a recurrent
# network, and with 400 words a batch it overtakes it (Wu, Cotterell and Hulden 2021). We tried 16, 128 and 512 words a
# batch, each at the best of three rates, and again there are two fair races: equally many steps, and equally many *words*.

# %%
for batch in ("16 words", "128 words", "512 words", "16 words, as many words", "512 words, as many words"):
    print(f"{batch:25} rate {field('batch-size', f'rate {batch}')}   words wrong {field('batch-size', f'WER {batch}')}")
show_claim("batch-size")

# %% [markdown]
# After equally many steps, large batches win by far: the claim holds. But a step with 512 words reads 32 times as much as a
# step with 16. After equally many *words* it is the other way round: the small batches have taken 3,200 steps, the large
# ones only a hundred, and those have hardly begun to speak.
#
# So what decides here is the number of steps and what you count as a cost. If the words are few, read small batches. If a
# machine reads 512 words as fast as 16, as graphics processors nearly do, take large ones.
#
# How much should it forget, and how much read at once? A tenth, as the paper says; and as many words as your machine reads
# at no extra cost, so long as enough steps are left.

# %% [markdown]
# ## 9. What does a training run cost?
#
# Table 2 of the paper gives the cost in floating-point operations: $3.3 \cdot 10^{18}$ for the base model and
# $2.3 \cdot 10^{19}$ for the big one. A footnote says how: the time, times the number of processors, times $9.5 \cdot
# 10^{12}$ operations per second, which is what one P100, a graphics processor of 2016, sustains.
#
# The base model took 12 hours on eight of them, the big one three and a half days (§5.2).

# %%
per_second = 9.5e12
hours = {"base": 12, "big": 3.5 * 24}
for name, time in hours.items():
    print(f"{name:5} {time * 3600 * 8 * per_second:.2e} operations")
assert f"{hours['base'] * 3600 * 8 * per_second:.1e}" == "3.3e+18"
assert f"{hours['big'] * 3600 * 8 * per_second:.1e}" == "2.3e+19"

# %% [markdown]
# Both come out as printed. Note what such a number counts: what the processors *could* have done in the time, and not
# what the model needed.
#
# What our own model needs can be counted: every parameter of a matrix is used in one multiplication and one addition
# per symbol on the way up, and in twice as many on the way down. That is $6N$ operations for each symbol, with $N$
# parameters (Kaplan et al. 2020). The way up is the forward pass, the way down the backward pass of the gradient.

# %%
from torch.utils.flop_counter import FlopCounterMode

source, target = torch.randint(3, 69, (8, 8)), torch.randint(3, 69, (8, 8))
with FlopCounterMode(display=False) as counter:
    model(source, target).sum().backward()
matrices = sum(parameter.numel() for parameter in model.parameters() if parameter.ndim == 2)
on_paper = 6 * (8 * 8) * matrices
scores = 3 * 8 * (4 + 2 + 2) * 2 * (2 * 8 * 8 * 128)  # 3 for up and down, batch 8, eight attentions, scores and mix
print(f"counted {counter.get_total_flops():.3e}   on paper {on_paper:.3e}   scores of attention {scores:.1e} more")
assert abs(counter.get_total_flops() / on_paper - 1) < 0.05

# %% [markdown]
# The rule holds. Like the rule, the counter's figure lacks the scores of attention and the mix of values: PyTorch computes
# them in one fused step, which the counter does not know on this processor. They grow with the square of the length,
# and our words are short.
#
# **Change** the length from 8 to 40, on paper. Products with matrices cost five times as much. And the scores?
#
# What does a training run cost? About six operations per parameter and symbol; the paper's own figures are time times
# what the processors can do.

# %% [markdown]
# ## Summary
#
# - The **keys and values** of the cross-attention are made of the encoder's output; the decoder asks.
# - **Teacher forcing**: the decoder reads the right symbols one place late. Unshifted labels make the loss wonderful and
#   the model useless.
# - **Masks** are combined with "and". Test with words of unequal length: a word must not notice its company.
# - The mean of a loss is over **real** places.
# - **Label smoothing** asks for $1 - \varepsilon + \varepsilon / V$ on the right one of $V$ symbols and for
#   $\varepsilon / V$ on each other one.
# - **Warm-up**: the rate rises straight to its peak, then falls with the root of the step.
# - **Dropout** sets a share of the numbers to zero while training, and nothing in use.
# - Training costs about six operations per parameter and symbol.
#
# ### What the papers said, and what we measured
#
# - *Label smoothing hurts perplexity and improves accuracy* (Attention Is All You Need, §5.4).
#   **Here:** the first reproduced; the second not decided with five seeds (section 6).
# - *Dropout of a tenth is better than none* (same, Table 3, row D).
#   **Here:** reproduced in words wrong (section 8).
# - *A Transformer on characters needs large batches* (Wu, Cotterell and Hulden 2021).
#   **Here:** reproduced after equally many steps; after equally many words the small ones are far ahead (section 8).
# - *Training cost $3.3 \cdot 10^{18}$ and $2.3 \cdot 10^{19}$ operations* (same, Table 2).
#   **Here:** recomputed, exact to the digits printed (section 9).
#
# ### Common mistakes
#
# - **Labels not shifted.** Shows when the model speaks alone.
# - **Padding read** in the cross-attention. Shows in a batch of unequal words.
# - **Padding counted** in the loss. Shows when padding is added and the loss changes.
# - **A mean of means** over unequal batches. Shows on two words.
# - **Softmax before `cross_entropy`**, which does its own. Shows in a loss that stays near that of guessing.
#
# ### Further reading
#
# - [Attention Is All You Need](https://arxiv.org/abs/1706.03762), Vaswani et al., 2017. Read §3.2.3 and §5.
# - [Rethinking the Inception Architecture](https://arxiv.org/abs/1512.00567), Szegedy et al., 2016, section 7: label
#   smoothing.
# - [Scaling Laws for Neural Language Models](https://arxiv.org/abs/2001.08361), Kaplan et al., 2020, section 2: six
#   operations.
# - [Applying the Transformer to Character-level Transduction](https://arxiv.org/abs/2005.10213), Wu, Cotterell and Hulden,
#   2021: batches.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. Where do query, key and value of the cross-attention come from?</summary>
#
# The query from the decoder, key and value from the encoder's output.
#
# </details>
# <details><summary>2. A model's loss is near zero after fifty steps. What do you try first?</summary>
#
# Let it speak alone. If it repeats itself, the labels were not shifted.
#
# </details>
# <details><summary>3. From chapter 02: why must a mask act before softmax?</summary>
#
# A key that is blocked afterwards has left the result and stays in the sum, so the row no longer adds up to 1.
#
# </details>
#
# **Next.** Lesson 3: how a trained model finds what to say.
