"""The recipes about BERT's tasks and layers at a size of seconds."""

from dataclasses import replace

import pytest
import torch

from qkv.data.ner_tweets import TAGS
from qkv.models.bert import BERT, PRESETS
from qkv.recipes import answers, bert_layers, bert_tasks, transfer_systems
from qkv.recipes.answers import CountedEnds, exact, features, spans
from qkv.recipes.bert_tasks import FOUR, drawn, f1, parts
from qkv.recipes.protocol import measure
from qkv.recipes.transfer_systems import Source, Training
from qkv.recipes.transfer_tasks import TextExample
from qkv.text.wordpiece import SPECIAL, WordPiece

SMOKE = bert_tasks.PRESETS["smoke"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
PERSON, GOES_ON = TAGS.index("B-person"), TAGS.index("I-person")


def rows_like(name):
    """Texts of our own in the columns of the sets."""
    films = [{"text": f"a {'good' if i % 2 else 'bad'} film {i}", "label": i % 2} for i in range(60)]
    brown = [{"words": ["the", "cat", f"no{i}", "sleeps"], "coarse": [4, 5, 5, 9]} for i in range(60)]
    tweets = [{"words": ["hi", "Ann", "Lee", f"no{i}"], "tags": [0, PERSON, GOES_ON, 0]} for i in range(60)]
    books = [{"text": f'" Come home {i} times , please do , " said Tom to Mary Ann . It was late .'} for i in range(60)]
    articles = [
        {"text": f"They came in {1800 + i} with two fine ships from far away . In 17{i} they left near Genoa ."}
        for i in range(60)
    ]
    rows = {"movie-snippets": films, "brown": brown, "ner-tweets": tweets, "gutenberg": books}.get(name, articles)

    class Columns(list):
        def __getitem__(self, key):
            return [row[key] for row in self] if isinstance(key, str) else super().__getitem__(key)

    return {split: Columns(rows[i::3]) for i, split in enumerate(("train", "validation", "test"))}


@pytest.fixture(autouse=True)
def small(stand_in, monkeypatch):
    torch.manual_seed(2)
    pieces = WordPiece([*SPECIAL, *LETTERS, *(f"##{c}" for c in LETTERS)])
    config = replace(PRESETS["smoke"], vocab_size=len(pieces), num_layers=4, max_length=128)
    found = {name: Source(BERT(config).eval(), pieces) for name in ("BERT", "MiniLM")}
    monkeypatch.setattr(bert_tasks, "load", rows_like)
    caches = (parts, bert_tasks._trials, bert_layers.parts, bert_layers._trials, bert_layers.encoder)
    return stand_in(found, rows_like, (transfer_systems, bert_tasks, bert_layers), caches)


@pytest.mark.parametrize("recipe", [bert_tasks, bert_layers], ids=lambda recipe: recipe.__name__)
def test_all_arms_and_what_prose_may_quote(recipe, tmp_path):
    result = measure("x", recipe, recipe.PRESETS["smoke"], [0, 1], tmp_path)
    assert len(recipe.differences(result.config, result.values)) == 2
    facts = recipe.facts(result)
    assert all(0 <= score <= 100 for found in result.values.values() for score in found["score"])
    assert set(result.values) <= set(facts)
    rerun = recipe.run(recipe.PRESETS["smoke"], recipe.VERIFY, 0)
    assert rerun["score"] == result.values[recipe.VERIFY]["score"][0]


def test_the_primary_contrast_is_the_mean_of_four_gains():
    values = {f"{system}, {task}": {"score": [10.0]} for task in FOUR for system in bert_tasks.SYSTEMS}
    values["BERT pretrained, names"] = {"score": [30.0]}
    assert bert_tasks.differences({}, values) == [5.0]
    values["MiniLM, films"] = {"score": [99.0]}
    assert bert_tasks.differences({}, values) == [5.0]


def test_names_are_scored_whole():
    example = TextExample(("Ann", "Lee", "ran"), (PERSON, GOES_ON, 0))
    assert f1([[PERSON, GOES_ON, 0]], [example]) == 100
    assert f1([[PERSON, 0, 0]], [example]) == 0


def test_what_is_drawn_depends_on_the_seed_and_holds_all_smaller_sets():
    examples = [TextExample((str(i),), (0,)) for i in range(40)]
    assert list(drawn(examples, 10, 0)) == list(drawn(examples, 20, 0))[:10]
    assert list(drawn(examples, 10, 0)) != list(drawn(examples, 10, 1))
    assert len(drawn(examples, 99, 0)) == 40


def test_exact_match_by_hand():
    question = parts(SMOKE, "answers").train[0]
    assert exact([[question.first, question.last]], [question]) == 100
    assert exact([[question.first, question.last + 1]], [question]) == 0
    with pytest.raises(ValueError, match="one span for each"):
        exact([], [question])


def test_an_answer_stands_at_its_words_pieces(small):
    found = small["BERT"]
    finder = answers.Finder(found.model, found.words)
    for question in parts(SMOKE, "answers").train:
        item = finder.encode(question)
        first = found.words.encode(question.passage[question.first])
        assert item.row.ids[item.first] == first[0]
        assert item.row.segments[item.first] == item.row.segments[item.last] == 1
        assert item.first <= item.last


def test_padding_does_not_move_an_answer(small):
    found = small["BERT"]
    finder = answers.Finder(found.model, found.words).eval()
    asked = sorted(parts(SMOKE, "answers").train, key=lambda question: len(question.passage))
    alone = spans(finder, asked[:1])
    assert spans(finder, [asked[0], asked[-1]])[0] == alone[0]
    with torch.no_grad():
        first, _ = finder([finder.encode(asked[0]), finder.encode(asked[-1])])
    assert torch.isinf(first[0, len(finder.encode(asked[0]).row.ids) :]).all()


def test_both_ways_to_find_answers_learn_them(small):
    train = parts(SMOKE, "answers").train
    assert exact(CountedEnds(10.0).fit(train)(train), train) > 90
    find = answers.find_by_bert(small["BERT"], transfer_systems.scratch, train, 3e-3, Training(150, 8), 0)
    assert exact(find(train), train) > 60


def test_questions_that_our_bert_cannot_read_are_left_out(monkeypatch):
    question = parts(SMOKE, "answers").train[0]
    assert bert_tasks.is_short(question)
    assert not bert_tasks.is_short(question._replace(passage=[*question.passage, *["of"] * 128]))
    monkeypatch.setattr(bert_tasks, "is_short", lambda question: question.kind == "who")
    for questions in bert_tasks.answers(SMOKE).values():
        assert {question.kind for question in questions} == {"who"}


def test_counting_sees_the_question_near_a_word():
    question = parts(SMOKE, "answers").train[0]
    assert features(question, question.first) != features(question, 0)


def test_minilms_table_stays_and_the_source_is_left_alone(small):
    before = {name: weight.clone() for name, weight in small["MiniLM"].model.state_dict().items()}
    learner = bert_tasks.TunedMiniLM("pretrained").learner(bert_tasks.NER, [])
    assert not learner.network.bert.token.weight.requires_grad
    assert learner.network.bert.layers[0].inner.weight.requires_grad
    bert_tasks.run(SMOKE, "MiniLM, names", 0)
    assert all(torch.equal(weight, before[name]) for name, weight in small["MiniLM"].model.state_dict().items())


def test_a_head_reads_its_layers_alone(small):
    example = TextExample(("hi", "ann"), (0, PERSON))
    for arm, chosen in {"embeddings": [0], "last": [4], "last four side by side": [1, 2, 3, 4]}.items():
        torch.manual_seed(0)
        head = bert_layers.SYSTEMS[arm].learner(bert_tasks.NER, []).eval()
        item = head.encode(example)
        before = head([item])
        for layer in range(5):
            changed = item.read.clone()
            changed[:, layer] += 1.0
            moved = not torch.equal(head([item._replace(read=changed)]), before)
            assert moved == (layer in chosen)


def test_the_untrained_control_is_another_network(small):
    control = bert_layers.encoder("scratch").model
    assert not torch.equal(control.token.weight, small["MiniLM"].model.token.weight)
    assert bert_layers.encoder("pretrained").model is small["MiniLM"].model


def test_many_texts_at_once_are_read_as_each_alone(small):
    texts = [("hi", "ann"), ("a", "good", "film", "7", "too"), ("x",)]
    for words, reading in zip(texts, bert_layers.read(small["BERT"], texts, at_once=2), strict=True):
        alone = bert_layers.states(small["BERT"], words)
        torch.testing.assert_close(reading.layers[reading.row.places], alone, atol=1e-5, rtol=0)
        assert len(reading.layers) == len(reading.row.ids)
    (table,) = {bert_layers.attention(small["BERT"], ("hi", "ann")).shape}
    assert table == (4, 2, 2, 2)
