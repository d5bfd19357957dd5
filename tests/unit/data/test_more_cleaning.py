"""The sets for transfer learning and pretraining: their reading by hand, and counts against the raw files."""

import bz2
import itertools
import re
from collections import Counter

import pytest

from qkv import assets, data
from qkv.data import (
    brown,
    gutenberg,
    ner_tweets,
    running_text,
    scored,
    state_of_the_union,
    wikipedia_sample,
    word_similarity,
    wordnet_senses,
)


# --- Wikipedia
@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (
            "'''Ice''' is [[water|frozen water]], which ''may'' be seen in [[winter]].<ref>Smith</ref>",
            "Ice is frozen water, which may be seen in winter.",
        ),
        (
            "Ice{{cite|{{a|b}}}} ({{lang|la|x}}; 1 May) <ref name=a/>is cold, hard, clear and light.",
            "Ice (1 May) is cold, hard, clear and light.",
        ),
        (
            "[[File:a.jpg|thumb|a [[cat]]]]Ice ([http://a.org the site]) is cold and hard and light.",
            "Ice (the site) is cold and hard and light.",
        ),
        ("{| class=x\n| a b c d e f g h i\n|}\n* a list of words that is long enough to stay", ""),
        ("== A heading that has many more words than eight in it ==\nToo short a line.", ""),
        (
            "Ice &ndash; a <b>b</b> c d e f g h &amp; i.\n==References==\nNothing of this part is ever kept here.",
            "Ice – a b c d e f g h & i.",
        ),
    ],
)
def test_markup_goes_and_running_text_stays(markup: str, text: str) -> None:
    assert wikipedia_sample.plain(markup) == text


def test_pages_that_are_left_out_by_hand() -> None:
    def page(title: str, text: str) -> str:
        return f'<page><title>{title}</title><ns>0</ns><text xml:space="preserve">{text}</text></page>'

    long, other = "word " * 120, "other " * 120
    raw = page("A", f"{long}\n\n{other}") + page("B", "#REDIRECT [[A]]") + page("C", "word " * 99)
    more = "more " * 120
    splits, removed = wikipedia_sample.select(raw + page("D&amp;E", f"{long}\n\n{more}"))
    rows = [row for split in splits.values() for row in split]
    assert {row["title"]: row["text"].split()[0] for row in rows} == {"A": "word", "D&E": "more"}
    assert list(removed.values()) == [1, 1, 1]


def test_wikipedia_counts_against_the_raw_file() -> None:
    raw = bz2.decompress(assets.path("wikipedia-sample").read_bytes()).decode()
    splits, removed = wikipedia_sample.select(raw)
    assert removed == data.catalogue()["wikipedia-sample"].removed
    titles = [{row["title"] for row in rows} for rows in splits.values()]
    assert sum(map(len, titles)) == len(set.union(*titles)) == raw.count("<page>") - sum(list(removed.values())[:2])
    assert removed["redirects"] == len(re.findall(r"<text[^>]*>\s*#redirect", raw, re.IGNORECASE))
    texts = " ".join(row["text"] for rows in splits.values() for row in rows)
    assert not re.search(r"\{\{|\}\}|\[\[|\]\]|'''|</?ref|\[http", texts)


# --- Brown
def test_a_line_of_the_brown_corpus() -> None:
    assert brown.parse("\tThe/at 1/2/cd mile/nn ./.") == (["The", "1/2", "mile", "."], ["at", "cd", "nn", "."])


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("nn-tl", "NOUN"),
        ("np$-hl", "NOUN"),
        ("fw-nn", "NOUN"),
        ("ppss+md", "PRON"),
        ("pp$", "DET"),
        ("pp$$", "PRON"),
        ("md*", "VERB"),
        ("bedz*", "VERB"),
        ("*", "PRT"),
        ("to", "PRT"),
        ("od", "ADJ"),
        ("wrb+bez", "ADV"),
        ("in+at-t", "ADP"),
        ("cs", "CONJ"),
        ("--", "."),
        (".-hl", "."),
        ("nil", "X"),
    ],
)
def test_coarse_kinds(tag: str, kind: str) -> None:
    assert brown.coarse(tag) == kind


def test_an_unknown_tag_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'zz'"):
        brown.coarse("zz")


def test_repeated_sentences_stay_in_testing() -> None:
    files = ["ca01", "ca02", "ca05", "ca09", "ca14", "ca20"]
    rows = [{"file": file, "words": ["He", "said", "."]} for file in files] + [{"file": "ca01", "words": ["No"]}]
    splits, removed = brown.select(rows)
    assert sum(map(len, splits.values())) == 2
    assert removed.total() == 5
    first = next(split for split in ("test", "validation", "train") if splits[split])
    assert ["He", "said", "."] in [row["words"] for row in splits[first]]


