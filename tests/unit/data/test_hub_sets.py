"""The sets that are on the hub alone: small files of their form, read by the real ``datasets.load_dataset``."""

import datasets
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from qkv import data
from qkv.text.words import places, tokens


def test_reviews_get_the_columns_of_snippets_and_only_labelled_ones_stay(hub_folder):
    features = Features({"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    for split, label in (("train", 1), ("test", 0), ("unsupervised", -1)):
        Dataset.from_dict({"text": [f"a {split} film"], "label": [label]}, features).to_parquet(
            hub_folder / f"{split}.parquet"
        )
    found = data.load("imdb", source="hub")
    assert {split: rows.to_list() for split, rows in found.items()} == {
        "train": [{"text": "a train film", "score": None, "label": 1}],
        "test": [{"text": "a test film", "score": None, "label": 0}],
    }
    assert found["test"].features == data.load("movie-snippets")["test"].features


def test_pairs_without_a_majority_are_left_out(hub_folder):
    names = ["entailment", "neutral", "contradiction"]
    features = Features({"premise": Value("string"), "hypothesis": Value("string"), "label": ClassLabel(names=names)})
    rows = {
        "premise": ["A dog runs.", "A man sits."],
        "hypothesis": ["An animal moves.", "He waits."],
        "label": [0, -1],
    }
    Dataset.from_dict(rows, features).to_parquet(hub_folder / "test.parquet")
    (pair,) = data.load("snli", source="hub")["test"]
    assert pair == {"premise": "A dog runs.", "hypothesis": "An animal moves.", "label": 0}


def test_newspapers_get_the_columns_of_tweets_and_keep_their_kinds_of_name(hub_folder):
    kinds = ["O", "B-PER", "I-PER"]
    features = Features(
        {"id": Value("string"), "tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=kinds))}
    )
    rows = {"id": ["0"], "tokens": [["Ada", "Lovelace", "wrote"]], "ner_tags": [[1, 2, 0]]}
    Dataset.from_dict(rows, features).to_parquet(hub_folder / "train.parquet")
    found = data.load("conll2003", source="hub")["train"]
    assert found[0] == {"words": ["Ada", "Lovelace", "wrote"], "tags": [1, 2, 0]}
    assert found.column_names == data.load("ner-tweets")["train"].column_names
    assert found.features["tags"].feature.names == kinds


def test_an_answer_in_characters_becomes_the_words_that_it_covers(hub_folder):
    passage = "The Normans (Norman: Nourmands) gave their name to Normandy in the 10th century."
    rows = {
        "context": [passage] * 3,
        "question": ["Who gave it?", "When?", "Where?"],
        "answers": [
            {"text": ["The Normans", "Normans"], "answer_start": [0, 4]},
            {"text": ["10th"], "answer_start": [passage.index("10th")]},
            {"text": ["ormandy"], "answer_start": [passage.index("ormandy")]},
        ],
    }
    Dataset.from_dict(rows).to_parquet(hub_folder / "validation.parquet")
    found = data.load("squad", source="hub")["validation"]
    answers = [row["passage"][row["first"] : row["last"] + 1] for row in found]
    assert answers == [["The", "Normans"], tokens("10th"), ["Normandy"]]
    assert found[1]["question"] == ["When", "?"]


@pytest.mark.parametrize("text", ["Don't go, Mr. Fox--it's 5!", "  two   words ", ""])
def test_words_lie_where_they_are_said_to_lie(text):
    assert [text[begin:end] for begin, end in places(text)] == tokens(text)


@pytest.mark.parametrize("name", data.HUB_SETS)
def test_without_source_or_network_a_sentence_says_what_to_do(name, monkeypatch):
    with pytest.raises(data.UnknownDatasetError, match=f'{name} is on the hub alone: load\\("{name}", source="hub"\\)'):
        data.load(name)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(data.HubError, match=r"cannot be fetched: .*Offline.*: .*`") as error:
        data.load(name, source="hub")
    assert data.HUB_SETS[name].hub_id in str(error.value)
