"""Claims about depth, width, dropout, batches and averaging: brief runs of small pronunciation models."""

import pytest
import torch

from qkv.recipes import averaging, batch_size, depth, dropout, positions, pronouncers
from qkv.recipes.pronunciation import splits
from qkv.recipes.protocol import measure
from qkv.training import checkpoint


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        for module in (positions, averaging):
            patch.setattr(module, "runs_folder", lambda: folder)
        yield folder


@pytest.mark.parametrize(("module", "contrasts"), [(depth, 3), (dropout, 4), (averaging, 1), (batch_size, 1)])
def test_a_run_of_all_arms(module, contrasts, runs):
    config = module.PRESETS["smoke"]
    found = measure("name", module, config, range(2), runs)
    facts = module.facts(found)
    assert {f"WER {arm}" for arm in module.arms(config)} <= set(facts)
    assert sum("minus" in name for name in facts) == contrasts


@pytest.mark.parametrize(
    ("module", "one", "other"),
    [
        (depth, "1 layer", "4 layers"),
        (dropout, "0", "0.1"),
        (averaging, "last, level rate", "mean of 5, level rate"),
        (batch_size, "16 words", "512 words"),
    ],
)
def test_contrasts_by_hand(module, one, other):
    assert module.differences({}, {one: {"WER": [50, 52]}, other: {"WER": [45, 45]}}) == [5, 7]
    with pytest.raises(ValueError, match="got 'no such arm'"):
        module.run(module.PRESETS["smoke"], "no such arm", 0)


def test_a_schedule_is_stretched_as_a_whole():
    usual = pronouncers.BRIEF["full"].usual.training
    longer = pronouncers.stretched(usual, 1.8)
    assert (longer.settings.num_steps, longer.warmup_steps, longer.decay_steps) == (1_800, 180, 720)
    assert pronouncers.stretched(usual, 1.0) == usual


def test_few_words_come_from_the_whole_dictionary():
    words = splits(dropout.PRESETS["full"].usual.training)["train"]
    assert len(words) == 4_000
    assert (words[0].spelling[0], words[-1].spelling[0]) < ("b", "z")
    assert words[2_000].spelling[0] in "lmn"


def test_batches_of_sixteen_and_of_512_read_equally_many_words():
    config = batch_size.PRESETS["full"]
    equal = [
        batch_size.training_of(config, arm, 1e-3) for arm in ("16 words, as many words", "512 words, as many words")
    ]
    assert {each.batch_size * each.settings.num_steps for each in equal} == {51_200}
    assert {each.model.num_encoder_layers for each in equal} == {1}


def test_the_rate_is_the_one_with_the_lowest_validation_loss(runs, monkeypatch):
    seen = []

    def fit(training, folder, seed):
        seen.append((training.settings.peak_lr, seed))
        return [{"validation_loss": abs(training.settings.peak_lr - 3e-3)}]

    monkeypatch.setattr(batch_size, "fit", fit)
    batch_size.chosen_rate.cache_clear()
    assert batch_size.chosen_rate(batch_size.PRESETS["smoke"], "128 words") == 3e-3
    assert seen == [(1e-3, 1000), (3e-3, 1000)]
    batch_size.chosen_rate.cache_clear()


def test_the_mean_ends_where_it_should(tmp_path):
    training = pronouncers.BRIEF["smoke"].usual.training
    torch.manual_seed(0)
    model = averaging.Transformer(training.model)
    for step in range(1, 7):
        weights = {name: torch.full_like(tensor, float(step)) for name, tensor in model.state_dict().items()}
        checkpoint.save({"model": weights}, tmp_path, step)
    assert {p.mean().item() for p in averaging.mean_of(training, tmp_path, 0.5, 2).parameters()} == {2.5}
    assert {p.mean().item() for p in averaging.mean_of(training, tmp_path, 1.0, 1).parameters()} == {6.0}
