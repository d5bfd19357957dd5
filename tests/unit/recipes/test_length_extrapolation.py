"""Character models with five ways to know positions: alike but for those, and scored on the same characters."""

import math

import pytest
import torch

from qkv.nn.attention import GroupedQueryAttention, MultiHeadAttention
from qkv.nn.masks import causal
from qkv.nn.positions import RotaryPositions, alibi_bias
from qkv.recipes import length_extrapolation as recipe
from qkv.recipes.length_extrapolation import (
    ARMS,
    PRESETS,
    CausalAttention,
    CharacterModel,
    Config,
    Windows,
    encode,
    score,
)
from qkv.recipes.protocol import judge
from qkv.recipes.result import Result
from qkv.training.loop import Settings, train

SMOKE = PRESETS["smoke"]
VOCAB = 11


def model_of(arm: str, config: Config = SMOKE) -> CharacterModel:
    torch.manual_seed(0)
    return CharacterModel(config, VOCAB, arm)


def test_the_book_for_scoring_is_whole_and_not_read():
    learnt, held_out = recipe.texts()
    assert "Alice was beginning" in held_out[:100]
    assert held_out.rstrip().endswith("happy summer days.")
    assert "Alice was beginning" not in learnt
    assert len(learnt) > 6_000_000
    assert len(held_out) > max(PRESETS["full"].lengths) * PRESETS["full"].num_windows


def test_characters_by_hand():
    assert encode("abx", ["a", "b"]).tolist() == [1, 2, 0]


def test_windows_are_pieces_of_the_text_and_follow_from_seed_and_step():
    windows = Windows(torch.arange(100), 8, 3, seed=1)
    assert windows[5].shape == (3, 9)
    assert (windows[5].diff() == 1).all()
    assert torch.equal(windows[5], Windows(torch.arange(100), 8, 3, seed=1)[5])
    assert not torch.equal(windows[5], windows[6])
    assert {start for step in range(500) for start in windows[step][:, 0].tolist()} == set(range(92))


def test_arms_differ_in_positions_alone():
    states = {arm: model_of(arm).state_dict() for arm in ARMS}
    table = states["learned"].pop("positions.weight")
    assert table.shape == (SMOKE.trained_length, SMOKE.d_model)
    for state in states.values():
        assert state.keys() == states["none"].keys()
        assert all(torch.equal(state[name], weight) for name, weight in states["none"].items())


