"""Translating with any Transformer, and what the command says while there are no weights."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from qkv import assets
from qkv.__main__ import app
from qkv.models.transformer import PRESETS, Transformer
from qkv.text.bpe import BPE
from qkv.translate import SPECIAL, UnreadableTextError, UntrainedError, pretrained, translate

TOKENIZER = BPE.train(["and he said to him, and he went", "et il lui dit, et il alla"], 270, SPECIAL)


@pytest.fixture(scope="module")
def untrained() -> Transformer:
    torch.manual_seed(0)
    return Transformer(replace(PRESETS["smoke"], vocab_size=len(TOKENIZER), norm="pre")).eval()


def test_a_text_gets_the_same_alone_and_among_others_in_its_place(untrained):
    texts = ["he said", "he", "and went to him", "he said"]
    found = translate(untrained, TOKENIZER, texts, beam_size=2)
    assert found == [translate(untrained, TOKENIZER, [text], beam_size=2)[0] for text in texts]


def test_texts_that_cannot_be_read_name_the_length(untrained):
    with pytest.raises(UnreadableTextError, match="1 to 32 tokens, got '': 0"):
        translate(untrained, TOKENIZER, ["he", ""])
    with pytest.raises(UnreadableTextError, match=r"1 to 32 tokens, got 'x{33}': 33"):
        translate(untrained, TOKENIZER, ["x" * 33])


def test_without_weights_the_error_says_how_to_make_them(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))
    with pytest.raises(UntrainedError, match=r"no model 'translation-french'.*python -m qkv run translation"):
        pretrained("french")
    answer = CliRunner().invoke(app, ["translate", "--simplify", "And he said."])
    assert answer.exit_code == 1
    assert answer.stderr.startswith("error: there is no model 'translation-basic'")


def test_with_weights_the_command_prints_the_translation(monkeypatch, untrained):
    monkeypatch.setattr("qkv.translate.pretrained", lambda task: (untrained, TOKENIZER))
    answer = CliRunner().invoke(app, ["translate", "he said"])
    assert answer.exit_code == 0
    assert answer.output == translate(untrained, TOKENIZER, ["he said"])[0] + "\n"
