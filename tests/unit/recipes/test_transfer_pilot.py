"""The transfer pilot at a size of seconds: who sees what, where each network starts, and whether a gain would show."""

import hashlib
import json
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import save_file

from qkv import assets
from qkv.models import awd_lstm, bert, elmo, gpt
from qkv.recipes import transfer_pilot, transfer_systems, transfer_tasks
from qkv.recipes.protocol import measure
from qkv.recipes.result import Effect, Quantity, Result
from qkv.recipes.transfer_systems import MODELS, SYSTEMS, Network, Source, Training
from qkv.recipes.transfer_tasks import TASKS, TextExample, TextTask, labelled, share_right
from qkv.text.bpe import BPE
from qkv.text.wordpiece import SPECIAL, WordPiece
from qkv.text.words import WordVocabulary, tokens

SMOKE = transfer_pilot.PRESETS["smoke"]
REAL_LOAD = transfer_tasks.load
SENTENCE = tokens("The old cat sat on a small mat, and it slept.")
TAGS = [4, 0, 5, 9, 1, 4, 0, 5, 11, 3, 7, 9, 11]


def brown_like(name):
    """Sentences of our own in the columns of ``brown``, which takes long to read."""
    if name != "brown":
        return REAL_LOAD(name)
    rows = [{"words": [f"No{i}", *SENTENCE], "coarse": [5, *TAGS]} for i in range(90)]
    return {"train": rows[:30], "validation": rows[30:60], "test": rows[60:]}


@pytest.fixture(scope="module")
def texts():
    return REAL_LOAD("trec")["train"]["text"][:300]


@pytest.fixture(scope="module")
def sources(texts):
    """Networks with weights of chance and the right tokens, in the place of published ones."""
    torch.manual_seed(5)
    words = sorted({word for text in texts for word in tokens(text)})
    pieces, bpe = WordPiece.train(texts, 200), BPE.train(texts, 300, ["<|passage|>"])
    return {
        "ELMo": Source(elmo.ELMo(elmo.PRESETS["smoke"]).eval()),
        "AWD-LSTM": Source(awd_lstm.AWDLSTM(awd_lstm.PRESETS["smoke"]).eval(), WordVocabulary(words[:40])),
        "GPT": Source(gpt.GPT(replace(gpt.PRESETS["smoke"], vocab_size=300)).eval(), bpe),
        "BERT": Source(bert.BERT(replace(bert.PRESETS["smoke"], vocab_size=200)).eval(), pieces),
        "MiniLM": Source(bert.BERT(replace(bert.PRESETS["smoke"], vocab_size=200)).eval(), pieces),
    }


@pytest.fixture(autouse=True)
def small(stand_in, sources):
    stand_in(sources, brown_like, [transfer_systems], [transfer_pilot._trials])


class Recorder:
    """A system that remembers what it was given, and names the right labels as often as its setting says."""

    settings = (0.2, 0.8, 0.5)

    def __init__(self):
        self.fits, self.predicted = [], []

    def fit(self, task, train, setting, training, seed):
        self.fits.append((task.name, tuple(train), setting, training, seed))

        def predict(examples):
            self.predicted.append((setting, seed, tuple(examples)))
            right = int(setting * len(examples))
            return [[label if i < right else -1 for label in each.labels] for i, each in enumerate(examples)]

        return predict


@pytest.fixture
def recorders(monkeypatch):
    found = {name: Recorder() for name in SYSTEMS}
    monkeypatch.setattr(transfer_pilot, "SYSTEMS", found)
    return found


def test_all_systems_see_the_same_nested_labels(recorders):
    for arm in transfer_pilot.arms(SMOKE):
        for seed in (0, 1):
            transfer_pilot.run(SMOKE, arm, seed)
    for task in transfer_pilot.PLAIN:
        here = [name for name in SYSTEMS if any(fit[0] == task for fit in recorders[name].fits)]
        assert len(here) == 10
        seen = {name: [fit for fit in recorders[name].fits if fit[0] == task] for name in here}
        sets = {name: {(seed, train) for _, train, _, _, seed in fits} for name, fits in seen.items()}
        assert all(each == sets["MiniLM"] for each in sets.values())
        for seed in (0, 1):
            small, large = sorted((set(train) for s, train in sets["MiniLM"] if s == seed), key=len)
            assert small < large
            assert (len(small), len(large)) == SMOKE.sizes(task)
        assert (
            len({frozenset(train) for _, train in sets["MiniLM"]}) == 5
        )  # two seeds and sizes, and one to choose with
        steps = {(len(train), training) for fits in seen.values() for _, train, _, training, _ in fits}
        assert steps == {(n, Training(k, 8)) for n, k in zip(SMOKE.sizes(task), SMOKE.num_steps, strict=True)}