def test_brown_counts_against_the_raw_files() -> None:
    folder = assets.folder("brown")
    raw = [line for file in folder.glob("c[a-r][0-9][0-9]") for line in file.read_text("ascii").split("\n")]
    sentences = [" ".join(re.sub(r"/[^/ ]+(?= |$)", "", line.strip()).lower().split()) for line in raw if line.strip()]
    splits, removed = brown.select(brown._sentences())
    assert dict(removed) == data.catalogue()["brown"].removed
    assert removed.total() == len(sentences) - len(set(sentences))
    assert {
        len({row["file"] for row in rows} & {row["file"] for row in splits["test"]})
        for rows in (splits["train"], splits["validation"])
    } == {0}
    assert {row["genre"] for row in splits["train"]} == set(range(15))
    assert all(len(row["words"]) == len(row["tags"]) == len(row["coarse"]) for row in splits["test"])


# --- names in tweets
def test_tweets_are_parted_by_lines_without_a_word() -> None:
    raw = "Big\tB-movie\nBen\tI-movie\n\t\nbig\tO\nben\tO\n\t\nHi\tO\n"
    assert [words for words, _ in ner_tweets.tweets(raw)] == [["Big", "Ben"], ["big", "ben"], ["Hi"]]
    splits, removed = ner_tweets.select(raw)
    rows = [row for rows in splits.values() for row in rows]
    tags = {" ".join(row["words"]): [ner_tweets.TAGS[tag] for tag in row["tags"]] for row in rows}
    assert tags == {"Big Ben": ["B-movie", "I-movie"], "Hi": ["O"]}
    assert sum(removed.values()) == 1


def test_names_go_on_only_where_they_began() -> None:
    raw = assets.path("ner-tweets").read_text("utf-8")
    splits, removed = ner_tweets.select(raw)
    assert removed == data.catalogue()["ner-tweets"].removed
    assert sum(map(len, splits.values())) + sum(removed.values()) == raw.count("\n\t\n")
    for row in (row for rows in splits.values() for row in rows):
        tags = ["O", *(ner_tweets.TAGS[tag] for tag in row["tags"])]
        assert all(a[1:] == b[1:] for a, b in itertools.pairwise(tags) if b.startswith("I"))


# --- similarity of words
def test_pairs_of_words_by_hand() -> None:
    lines = ["# remark", "old\tnew\t1.5", "new\told\t2", "cat\tcat\t10", "cat\ttiger\t7"]
    rows, removed = word_similarity.select(lines)
    assert [(row["first"], row["score"]) for row in rows] == [("old", 1.5), ("cat", 7.0)]
    assert list(removed.values()) == [1, 1]


def test_similarity_counts_against_the_raw_files() -> None:
    removed: Counter[str] = Counter()
    for split, file in word_similarity.FILES.items():
        rows, gone = word_similarity.select(assets.path("word-similarity", file).read_text("utf-8").splitlines())
        removed += Counter(gone)
        assert len(rows) + sum(gone.values()) == {"wordsim353": 353, "simlex999": 999}[split]
        assert all(0 <= row["score"] <= 10 for row in rows)
    assert removed == data.catalogue()["word-similarity"].removed


# --- scored texts
def test_sentences_of_one_document_share_a_split() -> None:
    header = ["id\tsentiment\ttext"]
    lines = [f"{document}_{part}\t1.0\t{document} {part}" for document in range(60) for part in range(3)]
    splits, removed = scored.select([*header, *lines, "1_9\t0.5\tmeh", "2_9\t-2\t1 1"])
    assert list(removed.values()) == [1, 1]
    documents = [{row["text"].split()[0] for row in rows} for rows in splits.values()]
    assert all(documents)
    assert sum(map(len, documents)) == 60


@pytest.mark.parametrize("name", ["tweets", "editorials", "product-reviews"])
def test_scored_counts_against_the_raw_file(name: str) -> None:
    lines = assets.path(name).read_text("utf-8").splitlines()
    splits, removed = scored.select(lines)
    assert removed == data.catalogue()[name].removed
    decided = [line.split("\t")[2].strip() for line in lines[1:] if abs(float(line.split("\t")[1])) > 0.5]
    assert removed[scored.UNDECIDED] == len(lines) - 1 - len(decided)
    assert {row["text"] for rows in splits.values() for row in rows} == set(decided)
    assert all((row["score"] > 0) == row["label"] for rows in splits.values() for row in rows)


# --- senses
def test_an_entry_of_wordnet() -> None:
    line = (
        "00001740 29 v 04 breathe 0 take_a_breath 0 respire 0 Suspire 3 001 * 00005041 v 0000 01 + 02 00 | draw air; "
        '"I can breathe"; "a \'b\' c"'
    )
    assert wordnet_senses.entry(line) == (["breathe", "respire", "suspire"], ["I can breathe", "a 'b' c"])


@pytest.mark.parametrize(
    ("lemma", "example", "word"),
    [
        ("bank", "two Banks failed", "Banks"),
        ("carry", "he carried it", "carried"),
        ("make", "making it", "making"),
        ("stop", "it stopped", "stopped"),
        ("go", "she went", None),
        ("bank", "the embankment", None),
    ],
)
def test_a_word_is_found_in_its_regular_forms(lemma: str, example: str, word: str | None) -> None:
    assert wordnet_senses.word_in(example, lemma) == word


