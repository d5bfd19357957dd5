"""Llama against transformers: random weights in 32 and 64 bits, a cache; then SmolLM2's real weights and tokens.

The real ones at full length: ``python tools/smollm2_parity.py``.
"""

import pytest
import torch
from smollm2_parity import PROMPTS, largest_difference, transformers_continuation, transformers_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import nn
from transformers import AutoTokenizer, LlamaForCausalLM
from transformers import LlamaConfig as TheirConfig

from qkv import assets
from qkv.data import load
from qkv.generate import continuation, pretrained
from qkv.models.llama import PRESETS, Llama, LlamaConfig, from_transformers
from qkv.text.bpe import BPE

SIZES = LlamaConfig(37, d_model=36, num_heads=6, num_kv_heads=2, d_ff=44, num_layers=3, max_length=40, rotary_base=5e3)


def theirs_of(config: LlamaConfig) -> TheirConfig:
    return TheirConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.d_model,
        num_attention_heads=config.num_heads,
        num_key_value_heads=config.num_kv_heads,
        intermediate_size=config.d_ff,
        num_hidden_layers=config.num_layers,
        max_position_embeddings=config.max_length,
        rope_parameters={"rope_type": "default", "rope_theta": config.rotary_base},
        rms_norm_eps=config.norm_epsilon,
        tie_word_embeddings=True,
        attn_implementation="sdpa",  # "eager" takes its softmax in 32 bits
    )


class Angles(nn.Module):
    """Cosines and sines in 64 bits, as (cos, sin) for transformers' halves."""

    def forward(self, x, position_ids):
        d_k = SIZES.d_model // SIZES.num_heads
        frequency = SIZES.rotary_base ** -(torch.arange(0, d_k, 2).float() / d_k)
        angle = (position_ids[..., None] * frequency.to(x.dtype)).repeat(1, 1, 2)
        return angle.cos(), angle.sin()


def in_64_bits(theirs: LlamaForCausalLM) -> None:
    """Transformers takes norms and angles in 32 bits whatever the weights are: here torch's norm and 64-bit angles."""
    theirs.model.rotary_emb = Angles()
    theirs.model.norm = torch_norm(theirs.model.norm)
    for layer in theirs.model.layers:
        layer.input_layernorm = torch_norm(layer.input_layernorm)
        layer.post_attention_layernorm = torch_norm(layer.post_attention_layernorm)


def torch_norm(norm: nn.Module) -> nn.RMSNorm:
    found = nn.RMSNorm(SIZES.d_model, SIZES.norm_epsilon, dtype=norm.weight.dtype)
    found.weight = norm.weight
    return found


@pytest.fixture
def pair(dtype):
    """Both models with the same weights, none of them left as initialised."""
    torch.manual_seed(0)
    theirs = LlamaForCausalLM(theirs_of(SIZES)).to(dtype).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, mean=float(parameter.ndim == 1), std=0.3)
    if dtype == torch.float64:
        in_64_bits(theirs)
    ours = Llama(SIZES).to(dtype).eval()
    ours.load_state_dict(from_transformers(theirs.state_dict()))
    return ours, theirs


def ids(t: int) -> torch.Tensor:
    return torch.randint(SIZES.vocab_size, (3, t), generator=torch.Generator().manual_seed(1))


def test_logits_and_the_gradient_of_the_token_vectors(pair, close):
    ours, theirs = pair
    actual, expected = ours(ids(13)), theirs(ids(13)).logits
    close(actual, expected)
    direction = torch.randn_like(expected)
    gradient = torch.autograd.grad(actual, ours.embedding.weight, direction)[0]
    close(gradient, torch.autograd.grad(expected, theirs.model.embed_tokens.weight, direction)[0])


def test_with_a_cache(pair, close):
    """Seven tokens, then five, then one by one."""
    ours, theirs = pair
    cache, kept = {}, None
    for part in ids(15).split((7, 5, 1, 1, 1), dim=1):
        with torch.no_grad():
            expected = theirs(part, past_key_values=kept, use_cache=True)
            close(ours(part, cache), expected.logits)
        kept = expected.past_key_values
    assert kept.get_seq_length() == len(cache["layer2.attention"]) == 15


