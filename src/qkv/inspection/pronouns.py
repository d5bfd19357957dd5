"""Does a head's row *it* follow the meaning?  Forty sentence pairs, and rules to score heads by.

In each pair two sentences differ by one word, and that word decides which of two nouns *it* stands for:
"The cat left the mat because it was hungry | wet."  A rule that looks only at positions ("the nearest noun") is right
in exactly one sentence of each pair, so a pair counts only when both sentences come out right.

The functions take tensors of attention weights and know nothing of any model.  The sentences are ours; which noun is
meant is our own judgement as readers of English.
"""

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class PronounPair:
    """A sentence with a gap ``{}``, its two nouns, and for each noun the word that makes *it* mean that noun."""

    template: str
    first: str
    second: str
    first_word: str
    second_word: str

    @property
    def sentences(self) -> tuple[str, str]:
        """The sentence in which *it* is the first noun, and the one in which *it* is the second."""
        return self.template.format(self.first_word), self.template.format(self.second_word)


# Written before any model was run on them.  The even ones (0, 2, …) choose a head, the odd ones count its hits.
PAIRS: Final = [
    PronounPair("The cat left the mat because it was {}.", "cat", "mat", "hungry", "wet"),
    PronounPair("The dog left the house because it was {}.", "dog", "house", "bored", "burning"),
    PronounPair("The horse refused the apple because it was {}.", "horse", "apple", "ill", "rotten"),
    PronounPair("The bird left the branch because it was {}.", "bird", "branch", "scared", "broken"),
    PronounPair("The wolf left the cave because it was {}.", "wolf", "cave", "hungry", "dark"),
    PronounPair("The fish avoided the hook because it was {}.", "fish", "hook", "clever", "sharp"),
    PronounPair("The bear entered the tent because it was {}.", "bear", "tent", "curious", "open"),
    PronounPair("The truck could not cross the bridge because it was too {}.", "truck", "bridge", "heavy", "weak"),
    PronounPair("The car passed the school because it was {}.", "car", "school", "fast", "closed"),
    PronounPair("The bed did not pass the door because it was too {}.", "bed", "door", "wide", "narrow"),
    PronounPair("The knife could not cut the bread because it was too {}.", "knife", "bread", "blunt", "hard"),
    PronounPair("The stone broke the window because it was {}.", "stone", "window", "heavy", "thin"),
    PronounPair("The ball broke the vase because it was {}.", "ball", "vase", "hard", "fragile"),
    PronounPair("The storm destroyed the hut because it was {}.", "storm", "hut", "violent", "weak"),
    PronounPair("The coat hid the shirt because it was {}.", "coat", "shirt", "long", "short"),
    PronounPair("The lamp lit the room because it was {}.", "lamp", "room", "bright", "dark"),
    PronounPair("The fire reached the barn because it was {}.", "fire", "barn", "spreading", "wooden"),
    PronounPair("The lion chased the deer because it was {}.", "lion", "deer", "hungry", "slow"),
    PronounPair("The spider caught the fly because it was {}.", "spider", "fly", "patient", "careless"),
    PronounPair("The eagle dropped the turtle because it was {}.", "eagle", "turtle", "tired", "heavy"),
    PronounPair("The cow ate the grass because it was {}.", "cow", "grass", "hungry", "fresh"),
    PronounPair("The goat avoided the hill because it was {}.", "goat", "hill", "lazy", "steep"),
    PronounPair("The duck crossed the pond because it was {}.", "duck", "pond", "brave", "frozen"),
    PronounPair("The bee chose the flower because it was {}.", "bee", "flower", "thirsty", "red"),
    PronounPair("The ship avoided the harbor because it was {}.", "ship", "harbor", "huge", "shallow"),
    PronounPair("The robot dropped the egg because it was {}.", "robot", "egg", "clumsy", "slippery"),
    PronounPair("The computer rejected the password because it was {}.", "computer", "password", "strict", "wrong"),
    PronounPair("The magnet moved the nail because it was {}.", "magnet", "nail", "powerful", "light"),
    PronounPair("The axe split the log because it was {}.", "axe", "log", "sharp", "dry"),
    PronounPair("The towel covered the table because it was {}.", "towel", "table", "large", "small"),
    PronounPair("The boat could not pass the bridge because it was too {}.", "boat", "bridge", "tall", "low"),
    PronounPair("The soap cleaned the shirt because it was {}.", "soap", "shirt", "strong", "dirty"),
    PronounPair("The wind moved the boat because it was {}.", "wind", "boat", "strong", "light"),
    PronounPair("The camera missed the bird because it was {}.", "camera", "bird", "slow", "quick"),
    PronounPair("The ice cooled the drink because it was {}.", "ice", "drink", "cold", "warm"),
    PronounPair("The book filled the shelf because it was {}.", "book", "shelf", "thick", "narrow"),
    PronounPair("The elephant broke the chair because it was {}.", "elephant", "chair", "heavy", "wooden"),
    PronounPair("The monkey opened the box because it was {}.", "monkey", "box", "curious", "unlocked"),
    PronounPair("The fox avoided the trap because it was {}.", "fox", "trap", "careful", "visible"),
    PronounPair("The frog left the pond because it was {}.", "frog", "pond", "restless", "dry"),
]


def gaps(
    attention: Float[Tensor, "layers heads t t"], pronoun: int, first: int, second: int
) -> Float[Tensor, "layers heads"]:
    """For each head, the weight that row ``pronoun`` gives to the first noun minus what it gives to the second.

    The three integers are positions in the sentence, counted from 0.

    Raises:
        ValueError: a position lies outside the sentence, or two of them are the same.
    """
    length = attention.shape[-1]
    positions = pronoun, first, second
    if len(set(positions)) < 3 or not all(0 <= position < length for position in positions):
        raise ValueError(f"gaps: expected three different positions from 0 to {length - 1}, got {positions}")
    row = attention[:, :, pronoun]
    return row[..., first] - row[..., second]


def follows_meaning(gaps: Float[Tensor, "*n 2 layers heads"]) -> Bool[Tensor, "*n layers heads"]:
    """Pair right: more weight to the first noun where *it* is the first, more to the second where it is the second."""
    meant_first, meant_second = gaps.unbind(-3)
    return (meant_first > 0) & (meant_second < 0)


def best_head(right: Bool[Tensor, "n layers heads"]) -> tuple[int, int]:
    """Layer and head that are right in most pairs; of several equal ones, the first."""
    layer, head = divmod(int(right.sum(0).flatten().argmax()), right.shape[-1])
    return layer, head


def best_by_luck(
    gaps: Float[Tensor, "n 2 layers heads"], num_draws: int, generator: torch.Generator
) -> Int[Tensor, " num_draws"]:
    """How many pairs the best head gets right when the meaning is shuffled away.

    Each draw tosses a coin for every pair and, on heads, swaps its two sentences, as if "hungry" had meant the mat.
    That keeps every habit of every head and breaks only the link to the meaning; the best count is then taken over
    all heads, as it is in the real search.  (A permutation test with the maximum as its statistic: Westfall and
    Young 1993.)
    """
    right, swapped = follows_meaning(gaps).flatten(1), follows_meaning(gaps.flip(-3)).flatten(1)
    coins = torch.randint(2, (num_draws, len(gaps), 1), generator=generator, dtype=torch.bool)
    return torch.where(coins, swapped, right).sum(1).amax(-1)
