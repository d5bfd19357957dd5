"""What GPT promises: no look ahead, one matrix for reading and scoring, post-LN, a cache without effect; it learns."""

import math
from dataclasses import replace

import pytest
import torch

from qkv import assets
from qkv.inspection.trace import Trace
from qkv.models.gpt import GPT, PRESETS, GPTConfig, from_transformers
from qkv.text.bpe import BPE

SMOKE = replace(PRESETS["smoke"], dropout=0.0)
WORDS = "the cat left the mat because it was hungry and the mat was wet so it left the cat"


@pytest.fixture
def model() -> GPT:
    torch.manual_seed(0)
    return GPT(SMOKE).double()


def ids(b: int, t: int) -> torch.Tensor:
    return torch.randint(SMOKE.vocab_size, (b, t), generator=torch.Generator().manual_seed(0))


def test_a_token_sees_itself_and_what_came_before(model):
    x = model.token(ids(1, 6)).detach().requires_grad_()
    model.token.forward = lambda _: x
    for position in range(6):
        (gradient,) = torch.autograd.grad(model.hidden_states(ids(1, 6))[0, position, 0], x)
        reached = gradient[0].norm(dim=-1) > 0
        assert reached.tolist() == [True] * (position + 1) + [False] * (5 - position)


def test_the_future_cannot_change_the_past(model):
    changed = ids(2, 7)
    changed[:, 4:] = (changed[:, 4:] + 5) % SMOKE.vocab_size
    before, after = model(ids(2, 7)), model(changed)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


@pytest.mark.parametrize("sizes", [[1] * 6, [2, 3, 1], [6]])
def test_steps_with_a_cache_equal_one_call(model, sizes):
    cache = {}
    steps = [model(new, cache) for new in ids(3, 6).split(sizes, dim=1)]
    torch.testing.assert_close(torch.cat(steps, dim=1), model(ids(3, 6)))
    assert {name: len(kept) for name, kept in cache.items()} == {"layer0.attention": 6, "layer1.attention": 6}


def test_a_trace_changes_nothing(model):
    trace = Trace()
    torch.testing.assert_close(model(ids(2, 6), trace=trace), model(ids(2, 6)))
    assert trace["layer1.attention.weights"].shape == (2, 2, 6, 6)
    torch.testing.assert_close(trace["layer1.output"], model.hidden_states(ids(2, 6)))


def test_one_matrix_embeds_and_scores(model):
    """Token 7 is not read: the score of reading it is untouched, that of writing it follows its vector."""
    read = torch.tensor([[3, 5]])
    before = model(read)
    with torch.no_grad():
        model.token.weight[7] *= 2
    after = model(read)
    torch.testing.assert_close(after[..., 7], 2 * before[..., 7])
    others = torch.arange(SMOKE.vocab_size) != 7
    torch.testing.assert_close(after[..., others], before[..., others], rtol=0, atol=0)
    assert [SMOKE.vocab_size in parameter.shape for parameter in model.parameters()].count(True) == 1


def test_order_counts(model):
    assert not torch.allclose(model(ids(1, 5))[0, -1], model(ids(1, 5)[:, [1, 0, 2, 3, 4]])[0, -1])


def test_layer_norm_stands_after_each_sum(model):
    """Every block hands on rows of mean 0 and variance 1, as its gain is 1 and its bias 0 at first."""
    trace = Trace()
    model(ids(2, 6), trace=trace)
    for layer in range(SMOKE.num_layers):
        rows = trace[f"layer{layer}.output"]
        torch.testing.assert_close(rows.mean(-1), torch.zeros(2, 6).double(), rtol=0, atol=1e-6)
        torch.testing.assert_close(rows.var(-1, unbiased=False), torch.ones(2, 6).double(), rtol=0, atol=2e-2)


def test_the_bend_is_gelu_in_its_tanh_form(model):
    block, x = model.layers[0], torch.randn(1, 4, SMOKE.d_model, dtype=torch.float64)
    for parameter in (*block.attention.parameters(), block.inner.bias, block.outer.bias):
        torch.nn.init.zeros_(parameter)
    inner = 3 * torch.eye(SMOKE.d_ff, SMOKE.d_model, dtype=torch.float64)
    block.inner.weight.data, block.outer.weight.data = inner, torch.eye(SMOKE.d_model, SMOKE.d_ff, dtype=torch.float64)
    n = torch.nn.functional.layer_norm(x, (SMOKE.d_model,))
    bent = 1.5 * n * (1 + torch.tanh(math.sqrt(2 / math.pi) * (3 * n + 0.044715 * (3 * n) ** 3)))
    expected = torch.nn.functional.layer_norm(n + bent, (SMOKE.d_model,))
    torch.testing.assert_close(block(x, torch.ones(4, 4).bool(), None, None), expected)


