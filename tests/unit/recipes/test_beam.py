"""Greedy against beam search with the committed model."""

import pytest

from qkv.recipes import beam
from qkv.recipes.pronunciation import pack
from qkv.recipes.protocol import measure


def test_a_run_of_all_arms(tmp_path):
    found = measure("beam", beam, beam.PRESETS["smoke"], range(1), tmp_path)
    facts = beam.facts(found)
    assert facts["words"] == 32
    assert all(0 < facts[f"WER {arm}"].mean < 60 for arm in beam.SEARCHES)
    assert sum("minus" in name for name in facts) == 3


def test_contrast_by_hand():
    stored = {"greedy": [1, 0, 2], "beam 4": [0, 0, 1]}
    values = {arm: {"edits": [pack(edits)], "lengths": [pack([5, 5, 5])]} for arm, edits in stored.items()}
    assert beam.differences({}, values) == [100.0, 0.0, 0.0]


def test_unknown_arm():
    with pytest.raises(ValueError, match="got 'beam 3'"):
        beam.run(beam.PRESETS["smoke"], "beam 3", 0)
