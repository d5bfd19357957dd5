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
# # ULMFiT, 2: fine-tuning
#
# ## 1. Which training loss would you choose?
#
# The reader of lesson 1 again, and its 200 sentences. It is fine-tuned twice, and the layers join in one after the
# other: first one group of weights learns, a pass later two, and so on. A **pass** is once through all 200 sentences;
# papers call it an **epoch**.
#
# Both runs have the same data, rates and seed. In one of them the layers join in from the wrong end. A cell below draws
# both training losses, A and B.
#
# <div class="predict">
#
# **Predict.** Which run has the mistake?
#
# <details><summary>A. The one whose loss ends higher: a mistake costs something</summary>
#
# This tempts because the loss is what training shows. But a loss on 200 known sentences says how well they were learned
# by heart, and weights shaken up from below are good at that.
#
# </details>
# <details><summary>B. The one whose loss ends lower</summary>
#
# Yes, here. Section 5 shows how to find out, and it is not by looking at losses.
#
# </details>
# <details><summary>C. There would be an error message</summary>
#
# This tempts because so many mistakes stop with one. Here all shapes agree, and every line runs.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - work out the slanted triangle by hand, and say where the published formula goes negative;
# - give each layer its own rate, and let the layers join in from the right end;
# - measure what a model has forgotten;
# - find out, from weights alone, that a model was unfrozen from the wrong end;
# - say for any layer at any step how fast it learns, and which three numbers make that rate.
#
# **Time:** about 40 minutes. **Data:** the sentences of lesson 1, and addresses of American presidents. Everything is on
# your machine already.
#
# **Self-check.**
#
# <details><summary>What stands on top of the language model when labels are to be learned?</summary>
#
# A head with random weights, in the place of the scores of words (lesson 1).
#
# </details>
# <details><summary>Why does training begin with small steps?</summary>
#
# At first nothing fits, and a large step in a random direction can be hard to take back (chapter 05, warm-up).
#
# </details>

# %%
from qkv.notebook import setup

setup()

# %%
import torch

from qkv.recipes import word_order

kept, to_read, vocabulary = word_order.reviews()
new, train = (word_order.labelled(kept[a:b], vocabulary) for a, b in ((0, 400), (400, 600)))
unread = word_order.running(kept[700:], vocabulary)
reader = word_order.model_of(len(vocabulary))
word_order.learn_to_read(reader, word_order.running(to_read, vocabulary), num_steps=150)
print(f"nats per word of unread reviews: {word_order.surprise(reader, unread):.2f}")

# %% [markdown]
# The two rules of joining in. They differ in the direction in which the groups are counted, and for now we do not look
# which is which.

# %% tags=["nbval-ignore-output"] mystnb={"image": {"alt": "Training loss of runs A and B over 80 steps on a logarithmic scale. Both stay near 0.7 for half of the run and then fall; A ends lower than B."}}
from qkv import plots
from qkv.transfer.unfreezing import unfreeze_gradually


def rule_a(groups, epoch):
    unfreeze_gradually(groups[::-1], epoch)


run_a, losses_a = word_order.fine_tune(reader, train, thaw=rule_a)
run_b, losses_b = word_order.fine_tune(reader, train, thaw=unfreeze_gradually)
print(f"mean loss of the last pass: A {sum(losses_a[-10:]) / 10:.2f}   B {sum(losses_b[-10:]) / 10:.2f}")
assert sum(losses_a[-10:]) < sum(losses_b[-10:])
figure = plots.losses({"A": losses_a, "B": losses_b})

# %% [markdown]
# By its training loss one would choose A. Keep both in mind; first the rates.
#
# Which training loss would you choose? Neither, without knowing how it came about.

