"""The figures' own arithmetic, run by Node as it ships, against PyTorch, to 1e-5."""

import itertools
import json
import math
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import torch

from qkv import toy
from qkv.data import load
from qkv.figures import banks, gpt_rows, head_layer, pictures, pieces_and_gaps, rates, reading, reference, scripts
from qkv.inspection import waves
from qkv.nn.attention import scaled_dot_product_attention
from qkv.nn.masks import causal
from qkv.nn.scalar_mix import ScalarMix
from qkv.text.wordpiece import WordPiece, cut, words
from qkv.training.schedules import one_cycle, slanted_triangular

NODE = Path(sys.executable).parent / "node"
CLOSE = 1e-5


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """``run(figure, expression)``: the value of a JavaScript expression in which ``figure`` is the module."""
    folder = tmp_path_factory.mktemp("modules")
    for name in scripts.NAMES:
        (folder / f"{name}.mjs").write_text(scripts.module(name), encoding="utf-8")

    def run(name, expression, argument=None):
        program = (
            f"import * as figure from './{name}.mjs';"
            "const argument = JSON.parse(await new Response(process.stdin).text());"
            f"process.stdout.write(JSON.stringify({expression}));"
        )
        done = subprocess.run(
            [NODE, "--input-type=module", "-e", program],
            input=json.dumps(argument),
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def rows(numbers):
    return torch.tensor(numbers, dtype=torch.float64)


@pytest.mark.parametrize("mask", ["none", "causal"])
@pytest.mark.parametrize("word", ["hungry", "wet"])
def test_stepper_on_the_toy(run, mask, word):
    query = [*toy.QUERY[:2], toy.QUERY_IT_WET if word == "wet" else toy.QUERY[2]]
    state = {"mask": mask, "q": query, "k": toy.KEY, "v": toy.VALUE}
    ours = run("stepper", "[0, 1, 2].map((row) => figure.compute({ ...argument, row }))", state)
    may = causal(3) if mask == "causal" else None
    output, weights = scaled_dot_product_attention(rows(query), rows(toy.KEY), rows(toy.VALUE), may_attend=may)
    assert [row["scores"] for row in ours] == (rows(query) @ rows(toy.KEY).T).tolist()
    torch.testing.assert_close(rows([row["weights"] for row in ours]), weights, atol=CLOSE, rtol=0)
    torch.testing.assert_close(rows([row["output"] for row in ours]), output, atol=CLOSE, rtol=0)


def test_stepper_on_edited_numbers(run):
    """Forty sets of numbers up to the largest that the figure takes, 20; the scores reach the hundreds."""
    generator = torch.Generator().manual_seed(1)
    q, k, v = (40 * torch.rand(40, 3, size, generator=generator, dtype=torch.float64) - 20 for size in (4, 4, 2))
    states = [
        {"mask": "causal", "row": 2, "q": q[n].tolist(), "k": k[n].tolist(), "v": v[n].tolist()} for n in range(40)
    ]
    ours = run("stepper", "argument.map(figure.compute)", states)
    output, weights = scaled_dot_product_attention(q, k, v, may_attend=causal(3))
    torch.testing.assert_close(rows([one["weights"] for one in ours]), weights[:, 2], atol=CLOSE, rtol=0)
    torch.testing.assert_close(rows([one["output"] for one in ours]), output[:, 2], atol=CLOSE, rtol=0)


def test_without_the_division_row_it_is_steeper(run):
    assert run("stepper", "figure.softmax([4, 2, 0])") == pytest.approx([0.867, 0.117, 0.016], abs=5e-4)


def test_softmax_does_not_overflow(run):
    assert run("stepper", "figure.softmax([1000, 999, -1000])") == pytest.approx([0.73106, 0.26894, 0], abs=CLOSE)


def test_surprise_row_cat_under_the_mask_gives_ten_zero_whatever_its_query(run):
    queries = [[0, 0, 2, 2], [20, -20, 3, 1], [-1, 5, 0, 0]]
    states = [{"mask": "causal", "row": 0, "q": [q, *toy.QUERY[1:]], "k": toy.KEY, "v": toy.VALUE} for q in queries]
    assert [one["output"] for one in run("stepper", "argument.map(figure.compute)", states)] == [[10, 0]] * 3


def test_live_sentences_of_the_steps(run):
    state = {"mask": "none", "row": 2, "q": toy.QUERY, "k": toy.KEY, "v": toy.VALUE}
    assert run("stepper", "[0, 1, 2, 3].map((step) => figure.sentence({ ...argument, step }))", state) == [
        "Step 1. *it* scores cat 4, mat 2, it 0.",
        "Step 2. Divided by 2, *it* has cat 2, mat 1, it 0.",
        "Step 3. *it* gives cat .67, mat .24, it .09.",
        "Step 4. *it* receives (6.65, 2.45), a mix of the values.",
    ]


def test_numbers_are_written_alike_in_script_and_stand_in(run):
    numbers = [0.0, 1.0, 2.45, 0.665, 0.0004, 7.389, 10.0, 0.5, 11.107]
    assert run("stepper", "argument.map((x) => figure.format(x))", numbers) == [pictures.short(x) for x in numbers]


def test_coins_are_the_same_bits(run):
    assert run("dk_slider", "figure.range(200).map((n) => figure.word(11, n))") == reference.words(11, 0, 200).tolist()


@pytest.mark.parametrize("d_k", reference.STOPS)
def test_scores_of_a_draw_are_the_same_whole_numbers(run, d_k):
    drawn = reference.coins(d_k, num_draws=5)
    ours = run(
        "dk_slider",
        "figure.range(5).map((draw) => figure.sample(argument.seed, draw, argument.d))",
        {"seed": reference.SEED, "d": d_k},
    )
    for n, one in enumerate(ours):
        assert one["scores"] == (drawn[n, 1:] @ drawn[n, 0]).tolist()
        assert one["gram"] == (drawn[n, 1:] @ drawn[n, 1:].T).tolist()


@pytest.mark.parametrize("d_k", reference.STOPS)
def test_all_draws_give_the_same_spreads(run, d_k):
    ours = run("dk_slider", "figure.summary(argument).spreads", d_k)
    for scaled in (False, True):
        for name, spread in reference.summary(d_k, scaled).items():
            assert ours[scaled][name] == pytest.approx(vars(spread), abs=CLOSE), (scaled, name)


EVERY_GATE = list(itertools.product((0, 1), repeat=3))


@pytest.mark.parametrize("order", [0, 1])
def test_heads_weights_outputs_answers_and_loss(run, order):
    words = head_layer.ORDERS[order]
    ours = run("heads", "argument.map(figure.compute)", [{"order": order, "gates": gates} for gates in EVERY_GATE])
    output, weights = head_layer.attend(words)
    for one, gates in zip(ours, EVERY_GATE, strict=True):
        assert one["words"] == words
        torch.testing.assert_close(
            rows([[row["weights"] for row in head] for head in one["heads"]]), weights, atol=CLOSE, rtol=0
        )
        torch.testing.assert_close(
            rows([[row["output"] for row in head] for head in one["heads"]]), output, atol=CLOSE, rtol=0
        )
        torch.testing.assert_close(
            rows(one["answers"]), torch.stack(list(head_layer.answers(words, gates).values())), atol=CLOSE, rtol=0
        )
        assert one["loss"] == pytest.approx(head_layer.loss(words, gates), abs=CLOSE)


def test_surprise_each_who_head_can_go_alone_and_both_together_cost_a_guess(run):
    states = [{"order": 0, "gates": gates} for gates in ([1, 1, 1], [0, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0])]
    whole, first, second, both, none = (one["loss"] for one in run("heads", "argument.map(figure.compute)", states))
    assert first == pytest.approx(second)
    assert first - whole < 0.02
    assert both - whole == pytest.approx(math.log(2), abs=1e-3)
    assert none == pytest.approx(math.log(4), abs=CLOSE)


def test_live_sentences_of_the_heads(run):
    states = [{"order": 0, "gates": gates} for gates in ([1, 1, 1], [0, 1, 1], [0, 0, 1])]
    states.append({"order": 1, "gates": [0, 0, 0]})
    assert run("heads", "argument.map(figure.sentence)", states) == [
        "All heads are on. For *left*, who is cat, what is mat. Loss .018 nats.",
        "Silent: 1 (who). For *left*, who is cat, what is mat. Loss .036 nats, .018 more than with all heads.",
        "Silent: 1 (who) and 2 (who). For *left*, who is a guess, what is mat. "
        "Loss .711 nats, .693 more than with all heads.",
        "Silent: 1 (who), 2 (who) and 3 (what). For *left*, who is a guess, what is a guess. "
        "Loss 1.386 nats, 1.368 more than with all heads.",
    ]


SIZE = reference.CLOCK_LENGTH, reference.CLOCK_D_MODEL


@pytest.mark.parametrize("version", waves.VERSIONS)
def test_clock_tables(run, version):
    ours = rows(run("clock", "figure.build(argument)", version))
    torch.testing.assert_close(ours, waves.VERSIONS[version](*SIZE).double(), atol=CLOSE, rtol=0)


@pytest.mark.parametrize("step", [1, 3, reference.CLOCK_FURTHEST])
@pytest.mark.parametrize("version", waves.VERSIONS)
def test_clock_judges_each_promise_as_the_library_does(run, version, step):
    table = waves.VERSIONS[version](*SIZE)
    kept = [keeps(table) for keeps in waves.PROPERTIES.values()]
    kept[1] = waves.step_turns_hands(table, step)
    judged = run("clock", "figure.promises(argument)", {"k": step, "version": version})
    assert [one["kept"] for one in judged] == kept


@pytest.mark.parametrize("version", waves.VERSIONS)
def test_clock_measures(run, version):
    table = waves.VERSIONS[version](*SIZE).double()
    ours = run("clock", "figure.measure(argument, 7)", version)
    lengths, products = table.norm(dim=-1), (table @ table.T).diagonal(7)
    assert ours["least"] == pytest.approx(lengths.min().item(), abs=CLOSE)
    assert ours["most"] == pytest.approx(lengths.max().item(), abs=CLOSE)
    assert ours["low"] == pytest.approx(products.min().item(), abs=CLOSE)
    assert ours["high"] == pytest.approx(products.max().item(), abs=CLOSE)
    assert ours["exact"] == pytest.approx((table - waves.VERSIONS["formula"](*SIZE)).abs().max().item(), abs=CLOSE)


def test_clock_hands_turn_by_the_step_times_their_speed(run):
    ours = run("clock", "figure.present(argument)", {"p": 11, "k": 5, "version": "formula"})
    table = waves.VERSIONS["formula"](*SIZE).double()
    expected = [5 / 10_000 ** (2 * i / SIZE[1]) for i in range(SIZE[1] // 2)]
    assert [hand["turn"] for hand in ours["hands"]] == pytest.approx(expected, abs=CLOSE)
    assert ours["product"] == pytest.approx((table[11] @ table[16]).item(), abs=CLOSE)


@pytest.mark.parametrize("family", reading.FAMILIES)
def test_families_read_as_the_masks_allow(run, family):
    assert run("families", "figure.matrix(argument)", family) == reading.mask(family).tolist()


def test_families_prefix_and_two_stacks_read_alike_and_the_others_do_not(run):
    counts = {
        pair: run("families", "figure.moved(...argument)", list(pair))
        for pair in itertools.combinations(reading.FAMILIES, 2)
    }
    assert counts == {(one, two): (reading.mask(one) != reading.mask(two)).sum().item() for one, two in counts}
    assert [pair for pair, count in counts.items() if count == 0] == [("prefix", "encoder–decoder")]


def test_families_say_what_the_mask_says(run):
    say = "figure.sentence(argument, argument.from)"
    for family, i, j in itertools.product(reading.FAMILIES, range(6), range(6)):
        said = run("families", say, {"family": family, "i": i, "j": j}) if (i, j) in {(1, 2), (2, 4), (4, 0)} else ""
        assert not said or (" may read " in said) == bool(reading.mask(family)[i, j]), said
    assert run("families", say, {"family": "encoder–decoder", "i": 1, "j": 2, "from": "prefix"}).endswith(
        "From prefix, no cells changed."
    )


MIXES = [([0.0, 0.0, 0.0], 1.0), ([0.0, 3.0, -2.0], 1.0), ([-8.0, -8.0, 8.0], 2.0), ([1.5, -0.5, 1.0], 0.1)]


@pytest.mark.parametrize(("weights", "gamma"), MIXES)
def test_mix_points_are_those_of_the_scalar_mix(run, weights, gamma):
    mix = ScalarMix(3).double()
    mix.weights.data, mix.gamma.data = rows(weights), rows(gamma)
    mixed = mix(banks.layers())
    expected = mix(banks.plane(banks.layers()))
    ours = rows(run("mix", "figure.points(argument)", {"weights": weights, "gamma": gamma}))
    torch.testing.assert_close(ours, expected.detach(), atol=CLOSE, rtol=0)
    cosines = torch.nn.functional.cosine_similarity(mixed[:, None], mixed[None], dim=-1)
    pairs = [[0, 1], [2, 7], [9, 5]]
    seen = run(
        "mix", "argument.pairs.map(([a, b]) => figure.cosine(argument, a, b))", {"weights": weights, "pairs": pairs}
    )
    assert seen == pytest.approx([cosines[a, b].item() for a, b in pairs], abs=CLOSE)


@pytest.mark.parametrize(("weights", "gamma"), MIXES)
def test_mix_finds_the_nearest_bank_as_the_library_does(run, weights, gamma):
    shares = rows(weights).softmax(0).tolist()
    state = {"weights": weights, "gamma": gamma}
    assert run("mix", "figure.agreeing(argument)", state) == banks.same_sense(banks.layers(), shares)


def test_mix_of_the_token_layer_alone_is_one_point(run):
    state = {"weights": [30, -30, -30], "gamma": 2}
    assert run("mix", "figure.neighbours(argument)", state) == [-1] * 10
    assert run("mix", "figure.sentence(argument)", state) == (
        "Shares 1, 0, 0, γ 2: all ten banks are one and the same vector."
    )
    assert torch.allclose(rows(run("mix", "figure.points(argument)", state)), torch.zeros(10, 2).double(), atol=CLOSE)


def test_mix_gamma_stretches_the_plane_and_moves_no_cosine(run):
    one, two = ({"weights": [0.5, 1, -1], "gamma": gamma} for gamma in (1, 2))
    small, large = (rows(run("mix", "figure.points(argument)", state)) for state in (one, two))
    torch.testing.assert_close(2 * small, large)
    assert run("mix", "figure.neighbours(argument)", one) == run("mix", "figure.neighbours(argument)", two)


RUNS = [
    rates.Rates(),
    rates.Rates(num_steps=99),
    rates.Rates(num_steps=7),
    rates.Rates(num_steps=47, cut_frac=0.25, ratio=5.0, factor=1.7, gradual=False),
    rates.Rates(num_steps=120, cut_frac=0.15, ratio=64.0, factor=4.0),
    rates.Rates(num_steps=5, cut_frac=0.5, ratio=2.0, factor=1.0),
]


def as_state(run):
    return {
        "T": run.num_steps,
        "cutFrac": run.cut_frac,
        "ratio": run.ratio,
        "factor": run.factor,
        "gradual": run.gradual,
    }


@pytest.mark.parametrize("state", RUNS)
def test_rates_of_all_groups_at_all_steps(run, state):
    torch.testing.assert_close(
        rows(run("rates", "figure.tableOf(argument)", as_state(state))), rows(state.table()), atol=CLOSE, rtol=0
    )


@pytest.mark.parametrize("num_steps", [5, 47, 99, 120])
def test_one_cycle_beside_it(run, num_steps):
    ours = run("rates", "figure.range(argument + 1).map((step) => figure.oneCycle(step, argument))", num_steps)
    assert ours == pytest.approx([one_cycle(step, num_steps) for step in range(num_steps + 1)], abs=CLOSE)


def test_surprise_of_the_rates_only_the_head_sees_the_peak(run):
    table = run("rates", "figure.tableOf(argument)", as_state(rates.Rates()))
    largest = [max(row) for row in table]
    assert largest[-1] == 1
    assert all(below < 2.6**-depth * 0.93 for depth, below in enumerate(largest[-2::-1], start=1))
    peak = table[-1].index(1)
    assert all(row[peak] == 0 for row in table[:-1])


def test_the_sum_that_makes_a_rate_ends_in_it(run):
    state = as_state(rates.Rates()) | {"level": 3, "step": 42}
    lines = run("rates", "figure.working(argument)", state)
    assert lines == [
        "cut = ⌊100 · .1⌋ = 10",
        "p = 1 − (42 − 10) / (10 · (1 / .1 − 1)) = .6444",
        "triangle = (1 + .6444 · (32 − 1)) / 32 = .6556",
        "layer: ÷ 2.6 = .2521",
        "epoch 2: unfrozen since epoch 1, × 1",
    ]
    assert rates.Rates().at(3, 42) == pytest.approx(0.2521, abs=5e-5)


def test_the_sum_says_where_the_published_formula_goes_negative(run):
    state = as_state(rates.Rates(num_steps=99)) | {"level": 4, "step": 98}
    lines = run("rates", "figure.working(argument)", state)
    assert "= −.0988, stopped at 0" in lines[1]
    assert lines[-1] == "As published p is −.0988 and the triangle −.0644."
    assert rates.Rates(num_steps=99).at(4, 98) == slanted_triangular(98, 99) == 1 / 32


def test_live_sentences_of_the_rates(run):
    states = [as_state(rates.Rates()) | {"level": level, "step": 50} for level in (2, 0)]
    assert run("rates", "argument.map(figure.sentence)", states) == [
        "At step 50 of 100, *layer 2* learns with .0842 of the peak rate; its largest rate in the run is .1002. "
        "One-cycle would stand at .75.",
        "At step 50 of 100, *words* is frozen; its largest rate in the run is .0054. One-cycle would stand at .75.",
    ]


@pytest.mark.parametrize("adviser", pieces_and_gaps.SCORES)
def test_merge_game_merges_as_the_library_does(run, adviser):
    ours = run("merge_game", "figure.play(argument, 8)", adviser)
    assert [tuple(pair) for pair in ours] == pieces_and_gaps.merges(pieces_and_gaps.SCORES[adviser], 8)


def test_merge_game_cuts_as_the_library_does(run):
    vocabulary = [*pieces_and_gaps.alphabet(), "##al", "##alk", "walk", "##ed", "talk"]
    words = ["walked", "talks", "wed", "jump", "deep", "talkalked"]
    ours = run("merge_game", "argument.words.map((word) => figure.cut(word, argument.vocabulary).pieces)",
               {"words": words, "vocabulary": vocabulary})  # fmt: skip
    assert ours == [cut(word, vocabulary) for word in words]


@pytest.mark.parametrize("version", pieces_and_gaps.VERSIONS)
def test_mask_tallies_count_as_numpy_does(run, version):
    ours = run("mask_tallies", "figure.tallies(argument)", {"version": version, "seed": 11, "texts": 220})
    assert ours == pieces_and_gaps.tallies(version, 220)


OUTSIDE = {  # the lines, from 0, that 2,000 texts put outside their band
    pieces_and_gaps.VERSIONS[0]: [],
    pieces_and_gaps.VERSIONS[1]: [1, 2, 3],
    pieces_and_gaps.VERSIONS[2]: [2, 3],
    pieces_and_gaps.VERSIONS[3]: [4],
}


@pytest.mark.parametrize("version", pieces_and_gaps.VERSIONS)
def test_mask_tallies_tell_each_bug_and_not_the_published_version(run, version):
    lines = run("mask_tallies", "figure.lines(argument)", {"version": version, "seed": 11, "texts": 2000})
    assert [i for i, line in enumerate(lines) if not line["inside"]] == OUTSIDE[version]


PAIRS = {task: {"task": task, "first": first, "second": second} for task, (first, second) in gpt_rows.TASKS.items()}


@pytest.mark.parametrize("task", gpt_rows.TASKS)
def test_composer_writes_the_rows_of_the_library(run, task):
    assert run("composer", "figure.rows(argument)", PAIRS[task]) == gpt_rows.rows(task, *gpt_rows.TASKS[task])


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("task", gpt_rows.TASKS)
def test_composer_scores_as_the_librarys_attention_does(run, task, last):
    for slots in (4, 15, 24):
        state = PAIRS[task] | {"slots": slots, "last": last}
        expected = gpt_rows.scores(task, *gpt_rows.TASKS[task], slots, last)
        torch.testing.assert_close(
            rows(run("composer", "figure.scores(argument)", state)), rows(expected), atol=CLOSE, rtol=0
        )


def test_composer_at_the_extract_token_no_batch_moves_a_score_and_at_the_last_slot_each_does(run):
    states = [[PAIRS["entailment"] | {"slots": n, "last": last} for n in (12, 16, 20)] for last in (False, True)]
    ours = run("composer", "argument.map((each) => each.map((state) => figure.scores(state)[0]))", states)
    assert len(set(ours[0])) == 1
    assert len({round(score, 4) for score in ours[1]}) == 3


def test_composer_is_fair_to_both_orders(run):
    pair = PAIRS["similarity"] | {"slots": 14, "last": False}
    swapped = pair | {"first": pair["second"], "second": pair["first"]}
    one, other = run("composer", "argument.map(figure.scores)", [pair, swapped])
    assert one == pytest.approx(other, abs=1e-12)
    assert one[0] != pytest.approx(
        run("composer", "figure.scores(argument)", pair | {"task": "entailment"})[0], abs=1e-3
    )


def test_composer_says_what_is_missing(run):
    states = [PAIRS["entailment"] | {"slots": 9, "last": False, "second": "  "},
              PAIRS["multiple choice"] | {"slots": 9, "last": False, "second": "only one"}]  # fmt: skip
    assert run("composer", "argument.map(figure.sentence)", states) == [
        "Type a text in each box.",
        "Type a context, and at least two endings with / between them.",
    ]


SETTINGS = [
    (1.0, None, 1.0),
    (0.5, None, 1.0),
    (2.0, 40, 1.0),
    (1.0, None, 0.9),
    (0.7, 10, 0.6),
    (3.0, 300, 0.35),
    (1.0, 1, 0.05),
]


@pytest.mark.parametrize("beginning", range(len(gpt_rows.BEGINNINGS)))
def test_next_token_odds_are_those_of_the_library(run, beginning):
    states = [{"beginning": beginning, "temperature": t, "topK": k or 10**6, "topP": p} for t, k, p in SETTINGS]
    ours = rows(run("next_token", "argument.map(figure.odds)", states))
    expected = torch.stack([gpt_rows.odds(beginning, t, k, p) for t, k, p in SETTINGS])
    torch.testing.assert_close(ours, expected, atol=CLOSE, rtol=0)
    assert ours.count_nonzero(-1).tolist() == expected.count_nonzero(-1).tolist()


def test_next_token_table_is_near_the_model(run):
    """Best scores to three decimals, the rest on a grid: no chance of the model is off by a hundredth."""
    exact = gpt_rows.all_scores().double().softmax(-1).sort(-1, descending=True).values
    table = torch.stack([gpt_rows.table_of(i).softmax(-1) for i in range(len(gpt_rows.BEGINNINGS))])
    torch.testing.assert_close(table, exact, atol=0.01, rtol=0)


def test_next_token_draws_what_is_left(run):
    state = {"beginning": 2, "temperature": 1.0, "topK": 3, "topP": 1, "draws": 4}
    assert set(run("next_token", "figure.drawn(argument)", state)) <= {0, 1, 2}
    many = {"beginning": 2, "temperature": 1.0, "topK": 2, "topP": 1}
    first = run(
        "next_token",
        "[...Array(400).keys()].flatMap((n) => figure.drawn({ ...argument, draws: n + 1 })).filter((i) => !i).length",
        many,
    )
    chance = float(gpt_rows.odds(2, 1.0, 2, 1.0)[0])
    assert abs(first / 4000 - chance) < 5 * math.sqrt(chance * (1 - chance) / 4000)


CUT = "argument.texts.map((text) => figure.tokens(text, new Map(argument.vocabulary.map((piece, i) => [piece, i]))))"
HARD = (
    "Café NAÏVE Σίσυφος ΟΔΥΣΣΕΥΣ İstanbul straße ﬁn Ångström",
    "don't—stop… “quoted” $5.00 50% x^2 a_b `c` {d} <e> ~ | \\ / ¡ ¿",
    "漢字かな交じり文 한국어 مرحبا नमस्ते 🙂 𝔘𝔫𝔦 ☃",
    "a\u00a0b\u2003c\u3000d\u200be\ufefff\u00adg\x00h\ufffdi\tj\r\nk\x85l\u2028m",
    "[MASK][CLS] [mask] [PAD]x [UNK]y[SEP] [ MASK ] [[MASK]] [MASK",
    "x" * 100 + " " + "x" * 101 + " " + "𝒳" * 60,
    "   ",
    "",
)


@pytest.fixture(scope="module")
def pieces():
    return WordPiece.from_pretrained("bert")


@pytest.fixture(scope="module")
def written():
    """Evenly spaced texts of books, addresses, articles, reviews and tweets that no model was trained on."""
    texts = load("running-text")["test"]["text"]
    return texts[:: len(texts) // 400][:400]


def test_fill_mask_cuts_real_texts_as_the_library_does(run, pieces, written):
    ours = run("fill_mask", CUT, {"texts": written, "vocabulary": pieces.vocabulary})
    expected = [pieces.tokens(text) for text in written]
    assert len(set(written)) >= 350
    assert sum(map(len, expected)) > 20_000
    assert [each["pieces"] for each in ours] == expected


def test_fill_mask_cuts_with_another_vocabulary_and_hard_texts_as_the_library_does(run, pieces, written):
    for other in (pieces, WordPiece.from_pretrained("minilm")):
        texts = [*HARD, *written[:50]]
        ours = run("fill_mask", CUT, {"texts": texts, "vocabulary": other.vocabulary})
        assert [each["pieces"] for each in ours] == [other.tokens(text) for text in texts]
        assert [len(each["unknown"]) for each in ours[:4]] == [pieces_unknown(text, other) for text in HARD[:4]]


def pieces_unknown(text, pieces):
    return sum(cut(word, pieces.ids) == ["[UNK]"] for word in words(text))


def test_fill_mask_knows_every_sign_that_python_knows(run):
    """Between two letters; signs that are newer than Python's tables are left out, and one that changed its kind."""
    codes = [code for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")]
    codes.remove(0x1171E)  # a mark with a width of its own since Unicode 15
    ours = run(
        "fill_mask", "argument.map((code) => figure.words('a' + String.fromCodePoint(code) + 'B').join(' '))", codes
    )
    different = [
        f"U+{code:04X}" for code, found in zip(codes, ours, strict=True) if found != " ".join(words(f"a{chr(code)}B"))
    ]
    assert len(codes) > 140_000
    assert different == []


def test_fill_mask_reads_what_is_typed_or_says_what_is_in_the_way(run, pieces):
    texts = ["He [mask] ab.", " \u200b ", "a " * 127, "a " * 126, "Snow ☃ and ☃ and 🙂"]
    ours = run(
        "fill_mask",
        "argument.texts.map((text) => figure.read(text, new Map(argument.vocabulary.map((piece, i) => [piece, i]))))",
        {"texts": texts, "vocabulary": pieces.vocabulary},
    )
    first, empty, long, full, strange = ours
    assert [item["piece"] for item in first["line"]] == ["he", "", "ab", "."]
    assert [item["hidden"] for item in first["line"]] == [False, True, False, False]
    assert empty["trouble"] == "There is no text yet. Write a line with [MASK] where a word is missing."
    assert long["trouble"] == "This text has 127 pieces. The model reads at most 126: take some words away."
    assert len(full["line"]) == 126
    assert strange["remark"] == (
        "The model has no pieces for “☃” and “🙂”. It reads [UNK] there, which says nothing to it."
    )
    assert first["remark"] == full["remark"] == ""


def test_fill_mask_hides_a_piece_and_puts_it_back_and_fills_a_gap_of_the_readers_own(run):
    line = [{"piece": "cat", "hidden": False, "guessed": False}, {"piece": "", "hidden": True, "guessed": True}]
    hidden = run("fill_mask", "figure.flipped(argument, 0)", line)
    assert hidden[0] == {"piece": "cat", "hidden": True, "guessed": False}
    assert run("fill_mask", "figure.flipped(argument, 0, 'dog')", hidden) == line
    filled = run("fill_mask", "figure.flipped(argument, 1, 'sat')", line)
    assert filled[1] == {"piece": "sat", "hidden": False, "guessed": True}
    again = run("fill_mask", "figure.flipped(figure.flipped(argument, 1), 1, 'lay')", filled)
    assert again[1]["piece"] == "lay"


def test_live_sentences_of_the_gaps(run):
    best = [["out", 0.7031], ["down", 0.035], ["back", 0.03], ["up", 0.02], ["on", 0.0001]]
    stood = {"piece": "away", "chance": 0.0001, "place": 1234}
    states = [[], [{"at": 2, "best": best}], [{"at": 2, "best": best, "stood": stood}]]
    states.append([{"at": 2, "best": best}, {"at": 3, "best": best[::-1]}])
    ours = run("fill_mask", "argument.map((gaps) => figure.sentence({ gaps }))", states)
    one = "In the gap the model expects “out” (.703), then “down”, “back”, “up” and “on”."
    assert ours == [
        "There is no gap. Choose a word below to hide it, or write [MASK] in the text.",
        one,
        f"{one} “away” stood here: place 1,234 of 4,000, chance under .001.",
        "Gap 1: “out” (.703); Gap 2: “on” (under .001). Each is guessed alone, with all gaps open.",
    ]
