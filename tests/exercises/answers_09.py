"""Right answers to the exercises of chapter 09, at least two beside the solution of each."""

import re
from itertools import accumulate, pairwise

import torch
from torch import nn

from qkv.data import masking
from qkv.text.wordpiece import cut
from qkv.transfer.bert_heads import best_span


def encode_by_library(word, vocabulary):
    return [vocabulary[piece] for piece in cut(word, vocabulary)]


def encode_by_recursion(word, vocabulary, mark=""):
    if not mark and len(word) > 100:
        return [vocabulary["[UNK]"]]
    for end in range(len(word), 0, -1):
        if mark + word[:end] in vocabulary:
            rest = encode_by_recursion(word[end:], vocabulary, "##") if end < len(word) else []
            if rest == [vocabulary["[UNK]"]]:
                return rest
            return [vocabulary[mark + word[:end]], *rest]
    return [vocabulary["[UNK]"]]


def score_by_counting(words, times, left, right):
    tokens = [piece for word, n in zip(words, times, strict=True) for piece in word * n]
    pairs = [pair for word, n in zip(words, times, strict=True) for pair in list(pairwise(word)) * n]
    return pairs.count((left, right)) / tokens.count(left) / tokens.count(right)


def score_by_loops(words, times, left, right):
    both = lefts = rights = 0
    for word, n in zip(words, times, strict=True):
        for i, piece in enumerate(word):
            lefts += n * (piece == left)
            rights += n * (piece == right)
            both += n * (word[i : i + 2] == [left, right])
    return both / (lefts * rights)


def merge_by_popping(ids, left, right, new):
    rest, merged = list(ids), []
    while rest:
        first = rest.pop(0)
        if first == left and rest[:1] == [right]:
            rest.pop(0)
            first = new
        merged.append(first)
    return tuple(merged)


def merge_by_looking_back(ids, left, right, new):
    merged, fresh = [], False
    for token in ids:
        if merged and not fresh and merged[-1] == left and token == right:
            merged[-1], fresh = new, True
        else:
            merged.append(token)
            fresh = False
    return merged


def gaps_by_comprehension(ids, choice, fate, drawn, special, mask_id):
    chosen = [u < 0.15 and not s for u, s in zip(choice, special, strict=True)]
    seen = [
        token if not c or v >= 0.9 else mask_id if v < 0.8 else other
        for token, c, v, other in zip(ids, chosen, fate, drawn, strict=True)
    ]
    return [seen, [token if c else -100 for token, c in zip(ids, chosen, strict=True)]]


def gaps_in_place(ids, choice, fate, drawn, special, mask_id):
    seen, labels = list(ids), [-100] * len(ids)
    for i in range(len(ids)):
        if special[i] or choice[i] >= 0.15:
            continue
        labels[i] = ids[i]
        if fate[i] < 0.9:
            seen[i] = drawn[i] if fate[i] >= 0.8 else mask_id
    return [seen, labels]


def segments_by_sums(ids, sep_id, pad_id):
    before = [0, *accumulate(token == sep_id for token in ids)]
    return [0 if token == pad_id else n for token, n in zip(ids, before, strict=False)]


def segments_by_index(ids, sep_id, pad_id):
    end = list(ids).index(sep_id)
    return [int(i > end and token != pad_id) for i, token in enumerate(ids)]


def words_by_memory(goes_on, draws):
    chosen, draw = [], None
    for inside, own in zip(goes_on, draws, strict=True):
        draw = draw if inside and draw is not None else own
        chosen.append(draw < 0.15)
    return chosen


def words_by_first(goes_on, draws):
    starts = [i for i, inside in enumerate(goes_on) if not inside or i == 0]
    return [draws[max(s for s in starts if s <= i)] < 0.15 for i in range(len(draws))]


def mask_by_library(ids, special_mask, mask_id, vocab_size, generator):
    return masking.mask_tokens(ids, special_mask, mask_id, vocab_size, generator)


def mask_by_rescaling(ids, special_mask, mask_id, vocab_size, generator):
    prob = torch.rand(ids.shape, generator=generator)
    chosen = (prob < 0.15) & ~special_mask
    prob = prob / 0.15
    labels = torch.where(chosen, ids, -100)
    masked = ids.clone()
    masked[chosen & (prob < 0.8)] = mask_id
    random = chosen & (prob >= 0.8) & (prob < 0.9)
    masked[random] = torch.randint(vocab_size, (int(random.sum()),), generator=generator)
    return masked, labels


def loss_by_library(scores, labels):
    return nn.functional.cross_entropy(scores.flatten(0, 1), labels.flatten(), ignore_index=-100)


def loss_by_logs(scores, labels):
    asked = labels != -100
    return -scores.log_softmax(-1)[asked].gather(1, labels[asked][:, None]).mean()


