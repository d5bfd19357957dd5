"""Pairs of words with the similarity that people gave them: what word vectors are measured on."""

from collections.abc import Iterable
from typing import Final

from datasets import Features, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row

FEATURES = Features({"first": Value("string"), "second": Value("string"), "score": Value("float64")})
FILES: Final = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}

CARD = DataCard(
    name="word-similarity",
    title="Pairs of words, scored by people",
    summary=(
        "Pairs of English words with the mean score that people gave them, from 0 to 10. In `wordsim353` related "
        "words score high (`coast` and `shore`, but also `love` and `sex`); in `simlex999` only words that mean the "
        "same do (`old` and `new` score low)."
    ),
    source="WordSim-353 and SimLex-999, by way of the test data of gensim",
    citation=(
        "Finkelstein et al., Placing Search in Context, 2002; Hill, Reichart and Korhonen, SimLex-999, Computational "
        "Linguistics 2015"
    ),
    columns={
        "first": "a word",
        "second": "the word it is compared with",
        "score": "mean score of the raters, 0 to 10",
    },
    splits={"wordsim353": 350, "simlex999": 998},
    split_rule="Two sets for evaluation, a split each; nothing is trained on them, and a word may occur in both.",
    removed={
        "pairs that stand in the same set before, in either order": 3,
        "pairs of a word with itself": 1,
    },
    cleaning=("Spelling and case are the files' own (`OPEC`, `Maradona`).",),
    limits=(
        "Report the rank correlation and how many pairs the model has both words of: leaving out rare words flatters.",
        "A word stands without a sentence, so raters and models guess which of its senses is meant.",
        "Raters were few (13 to 16 for part of wordsim353) and disagreed: a correlation near 1 is not to be had.",
        "wordsim353 mixes likeness with relatedness, which is why simlex999 was made.",
    ),
    hub_id=None,
    hub_note="Both sets are whole in the package; there is nothing larger to fetch.",
)


def read() -> dict[str, list[Row]]:
    """The rows of both sets, from the checked files."""
    return {
        split: select(assets.path("word-similarity", file).read_text("utf-8").splitlines())[0]
        for split, file in FILES.items()
    }


def select(lines: Iterable[str]) -> tuple[list[Row], dict[str, int]]:
    """Lines ``word TAB word TAB score``, # before a remark → rows, and how many each rule of the card took away."""
    repeated, same = CARD.removed
    removed = dict.fromkeys(CARD.removed, 0)
    rows: dict[frozenset[str], Row] = {}
    for line in lines:
        if line.startswith("#"):
            continue
        first, second, score = line.split("\t")
        if first == second:
            removed[same] += 1
        elif frozenset((first, second)) in rows:
            removed[repeated] += 1
        else:
            rows[frozenset((first, second))] = {"first": first, "second": second, "score": float(score)}
    return list(rows.values()), removed