def test_the_setting_is_chosen_on_validation_with_a_further_seed(recorders):
    found = transfer_pilot.run(SMOKE, "TREC 12 GPT scratch", 3)
    assert found["chosen"] == 0.8
    assert found["validation"] == [20.0, 80.0, 50.0]
    assert found["accuracy"] == 80.0
    data = SMOKE.data("TREC")
    recorder = recorders["GPT scratch"]
    assert recorder.predicted[:3] == [(setting, 1000, data.validation) for setting in Recorder.settings]
    assert recorder.predicted[3:] == [(0.8, 3, data.test)]  # the test texts are opened once
    assert [len(train) for _, train, *_ in recorder.fits] == [24, 24, 24, 12]


def test_every_system_has_as_many_trials():
    assert {len(system.settings) for system in SYSTEMS.values()} == {3}


@pytest.mark.parametrize("task", transfer_pilot.PLAIN)
def test_no_test_text_is_learnt_from(task, monkeypatch):
    """On the real data, as the full run takes them."""
    monkeypatch.setattr(transfer_tasks, "load", REAL_LOAD)
    config = transfer_pilot.PRESETS["full"]
    data = config.data(task)
    parts = [{each.words for each in part} for part in (data.train, data.validation, data.test)]
    assert not parts[2] & (parts[0] | parts[1])
    assert not parts[0] & parts[1]
    assert len(data.test) == {"TREC": 545, "POS": 1_000}[task]
    assert len(data.validation) == 539
    assert len(data.train) >= config.sizes(task)[-1]
    assert max(len(each.words) for each in data.train) == config.max_words
    assert all(len(each.labels) == (len(each.words) if TASKS[task].per_word else 1) for each in data.test)


def test_kinds_of_questions_keep_their_shares():
    train = SMOKE.data("TREC").train
    drawn = labelled(TASKS["TREC"], train, 50, 0)
    for kind in range(6):
        share = sum(each.labels[0] == kind for each in train) / len(train)
        assert abs(sum(each.labels[0] == kind for each in drawn) - 50 * share) <= 1.5


def test_share_right_by_hand():
    examples = [TextExample(("a", "b", "c"), (0, 1, 2)), TextExample(("d",), (3,))]
    assert share_right([[0, 1, 0], [3]], examples) == 75.0
    with pytest.raises(ValueError, match="zip"):
        share_right([[0, 1], [3]], examples)


# Where networks start ------------------------------------------------------------------------------------------------


def weights_of(learner, model):
    """The language model's weights inside a learner, by their names in the language model."""
    state = learner.state_dict()
    prefix = {"ELMo": "elmo.", "AWD-LSTM": "network.model.", "GPT": "network.gpt.", "BERT": "network.bert."}[model]
    return {name.removeprefix(prefix): each for name, each in state.items() if name.startswith(prefix)}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("model", [name for name in MODELS if name != "ELMo"])
def test_pretrained_starts_from_the_given_weights_and_scratch_does_not(model, task, sources):
    train = labelled(task, SMOKE.data(task.name).train, 12, 0)
    given = {name: each.clone() for name, each in sources[model].model.state_dict().items()}
    found = {
        start: weights_of(SYSTEMS[f"{model} {start}"].learner(task, train), model)
        for start in ("pretrained", "scratch")
    }
    for name, expected in given.items():
        old = [each[: len(expected)] if each.ndim else each for each in (found[start][name] for start in found)]
        assert torch.equal(old[0], expected), name
        constant = bool((expected == expected.flatten()[0]).all())  # gains of 1, biases of 0
        assert constant or not torch.equal(old[1], expected), name
    SYSTEMS[f"{model} pretrained"].fit(task, train, 1e-2, Training(2, 4), 0)
    assert all(torch.equal(each, given[name]) for name, each in sources[model].model.state_dict().items())