def test_as_many_pairs_of_one_sense_as_of_two() -> None:
    one, two = ([wordnet_senses.Example(sense, f"{sense} {i}", "w") for i in range(3)] for sense in "ab")
    found = [("w", "noun", example) for example in [*one, *two]] + [("v", "noun", example) for example in one]
    splits, removed = wordnet_senses.select(found)
    rows = [row for rows in splits.values() for row in rows]
    assert [row["label"] for row in rows] == [1, 1, 0, 0]
    assert all((row["first"][0] == row["second"][0]) == row["label"] for row in rows)
    assert list(removed.values()) == [15 + 3 - 4, 0]


def test_an_example_under_two_senses_tells_nothing() -> None:
    texts = {"a": ["one", "two", "both"], "b": ["three", "both"]}
    found = [("w", "noun", wordnet_senses.Example(sense, text, "w")) for sense in texts for text in texts[sense]]
    splits, _ = wordnet_senses.select(found)
    assert {row[side] for rows in splits.values() for row in rows for side in ("first", "second")} == {
        "one",
        "two",
        "three",
    }


def test_an_example_is_in_one_split_only() -> None:
    listed = [wordnet_senses.Example(sense, f"{sense} {i}", "w") for sense in "ab" for i in range(2)]
    found = [(f"lemma{number}", "noun", example) for number in range(40) for example in listed]
    splits, removed = wordnet_senses.select(found)
    assert [bool(splits[split]) for split in ("test", "validation", "train")] == [True, False, False]
    assert list(removed.values())[1] == 4 * 40 - len(splits["test"])


def test_sense_counts_on_the_whole_file() -> None:
    splits, removed = wordnet_senses.select(wordnet_senses._examples())
    assert removed == data.catalogue()["wordnet-senses"].removed
    for rows in splits.values():
        assert 2 * sum(row["label"] for row in rows) == len(rows)
        assert all(row["first_word"] in row["first"] and row["second_word"] in row["second"] for row in rows)


# --- addresses
def test_addresses_are_cut_behind_a_sentence() -> None:
    text = " ".join(["Word", *["w"] * 198, "end."] * 4)
    passages = list(state_of_the_union.passages_of(text))
    assert [len(passage.split()) for passage in passages] == [600, 200]
    assert " ".join(passages).split() == text.split()
    assert state_of_the_union.about("2005_george_w_bush_r.txt") == {"year": 2005, "president": "George W Bush"}


def test_addresses_hold_every_word_and_share_no_split() -> None:
    folder = assets.folder("state-of-the-union")
    texts = {file.name: file.read_text("utf-8") for file in sorted(folder.glob("*.txt"))}
    splits, removed = state_of_the_union.select(texts)
    assert removed == data.catalogue()["state-of-the-union"].removed
    words = sum(len(row["text"].split()) for rows in splits.values() for row in rows)
    assert words == sum(len(text.split()) for text in texts.values())
    names = [{(row["year"], row["president"]) for row in rows} for rows in splits.values()]
    assert sum(map(len, names)) == len(set.union(*names)) == len(texts)


# --- running text
def test_what_is_tested_elsewhere_is_not_learnt() -> None:
    rows = running_text.read()
    learnt = {row["text"] for row in rows["train"]}
    modules = {module.CARD.name: module for module in (gutenberg, *running_text._DOCUMENT)}
    for name in data.catalogue()["running-text"].parts:
        for split, part in modules[name].read().items():
            if split != "train":
                assert learnt.isdisjoint(row["text"] for row in part)
    books = {split: {row["document"] for row in rows[split] if row["source"] == "gutenberg"} for split in rows}
    assert {split: books[split] for split in running_text.HELD_OUT} == {
        split: set(listed) for split, listed in running_text.HELD_OUT.items()
    }
    assert len(books["train"]) == 18 - 1 - 4
    assert not books["train"] & (books["validation"] | books["test"])


def test_held_out_books_are_whole_and_repeats_stay_in_testing() -> None:
    def passage(book: str, number: int) -> dict:
        return {"book": book, "passage": number, "text": f"{book} {number}"}

    sets = {module.CARD.name: {} for module in running_text._DOCUMENT}
    sets["tweets"] = {"train": [{"text": "same"}, {"text": "new"}], "test": [{"text": "same"}]}
    sets["gutenberg"] = {
        "train": [passage("carroll-alice", 1), passage("emma", 0)],
        "validation": [passage("carroll-alice", 0), passage("emma", 1)],
        "test": [],
        "king_james": [passage("bible-kjv", 0)],
    }
    splits, removed = running_text.select(sets)
    assert {split: [row["text"] for row in rows] for split, rows in splits.items()} == {
        "train": ["emma 0", "new"],
        "validation": [],
        "test": ["carroll-alice 0", "carroll-alice 1", "same"],
    }
    assert list(removed.values()) == [1, 1, 1]
