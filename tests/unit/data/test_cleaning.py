"""Each set's reading of its file, by hand on a few lines and recounted on the whole file by other means."""

import csv
import gzip
import re
import zipfile

import pytest

from qkv import assets, data
from qkv.data import bible_pairs, cmudict, gutenberg, movie_snippets, news_headlines, scored, trec

RAW_DICTIONARY = [
    "read R IY1 D",
    "read(2) R EH1 D # past tense",
    "read(3) R IY1 D",
    "aalto AA1 L T OW2 # name, finnish",
]


# --- cmudict
def test_variants_comments_and_repeats_of_the_dictionary_by_hand() -> None:
    assert cmudict.parse(RAW_DICTIONARY) == [
        {"word": "read", "pronunciations": ["R IY1 D", "R EH1 D"]},
        {"word": "aalto", "pronunciations": ["AA1 L T OW2"]},
    ]


def test_dictionary_counts_against_the_raw_file() -> None:
    lines = assets.path("cmudict").read_text("ascii").splitlines()
    rows = [row for split in cmudict.read().values() for row in split]
    words = {re.match(r"[^( ]+", line)[0] for line in lines}
    removed = data.catalogue()["cmudict"].removed
    assert removed["comments after `#`"] == sum("#" in line for line in lines)
    assert {row["word"] for row in rows} == words
    repeated = len(lines) - sum(len(row["pronunciations"]) for row in rows)
    assert removed["pronunciations listed twice for the same word"] == repeated


def test_pronunciations_use_the_39_sounds_with_stress_on_vowels_only() -> None:
    rows = [row for split in cmudict.read().values() for row in split]
    sounds = {sound for row in rows for text in row["pronunciations"] for sound in text.split(" ")}
    assert len({sound.rstrip("012") for sound in sounds}) == 39
    assert {sound for sound in sounds if sound[-1] in "012"} == {s for s in sounds if s[0] in "AEIOU"}
    known = {row["word"]: row["pronunciations"] for row in rows}
    assert known["colonel"] == ["K ER1 N AH0 L"]
    assert known["mormonism"] == ["M AO1 R M AH0 N IH0 Z AH0 M"]


# --- movie snippets
def test_header_margin_spaces_and_duplicates_of_snippets_by_hand() -> None:
    lines = [
        "id\tsentiment\ttext",
        "1\t2.5\t Good fun. ",
        "2\t-0.5\tMeh.",
        "3\t-0.6\tDull.",
        "4\t-3\tGood fun.",
        "5\t0\tHm",
    ]
    splits, removed = scored.select(lines)
    assert sorted((row for rows in splits.values() for row in rows), key=lambda row: row["score"]) == [
        {"text": "Dull.", "score": -0.6, "label": 0},
        {"text": "Good fun.", "score": 2.5, "label": 1},
    ]
    assert removed == {scored.UNDECIDED: 2, scored.REPEATED: 1}


def test_snippet_counts_against_the_packages_other_copy() -> None:
    other = assets.path("movie-snippets").with_name("movieReviewSnippets_GroundTruth.csv.gz")
    with gzip.open(other, "rt", encoding="utf-8", newline="") as stream:
        raw = [(float(row["sentiment"]), row["text"].strip()) for row in csv.DictReader(stream)]
    decided = [text for score, text in raw if not -0.5 <= score <= 0.5]
    removed = data.catalogue()["movie-snippets"].removed
    assert removed[scored.UNDECIDED] == len(raw) - len(decided)
    assert removed[scored.REPEATED] == len(decided) - len(set(decided))
    assert {row["text"] for split in movie_snippets.read().values() for row in split} == set(decided)