def test_weights_begin_at_a_spread_of_two_hundredths():
    """Of 40,000 draws and more the spread is known to 1 in 100: three standard errors, 3 / √(2 · 40,000)."""
    torch.manual_seed(0)
    model = GPT(replace(SMOKE, vocab_size=400, d_model=200, d_ff=800, max_length=200, num_layers=1))
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            assert parameter.numel() >= 40_000
            assert parameter.std().item() == pytest.approx(0.02, rel=0.011), name
            assert abs(parameter.mean().item()) < 4 * 0.02 / math.sqrt(parameter.numel()), name
        else:
            expected = float(name.endswith("norm.weight"))
            assert torch.equal(parameter, torch.full_like(parameter, expected)), name


def test_dropout_falls_in_training_alone():
    torch.manual_seed(0)
    model = GPT(replace(SMOKE, dropout=0.5))
    assert not torch.equal(model(ids(2, 6)), model(ids(2, 6)))
    model.eval()
    assert torch.equal(model(ids(2, 6)), model(ids(2, 6)))
    trace = Trace()
    model.train()(ids(2, 6), trace=trace)
    dropped = (trace["embeddings"] == 0).double().mean().item()
    assert dropped == pytest.approx(0.5, abs=0.2)  # 192 coins: five standard deviations
    assert (trace["layer0.attention.weights"].tril() == 0).sum() > torch.ones(6, 6).triu(1).sum() * 4


def test_117_million_numbers():
    with torch.device("meta"):
        model = GPT(PRESETS["paper"])
    assert sum(parameter.numel() for parameter in model.parameters()) == 116_534_784


def test_the_cpu_model_fits_into_four_megabytes():
    with torch.device("meta"):
        model = GPT(PRESETS["cpu"])
    assert 2 * sum(parameter.numel() for parameter in model.parameters()) <= 4_000_000


def test_it_learns_a_batch_of_real_words_by_heart():
    torch.manual_seed(0)
    bpe = BPE.train([WORDS], 280)
    row = torch.tensor([bpe.encode(WORDS)])
    sizes = {"d_model": 48, "d_ff": 96, "max_length": row.shape[1]}
    model = GPT(replace(SMOKE, vocab_size=len(bpe), **sizes))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for step in range(80):
        loss = torch.nn.functional.cross_entropy(model(row)[0, :-1], row[0, 1:])
        if step == 0:
            assert loss.item() == pytest.approx(math.log(len(bpe)), rel=0.02)  # at first it guesses
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3
    assert torch.equal(model(row)[0, :-1].argmax(-1), row[0, 1:])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (torch.zeros(1, 33).long(), "at most max_length = 32 tokens, got 33"),
        (torch.zeros(2, 0).long(), r"at least one token, got shape \(2, 0\)"),
        (torch.tensor([[1, 40]]), "expected ids from 0 to 39, got 40"),
        (torch.tensor([[1, -1]]), "expected ids from 0 to 39, got -1"),
    ],
)
def test_ids_that_cannot_be_read(model, wrong, message):
    with pytest.raises(ValueError, match=message):
        model(wrong)


def test_a_cache_counts_towards_the_length(model):
    cache = {}
    model(ids(1, 30), cache)
    with pytest.raises(ValueError, match="at most max_length = 32 tokens, got 33"):
        model(ids(1, 3), cache)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_layers": 0}, "num_layers: expected at least 1, got 0"),
        ({"dropout": 1.0}, r"dropout: expected a share in \[0, 1\), got 1"),
        ({"d_model": 15}, "got 15 and 2"),
    ],
)
def test_configuration_that_cannot_be(wrong, message):
    with pytest.raises(ValueError, match=message):
        GPT(replace(SMOKE, **wrong))


def test_the_paper_preset_has_the_published_numbers():
    assert PRESETS["paper"] == GPTConfig(
        vocab_size=40_478, d_model=768, num_heads=12, d_ff=3072, num_layers=12, dropout=0.1, max_length=512
    )


def test_an_unknown_pretrained_model():
    with pytest.raises(assets.UnknownAssetError, match="there is no model 'gpt-9'"):
        GPT.from_pretrained("gpt-9")


def test_a_weight_they_forgot_is_missed(model):
    state = {"tokens_embed.weight": torch.zeros(40, 16), "h.0.attn.c_attn.weight": torch.zeros(16, 48)}
    names = [f"layers.0.attention.{part}.weight" for part in ("query", "key", "value")]
    assert list(from_transformers(state)) == ["token.weight", *names]
    with pytest.raises(RuntimeError, match="Missing key"):
        model.load_state_dict(from_transformers(state))
