"""Attention: a query scores every key, the scores become shares, and the shares mix the values.

Shapes: b any number of leading axes (batch, heads), t_q queries, t_k keys and as many values,
d_k entries in a query and in a key, d_v entries in a value.  Rows ask, columns are read.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from einops import einsum, rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from qkv.nn.masks import causal

Vector = Sequence[float | int]  # plain Python; everything else here works on tensors


def softmax(scores: Float[Tensor, "*shape"], dim: int = -1) -> Float[Tensor, "*shape"]:
    """Shares that are positive and add up to 1 along ``dim``: exp(score) / sum of exp(scores).

    The maximum is subtracted first.  It changes no share, since softmax sees differences only, and it keeps exp in
    range: exp(89) overflows float32, but now no exponent is above 0.  A row of nothing but -inf gives NaN.
    """
    exponents = torch.exp(scores - scores.amax(dim, keepdim=True))
    return exponents / exponents.sum(dim, keepdim=True)


def scaled_dot_product_attention(
    query: Float[Tensor, "*b t_q d_k"],
    key: Float[Tensor, "*b t_k d_k"],
    value: Float[Tensor, "*b t_k d_v"],
    may_attend: Bool[Tensor, "*#b #t_q #t_k"] | None = None,
    bias: Float[Tensor, "*#b #t_q #t_k"] | None = None,
) -> tuple[Float[Tensor, "*b t_q d_v"], Float[Tensor, "*b t_q t_k"]]:
    """softmax(Q Kᵀ / √d_k) V, and the weights themselves (Vaswani et al. 2017, equation 1).

    Args:
        query, key, value: floating point, all of one dtype.
        may_attend: True = this query may look at this key (``nn.MultiheadAttention`` means the opposite).
        bias: added to the scaled scores, before softmax.

    Returns:
        The output, each row a mix of the values, and the weights of that mix; each row of weights adds up to 1.

    Raises:
        TypeError: a tensor has the wrong dtype.
        ValueError: the shapes do not fit together, or a query has no key that it may attend to.
    """
    _check_inputs(query, key, value, may_attend, bias)
    scores = einsum(query, key, "... t_q d_k, ... t_k d_k -> ... t_q t_k")  # 1. score
    scores = scores / math.sqrt(query.shape[-1])  # 2. scale
    if bias is not None:
        scores = scores + bias
    if may_attend is not None:
        scores = scores.masked_fill(~may_attend, -math.inf)  # 3. mask: exp(-inf) = 0
    weights = softmax(_refuse_empty_rows(scores), dim=-1)  # 3. softmax over the keys
    output = einsum(weights, value, "... t_q t_k, ... t_k d_v -> ... t_q d_v")  # 4. mix
    return output, weights


def attend_one_by_one(queries: Sequence[Vector], keys: Sequence[Vector], values: Sequence[Vector]) -> list[list[float]]:
    """Attention in plain Python, one query at a time, after the pseudo-code of Leo Dirac's talk "LSTM is dead" (2019).

    Returns one output per query: the first result of ``scaled_dot_product_attention``, without batch and mask.

    Raises:
        ValueError: a query and a key differ in length, there are no keys, or not one value per key.
    """
    outputs = []
    for query in queries:
        scores = [dot(query, key) / math.sqrt(len(query)) for key in keys]
        largest = max(scores)
        exponents = [math.exp(score - largest) for score in scores]
        weights = [exponent / sum(exponents) for exponent in exponents]
        output = [0.0] * len(values[0])
        for weight, value in zip(weights, values, strict=True):
            output = [total + weight * entry for total, entry in zip(output, value, strict=True)]
        outputs.append(output)
    return outputs


def dot(first: Vector, second: Vector) -> float | int:
    """Multiply entry by entry, then add up.  Raises ValueError when the lengths differ."""
    return sum(a * b for a, b in zip(first, second, strict=True))


class AdditiveAttention(nn.Module):
    """score = vᵀ tanh(W q + U k): a small network scores a pair (Bahdanau et al. 2015, appendix A.1.2).

    There query = s, the decoder's state, and key = value = h, the encoder's annotations.  No biases, as in the paper.
    Queries and keys may differ in size, and no √d_k is needed: tanh keeps every term between -1 and 1.
    """

    def __init__(self, d_query: int, d_key: int, d_hidden: int):
        super().__init__()
        self.query_projection = nn.Linear(d_query, d_hidden, bias=False)  # W
        self.key_projection = nn.Linear(d_key, d_hidden, bias=False)  # U
        self.score = nn.Linear(d_hidden, 1, bias=False)  # v

    def forward(
        self,
        query: Float[Tensor, "*b t_q d_query"],
        key: Float[Tensor, "*b t_k d_key"],
        value: Float[Tensor, "*b t_k d_v"],
        may_attend: Bool[Tensor, "*#b #t_q #t_k"] | None = None,
    ) -> tuple[Float[Tensor, "*b t_q d_v"], Float[Tensor, "*b t_q t_k"]]:
        """The mix of the values and its weights; arguments and errors as in ``scaled_dot_product_attention``."""
        sizes = self.query_projection.in_features, self.key_projection.in_features
        _check_inputs(query, key, value, may_attend, sizes=sizes)
        asked = rearrange(self.query_projection(query), "... t_q d_hidden -> ... t_q 1 d_hidden")
        offered = rearrange(self.key_projection(key), "... t_k d_hidden -> ... 1 t_k d_hidden")
        scores = rearrange(self.score(torch.tanh(asked + offered)), "... t_q t_k 1 -> ... t_q t_k")
        if may_attend is not None:
            scores = scores.masked_fill(~may_attend, -math.inf)
        weights = softmax(_refuse_empty_rows(scores), dim=-1)
        return einsum(weights, value, "... t_q t_k, ... t_k d_v -> ... t_q d_v"), weights


def softmax_gradient(weights: Float[Tensor, "*b t_k"]) -> Float[Tensor, "*b t_k t_k"]:
    """Jacobian of softmax, diag(w) - w wᵀ: entry (i, j) is the slope of share i with respect to score j.

    Rows and columns add up to 0: what one share gains, the others lose.  It is all zero once one share is 1.
    """
    return torch.diag_embed(weights) - einsum(weights, weights, "... i, ... j -> ... i j")


def attention_gradients(
    query: Float[Tensor, "*b t_q d_k"],
    key: Float[Tensor, "*b t_k d_k"],
    value: Float[Tensor, "*b t_k d_v"],
    grad_output: Float[Tensor, "*b t_q d_v"],
    may_attend: Bool[Tensor, "*#b #t_q #t_k"] | None = None,
) -> tuple[Float[Tensor, "*b t_q d_k"], Float[Tensor, "*b t_k d_k"], Float[Tensor, "*b t_k d_v"]]:
    """What autograd computes for ``scaled_dot_product_attention``, derived by hand: the four steps, backwards.

    ``grad_output`` is the gradient of a loss with respect to the output.  Returns the gradients with respect to query,
    key and value.  A blocked pair has weight 0 and so passes nothing back.  Errors as in the forward function.
    Source: the chain rule; the same steps in Dao et al. (2022), appendix B.2.
    """
    _, weights = scaled_dot_product_attention(query, key, value, may_attend)
    grad_value = einsum(weights, grad_output, "... t_q t_k, ... t_q d_v -> ... t_k d_v")  # 4. mix
    grad_weights = einsum(grad_output, value, "... t_q d_v, ... t_k d_v -> ... t_q t_k")
    average = (weights * grad_weights).sum(-1, keepdim=True)
    grad_scores = weights * (grad_weights - average)  # 3. softmax: (diag(w) - w wᵀ) times grad_weights, row by row
    grad_scores = grad_scores / math.sqrt(query.shape[-1])  # 2. scale
    grad_query = einsum(grad_scores, key, "... t_q t_k, ... t_k d_k -> ... t_q d_k")  # 1. score
    grad_key = einsum(grad_scores, query, "... t_q t_k, ... t_q d_k -> ... t_k d_k")
    return grad_query, grad_key, grad_value


def _check_inputs(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    may_attend: Tensor | None,
    bias: Tensor | None = None,
    sizes: tuple[int, int] | None = None,
) -> None:
    """Refuse what does not fit together; ``sizes`` are those of a query and a key, by default one and the same d_k."""
    _check_dtypes({"query": query, "key": key, "value": value, "bias": bias}, may_attend)
    shapes = f"query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ValueError(f"expected at least two axes, (..., tokens, features), got {shapes}")
    if not query.shape[:-2] == key.shape[:-2] == value.shape[:-2]:
        raise ValueError(f"expected the same leading axes everywhere, got {shapes}")
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"expected one value per key, got {key.shape[-2]} keys and {value.shape[-2]} values: {shapes}")
    given = query.shape[-1], key.shape[-1]
    if given != (sizes or (given[1], given[1])):
        raise ValueError(f"expected d_k of query and key to be {sizes or 'equal'}, got {given}: {shapes}")
    scores = (*query.shape[:-1], key.shape[-2])
    for name, tensor in {"may_attend": may_attend, "bias": bias}.items():
        if tensor is not None and not _broadcasts(tuple(tensor.shape), scores):
            raise ValueError(f"expected {name} to broadcast to (..., t_q, t_k) = {scores}, got {tuple(tensor.shape)}")


def _check_dtypes(tensors: dict[str, Tensor | None], may_attend: Tensor | None) -> None:
    given = {name: getattr(tensor, "dtype", type(tensor)) for name, tensor in tensors.items() if tensor is not None}
    dtype = given["query"]
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point or set(given.values()) != {dtype}:
        raise TypeError(f"expected tensors of one floating-point dtype, got {given}")
    if may_attend is not None and getattr(may_attend, "dtype", None) != torch.bool:
        mask = getattr(may_attend, "dtype", type(may_attend))
        raise TypeError(f"expected may_attend to be a boolean tensor, True = may attend, got {mask}")


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    fits = all(size in (1, wanted) for size, wanted in zip(shape[::-1], target[::-1], strict=False))
    return 2 <= len(shape) <= len(target) and fits


def _refuse_empty_rows(scores: Tensor) -> Tensor:
    """Pass the scores on, unless a query has nothing but -inf: softmax would answer NaN."""
    empty = (scores == -math.inf).all(-1).nonzero()
    if len(empty):
        *batch, row = empty[0].tolist()
        where = f"row {row}" + (f" of batch index {tuple(batch)}" if batch else "")
        raise ValueError(f"query {where} may attend to no key; expected at least one (rows like this: {len(empty)})")
    return scores


@runtime_checkable
class Recorder(Protocol):
    """Where a model writes down what happens inside; ``qkv.inspection.trace.Trace`` is one."""

    def __setitem__(self, name: str, tensor: Tensor) -> None: ...

    def within(self, name: str) -> "Recorder":
        """The same recorder; what is written through it gets ``name.`` in front."""
        ...


@dataclass
class KeyValueCache:
    """Keys and values of one attention that are already projected, (b, h, t, d_k): a decoder step adds one, not t."""

    key: Tensor | None = None
    value: Tensor | None = None

    def __len__(self) -> int:
        return 0 if self.key is None else self.key.shape[-2]

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Put new keys and values behind those there are; returns all."""
        self.key = key if self.key is None else torch.cat([self.key, key], dim=-2)
        self.value = value if self.value is None else torch.cat([self.value, value], dim=-2)
        return self.key, self.value

    def select(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order; beam search goes on with its best ones, some of them twice."""
        if self.key is not None and self.value is not None:
            self.key, self.value = self.key[rows], self.value[rows]


class MultiHeadAttention(nn.Module):
    """head_i = attention(Q W_i^Q, K W_i^K, V W_i^V);  output = concat(head_1 … head_h) W^O  (Vaswani et al., 3.2.2).

    Every head has its own softmax over d_k = d_model / num_heads entries.  Projections have biases, as in
    ``nn.MultiheadAttention``, whose ``in_proj_weight`` is query, key and value on top of each other.

    Args:
        dropout: share of attention weights set to 0 in training (the rest grows by 1 / (1 - dropout)).

    Raises:
        ValueError: d_model is no multiple of num_heads.
    """

    def __init__(self, d_model: int, num_heads: int, dropout: float = 0.0):
        super().__init__()
        if num_heads < 1 or d_model % num_heads:
            raise ValueError(f"expected d_model to be a multiple of num_heads, got {d_model} and {num_heads}")
        self.num_heads, self.dropout = num_heads, dropout
        self.query, self.key, self.value, self.output = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(
        self,
        query: Float[Tensor, "*b t_q d_model"],
        key: Float[Tensor, "*b t_k d_model"] | None = None,
        value: Float[Tensor, "*b t_k d_model"] | None = None,
        may_attend: Bool[Tensor, "*#b #t_q #t_k"] | None = None,
        *,
        bias: Float[Tensor, "*#b #h #t_q #t_k"] | None = None,
        head_gate: Float[Tensor, "*#b h"] | None = None,
        cache: KeyValueCache | None = None,
        trace: Recorder | None = None,
    ) -> Float[Tensor, "*b t_q d_model"]:
        """What each query gathers.  A query that may attend to nothing gathers 0, before the output projection.

        Args:
            key: by default the query (self-attention).  value: by default the key.
            may_attend: True = may look; it has no axis for the heads, which is put in here.
            bias: added to the scaled scores, one layer per head (ALiBi differs from head to head).
            head_gate: factor on what each head hands on; 0 silences a head, its gradient says what the head is worth.
            cache: self-attention adds the new keys and values to it and reads all; cross-attention fills it once.
            trace: receives "weights" (b, h, t_q, t_k) and "heads" (b, h, t_q, d_k).
        """
        if query.shape[-1] != self.query.in_features:
            raise ValueError(f"expected queries of size d_model = {self.query.in_features}, got {tuple(query.shape)}")
        if may_attend is not None:
            may_attend = rearrange(may_attend, "... t_q t_k -> ... 1 t_q t_k")
        asked = split_heads(self.query(query), self.num_heads)
        keys, values = self._keys_and_values(query, key, value, cache)
        if trace is None:
            heads = self._fused(asked, keys, values, may_attend, bias)
        else:
            heads = self._step_by_step(asked, keys, values, may_attend, bias, trace)
        if head_gate is not None:
            heads = heads * rearrange(head_gate, "... h -> ... h 1 1")
        return self.output(merge_heads(heads))

    def _keys_and_values(
        self, query: Tensor, key: Tensor | None, value: Tensor | None, cache: KeyValueCache | None
    ) -> tuple[Tensor, Tensor]:
        if key is not None and cache is not None and cache.key is not None and cache.value is not None:
            return cache.key, cache.value
        key = query if key is None else key
        value = key if value is None else value
        keys, values = split_heads(self.key(key), self.num_heads), split_heads(self.value(value), self.num_heads)
        return (keys, values) if cache is None else cache.append(keys, values)

    def _fused(
        self, query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor | None, bias: Tensor | None
    ) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        if bias is None and may_attend is not None and _is_causal(may_attend):  # half of the scores need not be made
            return functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        mask = may_attend if bias is None else bias
        if may_attend is not None and bias is not None:
            mask = bias.masked_fill(~may_attend, -math.inf)
        return functional.scaled_dot_product_attention(query, key, value, mask, dropout_p=dropout)

    def _step_by_step(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        may_attend: Tensor | None,
        bias: Tensor | None,
        trace: Recorder,
    ) -> Tensor:
        scores = einsum(query, key, "... t_q d_k, ... t_k d_k -> ... t_q t_k") / math.sqrt(query.shape[-1])
        if bias is not None:
            scores = scores + bias
        if may_attend is None:
            weights = softmax(scores)
        else:
            weights = softmax(scores.masked_fill(~may_attend, -math.inf)).masked_fill(~may_attend, 0.0)
        weights = functional.dropout(weights, self.dropout, self.training)
        heads = einsum(weights, value, "... t_q t_k, ... t_k d_k -> ... t_q d_k")
        trace["weights"], trace["heads"] = weights, heads
        return heads


def attend_head_by_head(
    attention: MultiHeadAttention,
    query: Float[Tensor, "*b t_q d_model"],
    key: Float[Tensor, "*b t_k d_model"],
    value: Float[Tensor, "*b t_k d_model"],
    may_attend: Bool[Tensor, "*#b #t_q #t_k"] | None = None,
) -> Float[Tensor, "*b t_q d_model"]:
    """What ``attention(query, key, value, may_attend)`` computes, without dropout, one head at a time.

    Head i works with rows i · d_k … (i + 1) · d_k - 1 of the three input projections.  A query that may attend to
    nothing is an error here, as in ``scaled_dot_product_attention``.
    """
    heads = []
    for rows in torch.arange(query.shape[-1]).chunk(attention.num_heads):
        own_query, own_key, own_value = (
            functional.linear(x, projection.weight[rows], projection.bias[rows])
            for x, projection in ((query, attention.query), (key, attention.key), (value, attention.value))
        )
        heads.append(scaled_dot_product_attention(own_query, own_key, own_value, may_attend)[0])
    return attention.output(torch.cat(heads, dim=-1))


class GroupedQueryAttention(nn.Module):
    """Several query heads share one key and one value head, so a decoder's cache shrinks by num_heads / num_kv_heads.

    With as many of both it is multi-head attention, with one key and value head multi-query attention.  Query heads
    0 … g - 1 share the first, the next g the second, and so on.  Self-attention without biases and dropout, as in
    Llama.  Source: Ainslie et al. (2023), section 2.2.

    Args:
        positions: what turns queries and keys, (tensor, first position) → tensor: ``qkv.nn.positions.RotaryPositions``.

    Raises:
        ValueError: d_model is no multiple of num_heads, or num_heads none of num_kv_heads.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        num_kv_heads: int,
        positions: Callable[[Tensor, int], Tensor] | None = None,
    ):
        super().__init__()
        if num_heads < 1 or d_model % num_heads:
            raise ValueError(f"expected d_model to be a multiple of num_heads, got {d_model} and {num_heads}")
        if num_kv_heads < 1 or num_heads % num_kv_heads:
            raise ValueError(f"expected num_heads to be a multiple of num_kv_heads, got {num_heads} and {num_kv_heads}")
        self.num_heads, self.num_kv_heads, self.positions = num_heads, num_kv_heads, positions
        d_shared = d_model // num_heads * num_kv_heads
        self.query, self.output = (nn.Linear(d_model, d_model, bias=False) for _ in range(2))
        self.key, self.value = (nn.Linear(d_model, d_shared, bias=False) for _ in range(2))

    def forward(
        self,
        x: Float[Tensor, "*b t d_model"],
        may_attend: Bool[Tensor, "*#b #t t_k"] | None = None,
        *,
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "*b t d_model"]:
        """What each token gathers; with a cache, from the tokens before ``x`` as well (t_k of them in all)."""
        query = split_heads(self.query(x), self.num_heads)
        key, value = (split_heads(project(x), self.num_kv_heads) for project in (self.key, self.value))
        if self.positions is not None:
            start = 0 if cache is None else len(cache)
            turned = self.positions(torch.cat([query, key], dim=-3), start)  # all heads at once: half of the calls
            query, key = turned.split([self.num_heads, self.num_kv_heads], dim=-3)
        if cache is not None:
            key, value = cache.append(key, value)
        mask = None if may_attend is None else rearrange(may_attend, "... t_q t_k -> ... 1 t_q t_k")
        heads = functional.scaled_dot_product_attention(query, key, value, mask, enable_gqa=True)
        return self.output(merge_heads(heads))


def split_heads(x: Float[Tensor, "*b t d_model"], num_heads: int) -> Float[Tensor, "*b h t d_k"]:
    """d_model entries → h heads of d_k neighbouring entries each.  (2, 5, 12), 3 heads → (2, 3, 5, 4)."""
    return rearrange(x, "... t (h d_k) -> ... h t d_k", h=num_heads)


def merge_heads(heads: Float[Tensor, "*b h t d_k"]) -> Float[Tensor, "*b t d_model"]:
    """The heads side by side again: undoes ``split_heads``.  (2, 3, 5, 4) → (2, 5, 12)."""
    return rearrange(heads, "... h t d_k -> ... t (h d_k)")


def _is_causal(may_attend: Tensor) -> bool:
    """Whether the mask, one for the whole batch, is that of ``qkv.nn.masks.causal``."""
    t_q, t_k = may_attend.shape[-2:]
    if t_q != t_k or may_attend.numel() != t_q * t_k:
        return False
    return torch.equal(may_attend.reshape(t_q, t_k), causal(t_q).to(may_attend.device))