def test_labels_follow_scores_and_accents_survive() -> None:
    snippets = data.load("movie-snippets")
    assert snippets["train"].features["label"].names == ["negative", "positive"]
    for rows in snippets.values():
        assert [int(score > 0) for score in rows["score"]] == rows["label"]
        assert all(0.5 < abs(score) <= 4 for score in rows["score"])
        assert 0.45 < sum(rows["label"]) / len(rows) < 0.55
    assert sum("cliché" in text for rows in snippets.values() for text in rows["text"]) > 10


# --- Gutenberg
@pytest.mark.parametrize(
    ("line", "title", "author", "year"),
    [
        ("[Emma by Jane Austen 1816]", "Emma", "Jane Austen", 1816),
        ("[Paradise Lost by John Milton 1667] ", "Paradise Lost", "John Milton", 1667),
        ("[The Parent's Assistant, by Maria Edgeworth]", "The Parent's Assistant", "Maria Edgeworth", None),
        ("[The King James Bible]", "The King James Bible", None, None),
    ],
)
def test_headers(line: str, title: str, author: str | None, year: int | None) -> None:
    assert gutenberg.header(line) == {"title": title, "author": author, "year": year}


def test_a_file_without_header_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'Call me Ishmael'"):
        gutenberg.header("Call me Ishmael")


def test_prose_lines_are_joined_and_quoted_poems_are_not() -> None:
    prose = "She began to repeat it, but her voice sounded\nhoarse:--  \n\n\n\n     'How doth the little\n      Improve"
    poem = "Of Man's first disobedience, and the fruit \nOf that forbidden tree whose mortal taste \n\x1a"
    joined = "She began to repeat it, but her voice sounded hoarse:--\n\n     'How doth the little\n      Improve"
    assert gutenberg.clean(prose, verse=False) == joined
    assert gutenberg.clean(poem, verse=True) == (
        "Of Man's first disobedience, and the fruit\nOf that forbidden tree whose mortal taste"
    )


def test_marks_of_illustrations_and_licence_text_go() -> None:
    text = (
        "Done.\n\n[Illustration: Buster\nran _Page 5_.]\n\nThe end.\n\n\nEnd of Project Gutenberg's Ball\n\nSmall print"
    )
    assert gutenberg.clean(text, verse=False) == "Done.\n\nThe end."


def test_passages_end_with_a_paragraph_after_500_words() -> None:
    paragraph = " ".join(["word"] * 200)
    passages = list(gutenberg.passages_of("\n\n".join([paragraph] * 4)))
    assert [len(passage.split()) for passage in passages] == [600, 200]
    assert passages[0] == "\n\n".join([paragraph] * 3)


def test_verse_without_empty_lines_is_cut_at_1000_words() -> None:
    passages = list(gutenberg.passages_of("\n".join([" ".join(["word"] * 8)] * 300)))
    assert [len(passage.split()) for passage in passages] == [1000, 1000, 400]


def test_passages_hold_every_word_of_every_book_in_order() -> None:
    by_book: dict[str, dict[int, str]] = {}
    for rows in gutenberg.read().values():
        for row in rows:
            by_book.setdefault(row["book"], {})[row["passage"]] = row["text"]
    for file in assets.folder("gutenberg").glob("*.txt"):
        body = file.read_text("latin-1").split("\n", 1)[1].split("End of Project Gutenberg")[0].replace("\x1a", "")
        expected = re.sub(r"\[Illustration[^\]]*\]", "", body).split()
        passages = by_book[file.stem]
        assert sorted(passages) == list(range(len(passages)))
        assert " ".join(passages[number] for number in sorted(passages)).split() == expected


def test_gutenberg_counts_against_the_raw_files() -> None:
    texts = [file.read_text("latin-1") for file in assets.folder("gutenberg").glob("*.txt")]
    removed = data.catalogue()["gutenberg"].removed
    assert removed["header lines, read into the columns"] == sum(text.startswith("[") for text in texts)
    assert removed["marks of illustrations"] == sum(text.count("[Illustration") for text in texts)
    licence = sum(len(text) - text.index("End of Project Gutenberg") for text in texts if "Project Gutenberg" in text)
    assert removed["characters of licence text"] == licence


