"""Right answers to the exercises of chapter 03, at least two beside the solution of each."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from einops import einsum, rearrange, repeat


def rows_cut_by_counting(rows, num_heads):
    size, rest = divmod(len(rows[0]), num_heads)
    if rest:
        raise ValueError(f"cannot cut {len(rows[0])} entries into {num_heads} heads")
    heads = [[[] for _ in rows] for _ in range(num_heads)]
    for t, row in enumerate(rows):
        for place, entry in enumerate(row):
            heads[place // size][t].append(entry)
    return heads


def rows_cut_by_zip(rows, num_heads):
    if len(rows[0]) % num_heads != 0:
        raise ValueError("d_model and num_heads do not fit", len(rows[0]), num_heads)
    size = len(rows[0]) // num_heads
    pieces = [[row[start : start + size] for start in range(0, len(row), size)] for row in rows]
    return [list(head) for head in zip(*pieces, strict=True)]


def silence_in_place_of_joining(x, gate):
    return x * gate.repeat_interleave(x.shape[-1] // len(gate))


def silence_by_other_letters(x, gate):
    parts = rearrange(x, "s w (n p) -> s n w p", n=len(gate))
    return rearrange(parts * gate.view(-1, 1, 1), "s n w p -> s w (n p)")


def split_by_einops(x, num_heads):
    if x.shape[-1] % num_heads:
        raise ValueError(f"{x.shape[-1]} % {num_heads} != 0")
    return rearrange(x, "b t (h d) -> b h t d", h=num_heads)


def split_by_chunks(x, num_heads):
    if num_heads * (x.size(2) // num_heads) != x.size(2):
        raise ValueError(f"d_model {x.size(2)}, num_heads {num_heads}")
    return torch.stack(x.chunk(num_heads, dim=-1), dim=1)


def merge_by_einops(x):
    return rearrange(x, "b h t d -> b t (h d)")


def merge_by_cat(x):
    return torch.cat(list(x.unbind(1)), dim=-1)


def one_query_head_by_head(query, keys, values, num_heads):
    def attend(q, ks, vs):
        scores = [sum(a * b for a, b in zip(q, k, strict=True)) / len(q) ** 0.5 for k in ks]
        exponents = [math.exp(score - max(scores)) for score in scores]
        return [sum(e * v[i] for e, v in zip(exponents, vs, strict=True)) / sum(exponents) for i in range(len(vs[0]))]

    cut = [rows_cut_by_zip(rows, num_heads) for rows in ([query], keys, values)]
    return [entry for (q,), ks, vs in zip(*cut, strict=True) for entry in attend(q, ks, vs)]


def one_query_by_differences(query, keys, values, num_heads):
    d_k, out = len(query) // num_heads, []
    d_v = len(values[0]) // num_heads
    for h in range(num_heads):
        part = range(h * d_k, h * d_k + d_k)
        scores = [sum(query[i] * key[i] for i in part) * d_k**-0.5 for key in keys]
        shares = [1 / sum(math.exp(min(other - score, 700)) for other in scores) for score in scores]
        out += [sum(s * v[h * d_v + i] for s, v in zip(shares, values, strict=True)) for i in range(d_v)]
    return tuple(out)


def heads_by_library(x, w_query, w_key, w_value, w_output, num_heads, may_attend=None):
    query, key, value = (split_by_chunks(x @ w, num_heads) for w in (w_query, w_key, w_value))
    mask = None if may_attend is None else may_attend.unsqueeze(1)
    return merge_by_cat(F.scaled_dot_product_attention(query, key, value, attn_mask=mask)) @ w_output


def heads_one_by_one(x, w_query, w_key, w_value, w_output, num_heads, may_attend=None):
    """The sum over heads of head_i times its rows of W_O."""
    d_k, output = x.shape[-1] // num_heads, 0.0
    for start in range(0, x.shape[-1], d_k):
        own = slice(start, start + d_k)
        scores = (x @ w_query[:, own]) @ (x @ w_key[:, own]).mT / d_k**0.5
        if may_attend is not None:
            scores = torch.where(may_attend, scores, -1e30)
        output = output + scores.softmax(-1) @ (x @ w_value[:, own]) @ w_output[own]
    return output


def heads_by_einsum(x, w_query, w_key, w_value, w_output, num_heads, may_attend=None):
    query, key, value = (
        einsum(x, rearrange(w, "m (h d) -> h m d", h=num_heads), "b t m, h m d -> b h t d")
        for w in (w_query, w_key, w_value)
    )
    scores = einsum(query, key, "b h q d, b h k d -> b h q k") * query.shape[-1] ** -0.5
    if may_attend is not None:
        scores = scores.masked_fill(~repeat(may_attend, "b q k -> b h q k", h=num_heads), float("-inf"))
    found = einsum(scores.softmax(-1), value, "b h q k, b h k d -> b q h d")
    return found.flatten(2) @ w_output


def unpacked_by_chunks(fused, num_heads):
    return torch.stack([split_by_chunks(part, num_heads) for part in fused.chunk(3, dim=-1)])


def unpacked_by_einops(fused, num_heads):
    return rearrange(fused, "b t (three h d) -> three b h t d", three=3, h=num_heads)


def offsets_by_diagonals(weights, offsets):
    table = torch.tensor(weights)
    return [table.diagonal(offset).mean().item() for offset in offsets]


def offsets_by_counting(weights, offsets):
    found = []
    for offset in offsets:
        total = count = 0
        for i, row in enumerate(weights):
            for j, share in enumerate(row):
                if j - i == offset:
                    total, count = total + share, count + 1
        found.append(total / count)
    return tuple(found)


def silenced_by_a_gate(heads, w_output, bias, removed):
    gate = torch.ones(heads.shape[1])
    gate[removed] = 0
    return merge_by_einops(heads * gate[:, None, None]) @ w_output + bias


def silenced_by_leaving_out(heads, w_output, bias, removed):
    rows = rearrange(w_output, "(h d) m -> h d m", h=heads.shape[1])
    kept = [i for i in range(heads.shape[1]) if i != removed]
    return sum(heads[:, i] @ rows[i] for i in kept) + bias


def folded_by_unfolding(query, key, value, may_attend, num_heads):
    query, key, value = (rearrange(x, "(h b) t d -> b h t d", h=num_heads) for x in (query, key, value))
    return merge_by_cat(F.scaled_dot_product_attention(query, key, value, attn_mask=may_attend[:, None]))


def folded_one_by_one(query, key, value, may_attend, num_heads):
    sentences = len(may_attend)
    rows = [[] for _ in range(sentences)]
    for place in range(len(query)):
        scores = query[place] @ key[place].T / query.shape[-1] ** 0.5
        weights = scores.masked_fill(~may_attend[place % sentences], -torch.inf).softmax(-1)
        rows[place % sentences].append(weights @ value[place])
    return torch.stack([torch.cat(parts, -1) for parts in rows])


def grouped_by_library(query, key, value):
    if query.shape[1] % key.shape[1]:
        raise ValueError(query.shape[1], key.shape[1])
    return F.scaled_dot_product_attention(query, key, value, enable_gqa=True)


def grouped_without_a_copy(query, key, value):
    heads, groups = query.shape[1], key.shape[1]
    if heads % groups != 0:
        raise ValueError(f"num_heads = {heads} must be divisible by num_kv_heads = {groups}")
    asked = rearrange(query, "b (g n) t d -> b g n t d", g=groups)
    scores = einsum(asked, key, "b g n q d, b g k d -> b g n q k") / query.shape[-1] ** 0.5
    return rearrange(einsum(scores.softmax(-1), value, "b g n q k, b g k d -> b g n q d"), "b g n q d -> b (g n) q d")


OTHER_WAYS = {
    "multi_head.predict_shapes": [
        {"queries": "b", "shares": "c", "parameters": "b"},
        {"parameters": " B", "shares": "C ", "queries": "B"},
    ],
    "multi_head.order_the_steps": ["d b f c", ["D", "B", "F", "C"]],
    "multi_head.split_rows": [rows_cut_by_counting, rows_cut_by_zip],
    "multi_head.fill_the_patterns": [silence_in_place_of_joining, silence_by_other_letters],
    "multi_head.split_heads": [split_by_einops, split_by_chunks],
    "multi_head.merge_heads": [merge_by_einops, merge_by_cat],
    "multi_head.one_query": [one_query_head_by_head, one_query_by_differences],
    "multi_head.find_the_mix": [
        {"version": "c", "sentences": "a", "words": "b", "fix": "a"},
        {"fix": "A", "words": " B", "sentences": "A ", "version": "C"},
    ],
    "multi_head.multi_head_attention": [heads_by_library, heads_one_by_one, heads_by_einsum],
    "multi_head.unpack": [unpacked_by_chunks, unpacked_by_einops],
    "multi_head.review_with_heads": [
        {"softmax": "d", "divisor": "b", "mask": "b", "when": "a"},
        {"when": "A", "mask": " B", "divisor": "B ", "softmax": "D"},
    ],
    "multi_head.shares_at_offsets": [offsets_by_diagonals, offsets_by_counting],
    "multi_head.which_heads_learn": [
        {"version": "b", "count": "b", "probe": "b", "fix": "a"},
        {"fix": "A", "probe": " B", "count": "B ", "version": "B"},
    ],
    "multi_head.without_head": [silenced_by_a_gate, silenced_by_leaving_out],
    "multi_head.which_sentence": [
        {"by chance": "b", "at least one": "b", "sentence": "c", "next": "a"},
        {"next": "A", "sentence": " C", "at least one": "B ", "by chance": "B"},
    ],
    "multi_head.attend_folded": [folded_by_unfolding, folded_one_by_one],
    "multi_head.grouped_attention": [grouped_by_library, grouped_without_a_copy],
}
