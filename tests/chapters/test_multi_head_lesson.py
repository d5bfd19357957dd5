"""What the prose of the lesson on many heads claims and its cells do not assert."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from qkv import toy
from qkv.inspection.copy_task import train_copier
from qkv.inspection.trace import Trace
from qkv.inspection.two_things import train_two_things
from qkv.nn.attention import MultiHeadAttention, scaled_dot_product_attention, split_heads
from qkv.nn.masks import causal
from qkv.recipes.claims import field
from qkv.recipes.protocol import mean_effect
from qkv.recipes.result import load
from qkv.scoring.intervals import paired_differences

QUERY, BOTH, WHO = (torch.tensor(t).float() for t in (toy.QUERY_LEFT, toy.KEY_BOTH, toy.KEY_WHO))
VALUE = torch.tensor([toy.VALUE_OF[word] for word in toy.WORDS_LEFT]).float()


def test_section_1_a_noun_outweighs_left_by_485_million(prose):
    _, weights = scaled_dot_product_attention(QUERY.double(), BOTH.double(), VALUE.double())
    cat, left, _ = weights[1].tolist()
    assert f"$e^{{20}}$ is about {cat / left / 1e6:.0f} million" in prose("03_multi_head/lesson")


def test_section_1_no_shares_escape_a_collision():
    """For any shares and any step, another pair of values gives the same mix."""
    for share in (0.1, 0.5, 0.9):
        shares = torch.tensor([share, 1 - share])
        nouns = torch.tensor([[10.0, 0.0], [0.0, 10.0]])
        step = torch.tensor([1.5, -0.5])
        others = nouns + torch.stack([(1 - share) * step, -share * step])
        assert not torch.allclose(nouns, others)
        torch.testing.assert_close(shares @ nouns, shares @ others)


def test_section_1_a_softer_query_lets_the_other_noun_in():
    soft = torch.tensor([[0.0], [2.0], [0.0]])
    output, _ = scaled_dot_product_attention(soft, WHO, VALUE)
    assert not torch.allclose(output[1], torch.tensor([10.0, 0.0]), atol=1e-4)
    assert output[1, 1] > 0.5


def test_section_2_seven_heads_are_refused_with_the_reason():
    with pytest.raises(ValueError, match="d_model to be a multiple of num_heads, got 512 and 7"):
        MultiHeadAttention(512, 7)


def test_section_3_with_2000_words_the_scores_outgrow_the_projections():
    """Projections cost 4 t d², scores and mix 2 t² d: equal at t = 2 d, here 24 words, in the lesson 1,024."""
    layer = MultiHeadAttention(12, 3).eval()
    for words, attention_is_more in ((23, False), (24, False), (25, True)):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            layer(torch.randn(1, words, 12), trace=Trace())
        projections = 4 * words * 12**2
        attention = counter.get_total_flops() // 2 - projections
        assert attention == 2 * words**2 * 12
        assert (attention > projections) == attention_is_more


def test_section_4_the_mask_not_turned_round_fits_and_is_wrong():
    """Without ``~`` the last word may attend to nothing in PyTorch's layer; the others read the future."""
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(12, 3, batch_first=True).eval()
    x, may_attend = torch.randn(2, 5, 12), causal(5)
    with torch.no_grad():
        right, _ = theirs(x, x, x, attn_mask=~may_attend)
        wrong, _ = theirs(x, x, x, attn_mask=may_attend)
    assert wrong.shape == right.shape
    assert not torch.allclose(wrong, right, atol=1e-6)
    assert wrong[:, -1].isnan().all()
    assert not wrong[:, :-1].isnan().any()


def hurried(x, num_heads):
    b, t, d_model = x.shape
    return x.reshape(b, num_heads, t, d_model // num_heads)


def test_section_5_shapes_and_row_sums_do_not_show_the_hurried_cut():
    x = torch.randn(2, 5, 12)
    assert hurried(x, 3).shape == split_heads(x, 3).shape
    _, weights = scaled_dot_product_attention(*(hurried(x, 3),) * 3, causal(5))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 5))


def test_section_5_undoing_the_hurried_cut_does_not_learn():
    """The Change: every number goes back where it came from, and the mask now hides what is needed."""

    def attend(query, key, value, may_attend):
        output, weights = scaled_dot_product_attention(*(hurried(each, 4) for each in (query, key, value)), may_attend)
        return output.reshape(query.shape), weights

    run = train_copier(attend)
    assert run.losses[-1] > 2
    assert run.told < 0.3


def test_section_7_heads_that_cost_words_are_far_more_than_chance_gives():
    costly, chance = (
        float(field("head-removal", f"heads {name}").split("\u00a0")[0].split()[0])
        for name in ("whose loss costs words", "expected by chance")
    )
    assert costly > 12 > 5 * chance / 2
    assert load("head-removal").verdict == "not seen"
    assert load("head-removal").effect.low > 0


def test_section_7_reading_the_letters_suffers_most_from_one_head_left():
    def cost(name):
        return float(field("head-removal", f"cost of one head left in {name}.mean").split("\u00a0")[0])

    others = [f"encoder{i}.self_attention" for i in (0, 1)] + [f"decoder{i}.self_attention" for i in (0, 1)]
    assert min(cost(f"decoder{i}.cross_attention") for i in (0, 1)) > max(map(cost, others))
    assert max(others, key=cost) == "encoder1.self_attention"


def test_section_7_the_smaller_models_trained_for_less_than_a_sixth_of_the_steps():
    small = load("head-removal").config["models"]["training"]["settings"]["num_steps"]
    assert 6 * small < load("pronunciation").config["settings"]["num_steps"]


def test_section_8_one_head_is_worse_and_four_and_eight_cannot_be_told_apart():
    found = load("num-heads")
    assert (found.verdict, len(found.seeds)) == ("reproduced", 5)
    assert found.effect.low > 1  # the recipe had expected a difference below a point
    wrong = {name: values["WER"] for name, values in found.values.items()}
    worse = mean_effect(paired_differences(wrong["1 head"], wrong["4 heads"]), "points")
    further = mean_effect(paired_differences(wrong["4 heads"], wrong["8 heads"]), "points")
    assert worse.low > 1
    assert further.low < 0 < further.high < worse.mean


def test_section_8_training_finds_who_and_what():
    run = train_two_things(2, seed=1)
    assert sorted(run.weights.argmax(-1).tolist()) == [0, 2]
    assert run.weights.amax(-1).min() > 0.8


def test_section_8_a_single_head_tilts_its_shares_from_sentence_to_sentence_and_reads_both_nouns():
    weights = train_two_things(1, seed=0).weights[0]
    assert weights[0] > 0.3
    assert weights[2] > 0.3
