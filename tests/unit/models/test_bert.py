"""What BERT promises: both directions, no effect of padding, segments and positions that count, and that it learns."""

import json
from dataclasses import replace

import pytest
import torch

from qkv import assets
from qkv.inspection.trace import Trace
from qkv.models.bert import BERT, PRESETS, BERTConfig, BERTForPreTraining, from_transformers
from qkv.nn.masks import not_padding

SMOKE = replace(PRESETS["smoke"], dropout=0.0)


@pytest.fixture
def model() -> BERT:
    torch.manual_seed(0)
    return BERT(SMOKE).double()


def ids(b: int, t: int) -> torch.Tensor:
    return torch.randint(1, SMOKE.vocab_size, (b, t), generator=torch.Generator().manual_seed(0))


def test_every_token_sees_every_other(model):
    x = model.token(ids(1, 6)).detach().requires_grad_()
    model.token.forward = lambda _: x
    for position in range(6):
        (gradient,) = torch.autograd.grad(model(ids(1, 6))[0, position, 0], x)
        assert (gradient.norm(dim=-1) > 0).all()


def test_padding_changes_nothing(model):
    short, lengths = ids(2, 5), torch.tensor([5, 5])
    padded = torch.cat([short, torch.full((2, 3), 7)], dim=1)
    torch.testing.assert_close(model(padded, may_attend=not_padding(lengths, 8))[:, :5], model(short))


def test_segments_and_positions_count(model):
    x = ids(1, 6)
    assert not torch.allclose(model(x), model(x, torch.tensor([[0, 0, 0, 1, 1, 1]])))
    torch.testing.assert_close(model(x), model(x, torch.zeros(1, 6, dtype=torch.long)))
    assert not torch.allclose(model(x).flip(1), model(x.flip(1)))


def test_a_silenced_head_hands_on_nothing(model):
    trace, gates = Trace(), {"layer1.attention": torch.tensor([1.0, 0.0]).double()}
    x = ids(2, 6)
    gated = model(x, head_gates=gates, trace=trace)
    without = model.layers[1].attention.output.weight.data
    without[:, SMOKE.d_model // 2 :] = 0
    torch.testing.assert_close(model(x), gated)
    assert trace["layer0.attention.weights"].shape == (2, 2, 6, 6)


def test_the_paper_counts_110_million():
    with torch.device("meta"):
        base = BERT(PRESETS["paper"])
    assert round(sum(parameter.numel() for parameter in base.parameters()) / 1e6) == 109


def test_it_learns_to_fill_gaps():
    """Eight rows that count upwards, one entry hidden: what stands left and right of it tells which."""
    torch.manual_seed(0)
    model = BERTForPreTraining(SMOKE)
    rows = torch.arange(8)[:, None] + torch.arange(2, 10)
    hidden = torch.arange(8) % 6 + 1
    masked = rows.scatter(1, hidden[:, None], 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(120):
        scores, _ = model(masked)
        loss = torch.nn.functional.cross_entropy(scores[torch.arange(8), hidden], rows[torch.arange(8), hidden])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (scores[torch.arange(8), hidden].argmax(-1) == rows[torch.arange(8), hidden]).all()


def test_scores_of_chosen_positions_alone():
    torch.manual_seed(0)
    model = BERTForPreTraining(SMOKE).double()
    scores, _ = model(ids(3, 5))
    chosen = model.piece_scores(model.bert(ids(3, 5))[torch.tensor([0, 2]), torch.tensor([4, 1])])
    torch.testing.assert_close(chosen, scores[torch.tensor([0, 2]), torch.tensor([4, 1])])


def test_too_long(model):
    with pytest.raises(ValueError, match="at most max_length = 32 tokens, got 33"):
        model(ids(1, 33))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_layers": 0}, "num_layers: expected at least 1, got 0"),
        ({"dropout": 1.0}, r"dropout: expected a share in \[0, 1\), got 1"),
    ],
)
def test_configuration_that_cannot_be(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(SMOKE, **wrong)


def test_an_unknown_pretrained_model():
    with pytest.raises(ValueError, match=r"expected 'minilm', .* got 'large'"):
        BERT.from_pretrained("large")


def test_weights_that_do_not_fit_are_refused():
    state = {"embeddings.word_embeddings.weight": torch.zeros(2, 2), "embeddings.position_ids": torch.zeros(1, 2)}
    assert list(from_transformers(state)) == ["token.weight"]
    with pytest.raises(RuntimeError, match="Missing key"):
        BERT(SMOKE).load_state_dict(from_transformers(state))


def test_the_preset_is_the_files_own_configuration():
    theirs = json.loads(assets.path("minilm", "config.json").read_text())
    names = {
        "vocab_size": "vocab_size",
        "d_model": "hidden_size",
        "num_heads": "num_attention_heads",
        "d_ff": "intermediate_size",
        "num_layers": "num_hidden_layers",
        "dropout": "hidden_dropout_prob",
        "max_length": "max_position_embeddings",
        "num_segments": "type_vocab_size",
        "norm_epsilon": "layer_norm_eps",
    }
    assert PRESETS["minilm"] == BERTConfig(**{ours: theirs[name] for ours, name in names.items()})
