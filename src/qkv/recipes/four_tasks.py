"""GPT's four kinds of task on real text, small: what lesson 1 of chapter 08 fine-tunes in seconds.

Not an experiment but what the lesson shares.

    movies     classification    does the critic like the film?                     `movie-snippets`
    kinds      entailment        "It is a robin." Does that say "It is a bird."?     WordNet, constructed
    verses     similarity        the same verse, in the English of 1611 and today's  `bible-pairs`
    next line  multiple choice   which of four sentences comes next?                 books of Project Gutenberg

The rows are those of ``qkv.transfer.inputs``.  Our GPT has read no text of a test split; *next line* is learnt from
books of its validation split.  In *kinds* every word and every kind stands in as many pairs that hold as in pairs that
do not, so neither half alone tells anything.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import torch
from jaxtyping import Integer
from torch import Tensor

from qkv.data import load
from qkv.data.running_text import HELD_OUT, in_order
from qkv.data.wordnet import hypernyms
from qkv.models.gpt import GPT
from qkv.recipes.few_labels import bag_of_bigrams
from qkv.text.bpe import BPE
from qkv.training.fine_tuning import Shuffled, fine_tune
from qkv.training.schedules import slanted_triangular
from qkv.transfer import inputs
from qkv.transfer.heads import Task
from qkv.transfer.inputs import SpecialIds

KINDS: Final = (  # general nouns; a word counts under one if WordNet has it above the word's commonest sense
    *("animal", "bird", "fish", "plant", "food", "garment", "vehicle", "weapon", "building", "relative"),
    *("worker", "feeling", "metal"),
)
FEWEST_READ: Final = 3  # a word of *kinds* stands so often in the books
NUM_LINES: Final = 4
LONGEST: Final = 40  # tokens of a row
MOST_WORDS: Final = 18  # of a film critic's sentence, and of a line of a story
SIZES: Final = {  # examples to learn from, and to be tested on; of *kinds* some are lost to balance
    "movies": (800, 200),
    "kinds": (600, 300),
    "verses": (600, 200),
    "next line": (500, 150),
}
BATCH_SIZE: Final = 8


class TaskItem(NamedTuple):
    """One example: a text, a pair of texts, or a context and its candidates; and the label."""

    texts: tuple[str, ...]
    label: int


SPLITS: Final = ("train", "test")
Splits = dict[str, list[TaskItem]]


# Data ----------------------------------------------------------------------------------------------------------------


@cache
def movies() -> Splits:
    """Sentences of film critics; label 1: the score is positive."""
    found = load("movie-snippets")
    read = {split: zip(found[split]["text"], found[split]["label"], strict=True) for split in SPLITS}
    short = {
        split: [TaskItem((text,), label) for text, label in rows if len(text.split()) <= MOST_WORDS]
        for split, rows in read.items()
    }
    return _some(short, "movies")


@cache
def kinds() -> Splits:
    """Pairs of sentences made by rule from WordNet; label 1: the second holds of whatever the first holds of.

    No word of a test pair stands in a training pair.
    """
    pairs = [(word, kind) for word in sorted(_read_often()) if (kind := _kind(word))]
    random.Random(0).shuffle(pairs)
    num_train, num_test = (size // 2 for size in SIZES["kinds"])
    return {"train": _balanced(pairs[:num_train]), "test": _balanced(pairs[num_train : num_train + num_test])}


@cache
def verses() -> Splits:
    """A verse in Basic English and one in that of 1611; label 1: the same verse, 0: another one of the same book."""
    found = load("bible-pairs")
    return _some({split: list(_verse_pairs(found[split])) for split in SPLITS}, "verses")


@cache
def next_lines() -> Splits:
    """Two sentences of a book, then four; the label is the place of the one that follows there.

    The three others are from elsewhere in the book.
    """
    found = {}
    for name, split in (("train", "validation"), ("test", "test")):
        books = (in_order(row for row in _books() if row["book"] == book) for book in HELD_OUT[split])
        found[name] = [item for rows in books for item in _choices([row["text"] for row in rows])]
    return _some(found, "next line")


TASKS: Final[dict[str, Callable[[], Splits]]] = {
    "movies": movies,
    "kinds": kinds,
    "verses": verses,
    "next line": next_lines,
}


def sentences(text: str) -> list[str]:
    """The sentences of a passage, without its line breaks; a rule of thumb, good enough to cut lines of a story."""
    return re.split(r"(?<=[.!?])[\"')]*\s+(?=[\"'(A-Z])", " ".join(text.split()))


def article(noun: str) -> str:
    """The noun with its article: a robin, an animal."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _some(items: Splits, task: str) -> Splits:
    """As many as the task takes, always the same ones."""
    return {split: random.Random(0).sample(items[split], size) for split, size in zip(SPLITS, SIZES[task], strict=True)}


