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
# # The Transformer, 1: the block
#
# ## 1. What does one plus sign change?
#
# Here are two networks of twenty layers, written side by side.
#
# ```python
# h = layer(h)        # the first
# h = h + layer(h)    # the second
# ```
#
# A layer is here a matrix with a bend behind it (section 3). Layers, sizes, first weights, data and training are the
# same. Both read two numbers between -1 and 1 and say whether the two have the same sign. A network of two such layers
# learns that in seconds.
#
# <div class="predict">
#
# **Predict.** Twenty layers, 300 steps of training. What do the two networks learn?
#
# <details><summary>A. Both learn it: more layers can do all that fewer can, and more</summary>
#
# This tempts because it is true of what a network *can* compute. Training must also find it, and for that the gradient
# has to come down through all twenty layers.
#
# </details>
# <details><summary>B. The first learns it; in the second the numbers grow too large</summary>
#
# This tempts because something is added twenty times, and the numbers do grow. It is a trouble of its own, which
# section 2 cures. It does not stop the learning here.
#
# </details>
# <details><summary>C. The second learns it; the first guesses to the end</summary>
#
# Yes. Without the plus sign next to nothing of the gradient reaches the first layer.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - say what a residual connection, LayerNorm and a feed-forward network are for, and compute each on four numbers;
# - write the published figure as code, one arrow after the other, and prove it equal to two other implementations;
# - say what changes when the norm moves from behind the sum to before the layer;
# - count the parameters of a Transformer on paper.
#
# **Time:** about 50 minutes. **Data:** two random numbers, a word of four numbers, and our own pronunciation model.
# You need chapters 02 to 04: attention, heads and positions. Everything is on your machine already.

# %%
from qkv.notebook import setup

setup()

# %%
import torch
from torch import nn
from torch.nn.functional import cross_entropy