def test_new_rows_for_words_and_marks(sources):
    """A word that comes twice gets the mean vector; GPT's three marks come behind its tokens."""
    train = [TextExample(("quux", "quux", "once"), (0,))]
    learner = SYSTEMS["AWD-LSTM pretrained"].learner(TASKS["TREC"], train)
    table = sources["AWD-LSTM"].model.token.embedding.weight
    assert learner.vocabulary.ids["quux"] == len(table)
    assert "once" not in learner.vocabulary.ids
    new = learner.network.model.token.embedding.weight
    torch.testing.assert_close(new[len(table)], table.mean(0))
    assert len(SYSTEMS["GPT scratch"].learner(TASKS["TREC"], train).network.gpt.token.weight) == 303


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_elmo_reads_the_given_layers_and_leaves_them(task, sources):
    train = labelled(task, SMOKE.data(task.name).train, 12, 0)
    frozen = SYSTEMS["ELMo pretrained"].learner(task, train).eval()
    assert set(frozen.state_dict()) == {"head.mix.weights", "head.mix.gamma", "head.linear.weight", "head.linear.bias"}
    anew = SYSTEMS["ELMo scratch"].learner(task, train).eval()
    assert not torch.equal(anew.elmo.word_scores.weight, sources["ELMo"].model.word_scores.weight)
    anew.elmo.load_state_dict(sources["ELMo"].model.state_dict())
    anew.head.load_state_dict(frozen.head.state_dict())
    with torch.no_grad():
        one, other = (learner([learner.encode(each) for each in train]) for learner in (frozen, anew))
    torch.testing.assert_close(one, other)


def test_ulmfit_thaws_from_the_top_and_scratch_learns_at_once():
    task, train = TASKS["TREC"], SMOKE.data("TREC").train[:12]
    learner = SYSTEMS["AWD-LSTM pretrained"].learner(task, train)
    thawed = []
    for step in range(20):
        learner.before_step(step, 20)
        thawed.append(sum(all(each.requires_grad for each in group) for group in learner.network.groups()))
    assert thawed == [1, 1, 2, 2, 3, 3, 4, 4] + [5] * 12
    rates = [group["lr"] for group in learner.optimizer(1.0).param_groups]
    assert rates == pytest.approx([2.6**-4, 2.6**-3, 2.6**-2, 2.6**-1, 1])
    anew = SYSTEMS["AWD-LSTM scratch"].learner(task, train)
    anew.before_step(0, 20)
    assert all(each.requires_grad for each in anew.parameters())
    assert [group["lr"] for group in anew.optimizer(1.0).param_groups] == [1.0]


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("name", [name for name, system in SYSTEMS.items() if isinstance(system, Network)])
def test_neighbours_in_a_batch_change_no_score(name, task):
    """Texts of several lengths together give what each gives alone: no padding is read."""
    learner = SYSTEMS[name].learner(task, SMOKE.data(task.name).train[:12]).eval()
    examples = [
        TextExample(("What", "is", "it"), (1,)),
        TextExample(("Who", "ever", "saw", "a", "purple", "cow"), (3,)),
    ]
    if task.per_word:
        examples = [TextExample(each.words, (1,) * len(each.words)) for each in examples]
    items = [learner.encode(each) for each in examples]
    with torch.no_grad():
        together, alone = learner(items), torch.cat([learner([item]) for item in items])
    assert together.shape == (9 if task.per_word else 2, task.num_classes)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


# Whether a gain would show -------------------------------------------------------------------------------------------

SEEN, UNSEEN = "abcdefnopqrs", "ghijklmtuvwxyz"  # kind 0 up to m, kind 1 from n


