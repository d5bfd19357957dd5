"""What BERTs pretrained with other mixtures make of rows without a mask, at a size of seconds."""

from dataclasses import replace

import pytest
import torch

from qkv.data.masking import IGNORED, corrupt
from qkv.models.bert import BERTForPreTraining
from qkv.recipes import unmasked
from qkv.recipes.bert_mlm import MaskedBatches, corpus_of
from qkv.recipes.protocol import measure
from qkv.recipes.unmasked import MIXTURES, PRESETS, HeldOutRows, MixedCorpus, Mixture, held_out
from qkv.text.wordpiece import MASK, SPECIAL

SMOKE = PRESETS["smoke"]


@pytest.fixture(scope="module")
def corpus():
    return corpus_of(SMOKE.bert)


def batch_with(corpus, mixture, step=0):
    mixed = MixedCorpus(corpus.pieces, corpus.splits, mixture)
    return MaskedBatches(mixed, replace(SMOKE.bert, batch_size=16), seed=0)[step]


# Mixtures ------------------------------------------------------------------------------------------------------------


def test_the_published_mixture_is_what_all_recipes_have(corpus):
    plain = MaskedBatches(corpus, replace(SMOKE.bert, batch_size=16), seed=0)[0]
    assert all(torch.equal(a, b) for a, b in zip(plain, batch_with(corpus, MIXTURES["80/10/10"]), strict=True))


def test_what_becomes_of_chosen_pieces(corpus):
    """The same pieces are chosen in all arms; what stands there follows the mixture's name."""
    mask_id, batches = corpus.pieces.ids[MASK], {name: batch_with(corpus, each) for name, each in MIXTURES.items()}
    labels = batches["80/10/10"].labels
    chosen = labels != IGNORED
    for name, batch in batches.items():
        assert torch.equal(batch.labels, labels)
        shares = [int(part) / 100 for part in name.split("/")]
        hidden = (batch.ids == mask_id)[chosen].float().mean().item()
        kept = (batch.ids == labels)[chosen].float().mean().item()
        assert hidden == pytest.approx(shares[0], abs=0.07), name
        assert kept == pytest.approx(shares[2], abs=0.07), name
        assert torch.equal(batch.ids[~chosen], batches["80/10/10"].ids[~chosen])
    assert (batches["100/0/0"].ids == mask_id)[chosen].all()
    kept = batches["80/0/20"].ids
    assert ((kept == mask_id) | (kept == labels))[chosen].all()


def test_shares_that_cannot_be():
    ids, chosen = torch.tensor([[5, 6]]), torch.ones(1, 2, dtype=torch.bool)
    for hidden, random in ((0.8, 0.3), (-0.1, 0.1), (0.1, -0.1)):
        with pytest.raises(ValueError, match=f"got hidden {hidden} and random {random}"):
            corrupt(ids, chosen, 4, 9, torch.Generator(), hidden=hidden, random=random)


def test_arms_begin_alike_and_end_apart(corpus):
    one, again = (unmasked.trained(SMOKE.bert, MIXTURES["80/10/10"], 0) for _ in range(2))
    other = unmasked.trained(SMOKE.bert, Mixture(1.0, 0.0), 0)
    assert not one.training
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    assert not torch.equal(one.bias, other.bias)


# Rows ----------------------------------------------------------------------------------------------------------------


def test_held_out_rows_are_whole_and_of_their_split(corpus):
    special = torch.tensor([corpus.pieces.ids[token] for token in SPECIAL])
    for split in ("validation", "test"):
        rows, again = held_out(SMOKE, split), held_out.__wrapped__(SMOKE, split)
        assert all(torch.equal(a, b) for a, b in zip(rows, again, strict=True))
        known = [row for passage in corpus.splits[split] for row in passage]
        assert all(row in known for row in rows.ids.tolist())
        assert rows.ids.shape == (SMOKE.num_rows, SMOKE.bert.model.max_length)
        changed = rows.having(rows.drawn) != rows.ids
        assert (changed.sum(1) == 1).all()  # so what is drawn is never what stood there
        assert torch.equal(changed.int().argmax(1), rows.place[:, 0])
        assert not torch.isin(rows.ids.gather(1, rows.place), special).any()
        assert not torch.isin(rows.drawn, special).any()


def test_what_is_drawn_is_any_other_piece(corpus, monkeypatch):
    """Many places: the drawn pieces are spread over the vocabulary."""
    many = held_out.__wrapped__(replace(SMOKE, num_rows=10_000), "test")
    assert len(many.ids) > 50
    assert len(many.drawn.unique()) > 0.6 * min(len(many.ids), len(corpus.pieces) - len(SPECIAL)) / 1.5


