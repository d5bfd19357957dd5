"""What the prose of the lesson "Before we start" claims and its cells do not assert."""

import itertools

import pytest
import torch
from einops import rearrange
from torch.nn import functional

from qkv import toy
from qkv.data import load
from qkv.recipes.result import load as load_result
from qkv.scoring.edit_distance import nearest

WORDS, ASKING = (torch.tensor(table, dtype=torch.float32) for table in (toy.KEY, toy.QUERY))
SYMBOLS = ".abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def dictionary():
    return load("cmudict")


@pytest.fixture(scope="module")
def text(dictionary):
    """The text of section 9."""
    words = [word for word in dictionary["train"]["word"] if set(word) <= set(SYMBOLS[1:])]
    joined = "." + ".".join(words[:: len(words) // 1000][:1000]) + "."
    return torch.tensor([SYMBOLS.index(symbol) for symbol in joined])


def train(inputs, targets, rate):
    """The loop of section 9."""
    table = torch.zeros(27, 27, requires_grad=True)
    losses = []
    for _ in range(100):
        loss = functional.cross_entropy(table[inputs], targets)
        loss.backward()
        with torch.no_grad():
            table -= rate * table.grad
        table.grad = None
        losses.append(loss.item())
    return losses


def test_section_1_the_row_of_the_riddle_is_nearest_to_cat_by_every_measure():
    asked = torch.tensor([2.0, 0, 2, 0])
    assert (WORDS @ asked).tolist() == [4, 2, 0]
    assert (WORDS - asked).norm(dim=-1).argmin() == 0
    assert functional.cosine_similarity(WORDS, asked[None]).argmax() == 0
    assert tuple(torch.zeros(2, 3, 4).sum(-1).shape) == (2, 3)


def test_section_2_the_opposite_row():
    cat = WORDS[toy.WORDS.index("cat")]
    assert cat @ -cat == -2
    assert functional.cosine_similarity(cat, -cat, dim=0) == pytest.approx(-1)


def test_section_3_columns_can_be_compared_too_and_that_is_another_table():
    assert (ASKING.T @ WORDS).shape == (4, 4)
    assert (ASKING[:2] @ WORDS.T).shape == (2, 3)
    assert (ASKING @ WORDS[:2].T).shape == (3, 2)


def test_section_4_shapes_that_meet_and_shapes_that_do_not():
    assert torch.broadcast_shapes((3, 4), (4,)) == (3, 4)
    assert torch.broadcast_shapes((3, 1), (3,)) == (3, 3)
    assert torch.broadcast_shapes((5, 1, 4), (3, 1)) == (5, 3, 4)
    for first, second in [((3, 4), (3,)), ((5, 4), (5,))]:
        with pytest.raises(RuntimeError):
            torch.broadcast_shapes(first, second)


def test_section_4_a_square_table_hides_the_missing_axis():
    square = torch.tensor([[2.0, 1, 1], [0, 3, 1], [5, 5, 0]])
    assert not torch.allclose((square / square.sum(-1)).sum(-1), torch.ones(3))
    with pytest.raises(RuntimeError):
        square[:2] / square[:2].sum(-1)


def test_section_5_joining_puts_all_rows_of_the_first_item_first():
    x = torch.arange(12).reshape(2, 3, 2)
    assert torch.equal(rearrange(x, "b t d -> (b t) d")[:3], x[0])


def test_section_7_a_blind_guess_among_a_thousand_costs_about_seven(prose):
    blind = functional.cross_entropy(torch.zeros(1, 1000), torch.tensor([0])).item()
    assert f"among 1000 words, and its loss begins at about {blind:.0f}." in prose("00_start/lesson")
    assert rf"$\ln 1000 = {blind:.1f}$" in prose("00_start/lesson")
    scores = torch.tensor([[2.0, 1, 0], [0, 0, 0]])
    losses = {right: functional.cross_entropy(scores, torch.tensor(right)).item() for right in ((0, 2), (0, 1), (2, 2))}
    assert losses[0, 2] == pytest.approx(losses[0, 1])
    assert losses[2, 2] - losses[0, 2] == pytest.approx(1)


def test_section_8_the_slope_of_the_cube_at_three_is_27(prose):
    x = torch.tensor(3.0, requires_grad=True)
    (slope,) = torch.autograd.grad(x * x * x, x)
    nudged = (3.01**3 - 3**3) / 0.01
    assert nudged == pytest.approx(slope.item(), abs=0.1)
    assert f"`x * x * x` in the first cell of this section. The slope at 3 is {slope:.0f};" in prose("00_start/lesson")


def test_section_9_a_rate_of_3_is_slow_and_one_of_300_jumps_about(text):
    slow, good, wild = (train(text[:-1], text[1:], rate) for rate in (3, 30, 300))
    assert good[-1] < slow[-1] < slow[-2]
    assert max(after - before for before, after in itertools.pairwise(wild)) > 0.2
    assert wild[-1] > good[-1]


def test_section_9_no_table_of_pairs_beats_the_counts(text):
    counts = torch.zeros(27, 27).index_put((text[:-1], text[1:]), torch.ones(len(text) - 1), accumulate=True)
    best = counts / counts.sum(-1, keepdim=True)
    lowest = -best[text[:-1], text[1:]].log().mean()
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        other = (best + 0.01 * torch.rand(27, 27, generator=generator)).clamp_min(1e-9)
        other = other / other.sum(-1, keepdim=True)
        assert -other[text[:-1], text[1:]].log().mean() > lowest


def test_section_10_the_boxes_say_what_the_prose_says():
    positions, learned = load_result("positions"), load_result("learned-positions")
    assert (positions.verdict, learned.verdict) == ("reproduced", "equivalent")
    assert positions.effect.unit == "points"
    assert len(positions.seeds) == 5
    assert positions.effect.low > positions.effect.mean / 2, "neither end is near 0"
    assert positions.config["num_tested"] == 3000
    assert -learned.config["margin"] < learned.effect.low < learned.effect.high < learned.config["margin"]


def test_section_11_where_the_words_stand_and_which_reference_counts(dictionary):
    assert "colonel" in dictionary["train"]["word"]
    outcome = nearest(("K", "AE", "T", "S"), [("K", "AE", "T"), ("K", "AA", "T")])
    assert outcome.edits == 1
    assert nearest(["AA"] * 10, [["AA"]]).edits == 9


def test_section_11_six_sounds_a_word_and_what_independent_errors_would_do(dictionary):
    lengths = [len(row["pronunciations"][0].split()) for row in dictionary["test"]]
    assert 5.5 < sum(lengths) / len(lengths) < 6.5
    all_right = 0.93**6
    assert all_right == pytest.approx(2 / 3, abs=0.03)
