"""The static figures show the numbers they are given, in the course's colours, large enough to read."""

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_rgb

from qkv import plots, toy
from qkv.nn.masks import causal
from qkv.scoring.intervals import Interval

WEIGHTS = torch.tensor([[0.333, 0.333, 0.334], [0.107, 0.107, 0.786], [0.665, 0.245, 0.090]])
PIXELS_PER_POINT = 110 / 72


@pytest.fixture(autouse=True)
def _style():
    with plt.rc_context():
        plots.use_style()
        yield
    plt.close("all")


CURVE = {50: Interval(40.0, 38.0, 42.0), 200: Interval(60.0, 55.0, 63.0)}

FIGURES = {
    "shares": lambda: plots.shares({"hungry": WEIGHTS[2], "wet": WEIGHTS[1]}, toy.WORDS),
    "grids": lambda: plots.grids({"no mask": WEIGHTS, "causal": WEIGHTS.tril()}, toy.WORDS, {"causal": causal(3)}),
    "mix": lambda: plots.mix(torch.tensor(toy.VALUE, dtype=torch.float32), WEIGHTS, toy.WORDS, (12.0, 0.0)),
    "losses": lambda: plots.losses({"tested": [2.0, 0.1], "from memory": [2.0, 0.2]}),
    "spread": lambda: plots.spread({4: torch.tensor([-2.0, 0.0, 0.0, 2.0]), 16: torch.tensor([-4.0, 0.0, 4.0])}),
    "tables": lambda: plots.tables({"waves": WEIGHTS, "turned": WEIGHTS.T}, "position", "column"),
    "schedules": lambda: plots.schedules({"slanted": [0.1, 1.0, 0.5, 0.1], "one-cycle": [0.1, 0.5, 1.0, 0.0]}),
    "learning_curves": lambda: plots.learning_curves(
        {"tags": {"bag": CURVE, "network": CURVE}, "films": {"bag": CURVE}}
    ),
    "heads": lambda: plots.heads(torch.tensor([[0.0, 3.0], [8.0, 1.0]]), total=20),
}


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(plt.Text) if text.get_text()]


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_smaller_than_13_pixels(name):
    figure = FIGURES[name]()
    figure.canvas.draw()
    assert min(text.get_fontsize() for text in figure.findobj(plt.Text) if text.get_text()) * PIXELS_PER_POINT >= 13


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_an_opaque_white_card_that_fits_a_phone(name):
    figure = FIGURES[name]()
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert figure.get_figwidth() == plots.WIDTH


def test_shares_write_the_numbers_at_the_bars():
    figure = FIGURES["shares"]()
    assert {"0.09", "0.11", "0.79", "hungry", "wet"} <= set(texts(figure))
    assert [bar.get_width() for bar in figure.axes[0].patches] == pytest.approx([0.665, 0.245, 0.090])


def test_grids_hatch_blocked_pairs_and_write_no_number_there():
    no_mask, masked = FIGURES["grids"]().axes
    assert len(no_mask.patches) == 0
    assert len(masked.patches) == 3
    assert {patch.get_hatch() for patch in masked.patches} == {"///"}
    assert len(no_mask.texts) == 9
    assert len(masked.texts) == 6
    assert masked.get_ylim() == (3, 0)  # the first word stands at the top


def test_mix_draws_outputs_filled_in_their_role_colour():
    axis = FIGURES["mix"]().axes[0]
    values, outputs, wanted = axis.lines
    assert wanted.get_xydata().tolist() == [[12, 0]]
    assert outputs.get_xydata()[2].tolist() == pytest.approx([6.65, 2.45])
    assert values.get_markerfacecolor() == plots.CARD
    assert to_rgb(outputs.get_color()) == to_rgb(plots.OUTPUT)


def test_spread_brackets_one_standard_deviation_and_draws_both_versions_on_one_axis():
    axes = FIGURES["spread"]().axes
    brackets = [axis.lines[0].get_xdata().tolist() for axis in axes]
    assert brackets == [[-2, 2], [-1, 1], [-4, 4], [-1, 1]]
    assert len({axis.get_xlim() for axis in axes}) == 1
    heights = [bar.get_height() for bar in axes[0].patches]
    assert heights == pytest.approx([0.5, 1, 0.5])


def test_heads_leave_zeros_empty():
    axis = FIGURES["heads"]().axes[0]
    assert sorted(text.get_text() for text in axis.texts) == ["1", "3", "8"]


def test_tables_share_one_scale_and_begin_at_the_top():
    first, second = FIGURES["tables"]().axes
    for axis, table in ((first, WEIGHTS), (second, WEIGHTS.T)):
        (image,) = axis.images
        assert image.get_clim() == (-1, 1)
        assert image.get_array().tolist() == table.tolist()
    low, high = first.get_ylim()
    assert low > high


def test_schedules_begin_at_step_0_and_tell_curves_apart_by_dashes():
    (axis,) = FIGURES["schedules"]().axes
    assert [list(line.get_xdata()) for line in axis.lines] == [[0, 1, 2, 3]] * 2
    assert len({line.get_linestyle() for line in axis.lines}) == 2
    assert axis.get_ylim()[0] == 0


def test_learning_curves_draw_mean_and_interval_at_the_number_of_labels():
    tags, films = FIGURES["learning_curves"]().axes
    assert (tags.get_title(loc="left"), tags.get_xscale()) == ("tags", "log")
    assert [text.get_text() for text in films.get_xticklabels()] == ["50", "200"]
    line, _, (bars,) = tags.containers[0]
    assert line.get_xydata().tolist() == [[50, 40], [200, 60]]
    assert [bar[:, 1].tolist() for bar in bars.get_segments()] == [[38, 42], [55, 63]]
    beside, *_ = tags.containers[1]
    assert all(50 < x < 55 or 200 < x < 220 for x in beside.get_xdata())
    assert beside.get_linestyle() != line.get_linestyle()


def test_learning_curves_leave_out_no_system():
    figure = plots.learning_curves({"tags": {f"system {i}": CURVE for i in range(7)}})
    assert len(figure.axes[0].containers) == 7
