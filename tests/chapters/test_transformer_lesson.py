"""What the prose of the three lessons on the Transformer claims and their cells do not assert."""

import itertools
import math
import re
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from qkv.data import load as load_data
from qkv.decoding.search import Cached, Limits, beam, length_penalty
from qkv.inspection.trace import Trace
from qkv.models.transformer import (
    ACTIVATIONS,
    PRESETS,
    Extras,
    PostNormBlock,
    PreNormBlock,
    Transformer,
    TransformerConfig,
)
from qkv.nn.masks import causal
from qkv.pronounce import pronounce
from qkv.recipes import pronunciation
from qkv.recipes.result import load
from qkv.scoring.edit_distance import edit_distance, outcomes
from qkv.scoring.intervals import paired_differences
from qkv.scoring.translation import corpus_score
from qkv.text.sounds import END, PAD, SOUNDS, START, letter_ids, sound_ids, symbols
from qkv.training.batches import pad
from qkv.training.schedules import warmup_inverse_sqrt

# ---------------------------------------------------------------- lesson 1: the block


def test_the_block_1_products_of_slopes_vanish_or_grow(prose):
    x = torch.tensor(1.0, requires_grad=True)
    halves, sums = x, x
    for _ in range(20):
        halves, sums = 0.5 * halves, sums + 0.5 * sums
    (vanishing,), (growing,) = (torch.autograd.grad(y, x) for y in (halves, sums))
    assert 1 / vanishing.item() == pytest.approx(1e6, rel=0.05)
    assert growing > 3000
    said = prose("05_transformer/lesson")
    assert "$0.5^{20}$, about a millionth" in said
    assert "$1.5^{20}$ is more than three thousand" in said


def test_the_block_1_twelve_layers_learn_without_the_plus_sign():
    torch.manual_seed(0)
    layers = [nn.Linear(2, 32), *(nn.Linear(32, 32) for _ in range(12)), nn.Linear(32, 2)]
    network = nn.Sequential(layers[0], *itertools.chain(*((each, nn.ReLU()) for each in layers[1:-1])), layers[-1])
    optimizer, losses = torch.optim.Adam(network.parameters(), lr=1e-3), []
    for _ in range(300):
        x = 2 * torch.rand(64, 2) - 1
        loss = cross_entropy(network(x), (x.prod(-1) > 0).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-20:]) / 20 < 0.3


def test_the_block_3_the_network_on_paper_is_the_absolute_value():
    inner, outer = torch.tensor([[1.0, -1.0]]), torch.tensor([[1.0], [1.0]])
    for x in (3.0, -3.0, 0.5):
        assert (torch.relu(x * inner) @ outer).item() == abs(x)
    assert (inner @ outer).item() == 0


def gradient_through(bend, initialise):
    torch.manual_seed(0)
    h = bottom = torch.randn(64, 128, requires_grad=True)
    for _ in range(12):
        inner, outer = nn.Linear(128, 512), nn.Linear(512, 128)
        for layer in (inner, outer):
            initialise(layer.weight)
            nn.init.zeros_(layer.bias)
        h = outer(bend(inner(h)))
    (h * torch.randn_like(h)).sum().backward()
    return bottom.grad.norm().item()


def test_the_block_4_the_change_weights_that_suit_relu_keep_its_gradient_best():
    def suits_relu(weight):
        nn.init.kaiming_uniform_(weight, nonlinearity="relu")

    reached = {name: gradient_through(bend, suits_relu) for name, bend in ACTIVATIONS.items()}
    assert reached["relu"] > reached["tanh"] > reached["sigmoid"]


def test_the_block_6_the_change_the_hasty_block_is_not_post_ln_either():
    class HastyBlock(PreNormBlock):
        def residual(self, x, norm, sublayer):
            x = norm(x)
            return x + self.dropout(sublayer(x))

    config = TransformerConfig(24, 16, 2, 64, 2, 2, dropout=0.0)
    hasty, post = HastyBlock(config, is_decoder=False).eval(), PostNormBlock(config, is_decoder=False).eval()
    post.load_state_dict(hasty.state_dict())
    h = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(0))
    outputs = [block(h, None, extras=Extras(), name="") for block in (hasty, post)]
    assert (outputs[0] - outputs[1]).abs().max() > 0.1