@pytest.mark.parametrize("arm", ARMS)
def test_the_future_cannot_change_the_past(arm):
    ids = torch.randint(VOCAB, (3, 7), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[:, 4] = (ids[:, 4] + 1) % VOCAB
    model = model_of(arm)
    assert torch.equal(model(ids)[:, :4], model(changed)[:, :4])
    assert not torch.equal(model(ids)[:, 4:], model(changed)[:, 4:])


@pytest.mark.parametrize("arm", ARMS)
def test_one_layer_knows_the_order_of_the_past_from_positions_alone(arm):
    model = model_of(arm, Config(Settings(1, 1e-3), 16, 2, 1, trained_length=8))
    ids = torch.tensor([[1, 2, 3, 4, 5]])
    first, second = model(ids)[0, -1], model(ids[:, [2, 0, 3, 1, 4]])[0, -1]
    assert torch.allclose(first, second, atol=1e-6) == (arm == "none")


def test_alibi_is_the_course_attention_with_its_bias():
    torch.manual_seed(0)
    ours, oracle, x = CausalAttention(SMOKE, torch.nn.Identity()), MultiHeadAttention(16, 2), torch.randn(3, 7, 16)
    oracle.load_state_dict(ours.state_dict())
    mask = model_of("ALiBi").mask(7)
    torch.testing.assert_close(ours(x, mask), oracle(x, may_attend=causal(7), bias=alibi_bias(2, 7)))


def test_rotary_is_the_course_attention_with_as_many_key_heads_as_heads():
    torch.manual_seed(0)
    turn, x = RotaryPositions(8), torch.randn(3, 7, 16)
    ours, oracle = CausalAttention(SMOKE, turn), GroupedQueryAttention(16, 2, 2, turn)
    with torch.no_grad():
        for name in ("query", "key", "value", "output"):
            getattr(oracle, name).weight.copy_(getattr(ours, name).weight)
            getattr(ours, name).bias.zero_()
    torch.testing.assert_close(ours(x, model_of("rotary").mask(7)), oracle(x, causal(7)))


def test_a_learned_table_ends():
    with pytest.raises(ValueError, match="at most 8 positions, as many as were learnt, got 9"):
        model_of("learned")(torch.zeros(1, 9, dtype=torch.long))


def test_unknown_arm():
    with pytest.raises(ValueError, match=r"expected one of .*'rotary'.*, got 'T5'"):
        model_of("T5")


class Previous(torch.nn.Module):
    """A stand-in that says "the next character is the one I read", and remembers what it was given."""

    def __init__(self):
        super().__init__()
        self.given = []

    def forward(self, ids):
        self.given.append(ids)
        return 3.0 * torch.nn.functional.one_hot(ids, VOCAB)


def test_the_same_characters_are_scored_at_every_length():
    ids = torch.randint(VOCAB, (100,), generator=torch.Generator().manual_seed(0))
    model = Previous()
    short, long = score(SMOKE, model, ids, 8), score(SMOKE, model, ids, 16)
    assert short == pytest.approx(long)
    assert torch.equal(model.given[0], model.given[1][:, -8:])
    assert model.given[1][0].tolist() == ids[:16].tolist()  # the first window begins with the text
    assert model.given[1][-1].tolist() == ids[-17:-1].tolist()  # the last target is the text's last character


def test_a_score_by_hand():
    assert score(SMOKE, Previous(), torch.full((100,), 4), 8) == pytest.approx(math.log(1 + 10 * math.exp(-3)))


def test_it_learns(tmp_path):
    """A text that repeats every five characters is known after a few steps."""
    config = Config(Settings(60, 1e-2), 16, 2, 2, trained_length=8, lengths=(8, 16), num_windows=20)
    ids = torch.arange(300) % 5
    torch.manual_seed(0)
    model = CharacterModel(config, 5, "none")
    history = train(model, Windows(ids, 8, 4, 0), recipe.loss, config.settings, lambda step: 1.0, tmp_path)
    assert history[0]["loss"] > 1.2
    assert score(config, model, ids, 8) < 0.1


def test_run_judge_and_tell():
    values = {arm: {} for arm in recipe.arms(SMOKE)}
    for seed in range(2):
        for arm in values:
            for quantity, found in recipe.run(SMOKE, arm, seed).items():
                values[arm].setdefault(quantity, []).append(found)
    assert recipe.run(SMOKE, "rotary", 1) == {name: each[1] for name, each in values["rotary"].items()}
    assert set(values["learned"]) == {"loss 8"} < set(values["ALiBi"]) == {"loss 8", "loss 16"}
    config = {"lengths": [8, 16]}
    effect, verdict = judge(recipe, config, values)
    facts = recipe.facts(Result("", "", config, [0, 1], values, effect, verdict, 1, {}, ""))
    assert facts["rise sinusoidal above ALiBi"] == effect
    assert facts["loss 8 learned"].mean == pytest.approx(sum(values["learned"]["loss 8"]) / 2)


def test_the_contrast_by_hand():
    values = {
        "sinusoidal": {"loss 64": [2.0, 2.1], "loss 512": [3.0, 3.5]},
        "ALiBi": {"loss 64": [2.0, 2.0], "loss 512": [1.9, 2.1]},
    }
    assert recipe.differences({"lengths": [64, 128, 512]}, values) == pytest.approx([1.1, 1.3])