@cache
def _books() -> list[dict[str, Any]]:
    """Every passage but those of the Bible."""
    found = load("gutenberg")
    return [row for split in ("train", "validation", "test") for row in found[split]]


def _read_often() -> set[str]:
    words = Counter(word for row in _books() for word in re.findall(r"[a-z]+", row["text"]))
    return {word for word, times in words.items() if times >= FEWEST_READ and len(word) > 2} - set(KINDS)


def _kind(word: str) -> str:
    """The first of the kinds above the word's commonest sense, or nothing."""
    senses = hypernyms().get(word, ())
    return next((kind for kind in KINDS if kind in senses[0]), "") if senses else ""


def _balanced(pairs: list[tuple[str, str]]) -> list[TaskItem]:
    """Each word with its own kind, and with that of another word, which no sense of it has above it."""
    ordered = sorted(pairs, key=lambda pair: pair[1])
    shift = max(Counter(kind for _, kind in pairs).values(), default=0)
    items = []
    for (word, kind), (_, other) in zip(ordered, ordered[shift:] + ordered[:shift], strict=True):
        if not any(other in sense for sense in hypernyms()[word]):
            items += [_entailed(word, kind, 1), _entailed(word, other, 0)]
    return items


def _entailed(word: str, kind: str, label: int) -> TaskItem:
    return TaskItem((f"It is {article(word)}.", f"It is {article(kind)}."), label)


def _verse_pairs(rows: Sequence[dict[str, str]]) -> Iterator[TaskItem]:
    draw = random.Random(0)
    books: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        books.setdefault(row["verse"].rpartition(" ")[0], []).append(row)
    for verses_of in books.values():
        for i, row in enumerate(verses_of):
            other = verses_of[(i + draw.randrange(1, len(verses_of))) % len(verses_of)] if len(verses_of) > 1 else None
            label = draw.randrange(2)
            if label or other:
                yield TaskItem((row["basic"], (row if label or other is None else other)["king_james"]), label)


def _choices(texts: Sequence[str]) -> Iterator[TaskItem]:
    draw = random.Random(0)
    passages = [sentences(text) for text in texts]
    fit = [line for lines in passages for line in lines if 4 <= len(line.split()) <= MOST_WORDS]
    for lines in passages:
        for i in range(len(lines) - 2):
            first, second, true = lines[i : i + 3]
            if all(4 <= len(line.split()) <= MOST_WORDS for line in (first, second, true)):
                others = draw.sample([line for line in fit if line not in (first, second, true)], NUM_LINES - 1)
                label = draw.randrange(NUM_LINES)
                yield TaskItem((f"{first} {second}", *others[:label], true, *others[label:]), label)


# Rows and fine-tuning ------------------------------------------------------------------------------------------------


def rows_of(task: str, texts: Sequence[str], tokens: BPE, special: SpecialIds) -> list[list[int]]:
    """The rows of an example of this task; a space stands before each text, as within running text."""
    first, *others = [tokens.encode(f" {text}") for text in texts]
    if task == "movies":
        return [inputs.classification(first, special, LONGEST)]
    if task == "kinds":
        return [inputs.entailment(first, others[0], special, LONGEST)]
    if task == "verses":
        return list(inputs.similarity(first, others[0], special, LONGEST))
    return inputs.multiple_choice(first, others, special, LONGEST)


def strip(row: Sequence[int], tokens: BPE, special: SpecialIds) -> str:
    """A row as people read it, the three new tokens as ⟨s⟩, $ and ⟨e⟩."""
    marks = {special.start: "⟨s⟩", special.delimiter: "$", special.extract: "⟨e⟩"}
    return " ".join(marks.get(i) or tokens.decode([i]).strip() for i in row)


