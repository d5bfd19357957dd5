"""Does a word mean the same in two sentences?  Pairs of WordNet's example sentences."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Final, NamedTuple

from datasets import ClassLabel, Features, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row, by_hash

KINDS: Final = {"noun": "data.noun", "verb": "data.verb"}
FEWEST_WORDS: Final = 3  # of an example
MOST_PAIRS: Final = 2  # of each answer, for one word

FEATURES = Features(
    {
        "lemma": Value("string"),
        "kind": ClassLabel(names=list(KINDS)),
        "first": Value("string"),
        "second": Value("string"),
        "first_word": Value("string"),
        "second_word": Value("string"),
        "label": ClassLabel(names=["different", "same"]),
    }
)

CARD = DataCard(
    name="wordnet-senses",
    title="One word in two sentences: the same sense or not",
    summary=(
        "Pairs of short English phrases that share a word. In half of them it has the same sense, in half a different "
        "one: `he cashed a check at the bank` and `they pulled the canoe up on the bank`."
    ),
    source="usage examples of WordNet 3.0, by way of the NLTK corpora",
    citation=(
        "Fellbaum (ed.), WordNet: An Electronic Lexical Database, MIT Press 1998; made like WiC, Pilehvar and "
        "Camacho-Collados, NAACL 2019"
    ),
    columns={
        "lemma": "the word in its base form",
        "kind": "`noun` or `verb`",
        "first": "an example with the word",
        "second": "another example with it",
        "first_word": "the word as it stands in the first example",
        "second_word": "the word as it stands in the second",
        "label": "`same` (1) when WordNet has both under one sense, else `different` (0)",
    },
    splits={"train": 1_792, "validation": 340, "test": 626},
    split_rule="By the sha256 of the word: one word in ten is for validation, two in ten for testing.",
    removed={
        "pairs beyond two of each answer, or without a partner of the other answer": 40_867,
        "pairs with an example that a held-out pair has, too": 0,
    },
    cleaning=(
        "Examples of fewer than three words are left out, and those that do not hold the word in a regular form.",
        "So are examples that stand under two senses of the same word.",
        "A word has as many pairs of one answer as of the other, at most two; a hash of their text chooses.",
        "An example may stand under several words. Where it is in testing, pairs of validation and training with it "
        "are left out; where it is in validation, those of training.",
    ),
    limits=(
        "WordNet's senses are fine: people often see no difference between two of them, so nobody is always right.",
        "Its examples are phrases by lexicographers, short and clear, and not what people write.",
        "Irregular forms (`went`, `men`) are missing.",
        "As many pairs of one answer as of the other is our doing; in running text most words keep one sense.",
    ),
    hub_id=None,
    hub_note="The pairs that papers report on are `aps/super_glue` on the hub, configuration `wic`; others than these.",
)


class Example(NamedTuple):
    """A usage example: the sense it stands under, its text, and the word as it stands there."""

    sense: str
    text: str
    word: str


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked files."""
    return select(_examples())[0]


def select(examples: Iterable[tuple[str, str, Example]]) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """(lemma, kind, example) → splits, and how many pairs each rule of the card took away."""
    listed = list(examples)
    times = Counter((lemma, example.text) for lemma, _, example in listed)
    found: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for lemma, kind, example in listed:
        if times[lemma, example.text] == 1:
            found[lemma, kind].append(example)
    rows, total = [], 0
    for (lemma, kind), each in sorted(found.items()):
        pairs = list(combinations(each, 2))
        total += len(pairs)
        rows += [_row(lemma, kind, *pair) for pair in balanced(pairs)]
    splits = by_hash(rows, lambda row: row["lemma"], validation=0.1, test=0.2)
    beyond, shared = CARD.removed
    taken: set[str] = set()
    for split in ("test", "validation", "train"):
        splits[split] = [row for row in splits[split] if taken.isdisjoint((row["first"], row["second"]))]
        taken |= {row[side] for row in splits[split] for side in ("first", "second")}
    kept = sum(map(len, splits.values()))
    return splits, {beyond: total - len(rows), shared: len(rows) - kept}


def balanced(pairs: Iterable[tuple[Example, Example]]) -> list[tuple[Example, Example]]:
    """As many pairs of one sense as of two, at most two each, chosen by the sha256 of their text."""
    ordered = sorted(pairs, key=lambda pair: hashlib.sha256(f"{pair[0].text}|{pair[1].text}".encode()).digest())
    same = [pair for pair in ordered if pair[0].sense == pair[1].sense]
    different = [pair for pair in ordered if pair[0].sense != pair[1].sense]
    number = min(len(same), len(different), MOST_PAIRS)
    return same[:number] + different[:number]


def entry(line: str) -> tuple[list[str], list[str]]:
    """One line of WordNet's data → its words, single and in small letters, and its examples."""
    fields, _, gloss = line.partition(" | ")
    number, *rest = fields.split(" ")[3:]
    words = rest[: 2 * int(number, 16) : 2]
    return [word.lower() for word in words if word.isalpha()], re.findall(r'"([^"]+)"', gloss)


def word_in(example: str, lemma: str) -> str | None:
    """The lemma as it stands in the example, in a regular form of English: ``banks`` for bank; None if it does not."""
    stem = lemma.removesuffix("e") if lemma.endswith("e") else lemma.removesuffix("y")
    endings = ("", "s", "es", "d", "ed", "ing", f"{lemma[-1]}ed", f"{lemma[-1]}ing")
    forms = {lemma + ending for ending in endings} | {stem + ending for ending in ("ing", "ies", "ied")}
    return next((word for word in re.findall(r"[A-Za-z]+", example) if word.lower() in forms), None)


def _row(lemma: str, kind: str, first: Example, second: Example) -> Row:
    return {
        "lemma": lemma,
        "kind": list(KINDS).index(kind),
        "first": first.text,
        "second": second.text,
        "first_word": first.word,
        "second_word": second.word,
        "label": int(first.sense == second.sense),
    }


def _examples() -> Iterator[tuple[str, str, Example]]:
    for kind, file in KINDS.items():
        for line in assets.path("wordnet-senses", file).read_text("ascii").splitlines():
            if line.startswith(" "):  # the licence stands at the head of each file
                continue
            lemmas, examples = entry(line)
            for lemma in lemmas:
                for text in map(str.strip, dict.fromkeys(examples)):
                    if len(text.split()) >= FEWEST_WORDS and (word := word_in(text, lemma)):
                        yield lemma, kind, Example(line[:8], text, word)