# %% [markdown]
# ## 2. How fast, and when?
#
# The head is random and must get somewhere quickly; then everything should settle in small steps. So the rate rises
# steeply and falls slowly: a **slanted triangle** (§3.2). With $T$ steps in all and the peak at step
# $\text{cut} = \lfloor T \cdot \text{cut\_frac} \rfloor$,
#
# $$p = \begin{cases} t / \text{cut} & t < \text{cut} \\ 1 - \frac{t - \text{cut}}{\text{cut} \cdot (1/\text{cut\_frac} - 1)} & \text{otherwise} \end{cases}
# \qquad \eta_t = \eta_{\max} \cdot \frac{1 + p \cdot (\text{ratio} - 1)}{\text{ratio}}$$
#
# With $T = 20$, cut_frac $0.1$ and ratio $32$ the cut is 2. At $t = 0$, $p = 0$ and the rate is a 32nd of the peak. At
# $t = 2$, $p = 1$. At $t = 11$, $p = 1 - 9/18 = 1/2$, and the factor is $(1 + 31/2)/32$, a little above one half.
#
# <div class="predict">
#
# **Predict.** A run has $T = 99$ steps. What is the rate at step 98, by the formula as it is published?
#
# <details><summary>A. A little above a 32nd of the peak</summary>
#
# This tempts because it is so for $T = 100$. There $T \cdot \text{cut\_frac}$ is whole; 99 is not so kind.
#
# </details>
# <details><summary>B. Below zero</summary>
#
# Yes. The cut is 9, so the fall lasts $9 \cdot 9 = 81$ steps and is over at step 90. After that $p$ goes on below 0,
# and soon the rate does too. A negative rate climbs the loss.
#
# </details>
# <details><summary>C. Zero</summary>
#
# This tempts because schedules often end there. Where the triangle ends as planned, it ends at a 32nd of the peak.
#
# </details>
# </div>


# %%
from qkv.notebook import source
from qkv.training.schedules import slanted_triangular


def published(t, num_steps, cut_frac=0.1, ratio=32):
    cut = int(num_steps * cut_frac)
    p = t / cut if t < cut else 1 - (t - cut) / (cut * (1 / cut_frac - 1))
    return (1 + p * (ratio - 1)) / ratio


print("T = 20:", {t: round(published(t, 20), 3) for t in (0, 1, 2, 11, 20)})
print("T = 99:", {t: round(published(t, 99), 3) for t in (9, 90, 94, 98)})
for t in range(91):
    assert abs(published(t, 99) - slanted_triangular(t, 99)) < 1e-12
assert published(98, 99) < 0 < slanted_triangular(98, 99)
source(slanted_triangular)

# %% [markdown]
# Ours lets $p$ stop at 0. A second gap: a run of fewer than ten steps has a cut of 0, and the published formula divides
# by it.
#
# Two curves are often taken for this one. `transformers` has a triangle too, in five lines. And fastai's **one-cycle**,
# which came later, rises for longer, falls along a cosine, and moves momentum as well.

# %% mystnb={"image": {"alt": "Three schedules over 100 steps. The slanted triangle rises to 1 at step 10 and falls in a straight line to a thirty-second. The triangle of transformers is the same but starts and ends at 0. One-cycle peaks at step 25 and falls along a cosine."}}
from transformers import get_linear_schedule_with_warmup

from qkv.training.schedules import one_cycle

optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=10, num_training_steps=100)
theirs = [schedule.lr_lambdas[0](step) for step in range(101)]

ours = [slanted_triangular(step, 100) for step in range(101)]
for step in (0, 10, 55, 100):
    print(
        f"step {step:3}: slanted {ours[step]:.3f}  transformers {theirs[step]:.3f}  one-cycle {one_cycle(step, 100):.3f}"
    )
assert torch.allclose(torch.tensor(ours), (torch.tensor(theirs) * 31 + 1) / 32)
figure = plots.schedules(
    {"slanted": ours, "transformers": theirs, "one-cycle": [one_cycle(s, 100) for s in range(101)]}
)

# %% [markdown]
# The one of `transformers` is $p$ itself: it starts and ends at 0, so that its first step moves nothing.
#
# **Change** the run to 19 steps, in a new cell: print `published(t, 19)` for each `t` in `range(19)`. How many are
# below zero? Exercise 4 asks for them in any run.
#
# How fast, and when? Up within a tenth of the run, down for the rest, from a 32nd of the peak to a 32nd of it; and never
# below, if $p$ is stopped at 0.