class TaskRows(NamedTuple):
    """Padded rows (b, n, t) and labels (b)."""

    ids: Integer[Tensor, "b n t"]
    labels: Integer[Tensor, " b"]


def batch_of(task: str, items: Sequence[TaskItem], tokens: BPE, special: SpecialIds) -> TaskRows:
    """Items as a model reads them."""
    rows = [rows_of(task, item.texts, tokens, special) for item in items]
    return TaskRows(inputs.padded(rows), torch.tensor([item.label for item in items]))


def tune(
    model: Task, read: Callable[[Sequence[TaskItem]], TaskRows], items: Sequence[TaskItem], num_steps: int = 60,
    *, peak_lr: float = 3e-4, lm_weight: float = 0.5,
) -> list[float]:  # fmt: skip
    """Fine-tune in place, all weights with one rate; gives L2 + λ · L1 of each step."""
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), peak_lr)
    batches = Shuffled(items, BATCH_SIZE, seed=0)

    def loss(batch: Sequence[TaskItem]) -> Tensor:
        return model.loss(*read(batch), lm_weight)

    return fine_tune(model, loss, batches, optimizer, lambda step: slanted_triangular(step, num_steps), num_steps)


@torch.no_grad()
def chosen(model: Task, read: Callable[[Sequence[TaskItem]], TaskRows], items: Sequence[TaskItem]) -> list[int]:
    """The class or the candidate with the highest score, for each item."""
    lots = [items[i : i + 32] for i in range(0, len(items), 32)]
    return [label for lot in lots for label in model(read(lot).ids).argmax(-1).tolist()]


def right(answers: Sequence[int], items: Sequence[TaskItem]) -> float:
    """The share of answers that are right."""
    return sum(answer == item.label for answer, item in zip(answers, items, strict=True)) / len(items)


# Plain baselines -----------------------------------------------------------------------------------------------------


def by_probability(model: GPT, tokens: BPE, items: Sequence[TaskItem]) -> list[int]:
    """The candidate that costs the pretrained model fewest nats per token after the context; nothing is fine-tuned."""
    answers = []
    for item in items:
        context, *candidates = [tokens.encode(f" {text}") for text in item.texts]
        costs = [surprise(model, [0, *context], each) for each in candidates]
        answers.append(costs.index(min(costs)))
    return answers


def by_bag(splits: Splits) -> list[int]:
    """What a bag of words and pairs of words says, of the last text of each item; for a pair, the second one."""
    train, test = ([(item.texts[-1], item.label) for item in splits[split]] for split in SPLITS)
    bag = bag_of_bigrams(1.0).fit(*zip(*train, strict=True))
    return [int(label) for label in bag.predict([text for text, _ in test])]


@torch.no_grad()
def surprise(model: GPT, before: Sequence[int], line: Sequence[int]) -> float:
    """Nats per token of a line after what stands before it, which must not be empty."""
    ids = torch.tensor([[*before, *line]])
    losses = torch.nn.functional.cross_entropy(model(ids)[0, :-1], ids[0, 1:], reduction="none")
    return float(losses[-len(line) :].mean())


def most_overlap(items: Sequence[TaskItem]) -> list[int]:
    """The candidate that shares most of its words with the context; of equals the first."""
    shares = [[overlap(item.texts[0], each) for each in item.texts[1:]] for item in items]
    return [each.index(max(each)) for each in shares]


def words(text: str) -> frozenset[str]:
    """The different words of a text, in small letters."""
    return frozenset(re.findall(r"[a-z]+", text.lower()))


def overlap(first: str, second: str) -> float:
    """Shared words as a part of all words of both."""
    return len(words(first) & words(second)) / max(len(words(first) | words(second)), 1)


def by_overlap(train: Sequence[TaskItem], test: Sequence[TaskItem]) -> list[int]:
    """1 where two texts share more of their words than a threshold, the best one on the training pairs."""
    seen = sorted((overlap(*item.texts), item.label) for item in train)
    thresholds = [value for value, _ in seen]
    best = max(thresholds, key=lambda least: sum((value >= least) == bool(label) for value, label in seen))
    return [int(overlap(*item.texts) >= best) for item in test]
