"""GPT against transformers' OpenAIGPT: logits, all hidden states and weights, padding, and every gradient."""

import pytest
import torch
from torch import nn
from transformers import OpenAIGPTConfig, OpenAIGPTLMHeadModel

from qkv.inspection.trace import Trace
from qkv.models.gpt import GPT, GPTConfig, from_transformers

# there d_ff is always 4 · d_model
SIZES = GPTConfig(vocab_size=37, d_model=30, num_heads=5, d_ff=120, num_layers=3, dropout=0.0, max_length=17)
LENGTHS = torch.tensor([13, 1, 7])


def theirs_of(config: GPTConfig) -> OpenAIGPTConfig:
    return OpenAIGPTConfig(
        vocab_size=config.vocab_size,
        n_positions=config.max_length,
        n_embd=config.d_model,
        n_layer=config.num_layers,
        n_head=config.num_heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        attn_implementation="eager",
    )


@pytest.fixture
def pair(dtype):
    """Both models with the same weights, none of them left as initialised."""
    torch.manual_seed(0)
    theirs = OpenAIGPTLMHeadModel(theirs_of(SIZES)).to(dtype).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, mean=float(parameter.ndim == 1), std=0.3)
    ours = GPT(SIZES).to(dtype).eval()
    ours.load_state_dict(from_transformers(theirs.state_dict()))
    return ours, theirs


def ids() -> torch.Tensor:
    return torch.randint(SIZES.vocab_size, (3, 13), generator=torch.Generator().manual_seed(1))


def test_logits_hidden_states_and_weights_of_every_layer(pair, close):
    ours, theirs = pair
    trace = Trace()
    close(ours(ids()), theirs(ids()).logits)
    logits = ours(ids(), trace=trace)
    expected = theirs(ids(), output_hidden_states=True, output_attentions=True)
    close(logits, expected.logits)
    states = [trace["embeddings"], *(trace[f"layer{i}.output"] for i in range(SIZES.num_layers))]
    for state, wanted in zip(states, expected.hidden_states, strict=True):
        close(state, wanted)
    for i, wanted in enumerate(expected.attentions):
        close(trace[f"layer{i}.attention.weights"], wanted)


def test_padding_behind_the_text_needs_no_mask(pair, close):
    ours, theirs = pair
    real = torch.arange(13) < LENGTHS[:, None]
    expected = theirs(ids(), attention_mask=real.long()).logits
    close(ours(ids())[real], expected[real])


def test_every_gradient(pair, close):
    """Of the language model's loss: each of our parameters gets what theirs gets, the token vectors from both ends."""
    ours, theirs = pair
    for logits in (ours(ids()), theirs(ids()).logits):
        nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids()[:, 1:].flatten()).backward()
    gradients = from_transformers({name: parameter.grad for name, parameter in theirs.named_parameters()})
    assert gradients.keys() == dict(ours.named_parameters()).keys()
    for name, parameter in ours.named_parameters():
        close(parameter.grad, gradients[name])


def test_the_models_body_alone_loads_too(pair, close):
    ours, theirs = pair
    other = GPT(SIZES).to(ours.token.weight.dtype).eval()
    other.load_state_dict(from_transformers(theirs.transformer.state_dict()))
    close(other.hidden_states(ids()), theirs.transformer(ids()).last_hidden_state)