# %%
def train(detour, depth=20, width=32, num_steps=300):
    torch.manual_seed(0)
    first, layers, last = nn.Linear(2, width), [nn.Linear(width, width) for _ in range(depth)], nn.Linear(width, 2)
    network = nn.ModuleList([first, *layers, last])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(num_steps):
        x = 2 * torch.rand(64, 2) - 1
        h = first(x)
        for layer in layers:
            h = h + torch.relu(layer(h)) if detour else torch.relu(layer(h))
        loss = cross_entropy(last(h), (x.prod(-1) > 0).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, layers[0].weight.grad.norm().item()


# %%
runs = {name: train(detour) for name, detour in {"h = layer(h)": False, "h = h + layer(h)": True}.items()}
for name, (losses, gradient) in runs.items():
    print(f"{name:17} loss at the end {sum(losses[-20:]) / 20:.3f}   gradient at layer 1: {gradient:.1e}")

assert abs(sum(runs["h = layer(h)"][0][-20:]) / 20 - 0.693) < 0.01
assert sum(runs["h = h + layer(h)"][0][-20:]) / 20 < 0.2

# %% [markdown]
# The first network ends at `0.693`, which is $\ln 2$: it guesses between two answers (chapter 00).
# Its first layer gets a gradient that is practically nothing, so it stays where it was, and so do its neighbours.
#
# Why? Take layers that are one number each and multiply by a half. Nudge the input of twenty such layers by 1: the
# output moves by $0.5^{20}$, about a millionth. With the plus sign each layer hands on its input too, so the slope of
# one is $1 + 0.5$, and no product of such slopes can vanish.
#
# The plus sign is called a **residual connection**: the layer need only learn what is to be *added*.
# What it adds may be nothing at first. The way around it is always open.
#
# **Change** `depth`, in a new cell: `train(False, depth=12)`. With twelve layers the first network still learns it.
#
# What does one plus sign change? It opens a way around every layer, so the gradient reaches the first layer of a deep
# stack.

# %% [markdown]
# ## 2. What keeps the numbers in range?
#
# A sum of twenty layers grows. In section 1 each layer multiplied by one and a half, and $1.5^{20}$ is more than three
# thousand. So something must bring the numbers back: **LayerNorm** (Ba et al. 2016).
#
# It takes one word alone, subtracts the mean of its numbers and divides by their standard deviation.
#
# Take a word of four numbers, (1, 1, 5, 5). The mean is 3. What is left is (-2, -2, 2, 2). The
# squares have the mean 4, whose root is 2, so the result is (-1, -1, 1, 1).
#
# <div class="predict">
#
# **Predict.** Another word has numbers ten times as large, (10, 10, 50, 50). What does LayerNorm make of it?
#
# <details><summary>A. (-10, -10, 10, 10): ten times what it made of the first</summary>
#
# This tempts because a matrix would do so. But the standard deviation is ten times as large too, and LayerNorm divides
# by it.
#
# </details>
# <details><summary>B. (-1, -1, 1, 1), as before</summary>
#
# Yes. Size and mean are gone; what stays is how the numbers stand to each other.
#
# </details>
# <details><summary>C. That depends on the other words of the sentence</summary>
#
# This tempts because many norms look at a whole batch. LayerNorm never looks at another word. If it did, a word could
# learn something of the words after it, past every mask.
#
# </details>
# </div>

# %%
words = torch.tensor([[1.0, 1, 5, 5], [10, 10, 50, 50], [0, 2, 2, 4]])
spread = words.var(-1, correction=0, keepdim=True)  # the mean of the squares, so divide by 4 and not by 3
by_hand = (words - words.mean(-1, keepdim=True)) / (spread + 1e-5).sqrt()
print(by_hand)
assert torch.allclose(by_hand[0], by_hand[1], atol=1e-4)
assert torch.allclose(by_hand, nn.LayerNorm(4)(words), atol=1e-6)

# %% [markdown]
# PyTorch's `nn.LayerNorm` gives the same. The small number under the root keeps a word of four equal numbers from
# dividing by nothing.
#
# Two learned rows follow in the real layer: each entry is multiplied by a number of its own, at first 1, and gets
# another one added, at first 0. So the layer can undo the norm where that helps.
#
# **Change** the axis: `words.mean(0)` and `words.var(0, correction=0)` norm the columns instead. Do the rows still come
# out alike? And which word now knows of which? (The `assert` stops the cell: it knows the right axis.)
#
# What keeps the numbers in range? LayerNorm: it gives every word mean 0 and spread 1, from its own numbers alone.

# %% [markdown]
# ## 3. What is left to do after attention?
#
# Attention mixes: its output is a weighted mean of values (chapter 02). A mean of means is again a mean.
# A stack of attention alone can carry things from word to word, and can hardly compute with them.
#
# So each block has a second part, the **feed-forward network** (Attention Is All You Need, §3.3), which works on one
# word at a time:
#
# $$\mathrm{FFN}(x) = \max(0,\; x W_1 + b_1)\, W_2 + b_2$$
#
# $W_1$ gives the word more numbers, four times as many in the paper; $\max(0, \cdot)$ is called **ReLU** and sets what
# is negative to 0; $W_2$ leads back to as many numbers as before.
#
# On paper: let the word be a single number, $W_1 = (1, -1)$, $W_2 = (1, 1)$
# below each other, and no $b$. From 3 come (3, -3), then (3, 0), then 3. From -3 come (-3, 3), then (0, 3), then 3.
# It is the absolute value.
#
# <div class="predict">
#
# **Predict.** We leave the ReLU out and keep both matrices. What can such a network compute?
#
# <details><summary>A. As much as before: the numbers are all still there</summary>
#
# This tempts because nothing seems lost. But $(x W_1) W_2 = x\,(W_1 W_2)$: two matrices in a row are one matrix.
#
# </details>
# <details><summary>B. As much as one matrix can</summary>
#
# Yes. The bend between them is what makes two matrices more than one. Above, $W_1 W_2 = 1 - 1 = 0$.
#
# </details>
# <details><summary>C. Nothing: its output is always 0</summary>
#
# This tempts because it is so for the numbers above. Other matrices multiply to something else, yet always to one
# matrix.
#
# </details>
# </div>

# %%
from qkv.models.transformer import FeedForward, TransformerConfig
from qkv.notebook import source

config = TransformerConfig(
    24, d_model=16, num_heads=2, d_ff=64, num_encoder_layers=2, num_decoder_layers=2, dropout=0.0
)
network = FeedForward(config)

# %%
sentence = torch.randn(5, 16)  # (t 5, d_model 16)
changed = sentence.clone()
changed[4] += 1
moved = (network(changed) - network(sentence)).abs().sum(-1)
print("words whose output moved:", moved.ne(0).tolist())
assert moved.ne(0).tolist() == [False] * 4 + [True]

# %%
source(FeedForward)

# %% [markdown]
# We changed the last word, and only its own output moved. So the work is shared out: attention lets words talk, and the
# feed-forward network lets each think for itself.
#
# **Change** `config` to one with `activation="tanh"`. Still only the changed word moves; which line of the class uses
# the setting?
#
# What is left to do after attention? To compute with what arrived: two matrices with a bend between, on each word for
# itself.

# %% [markdown]
# ## 4. Why this bend and no other?
#
# Older networks used a soft step, the sigmoid $1 / (1 + e^{-x})$, or its sibling tanh, which goes from -1 to 1. In his
# talk Leo Dirac calls ReLU better (minute 20
# of the talk in the reading list), because its slope is 1 wherever it is not 0. The slope of a sigmoid is nowhere more
# than a quarter.
#
# That can be tried. We stack twelve feed-forward networks without residual connections, send random words through, and
# hand a gradient whose entries are about 1 to the top. How large are its entries at the bottom? All bends start from
# the same weights.
#
# <div class="predict">
#
# **Predict.** Which bend loses least of the gradient in twelve layers?
#
# <details><summary>A. ReLU</summary>
#
# This tempts because its slope is 1. But it is 0 for every negative number, which is half of them, and so half of the
# gradient is lost in each layer.
#
# </details>
# <details><summary>B. Sigmoid</summary>
#
# This tempts because it is never flat. It is nearly flat everywhere: with a slope of at most a quarter, twelve layers
# leave at most $0.25^{12}$, unless the weights make up for it.
#
# </details>
# <details><summary>C. tanh</summary>
#
# Yes, with these weights. Its slope at 0 is 1, for both signs, and here the numbers stay near 0.
#
# </details>
# </div>

# %%
from qkv.models.transformer import ACTIVATIONS


# %%
def gradient_through(bend, depth=12):
    torch.manual_seed(0)
    h = bottom = torch.randn(64, 128, requires_grad=True)
    for _ in range(depth):
        inner, outer = nn.Linear(128, 512), nn.Linear(512, 128)
        for layer in (inner, outer):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        h = outer(bend(inner(h)))
    (h * torch.randn_like(h)).sum().backward()
    return bottom.grad.square().mean().sqrt().item()  # 1 at the top


# %%
reached = {name: gradient_through(bend) for name, bend in ACTIVATIONS.items()}
for name, gradient in {"no bend": gradient_through(nn.Identity()), **reached}.items():
    print(f"{name:8} {gradient:.1e}")
assert max(reached, key=reached.get) == "tanh"
assert min(reached, key=reached.get) == "sigmoid"

# %% [markdown]
# Without any bend the weights alone let a part through; that is the most to hope for. The sigmoid loses nearly
# everything, as Dirac says. ReLU keeps about a thousandth; tanh, which he sets aside as well, loses least of all. GELU
# is a ReLU with a soft corner, and its soft corner costs in every layer.
#
# So "its slope is 1" is half of the story. The other half is how large the first weights are: these suit tanh, and
# weights larger by $\sqrt2$ suit ReLU (He et al. 2015). And a block has residual connections, so little depends on the
# bend alone.
#
# A gradient is not yet a better answer. So we trained small pronunciation models of two blocks on either side, which
# differ in the bend alone, with five seeds each. Will tanh be best there too?

# %%
from qkv.recipes.claims import field, show_claim

for name in ("tanh", "gelu"):
    print(f"words wrong, {name} minus ReLU: {field('activations', f'words wrong, {name} minus ReLU')}")
show_claim("activations")

# %% [markdown]
# The sigmoid costs words, as the talk says. tanh costs words as well, though it let more of the gradient through at
# the start: how large a gradient is before the first step does not say how well a model will speak. GELU makes no
# difference that we could see, though it let far less through.
#
# **Change** the weights to suit ReLU: `nn.init.xavier_uniform_(layer.weight, gain=2**0.5)`. Which bend keeps most now?
# (The `assert` stops the cell after the table.)
#
# Why this bend and no other? ReLU costs next to nothing, does not flatten what is positive, and gets fewer words wrong
# than sigmoid and tanh; that it also keeps the gradient best depends on the first weights.

# %% [markdown]
# ## 5. How does the figure become code?
#
# [The paper's figure 1](https://arxiv.org/pdf/1706.03762#page=3) shows an encoder block as two boxes with arrows around
# them. Each arrow is a line of code:
#
# | in the figure | in code |
# |---|---|
# | input embedding, plus the wave | `math.sqrt(d_model) * embedding(ids) + waves` |
# | three arrows into multi-head attention | `self_attention(x)`: query, key and value are all made of `x` |
# | the arrow around it, *Add* | `x + …` |
# | *Norm* | `self_attention_norm(…)` |
# | feed forward, *Add & Norm* again | `feed_forward_norm(x + feed_forward(x))` |
#
# We write it with the layers of a real model object, so that its own result can be compared.

# %%
import math

from qkv.models.transformer import Transformer

torch.manual_seed(0)
model = Transformer(config).eval()
ids = torch.tensor([[5, 3, 9, 9]])  # (b 1, t_s 4)

# %%
x = math.sqrt(config.d_model) * model.embedding(ids) + model.waves[:4]
for block in model.encoder:
    x = block.self_attention_norm(x + block.self_attention(x))
    x = block.feed_forward_norm(x + block.feed_forward(x))

assert torch.allclose(x, model.encode(ids), atol=1e-6)
print("encoder's output (b, t_s, d_model):", tuple(x.shape))

# %% [markdown]
# Two lines per block, and the numbers agree. The factor $\sqrt{d_{\text{model}}}$ was the subject of chapter 04.
#
# The decoder block has three boxes. Its self-attention has a causal mask, for it writes (chapter 02). The box between
# asks the encoder: its query is made of what the decoder has, its keys and values of *the encoder's output*. Lesson 2
# looks at that box closely.

# %%
from qkv.nn.masks import causal

memory = model.encode(ids)
written = torch.tensor([[1, 7, 4]])  # what the decoder has written so far

# %%
y = math.sqrt(config.d_model) * model.embedding(written) + model.waves[:3]
for block in model.decoder:
    y = block.self_attention_norm(y + block.self_attention(y, may_attend=causal(3)))
    y = block.cross_attention_norm(y + block.cross_attention(y, memory))
    y = block.feed_forward_norm(y + block.feed_forward(y))
logits = y @ model.embedding.weight.T  # one score for each symbol of the vocabulary

assert torch.allclose(logits, model(ids, written), atol=1e-6)
print("scores of the next symbol (b, t, v):", tuple(logits.shape))

# %% [markdown]
# The last line uses the table of embeddings once more: the score of a symbol is the dot product of its row with what
# the decoder arrived at (§3.4). One table serves three times.
#
# **Change** one arrow: leave `y +` out of the cross-attention line, and put
# `print((logits - model(ids, written)).abs().max())` before the `assert`, which stops the cell now. By how much do the
# scores differ, and would you have seen it from their shape?
#
# How does the figure become code? Every arrow is one name or one plus sign, and a block is two lines, or three in the
# decoder.

# %% [markdown]
# ## 6. Would you notice a wrong arrow?
#
# Years after the paper most models moved the norm: not behind the sum, but in front of the layer. The published order
# is called **post-LN**, the later one **pre-LN** (Xiong et al. 2020):
#
# - post-LN: `x = norm(x + layer(x))`
# - pre-LN: `x = x + layer(norm(x))`
#
# Here is pre-LN, as it is often typed on a first try. `sublayer` is attention or the feed-forward network, `dropout`
# is switched off here (lesson 2). Can you see the trouble?

# %%
from qkv.models.transformer import PreNormBlock


class HastyBlock(PreNormBlock):
    def residual(self, x, norm, sublayer):
        x = norm(x)
        return x + self.dropout(sublayer(x))


# %% [markdown]
# <div class="predict">
#
# **Predict.** We train a model of six layers with `HastyBlock` and one with `PreNormBlock` on the same task. What gives
# the hasty one away?
#
# <details><summary>A. Its loss does not fall</summary>
#
# This tempts because a mistake should hurt. The hasty block is a decent network: there is a norm, a layer and a
# way around it.
#
# </details>
# <details><summary>B. A shape error</summary>
#
# This tempts because most mistakes with tensors end in one. Every vector here has `d_model` numbers, so each fits
# everywhere.
#
# </details>
# <details><summary>C. Comparing its numbers with another implementation</summary>
#
# Yes. The loss falls, the shapes fit, and only the values say that this is another network.
#
# </details>
# </div>

# %%
from dataclasses import replace

from qkv.models.transformer import Extras  # what a block may be given besides: masks, cache, a recorder


def learn_to_copy(block_class, num_steps=120):
    torch.manual_seed(0)
    small = replace(config, num_encoder_layers=6)
    blocks = nn.ModuleList(block_class(small, is_decoder=False) for _ in range(small.num_encoder_layers))
    table, norm = nn.Embedding(10, 16), nn.LayerNorm(16)
    trained = nn.ModuleList([table, blocks, norm])
    optimizer = torch.optim.Adam(trained.parameters(), lr=3e-3)
    for _ in range(num_steps):
        letters = torch.randint(10, (32, 6))
        h = table(letters)
        for block in blocks:
            h = block(h, None, extras=Extras(), name="")
        loss = cross_entropy((norm(h) @ table.weight.T).flatten(0, 1), letters.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


# %%
for block_class in (PreNormBlock, HastyBlock):
    print(f"{block_class.__name__:13} loss at the end: {learn_to_copy(block_class):.4f}")

# %% [markdown]
# Both losses are near zero. Now the evidence: PyTorch has a block of its own, `nn.TransformerEncoderLayer`. We give it
# the weights of ours and compare the numbers.

# %%
from qkv.models.transformer import PostNormBlock

torch.manual_seed(0)
h = torch.randn(2, 5, 16)
for block_class, norm_first in [(PostNormBlock, False), (PreNormBlock, True), (HastyBlock, True)]:
    ours = block_class(config, is_decoder=False).eval()
    theirs = nn.TransformerEncoderLayer(16, 2, 64, dropout=0.0, batch_first=True, norm_first=norm_first).eval()
    attention = ours.self_attention
    with torch.no_grad():
        for part in ("weight", "bias"):
            stacked = [getattr(each, part) for each in (attention.query, attention.key, attention.value)]
            getattr(theirs.self_attn, f"in_proj_{part}").copy_(torch.cat(stacked))
        theirs.self_attn.out_proj.load_state_dict(attention.output.state_dict())
        theirs.linear1.load_state_dict(ours.feed_forward.inner.state_dict())
        theirs.linear2.load_state_dict(ours.feed_forward.outer.state_dict())
        difference = (ours(h, None, extras=Extras(), name="") - theirs(h)).abs().max().item()
    print(f"{block_class.__name__:13} largest difference from PyTorch's: {difference:.1e}")
    assert (difference < 1e-5) == (block_class is not HastyBlock)

# %% [markdown]
# There it is. In `HastyBlock` the way around the layer starts *behind* the norm, so it is not open: in every block the
# word is normed again, and what the blocks before had added is shrunk.
#
# The fix is one name: give the normed copy to the layer, and add to the word itself.

# %%
source(PreNormBlock)

# %% [markdown]
# **Change** the comparison: let `HastyBlock` meet `norm_first=False`. Is it perhaps post-LN?
#
# Would you notice a wrong arrow? Not from the loss and not from the shapes; a second implementation with the same
# weights shows it at once.

# %% [markdown]
# ## 7. What does the place of the norm change?
#
# Look at the way from the last block back to the first. With post-LN a norm stands across it in every block. With
# pre-LN it is free, and only at the very top there is one norm more.
#
# Xiong et al. say what follows: before the first step of training, the gradients of a post-LN stack are large near the
# top and small below. A careful start, with a learning rate that grows from 0, a **warm-up**, is then needed. With
# pre-LN it is not. First, the gradients.

# %%
from qkv.models.transformer import PRESETS


def gradients_at_start(norm, depth=12):
    torch.manual_seed(0)
    deep = replace(PRESETS["g2p"], norm=norm, num_decoder_layers=depth, dropout=0.0)
    model = Transformer(deep)
    read, write = torch.randint(3, 69, (32, 8)), torch.randint(3, 69, (32, 8))
    cross_entropy(model(read, write[:, :-1]).flatten(0, 1), write[:, 1:].flatten()).backward()
    return [block.feed_forward.outer.weight.grad.norm().item() for block in model.decoder]


# %%
for norm in ("post", "pre"):
    print(f"{norm}-LN, decoder 1 to 12:", " ".join(f"{each:.2f}" for each in gradients_at_start(norm)))

# %% [markdown]
# With post-LN the gradient grows toward the top; with pre-LN it does not.
# Does training then fail without a warm-up? We trained both, with and without, in small models of twelve blocks. Each
# tried three learning rates and kept the best.
#
# <div class="predict">
#
# **Predict.** Each stack has its best rate. Whom does it hurt to go without a warm-up?
#
# <details><summary>A. Post-LN only: its gradients at the start are large</summary>
#
# This tempts because the paper says so and the gradients above agree. But whoever may choose the rate can take a
# smaller one instead of a warm-up.
#
# </details>
# <details><summary>B. Both a little, and about equally</summary>
#
# Yes. That is what came out here, and we had expected A.
#
# </details>
# <details><summary>C. Nobody: Adam sizes its own steps</summary>
#
# This tempts because Adam, the rule by which most models take their steps, divides by the size of the gradients. At the
# very first steps that size is hardly known.
#
# </details>
# </div>

# %%
for norm in ("post", "pre"):
    print(f"{norm + '-LN':7} loss with warm-up {field('warmup', f'loss {norm} 75')}")
    print(f"{'':7} leaving it out adds {field('warmup', f'cost {norm}')}")
show_claim("warmup")

# %% [markdown]
# The claim was not seen: each at its best rate, both lose a little. But post-LN chose the smallest rate in nine runs of
# ten, and pre-LN in none. What happens at one rate for all?

# %%
for rate in ("0.0005", "0.0015", "0.0045"):
    costs = {norm: field("warmup", f"cost {norm} at rate {rate}.mean") for norm in ("post", "pre")}
    print(f"rate {rate}: leaving the warm-up out adds {costs['post']} to post-LN, {costs['pre']} to pre-LN")

# %% [markdown]
# At the middle rate, the one that pre-LN without a warm-up likes best, leaving it out costs post-LN much, and pre-LN even
# gains. At the largest rate both suffer alike. The middle one fits the paper. But we looked at this after the run, so it
# is a hint and no verdict.
#
# The largest difference is in neither comparison: in these 300 steps the pre-LN stack came to a third of the other's loss.
# This is why most models since have moved the norm.
#
# **Change** `depth`, in a new cell, to 2 and to 24. How does the last gradient of post-LN compare with the first?
#
# What does the place of the norm change? With the norm in front of the layer the way down is free: twelve blocks learn
# faster, and at larger rates. That post-LN alone needs the warm-up was not seen where each may choose its rate.

# %% [markdown]
# ## 8. How large is such a model?
#
# A table of $m$ rows and $n$ columns has $m \cdot n$ numbers, and nothing else is learned here but tables and rows.
# Let $d$ be `d_model`, and let the feed-forward network be $4d$ wide, as in the paper.
#
# - Attention has four projections: query, key, value and output, each $d \cdot d$. That is $4d^2$.
#
# - The feed-forward network has two tables, $d \cdot 4d$ and $4d \cdot d$. That is $8d^2$.
#
# - An encoder block has one of each, $12d^2$; a decoder block has a second attention, $16d^2$.
#
# Rows, such as the $b$ of each table and the two of each norm, are few beside that.
#
# <div class="predict">
#
# **Predict.** The paper's base model has $d = 512$, six blocks on either side and 37,000 symbols. Where are most of
# its numbers?
#
# <details><summary>A. In attention: that is what the paper is about</summary>
#
# This tempts because of the title. Encoder and decoder have eighteen attentions with $4d^2$ each, which is $72d^2$.
#
# </details>
# <details><summary>B. In the feed-forward networks</summary>
#
# Yes. There are twelve with $8d^2$ each: $96d^2$, a third more than in attention.
#
# </details>
# <details><summary>C. In the table of embeddings: 37,000 is far larger than 512</summary>
#
# This tempts because one side of the table is so long. It is $37{,}000 \cdot d$, which is about $72d^2$ here: as much
# as all attention, and less than the feed-forward networks. In a small model it would be the most.
#
# </details>
# </div>

# %%
d = 512
on_paper = {"embeddings": 37_000 * d, "attention": 18 * 4 * d * d, "feed-forward": 12 * 8 * d * d}
base = Transformer(PRESETS["paper"])
counted = dict.fromkeys([*on_paper, "rows"], 0)
for name, parameter in base.named_parameters():
    kind = "feed-forward" if "feed_forward" in name else "attention" if "attention" in name else "embeddings"
    counted["rows" if parameter.ndim == 1 else kind] += parameter.numel()
for kind, count in counted.items():
    print(f"{kind:12} {count / 1e6:6.2f} million")
    assert kind == "rows" or count == on_paper[kind]
print(f"together     {sum(counted.values()) / 1e6:6.2f} million")

# %% [markdown]
# The sum on paper is exact, and the rows hardly count. The paper says 65 million for its base model and does not give
# the exact size of its vocabulary, "about 37,000"; ours has two million less.
#
# **Change** the vocabulary to 69 symbols, as in our pronunciation model, in a new cell:
# `small = Transformer(replace(PRESETS["paper"], vocab_size=69))`. What is `small.embedding.weight.numel()` as a share of
# `sum(each.numel() for each in small.parameters())`?
#
# How large is such a model? $12d^2$ for an encoder block, $16d^2$ for a decoder block, and one row of $d$ for each
# symbol.

# %% [markdown]
# ## 9. Is a larger model a better one?
#
# The paper's table 3 asks what a model's size is worth. Rows C change the number of blocks and the width $d$. In its
# words: bigger is better, at an equal number of steps.
#
# A step of a larger model takes longer, though. So there are two fair races: equally many steps, and equally much
# *time*. We ran both, with small pronunciation models. Time here is that of the processor, measured before any of them was
# trained.
#
# <div class="predict">
#
# **Predict.** One block on either side against four, at equal time: the small model takes nearly four steps while
# the large one takes one. Who gets fewer words wrong?
#
# <details><summary>A. The four blocks: bigger is better</summary>
#
# This tempts because at equal steps it holds. But these runs are short, and the large model has hardly begun when its
# time is over.
#
# </details>
# <details><summary>B. The single block</summary>
#
# Yes, by far, in runs as short as ours.
#
# </details>
# <details><summary>C. Neither: time is what counts</summary>
#
# This tempts because it sounds fair. But time only buys steps, and what a step brings depends on the model.
#
# </details>
# </div>

# %%
for arm in ("1 layer", "2 layers", "4 layers", "1 layer, equal time", "4 layers, equal time"):
    print(f"{arm:21} words wrong {field('depth', f'WER {arm}')}")
show_claim("depth")

# %%
for arm in ("32 entries", "64 entries", "128 entries", "32 entries, equal time", "128 entries, equal time"):
    print(f"{arm:24} words wrong {field('width', f'WER {arm}')}")
print("equal time, 32 entries minus 128:", field("width", "words wrong, 32 entries minus 128, equal time"))
show_claim("width")

# %% [markdown]
# At equal steps both hold: four blocks are better than one, and wider vectors are better by far. Equal time changes that.
# One block then does better than four. And of the widths the middle one is ahead: 32 entries are too few to say what is to
# be said, and with 128 the time is over too soon.
#
# So "how large?" cannot be answered without "how long may it train?". The paper's models train a hundred times longer than
# these, and large ones have time to catch up.
#
# **Change** the question: how much would you give for twice as many steps? Compare the rows of `1 layer` and `1 layer, equal
# time`, which takes `1.8` times the steps of the first.
#
# Is a larger model a better one? After equally many steps, yes. After equally much time, not in runs as short as ours.

# %% [markdown]
# ## 10. Is an encoder worth having?
#
# The paper's model has two halves. Today's large language models have one: a decoder that reads question and answer as one
# row, under one causal mask (chapter 08). What does the encoder bring?
#
# For a fair race both must have equally many parameters. Section 8 says how: three blocks on either side have
# $3 \cdot 12 d^2 + 3 \cdot 16 d^2 = 84 d^2$, as many as seven blocks of $12 d^2$. The decoder alone gets those seven, and
# reads `p h o n e <start> F OW N`.
#
# A letter cannot see the letters after it. The sounds can see all letters.
#
# <div class="predict">
#
# **Predict.** Same words, same steps, as many parameters. Who gets fewer words wrong?
#
# <details><summary>A. Encoder and decoder: its letters see each other in both directions</summary>
#
# This tempts because it was found so for large pretrained models (Raffel et al. 2020), and we expected it too. But the
# decoder's own sounds can read all letters, in each of its seven blocks.
#
# </details>
# <details><summary>B. The decoder alone</summary>
#
# This tempts because today's models are built so. It came out a shade ahead here, by too little to tell from chance.
#
# </details>
# <details><summary>C. There is no difference to speak of</summary>
#
# Yes, in words wrong: the interval holds zero.
#
# </details>
# </div>

# %%
for arm in ("encoder and decoder", "decoder alone"):
    print(f"{arm:20} words wrong {field('decoder-only', f'WER {arm}')}")
    print(f"{'':20} loss {field('decoder-only', f'loss {arm}')}")
show_claim("decoder-only")

# %% [markdown]
# No difference in words, for models of this size. The decoder alone even has a slightly smaller loss. It pays for that
# elsewhere: all its seven blocks go over letters *and* sounds. Its runs took about half as much time again.
#
# Why then an encoder? Here, because it is cheaper. The letters are read once, by three blocks, and for each further sound
# only the decoder works.
#
# **Change** the sums: with a feed-forward network $2d$ wide, how many numbers has an encoder block, and how many a decoder
# block? How many blocks of a decoder alone equal three and three now?
#
# Is an encoder worth having? It makes no fewer mistakes here, and it saves work.

# %% [markdown]
# ## Summary
#
# - A **residual connection**, `x + layer(x)`, opens a way around each layer. Without it the gradient does not come down
#   through a deep stack.
# - **LayerNorm** gives each word mean 0 and spread 1, from its own numbers alone.
# - The **feed-forward network** computes on each word for itself; without the bend two matrices are one.
# - A block is attention and a feed-forward network, each with its plus sign and its norm. A decoder block has a second
#   attention between them, whose keys and values are made of the encoder's output.
# - **Post-LN**, `norm(x + layer(x))`, is the published order; **pre-LN**, `x + layer(norm(x))`, the later one. A wrong
#   order can train as well: compare its values with a second implementation.
# - An encoder block has $12d^2$ numbers, a decoder block $16d^2$.
# - A larger model learns more in a step and takes fewer steps in an hour.
#
# ### What the papers said, and what we measured
#
# - *Residual connections make deep networks trainable* (He et al. 2016).
#   **Here:** seen with twenty layers, and not needed with twelve (section 1).
# - *ReLU is better, for its slope is 1* (Dirac, minute 20).
#   **Here:** reproduced in words wrong, against sigmoid and tanh, though tanh kept more of the gradient (section 4).
# - *Post-LN needs a warm-up, pre-LN does not* (Xiong et al. 2020).
#   **Here:** not seen with each at its best rate; seen at the middle of three rates, looked at afterwards (section 7).
# - *The base model has 65 million parameters* (Attention Is All You Need, Table 3).
#   **Here:** two million fewer with 37,000 symbols (section 8).
# - *Bigger is better* (same, Table 3, rows C).
#   **Here:** reproduced for depth and width after equally many steps; at equal time one block beats four, and
#   the middle width is best (section 9).
# - *An encoder with a decoder beats a decoder alone* (Raffel et al. 2020, Table 2).
#   **Here:** not seen with equally many parameters, but the decoder alone takes more time (section 10).
#
# ### Common mistakes
#
# - **The sum begins behind the norm** in pre-LN. Shows against a second implementation only.
# - **No norm at the top** of a pre-LN stack. Shows in scores that grow with depth.
# - **The norm over the wrong axis.** Shows when one word changes and another one's output moves.
# - **No residual around the feed-forward network.** Shows with depth.
#
# ### Further reading
#
# - [Attention Is All You Need](https://arxiv.org/abs/1706.03762), Vaswani et al., 2017. Read §3.1 and §3.3.
# - [LSTM is dead, long live Transformers](https://www.youtube.com/watch?v=S27pHKBEp30), a talk by Leo Dirac, 2019:
#   minute 20.
# - [Deep Residual Learning](https://arxiv.org/abs/1512.03385), He et al., 2016.
# - [Layer Normalization](https://arxiv.org/abs/1607.06450), Ba, Kiros and Hinton, 2016.
# - [On Layer Normalization in the Transformer Architecture](https://arxiv.org/abs/2002.04745), Xiong et al., 2020.
# - [Exploring the Limits of Transfer Learning](https://arxiv.org/abs/1910.10683), Raffel et al., 2020, Table 2.
# - [Delving Deep into Rectifiers](https://arxiv.org/abs/1502.01852), He et al., 2015: first weights that suit ReLU.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. Why may LayerNorm not look at other words?</summary>
#
# In a decoder a word would learn something of the words after it, past the causal mask. And a word's result would
# depend on padding and on its neighbours in the batch.
#
# </details>
# <details><summary>2. Two matrices of a feed-forward network without the bend: how many are they?</summary>
#
# One: $(x W_1) W_2 = x\,(W_1 W_2)$.
#
# </details>
# <details><summary>3. From chapter 04: attention does not know the order of its words. Does the feed-forward network?</summary>
#
# No. It works on each word alone and does the same at every place. Only what was added to the word tells the place.
#
# </details>
#
# **Next.** Lesson 2: how the whole is trained.
