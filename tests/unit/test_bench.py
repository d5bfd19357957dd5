"""The benchmark: its statistics by hand, and that it measures what it says."""

import json
import re
from pathlib import Path

import pytest
import torch

from qkv import bench, growth


def test_summary_by_hand():
    """Of ten ordered ratios the second and the ninth bound the median: 1 - 2 (1 + 10) / 2^10 = 97.9 %."""
    ratios = [float(x) for x in (10, 1, 9, 2, 8, 3, 7, 4, 6, 5)]
    assert bench.summary(ratios) == (5.5, 2.0, 9.0)


def test_summary_refuses_too_few():
    with pytest.raises(ValueError, match="at least 6 ratios for a 95 % interval of the median, got 5"):
        bench.summary([1.0] * 5)


def test_a_run_that_takes_four_times_as_long_has_ratio_four(monkeypatch):
    clock = [0.0]

    def lasting(duration):
        return lambda: clock.__setitem__(0, clock[0] + duration)

    monkeypatch.setattr(bench.time, "perf_counter", lambda: clock[0])
    assert bench.paired_ratios(lasting(8.0), lasting(2.0), num_pairs=6) == [4.0] * 6


def test_who_goes_first_alternates():
    calls = []
    bench.paired_ratios(lambda: calls.append("ours"), lambda: calls.append("theirs"), num_pairs=2)
    assert calls[-4:] == ["ours", "theirs", "theirs", "ours"]


SMALL = bench.Sizes(
    attention=[(1, 2, 3, 5)],
    multi_head=[(2, 3, 8, 2)],
    encoder=[(2, 3, 8, 2, 2)],
    decoder=[(2, 3, 8, 2, 2)],
    lstm=[(2, 3, 5)],
    lstm_model=[(2, 3, 5, 7, 2)],
    decoding=[(2, 4, 5, 1), (2, 4, 5, 3)],
    going_on=[(2, 4, 5, 1)],
)


@pytest.mark.parametrize("comparison", list(bench.comparisons(SMALL)), ids=lambda each: f"{each.name}, {each.work}")
def test_both_sides_do_the_same_work(comparison):
    """Equal outputs and gradients, or as many new tokens: a ratio of different work would say nothing."""
    ours, theirs = comparison.ours(), comparison.theirs()
    if comparison.name.startswith("llama"):
        assert ours.shape == (2, 5)
        assert torch.equal(ours, theirs)  # the same weights, so the same tokens
    elif comparison.work.endswith("tokens"):
        assert ours.shape == (2, 5 if comparison.name.startswith("greedy") else 4)  # beam's last one is the end symbol
        assert theirs.shape == (2, 6)  # theirs begins with the start symbol
    elif comparison.name.startswith(("multi", "encoder", "decoder", "taught LSTM", "AWD")):
        assert ours[0].abs().max() > 1e-3
        torch.testing.assert_close(ours[0], theirs[0], rtol=0, atol=1e-4)
        assert sum(each.numel() for each in ours) == sum(each.numel() for each in theirs)
    else:
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_both_decoders_are_of_one_size():
    """BART has what we have, and its own ways: two tables of positions, norms after embeddings, a bias per symbol."""
    config = bench.PRESETS["g2p"]
    with torch.device("meta"):
        ours, theirs = (
            sum(p.numel() for p in model.parameters()) for model in (bench.Transformer(config), bench.bart(config))
        )
    assert theirs == pytest.approx(ours, rel=0.02)


def test_the_table_and_the_file_have_a_row_per_comparison(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "Sizes", lambda: SMALL)
    monkeypatch.setattr(bench.growth, "AXES", {"length": [bench.growth.Size(1, t, 32) for t in (2, 4)]})
    threads = torch.get_num_threads()
    bench.main(num_pairs=6, write=tmp_path / "speed.json")
    printed = capsys.readouterr().out
    assert printed.count("1×2×3×5") == 4
    assert all(
        name in printed
        for name in (
            "taught / fused",
            "multi-head / nn.",
            "encoder / BertModel",
            "decoder / Llama",
            "AWD-LSTM / nn.LSTM",
            "taught LSTM / nn.LSTM",
            "greedy / generate",
            "beam / generate",
            "llama / generate",
            "What doubling costs",
        )
    )
    assert torch.get_num_threads() == threads
    written = json.loads((tmp_path / "speed.json").read_text())
    assert [row["name"] for row in written["ratios"]] == [each.name for each in bench.comparisons(SMALL)]
    for row in written["ratios"]:
        median, low, high = row["ratio"]
        assert low <= median <= high
        assert is_printed(median, printed)
    (grown,) = written["growth"]
    assert (grown["axis"], grown["from"], grown["to"]) == ("length", [1, 2, 32], [1, 4, 32])
    assert is_printed(grown["seconds"], printed)


def is_printed(number, text):
    """Two decimals are printed and three are written, so they may differ by a rounding."""
    return any(abs(float(found) - number) < 0.0056 for found in re.findall(r"-?\d+\.\d\d", text))


def test_the_published_figures_are_of_the_comparisons_that_there_are():
    published = json.loads((Path(__file__).parents[2] / "book" / "speed.json").read_text())
    rows = [(row["name"], row["work"], tuple(row["size"])) for row in published["ratios"]]
    assert rows == [(each.name, each.work, each.size) for each in bench.comparisons(bench.Sizes())]
    assert [row["axis"] for row in published["growth"]] == list(growth.AXES)
