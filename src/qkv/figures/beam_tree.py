"""What the figure "pronouncer" shows of one word: what beam search kept and dropped, and where each sound looked.

The page computes the same in JavaScript, from the exported model; here the library's own search is watched at work.
"""

from functools import cache
from typing import Any, Final

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from qkv.decoding.search import Cached, Hypothesis, Limits, NextToken, beam
from qkv.inspection.trace import Trace
from qkv.models.transformer import Transformer
from qkv.nn.attention import KeyValueCache
from qkv.text.sounds import END, START, letter_ids

BEAM_SIZE: Final = 4
NUM_DROPPED: Final = 2
# The first English word of the test split, by the alphabet, that beam search gets right and greedy search gets wrong
# from its first sound on.
OPENING: Final = "adherence"
LONGEST: Final = 40  # letters, and sounds: the model's ``max_length``

Beginning = tuple[int, ...]


class Watched:
    """A ``NextToken`` that keeps what it was asked and what it answered; the beginnings, by their total log P."""

    def __init__(self, next_token: NextToken):
        self.next_token = next_token
        self.open: list[list[Beginning]] = []  # after 0, 1, 2, … sounds, best first
        self.totals: dict[Beginning, float] = {(START,): 0.0}

    def __call__(self, ids: Integer[Tensor, "b t"]) -> Float[Tensor, "b v"]:
        """See ``NextToken``."""
        scores = self.next_token(ids).log_softmax(-1)
        self.open.append(list(dict.fromkeys(tuple(row) for row in ids.tolist())))
        for row, following in zip(ids.tolist(), scores.tolist(), strict=True):
            before = self.totals[tuple(row)]
            self.totals.update({(*row, i): before + log_probability for i, log_probability in enumerate(following)})
        return scores

    def select(self, rows: Integer[Tensor, " k"]) -> None:
        """See ``NextToken``."""
        self.next_token.select(rows)

    def dropped(self, step: int) -> list[Beginning]:
        """The best beginnings of ``step`` sounds that were not kept."""
        parents, kept = set(self.open[step - 1]), set(self.open[step])
        others = [ids for ids in self.totals if ids[:-1] in parents and ids[-1] != END and ids not in kept]
        return sorted(others, key=lambda ids: -self.totals[ids])[:NUM_DROPPED]


def search_tree(model: Transformer, spelling: str, beam_size: int = BEAM_SIZE) -> dict[str, Any]:
    """Beam search on one word, step by step.

    Returns:
        ``steps``: per sound, what was "kept" and the best of what was "dropped", as ``ids`` so far and their ``total``
        log probability in nats; ``found``: whole pronunciations with their total, end included, and ``looks``, the
        cross-attention (sounds and end, letters) of the last layer, mean over heads.  Best first everywhere.

    Raises:
        UnreadableWordError: the word is empty or holds anything but a–z and apostrophe.
    """
    source = torch.tensor([letter_ids(spelling)])
    with torch.no_grad():
        memory = model.encode(source)

    def logits(ids: Tensor, rows: Tensor, cache: dict[str, KeyValueCache]) -> Tensor:
        return model.decode(ids, memory[rows], source[rows], cache=cache)

    watched = Watched(Cached(logits, 1))
    limits = Limits(START, END, model.config.max_length)
    found = beam(watched, 1, limits, beam_size=beam_size, alpha=0.0)[0]
    steps = [
        {"kept": _described(watched, kept), "dropped": _described(watched, watched.dropped(n))}
        for n, kept in enumerate(watched.open)
        if n > 0
    ]
    return {"steps": steps, "found": [_whole(model, source, one) for one in found]}


@cache
def opening() -> dict[str, Any]:
    """The tree of the opening word, by the committed model."""
    return search_tree(Transformer.from_pretrained("g2p"), OPENING)


def _described(watched: Watched, beginnings: list[Beginning]) -> list[dict[str, Any]]:
    return [{"ids": list(ids[1:]), "total": watched.totals[ids]} for ids in beginnings]


def _whole(model: Transformer, source: Tensor, found: Hypothesis) -> dict[str, Any]:
    trace = Trace()
    with torch.no_grad():
        model(source, torch.tensor([[START, *found.ids]]), trace=trace)
    weights = trace[f"decoder{len(model.decoder) - 1}.cross_attention.weights"][0].mean(0)
    return {"ids": found.ids, "total": found.log_probability, "looks": weights.tolist()}