class Knows(BERTForPreTraining):
    """States are one-hot vectors of the visible pieces; the head is sure of what stands there, or of one piece."""

    def __init__(self, size, always=None):
        torch.nn.Module.__init__(self)
        self.size, self.always = size, always

    def bert(self, ids):
        return torch.nn.functional.one_hot(ids, self.size).float()

    def piece_scores(self, hidden):
        if self.always is None:
            return 9 * hidden
        return 9 * torch.nn.functional.one_hot(torch.tensor(self.always), self.size).float().expand_as(hidden)


class Blind(Knows):
    """All its states are alike."""

    def bert(self, ids):
        return torch.ones(*ids.shape, 3)


def test_one_that_copies_what_it_sees(corpus):
    model, rows, size = Knows(len(corpus.pieces)), held_out(SMOKE, "test"), len(corpus.pieces)
    sure = torch.log(torch.tensor(torch.e**9 + size - 1)) - 9
    found = unmasked.intact(model, corpus, rows)
    assert found["own"] == pytest.approx(sure.item(), abs=1e-4)
    assert found["own first"] == 100
    apart = unmasked.exchanged(model, rows)
    assert apart["true"] - apart["drawn"] == pytest.approx(9, abs=1e-4)
    assert apart["noticed"] == 0
    assert unmasked.masked(model, corpus, rows)["masked"] == pytest.approx(9 + sure.item(), abs=1e-4)
    assert unmasked.probe(model, corpus, rows, rows, 150, 0) > 95


def test_one_that_always_names_one_piece(corpus):
    """It is right where that piece stands, and nowhere else."""
    rows = held_out(SMOKE, "test")
    piece = rows.ids[0, rows.place[0]].item()
    model = Knows(len(corpus.pieces), piece)
    ids = rows.ids[unmasked.asked(corpus, rows.ids)]
    found = unmasked.intact(model, corpus, rows)
    assert found["own first"] == pytest.approx(100 * (ids == piece).float().mean().item(), abs=1e-4)
    first = HeldOutRows(*(part[:1] for part in rows))
    assert unmasked.exchanged(model, first)["noticed"] == 100
    sure = torch.log(torch.tensor(torch.e**9 + len(corpus.pieces) - 1)) - 9
    assert unmasked.masked(model, corpus, first)["masked"] == pytest.approx(sure.item(), abs=1e-4)


def test_special_tokens_are_not_asked_for(corpus):
    row = torch.tensor([[corpus.pieces.ids["[CLS]"], 20, corpus.pieces.ids["[UNK]"], 21, corpus.pieces.ids["[SEP]"]]])
    assert unmasked.asked(corpus, row).tolist() == [[False, True, False, True, False]]


def test_a_probe_is_tested_on_other_rows(corpus):
    """States that tell nothing: it is right as often as the piece that is most frequent where it learnt."""
    learnt, tested = held_out(SMOKE, "validation"), held_out(SMOKE, "test")
    blind = Blind(len(corpus.pieces))
    usual = learnt.ids[unmasked.asked(corpus, learnt.ids)].mode().values
    expected = 100 * (tested.ids[unmasked.asked(corpus, tested.ids)] == usual).float().mean().item()
    assert unmasked.probe(blind, corpus, learnt, tested, 300, 0) == pytest.approx(expected, abs=1e-3)


# The whole -----------------------------------------------------------------------------------------------------------


def test_from_run_to_what_prose_may_quote(tmp_path, corpus):
    result = measure("x", unmasked, SMOKE, [0, 1], tmp_path)
    values = result.values
    expected = [a - b for a, b in zip(values["100/0/0"]["own"], values["80/10/10"]["own"], strict=True)]
    assert unmasked.differences(result.config, values) == pytest.approx(expected)
    facts = unmasked.facts(result)
    assert facts["own, 100/0/0 minus 80/10/10"].mean == pytest.approx(sum(expected) / 2, abs=1e-5)
    assert facts["noticed 80/0/20"].unit == "%"
    assert facts["true, 80/0/20 minus 80/10/10"].unit == "nats"
    assert facts["probe, 100/0/0 minus 80/10/10"].unit == "points"
    rerun = unmasked.run(SMOKE, "80/10/10", 0)
    assert rerun == {name: entries[0] for name, entries in values["80/10/10"].items()}


def test_the_model_is_bert_as_it_is():
    assert isinstance(unmasked.trained(SMOKE.bert, MIXTURES["100/0/0"], 1), BERTForPreTraining)
