"""What do layers and heads know?  Two ways to ask, and what to hold beside each answer.

A **probe** is a linear map from frozen states to labels: what it gets right can be read off by a straight cut.  A high
score says that the states hold the label, not that the model uses it; and a probe with enough weights and labels learns
the task by itself.  So ask the same probe about a network of random weights (Hewitt and Liang 2019 go further).

A **head** points: for each word, which other word has most of its weight?  Clark et al. (2019, "What Does BERT Look
At?", section 4.2) count how often that is the word that a grammar has.  Beside it stands the best blind rule, "always k
words away".  Of many heads the best one is lucky, too: choose it on some sentences and count on others.

The grammar here is a rule over parts of speech, ``determiners`` and ``objects``: rough, and no treebank.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Integer
from torch import Tensor

Arc = tuple[int, int]  # a word, and the word that it should point to
BETWEEN = frozenset({"ADJ", "ADV", "NUM", "NOUN", "DET"})  # what may stand before the last noun of a phrase


def linear_probe(
    states: Float[Tensor, "n d"],
    labels: Integer[Tensor, " n"],
    new_states: Float[Tensor, "m d"],
    new_labels: Integer[Tensor, " m"],
    penalty: float = 10.0,
) -> float:
    """The share of new labels that a linear map of the states gets right; one score for each label, the highest wins.

    The map is the one of least squares against 1 for the right label and 0 for others: W = (XᵀX + λI)⁻¹ XᵀY.

    Args:
        states: brought to mean 0 and spread 1 first, entry by entry; a column of ones is added.
        penalty: λ.
    """
    mean, spread = states.mean(0), states.std(0) + 1e-6

    def scaled(rows: Tensor) -> Tensor:
        return torch.cat([(rows - mean) / spread, torch.ones(len(rows), 1)], dim=1).double()

    x, y = scaled(states), torch.nn.functional.one_hot(labels).double()
    weight = torch.linalg.solve(x.T @ x + penalty * torch.eye(x.shape[1], dtype=x.dtype), x.T @ y)
    return float(((scaled(new_states) @ weight).argmax(1) == new_labels).double().mean())


def between_words(weights: Float[Tensor, "*heads t t"], places: Sequence[int], end: int) -> Float[Tensor, "*heads n n"]:
    """From pieces to words: what is read of a word is the sum over its pieces, what it reads the mean of theirs.

    Source: Clark et al. (2019), section 4.1.

    Args:
        places: of the first piece of each word.
        end: one past the last piece of the last word; what stands outside, [CLS] and [SEP], is left out.

    Raises:
        ValueError: places that do not grow, or reach beyond ``end`` or the table.
    """
    bounds = [*places, end]
    if any(a >= b for a, b in pairwise(bounds)) or not 0 <= end <= weights.shape[-1]:
        raise ValueError(f"expected growing places up to {weights.shape[-1]}, got {bounds}")
    member = torch.zeros(len(places), weights.shape[-1], dtype=weights.dtype)  # (n, t)
    for word, (a, b) in enumerate(pairwise(bounds)):
        member[word, a:b] = 1
    return member / member.sum(-1, keepdim=True) @ weights @ member.T


def pointing(weights: Sequence[Float[Tensor, "layers heads _ _"]], arcs: Sequence[Sequence[Arc]]) -> Tensor:
    """(layers, heads): the share of arcs whose first word reads most of the second, itself left out.

    Raises:
        ValueError: no arcs, or not one list of arcs for each sentence.
    """
    hits, total = torch.zeros(()), 0
    for table, listed in zip(weights, arcs, strict=True):
        size = table.shape[-1]
        most = table.masked_fill(torch.eye(size, dtype=torch.bool), -1).argmax(-1)  # (layers, heads, n)
        for word, target in listed:
            hits = hits + (most[..., word] == target)
        total += len(listed)
    if not total:
        raise ValueError("expected at least one arc, got none")
    return hits / total


def best_offset(arcs: Sequence[Sequence[Arc]]) -> tuple[int, float]:
    """The distance that fits most arcs, and its share: the best that a rule can do that sees no words.

    Raises:
        ValueError: no arcs.
    """
    distances = [target - word for listed in arcs for word, target in listed]
    if not distances:
        raise ValueError("expected at least one arc, got none")
    best = max(sorted(set(distances)), key=distances.count)
    return best, distances.count(best) / len(distances)


def determiners(tags: Sequence[str]) -> list[Arc]:
    """Each determiner and the noun of its phrase: the last noun of the run that follows.

    ``DET ADJ NOUN NOUN VERB`` → [(0, 3)]
    """
    return [(i, noun) for i, tag in enumerate(tags) if tag == "DET" for noun in _last_noun(tags, i + 1)]


def objects(tags: Sequence[str]) -> list[Arc]:
    """A noun and the verb whose object it is likely to be: the phrase that follows the verb at once.

    ``PRON VERB DET NOUN`` → [(3, 1)]
    """
    return [(noun, i) for i, tag in enumerate(tags) if tag == "VERB" for noun in _last_noun(tags, i + 1)]


def _last_noun(tags: Sequence[str], start: int) -> Iterator[int]:
    """The last noun of the run of phrase tags that begins here, if it has one; a run ends before a new determiner."""
    last = None
    for i in range(start, len(tags)):
        if tags[i] not in BETWEEN or (tags[i] == "DET" and last is not None):
            break
        last = i if tags[i] == "NOUN" else last
    if last is not None:
        yield last