def test_the_block_7_what_the_prose_says_of_the_warm_up():
    result = load("warmup")
    assert result.verdict == "not seen"
    losses = {arm: torch.tensor(values["loss"]).mean().item() for arm, values in result.values.items()}
    for norm in ("post", "pre"):
        assert 0 < losses[f"{norm} 0"] - losses[f"{norm} 75"] < 0.1
    assert losses["pre 75"] < 0.4 * losses["post 75"]
    rates = {arm: values["peak rate"] for arm, values in result.values.items()}
    assert (rates["post 0"] + rates["post 75"]).count(0.0005) == 9
    assert set(rates["pre 0"]) == {0.0015}
    assert set(rates["pre 75"]) == {0.0045}


def test_the_block_8_most_numbers_of_the_base_model_are_in_feed_forward_networks():
    """In units of d², as in the lesson: 96 for the networks, 72 for attention and as many for embeddings."""
    d, paper = 16, PRESETS["paper"]
    small = replace(paper, vocab_size=37_000 * d // paper.d_model, d_model=d, num_heads=2, d_ff=4 * d)
    assert paper.d_ff == 4 * paper.d_model
    tables = {name: p.numel() for name, p in Transformer(small).named_parameters() if p.ndim == 2}
    feed_forward, attention = (
        sum(n for name, n in tables.items() if kind in name) / d**2 for kind in ("feed_forward", "attention")
    )
    assert (feed_forward, attention) == (96, 72)
    assert sum(tables.values()) / d**2 - feed_forward - attention == pytest.approx(72, abs=0.5)


# ---------------------------------------------------------------- lesson 2: training


@pytest.fixture(scope="module")
def model():
    return Transformer.from_pretrained("g2p")


def looks(model, word, sounds):
    trace, target = Trace(), torch.tensor([sound_ids(sounds)])
    model(torch.tensor([letter_ids(word)]), target[:, :-1], trace=trace)
    return trace["decoder1.cross_attention.weights"][0].mean(0)


@torch.no_grad()
def test_training_1_each_sound_of_phone_is_read_off_its_letters(model):
    f, ow, n, _ = looks(model, "phone", ["F", "OW", "N"])
    assert f[:2].sum() > 0.8
    assert f[0] > f[1] > f[2:].max()
    assert ow.argmax() == 2
    assert n.argmax() == 3


@torch.no_grad()
def test_training_2_the_change_another_first_sound_moves_all_places_but_the_first(model):
    source = torch.tensor([letter_ids("phone")])
    right, other = (torch.tensor([sound_ids([first, "OW", "N"])[:-1]]) for first in ("F", "K"))
    moved = (model(source, right) - model(source, other)).abs().sum(-1)[0]
    assert moved.ne(0).tolist() == [False, True, True, True]


def test_training_5_the_two_means_agree_for_words_of_one_length(code):
    cell, names = code("05_transformer/lesson_2_training", "per_word ="), {"torch": torch}
    exec(cell, names)
    assert (names["per_sound"], names["per_word"]) == (pytest.approx(1.4), pytest.approx(2))
    exec(cell.partition("assert")[0].replace("[True, False, False, False]", "[True] * 4"), names)
    assert names["per_sound"] == names["per_word"]


def test_training_6_the_targets_own_probabilities_give_the_smallest_smoothed_loss():
    target, right = torch.tensor([0.925, 0.025, 0.025, 0.025]), torch.tensor([0])

    def smoothed(p):
        return cross_entropy(p.log()[None], right, label_smoothing=0.1).item()

    best = smoothed(target)
    assert best > 0
    for sure in (0.25, 0.7, 0.9, 0.95, 0.999):
        assert smoothed(torch.tensor([sure, *[(1 - sure) / 3] * 3])) > best


def test_training_6_a_tenth_of_smoothing_touches_zero_in_words():
    values = load("label-smoothing").values
    assert load("label-smoothing").verdict == "reproduced"
    wrong = paired_differences(*(values[amount]["WER"] for amount in ("0.1", "0")))
    assert sum(wrong) < 0 < max(wrong)


def test_training_7_half_the_peak_at_four_times_the_step_and_twice_the_peak_with_a_quarter_of_the_warm_up():
    assert warmup_inverse_sqrt(16_000, warmup_steps=4_000) == pytest.approx(0.5)
    assert warmup_inverse_sqrt(8_000, warmup_steps=4_000) == pytest.approx(1 / math.sqrt(2))
    peaks = {warmup_steps: (512 * warmup_steps) ** -0.5 for warmup_steps in (1000, 4000)}
    assert round(peaks[4000], 4) == 0.0007
    assert peaks[1000] == pytest.approx(2 * peaks[4000])


def test_training_2_one_call_with_the_teachers_sounds_equals_step_by_step(model):
    source, target = torch.tensor([letter_ids("phone")]), torch.tensor([sound_ids(["F", "OW", "N"])[:-1]])
    with torch.no_grad():
        at_once = model(source, target)[0]
        steps = torch.stack([model(source, target[:, : t + 1])[0, -1] for t in range(4)])
    torch.testing.assert_close(at_once, steps, atol=1e-4, rtol=0)
    assert causal(4).tolist()[0] == [True, False, False, False]


# ---------------------------------------------------------------- lesson 3: decoding

LIMITS = Limits(START, END, max_new_tokens=40)


class HastyCache(Cached):
    def select(self, rows):
        self.rows = self.rows[rows]


@pytest.fixture(scope="module")
def tested():
    words = pronunciation.splits(pronunciation.PRESETS["full"])["test"][::26][:400]
    return sorted(words, key=lambda word: len(word.spelling))


@torch.no_grad()
def answers(model, tested, make=Cached, beam_size=4):
    found = []
    for start in range(0, len(tested), 100):
        letters = pad([letter_ids(word.spelling) for word in tested[start : start + 100]], PAD)
        memory = model.encode(letters)

        def logits(ids, rows, cache, memory=memory, letters=letters):
            return model.decode(ids, memory[rows], letters[rows], cache=cache)

        found += beam(make(logits, 100), 100, LIMITS, beam_size=beam_size, alpha=0.0)
    return found


@pytest.fixture(scope="module")
def right(model, tested):
    return answers(model, tested)


@torch.no_grad()
def log_probability(model, word, sounds):
    target = torch.tensor([sound_ids(sounds)])
    each = model(torch.tensor([letter_ids(word)]), target[:, :-1]).log_softmax(-1)
    return each.gather(-1, target[:, 1:, None]).sum().item()


@torch.no_grad()
def test_decoding_1_half_of_the_probability_is_on_ae_and_a_good_third_on_ah(model):
    first = model(torch.tensor([letter_ids("adherence")]), torch.tensor([[START]]))[0, 0].softmax(-1)
    p, ids = first.topk(3)
    assert symbols(ids.tolist())[:2] == ("AE", "AH")
    assert p[0] == pytest.approx(0.5, abs=0.03)
    assert 1 / 3 < p[1] < 0.4
    assert p[2] < 0.02
    assert len(SOUNDS) ** 8 > 1e12


@pytest.fixture
def tree(prose):
    """The table of section 1: a first word, its probability, those of cat, mat and hat, and the best whole."""
    said = prose("05_transformer/lesson_3_decoding")
    rows = re.findall(r"\| (\w+) \|((?: `[.\d]+` \|){4}) \*(\w+ \w+)\* `([.\d]+)`", said)
    return {word: ([float(p) for p in re.findall(r"[.\d]+", shares)], best, float(p)) for word, shares, best, p in rows}


def test_decoding_1_the_best_wholes_of_the_table(tree):
    assert list(tree) == ["the", "a", "my"]
    for word, ((first, *second), best, p) in tree.items():
        assert sum(second) == pytest.approx(1)
        assert first * max(second) == pytest.approx(p)
        assert best == f"{word} {('cat', 'mat', 'hat')[second.index(max(second))]}"
    assert sum(first for (first, *_), _, _ in tree.values()) == pytest.approx(1)
    assert [word for word, *_ in sorted(tree.items(), key=lambda row: row[1][2])] == ["the", "a", "my"]


def test_decoding_1_the_change_my_mat_wins_when_the_model_is_more_than_84_percent_sure(tree):
    """What *a cat* has, over the probability of *my*."""
    assert tree["a"][2] / tree["my"][0][0] == pytest.approx(0.84)


def test_decoding_3_the_short_answer_wins_until_alpha_is_beyond_two():
    def score(n, p, alpha):
        return n * math.log(p) / length_penalty(n, alpha)

    assert 2 * math.log(0.8) == pytest.approx(-0.45, abs=0.005)
    assert 8 * math.log(0.8) == pytest.approx(-1.79, abs=0.006)
    assert [score(2, 0.8, alpha) > score(8, 0.8, alpha) for alpha in (0.0, 1.0, 2.0, 2.2, 2.3)] == [True] * 4 + [False]
    meet = math.log(4) / math.log(13 / 7)
    assert 2.2 < meet < 2.3
    assert score(2, 0.8, 1.0) > score(8, 0.9, 1.0)
    assert score(2, 0.8, 1.1) < score(8, 0.9, 1.1)


def test_decoding_4_forty_symbols_are_820_rows(prose):
    assert rf"= {sum(range(1, 41))}$ rows in the place of 40" in prose("05_transformer/lesson_3_decoding")


def test_decoding_5_the_change_a_beam_of_one_never_moves_rows(model, tested, right):
    def wrong_logarithms(found):
        pairs = zip(tested, (each[0] for each in found), strict=True)
        claimed = [
            (best.log_probability, log_probability(model, word.spelling, symbols(best.ids))) for word, best in pairs
        ]
        return sum(abs(a - b) > 1e-3 for a, b in claimed)

    assert wrong_logarithms(right) == 0
    assert wrong_logarithms(answers(model, tested, HastyCache, 1)) == 0
    assert wrong_logarithms(answers(model, tested, HastyCache, 4)) > 5


def test_decoding_6_most_wrong_words_have_one_wrong_sound(tested, right):
    items = outcomes([symbols(each[0].ids) for each in right], [word.pronunciations for word in tested])
    edits = [item.edits for item in items if item.edits]
    assert sum(each == 1 for each in edits) > len(edits) / 2
    assert 5.5 < sum(item.length for item in items) / len(items) < 6.5
    assert 0.2 < len(edits) / len(items) < 0.3


def test_decoding_6_replace_replace_insert():
    assert edit_distance(["JH", "IH", "N", "ER"], ["G", "IH", "NG", "ER"]) == 2
    assert edit_distance(["JH", "IH", "N", "ER"], ["JH", "IH", "N", "JH", "ER"]) == 1


def test_decoding_6_an_answer_shorter_than_its_reference_is_punished_by_the_formula():
    reference, answer = "the cat left the mat because it was hungry", "the cat left the mat because it was"
    assert corpus_score("BLEU", [answer], [[reference]]).value == pytest.approx(100 * math.exp(1 - 9 / 8), abs=0.01)


def test_decoding_6_chrf_forgives_a_wrong_ending():
    """One letter of five words: BLEU loses every pair and more that holds the word, chrF little."""
    reference, answer = "the cat left the mats", "the cat left the mat"
    bleu, chrf = (corpus_score(metric, [answer], [[reference]]).value for metric in ("BLEU", "chrF"))
    assert chrf > 90 > 80 > bleu


def test_decoding_6_the_change_single_words_do_not_notice_their_order(prose, code):
    names = {}
    exec(code("05_transformer/lesson_3_decoding", "def clipped("), names)
    turned = " ".join(reversed(names["reference"].split()))
    assert f'such as `"{turned}"`' in prose("05_transformer/lesson_3_decoding")
    assert [names["clipped"](turned, names["reference"], n)[0] for n in (1, 2, 3, 4)] == [9, 0, 0, 0]


def test_decoding_7_about_as_good_as_the_packaged_network_and_clearly_better_than_the_table():
    wrong = {arm: values["WER"][0] for arm, values in load("pronunciation").values.items()}
    assert abs(wrong["Transformer"] - wrong["packaged GRU"]) < 1
    assert load("pronunciation").verdict == "reproduced"
    assert 24 < wrong["Transformer"] < 28
    facts = pronunciation.facts(load("pronunciation"))
    strangers = {arm: facts[f"WER {arm} without relatives"].mean for arm in wrong}
    assert all(strangers[arm] > wrong[arm] for arm in wrong)
    assert 0 < strangers["Transformer"] - strangers["packaged GRU"] < 2
    assert facts["PER Transformer"].high < facts["PER packaged GRU"].low


def test_decoding_7_far_more_than_half_are_right_where_the_model_says_about_a_half(tested, right):
    def share(low, high):
        band = [
            symbols(best.ids) in word.pronunciations
            for word, (best, *_) in zip(tested, right, strict=True)
            if low <= math.exp(best.log_probability) < high
        ]
        return sum(band) / len(band)

    shares = [share(low, low + 0.2) for low in (0.0, 0.2, 0.4, 0.6)]
    assert shares[2] > 0.8
    assert shares == sorted(shares)


def test_decoding_7_it_always_answers(model):
    assert pronounce(model, ["qqq"])[0]


def test_decoding_common_mistakes_a_forgotten_position_shows_from_the_second_symbol_on(model, monkeypatch):
    letters, ids = torch.tensor([letter_ids("amazing")]), torch.tensor([[START, *sound_ids(["AH", "M"])[1:-1]]])
    with torch.no_grad():
        memory = model.encode(letters)
        plain = model.decode(ids, memory, letters)[0]
        embed, cache = model._embed, {}
        monkeypatch.setattr(model, "_embed", lambda ids, positions, start=0: embed(ids, positions))
        steps = torch.cat([model.decode(ids[:, t : t + 1], memory, letters, cache=cache)[0] for t in range(3)])
    different = (steps - plain).abs().amax(-1) > 0.01
    assert different.tolist() == [False, True, True]


def test_decoding_8_the_dictionary_leads_by_letters_and_the_transformer_by_words_in_french():
    values = load("translation").values
    means = {
        metric: {arm: quantities[metric][0][0] for arm, quantities in values.items()} for metric in ("chrF", "BLEU")
    }
    for task in ("french", "basic"):
        systems = {arm: chrf for arm, chrf in means["chrF"].items() if arm.startswith(task)}
        assert max(systems, key=systems.get) == f"{task}: dictionary"
    french = {arm: bleu for arm, bleu in means["BLEU"].items() if arm.startswith("french")}
    assert max(french, key=french.get) == "french: Transformer"
    assert values["french: Transformer"]["BLEU"][0][1] < values["french: dictionary"]["BLEU"][0][2]  # they overlap
    assert means["chrF"]["basic: copy"] > means["chrF"]["basic: Transformer"]
    assert means["BLEU"]["basic: copy"] < means["BLEU"]["basic: Transformer"]


def test_decoding_8_there_are_13_234_pairs_and_no_book_of_the_test_was_learned():
    splits = load_data("bible-pairs")
    assert len(splits["train"]) == 13_234
    books = {name: {verse.rsplit(" ", 1)[0] for verse in rows["verse"]} for name, rows in splits.items()}
    assert books["train"].isdisjoint(books["test"])
