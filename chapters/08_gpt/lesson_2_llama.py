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
# # GPT, 2: from 2018 to now
#
# ## 1. What has stayed?
#
# > The capital of France is …
#
# GPT (2018) and Llama (2023) both go on with such a text, token by token. Both are decoders, a stack of equal blocks.
# Between them lie five years and a thousand papers.
#
# <div class="predict">
#
# **Predict.** One part of GPT's block stands in Llama's as well, the same formula, nothing changed. Which one?
#
# <details><summary>A. The norm: every number is brought to the same size</summary>
#
# This tempts because both have two norms in each block. But the new one computes something else, and stands somewhere
# else.
#
# </details>
# <details><summary>B. The way one token reads another: scores, √d_k, mask, softmax, mix</summary>
#
# Yes. That is chapter 02, line by line, in both.
#
# </details>
# <details><summary>C. The feed-forward network: two matrices and a bend</summary>
#
# This tempts because it is the plainest part of a block. It got a third matrix.
#
# </details>
# </div>
#
# **After this lesson you can**
#
# - say what four parts were exchanged, why, and work each out by hand;
# - run a real model of 135 million weights with functions that you wrote yourself;
# - find a cache that forgets where it is;
# - measure how surprised a model is, and whether its answer comes from the text in front of it;
# - say what such a model should not be asked for.
#
# **Time:** about 45 minutes. **Data:** one article of Wikipedia, some news, and SmolLM2, a small Llama with real
# weights. Everything is on your machine already. You need lesson 1, chapter 04, and the cache of chapter 05, lesson 3.
#
# **Self-check.**
#
# <details><summary>With RoPE, what does the score of two tokens depend on, besides their content?</summary>
#
# On their distance, and not on where they stand (chapter 04).
#
# </details>
# <details><summary>What does a key–value cache keep, and what does it save?</summary>
#
# Keys and values of all earlier tokens. A step then runs one row through the model and not all of them (chapter 05,
# lesson 3).
#
# </details>

# %%
from qkv.notebook import setup

setup()

# %%
import torch

from qkv.models import gpt
from qkv.models.llama import PRESETS, Llama

with torch.device("meta"):  # shapes without numbers
    both = {"GPT": gpt.GPT(gpt.PRESETS["paper"]), "SmolLM2": Llama(PRESETS["smollm2"])}
for name, model in both.items():
    total = sum(weights.numel() for weights in model.parameters())
    print(f"{name}: {total / 1e6:.1f} million weights, {len(model.layers)} blocks like this one:")
    for part, weights in model.layers[0].named_parameters():
        print(f"    {part:24}", *weights.shape)

# %% [markdown]
# SmolLM2 (Allal et al. 2025) is built as a Llama. Compare the two lists.
#
# The biases are gone, and a `gate` has come. The norms have one row of numbers in the place of two. Keys and values are
# narrower than queries. Outside the blocks, GPT has a table of 512 positions, and SmolLM2 has none.
#
# Four of these get a section now: norm, position, gate, shared keys. Then the real weights come, and everything must
# fit.
#
# **Change** nothing yet. Find the matrix that is missing in *both* lists: what scores the next token? (Lesson 1.)
#
# What has stayed? The attention of chapter 02, the causal mask, the residual sum, and the task: name the next token.

# %% [markdown]
# ## 2. Does a norm need the mean?
#
# LayerNorm (chapter 05) does two things to the numbers of a token: it subtracts their mean, then divides by their
# spread. Take $(1, 7)$. The mean is 4, what is left is $(-3, 3)$, the spread is 3, and out come $(-1, 1)$.
#
# **RMSNorm** leaves out the first half (Zhang and Sennrich 2019). It divides by the root of the mean square:
#
# $$\text{RMSNorm}(x) = g \cdot \frac{x}{\sqrt{\text{mean}(x^2) + \varepsilon}}$$
#
# For $(1, 7)$ the mean square is $(1 + 49) / 2 = 25$, so all is divided by 5: $(0.2, 1.4)$. The $g$ is learned, one
# factor for each place; there is no bias.
#
# <div class="predict">
#
# **Predict.** We add 100 to both numbers: $(101, 107)$. What do the two norms say now?
#
# <details><summary>A. Both say what they said before: a norm takes such things away</summary>
#
# This tempts because LayerNorm does. It sees differences from the mean only.
#
# </details>
# <details><summary>B. LayerNorm says the same; RMSNorm makes both numbers nearly 1</summary>
#
# Yes. The root of the mean square is about 104, and the difference of 6 drowns in it.
#
# </details>
# <details><summary>C. RMSNorm says the same; LayerNorm is thrown off by the large mean</summary>
#
# This tempts because a mean of 104 looks dangerous. It is subtracted first, and nothing of it is left.
#
# </details>
# </div>


# %%
def rms_norm(x, gain, epsilon=1e-5):
    return gain * x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt()


for pair in ([1.0, 7.0], [101.0, 107.0], [10.0, 70.0]):
    x = torch.tensor(pair)
    layer_norm = torch.nn.functional.layer_norm(x, (2,))
    print(pair, "  LayerNorm", layer_norm, "  RMSNorm", rms_norm(x, torch.ones(2)))

