"""What every data set promises: its card's columns and counts, fixed disjoint splits, no network, clear errors."""

import socket
import sys
from pathlib import Path

import datasets
import pytest

from qkv import assets, data

NAMES = list(data.catalogue())
TEXT = {  # the columns that make a row what it is
    "bible-pairs": ["basic"],
    "brown": ["words"],
    "cmudict": ["word"],
    "ner-tweets": ["words"],
    "word-similarity": ["first", "second", "score"],
    "wordnet-senses": ["lemma", "first", "second"],
}


def texts(name: str, rows: datasets.Dataset) -> list[str]:
    columns = [rows[column] for column in TEXT.get(name, ["text"])]
    plain = [[" ".join(each) if isinstance(each, list) else str(each) for each in column] for column in columns]
    return list(map(" ".join, zip(*plain, strict=True)))


@pytest.fixture(scope="module")
def loaded() -> dict[str, datasets.DatasetDict]:
    return {name: data.load(name) for name in NAMES}


def test_catalogue() -> None:
    books = ["bible-pairs", "brown", "cmudict", "editorials", "gutenberg", "movie-snippets", "ner-tweets"]
    more = ["news-headlines", "product-reviews", "running-text", "state-of-the-union", "trec", "tweets"]
    assert [*books, *more, "wikipedia-sample", "word-similarity", "wordnet-senses"] == NAMES
    assert all(card.name == name for name, card in data.catalogue().items())


