"""What Llama promises: norms and gates by hand, no look ahead, a cache that changes nothing, and that it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, ReaderTensor

from qkv.models.llama import PRESETS, Llama, LlamaConfig, RMSNorm, SwiGLU, from_gguf, from_transformers
from qkv.nn.positions import RotaryPositions

SMOKE = PRESETS["smoke"]


@pytest.fixture
def model() -> Llama:
    torch.manual_seed(0)
    return Llama(SMOKE).double().eval()


def ids(b: int, t: int) -> torch.Tensor:
    return torch.randint(SMOKE.vocab_size, (b, t), generator=torch.Generator().manual_seed(0))


def test_rms_norm_by_hand():
    """1 and 7: the mean square is 25, so both are divided by 5.  Nothing is subtracted first."""
    norm = RMSNorm(2, epsilon=0.0)
    torch.testing.assert_close(norm(torch.tensor([1.0, 7.0])), torch.tensor([0.2, 1.4]))
    torch.nn.init.constant_(norm.weight, 10.0)
    torch.testing.assert_close(norm(torch.tensor([[1.0, 7.0], [2.0, 14.0]])), torch.tensor([[2.0, 14.0]] * 2))
    assert RMSNorm(2, epsilon=1.0)(torch.zeros(2)).tolist() == [0, 0]


def test_the_gate_of_swiglu_by_hand():
    """A closed gate passes nothing; an open one, SiLU(z) ≈ z, passes z times the other; at 0 it is closed."""
    network = SwiGLU(1, 1).double()
    for linear, value in ((network.gate, 1.0), (network.inner, 2.0), (network.outer, 3.0)):
        torch.nn.init.constant_(linear.weight, value)
    x = torch.tensor([[-40.0], [0.0], [40.0]]).double()
    torch.testing.assert_close(network(x), torch.tensor([[0.0], [0.0], [40.0 * 80 * 3]]).double())


def test_what_comes_later_changes_nothing(model):
    x = ids(2, 9)
    changed = x.clone()
    changed[:, 5] = (changed[:, 5] + 1) % SMOKE.vocab_size
    torch.testing.assert_close(model(changed)[:, :5], model(x)[:, :5])
    assert not torch.allclose(model(changed)[:, 5:], model(x)[:, 5:])


@pytest.mark.parametrize("cuts", [(1, 1, 1, 1, 1, 1, 1), (4, 3), (2, 1, 4), (7,)])
def test_a_cache_changes_nothing(model, cuts):
    x, cache = ids(3, 7), {}
    scores = torch.cat([model(part, cache) for part in x.split(cuts, dim=1)], dim=1)
    torch.testing.assert_close(scores, model(x))
    assert list(cache) == ["layer0.attention", "layer1.attention"]
    assert cache["layer1.attention"].key.shape == (3, SMOKE.num_kv_heads, 7, 4)


def test_order_counts_and_rows_do_not_mix(model):
    x = ids(2, 6)
    assert not torch.allclose(model(x.flip(1))[:, -1], model(x)[:, -1])
    torch.testing.assert_close(model(x[1:]), model(x)[1:])


def test_what_scores_the_vocabulary(model):
    x = ids(2, 6)
    torch.testing.assert_close(model.hidden_states(x) @ model.embedding.weight.T, model(x))


def test_smollm2_counts_135_million():
    with torch.device("meta"):
        model = Llama(PRESETS["smollm2"])
    assert sum(parameter.numel() for parameter in model.parameters()) == 134_515_008


def test_it_learns_to_count():
    torch.manual_seed(0)
    model = Llama(SMOKE)
    rows = torch.arange(8)[:, None] + torch.arange(12)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (model(rows[:, :-1]).argmax(-1) == rows[:, 1:]).all()


def as_gguf(state: dict[str, torch.Tensor], config: LlamaConfig) -> list[ReaderTensor]:
    """A file's tensors as llama.cpp's converter writes it: its names, and rows of queries and keys in its order."""
    names = {"query": "attn_q", "key": "attn_k", "value": "attn_v", "output": "attn_output"}
    names |= {"gate": "ffn_gate", "inner": "ffn_up", "outer": "ffn_down"}
    tensors = []
    for name, tensor in state.items():
        *_, part, _ = name.split(".")
        array = tensor.numpy()
        if part in ("query", "key"):  # from (head, half, pair) to (head, pair, half)
            heads = config.num_heads if part == "query" else config.num_kv_heads
            array = array.reshape(heads, 2, -1, config.d_model).swapaxes(1, 2).reshape(array.shape)
        if name.startswith("layers"):
            norms = {"attention_norm": "attn_norm", "feed_forward_norm": "ffn_norm"}
            name = f"blk.{name.split('.')[1]}.{(names | norms)[part]}.weight"
        else:
            name = {"embedding": "token_embd", "norm": "output_norm"}[part] + ".weight"
        array.flags.writeable = False  # as the pages of a file are
        sizes = array.shape, array.size, array.nbytes
        tensors.append(ReaderTensor(name, GGMLQuantizationType.F32, *sizes, data_offset=0, data=array, field=None))
    return tensors


def test_weights_of_a_gguf_file_come_back(model):
    model = model.float()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    read = Llama.from_gguf(as_gguf(state, SMOKE), SMOKE)
    assert not read.training
    assert all(parameter.requires_grad and parameter.device.type == "cpu" for parameter in read.parameters())
    for name, tensor in model.state_dict().items():
        assert torch.equal(read.state_dict()[name], tensor), name
    torch.testing.assert_close(read(ids(2, 9)), model(ids(2, 9)))


def test_neighbours_turned_are_halves_turned():
    """Queries of llama.cpp, turned by its rule (entries 2i and 2i + 1 are a pair), score as ours do by ours."""
    config = LlamaConfig(7, 12, 2, 1, 8, 1)
    torch.manual_seed(0)
    model = Llama(config)
    file = as_gguf({name: tensor.clone() for name, tensor in model.state_dict().items()}, config)
    theirs = {tensor.name: torch.from_numpy(np.array(tensor.data)) for tensor in file}
    x, position = torch.randn(1, 5, 12), torch.arange(5)[:, None]
    angle = position * 10_000.0 ** (-torch.arange(0, 6, 2) / 6)

    def turned(weight: torch.Tensor) -> torch.Tensor:
        even, odd = (x @ weight[:6].T).view(5, 3, 2).unbind(-1)
        pairs = even * angle.cos() - odd * angle.sin(), even * angle.sin() + odd * angle.cos()
        return torch.stack(pairs, dim=-1).flatten(1)

    expected = turned(theirs["blk.0.attn_q.weight"]) @ turned(theirs["blk.0.attn_k.weight"]).T
    attention, rotary = model.layers[0].attention, RotaryPositions(6)
    query, key = (rotary(project(x)[0, :, :6]) for project in (attention.query, attention.key))
    torch.testing.assert_close(query @ key.T, expected)


def test_a_file_of_another_model_is_refused(model):
    state = {name: tensor.clone() for name, tensor in model.float().state_dict().items()}
    file = as_gguf(state, SMOKE)
    with pytest.raises(RuntimeError, match="size mismatch"):
        Llama.from_gguf(file, replace(SMOKE, d_ff=33))
    file.pop()
    with pytest.raises(RuntimeError, match="Missing key"):
        Llama.from_gguf(file, SMOKE)
    assert len(from_gguf(file, SMOKE)) == len(state) - 1


def test_the_tied_output_is_not_read_twice():
    state = {"model.embed_tokens.weight": torch.zeros(2, 2), "lm_head.weight": torch.zeros(2, 2)}
    assert list(from_transformers(state)) == ["embedding.weight"]


def test_too_long_and_too_short(model):
    cache = {}
    model(ids(1, 30), cache)
    with pytest.raises(ValueError, match=r"expected 1 to 32 tokens, .* got 30 kept and 3 new"):
        model(ids(1, 3), cache)
    with pytest.raises(ValueError, match="got 0 kept and 0 new"):
        model(ids(1, 0))


def test_configuration_that_cannot_be():
    with pytest.raises(ValueError, match="num_kv_heads: expected at least 1, got 0"):
        replace(SMOKE, num_kv_heads=0)


def test_an_unknown_pretrained_model():
    with pytest.raises(ValueError, match=r"expected 'smollm2', .* got 'large'"):
        Llama.from_pretrained("large")
