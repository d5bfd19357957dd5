"""English into French, and old English into plain: the course's trained Transformers read tokens and write tokens.

$ python -m qkv translate "And Jesus himself was weeping."
"""

from collections.abc import Sequence
from typing import Final, Literal

import torch
from torch import Tensor

from qkv import assets
from qkv.decoding.search import Cached, Limits, beam
from qkv.models.transformer import Transformer
from qkv.nn.attention import KeyValueCache
from qkv.text.bpe import BPE
from qkv.training.batches import pad

Task = Literal["french", "basic"]  # what is written
SPECIAL: Final = ("<pad>", "<start>", "<end>")
PAD, START, END = range(3)
GROUP: Final = 64  # texts decoded together, neighbours in length


class UnreadableTextError(assets.QkvError, ValueError):
    """A text is empty or longer than the model reads."""


class UntrainedError(assets.QkvError, LookupError):
    """The weights are not there."""


def pretrained(task: Task) -> tuple[Transformer, BPE]:
    """The committed model for a task and the tokens it reads and writes.

    Raises:
        UntrainedError: its weights are not in the package.
        qkv.assets.DamagedAssetError: as ``qkv.assets.weights``.
    """
    try:
        return Transformer.from_pretrained(f"translation-{task}"), BPE.from_pretrained("translation")
    except assets.UnknownAssetError as error:
        raise UntrainedError(
            f"{error}. Train it with `python -m qkv run translation`, then `python -m qkv.recipes.translation` "
            "puts the weights in their place"
        ) from None


def translate(
    model: Transformer, tokenizer: BPE, texts: Sequence[str], beam_size: int = 4, alpha: float = 1.0
) -> list[str]:
    """The best translation of each text that beam search finds.

    Raises:
        UnreadableTextError: a text without tokens, or with more than the model's ``max_length``.
    """
    sources = [tokenizer.encode(text) for text in texts]
    most = model.config.max_length
    for text, source in zip(texts, sources, strict=True):
        if not 1 <= len(source) <= most:
            raise UnreadableTextError(f"expected a text of 1 to {most} tokens, got {text[:60]!r}: {len(source)}")
    order = sorted(range(len(texts)), key=lambda i: len(sources[i]))
    written: dict[int, list[int]] = {}
    for start in range(0, len(order), GROUP):
        group = order[start : start + GROUP]
        written |= zip(group, _write(model, [sources[i] for i in group], beam_size, alpha), strict=True)
    return [tokenizer.decode(written[i]) for i in range(len(texts))]


def _write(model: Transformer, sources: Sequence[Sequence[int]], beam_size: int, alpha: float) -> list[list[int]]:
    source = pad(sources, PAD)
    with torch.no_grad():
        memory = model.encode(source)

    def logits(ids: Tensor, rows: Tensor, cache: dict[str, KeyValueCache]) -> Tensor:
        return model.decode(ids, memory[rows], source[rows], cache=cache)

    limits = Limits(START, END, model.config.max_length)
    found = beam(Cached(logits, len(sources)), len(sources), limits, beam_size=beam_size, alpha=alpha)
    return [best.ids for best, *_ in found]


def main(text: str, simplify: bool = False) -> None:
    """Translate English into French, or, with --simplify, the English of 1611 into Basic English.

    Two small Transformers of this course learned it from Bible verses of at most 30 words and marks, and from nothing
    else.  Outside that book and that length they write something, but rarely a translation.

    Args:
        text: what to translate, in quotation marks.
        simplify: rewrite the English of the King James Version in Basic English instead.
    """
    torch.set_num_threads(1)
    model, tokenizer = pretrained("basic" if simplify else "french")
    print(translate(model, tokenizer, [text])[0])
