"""Which word is missing?  The course's small BERT reads a text with gaps and names the likeliest pieces for each.

$ python -m qkv fill "He went [MASK] of the house."
out 0.703  down 0.035  back 0.034  up 0.025  on 0.020
"""

import torch
from jaxtyping import Float
from torch import Tensor

from qkv import assets
from qkv.models.bert import BERTForPreTraining
from qkv.text.wordpiece import CLS, MASK, SEP, WordPiece


class UnfillableTextError(assets.QkvError, ValueError):
    """A text has no gap, or is longer than the model reads."""


def chances(model: BERTForPreTraining, pieces: WordPiece, text: str) -> Float[Tensor, "gaps v"]:
    """Of every piece for each ``[MASK]``, in the order of the text; each gap is read with all others open.

    Raises:
        UnfillableTextError: no ``[MASK]`` in the text, or more pieces than the model has places, less two.
    """
    ids, most = pieces.encode(text), model.bert.config.max_length - 2
    if pieces.ids[MASK] not in ids:
        raise UnfillableTextError(f"expected a text with {MASK} where a word is missing, got {text[:60]!r}")
    if len(ids) > most:
        raise UnfillableTextError(f"expected a text of at most {most} pieces, got {text[:60]!r}: {len(ids)}")
    row = torch.tensor([pieces.ids[CLS], *ids, pieces.ids[SEP]])
    with torch.no_grad():
        hidden = model.bert(row[None])[0, row == pieces.ids[MASK]]
        return model.piece_scores(hidden).softmax(-1)


def fill(model: BERTForPreTraining, pieces: WordPiece, text: str, count: int = 5) -> list[list[tuple[str, float]]]:
    """For each gap the likeliest pieces with their chances, best first.  Raises as ``chances``."""
    best = chances(model, pieces, text).topk(count)
    return [
        [(pieces.vocabulary[i], chance) for i, chance in zip(ids, row, strict=True)]
        for ids, row in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def main(text: str) -> None:
    """Name the words that may be missing where a text has [MASK], one line for each gap.

    A small BERT of this course learned it from three million words, most of them more than a hundred years old.  It is
    often wrong, and it knows few facts.  A piece that begins with ## goes on inside a word.

    Args:
        text: in quotation marks, with [MASK] for each missing word.
    """
    torch.set_num_threads(1)
    model, pieces = BERTForPreTraining.from_pretrained("bert"), WordPiece.from_pretrained("bert")
    for gap in fill(model, pieces, text):
        print("  ".join(f"{piece} {chance:.3f}" for piece, chance in gap))
