"""The passages that language models learn from: nothing lost, nothing mixed."""

from qkv.data import load
from qkv.recipes.passages import SPLITS, WORDS, per_source, running_passages, sources


def test_passages_hold_all_rows_in_order_and_no_other_text():
    found, sets = running_passages(), load("running-text")
    for split in SPLITS:
        rows = sets[split]
        assert "\n\n".join(text for _, text in found[split]) == "\n\n".join(rows["text"])
        assert sorted(set(sources(None, split))) == sorted(set(rows["source"]))


def test_single_texts_stand_together_and_documents_apart():
    """Ten tweets are one passage; no passage goes on from one article to the next."""
    sets, test = load("running-text")["test"], running_passages()["test"]
    tweets = [text for source, text in test if source == "tweets"]
    assert all(len(text.split()) >= WORDS for text in tweets[:-1])
    assert max(len(text.split()) for text in tweets) < WORDS + 50
    articles = {}
    for row in sets:
        if row["source"] == "wikipedia-sample":
            articles.setdefault(row["document"], []).append(row["text"])
    whole = ["\n\n".join(texts) for texts in articles.values()]
    for source, text in test:
        if source == "wikipedia-sample":
            assert sum(text in article for article in whole) == 1


def test_the_first_of_each_split():
    assert [len(found) for found in running_passages(3).values()] == [3, 3, 3]
    assert running_passages(3)["test"] == running_passages()["test"][:3]


def test_a_source_is_weighed_by_its_units():
    """a: 2 + 4 nats over 1 + 3 words; b: 5 over 10."""
    assert per_source([2.0, 5.0, 4.0], [1, 10, 3], ["a", "b", "a"]) == {"a": 1.5, "b": 0.5}