# %% [markdown]
# ## 3. Should all layers learn alike?
#
# What an LSTM learns near the words is of use for nearly any text. What it learns near the scores is about the next word,
# and a new task has another question. So the paper lets upper layers take larger steps:
#
# $$\eta^{l-1} = \eta^{l} / 2.6$$
#
# The head has the full rate, the layer below it that divided by $2.6$, the next that divided by $2.6$ once more. These are
# **discriminative** rates: the word means that layers are told apart.
#
# <div class="predict">
#
# **Predict.** Words, two layers and a head. By how much is the words' rate smaller than the head's?
#
# <details><summary>A. By three times the factor, about 8 times</summary>
#
# This tempts because there are three steps down. But each is a division of what is left, so the factors multiply.
#
# </details>
# <details><summary>B. By the third power of the factor, about 18 times</summary>
#
# Yes: three divisions, one after the other.
#
# </details>
# <details><summary>C. It is larger: words must change most, since the films speak differently</summary>
#
# This tempts because the vocabulary is what differs on the surface. What a word is like was learned from far more text
# than the labelled sentences hold.
#
# </details>
# </div>

# %%
from qkv.transfer.param_groups import discriminative

groups = run_b.groups()
names = ["words", "lower layer", "upper layer", "head"]
for name, group in zip(names, discriminative(groups, rate=0.01), strict=True):
    print(f"{name:12} rate {group['lr']:.5f}   weights {sum(weight.numel() for weight in group['params']):6}")
source(discriminative)

# %% [markdown]
# The schedule then multiplies all of these rates by the same number at each step: that is what `LambdaLR` does in the
# loop of lesson 1.
#
# **Change** the call to `discriminative(groups, rate=0.01, factor=1)`. This is plain fine-tuning: what do the four
# rates have in common?
#
# Should all layers learn alike? No: the lower a layer, the more of it is of use as it is, and the smaller are its steps.

# %% [markdown]
# ## 4. What does it forget?
#
# A network that learns something new writes over the weights that held the old. In the worst case nothing is left of it:
# **catastrophic forgetting**. It threatens stage 2, where the model goes on with another text, and stage 3.
#
# Our reader knows reviews. Now it reads presidents, once at the rate that it learned with and once at a tenth of it.
#
# <div class="predict">
#
# **Predict.** After sixty steps of presidents at the full rate, how surprised is it by reviews?
#
# <details><summary>A. As much as before: nothing took the reviews away</summary>
#
# This tempts because people do not unlearn one book by reading another. A network has no shelf: new text is written
# into the same weights.
#
# </details>
# <details><summary>B. Less: it is all English, and more reading helps</summary>
#
# This tempts because it would be so if both texts were mixed. Read one after the other, the second pulls alone.
#
# </details>
# <details><summary>C. More, by a good deal</summary>
#
# Yes. And the smaller rate forgets less, and learns less.
#
# </details>
# </div>

# %%
from copy import deepcopy

from qkv.data import load
from qkv.text.words import tokens

presidents = [[word.lower() for word in tokens(text)] for text in load("state-of-the-union")["train"]["text"][-200:]]
speech, unread_speech = (word_order.running(part, vocabulary) for part in (presidents[:180], presidents[180:]))
surprises = {"before": [word_order.surprise(reader, text) for text in (unread, unread_speech)]}
for peak_lr in (0.01, 0.001):
    moved_on = deepcopy(reader)
    word_order.learn_to_read(moved_on, speech, num_steps=60, peak_lr=peak_lr)
    surprises[f"rate {peak_lr:g}"] = [word_order.surprise(moved_on, text) for text in (unread, unread_speech)]
for name, (of_reviews, of_presidents) in surprises.items():
    print(f"{name:10} nats per word: reviews {of_reviews:.2f}   presidents {of_presidents:.2f}")

# %% [markdown]
# What is gained in one column is lost in the other. The rate decides how much of each. (Presidents look easy even
# before they are read. Most of their rare words are `<unk>` here, and that is easy to guess.)
#
# That is why ULMFiT is careful: small steps below, large ones above, and not all at once. With labels it is worse than
# with text, for at first the head is random, and what it sends down is noise.
#
# **Change** `num_steps=60` to `num_steps=10`. At which of the two rates is there a gain, and hardly a loss yet?
#
# What does it forget? Whatever the new text does not ask for, the more the larger the steps.