# %% [markdown]
# Both forget the size: $(10, 70)$ comes out as $(1, 7)$ did. Only LayerNorm forgets a common shift.
#
# Why give that up? What keeps a deep stack stable is the size, say its authors; the mean they found to be of no use,
# and leaving it out saves a step. Three implementations must agree with ours: the course's, torch's and that of
# `transformers`.

# %%
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from qkv.models.llama import RMSNorm

x, gain = torch.randn(3, 5, 8), torch.randn(8)
for norm in (RMSNorm(8, 1e-5), torch.nn.RMSNorm(8, 1e-5), LlamaRMSNorm(8, 1e-5)):
    norm.weight.data = gain
    assert torch.allclose(norm(x), rms_norm(x, gain), atol=1e-6)
    print(f"{type(norm).__module__:45} agrees")

# %% [markdown]
# The place has changed too. GPT normalises after each sum (post-LN). Llama normalises what goes *into* a sublayer, and
# once at the very end (pre-LN, chapter 05): $x + f(\text{RMSNorm}(x))$.
#
# **Change** the pair to `[-4.0, 4.0]`. Why do both norms agree here?
#
# Does a norm need the mean? To keep sizes in check it does not. The mean then stays in the numbers, and the layers that
# follow may use it or not.

# %% [markdown]
# ## 3. What is turned?
#
# GPT adds a learned row for each of 512 positions. Token 513 has none. And what *two words apart* means must be learned
# anew at every place.
#
# RoPE adds nothing. It turns queries and keys by an angle that grows with the position (chapter 04).
#
# One pair of numbers, a quarter turn per place: the query $(1, 0)$ at place 3 has made three quarters and points to
# $(0, -1)$. The key $(1, 0)$ at place 1 points to $(0, 1)$. Their dot product is $-1$.
#
# At places 103 and 101 both have made 25 full turns more, and the score is $-1$ again.
#
# <div class="predict">
#
# **Predict.** Queries and keys are turned. Should the values be turned as well?
#
# <details><summary>A. Yes: a token's place is part of what it has to say</summary>
#
# This tempts because GPT's added rows do reach the values. But nothing turns a value back, so a mix of turned values
# would depend on the places themselves and not on distances.
#
# </details>
# <details><summary>B. No: then the output depends on distances alone</summary>
#
# Yes. In a score two turns meet, and what is left is their difference. A value meets no other turned thing.
#
# </details>
# <details><summary>C. It makes no difference: turning keeps lengths</summary>
#
# This tempts because the lengths stay. The directions do not, and the next layer reads directions.
#
# </details>
# </div>
#
# torch can hold a pair of numbers as one **complex number**. To turn the pair is then one multiplication, by a number
# of length 1 that points in the direction of the angle: `torch.polar` makes it (Su et al. 2021, §3.2.1). Llama pairs
# each entry of the first half with the entry at the same place of the second.


