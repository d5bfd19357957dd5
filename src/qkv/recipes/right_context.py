"""Does a tagger need the words to its right?

Devlin et al. 2019, table 5 and section 5.1: a BERT that reads from left to right, without next sentence prediction,
falls from 87.9 to 77.8 F1 on SQuAD, "intuitively clear" where a token is to be labelled from what stands behind it; a
bidirectional LSTM on top, with weights that begin anew, brings 84.9.  Those models were pretrained, and the task is
another one.  Here is the kernel of it, with nothing pretrained: *not* SQuAD, and not a measure of pretraining.

Data: Brown's twelve coarse tags.  20,000 training sentences, drawn by seed, each met once; the first 25 words of each.
A word is cut into pieces (2,000, learnt from the training sentences) and tagged from the state of its last piece.
BERT takes the first; but left to right that state has not read the rest of the word, and the contrast would be one of
spelling.

Arms, one encoder from scratch with the same first weights, batches and steps, dropout apart:

- both ways: BERT;
- left to right: the same with a causal mask, in training and in testing, and nothing else changed;
- left to right and LSTM: the same with a bidirectional LSTM between encoder and tags, the paper's remedy.  Its weights
  come on top, a ninth of the encoder's, so what it brings may not be due to its direction alone.

How far a piece may look to a side grows in the first half of the run: 1 place, then 2, 4, 8, then the whole row; for
all arms alike (see ``bert_mlm``: attention is even at first, and the mean of a whole row tells next to nothing).

Each arm tries three peak rates with a further seed and keeps the one that is best on 539 validation sentences.  Tested:
all 6,310 test sentences, of other files.  Seeds change sentences, order, first weights and dropout.

Stated before the first run.  Primary contrast, paired by seed, in points: tags right, both ways minus left to right.
Secondary: the LSTM minus left to right, both ways minus the LSTM; and the primary contrast among two kinds of words.

- "right decides": by counting in the training sentences, the tag that the word has most often before its right
  neighbour is the true one, and the tag that it has most often behind its left neighbour is not.
- "left decides": the other way about.  There the difference is expected to be small.

Both pairs, (left neighbour, word) and (word, right neighbour), must have been met at least twice; capitals are ignored,
and the edge of a sentence is a neighbour, too.  Other words are not of a kind.

Command: python -m qkv run right-context.  About 30 minutes of one core.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain, pairwise
from typing import Any, Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from qkv.models.bert import BERT, BERTConfig
from qkv.nn.masks import causal, not_padding
from qkv.recipes.bert_mlm import reach_at, within
from qkv.recipes.protocol import Fact, Record, mean_effect, mean_quantity
from qkv.recipes.result import Result, Values
from qkv.recipes.transfer_systems import Item, Learner, Predict, piece_ids, predictions
from qkv.recipes.transfer_tasks import TASKS, TextExample, share_right
from qkv.recipes.tuned import OneTask, Trials, accuracies, ahead, best, trials
from qkv.scoring.intervals import paired_differences
from qkv.text.wordpiece import PAD, WordPiece, likelihood_gain
from qkv.text.words import BEGIN, END
from qkv.training.batches import pad
from qkv.training.fine_tuning import Shuffled, fine_tune
from qkv.training.schedules import slanted_triangular
from qkv.transfer.word_heads import at_places

CLAIM = "A small encoder names more parts of speech when it reads both ways than left to right."
PAPER = (
    "Devlin et al. 2019, table 5: reading left to right instead of both ways costs 10.1 points of F1 on SQuAD, where "
    "tokens are labelled; a BiLSTM on top brings back 7.1 of them."
)
CONTRAST = "tags right on test sentences, both ways minus left to right"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "left to right"
TOLERANCE = {"accuracy": 0.3}  # in %; other processors add in another order, and hundreds of steps make that grow

POS: Final = TASKS["POS"]
RATES: Final = (5e-4, 1e-3, 2e-3)
LEAST: Final = 2  # how often a pair of words must have been met
KINDS: Final = ("right decides", "left decides")
MODEL: Final = BERTConfig(2_000, 128, 4, 512, 3, max_length=128)


@dataclass(frozen=True)
class Config(OneTask):
    """The presets are "smoke" (seconds, for tests) and "full" (the published run).

    ``reaches`` says from which share of the run on a piece may look how many places to each side; None = all.
    """

    model: BERTConfig = MODEL
    reaches: tuple[tuple[float, int | None], ...] = ((0, 1), (0.2, 2), (0.3, 4), (0.4, 8), (0.5, None))


PRESETS: Final = {
    "smoke": Config(
        "POS", 12, 4, 4, max_words=6, num_validation=20, num_test=30, model=BERTConfig(300, 16, 2, 32, 2, max_length=32)
    ),
    "full": Config("POS", 20_000, 625, 32, max_words=25, num_test=6_310),
}


# Three taggers -------------------------------------------------------------------------------------------------------


class BothWays(Learner):
    """BERT, and a linear map over the state of each word's last piece."""

    def __init__(self, config: Config):
        super().__init__()
        self.reaches, self.reach = config.reaches, config.reaches[-1][1]
        self.pieces = pieces_of(config)
        self.bert, self.dropout = BERT(config.model), nn.Dropout(config.model.dropout)
        self.linear = nn.Linear(config.model.d_model, POS.num_classes)

    def encode(self, example: TextExample) -> Item:
        """[CLS] pieces [SEP], and where the last piece of each word is."""
        ids, first = piece_ids(self.pieces, example.words)
        last = [following - 1 for following in (*first[1:], len(ids) - 1)]
        return Item(ids, last, torch.tensor(example.labels))

    def before_step(self, step: int, num_steps: int) -> None:
        """A piece may look farther and farther; after the last step, as far as ``reaches`` ends."""
        self.reach = reach_at(step, [(round(share * num_steps), reach) for share, reach in self.reaches])

    def may_attend(self, lengths: Sequence[int], width: int) -> Bool[Tensor, "b t t"]:
        """True where a piece may look: no padding, and no farther than it has come; padding may look at itself."""
        return not_padding(lengths, width) & within(width, self.reach) | within(width, 0)

    def states(self, items: Sequence[Item]) -> Float[Tensor, "b t d"]:
        """What the encoder makes of the pieces."""
        lengths = [len(item.read) for item in items]
        ids = pad([item.read for item in items], self.pieces.ids[PAD])
        return self.bert(ids, may_attend=self.may_attend(lengths, ids.shape[1]))

    def forward(self, items: Sequence[Item]) -> Float[Tensor, "n c"]:
        """Scores of the words, sentence after sentence."""
        return at_places(self.linear(self.dropout(self.states(items))), [item.places for item in items])


