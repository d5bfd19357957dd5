"""BERT's second question: does text B really follow text A?  Pairs, half of them torn apart, and their batches.

Devlin et al. (2019, section 3.1 and appendix A.2): A and B are runs of whole sentences, together as long as fits.  In
half of the pairs B is what came next in the document, in the other half it is from another document.  One toss of a
coin decides that, before anything else is drawn.

Three things are simpler than in the published code.  There a text that ends after one sentence always gets a false B,
so that more than half of the pairs are false; here A is always a sentence that another one follows.  There one pair in
ten is made shorter on purpose.  And there a text is walked through from its begin; here each pair begins at a sentence
drawn at random, so that the batch of any step can be made alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

import torch
from jaxtyping import Integer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from qkv.data.masking import mask_tokens
from qkv.text.wordpiece import CLS, MASK, PAD, SEP, SPECIAL, WordPiece
from qkv.text.words import sentences

Ids = list[int]
NUM_MARKS = 3  # [CLS] A [SEP] B [SEP]


@dataclass(frozen=True)
class Passage:
    """Sentences that follow each other in a document, each as ids without special tokens."""

    document: str
    sentences: Sequence[Ids]


@dataclass(frozen=True)
class SentencePair:
    """Text A, text B, and whether B came next."""

    first: Ids
    second: Ids
    follows: bool


@dataclass(frozen=True)
class PairBatch:
    """What a model reads and what it has to tell, padded on the right.

    ``labels`` are those of ``mask_tokens``; ``not_next`` is 0 where B follows A and 1 where it does not, the entry of
    ``BERTForPreTraining``'s second answer.
    """

    ids: Integer[Tensor, "b t"]
    segments: Integer[Tensor, "b t"]
    lengths: Integer[Tensor, " b"]
    labels: Integer[Tensor, "b t"]
    not_next: Integer[Tensor, " b"]


def passages_of(rows: Iterable[Mapping[str, str]], pieces: WordPiece) -> list[Passage]:
    """Rows with ``text`` and ``book``, such as those of ``load("gutenberg")``: a document is a whole book."""
    return [
        Passage(row["book"], [ids for sentence in sentences(row["text"]) if (ids := pieces.encode(" ".join(sentence)))])
        for row in rows
    ]


class PairBatches:
    """The batch of any step, computed from seed and step alone: other pairs and other gaps each time.

    A pair begins at any sentence that another one follows in its passage, all equally likely.

    Args:
        max_length: of a pair with its three marks.

    Raises:
        ValueError: such sentences in fewer than two documents, a batch size below 1, or no room for a token on both
            sides.
    """

    def __init__(self, passages: Sequence[Passage], pieces: WordPiece, batch_size: int, max_length: int, seed: int = 0):
        if batch_size < 1 or max_length < NUM_MARKS + 2:
            raise ValueError(f"expected batch_size >= 1 and max_length >= 5, got {batch_size} and {max_length}")
        self.places = [(each, i) for each in passages for i in range(len(each.sentences) - 1)]
        if len(documents := {passage.document for passage, _ in self.places}) < 2:
            raise ValueError(f"expected neighbouring sentences in at least two documents, got {sorted(documents)}")
        self.pieces, self.batch_size, self.max_length, self.seed = pieces, batch_size, max_length, seed

    def __getitem__(self, step: int) -> PairBatch:
        """The batch of step 0, 1, …, without end."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        return collate([self.pair(generator) for _ in range(self.batch_size)], self.pieces, generator)

    def pair(self, generator: torch.Generator) -> SentencePair:
        """Two texts of at least one sentence each, cut to fit."""
        follows, room = _below(2, generator) == 0, self.max_length - NUM_MARKS
        passage, start = self._place(generator)
        both = until_full(passage.sentences[start:], room, fewest=2)
        middle = 1 + _below(len(both) - 1, generator)
        first, second = both[:middle], both[middle:]
        if not follows:
            other, before = self._place(generator)
            while other.document == passage.document:
                other, before = self._place(generator)
            second = until_full(other.sentences[before + 1 :], room - sum(map(len, first)), fewest=1)
        return SentencePair(*shortened([*chain(*first)], [*chain(*second)], room, generator), follows)

    def _place(self, generator: torch.Generator) -> tuple[Passage, int]:
        return self.places[_below(len(self.places), generator)]


def until_full(following: Sequence[Ids], room: int, fewest: int) -> list[Ids]:
    """The first sentences until they have ``room`` tokens, the last may reach beyond; at least ``fewest`` of them."""
    lengths = accumulate(map(len, following))
    needed = next((i for i, length in enumerate(lengths, start=1) if length >= room), len(following))
    return list(following[: max(needed, fewest)])


def shortened(first: Ids, second: Ids, room: int, generator: torch.Generator) -> tuple[Ids, Ids]:
    """Tokens are taken from the longer text, from B if both are equally long; a coin says from its front or its end.

    So no text loses everything, and none is always cut at the same side.
    """
    texts = list(first), list(second)
    while sum(map(len, texts)) > room:
        longer = texts[0] if len(texts[0]) > len(texts[1]) else texts[1]
        del longer[-_below(2, generator)]  # 0 is the front, -1 the end
    return texts


def collate(pairs: Sequence[SentencePair], pieces: WordPiece, generator: torch.Generator) -> PairBatch:
    """[CLS] A [SEP] B [SEP] with gaps; segment 0 reaches to the first [SEP], and stands in the padding too."""
    cls, sep, pad_id = (pieces.ids[token] for token in (CLS, SEP, PAD))
    rows = [torch.tensor([cls, *pair.first, sep, *pair.second, sep]) for pair in pairs]
    segments = [torch.arange(len(row)) > len(pair.first) + 1 for row, pair in zip(rows, pairs, strict=True)]
    ids = pad_sequence(rows, batch_first=True, padding_value=pad_id)
    special = [pieces.ids[token] for token in SPECIAL]
    is_special = torch.isin(ids, torch.tensor(special))
    masked, labels = mask_tokens(ids, is_special, pieces.ids[MASK], len(pieces), generator, special)
    return PairBatch(
        ids=masked,
        segments=pad_sequence(segments, batch_first=True).long(),
        lengths=torch.tensor([len(row) for row in rows]),
        labels=labels,
        not_next=torch.tensor([int(not pair.follows) for pair in pairs]),
    )


def _below(limit: int, generator: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=generator))
