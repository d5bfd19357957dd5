"""Two claims about positions, on the same models."""

import pytest

from qkv.recipes import learned_positions, positions
from qkv.recipes.pronunciation import answer, published, splits
from qkv.recipes.protocol import fingerprint, judge, measure
from qkv.scoring.edit_distance import phoneme_error_rate

SMOKE = positions.PRESETS["smoke"]


def test_both_claims_share_their_finished_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(positions, "runs_folder", lambda: tmp_path)
    found = measure("positions", positions, SMOKE, range(2), tmp_path)
    assert set(found.values) == {"none", "sinusoidal"}
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    assert len(kept) == 4
    second = measure("learned-positions", learned_positions, learned_positions.PRESETS["smoke"], range(2), tmp_path)
    assert second.values["sinusoidal"] == found.values["sinusoidal"]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(tmp_path.rglob("*.json"))) == 6
    assert set(positions.facts(found)) == {"WER none", "PER none", "WER sinusoidal", "PER sinusoidal"}


def test_a_margin_judges_and_makes_no_cell():
    assert fingerprint(positions.PRESETS["full"]) == fingerprint(learned_positions.PRESETS["full"])


def test_a_rerun_trains_again_and_the_last_weights_are_kept(tmp_path, monkeypatch):
    """What is kept must not answer for the rerun: here it is spoilt, and the record is the same all the same."""
    monkeypatch.setattr(positions, "runs_folder", lambda: tmp_path)
    record = positions.run(SMOKE, "sinusoidal", 0)
    folder = positions.checkpoints(SMOKE, "sinusoidal", 0)
    assert (folder / "step_000006.pt").is_file()
    (folder / "step_000006.pt").write_bytes(b"spoilt")
    assert positions.run(SMOKE, "sinusoidal", 0) == record
    model = published(SMOKE.training, folder, 1)
    items = answer(model, splits(SMOKE.training)["test"][:16], 1, 0.0)
    assert round(100 * phoneme_error_rate(items), 4) == record["PER"]


def test_contrasts_by_hand():
    values = {"none": {"WER": [90, 92]}, "sinusoidal": {"WER": [40, 41]}, "learned": {"WER": [41, 41]}}
    assert positions.differences({}, values) == [50, 51]
    assert learned_positions.differences({}, values) == [1, 0]


@pytest.mark.parametrize(("learned", "word"), [([40.1, 40.2, 40], "equivalent"), ([50, 51, 50], "reversed")])
def test_equal_means_within_two_points(learned, word):
    values = {"sinusoidal": {"WER": [40, 40, 40]}, "learned": {"WER": learned}}
    assert judge(learned_positions, {"margin": learned_positions.PRESETS["full"].margin}, values)[1] == word


def test_unknown_positions():
    with pytest.raises(ValueError, match="got 'rotary'"):
        positions.run(SMOKE, "rotary", 0)
