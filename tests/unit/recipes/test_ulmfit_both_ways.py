"""The recipe that sets a forward and a backward ULMFiT beside two forward ones, at a size of seconds."""

import pytest
import torch

from qkv.recipes import ulmfit_both_ways, ulmfit_lm
from qkv.recipes.protocol import measure
from qkv.recipes.transfer_systems import scores
from qkv.recipes.transfer_tasks import TextExample
from qkv.recipes.ulmfit_both_ways import ANOTHER, BACKWARD, FORWARD, PRESETS, TEAMS, member, seen_by, turned

SMOKE = PRESETS["smoke"]
CACHES = (
    ulmfit_both_ways.language_model,
    ulmfit_both_ways.target_model,
    ulmfit_both_ways.member,
    ulmfit_both_ways._trials,
)


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    for cached in CACHES:
        cached.cache_clear()
    monkeypatch.setattr(ulmfit_both_ways, "runs_folder", lambda: tmp_path)
    yield tmp_path
    for cached in CACHES:
        cached.cache_clear()


def test_a_text_from_its_end_keeps_its_label():
    example = TextExample(("Who", "was", "Ada", "?"), (3,))
    assert turned([example]) == (TextExample(("?", "Ada", "was", "Who"), (3,)),)
    assert seen_by(BACKWARD, [example]) == turned([example])
    assert seen_by(ANOTHER, [example]) == (example,)


def test_each_reader_learns_from_the_text_its_own_way(runs, monkeypatch):
    """The ids that training gets, its seed and its folder."""
    taken, really = [], ulmfit_lm.fit_on
    monkeypatch.setattr(
        ulmfit_lm, "fit_on", lambda ids, config, folder, seed, observe: taken.append((ids, folder, seed))
        or really(ids, config, folder, seed, observe),
    )  # fmt: skip
    models = [ulmfit_both_ways.language_model(SMOKE.lm, reader).model for reader in (FORWARD, ANOTHER, BACKWARD)]
    (forward, *_), (another, _, _), (backward, *_) = taken
    assert torch.equal(forward, another)
    assert torch.equal(backward, forward.flip(0))
    assert [seed for _, _, seed in taken] == [0, 1, 0]
    assert len({folder for _, folder, _ in taken}) == 3
    tables = [model.token.embedding.weight for model in models]
    assert not torch.equal(tables[0], tables[1])
    assert not torch.equal(tables[0], tables[2])


def test_a_team_answers_with_the_mean_of_two_probabilities():
    examples, rate = SMOKE.data.test[:20], 1e-2
    by = {
        reader: scores(member(SMOKE, reader, rate, 0), seen_by(reader, examples)).softmax(-1)
        for reader in (FORWARD, ANOTHER, BACKWARD)
    }
    assert not torch.allclose(by[FORWARD], by[BACKWARD])
    for name, (first, second) in TEAMS.items():
        expected = ((by[first] + by[second]) / 2).argmax(-1)[:, None].tolist()
        assert ulmfit_both_ways._fit(SMOKE, name, rate, 0)(examples) == expected


def test_all_arms_and_what_prose_may_quote(runs):
    result = measure("x", ulmfit_both_ways, SMOKE, [0, 1], runs)
    right = {arm: result.values[arm]["accuracy"] for arm in TEAMS}
    gains = [both - two for both, two in zip(right["forward and backward"], right["two forward"], strict=True)]
    assert result.effect.mean == pytest.approx(sum(gains) / 2, abs=1e-3)
    facts = ulmfit_both_ways.facts(result)
    assert facts["accuracy backward"].value == pytest.approx(sum(right["backward"]) / 2, abs=1e-3)
    assert {f"{team} minus forward" for team in TEAMS if team != "forward"} <= set(facts)


def test_the_full_run_has_a_third_of_the_language_models_steps():
    assert 3 * PRESETS["full"].lm.settings.num_steps == ulmfit_lm.PRESETS["full"].settings.num_steps
    assert PRESETS["full"].lm.model == ulmfit_lm.PRESETS["full"].model
