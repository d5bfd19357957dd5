"""The recipe of the small GPT: its windows, its sums, and the whole of it at a size of seconds."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from qkv import assets
from qkv.models.gpt import GPT
from qkv.recipes import gpt_lm
from qkv.recipes.gpt_lm import MARK, PRESETS, Windows, corpus_of, neural_losses, num_tokens, scored_windows
from qkv.recipes.passages import running_passages
from qkv.recipes.protocol import judge
from qkv.recipes.result import Result
from qkv.text.bpe import BPE

SMOKE = PRESETS["smoke"]


@pytest.fixture(scope="module")
def corpus() -> gpt_lm.Corpus:
    return corpus_of(SMOKE)


def test_passages_read_back_behind_their_mark(corpus):
    texts = running_passages(SMOKE.num_passages)
    assert corpus.tokens.ids[MARK] == 0
    for name, passages in corpus.splits.items():
        assert len(passages) == SMOKE.num_passages
        for passage, (_, text) in zip(passages, texts[name], strict=True):
            assert passage[0] == 0
            assert 0 not in passage[1:]
            assert corpus.tokens.decode(passage[1:]) == text
    assert corpus.test_characters == [len(text) for _, text in texts["test"]]
    assert len(corpus.tokens) == SMOKE.model.vocab_size


def test_an_epoch_reads_every_token_once_and_the_next_one_is_cut_elsewhere():
    batches = Windows(torch.arange(103), length=5, batch_size=4)
    epochs = [[batches[step] for step in range(i * len(batches), (i + 1) * len(batches))] for i in range(6)]
    for epoch in epochs:
        rows = torch.cat(epoch)
        assert (rows.diff(dim=1) == 1).all()
        read = rows[:, :-1].flatten().tolist()
        assert len(read) == len(set(read)) >= 75  # of 103: less than one window at the ends, less than one batch
    assert len({epoch[0][0, 0].item() % 5 for epoch in epochs}) > 1
    assert torch.equal(Windows(torch.arange(103), 5, 4)[7], batches[7])
    with pytest.raises(ValueError, match="at least 25 tokens for 4 windows of 5, got 24"):
        Windows(torch.arange(24), 5, 4)
    assert len(Windows(torch.arange(25), 5, 4)) == 1


def test_scored_windows_by_hand():
    assert list(scored_windows(10, 4)) == [(0, 1), (2, 5), (4, 7), (6, 9)]
    assert list(scored_windows(5, 4)) == [(0, 1)]
    assert list(scored_windows(6, 4)) == [(0, 1), (2, 5)]


@pytest.mark.parametrize("length", [1, 4, 5, 32])
@pytest.mark.parametrize("num", [2, 5, 6, 33, 34, 100])
def test_every_token_is_predicted_once_with_half_a_window_before_it(num, length):
    predicted = []
    for start, first in scored_windows(num, length):
        assert first - start > length // 2 or start == 0
        predicted += range(first, min(start + length, num - 1) + 1)
    assert predicted == list(range(1, num))


def test_losses_of_a_passage_token_by_token(corpus):
    """The same by running every prefix alone, cut where the window of its token begins."""
    torch.manual_seed(0)
    model = GPT(SMOKE.model).double().eval()
    torch.nn.init.normal_(model.token.weight, std=0.5)
    for passage in (corpus.splits["test"][0][:75], corpus.splits["test"][1][:20]):
        nats = 0.0
        for start, first in scored_windows(len(passage), 32):
            for place in range(first, min(start + 33, len(passage))):
                scores = model(torch.tensor([passage[start:place]]))[0, -1]
                nats += functional.cross_entropy(scores, torch.tensor(passage[place])).item()
        assert neural_losses(model, [passage]) == pytest.approx([nats])


def test_guessing_costs_ln_v(corpus):
    model = GPT(SMOKE.model).eval()
    torch.nn.init.zeros_(model.token.weight)
    passages = corpus.splits["test"]
    expected = [math.log(300) * number for number in num_tokens(passages)]
    assert neural_losses(model, passages) == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def finished(tmp_path, monkeypatch) -> Result:
    """The whole recipe at its smallest."""
    monkeypatch.setattr(gpt_lm, "runs_folder", lambda: tmp_path)
    values = {arm: {key: [value] for key, value in gpt_lm.run(SMOKE, arm, 0).items()} for arm in gpt_lm.arms(SMOKE)}
    effect, verdict = judge(gpt_lm, {}, values)
    return Result("", "", {}, [0], values, effect, verdict, 1, {}, "python -m qkv run gpt-lm")


def test_choose_test_and_tell(finished):
    """What is stored gives effect and facts."""
    values = finished.values
    assert values["GPT"]["tokens"] == values["n-grams"]["tokens"]
    for arm, trials in (("GPT", 2), ("n-grams", 4)):
        (validation,), (chosen,) = values[arm]["validation"], values[arm]["chosen"]
        assert len(validation) == trials
        assert validation[chosen] == min(validation.values())
    logs = {arm: math.log(values[arm]["perplexity"][0]) for arm in values}
    assert finished.effect.mean == pytest.approx(logs["n-grams"] - logs["GPT"], abs=1e-4)
    facts = gpt_lm.facts(finished)
    assert facts["passages"] == SMOKE.num_passages
    assert 1 < facts["perplexity n-grams"].value < 300
    per_character = facts["tokens"] * logs["GPT"] / math.log(2) / sum(corpus_of(SMOKE).test_characters)
    assert facts["bits per character GPT"].value == pytest.approx(per_character, abs=1e-3)


def test_what_is_published_is_what_was_tested(finished, tmp_path, monkeypatch, corpus):
    """Weights, card and tokens go to the package; read back by name, they give the stored losses."""
    (tmp_path / "weights").mkdir()
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))
    monkeypatch.setattr(gpt_lm, "load_result", lambda name: finished)
    monkeypatch.setattr(gpt_lm.claims, "field", lambda name, fact: str(gpt_lm.facts(finished)[fact].value))
    monkeypatch.setattr(gpt_lm, "PRESETS", {"full": SMOKE})
    gpt_lm.publish()
    text = running_passages(SMOKE.num_passages)["test"][0].text
    passage = [0, *BPE.from_pretrained("gpt").encode(text)]
    assert passage == corpus.splits["test"][0]
    losses = neural_losses(GPT.from_pretrained("gpt"), [passage])
    assert losses == pytest.approx(finished.values["GPT"]["nats"][0][:1], abs=1e-2)


def test_a_run_that_stopped_goes_on_to_the_same_numbers(tmp_path):
    whole = gpt_lm.fit(SMOKE, tmp_path / "whole")
    gpt_lm.fit(SMOKE, tmp_path / "halves")
    (tmp_path / "halves" / "step_000004.pt").unlink()
    assert gpt_lm.fit(SMOKE, tmp_path / "halves") == whole
    assert [record["step"] for record in whole if "validation_loss" in record] == [2, 4]


def test_biases_and_gains_do_not_decay(tmp_path):
    """A rate so small that gradients move nothing to speak of, and a decay that takes half of each weight at a step."""
    settings = replace(SMOKE.settings, num_steps=2, peak_lr=1e-9, weight_decay=5e8)  # at step 2 the rate is 0
    gpt_lm.fit(replace(SMOKE, settings=settings, warmup_steps=1), tmp_path)
    trained = gpt_lm.checkpoint.load(tmp_path / "step_000002.pt")["model"]
    torch.manual_seed(0)
    for name, before in GPT(SMOKE.model).state_dict().items():
        expected = 0.5 * before if before.ndim > 1 else before
        torch.testing.assert_close(trained[name], expected, rtol=0, atol=1e-6)


def test_it_learns_what_tokens_are_frequent(tmp_path):
    """One passage, again and again: soon it knows more than the tokens' frequencies tell."""
    model = replace(SMOKE.model, d_model=48, d_ff=96, dropout=0.0)
    settings = replace(SMOKE.settings, num_steps=150, checkpoint_every=150)
    config = replace(SMOKE, model=model, num_passages=1, batch_size=16, settings=settings)
    history = gpt_lm.fit(config, tmp_path)
    passage = corpus_of(config).splits["train"][0]
    shares = [passage.count(token) / len(passage) for token in set(passage)]
    assert history[-1]["loss"] < 0.9 * -sum(share * math.log(share) for share in shares)


def test_the_full_run_is_the_model_of_the_course():
    config = PRESETS["full"]
    assert config.model == replace(gpt_lm.MODELS["cpu"], dropout=0.0)
    assert config.settings.weight_decay == 0.01
