"""Right answers to the exercises of chapter 02, at least two beside the solution of each."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def scores_by_einsum(query, key, d_model):
    return torch.einsum("...qd,...kd->...qk", query, key) * query.size(-1) ** -0.5


def scores_by_scaled_query(query: Tensor, key: Tensor, d_model: int) -> Tensor:
    return (query / math.sqrt(key.shape[-1])) @ key.mT


def one_query_by_differences(query, keys, values):
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) * len(query) ** -0.5 for key in keys]
    shares = []
    for score in scores:
        gaps = [other - score for other in scores]
        shares.append(0.0 if max(gaps) > 700 else 1 / sum(map(math.exp, gaps)))
    return tuple(sum(s * v[i] for s, v in zip(shares, values, strict=True)) for i in range(len(values[0])))


def one_query_by_a_loop(q, k, v):
    best, total, mixed = -math.inf, 0.0, [0.0] * len(v[0])
    for key, value in zip(k, v, strict=True):
        score = sum(map(lambda a, b: a * b, q, key)) / len(q) ** 0.5
        new = max(best, score)
        old, mine = math.exp(best - new), math.exp(score - new)
        total = total * old + mine
        mixed = [m * old + mine * x for m, x in zip(mixed, value, strict=True)]
        best = new
    return [m / total for m in mixed]


def attention_with_where(query, key, value, may_attend=None):
    scores = torch.einsum("...qd,...kd->...qk", query * query.shape[-1] ** -0.5, key)
    if may_attend is not None:
        if (~may_attend).all(-1).any():
            raise ValueError(f"query {(~may_attend).all(-1).nonzero()[0].tolist()} reads nothing")
        scores = torch.where(may_attend, scores, torch.finfo(scores.dtype).min)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


def attention_by_library(query, key, value, may_attend=None):
    if may_attend is not None and not may_attend.any(dim=-1).all():
        raise ValueError(may_attend.any(dim=-1).tolist().index(False))
    return F.scaled_dot_product_attention(query, key, value, attn_mask=may_attend)


def chunks_by_logsumexp(query, chunks):
    log_total, output = torch.tensor(-math.inf), torch.tensor(0.0)
    for key, value, may_attend in chunks:
        key, value = key[may_attend], value[may_attend]
        if len(key):
            scores = key @ query / len(query) ** 0.5
            new = torch.logaddexp(log_total, scores.logsumexp(0))
            output = output * (log_total - new).exp() + (scores - new).exp() @ value
            log_total = new
    return output


def chunks_one_by_one(query, chunks):
    best, total, mixed = -math.inf, 0.0, 0.0
    for key, value, may_attend in chunks:
        for k, v, readable in zip(key, value, may_attend, strict=True):
            if readable:
                score = float(k @ query) / math.sqrt(len(query))
                new = max(best, score)
                total = total * math.exp(best - new) + math.exp(score - new)
                mixed = mixed * math.exp(best - new) + v * math.exp(score - new)
                best = new
    return mixed / total


def dropped_by_where(scores, value, keep, rate, training):
    weights = scores.softmax(-1)
    return torch.where(keep, weights / (1 - rate), 0.0) @ value if training else weights @ value


def dropped_afterwards(scores, value, keep, rate, training):
    weights = torch.softmax(scores, dim=1)
    return (weights * keep) @ value * (1 / (1 - rate)) if training else torch.mm(weights, value)


def causal_by_positions(scores):
    t_q, t_k = scores.shape[-2:]
    asked = torch.arange(t_k - t_q, t_k, device=scores.device)
    return torch.arange(t_k, device=scores.device) <= asked[:, None]


def causal_from_scores(scores):
    mask = torch.ones_like(scores[(0,) * (scores.ndim - 2)], dtype=torch.bool)
    return mask.tril(mask.shape[1] - mask.shape[0])


def heads_by_expand(may_attend, num_heads):
    return may_attend[:, None].expand(-1, num_heads, -1, -1).reshape(-1, *may_attend.shape[1:])


def heads_by_stack(may_attend, num_heads):
    return torch.stack([mask for mask in may_attend for _ in range(num_heads)])


OTHER_WAYS = {
    "attention.predict_softmax": [
        {"softmax(102, 101, 100)": "b", "softmax(4, 2, 0)": "c", "reason": "a"},
        {"reason": " A ", "softmax(4, 2, 0)": "C", "softmax(102, 101, 100)": "B"},
    ],
    "attention.order_the_steps": ["b d a f", ["B", "D", "A", "F"]],
    "attention.fill_the_scores": [scores_by_einsum, scores_by_scaled_query],
    "attention.one_query": [one_query_by_differences, one_query_by_a_loop],
    "attention.find_the_query": [
        {"query": (-14, 14, 0, -3.5), "can reach (12, 0)": "A"},
        {"query": [0, 200, 0, 0], "can reach (12, 0)": "a"},
    ],
    "attention.predict_causal_rows": [
        {"cat": "b", "mat": "d", "reason": "c"},
        {"reason": "C", "mat": " D", "cat": "B"},
    ],
    "attention.scaled_dot_product_attention": [attention_with_where, attention_by_library],
    "attention.find_the_leak": [
        {"version": "b", "line": "3", "input": "a", "fix": "a"},
        {"fix": "A", "input": "A ", "line": " 3", "version": "B"},
    ],
    "attention.which_sentence": [
        {"slope": "b", "evidence": "b", "accuracy": "c"},
        {"accuracy": "C", "evidence": "B", "slope": " B"},
    ],
    "attention.in_chunks": [chunks_by_logsumexp, chunks_one_by_one],
    "attention.dropout": [dropped_by_where, dropped_afterwards],
    "attention.causal_mask": [causal_by_positions, causal_from_scores],
    "attention.mask_for_heads": [heads_by_expand, heads_by_stack],
}
