"""An encoder–decoder against a decoder alone, with equally many parameters."""

import pytest
import torch

from qkv.models.transformer import Transformer
from qkv.recipes import decoder_only, positions
from qkv.recipes.decoder_only import ALONE, BLOCKS, DecoderAlone, rows
from qkv.recipes.pronunciation import Word
from qkv.recipes.protocol import measure
from qkv.text.sounds import PAD, letter_ids, sound_ids
from qkv.training.batches import Batch, pad

SMOKE = decoder_only.PRESETS["smoke"]
WORDS = [Word("cat", (("K", "AE", "T"),)), Word("phone", (("F", "OW", "N"),))]


def test_a_run_of_both_arms(tmp_path, monkeypatch):
    monkeypatch.setattr(positions, "runs_folder", lambda: tmp_path)
    found = measure("decoder-only", decoder_only, SMOKE, range(2), tmp_path)
    assert "loss, decoder alone minus encoder and decoder" in decoder_only.facts(found)


def test_both_models_hold_equally_many_numbers():
    def matrices(model):
        return sum(weights.numel() for weights in model.parameters() if weights.ndim == 2)

    config = decoder_only.PRESETS["full"].usual.training.model
    both = decoder_only.replace(config, num_encoder_layers=BLOCKS, num_decoder_layers=BLOCKS)
    assert matrices(Transformer(both)) == matrices(DecoderAlone(config, ALONE))


def test_sounds_are_learned_and_letters_are_read():
    read, say = rows(WORDS)[0]
    assert read == [*letter_ids("cat"), *sound_ids(("K", "AE", "T"))[:-1]]
    assert say == [PAD] * 3 + sound_ids(("K", "AE", "T"))[1:]


def test_nothing_after_a_symbol_changes_its_scores():
    model = DecoderAlone(SMOKE.usual.training.model, 2).eval()
    ids = torch.tensor([rows(WORDS)[1][0]])
    other = ids.clone()
    other[0, -1] = ids[0, 0]
    torch.testing.assert_close(model(ids)[:, :-1], model(other)[:, :-1])
    assert not torch.allclose(model(ids)[:, -1], model(other)[:, -1])


def test_it_learns_two_words_and_says_them():
    torch.manual_seed(0)
    model = DecoderAlone(decoder_only.replace(SMOKE.usual.training.model, dropout=0.0), 2)
    read, say = zip(*rows(WORDS), strict=True)
    batch, optimizer = Batch(pad(read, PAD), pad(say, PAD)), torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        sums, count = decoder_only.loss(model, batch, 0.0)
        optimizer.zero_grad()
        (sums / count).backward()
        optimizer.step()
    assert decoder_only.said(model.eval(), WORDS) == [("K", "AE", "T"), ("F", "OW", "N")]
    assert decoder_only.scores(model, WORDS)["WER"] == 0


def test_contrast_by_hand():
    values = {"decoder alone": {"WER": [50, 52]}, "encoder and decoder": {"WER": [45, 53]}}
    assert decoder_only.differences({}, values) == [5, -1]
    with pytest.raises(ValueError, match="got 'encoder alone'"):
        decoder_only.run(SMOKE, "encoder alone", 0)