def planted(model):
    """A source whose vectors of letters tell their kind; nothing else was learnt."""
    torch.manual_seed(9)
    letters = SEEN + UNSEEN
    if model == "ELMo":
        network = elmo.ELMo(elmo.PRESETS["smoke"]).eval()
        return _signed(Source(network), network.token.character.weight, {c: 5 + ord(c) for c in letters})
    if model == "AWD-LSTM":
        words = WordVocabulary(letters)
        dropouts = {f"{place}_dropout": 0.0 for place in ("embedding", "input", "weight", "hidden", "output")}
        network = awd_lstm.AWDLSTM(awd_lstm.AWDLSTMConfig(len(words), 12, 20, **dropouts)).eval()
        return _signed(Source(network, words), network.token.embedding.weight, {c: words.ids[c] for c in letters})
    if model == "GPT":
        bpe = BPE.train([" " + " ".join(letters * 3)], 256 + len(letters))
        network = gpt.GPT(replace(gpt.PRESETS["smoke"], vocab_size=len(bpe))).eval()
        return _signed(Source(network, bpe), network.token.weight, {c: bpe.encode(f" {c}")[0] for c in letters})
    pieces = WordPiece([*SPECIAL, *letters])
    network = bert.BERT(replace(bert.PRESETS["smoke"], vocab_size=len(pieces))).eval()
    return _signed(Source(network, pieces), network.token.weight, {c: pieces.ids[c] for c in letters})


def _signed(source, table, rows):
    assert len(set(rows.values())) == len(rows)
    direction = torch.randn(table.shape[1])
    with torch.no_grad():
        for letter, row in rows.items():
            table[row] = direction if letter < "n" else -direction
    return source


def draw(letters, number, per_word, seed):
    """Rows of letters of one kind each, or of both kinds with a label for each letter."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for i in range(number):
        kind = i % 2
        pool = letters if per_word else [c for c in letters if (c >= "n") == kind]
        words = tuple(pool[k] for k in torch.randint(len(pool), (4,), generator=generator).tolist())
        found.append(TextExample(words, tuple(int(c >= "n") for c in words) if per_word else (kind,)))
    return found


@pytest.mark.parametrize("per_word", [False, True], ids=["texts", "words"])
@pytest.mark.parametrize("model", MODELS)
def test_what_the_weights_know_wins(model, per_word, monkeypatch):
    """Letters of the test are in no labelled text.  Only vectors that already tell their kind can help there."""
    monkeypatch.setattr(transfer_systems, "source", {model: planted(model)}.__getitem__)
    task, train, test = TextTask("letters", 2, per_word), draw(SEEN, 24, per_word, 0), draw(UNSEEN, 60, per_word, 1)
    scores = {}
    for start in ("pretrained", "scratch"):
        system = SYSTEMS[f"{model} {start}"]
        predict = system.fit(task, train, max(system.settings) * 3, Training(60, 8), 0)
        scores[start] = share_right(predict(test), test)
    assert scores["pretrained"] >= 90
    assert scores["pretrained"] >= scores["scratch"] + 15


# The whole of it -----------------------------------------------------------------------------------------------------


@pytest.fixture
def result(tmp_path):
    return measure("transfer-pilot", transfer_pilot, SMOKE, range(2), tmp_path)


def test_all_arms_run_and_every_fact_is_there(result):
    assert len(result.values) == 2 * 2 * 10
    facts = transfer_pilot.facts(result)
    for task in transfer_pilot.PLAIN:
        for size in SMOKE.sizes(task):
            assert {f"gain {task} {size}", f"accuracy {task} {size} MiniLM"} <= set(facts)
            for model in MODELS:
                name = f"{task} {size} {model}"
                assert {f"gain {name}", f"{name} minus bag", f"{name} minus MiniLM", f"worth {name}"} <= set(facts)
    means = [facts[f"gain {task} {SMOKE.sizes(task)[0]}"].mean for task in transfer_pilot.PLAIN]
    assert result.effect.mean == pytest.approx(sum(means) / 2, abs=1e-4)


@pytest.mark.parametrize("arm", ["TREC 12 GPT pretrained", "POS 6 ELMo scratch", "POS 6 word and suffix"])
def test_a_cell_depends_on_its_arguments_alone(arm):
    first = transfer_pilot.run(SMOKE, arm, 1)
    transfer_pilot._trials.cache_clear()
    torch.rand(3)
    assert transfer_pilot.run(SMOKE, arm, 1) == first


def values_by_hand():
    """Scratch has 40, 60, 70; every pretrained model is 10 points ahead with few labels and level with all."""
    found = {}
    for arm in transfer_pilot.table(
        replace(SMOKE, trec_sizes=(50, 200, 1_000), pos_sizes=(50, 200, 1_000), num_steps=(1, 1, 1))
    ):
        level = {50: 40.0, 200: 60.0, 1_000: 70.0}[arm.size]
        ahead = 10.0 if arm.system.endswith("pretrained") and arm.size < 1_000 else 0.0
        found[str(arm)] = {"accuracy": [level + ahead, level + 2 + ahead]}
    return found


def test_contrasts_by_hand():
    values = values_by_hand()
    config = {"trec_sizes": [50, 200, 1_000], "pos_sizes": [50, 200, 1_000]}
    assert transfer_pilot.differences(config, values) == [10.0, 10.0]
    values["POS 50 BERT pretrained"]["accuracy"] = [58.0, 60.0]  # 18 points ahead: one model of four, one task of two
    assert transfer_pilot.differences(config, values) == [11.0, 11.0]
    sizes = config["trec_sizes"]
    assert transfer_pilot.worth(values, "TREC", sizes, 50, "GPT") == Quantity(2.0, "×")  # √(50 · 200) = 100 labels
    assert transfer_pilot.worth(values, "TREC", sizes, 1_000, "GPT") == Quantity(1.0, "×")
    values["TREC 50 GPT pretrained"]["accuracy"] = [80.0, 80.0]
    assert transfer_pilot.worth(values, "TREC", sizes, 50, "GPT") == "more than 20.0 ×"
    values["TREC 200 GPT pretrained"]["accuracy"] = [30.0, 30.0]
    assert transfer_pilot.worth(values, "TREC", sizes, 200, "GPT") == "at most 0.25 ×"
    facts = transfer_pilot.facts(
        Result("", "", config, [0, 1], values, Effect(0.0, 0.0, 0.0, ""), "not seen", 0, {}, "")
    )
    assert facts["TREC 200 ELMo minus bag"].mean == 10.0
    assert facts["gain POS 1000 GPT"].mean == 0.0


@pytest.mark.parametrize(
    "arm", ["TREC 51 GPT scratch", "POS 6 bag of bigrams", "TREC 12 GPT", "sentiment 12 MiniLM", ""]
)
def test_unknown_arms(arm):
    with pytest.raises(
        ValueError, match=r"expected task, size and system such as 'TREC 12 ELMo pretrained', got .*sizes: TREC 12, 24"
    ):
        transfer_pilot.run(SMOKE, arm, 0)


def test_sizes_and_steps_go_together():
    with pytest.raises(ValueError, match="as many sizes"):
        replace(SMOKE, num_steps=(1, 2, 3))


# Weights as the recipes publish them ---------------------------------------------------------------------------------


def published(folder, name, model, words=None):
    """What a recipe's ``publish`` writes: weights in half precision and their card."""
    save_file({key: value.half() for key, value in model.state_dict().items()}, folder / f"{name}.safetensors")
    digest = hashlib.sha256((folder / f"{name}.safetensors").read_bytes()).hexdigest()
    config = model.bert.config if isinstance(model, bert.BERTForPreTraining) else model.config
    card = {"config": asdict(config), "sha256": digest} | ({} if words is None else {"words": words})
    (folder / f"{name}.json").write_text(json.dumps(card))