class LeftToRight(BothWays):
    """The same, and no piece looks at what stands behind it."""

    def may_attend(self, lengths: Sequence[int], width: int) -> Bool[Tensor, "b t t"]:
        """True where a piece may look as before, and the other is not behind it."""
        return super().may_attend(lengths, width) & causal(width)


class LeftToRightAndLSTM(LeftToRight):
    """The same with a bidirectional LSTM over the encoder's states."""

    def __init__(self, config: Config):
        super().__init__(config)
        d = config.model.d_model
        self.lstm = nn.LSTM(d, d // 2, bidirectional=True, batch_first=True)

    def states(self, items: Sequence[Item]) -> Float[Tensor, "b t d"]:
        """What the LSTM makes of them; it does not read padding."""
        lengths = torch.tensor([len(item.read) for item in items])
        read = self.dropout(super().states(items))
        packed = pack_padded_sequence(read, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]


TAGGERS: Final[dict[str, type[BothWays]]] = {
    "both ways": BothWays,
    "left to right": LeftToRight,
    "left to right and LSTM": LeftToRightAndLSTM,
}
BOTH, LEFT, LSTM = TAGGERS


def pieces_of(config: Config) -> WordPiece:
    """The pieces of the training sentences, which know nothing of tags."""
    return _learnt(config.model.vocab_size, config.max_words, config.num_validation, config.num_test)


@cache
def _learnt(vocab_size: int, *sizes: int) -> WordPiece:
    train = OneTask("POS", max_words=sizes[0], num_validation=sizes[1], num_test=sizes[2]).data.train
    return WordPiece.train([" ".join(example.words) for example in train], vocab_size, likelihood_gain)


# Words that one neighbour decides ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Beside:
    """How often a word had which tag, by the pair that it makes with its left and with its right neighbour."""

    left: Mapping[tuple[str, str], Counter[int]]
    right: Mapping[tuple[str, str], Counter[int]]

    def kind(self, left: str, word: str, right: str, tag: int) -> str:
        """ "right decides", "left decides", or "" for all others."""
        by_left, by_right = _usual(self.left.get((left, word))), _usual(self.right.get((word, right)))
        if by_left is None or by_right is None or (by_left == tag) == (by_right == tag):
            return ""
        return KINDS[by_left == tag]


def counted(examples: Sequence[TextExample]) -> Beside:
    """Counts of tagged sentences."""
    left: dict[tuple[str, str], Counter[int]] = {}
    right: dict[tuple[str, str], Counter[int]] = {}
    for example in examples:
        pairs = list(pairwise(_edged(example.words)))
        for before, after, tag in zip(pairs[:-1], pairs[1:], example.labels, strict=True):
            left.setdefault(before, Counter())[tag] += 1
            right.setdefault(after, Counter())[tag] += 1
    return Beside(left, right)


def kinds(beside: Beside, example: TextExample) -> list[str]:
    """The kind of each word of a sentence."""
    words = _edged(example.words)
    return [
        beside.kind(left, word, right, tag)
        for left, word, right, tag in zip(words, words[1:], words[2:], example.labels, strict=False)
    ]


def _usual(tags: Counter[int] | None) -> int | None:
    """The tag met most often, of equal ones the one met first; None below ``LEAST``."""
    return tags.most_common(1)[0][0] if tags and tags.total() >= LEAST else None


def _edged(words: Sequence[str]) -> list[str]:
    return [BEGIN, *(word.lower() for word in words), END]


@cache
def _test_kinds(config: Config) -> list[str]:
    beside = counted(config.data.train)
    return [kind for example in config.data.test for kind in kinds(beside, example)]


# What the protocol asks for ------------------------------------------------------------------------------------------


def arms(config: Config) -> list[str]:
    """Three taggers."""
    return list(TAGGERS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Tags right on test sentences with the rate that was chosen, all and those of each kind, in %; how many words are
    of each kind; the rate, and what its trials gave."""
    tried, test = _trials(config, arm), config.data.test
    predicted = _fit(config, arm, best(tried), seed)(test)
    noted: Record = {"accuracy": round(share_right(predicted, test), 4)}
    labels = [label for example in test for label in example.labels]
    right = [a == b for a, b in zip(chain.from_iterable(predicted), labels, strict=True)]
    for kind in KINDS:
        found = [each for each, its in zip(right, _test_kinds(config), strict=True) if its == kind]
        noted |= {kind: round(100 * sum(found) / max(len(found), 1), 4), f"words, {kind}": len(found)}
    return noted | {"chosen": best(tried), "validation": list(tried.values())}


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Both ways minus left to right, seed by seed."""
    return ahead(values, BOTH, LEFT)


def facts(result: Result) -> dict[str, Fact]:
    """Accuracy of each arm, also by kind, the secondary contrasts, and how many words each kind has."""
    values = result.values
    noted = accuracies(values) | {
        "LSTM minus left to right": mean_effect(ahead(values, LSTM, LEFT), UNIT),
        "both ways minus LSTM": mean_effect(ahead(values, BOTH, LSTM), UNIT),
    }
    for kind in KINDS:
        noted[f"words, {kind}"] = values[BOTH][f"words, {kind}"][0]
        noted |= {f"{kind} {arm}": mean_quantity(quantities[kind], "%") for arm, quantities in values.items()}
        noted[f"{kind}, both ways minus left to right"] = mean_effect(
            paired_differences(values[BOTH][kind], values[LEFT][kind]), UNIT
        )
    return noted


@cache
def _trials(config: Config, arm: str) -> Trials:
    return trials(partial(_fit, config, arm), RATES, config.data.validation)


def _fit(config: Config, arm: str, rate: float, seed: int) -> Predict:
    torch.manual_seed(seed)
    tagger, training = TAGGERS[arm](config), config.training
    fine_tune(
        tagger,
        tagger.loss,
        Shuffled([tagger.encode(example) for example in config.labelled(seed)], training.batch_size, seed),
        tagger.optimizer(rate),
        partial(slanted_triangular, num_steps=training.num_steps),
        training.num_steps,
        partial(tagger.before_step, num_steps=training.num_steps),
    )
    return partial(predictions, tagger)
