"""The small tasks of chapter 08: what their items hold, what the rows are, what the plain rules say."""

from functools import partial

import pytest
import torch

from qkv.data.wordnet import hypernyms
from qkv.models.gpt import GPT, GPTConfig
from qkv.recipes import four_tasks
from qkv.recipes.four_tasks import TaskItem
from qkv.text.bpe import BPE
from qkv.transfer.heads import Classification
from qkv.transfer.inputs import with_special_tokens


@pytest.fixture(scope="module")
def tokens():
    return BPE.train(["it is a robin it is a bird the cat left the mat it was hungry " * 3], 270)


@pytest.fixture
def model(tokens):
    torch.manual_seed(0)
    return with_special_tokens(GPT(GPTConfig(len(tokens), 16, 2, 32, 1, max_length=64)))


def test_sentences_end_where_a_new_one_begins():
    text = 'He said, "Go!" She went. Mr. Day came at 3.5 miles.\nThen?  Yes.'
    found = ['He said, "Go!', "She went.", "Mr.", "Day came at 3.5 miles.", "Then?", "Yes."]
    assert four_tasks.sentences(text) == found


def test_articles():
    assert [four_tasks.article(noun) for noun in ("robin", "animal")] == ["a robin", "an animal"]


def test_kinds_are_balanced_and_true_to_wordnet():
    train, test = (four_tasks.kinds()[split] for split in four_tasks.SPLITS)
    assert 0.9 * four_tasks.SIZES["kinds"][0] < len(train) <= four_tasks.SIZES["kinds"][0]
    for items in (train, test):
        assert sum(item.label for item in items) * 2 == len(items)
        premises = [item.texts[0] for item in items]
        assert all(premises.count(premise) == 2 for premise in premises), "each word once with yes, once with no"
        for item in items:
            word, kind = (text.rstrip(".").split()[-1] for text in item.texts)
            assert (kind in hypernyms()[word][0]) if item.label else not any(kind in s for s in hypernyms()[word])
    assert not {item.texts[0] for item in train} & {item.texts[0] for item in test}


def test_a_kind_says_nearly_as_often_yes_as_no():
    for split in four_tasks.SPLITS:
        items = four_tasks.kinds()[split]
        by_kind = {item.texts[1]: [each.label for each in items if each.texts[1] == item.texts[1]] for item in items}
        guess = sum(max(sum(labels), len(labels) - sum(labels)) for labels in by_kind.values()) / len(items)
        assert guess < 0.56, "always saying a kind's commoner label must be little better than a coin"


def test_the_true_line_is_among_four_and_its_place_is_drawn():
    items = four_tasks.next_lines()["test"]
    assert {len(item.texts) for item in items} == {5}
    assert {item.label for item in items} == {0, 1, 2, 3}
    assert all(len(set(item.texts[1:])) == 4 for item in items)


def test_batches_have_a_row_for_each_candidate_and_both_orders(tokens, model):
    _, special = model
    sizes = {"movies": 1, "kinds": 1, "verses": 2, "next line": 4}
    texts = {"movies": 1, "kinds": 2, "verses": 2, "next line": 5}
    for task, rows in sizes.items():
        items = [TaskItem(("it is a robin",) * texts[task], 1), TaskItem(("the cat left the mat",) * texts[task], 0)]
        batch = four_tasks.batch_of(task, items, tokens, special)
        assert batch.ids.shape[:2] == (2, rows)
        assert batch.labels.tolist() == [1, 0]
        assert (batch.ids == special.extract).sum(-1).eq(1).all()


def test_fine_tuning_learns_repeats_and_answers(tokens, model):
    gpt, special = model
    items = [TaskItem(("robin bird",), 1), TaskItem(("cat mat",), 0)] * 8
    read = partial(four_tasks.batch_of, "movies", tokens=tokens, special=special)
    task = Classification(gpt, special.extract, 2)
    losses = four_tasks.tune(task, read, items, num_steps=40, peak_lr=5e-3)
    assert losses[-1] < losses[0] - 0.5
    assert four_tasks.right(four_tasks.chosen(task, read, items), items) == 1


def test_surprise_is_the_mean_over_the_line_alone(model):
    gpt, _ = model
    with torch.no_grad():
        logs = gpt.eval()(torch.tensor([[5, 6, 7, 8]]))[0].log_softmax(-1)
    expected = -(logs[1, 7] + logs[2, 8]) / 2
    assert four_tasks.surprise(gpt, [5, 6], [7, 8]) == pytest.approx(float(expected), abs=1e-5)


def test_plain_rules():
    pairs = [
        TaskItem(("a b c", "a b d"), 1),
        TaskItem(("a b c", "x y z"), 0),
        TaskItem(("k l", "k l"), 1),
        TaskItem(("k l", "m"), 0),
    ]
    assert four_tasks.overlap("a b c", "a b d") == 0.5
    assert four_tasks.by_overlap(pairs, pairs) == [1, 0, 1, 0]
    assert four_tasks.most_overlap([TaskItem(("the cat sat", "no", "the cat", "dog", "a cat"), 1)]) == [1]
    assert four_tasks.right([1, 0], [TaskItem(("a",), 1), TaskItem(("b",), 1)]) == 0.5


def test_by_probability_takes_the_cheapest_line(tokens, model):
    gpt, _ = model
    item = TaskItem(("it is", "a robin", "the mat", "bird", "hungry"), 0)
    costs = [
        four_tasks.surprise(gpt.eval(), [0, *tokens.encode(" it is")], tokens.encode(f" {text}"))
        for text in item.texts[1:]
    ]
    assert four_tasks.by_probability(gpt, tokens, [item]) == [costs.index(min(costs))]


def test_a_strip_shows_the_marks(tokens, model):
    _, special = model
    (row,) = four_tasks.rows_of("kinds", ("robin", "bird"), tokens, special)
    shown = four_tasks.strip(row, tokens, special)
    assert shown.startswith("⟨s⟩ ")
    assert shown.endswith(" ⟨e⟩")
    assert shown.replace(" ", "") == "⟨s⟩robin$bird⟨e⟩"


def test_a_bag_reads_the_last_text_alone():
    items = [TaskItem(("same", f"{word} film"), label) for word, label in (("good", 1), ("bad", 0))] * 4
    assert four_tasks.by_bag({"train": items, "test": items}) == [item.label for item in items]