def test_the_bible_is_kept_apart() -> None:
    splits = gutenberg.read()
    assert {row["book"] for row in splits["king_james"]} == {"bible-kjv"}
    others = {row["book"] for split in ("train", "validation", "test") for row in splits[split]}
    assert others == {file.removesuffix(".txt") for file in assets.find("gutenberg").files} - {"bible-kjv"}


# --- trec
def test_questions_by_hand() -> None:
    lines = ["NUM:dist How far ?", "NUM:other How far ?", "NUM:dist How far ?", "HUM:ind Who ?", "HUM:ind Who?"]
    assert trec.parse(lines) == [
        {"text": "How far ?", "label": 5, "fine": "NUM:dist"},
        {"text": "Who ?", "label": 3, "fine": "HUM:ind"},
    ]


def test_question_counts_against_the_raw_file() -> None:
    lines = assets.path("trec").read_text("utf-8").splitlines()
    rows = [row for split in trec.read().values() for row in split]
    questions = {line.split(" ", 1)[1] for line in lines}
    removed = data.catalogue()["trec"].removed
    assert sum(removed.values()) == len(lines) - len(rows)
    assert removed["repeated lines: the file holds five nested training sets"] == len(lines) - len(questions)
    assert len({row["fine"] for row in rows}) == 50
    assert sum("sister-city" in row["text"] for row in rows) == 1


# --- Bible pairs
def verse(place: str, text: str, **others: str) -> dict[str, str]:
    return {"verse": place, "basic": text, "king_james": f"{text} ye", "french": f"{text} vous"} | others


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("(7:26) L'Éternel dit ", "L'Éternel dit"),
        ("Psaume. (9:2) Je louerai", "Psaume. Je louerai"),
        ("(5:21 Lorsque", "Lorsque"),
        ("(63:19b) Oh! [si]", "Oh! si"),
        ("(let Israel now say);", "(let Israel now say);"),
    ],
)
def test_marks_of_another_counting_go(raw: str, text: str) -> None:
    assert bible_pairs.clean(raw) == text


def test_verses_that_are_left_out_by_hand() -> None:
    assert bible_pairs.unfit(verse("Psalms 3:2", "He said.")) is None
    assert "title" in str(bible_pairs.unfit(verse("Psalms 3:1", "He said.")))
    for gap in ("He ... said", "***", "", "He *** said"):
        assert "gap" in str(bible_pairs.unfit(verse("Ruth 1:1", gap)))
    assert bible_pairs.unfit(verse("Ruth 1:1", "a " * 28 + "a")) is None
    assert "more than 30 tokens" in str(bible_pairs.unfit(verse("Ruth 1:1", "a " * 29 + "a")))


def test_repeated_verses_and_shared_runs_stay_out_of_training() -> None:
    held = "in those days the people went up to the town"
    verses = [
        verse("Mark 1:1", "He said."),
        verse("Mark 1:2", "So the people went up to the town again"),
        verse("Mark 1:3", "And now in those days the people went up to a hill"),
        verse("Mark 1:4", "He said it.", french="Il dit cela."),
        verse("Luke 1:1", "He said that.", french="Il dit cela!"),
        verse("Ezra 1:1", "he said"),
        verse("Ruth 1:1", held),
    ]
    splits, removed = bible_pairs.select(verses)
    found = {split: [row["verse"] for row in rows] for split, rows in splits.items()}
    assert found == {"train": ["Mark 1:2", "Mark 1:4"], "validation": ["Ezra 1:1"], "test": ["Ruth 1:1"]}
    assert sorted(removed.values()) == [1, 2]