# --- SmolLM2
@pytest.fixture(scope="module")
def smollm2():
    """Our model, our tokens, and transformers' model, all from the one file."""
    return *pretrained(), transformers_model()


def test_the_preset_is_the_files_own_configuration(smollm2):
    theirs = smollm2[2].config
    assert theirs.rms_norm_eps == pytest.approx(PRESETS["smollm2"].norm_epsilon, rel=1e-6)  # 32 bits in the file
    assert PRESETS["smollm2"] == LlamaConfig(
        theirs.vocab_size,
        theirs.hidden_size,
        theirs.num_attention_heads,
        theirs.num_key_value_heads,
        theirs.intermediate_size,
        theirs.num_hidden_layers,
        theirs.max_position_embeddings,
        theirs.rope_parameters["rope_theta"],
        PRESETS["smollm2"].norm_epsilon,
    )
    assert theirs.tie_word_embeddings


def test_logits_of_real_text(smollm2):
    ours, tokenizer, theirs = smollm2
    alice = " ".join(load("gutenberg")["train"][0]["text"].split()[:60])
    assert largest_difference(ours, theirs, tokenizer.encode(alice)) < 1e-3


@pytest.mark.parametrize("prompt", [PROMPTS[0], PROMPTS[-1]])
def test_greedy_texts_are_the_same(smollm2, prompt):
    ours, tokenizer, theirs = smollm2
    expected = transformers_continuation(theirs, tokenizer.encode(prompt), 15)
    assert continuation(ours, tokenizer, prompt, 15) == tokenizer.decode(expected)


def real_lines() -> list[str]:
    """A thousand lines: passages of novels, verses, and words with their sounds; one space between words."""
    books, words = load("gutenberg"), load("cmudict")
    passages = [line for text in books["train"]["text"][:60] for line in text.splitlines() if line][:500]
    verses = [line for text in books["king_james"]["text"][:60] for line in text.splitlines() if line][:400]
    entries = [f"{row['word']} {row['pronunciations'][0]}" for row in words["test"].select(range(100))]
    return [" ".join(line.split()) for line in (*passages, *verses, *entries)]


def test_a_thousand_real_lines_have_transformers_tokens(smollm2):
    file, lines = assets.path("smollm2"), real_lines()
    theirs = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    assert len(lines) == 1000
    assert [line for line in lines if smollm2[1].encode(line) != theirs.encode(line)] == []
    assert theirs.encode(PROMPTS[-1]) == smollm2[1].encode(PROMPTS[-1])


def test_digits_are_cut_as_smollm_was_trained(smollm2):
    """The library with SmolLM2's published way of cutting: digits alone, then GPT-2's pieces.

    Transformers leaves the first step out when it reads a GGUF file.  No token holds two of the digits 0–9, so with
    them it shows only after two spaces; with digits of several bytes it shows everywhere.
    """
    tokenizer = smollm2[1]
    theirs = Tokenizer(models.BPE(tokenizer.ids, list(tokenizer.merges)))
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    theirs.decoder = decoders.ByteLevel()
    nasty = [
        "½ ² ⅷ ٣ 3rd",
        "a  1\n\n 23  4",
        "١٢٣ ١٢٣",
        "x²y³ 10⁶",
        "1's '2 3't",
        "I have 25,000 of 1984's  hats.\t\n 7",
    ]
    for text in [*nasty, *real_lines()[::5]]:
        assert tokenizer.encode(text) == theirs.encode(text).ids, text
        assert tokenizer.decode(tokenizer.encode(text)) == text
    as_transformers = BPE(tokenizer.ids, tokenizer.merges)
    assert all(tokenizer.encode(text) != as_transformers.encode(text) for text in ("٣ ٣", "me?  25:33"))