def test_published_weights_are_found_by_name(tmp_path, monkeypatch, sources):
    folder = tmp_path / "weights"
    for name in ("gpt", "bert"):
        (folder / name).mkdir(parents=True)
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))
    masked = bert.BERTForPreTraining(sources["BERT"].model.config)
    masked.bert.load_state_dict(sources["BERT"].model.state_dict())
    published(folder, "elmo", sources["ELMo"].model)
    published(folder, "ulmfit", sources["AWD-LSTM"].model, sources["AWD-LSTM"].words.words[3:])
    published(folder, "gpt", sources["GPT"].model)
    published(folder, "bert", masked)
    sources["GPT"].words.save(folder / "gpt")
    sources["BERT"].words.save(folder / "bert")
    for name in MODELS:
        found = transfer_systems.PUBLISHED[name]()
        for key, value in sources[name].model.state_dict().items():
            assert torch.equal(found.model.state_dict()[key], value.half().float()), key
        if name != "ELMo":
            assert found.words.ids == sources[name].words.ids


def test_weights_that_are_not_there_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))
    for name, wanted in {"ELMo": "elmo", "AWD-LSTM": "ulmfit", "GPT": "gpt", "BERT": "bert"}.items():
        with pytest.raises(assets.AssetError, match=f"no model '{wanted}'"):
            transfer_systems.PUBLISHED[name]()