def test_bible_counts_books_and_versions() -> None:
    verses = list(bible_pairs._verses())
    assert len(verses) == 31_102
    splits, removed = bible_pairs.select(verses)
    assert dict(removed) == data.catalogue()["bible-pairs"].removed
    assert removed.total() + sum(map(len, splits.values())) == len(verses)
    for split, books in bible_pairs.HELD_OUT.items():
        assert {row["verse"].rpartition(" ")[0] for row in splits[split]} == set(books)
    known = {row["verse"]: row for row in verses}
    assert known["John 11:35"] == {
        "verse": "John 11:35",
        "basic": "And Jesus himself was weeping.",
        "king_james": "Jesus wept.",
        "french": "Jésus pleura.",
    }


def test_no_run_of_eight_words_of_a_held_out_verse_is_in_training() -> None:
    def texts(split: str, column: str) -> list[str]:
        return [" ".join(bible_pairs._words(row[column])) for row in rows[split]]

    rows = bible_pairs.read()
    for column in bible_pairs.VERSIONS:
        learnt = "\n".join(["", *texts("train", column), ""])
        for text in [*texts("test", column), *texts("validation", column)][::10]:
            words = text.split()
            assert f"\n{text}\n" not in learnt
            assert not any(" ".join(words[i : i + 8]) in learnt for i in range(len(words) - 7))


# --- news headlines
def article(title: str, text: str, **others: str) -> dict[str, str]:
    about = {"publish_date": "2017/2/7", "article_source_link": "http://www.rte.ie/a/1", "subtitle": "In short"}
    return about | {"title": title, "text": text} | others


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("MOSCOW, February 7. /TASS/. Ice fell.", "Ice fell."),
        ("ST. PETERSBURG, May 2. /TASS, Ivan Kartashov/. Ice fell.", "Ice fell."),
        ("ALEPPO /Syria/, May 2. /TASS /. Ice  fell.", "Ice fell."),
        ("Talks, says /TASS/. Ice\u200b fell.\n", "Talks, says /TASS/. Ice fell."),
    ],
)
def test_place_and_date_of_an_agency_go(raw: str, text: str) -> None:
    assert news_headlines.clean(raw) == text


def test_a_first_paragraph_is_put_back_and_other_subtitles_are_not() -> None:
    assert news_headlines.row_of(article(" Ice ", "It fell.")) == {
        "headline": "Ice",
        "text": "It fell.",
        "source": "www.rte.ie",
        "date": "2017-02-07",
    }
    assert news_headlines.row_of(article("Ice", "It fell.", subtitle="Oslo (CNN)Ice came."))["text"] == (
        "Ice came. It fell."
    )


def test_articles_that_are_left_out_by_hand() -> None:
    tail = "word " * 50
    articles = [
        article("One", f"a b c d e f g h {tail}"),
        article("Again", f"A b c d e f g h other {tail}"),
        article("Two", f"a b c d e f g other {tail}"),
        article("In brief", f"Rain {tail}"),
        article("IN BRIEF", f"Snow {tail}"),
        article("", tail),
        article("Short", "word " * 49),
        article("Lost", f"Gr\ufffdco {tail}"),
    ]
    splits, removed = news_headlines.select(articles)
    assert [row["headline"] for rows in splits.values() for row in rows] == ["One", "Two"]
    assert sorted(removed.values()) == [1, 1, 1, 1, 2]


def test_news_counts_against_the_raw_file() -> None:
    splits, removed = news_headlines.select(news_headlines._articles())
    assert dict(removed) == data.catalogue()["news-headlines"].removed
    with zipfile.ZipFile(assets.path("news-headlines")) as archive:
        raw = archive.read("NewsArticles.csv").decode()
    (header, *lines) = csv.reader(raw.splitlines(keepends=True))
    assert removed.total() + sum(map(len, splits.values())) == len(lines)
    assert removed["articles without a headline"] == sum(not line[header.index("title")].strip() for line in lines)
    assert set(splits) == {"validation", "test"}
    headlines = [row["headline"].lower() for rows in splits.values() for row in rows]
    assert len(headlines) == len(set(headlines))
