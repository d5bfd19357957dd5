"""What the figure "mix" shows: *bank* in ten sentences, as the three layers of our ELMo see it.

Shapes: n sentences, d2 = 2 d entries of a layer's vector.
"""

from functools import cache
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.models.elmo import ELMo
from qkv.text.words import BEGIN, END, spell, tokens

WORD: Final = "bank"
TIE: Final = 1e-4  # cosines that differ by less count as equal
SENTENCES: Final = {  # the sense → five sentences; the first two of each are examples of WordNet, the others are ours
    "money": (
        "he cashed a check at the bank",
        "that bank holds the mortgage on my home",
        "she took her money to the bank",
        "the bank paid him a hundred pounds",
        "he owed the bank a large sum",
    ),
    "river": (
        "they pulled the canoe up on the bank",
        "he sat on the bank of the river and watched the currents",
        "the boat lay close to the bank",
        "trees grew along the bank of the stream",
        "we walked down the bank to the water",
    ),
}


def sentences() -> list[tuple[str, str]]:
    """(sense, sentence), the money ones first."""
    return [(sense, sentence) for sense, each in SENTENCES.items() for sentence in each]


@cache
def layers() -> Float[Tensor, "layers n d2"]:
    """The vectors of *bank*, in float64: the token layer, then the LSTM layers."""
    model = ELMo.from_pretrained("elmo")
    words = [[BEGIN, *tokens(sentence), END] for _, sentence in sentences()]
    with torch.no_grad():
        read = model(torch.tensor(spell(words)), torch.tensor([len(each) for each in words]))
    places = torch.tensor([each.index(WORD) for each in words])
    return read[:, torch.arange(len(words)), places].double()


def plane(vectors: Float[Tensor, "layers n d2"]) -> Float[Tensor, "layers n 2"]:
    """Each vector less the mean of its layer, on the two axes along which the LSTM layers spread most (PCA).

    Both LSTM layers count alike when the axes are found, whatever their size.  The axes are the same for every mix, so
    a point of a mix is the mix of its points.
    """
    centred = vectors - vectors.mean(1, keepdim=True)
    sizes = centred[1:].square().mean((1, 2), keepdim=True).sqrt()
    axes = torch.linalg.svd((centred[1:] / sizes).flatten(0, 1), full_matrices=False).Vh[:2]
    sign = axes.gather(1, axes.abs().argmax(1, keepdim=True)).sign()  # which way an axis points is a convention
    return centred @ (axes * sign).T


def products(vectors: Float[Tensor, "layers n d2"]) -> Float[Tensor, "rows rows"]:
    """Dot products of all vectors with each other, layer by layer, divided by their mean square.

    From them the page has the cosines of any mix, in all entries and not in the plane alone.
    """
    rows = vectors.flatten(0, 1)
    return rows @ rows.T / rows.square().sum(-1).mean()


def nearest(vectors: Float[Tensor, "layers n d2"], shares: list[float]) -> list[int]:
    """For each sentence the other one whose *bank* has the largest cosine, under these shares; of equals the first."""
    mixed = torch.einsum("j,jtd->td", torch.tensor(shares, dtype=vectors.dtype), vectors)
    mixed = mixed / mixed.norm(dim=-1, keepdim=True)
    cosines = (mixed @ mixed.T).fill_diagonal_(-2.0)
    near_enough = cosines >= cosines.amax(-1, keepdim=True) - TIE
    return near_enough.int().argmax(-1).tolist()


def same_sense(vectors: Float[Tensor, "layers n d2"], shares: list[float]) -> int:
    """For how many sentences the nearest other one has the same sense."""
    senses = [sense for sense, _ in sentences()]
    return sum(senses[i] == senses[j] for i, j in enumerate(nearest(vectors, shares)))