# %% [markdown]
# ## 5. Who may learn first?
#
# "We first unfreeze the last layer and fine-tune all unfrozen layers for one epoch", write Howard and Ruder (§3.3), then
# the next lower layer joins. This is **gradual unfreezing**: while the head is random, everything below stands still.
#
# One of the two runs of section 1 did this, and the other began at the words. Loss and messages do not tell. Weights
# do: after *one* pass only one group may have moved, and it must be the head. The cell prints how far each group has
# moved, as a share of its size at the start.

# %%
start, _ = word_order.fine_tune(reader, train, passes=0)
for name, rule in {"A": rule_a, "B": unfreeze_gradually}.items():
    once, _ = word_order.fine_tune(reader, train, thaw=rule, passes=1)
    distances = word_order.moved(start, once)
    print(name, "  ".join(f"{group} {distance:.3f}" for group, distance in zip(names, distances, strict=True)))
    assert [bool(distance > 0) for distance in distances] == [
        group == {"A": "words", "B": "head"}[name] for group in names
    ]

# %% [markdown]
# In run A the words moved, and the head, which knows nothing, stood still. `rule_a` counts the groups from the wrong end.
#
# Nothing else gave it away. Its training loss was the lower one; what did it cost where it counts?

# %% tags=["nbval-ignore-output"]
for name, run in {"A, from the words": run_a, "B, from the head": run_b}.items():
    distances = "  ".join(f"{group} {d:.2f}" for group, d in zip(names, word_order.moved(start, run), strict=True))
    print(f"{name:18} right on 400 new: {word_order.right(run, new):.0%}   moved in all: {distances}")
assert 1.5 < word_order.moved(start, run_a)[0] / word_order.moved(start, run_b)[0] < 2.5
assert word_order.right(run_a, new) < word_order.right(run_b, new)

# %% [markdown]
# The words of A have moved about twice as far, for the sake of 200 sentences, and A is right about fewer new ones. But
# it is one run each: that the wrong end costs accuracy is not shown by that. That the wrong group moved is shown.
#
# There is a second trap. To freeze a weight (chapter 06), `requires_grad = False` is not enough: the optimizer may go
# on moving it.

# %%
from torch import nn

for clear in (False, True):
    layer = nn.Linear(3, 3)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    layer(torch.ones(3)).sum().backward()
    optimizer.step()  # the layer has been trained for a while
    layer.weight.requires_grad_(False)
    if clear:
        layer.weight.grad = None
    frozen_at = layer.weight.clone()
    optimizer.step()
    print(f"old gradient cleared: {clear!s:5}  moved while frozen: {(layer.weight - frozen_at).abs().max():.3f}")

# %% [markdown]
# The old gradient was still there, and the optimizer applied it once more. Even a gradient of zeros would not do, for
# Adam goes on with the mean of earlier ones. Weights without any gradient are passed over, so our function clears it.

# %%
from qkv.transfer.unfreezing import unfreeze_top

source(unfreeze_top)

# %% [markdown]
# **Change** `passes=1` to `passes=2`, in a copy of the first cell of this section without its `assert`. Which groups
# have moved in A by then, and which in B?
#
# Who may learn first? The head, which knows nothing; the words, which know most, come last.

# %% [markdown]
# ## 6. Who learns how fast, at which step?
#
# Three ideas act at once. The rate of a group at a step is a product:
#
# $$\text{peak} \;\cdot\; \text{triangle}(t) \;\cdot\; 2.6^{-\text{groups above}} \;\cdot\; [\text{unfrozen}]$$
#
# <div class="predict">
#
# **Predict.** A run of 100 steps, five groups, one more unfrozen every 20 steps. Which groups ever learn at the peak of the
# triangle, in step 10?
#
# <details><summary>A. All, one after the other</summary>
#
# This tempts because all are unfrozen in the end. But there is one triangle for the whole run, and its peak comes once.
#
# </details>
# <details><summary>B. The head alone</summary>
#
# Yes. When the next group joins, at step 20, the rate is falling already. The words never reach a hundredth of the peak.
#
# </details>
# <details><summary>C. The two uppermost</summary>
#
# This tempts because the peak is near. It is at a tenth of the run, and the second group joins at a fifth.
#
# </details>
# </div>
#
# Click a cell of the map: it shows the value, and how it is worked out. Then set $T$ to 99 and go to the end of the
# run.

