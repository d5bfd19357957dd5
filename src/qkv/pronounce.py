"""How does a word sound?  The course's trained Transformer reads its letters and writes its sounds.

$ python -m qkv pronounce attention
attention  AH T EH N SH AH N
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from qkv.decoding.search import Cached, Limits, beam
from qkv.models.transformer import Transformer
from qkv.nn.attention import KeyValueCache
from qkv.text.sounds import END, PAD, START, UnreadableWordError, letter_ids, symbols
from qkv.training.batches import pad


def pronounce(
    model: Transformer,
    spellings: Sequence[str],
    beam_size: int = 4,
    alpha: float = 0.0,
    head_gates: Mapping[str, Tensor] | None = None,
) -> list[tuple[str, ...]]:
    """The best pronunciation of each word that beam search finds; ``("cat",)`` → [("K", "AE", "T")].

    ``head_gates`` are handed to the model: factors on its heads, to see what it does without some.

    Raises:
        UnreadableWordError: a word is empty, too long for the model, or holds anything but a–z and apostrophe.
    """
    most = model.config.max_length
    for spelling in spellings:
        if len(spelling) > most:
            raise UnreadableWordError(f"expected words of at most {most} letters, got {spelling!r}: {len(spelling)}")
    source = pad([letter_ids(spelling) for spelling in spellings], PAD)
    with torch.no_grad():
        memory = model.encode(source, head_gates=head_gates)

    def logits(ids: Tensor, rows: Tensor, cache: dict[str, KeyValueCache]) -> Tensor:
        return model.decode(ids, memory[rows], source[rows], cache=cache, head_gates=head_gates)

    limits = Limits(START, END, most)
    found = beam(Cached(logits, len(spellings)), len(spellings), limits, beam_size=beam_size, alpha=alpha)
    return [symbols(best.ids) for best, *_ in found]


def main(words: list[str]) -> None:
    """Say how words sound, in the 39 sounds of ARPAbet.

    A small Transformer of this course learned it from the CMU Pronouncing Dictionary.  It is American English, without
    stress, and it errs: ``python -m qkv data`` and the page of results tell how often.

    Args:
        words: one or more, of the letters a–z and the apostrophe.
    """
    torch.set_num_threads(1)
    said = pronounce(Transformer.from_pretrained("g2p"), [word.lower() for word in words])
    width = max(map(len, words))
    for word, sounds in zip(words, said, strict=True):
        print(f"{word:<{width}}  {' '.join(sounds)}")
