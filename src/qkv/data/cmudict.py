"""The CMU Pronouncing Dictionary: English words and how they sound, the course's small task for seeing models learn."""

import re
from collections.abc import Iterable

from datasets import Features, List, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row, by_hash

FEATURES = Features({"word": Value("string"), "pronunciations": List(Value("string"))})

CARD = DataCard(
    name="cmudict",
    title="CMU Pronouncing Dictionary",
    summary=(
        "English words with all their listed pronunciations, written in ARPAbet: 39 sounds, and a digit on each vowel "
        "for its stress (0 none, 1 main, 2 secondary). `colonel` sounds `K ER1 N AH0 L`."
    ),
    source="Carnegie Mellon University, github.com/cmusphinx/cmudict",
    citation="The CMU Pronouncing Dictionary, Carnegie Mellon University, 1993–2015",
    columns={
        "word": "the word in lower case, as spelled in the dictionary",
        "pronunciations": "every listed pronunciation, main one first; sounds separated by one space",
    },
    splits={"train": 110_276, "validation": 5_038, "test": 10_738},
    split_rule=(
        "By the sha256 of the word: 4 % of the words are for validation, 8.5 % for testing. All "
        "pronunciations of a word are in one row, so no word is in two splits."
    ),
    removed={"comments after `#`": 22, "pronunciations listed twice for the same word": 2},
    cleaning=("The marks `(2)`, `(3)`, … of further pronunciations are folded into one row per word.",),
    limits=(
        "American English of one institution; many entries are names of people and places, whose spelling follows "
        "the rules of other languages.",
        "Related words share a split only by chance: `walked` may be tested after `walk` was learned. Scores are "
        "therefore kinder than on truly new words.",
        "Words may hold an apostrophe, a hyphen or a full stop. Keep only a–z when you compare with published numbers.",
        "Compare error rates only when four things agree: stress marks or none, the split, whether any listed "
        "pronunciation counts, and the release.",
    ),
    hub_id=None,
    hub_note="There is no larger set to fetch: the package holds the whole dictionary.",
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    rows = parse(assets.path("cmudict").read_text("utf-8").splitlines())
    return by_hash(rows, lambda row: row["word"], validation=0.04, test=0.085)


def parse(lines: Iterable[str]) -> list[Row]:
    """Entries such as ``read(2) R EH1 D # past tense`` → one row per word; a pronunciation is kept once."""
    pronunciations: dict[str, list[str]] = {}
    for line in lines:
        entry, *sounds = line.partition("#")[0].split()
        variants = pronunciations.setdefault(re.sub(r"\(\d+\)$", "", entry), [])
        if (sound := " ".join(sounds)) not in variants:
            variants.append(sound)
    return [{"word": word, "pronunciations": variants} for word, variants in pronunciations.items()]
