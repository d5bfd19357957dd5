"""The benchmark: its statistics by hand, and that it measures what it says."""

import pytest
import torch

from qkv import bench


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


@pytest.mark.parametrize("comparison", bench.COMPARISONS, ids=lambda comparison: comparison.name)
def test_both_sides_do_the_same_work(comparison):
    """Equal outputs, and equal gradients: a ratio of different work would say nothing."""
    for size in comparison.sizes:
        for prepare in bench.PASSES.values():
            ours, theirs = prepare(comparison.run_ours, size)(), prepare(comparison.run_theirs, size)()
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_the_table_has_a_row_per_comparison_and_size(capsys, monkeypatch):
    small = [comparison._replace(sizes=[(1, 2, 3, 5)]) for comparison in bench.COMPARISONS]
    monkeypatch.setattr(bench, "COMPARISONS", small)
    threads = torch.get_num_threads()
    bench.main(num_pairs=6)
    printed = capsys.readouterr().out
    assert printed.count("1×2×3×5") == len(small)
    assert all(comparison.name in printed for comparison in small)
    assert torch.get_num_threads() == threads