# %%
from qkv.figures import RateMap

RateMap()

# %% [markdown]
# The rate of a layer at a step, as a share of the peak, is the triangle divided by the factor once for each group above
# it, times 1 or 0.
#
# All of it together, on our reader:

# %%
whole, losses = word_order.fine_tune(reader, train, factor=2.6, thaw=unfreeze_gradually)
plain, plain_losses = word_order.fine_tune(reader, train)

# %% tags=["nbval-ignore-output"]
for name, run, curve in (("one rate, all at once", plain, plain_losses), ("ULMFiT's three", whole, losses)):
    print(
        f"{name:22} last losses {sum(curve[-10:]) / 10:.2f}   right on 400 new: {word_order.right(run, new):.0%}"
        f"   nats per word of reviews: {word_order.surprise(run.model, unread):.2f}"
    )
assert sum(losses[-10:]) > sum(plain_losses[-10:])
assert word_order.surprise(whole.model, unread) < word_order.surprise(plain.model, unread)

# %% [markdown]
# The careful run knows its 200 sentences less well and has kept more of what it had read. (It began at the loss of the
# first cell of this lesson.) Whether it is better on new sentences, a single run of 80 steps cannot say; the paper's
# tables are in lesson 3.
#
# **Change** the first line to unfreezing alone, `factor=1`. Then to rates alone, without `thaw`. Which of the two keeps
# more of the reading?
#
# Who learns how fast, at which step? The head at once and at the full rate; each group below later, and more slowly.

# %% [markdown]
# ## Summary
#
# - The **slanted triangle** rises for a tenth of the run and falls for the rest, from a 32nd of the peak and back to it.
# - **Discriminative rates**: each group has the rate of the one above it divided by $2.6$.
# - **Gradual unfreezing**: the head learns first, then one group more per pass, from the top down.
# - **Catastrophic forgetting** is measurable: keep a text that the model knew, and ask it again.
# - Which weights moved is shown by weights, never by a loss or a setting.
#
# ### Common mistakes
#
# - **Unfreezing from the bottom**, or one group too many. Compare weights after the first pass.
# - **Rates that grow towards the words.** Print them from the bottom up.
# - **The published formula to the letter**, for any $T$. Look for a negative rate near the end, and for a cut of 0.
# - **One-cycle taken for the triangle.** Compare both halfway down.
# - **`requires_grad = False` alone.** The optimizer applies an old gradient, and remembers. Compare weights.
# - **A frozen layer taken for one in `eval()`.** Its dropout goes on in `train()`.
#
# ### Further reading
#
# - [Universal Language Model Fine-tuning for Text Classification](https://arxiv.org/abs/1801.06146), Howard and Ruder,
#   2018. Read §3.2 and §3.3, and Tables 6 and 7.
# - [A disciplined approach to neural network hyper-parameters](https://arxiv.org/abs/1803.09820), Leslie Smith, 2018:
#   one-cycle.
# - [Catastrophic interference in connectionist
#   networks](https://doi.org/10.1016/S0079-7421%2808%2960536-8), McCloskey and Cohen, 1989: forgetting, measured early.
# - [To Tune or Not to Tune?](https://arxiv.org/abs/1903.05987), Peters, Ruder and Smith, 2019: when to leave the layers
#   below alone.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. Your loss falls and you suspect that the wrong layers are frozen. What do you compare?</summary>
#
# The weights of each group before and after one pass. A frozen group is the same to the last bit.
#
# </details>
# <details><summary>2. The published triangle has <em>T</em> = 19 steps. What goes wrong?</summary>
#
# The cut is 1, so the fall is over after 9 more steps, and the rate goes below 0.
#
# </details>
# <details><summary>3. From chapter 04: what showed that a table of positions was not the formula's?</summary>
#
# Exact values alone. Its loss, its shape and most of its properties were as they should be; here it is the same with
# losses and weights.
#
# </details>
#
# **Next.** Lesson 3: the three stages with a model that has read three million words, on labels that people gave.
