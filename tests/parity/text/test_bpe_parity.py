"""Byte-level BPE against the tokenizers library: the same merges from the same books, the same ids for every line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from qkv.data import load
from qkv.text.bpe import BPE

BOOKS = load("gutenberg")
CORPUS = [*BOOKS["validation"]["text"], *BOOKS["test"]["text"]]
SPECIAL = ["<pad>", "<end>"]
SIZE = 3000
NASTY = [
    "",
    " ",
    "\t\r\n \n",
    "don't DON'T we'll 'tis it''s ’s",
    "  two  spaces ",
    "naïve Ångström ﬁ ß e\u0301",
    "東京タワー 한국어 中文。字",
    "😀👩‍👩‍👧 🇫🇷",
    "a\x00b\x07c\x85d\u2028e\u00a0f\u3000g",
    "x" * 2000,
    "½ ² ⅷ ٣ 3rd",
    "<pad><end> <pad",
    "$100 ~ ^_ __init__",
]


def library(model: models.BPE) -> Tokenizer:
    found = Tokenizer(model)
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    return found


@pytest.fixture(scope="module")
def ours() -> BPE:
    return BPE.train(CORPUS, SIZE, SPECIAL)


@pytest.fixture(scope="module")
def theirs() -> Tokenizer:
    found = library(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    found.train_from_iterator(CORPUS, trainer)
    return found


def test_merges_and_ids_are_the_same(ours, theirs):
    """Of equally frequent pairs both take the lower ids, so ties are no difference."""
    merges = json.loads(theirs.to_str())["model"]["merges"]
    assert [list(pair) for pair in ours.merges] == merges
    assert ours.ids == theirs.get_vocab()


def test_more_than_thirty_thousand_real_lines(ours, theirs):
    lines = [line for split in BOOKS.values() for text in split["text"] for line in text.splitlines()][::4]
    expected = theirs.encode_batch(lines)
    assert len(lines) > 30_000
    assert [line for line, each in zip(lines, expected, strict=True) if ours.encode(line) != each.ids] == []
    assert all(ours.decode(each.ids) == line for line, each in zip(lines, expected, strict=True))


@pytest.mark.parametrize("text", NASTY)
def test_nasty_lines(text, ours, theirs):
    assert ours.encode(text) == theirs.encode(text).ids
    assert theirs.decode(ours.encode(text), skip_special_tokens=False) == text


def test_our_files_are_read_by_the_library(ours, theirs, tmp_path):
    ours.save(tmp_path)
    read = library(models.BPE.from_file(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt")))
    text = CORPUS[0]
    assert read.encode(text).ids == theirs.encode(text).ids == BPE.load(tmp_path).encode(text)


def test_every_kind_of_character_is_cut_alike(ours, theirs):
    """Which signs are letters is decided by tables of Unicode, and both have the same."""
    codes = [*range(0x3000), *range(0x3000, 0xD800, 29), *range(0xE000, 0x110000, 29)]
    texts = [f"a{chr(code)}b{chr(code)} {chr(code)}" for code in codes]
    expected = theirs.encode_batch(texts)
    assert [t for t, each in zip(texts, expected, strict=True) if ours.encode(t) != each.ids] == []


@settings(max_examples=500, deadline=None)
@given(
    text=st.text(
        st.characters(max_codepoint=0x5FF, exclude_categories=["Cs"]) | st.sampled_from(" 'tsrevmld\n東京😀"),
        max_size=60,
    )
)
def test_any_text(ours, theirs, text):
    assert ours.encode(text) == theirs.encode(text).ids
