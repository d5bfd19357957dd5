"""What the pronunciation model has to beat: a table of letters in context, and a recurrent network from a package.

The table is the plain one: learning words are aligned letter by letter, then each letter says what it said most often
between the same neighbours.  The network is an encoder–decoder of two GRU cells without attention; its weights come
from an installed package.  **It was trained on the dictionary that we test on**, so its score is kinder than ours.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from qkv import assets
from qkv.text.sounds import LETTERS, SOUNDS, without_stress

Chunk = tuple[str, ...]  # the sounds of one letter: none, one or two
MOST_SOUNDS: Final = 2  # of one letter: the x of "box" is K S
MOST_NEIGHBOURS: Final = 4  # on each side
EDGE: Final = "#"


class LetterToSound:
    """Each letter says what it said most often between the same neighbours; the widest context seen decides.

    Contexts of 4 letters on each side come first, then 3, 2, 1, 0: back-off, as in Daelemans & van den Bosch (1996).

    Args:
        pairs: spellings with their sounds.  A word with more than two sounds per letter is left out.
    """

    def __init__(self, pairs: Sequence[tuple[str, Chunk]], num_rounds: int = 4):
        heard: dict[str, Counter[Chunk]] = defaultdict(Counter)
        for spelling, chunks in aligned(pairs, num_rounds):
            for context, chunk in zip(contexts(spelling), chunks, strict=True):
                for each in context:
                    heard[each][chunk] += 1
        self.table = {context: counts.most_common(1)[0][0] for context, counts in heard.items()}

    def pronounce(self, spelling: str) -> Chunk:
        """The sounds of all letters in a row; a letter that no learning word has is silent."""
        widest = (next(filter(self.table.__contains__, context), "") for context in contexts(spelling))
        return tuple(sound for context in widest for sound in self.table.get(context, ()))


def contexts(spelling: str) -> Iterator[list[str]]:
    """For each letter its contexts, widest first, each with its number of neighbours: ``1:cat`` for the a of "cat"."""
    edge = EDGE * MOST_NEIGHBOURS
    padded = f"{edge}{spelling}{edge}"
    for i in range(MOST_NEIGHBOURS, MOST_NEIGHBOURS + len(spelling)):
        yield [f"{n}:{padded[i - n : i + n + 1]}" for n in range(MOST_NEIGHBOURS, -1, -1)]


def aligned(pairs: Sequence[tuple[str, Chunk]], num_rounds: int) -> Iterator[tuple[str, list[Chunk]]]:
    """Each letter's share of the sounds, by the alignment that its letters make most probable (Viterbi training).

    In the first round a letter costs 0 for one sound and 1 for none or two; then costs are −ln of how often the letter
    was given the chunk, plus one so that what was never seen stays possible.
    """
    costs: dict[str, dict[Chunk, float]] = {}
    default: list[float] = [1.0, 0.0, 1.0]
    for round_number in range(num_rounds):
        found = [(s, chunks) for s, sounds in pairs if (chunks := best_chunks(s, sounds, costs, default)) is not None]
        if round_number == num_rounds - 1:
            yield from found
        counts: dict[str, Counter[Chunk]] = defaultdict(Counter)
        for spelling, chunks in found:
            for letter, chunk in zip(spelling, chunks, strict=True):
                counts[letter][chunk] += 1
        costs = {
            letter: {chunk: -float(np.log((n + 1) / (total.total() + 1))) for chunk, n in total.items()}
            for letter, total in counts.items()
        }
        default = [float(np.log(len(found) + 1))] * 3


def best_chunks(
    spelling: str, sounds: Chunk, costs: dict[str, dict[Chunk, float]], default: Sequence[float]
) -> list[Chunk] | None:
    """The cheapest way to deal the sounds to the letters in order; None where two a letter are not enough.

    ``default`` is the cost of a chunk of 0, 1 or 2 sounds that a letter has no cost for.
    """
    best: dict[int, tuple[float, list[Chunk]]] = {0: (0.0, [])}  # sounds dealt → cost, chunks
    for letter in spelling:
        known, reached = costs.get(letter, {}), dict[int, tuple[float, list[Chunk]]]()
        for dealt, (cost, chunks) in best.items():
            for size in range(min(MOST_SOUNDS, len(sounds) - dealt) + 1):
                chunk = sounds[dealt : dealt + size]
                total = cost + known.get(chunk, default[size])
                if total < reached.get(dealt + size, (np.inf,))[0]:
                    reached[dealt + size] = (total, [*chunks, chunk])
        best = reached
    return best[len(sounds)][1] if len(sounds) in best else None


class PackagedGRU(nn.Module):
    """The recurrent encoder–decoder of the package: 834,890 numbers, hidden states of 256, greedy, at most 20 sounds.

    Letters it does not know, the apostrophe among them, are one unknown symbol.
    """

    LETTER_SYMBOLS: Final = ("<pad>", "<unk>", "</s>", *LETTERS[1:])
    VOWELS: Final = tuple(sound for sound in SOUNDS if sound[0] in "AEIOU")

    def __init__(self) -> None:
        super().__init__()
        arrays = np.load(assets.path("g2p-gru"))
        self.letters, self.sounds = (_embedding(arrays[f"{side}_emb"]) for side in ("enc", "dec"))
        self.reader, self.writer = (_cell(arrays, side) for side in ("enc", "dec"))
        self.scores = nn.Linear(256, len(arrays["fc_b"]))
        self.scores.load_state_dict({"weight": torch.tensor(arrays["fc_w"]), "bias": torch.tensor(arrays["fc_b"])})
        self.symbols = ("<pad>", "<unk>", "<s>", "</s>", *self._stressed())

    @torch.no_grad()
    def pronounce(self, spelling: str) -> Chunk:
        """Its sounds, with stress taken away."""
        state = torch.zeros(1, 256)
        for letter in (*spelling, "</s>"):
            known = letter if letter in self.LETTER_SYMBOLS else "<unk>"
            state = self.reader(self.letters(torch.tensor([self.LETTER_SYMBOLS.index(known)])), state)
        return without_stress(" ".join(self._write(state)))

    def _write(self, state: Tensor) -> Iterable[str]:
        symbol = self.symbols.index("<s>")
        for _ in range(20):
            state = self.writer(self.sounds(torch.tensor([symbol])), state)
            symbol = int(self.scores(state).argmax())
            if self.symbols[symbol] == "</s>":
                return
            yield self.symbols[symbol]

    def _stressed(self) -> Iterator[str]:
        """Vowels with stress 0, 1 and 2, and a UW without, as the checkpoint orders them."""
        for sound in SOUNDS:
            if sound == "UW" or sound not in self.VOWELS:
                yield sound
            if sound in self.VOWELS:
                yield from (f"{sound}{stress}" for stress in range(3))


def _embedding(array: np.ndarray) -> nn.Embedding:
    return nn.Embedding.from_pretrained(torch.tensor(array))


def _cell(arrays: np.lib.npyio.NpzFile, side: str) -> nn.GRUCell:
    """The package stores reset, update and new gate in torch's order."""
    cell = nn.GRUCell(arrays[f"{side}_emb"].shape[1], 256)
    names = {"weight_ih": "w_ih", "weight_hh": "w_hh", "bias_ih": "b_ih", "bias_hh": "b_hh"}
    cell.load_state_dict({ours: torch.tensor(arrays[f"{side}_{theirs}"]) for ours, theirs in names.items()})
    return cell