@pytest.mark.parametrize("name", NAMES)
def test_columns_and_split_sizes_are_those_of_the_card(name: str, loaded: dict[str, datasets.DatasetDict]) -> None:
    card = data.catalogue()[name]
    assert {split: len(rows) for split, rows in loaded[name].items()} == card.splits
    assert all(list(rows.features) == list(card.columns) for rows in loaded[name].values())
    assert all(str(rows.split) == split for split, rows in loaded[name].items())


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_in_two_splits_or_twice_in_one(name: str, loaded: dict[str, datasets.DatasetDict]) -> None:
    found = [text for rows in loaded[name].values() for text in texts(name, rows)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_empty_padded_or_wrongly_decoded(name: str, loaded: dict[str, datasets.DatasetDict]) -> None:
    for rows in loaded[name].values():
        for text in texts(name, rows):
            assert text.strip("\n") == text != ""
            assert not {"\r", "\x1a", "\t", "Ã", "Â", "\ufffd"} & set(text)


def test_a_second_load_is_equal_and_opens_no_socket(monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    first = data.load("movie-snippets")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    second = data.load("movie-snippets")
    assert all(first[split].to_dict() == second[split].to_dict() for split in first)
    assert capfd.readouterr() == ("", "")


def test_nothing_is_written_to_disk(loaded: dict[str, datasets.DatasetDict]) -> None:
    assert all(rows.cache_files == [] for sets in loaded.values() for rows in sets.values())


def test_an_npm_package_that_is_missing_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    for name in ("brown", "running-text"):
        with pytest.raises(assets.MissingAssetError, match=r"is not installed\. Run: python -m qkv data install"):
            data.load(name)


def test_unknown_set_gets_near_matches() -> None:
    for call in (data.load, data.card):
        with pytest.raises(data.UnknownDatasetError, match=r"'movie_snippet'; did you mean 'movie-snippets'\?"):
            call("movie_snippet")
    with pytest.raises(data.UnknownDatasetError, match="known: bible-pairs, brown, cmudict, editorials, gutenberg"):
        data.load("qqq")


def test_unknown_source_says_what_was_expected() -> None:
    with pytest.raises(ValueError, match="must be 'packaged' or 'hub', got 'web'"):
        data.load("cmudict", source="web")


def test_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(assets.MissingAssetError, match="Run: python -m qkv data install"):
        data.load("cmudict")


@pytest.mark.parametrize("name", NAMES)
def test_card_tells_licence_counts_columns_and_hub(name: str) -> None:
    card, text = data.catalogue()[name], data.card(name)
    assert text.startswith(f"# {card.title}\n")
    facts = [card.licence, card.source, card.citation, card.split_rule, *card.columns, *card.cleaning, *card.limits]
    counts = [f"{count:,}" for count in [*card.splits.values(), *card.removed.values()]]
    assert all(fact in text for fact in [*facts, *counts])
    assert card.hub_id is None or f"`{card.hub_id}` (hub id not tested here)" in text


def test_a_set_without_a_hub_counterpart_says_so() -> None:
    with pytest.raises(data.HubError, match=r"cmudict has no counterpart on the hub.*Use load\(\"cmudict\"\)"):
        data.load("cmudict", source="hub")


@pytest.mark.parametrize("name", ["gutenberg", "movie-snippets"])
def test_without_network_the_error_names_the_packaged_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(data.HubError) as error:
        data.load(name, source="hub")
    assert data.catalogue()[name].hub_id in str(error.value)
    assert f'load("{name}")' in str(error.value)


def test_hub_snippets_get_our_columns(hub_folder: Path, loaded: dict[str, datasets.DatasetDict]) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    for split, label in (("train", 1), ("validation", 0), ("test", 1)):
        rows = datasets.Dataset.from_dict({"text": [f"a {split} film"], "label": [label]}, features=features)
        rows.to_parquet(hub_folder / f"{split}.parquet")
    hub = data.load("movie-snippets", source="hub")
    assert {split: rows[0] for split, rows in hub.items()} == {
        "train": {"text": "a train film", "score": None, "label": 1},
        "validation": {"text": "a validation film", "score": None, "label": 0},
        "test": {"text": "a test film", "score": None, "label": 1},
    }
    assert hub["train"].features == loaded["movie-snippets"]["train"].features


def test_hub_questions_get_our_columns(hub_folder: Path, loaded: dict[str, datasets.DatasetDict]) -> None:
    coarse, fine = datasets.ClassLabel(names=["ABBR", "ENTY", "DESC"]), datasets.ClassLabel(names=["abb", "def"])
    features = datasets.Features({"text": datasets.Value("string"), "coarse_label": coarse, "fine_label": fine})
    for split in ("train", "test"):
        rows = {"text": [f"What is {split} ?"], "coarse_label": [2], "fine_label": [1]}
        datasets.Dataset.from_dict(rows, features=features).to_parquet(hub_folder / f"{split}.parquet")
    hub = data.load("trec", source="hub")
    assert hub["test"][0] == {"text": "What is test ?", "label": 1, "fine": "def"}
    assert hub["train"].features == loaded["trec"]["train"].features


def test_hub_books_get_our_columns_and_splits(hub_folder: Path, loaded: dict[str, datasets.DatasetDict]) -> None:
    paragraphs = [f"Chapter {number}.\r\n\r\n{'word ' * 600}" for number in range(60)]
    about = '{"text_id": 11, "title": "%s", "authors": "Carroll, Lewis, 1832-1898", "issued": "2008-06-27"}'
    books = {
        "TEXT": ["\r\n\r\n".join(paragraphs), "1:1 In the beginning"],
        "SOURCE": ["gutenberg", "gutenberg"],
        "METADATA": [about % "Alice", about % "The King James Version of the Bible"],
    }
    datasets.Dataset.from_dict(books).to_parquet(hub_folder / "train.parquet")
    hub = data.load("gutenberg", source="hub")
    numbers = [number for split in ("train", "validation", "test") for number in hub[split]["passage"]]
    assert sorted(numbers) == list(range(60))
    assert len(hub["train"]) > 40
    assert hub["king_james"]["text"] == ["1:1 In the beginning"]
    row = hub["train"][0]
    assert (row["book"], row["author"], row["title"], row["year"]) == ("11", "Carroll, Lewis, 1832-1898", "Alice", None)
    assert hub["train"].features == loaded["gutenberg"]["train"].features


def test_hub_pairs_get_our_columns(hub_folder: Path, loaded: dict[str, datasets.DatasetDict]) -> None:
    features = datasets.Features({"translation": datasets.Translation(languages=["fr", "en"])})
    for split in ("train", "validation", "test"):
        rows = {"translation": [{"en": f"The {split}.", "fr": f"Le {split}."}]}
        datasets.Dataset.from_dict(rows, features=features).to_parquet(hub_folder / f"{split}.parquet")
    hub = data.load("bible-pairs", source="hub")
    assert hub["validation"].to_list() == [
        {"verse": None, "basic": "The validation.", "king_james": None, "french": "Le validation."}
    ]
    assert hub["test"].features == loaded["bible-pairs"]["test"].features


def test_hub_articles_get_our_columns(hub_folder: Path, loaded: dict[str, datasets.DatasetDict]) -> None:
    for split in ("train", "validation", "test"):
        rows = {"article": [f"A long {split}."], "highlights": [f"Short {split} .\nDone ."], "id": ["0a"]}
        datasets.Dataset.from_dict(rows).to_parquet(hub_folder / f"{split}.parquet")
    hub = data.load("news-headlines", source="hub")
    assert hub["test"].to_list() == [
        {"headline": "Short test .\nDone .", "text": "A long test.", "source": None, "date": None}
    ]
    assert hub["test"].features == loaded["news-headlines"]["test"].features


def test_the_hub_is_asked_for_id_and_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        datasets, "load_dataset", lambda *id_and_config: asked.append(id_and_config) or datasets.DatasetDict()
    )
    for name in ("bible-pairs", "news-headlines"):
        data.load(name, source="hub")
    assert asked == [("wmt/wmt14", "fr-en"), ("abisee/cnn_dailymail", "3.0.0")]
    assert "`abisee/cnn_dailymail` (hub id not tested here), configuration `3.0.0`." in data.card("news-headlines")