def scores_by_modules(hidden, weight, offset, tokens, bias):
    x = nn.functional.gelu(nn.functional.linear(hidden, weight, offset))
    return nn.functional.linear(nn.LayerNorm(x.shape[-1], dtype=x.dtype)(x), tokens, bias)


def scores_by_hand(hidden, weight, offset, tokens, bias):
    x = torch.einsum("...i,oi->...o", hidden, weight) + offset
    x = x * (1 + torch.erf(x / 2**0.5)) / 2
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() @ tokens.mT + bias


def labels_by_index(num_pieces, tags):
    labels = [-100] * (sum(num_pieces) + 2)
    for start, tag in zip(accumulate([1, *num_pieces[:-1]]), tags, strict=True):
        labels[start] = tag
    return labels


def labels_by_words(num_pieces, tags):
    return (-100, *(tag if k == 0 else -100 for n, tag in zip(num_pieces, tags, strict=True) for k in range(n)), -100)


def answer_by_library(first, last, may_answer, longest):
    scores = (torch.tensor([row]) for row in (first, last))
    return best_span(*scores, torch.tensor([may_answer]), longest)[0].tolist()


def answer_by_loops(first, last, may_answer, longest):
    best, found = float("-inf"), [0, 0]
    for i in range(len(first)):
        for j in range(i, min(i + longest, len(last))):
            if may_answer[i] and may_answer[j] and first[i] + last[j] > best:
                best, found = first[i] + last[j], [i, j]
    return tuple(found)


def decay_by_parts(names):
    def spared(name):
        *path, last = name.lower().split(".")
        return last in {"bias", "gamma", "beta"} or any("norm" in part for part in [*path, last])

    return [0 if spared(name) else 1 for name in names]


def decay_by_pattern(names):
    return [int(not re.search(r"norm|(^|\.)(bias|gamma|beta)$", name, re.IGNORECASE)) for name in names]


def pool_by_rows(hidden, lengths):
    return torch.stack([row[:n].mean(0) for row, n in zip(hidden, lengths.tolist(), strict=True)])


def pool_by_weights(hidden, lengths):
    real = (torch.arange(hidden.shape[1]) < lengths[:, None]).to(hidden)
    return torch.einsum("btd,bt->bd", hidden, real / real.sum(1, keepdim=True))


OTHER_WAYS = {
    "bert.predict_the_pieces": [{"replayed": "b", "playing": "c"}, {"playing": " C", "replayed": "B "}],
    "bert.order_the_batch": ["a b c d e f g", ["A", "B", "D", "C", "E", "F", "G"]],
    "bert.wordpiece_encode": [encode_by_library, encode_by_recursion],
    "bert.pair_score": [score_by_counting, score_by_loops],
    "bert.merge": [merge_by_popping, merge_by_looking_back],
    "bert.which_loop": [
        {"version": "a", "line": 7, "input": "a", "fix": "b"},
        {"fix": "B", "input": "A", "line": "7", "version": " A"},
    ],
    "bert.which_tally": [{"Q": "a", "R": "b", "S": "a"}, {"S": "A ", "R": "B", "Q": "A"}],
    "bert.make_gaps": [gaps_by_comprehension, gaps_in_place],
    "bert.segment_ids": [segments_by_sums, segments_by_index],
    "bert.next_or_not": [{"right": "b", "shows": "c", "later": "c"}, {"later": "C", "shows": "C", "right": " b"}],
    "bert.which_sentence": [{"books": "b", "tweets": "b"}, {"tweets": "B", "books": " B"}],
    "bert.again": [
        {"labels": "b", "mask": "b", "gaps": "b", "use": "b"},
        {"use": "B", "gaps": "B", "mask": "B", "labels": " b"},
    ],
    "bert.choose_words": [words_by_memory, words_by_first],
    "bert.mask_tokens": [mask_by_library, mask_by_rescaling],
    "bert.masked_loss": [loss_by_library, loss_by_logs],
    "bert.piece_scores": [scores_by_modules, scores_by_hand],
    "bert.predict_the_names": [{"f1": "c", "empty": "b"}, {"empty": "B ", "f1": "C"}],
    "bert.piece_labels": [labels_by_index, labels_by_words],
    "bert.best_answer": [answer_by_library, answer_by_loops],
    "bert.decaying": [decay_by_parts, decay_by_pattern],
    "bert.which_run": [{"Q": "a", "R": "b", "S": "b", "T": "a"}, {"T": "A", "S": "B", "R": " B", "Q": "A"}],
    "bert.which_probe": [{"training": "b", "layers": "c", "use": "b"}, {"use": "B", "layers": "C", "training": " b"}],
    "bert.mean_pool": [pool_by_rows, pool_by_weights],
}