# %%
def rotate(x, base=10_000.0, start=0):
    first, second = x.chunk(2, dim=-1)
    speed = base ** (-torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    angle = torch.arange(start, start + x.shape[-2])[:, None] * speed
    turned = torch.complex(first, second) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([turned.real, turned.imag], dim=-1)


# %%
from qkv.nn.positions import RotaryPositions

query, key = torch.randn(1, 16), torch.randn(1, 16)
for places in [(3, 1), (103, 101), (103, 1)]:
    score = rotate(query, start=places[0]) @ rotate(key, start=places[1]).T
    print(f"query at {places[0]:3}, key at {places[1]:3}: score {score.item():.3f}")
x = torch.randn(2, 4, 7, 16)
assert torch.allclose(rotate(x, start=5), RotaryPositions(16)(x, 5), atol=1e-5)

# %% [markdown]
# The first two lines agree, the third does not: distance is all that counts. (That `transformers` turns in the same way
# was checked in chapter 04, and is checked again in section 6.)
#
# The base sets the slowest hand. SmolLM2's heads have 64 numbers. There it has gone all the way round after some 47,000
# places with a base of 10,000, and after more than 400,000 with the 100,000 of SmolLM2. SmolLM2 reads up to 8,192
# tokens, so its slowest hands move a few degrees at most.
#
# **Change** `rotate(query, ...)` to the bare `query` in the loop. Which of the three lines agree now?
#
# What is turned? Queries and keys, so that only distances reach the scores; the values never.

# %% [markdown]
# ## 4. What does a gate let through?
#
# GPT's feed-forward network is $W_2\,\text{GELU}(W_1 x)$: widen, bend, narrow. **SwiGLU** widens twice (Shazeer 2020):
#
# $$\text{SwiGLU}(x) = W_2\,\big(\text{SiLU}(W x) \otimes V x\big), \qquad \text{SiLU}(z) = z \cdot \text{sigmoid}(z)$$
#
# The sign $\otimes$ multiplies entry by entry. The first factor is the **gate**: it says how much of the second passes.
# Let the second be 3. A gate of $-10$ gives $\text{SiLU}(-10) \approx 0$, and nothing passes; a gate of 0 passes
# nothing either; a gate of 10 gives nearly 10, and 30 passes.
#
# <div class="predict">
#
# **Predict.** GPT widens 768 numbers to four times as many. SmolLM2 has 576. How wide may it go, so that its *three*
# matrices cost as much as two of four times the width?
#
# <details><summary>A. To 2,304, four times as many</summary>
#
# This tempts because the factor 4 is on every drawing. With a third matrix it would cost half as much again.
#
# </details>
# <details><summary>B. To 1,536, which is 8/3 times as many</summary>
#
# Yes: $2 \cdot 4 \cdot 576^2 = 3 \cdot 1536 \cdot 576$. Two thirds of the width, three halves of the matrices.
#
# </details>
# <details><summary>C. To 1,152, twice as many</summary>
#
# This tempts because there are two wide matrices now, so each gets half. But the narrowing one becomes smaller too.
#
# </details>
# </div>


# %%
def swiglu(x, gate, inner, outer):
    return (torch.nn.functional.silu(x @ gate.T) * (x @ inner.T)) @ outer.T


# %%
for z in (-10.0, -1.0, 0.0, 1.0, 10.0):
    passed = swiglu(torch.tensor([z, 3.0]), torch.tensor([[1.0, 0]]), torch.tensor([[0, 1.0]]), torch.ones(1, 1))
    print(f"gate {z:5}: of 3.0 passes {passed.item():6.2f}")
config = PRESETS["smollm2"]
assert 2 * 4 * config.d_model**2 == 3 * config.d_ff * config.d_model

# %%
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaMLP

from qkv.models.llama import SwiGLU

ours, x = SwiGLU(12, 20), torch.randn(3, 5, 12)
weights = [linear.weight for linear in (ours.gate, ours.inner, ours.outer)]
theirs = LlamaMLP(LlamaConfig(hidden_size=12, intermediate_size=20, num_attention_heads=3))
for linear, weight in zip((theirs.gate_proj, theirs.up_proj, theirs.down_proj), weights, strict=True):
    linear.weight = weight
assert torch.allclose(swiglu(x, *weights), ours(x), atol=1e-6)
assert torch.allclose(theirs(x), ours(x), atol=1e-6)
print("by hand, ours and theirs agree:", *swiglu(x, *weights).shape)

# %% [markdown]
# A gate that is learned can ask a question: *is this a number?* The other factor holds what to do if it is. Why that
# helps, nobody has shown; the paper tried the variants at equal cost, found the gated ones a little ahead, and says
# that it has no explanation.
#
# **Change** `3.0` to `-3.0` in the vector of the text, `torch.tensor([z, 3.0])`; the words of the print stay. Which of
# the two factors may be negative, and how far?
#
# What does a gate let through? As much of the second factor as the first one says, entry by entry.

# %% [markdown]
# ## 5. What does remembering cost?
#
# A decoder that writes keeps keys and values of all earlier tokens. SmolLM2 has 30 blocks, nine heads with 64 numbers
# each, and reads up to 8,192 tokens. Its weights take 538 million bytes, four for each.
#
# <div class="predict">
#
# **Predict.** Suppose each of the nine heads had its own keys and values. How large would the cache of one full text
# be?
#
# <details><summary>A. Small beside the weights: it holds one text, they hold all that was learned</summary>
#
# This tempts because a text is short. But each of its tokens leaves two rows in every block.
#
# </details>
# <details><summary>B. About as large as the weights</summary>
#
# This tempts as a guess for a model so small. Work it out: $30 \cdot 2 \cdot 576 \cdot 8192 \cdot 4$ bytes.
#
# </details>
# <details><summary>C. Twice as large as the weights</summary>
#
# Yes, 1,132 million bytes, and that for a single reader.
#
# </details>
# </div>
#
# So several query heads share one head of keys and values: **grouped-query attention** (Ainslie et al. 2023). With six
# query heads and two of the others, heads 0, 1 and 2 read the first, heads 3, 4 and 5 the second. SmolLM2 has nine and
# three, and its cache is a third.

# %%
for kv_heads in (9, 3, 1):
    numbers = config.num_layers * 2 * kv_heads * config.d_model // config.num_heads
    print(f"{kv_heads} key heads: {numbers:6,} numbers per token, {numbers * 8192 * 4 / 1e6:5.0f} MB for a full text")


# %%
def share(keys, group=3):  # (kv_heads, t, d_k) → (heads, t, d_k)
    return keys.repeat_interleave(group, dim=-3)


print("head:", share(torch.arange(2)[:, None, None])[:, 0, 0].tolist())

# %% [markdown]
# To share is to use the same rows several times. So ordinary attention with *copies* of the key and value weights must
# give the same output, and torch has ordinary attention.

# %%
from einops import repeat

from qkv.nn.attention import GroupedQueryAttention
from qkv.nn.masks import causal

grouped, plain = GroupedQueryAttention(24, 6, 2), torch.nn.MultiheadAttention(24, 6, bias=False, batch_first=True)
copies = [repeat(each.weight, "(h d) m -> (h 3 d) m", h=2) for each in (grouped.key, grouped.value)]
plain.in_proj_weight.data = torch.cat([grouped.query.weight, *copies])
plain.out_proj.weight.data = grouped.output.weight
x = torch.randn(2, 7, 24)
theirs, _ = plain(x, x, x, attn_mask=~causal(7))  # there True means: hidden
assert torch.allclose(grouped(x, causal(7)), theirs, atol=1e-6)
print("shared", *grouped.key.weight.shape, " copied", *copies[0].shape, " same output")

# %% [markdown]
# What is lost? Freedom: three heads look for different things in the same keys. The paper turned a trained model into a
# grouped one and found its answers nearly as good, at nearly the speed of a single shared head.
#
# **Change** 8,192 to 512, GPT's length. For how many tokens is the cache of nine heads as large as the weights?
#
# What does remembering cost? Two rows per token, block and key head. With a key head for each query head that is more
# than the weights, for long texts; so query heads share.

# %% [markdown]
# ## 6. Does it run with real weights?
#
# Four functions are written. A whole Llama is not much longer: norm, attend, add, norm, gate, add, thirty times. First
# the weights, which takes a while: the file holds 4 bits for most of them, and they are unpacked to 32.

# %%
from qkv.generate import continuation, pretrained

smollm2, tokenizer = pretrained()
print(continuation(smollm2, tokenizer, "The capital of France is", 2))

# %%
from functools import partial

from qkv.nn.attention import merge_heads, scaled_dot_product_attention, split_heads

W = {name.removesuffix(".weight"): weight for name, weight in smollm2.state_dict().items()}


turn_slowly = partial(rotate, base=100_000.0)


@torch.no_grad()
def by_hand(ids, norm=rms_norm, turn=turn_slowly, share=share, feed=swiglu):
    x = W["embedding"][ids]
    for i in range(30):
        read = norm(x, W[f"layers.{i}.attention_norm"])
        heads = {"query": 9, "key": 3, "value": 3}
        q, k, v = (split_heads(read @ W[f"layers.{i}.attention.{part}"].T, h) for part, h in heads.items())
        mixed, _ = scaled_dot_product_attention(turn(q), share(turn(k)), share(v), causal(len(ids)))
        x = x + merge_heads(mixed) @ W[f"layers.{i}.attention.output"].T
        matrices = [W[f"layers.{i}.feed_forward.{part}"] for part in ("gate", "inner", "outer")]
        x = x + feed(norm(x, W[f"layers.{i}.feed_forward_norm"]), *matrices)
    return rms_norm(x, W["norm"]) @ W["embedding"].T


# %% [markdown]
# That is the whole model. Its text is the beginning of an article on Alabama.

# %%
from qkv.data import load

article = load("wikipedia-sample")["test"][0]
text = " ".join(article["text"].split()[:90])
ids = torch.tensor(tokenizer.encode(text))
scores = by_hand(ids)
with torch.no_grad():
    assert torch.allclose(scores, smollm2(ids[None])[0], atol=1e-3)
print(f"{text[:66]} …\n{len(ids)} tokens, the same scores by hand and from the package")

# %% [markdown]
# And a third time, by `transformers`. Its Llama has the same parts under other names. We give it our own weights, so
# that nothing is loaded twice. Then, in five steps: shapes, weights, positions, text, comparison.

# %%
from transformers import LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from qkv.models.llama import from_transformers

sizes = {"vocab_size": 49_152, "hidden_size": 576, "num_attention_heads": 9, "num_key_value_heads": 3}
sizes |= {"intermediate_size": 1536, "num_hidden_layers": 30, "rms_norm_eps": 1e-5, "tie_word_embeddings": True}
rope = {"rope_type": "default", "rope_theta": 100_000.0}
their_config = LlamaConfig(**sizes, rope_parameters=rope, max_position_embeddings=8192)

# %%
with torch.device("meta"):
    theirs = LlamaForCausalLM(their_config).eval()
names = [name for name, _ in theirs.named_parameters()]
renamed = {name: W[next(iter(from_transformers({name: W}))).removesuffix(".weight")] for name in names}
theirs.load_state_dict(renamed, strict=False, assign=True)
theirs.tie_weights()
theirs.model.rotary_emb = LlamaRotaryEmbedding(their_config)  # angles are no weights

given = torch.tensor([tokenizer.encode("The capital of France is")])
options = {"attention_mask": torch.ones_like(given), "do_sample": False, "eos_token_id": 2, "pad_token_id": 2}
print(tokenizer.decode(theirs.generate(given, max_new_tokens=2, **options)[0].tolist()))
with torch.no_grad():
    assert torch.allclose(theirs(ids[None]).logits[0], scores, atol=1e-3)

# %% [markdown]
# Reading the package's file with `AutoModelForCausalLM.from_pretrained(folder, gguf_file=name)` does the same in one
# line, and takes the memory a second time.
#
# **Change** the last line of `by_hand` to leave out the norm. Which token follows *France is* now, and with what
# probability? `by_hand(given[0])[-1].softmax(-1).max(-1)` has both, and `tokenizer.decode` reads the token. Put the
# norm back before you go on.
#
# Does it run with real weights? Yes: four functions of a few lines each, put together thirty times, give the scores of
# two other implementations.

# %% [markdown]
# ## 7. Which exchange would it survive?
#
# Our `by_hand` takes its parts as arguments. So we can put a wrong one in, with all weights as they are, and ask how
# surprised the model is by the text: its loss in nats per token, and $e$ to that power, the **perplexity** (chapter
# 05).
#
# <div class="predict">
#
# **Predict.** Which of these does the model mind least?
#
# <details><summary>A. To subtract the mean first, as LayerNorm does</summary>
#
# Yes, together with another base for the turns. In the vectors of this model there is next to no mean to subtract.
#
# </details>
# <details><summary>B. To deal out the key heads in turn: 0 1 2 0 1 2 …, in the place of 0 0 0 1 1 1 …</summary>
#
# This tempts because all heads are used equally often, and every shape fits. But six of the nine query heads then ask
# keys that they have never met.
#
# </details>
# <details><summary>C. To turn neighbours, entries 0 and 1, in the place of halves</summary>
#
# This tempts because both pairings have all properties of section 3. But the weights were learned with one of them.
#
# </details>
# </div>


# %%
def centred(x, gain):
    return rms_norm(x - x.mean(-1, keepdim=True), gain)


def neighbours(x):  # entries 2i and 2i + 1 are a pair
    first, second = rotate(torch.cat([x[..., ::2], x[..., 1::2]], -1), 100_000.0).chunk(2, -1)
    return torch.stack([first, second], -1).flatten(-2)


# %%
exchanges = {
    "nothing": {},
    "mean subtracted": {"norm": centred},
    "base 10,000": {"turn": rotate},
    "neighbours turned": {"turn": neighbours},
    "nothing turned": {"turn": lambda x: x},
    "keys dealt in turn": {"share": lambda keys: keys.repeat(3, 1, 1)},
    "gate and inner swapped": {"feed": lambda x, gate, inner, outer: swiglu(x, inner, gate, outer)},
}


# %%
def surprise(scores, ids):
    return torch.nn.functional.cross_entropy(scores[:-1], ids[1:], reduction="none")  # nats, one for each token


for name, exchange in exchanges.items():
    nats = surprise(by_hand(ids, **exchange), ids).mean()
    print(f"{name:24} {nats:6.2f} nats per token   perplexity {nats.exp():.3g}")
print(f"a blind guess costs {torch.tensor(len(tokenizer)).log():.2f} nats")

# %%
shares = []


def watched(x, gain):
    shares.append((x.mean(-1) ** 2 / x.square().mean(-1)).median())
    return rms_norm(x, gain)


by_hand(ids, norm=watched)
print(f"of the mean square, the squared mean makes {min(shares):.4f} to {max(shares):.4f} (median tokens of 60 norms)")

# %% [markdown]
# Two exchanges cost next to nothing. All others spoil the model, though every shape fits and nothing warns. Keys dealt
# in turn are nearly as bad as a blind guess, and the swapped gate is far worse: the model is sure of wrong tokens.
#
# Why does it bear the subtracted mean? RMSNorm and LayerNorm differ by the mean, and in these vectors the mean holds
# less than a hundredth of the square (the last line). That says something of this model, which was trained with
# RMSNorm, and nothing of which norm is better.
#
# And why the other base? In a short text the slow hands hardly move, with either base. **Change** the 90 words to 400
# and compare the two bases again.
#
# Which exchange would it survive? Two of six. No shape tells of any, and the loss hardly tells of those two; equality
# with a second implementation does.

# %% [markdown]
# ## 8. Would you notice a forgotten place?
#
# Our `rotate` begins at place 0 unless it is told otherwise. Whoever writes `rotate(query)` in an attention with a
# cache makes a mistake: the newest token comes alone, so each new token is turned as if it stood at place 0.
#
# The package reads the place off the length of the cache. A cache that always says 0 therefore makes this very mistake.

# %%
from qkv.nn.attention import KeyValueCache


class Forgetful(KeyValueCache):
    def __len__(self):
        return 0


# %%
def fresh(kind):
    return {f"layer{i}.attention": kind() for i in range(30)}


@torch.no_grad()
def write(prompt, kind, num_tokens=14):
    cache, new, said = fresh(kind), tokenizer.encode(prompt), []
    for _ in range(num_tokens):
        new = [int(smollm2(torch.tensor([new]), cache)[0, -1].argmax())]  # at first the prompt, then one by one
        said += new
    return tokenizer.decode(said)


# %%
for prompt in ("The capital of France is", "Once upon a time, there was a little"):
    for kind in (KeyValueCache, Forgetful):
        print(f"{kind.__name__:14} {prompt}{write(prompt, kind)!r}")

# %% [markdown]
# It says *Paris*, and *girl*. The first token is right each time, for the prompt was read in one go. After that it
# begins to stammer.
#
# <div class="predict">
#
# **Predict.** You do not know which of the two is broken. Which test tells?
#
# <details><summary>A. The scores of a whole text, with an empty cache and without one</summary>
#
# This tempts because it compares numbers. A whole text in one go begins at place 0 anyway, and both caches pass.
#
# </details>
# <details><summary>B. Reading what it writes: a broken cache repeats itself</summary>
#
# This tempts because here it does. So do small models that are in order, and nobody would look at the cache.
#
# </details>
# <details><summary>C. The scores of a text in two parts against those of the whole</summary>
#
# Yes. The second part must get the scores that it gets in the whole text, token by token.
#
# </details>
# </div>

# %%
with torch.no_grad():
    whole = smollm2(ids[None, :60])[0]
    for kind in (KeyValueCache, Forgetful):
        cache = fresh(kind)
        parts = [smollm2(part, cache)[0] for part in (ids[None, :20], *ids[None, 20:60].split(1, dim=1))]
        stretches = [each.mean() for each in surprise(torch.cat(parts), ids[:60]).split(20)]
        print(f"{kind.__name__:14} nats per token in three stretches:", *(f"{each:.2f}" for each in stretches), end="")
        print(f"   largest difference {(torch.cat(parts) - whole).abs().max():.2f}")
        assert torch.allclose(torch.cat(parts), whole, atol=1e-3) == (kind is KeyValueCache)

# %% [markdown]
# The first stretch was read in one go and is right. Then the new tokens all claim to stand at place 0: far from their
# neighbours, near the beginning of the text. The surprise is two to three times as large.
#
# **Change** what `Forgetful` returns: `super().__len__() + 100 if super().__len__() else 0`. There is still a
# difference. Now turn *all* tokens 100 places too far, `by_hand(ids, turn=partial(turn_slowly, start=100))`. Why is
# that no mistake at all?
#
# Would you notice a forgotten place? Not from the first token and not from a text in one go; read a text in parts and
# compare it with the whole.

# %% [markdown]
# ## 9. How surprised is it?
#
# A perplexity of 7 means: as unsure as someone who guesses among seven tokens, all equally likely. Out of 49,152 that
# is few. What is it that the model knows?
#
# <div class="predict">
#
# **Predict.** We shuffle the words of the text. Every word stays, so what becomes of the perplexity?
#
# <details><summary>A. It doubles, perhaps: a good part of the surprise is which words occur at all</summary>
#
# This tempts because of bags of words, which get far with exactly that. Here each word is guessed from those before it,
# and they no longer lead anywhere.
#
# </details>
# <details><summary>B. It grows to some fifty times as much</summary>
#
# Yes. And still it is a hundred times below a blind guess: it knows which words are common, and which occurred.
#
# </details>
# <details><summary>C. It grows to that of a blind guess: without order there is no language</summary>
#
# This tempts because order carries so much. But common words stay common, and the pieces within a long
# word stay in order.
#
# </details>
# </div>

# %%
import random


def shuffled(text, separator):
    parts = text.split(separator)
    random.Random(0).shuffle(parts)
    return separator.join(parts)


@torch.no_grad()
def perplexity(text, skip=0):
    ids = torch.tensor(tokenizer.encode(text))
    return surprise(smollm2(ids[None])[0], ids)[skip:].mean().exp().item()


# %%
versions = {"as it stands": text, "sentences shuffled": shuffled(text, ". "), "words shuffled": shuffled(text, " ")}
for name, version in versions.items():
    print(f"{name:20} perplexity {perplexity(version):6.1f}")
print(f"{'a second time':20} perplexity {perplexity(f'{text} {text}', skip=len(ids)):6.1f}")

# %% [markdown]
# The order of sentences matters little, that of words a lot. The last line is the most surprising. The whole text
# stands twice in a row, and only the second time is counted: hardly any surprise is left.
#
# No weight has changed. It finds the same words further up by attention and says what came after them there. That is
# how it can answer a question about a text that it has never met, which is the next section.
#
# **Change** the seed of the shuffle, then put a text of your own. A perplexity compares models only if their tokens are
# the same (chapter 06).
#
# How surprised is it? By ordinary English a little, by shuffled words some fifty times as much, and by what it has just
# read hardly at all.

# %% [markdown]
# ## 10. Does it read, or does it remember?
#
# SmolLM2 was tuned on conversations. A question stands between two marks, and it writes the answer after a third. We
# put a paragraph in front of the question.
#
# This is **generative** question answering: it writes an answer, and nothing forces it to take one from the text. (In
# chapter 09 a model points at a span, and cannot invent.)

# %%
import textwrap

from qkv.generate import TURN

paragraph = article["text"].split("\n\n")[3]
print(f"{article['title']}, from Wikipedia, CC BY-SA:", *textwrap.wrap(paragraph, 100), sep="\n   ")
print(TURN.format("[paragraph] [question]"))

# %% [markdown]
# <div class="predict">
#
# **Predict.** *What is the capital of Alabama?* The paragraph says Montgomery; then we write Springfield there. What
# does the model answer?
#
# <details><summary>A. Montgomery, then Springfield: it reads the answer off</summary>
#
# This tempts because section 9 showed that it can copy. It does so where the words before are the same; a question has
# other words.
#
# </details>
# <details><summary>B. Montgomery both times: it knows the capitals of the States</summary>
#
# This tempts because they stand in a thousand texts. Ask it without the paragraph: it does not know.
#
# </details>
# <details><summary>C. Montgomery, then something else that is wrong</summary>
#
# Yes: it names another city of the paragraph. Neither the text nor its memory is enough alone.
#
# </details>
# </div>
#
# The rule, written down before: a question counts as answered if the expected word stands in the first sentence of the
# answer. Questions and expected words are ours.

# %%
QUESTIONS = {
    "What is the capital of Alabama?": ("Montgomery", "Springfield"),
    "Who founded Mobile, Alabama?": ("French", "Dutch"),
    "What is the largest city of Alabama by total land area?": ("Huntsville", "Toledo"),
    "What is the state tree of Alabama?": ("longleaf pine", "silver birch"),
}


def answer(question, num_tokens=16):
    said = continuation(smollm2, tokenizer, TURN.format(question), num_tokens)
    return " ".join(said.split()).partition(". ")[0]


# %%
right = {"alone": 0, "with the text": 0, "with a changed text": 0}
for question, (true, changed) in QUESTIONS.items():
    texts = ("", f"{paragraph}\n\n", paragraph.replace(true, changed) + "\n\n")
    print(question)
    for kind, before, expected in zip(right, texts, (true, true, changed), strict=True):
        said = answer(before + question)
        right[kind] += expected.lower() in said.lower()
        print(f"   {kind:19} {'✓' if expected.lower() in said.lower() else '·'} {said}")
print(right, "of", len(QUESTIONS))

# %% [markdown]
# Four questions are no measurement, but each line can be checked against the paragraph. With the text it does better
# than alone. Where the text was changed, the rule finds one answer that follows it and three that do not. So an answer
# that *is* in the text need not *come* from it.
#
# Now read the answer to the second question again, with the text. The rule counts it, and it is false: the paragraph
# says so of Mobile, and not of Montgomery. A rule that looks for words cannot see that. Somebody has to read.
#
# Note how it sounds: every answer is sure of itself, the wrong ones too.
#
# **Change** a question to one that the text cannot answer, *Who is the governor?* Does it ever say that it does not
# know?
#
# Does it read, or does it remember? Of these four it remembered none and read some off the text. The rest it invented
# in the same tone; change the text to find out which is which.

# %% [markdown]
# ## 11. Is its headline better than the first sentence?
#
# A headline is a summary of a few words. The packaged news has articles with their printed headlines. The rival is the
# **lead**: the first nine words of the first sentence that has nine, since nine is the mean length of a headline.
#
# **ROUGE-L** (Lin 2004) compares word by word: the longest list of words that both have in this order, twice that over
# the sum of both lengths. By hand: *a cat sat on the mat* and *the cat sat*. Both have *cat sat*, two words; six and
# three make nine. So $2 \cdot 2 / 9 \approx 0.44$.
#
# <div class="predict">
#
# **Predict.** Who is nearer to the printed headlines?
#
# <details><summary>A. SmolLM2: it understands what the article is about</summary>
#
# This tempts because its sentences look like headlines. Look at whose words they are, and from which place.
#
# </details>
# <details><summary>B. The lead, which understands nothing</summary>
#
# Yes, over two hundred and fifty articles. The four below are too few to tell. A copy of the first words is worth a lot
# in news.
#
# </details>
# <details><summary>C. Neither: a good headline shares no word with another one</summary>
#
# This tempts because there are many good headlines. Names and places are in nearly all of them.
#
# </details>
# </div>

# %%
from qkv.recipes.claims import field, show_claim
from qkv.recipes.headlines import openings
from qkv.scoring.rouge import rouge_l, words

assert abs(rouge_l("a cat sat on the mat", "the cat sat").f1 - 4 / 9) < 1e-9


# %%
def headline(text, num_words=60):
    beginning = " ".join(text.split()[:num_words])
    return answer(f"{beginning}\n\nWrite a headline for this article.")


# %%
for row in load("news-headlines")["test"].select(range(2, 6)):
    lead, ours = " ".join(openings(row["text"], 9)[0]), headline(row["text"])
    print(f"printed       {row['headline']}")
    for name, said in {"lead": lead, "SmolLM2": " ".join(words(ours)[:9])}.items():
        print(f"{name:8} {rouge_l(said, row['headline']).f1:.2f} {said}")
show_claim("headlines")

# %% [markdown]
# The claim under the four says why the lead is a hard rival: news texts say the most at their start.
#
# Four articles are an illustration. Now two hundred and fifty, each with its printed headline. Three wordings of the
# request were tried, on forty other articles, and the best one was taken. A random sentence of the article shows what
# chance gives.
#
# A headline may also say it in words of its own. So we count **new words**: those that stand nowhere in the article.

# %%
print(f"{'250 articles':16} {'ROUGE-L':40} new words")
for name in ("SmolLM2", "lead", "random sentence", "printed"):
    scored = field("smollm2-headlines", f"ROUGE-L {name}") if name != "printed" else ""
    print(f"{name:16} {scored:40} {field('smollm2-headlines', f'new words {name}.mean'):>9}")
show_claim("smollm2-headlines")

# %% [markdown]
# The answer is the reverse of what we set out to show: the lead is ahead. Both are far above a random sentence. That
# need not mean that SmolLM2 has found out what the article is about. It read the first sixty words, and to copy from
# there is enough.
#
# The last column shows how they differ. A printed headline takes one word in five from outside the article; SmolLM2
# takes about one in sixteen. It writes a headline by copying, and the lead copies from the better place.
#
# The lead invents nothing. Its few "new" words come from the count, which cuts a word such as *1980s* in two in the
# lead and not in the article.
#
# What this does not say: that no model beats the lead. Networks trained on millions of headlines do (Rush et al. 2015,
# Table 1). This one was tuned for many tasks, summaries among them, and not on these headlines. It saw sixty words of
# each article, and it is small.
#
# And ROUGE counts words in common with *one* printed headline. A good headline in other words gets nothing for it.
#
# **Change** `num_words` to 20. Does it need the rest?
#
# Is its headline better than the first sentence? No: over 250 articles the first words are nearer to the printed ones,
# and they invent nothing.

# %% [markdown]
# ## 12. What should it not be asked?
#
# What a model has read shows in what it expects. After *The nurse said that*, does it expect *he* or *she*?


# %%
@torch.no_grad()
def expects(beginning, *options):
    shares = smollm2(torch.tensor([tokenizer.encode(beginning)]))[0, -1].softmax(-1)
    return [shares[tokenizer.encode(option)[0]].item() for option in options]


# %%
for job in ("nurse", "secretary", "teacher", "doctor", "carpenter", "president"):
    she, he = expects(f"The {job} said that", " she", " he")
    print(f"The {job} said that …   she {she:.3f}   he {he:.3f}   {she / he:.1f} to 1")

# %% [markdown]
# Nothing in the sentences says who they are. The model repeats habits of what it read, stereotypes among them, though
# *doctor* does not fit one here. Whoever uses it to write or to choose passes them on. One sentence is a probe and no
# verdict; another wording gives other numbers.
#
# Now facts. It is asked about something that never happened, then in another language, then for the headline of an
# article of 2017.

# %%
for question in ("Who was the first woman on the moon?", "Quelle est la capitale de la France?"):
    print(f"{question}\n   {answer(question)}")
row = load("news-headlines")["validation"][6]
print(f"{row['date']}: {row['headline']}\n   {headline(row['text'])}")

# %% [markdown]
# When it was trained, no woman had been on the moon. The article is years older than the illness in the model's
# headline: it took the nearest thing that it had often read. And it was trained on English: its French is grammar
# without a fact.
#
# These are not slips that a better question would heal. It was trained to go on plausibly, and what is plausible need
# not be true. A larger model knows more and errs less often, in the same tone.
#
# **Change** the questions. Find one that it answers correctly alone, and check with a second source.
#
# What should it not be asked? Anything whose answer you cannot check, and anything where a prejudice does harm.

# %% [markdown]
# ## Summary
#
# - **RMSNorm** divides by the root of the mean square; no mean, no bias. It stands before each sublayer.
# - **RoPE** turns queries and keys; only distances reach the scores, and no table ends.
# - **SwiGLU** has a gate that says, entry by entry, how much passes; three matrices of two thirds of the width.
# - **Grouped-query attention** lets query heads share keys and values; the cache shrinks by that factor.
# - A **cache** must know the place of the next token. Parts against the whole is its test.
# - SmolLM2 runs in our code with the scores of two other implementations. It reads, remembers and invents in one tone.
#
# ### What the papers said, and what we saw
#
# - *The mean can be left out of LayerNorm* (Zhang and Sennrich 2019).
#   **Here:** in SmolLM2 there is next to no mean to leave out (section 7); which norm trains better was not tested.
# - *Scores depend on relative positions alone* (Su et al. 2021). **Here:** exact (sections 3 and 8).
# - *Gated networks are a little better at equal cost* (Shazeer 2020). **Here:** not tested; the cost is equal (section 4).
# - *Grouped queries keep nearly all quality* (Ainslie et al. 2023). **Here:** not tested; the cache is a third (section 5).
# - *A network's headlines are ahead of the first words* (Rush et al. 2015, Table 1). **Here:** reversed, for a model that
#   was not trained on headlines (section 11).
#
# ### Common mistakes
#
# - **New tokens at place 0**, with a cache. Shows when a text in parts is compared with the whole.
# - **The whole text again**, with a cache that holds it already. Shows in the cache's length, twice that of the
#   text.
# - **Key heads dealt in turn**, `repeat` in the place of `repeat_interleave`. Every shape fits; shows against a second
#   implementation.
# - **Neighbours turned** where the weights expect halves, or the reverse. Shows as a perplexity several times too large.
# - **Gate and inner matrix swapped** when weights are read. Shows as a loss above a blind guess.
# - **A mean subtracted** where the weights expect RMSNorm. Hardly shows in a loss; parity finds it.
# - **A fluent answer taken for one from the text.** Shows when the text is changed.
#
# ### Further reading
#
# - [LLaMA](https://arxiv.org/abs/2302.13971), Touvron et al., 2023, §2.2: the exchanged parts on half a page.
# - [Root Mean Square Layer Normalization](https://arxiv.org/abs/1910.07467), Zhang and Sennrich, 2019.
# - [RoFormer](https://arxiv.org/abs/2104.09864), Su et al., 2021: RoPE.
# - [GLU Variants Improve Transformer](https://arxiv.org/abs/2002.05202), Shazeer, 2020: five pages, and a last sentence to
#   remember.
# - [GQA](https://arxiv.org/abs/2305.13245), Ainslie et al., 2023.
# - [SmolLM2](https://arxiv.org/abs/2502.02737), Allal et al., 2025: what it was trained on.
# - [ROUGE](https://aclanthology.org/W04-1013/), Lin, 2004.
# - [A Neural Attention Model for Abstractive Sentence Summarization](https://arxiv.org/abs/1509.00685), Rush et al.,
#   2015: headlines, against the first words.
#
# ### Three questions from memory
#
# Close your eyes, answer aloud, then unfold.
#
# <details><summary>1. Six query heads share two key heads. Which key head does query head 4 read, and what is saved?</summary>
#
# The second one: heads 0 to 2 read the first, 3 to 5 the second. The cache is a third as large.
#
# </details>
# <details><summary>2. Your cache passes when a whole text is read in one go. Why is that no proof?</summary>
#
# In one go every text begins at place 0. Only a second call shows whether the cache tells where it is.
#
# </details>
# <details><summary>3. From chapter 05: how many rows go through the decoder for forty tokens, with a cache and without?</summary>
#
# Forty with it. Without it $1 + 2 + \dots + 40 = 820$.
#
# </details>
#
# **Next.** The exercises of this chapter; then chapter 09, a model that reads both ways.
