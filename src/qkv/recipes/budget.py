"""Is left to right ahead of hidden pieces when pretraining is short?

Devlin et al. 2019, appendix C.1 and figure 5: a masked model learns from 15 % of its pieces alone and so a little
slower, but is said to be ahead of left to right "almost immediately".  Decoded, the figure says otherwise for the
beginning: MultiNLI after fine-tuning, left to right 79.4 and masked 78.6 after 30,000 steps of pretraining, 79.8 and
79.6 after 50,000, 80.3 and 80.5 after 100,000; 82.2 and 84.4 at the end, a million.

Here: our own two models (``gpt_lm``, ``bert_mlm``) after equally many steps of pretraining, 600 to 3,600.  Nothing is
fine-tuned.  Of each question of TREC the states of the last layer are averaged over its tokens (marks left out), and a
logistic regression learns the six kinds from all training questions, its penalty chosen on validation questions.
Weights are rounded to half precision, as published ones are.

How this differs from the paper, besides data and size (two million weights, three million words):

- frozen features in place of fine-tuning; a question's kind in place of entailment of two sentences;
- the paper's two models differ in their objective alone.  Ours are two recipes: byte-level BPE and WordPiece, their own
  schedules, BERT's rows end with a passage, and BERT hides 40 % of the pieces;
- a step is not the same for both.  GPT reads 16 windows of 128 tokens and predicts every token; BERT reads 32 rows of
  at most 128 pieces and predicts 40 % of them.  So at equal steps BERT has read nearly twice as many, and has learnt
  from fewer predictions.  Both numbers are noted ("read", "predicted");
- up to step 1,600 BERT was not allowed to look at its whole row.  It is read here as it was trained until then: a
  piece looks as far as in the last step.  The other way, the whole row, is an arm of its own;
- all of our budgets are far left of where the paper's curves cross.

Controls: both networks untrained (step 0; BERT with its whole row).

Stated before the first run.  Primary contrast, over test questions, in points: right, GPT minus BERT at the smallest
budget.  The interval is a bootstrap over questions and speaks of these two runs.  Secondary: the same at each other
budget, with BERT's whole row to look at, and between the untrained two; the gain of each over its untrained self.

Command: python -m qkv run budget.  About three minutes of one core.  It reads the checkpoints of gpt-lm and bert-mlm,
and trains them where there are none, which takes some two hours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from qkv.models.bert import BERT, BERTForPreTraining
from qkv.models.gpt import GPT
from qkv.recipes import bert_mlm, gpt_lm
from qkv.recipes.bert_mlm import reach_at, within
from qkv.recipes.protocol import Fact, Record
from qkv.recipes.result import Quantity, Result, Values, rounded
from qkv.recipes.transfer_tasks import TextExample, splits
from qkv.scoring.intervals import bootstrap_interval, paired_differences
from qkv.training import checkpoint

CLAIM = "After a short pretraining a GPT's states tell the kind of a question better than those of a BERT."
PAPER = (
    "Devlin et al. 2019, figure 5: after 30,000 steps left to right is ahead on MultiNLI, 79.4 against 78.6; after "
    "100,000 hidden pieces are, and at a million they have 84.4 against 82.2."
)
CONTRAST = "questions labelled rightly from frozen states, GPT minus BERT, smallest budget of pretraining"
UNIT = "points"
OVER = "items"
SEEDS = 1
VERIFY = "GPT, step 0"
TOLERANCE = {"accuracy": 0.6}  # in %; three questions that lie on the edge

STRENGTHS: Final = (0.0001, 0.001, 0.01, 0.1, 1.0)  # C, the inverse of the penalty
Vector = Float[Tensor, " d"]
Reader = Callable[[TextExample], Vector]


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    gpt: gpt_lm.Config
    bert: bert_mlm.Config
    steps: tuple[int, ...]  # budgets, at which both have a checkpoint; the first is that of the primary contrast
    max_words: int = 40
    num_train: int | None = None  # the first so many; None = all


PRESETS: Final = {
    "smoke": Config(gpt_lm.PRESETS["smoke"], bert_mlm.PRESETS["smoke"], (2, 4), 5, 60),
    "full": Config(gpt_lm.PRESETS["full"], bert_mlm.PRESETS["full"], (600, 1_200, 1_800, 2_400, 3_000, 3_600)),
}


class Arm(NamedTuple):
    """A model after so many steps; of BERT also how it is read."""

    model: str
    step: int

    def __str__(self) -> str:
        return f"{self.model}, step {self.step}"


GPT_NAME, BERT_NAME, WHOLE_ROW = "GPT", "BERT", "BERT with its whole row"


def plan(config: Config) -> list[Arm]:
    """All arms: untrained, then each budget; BERT with its whole row only where training had not come so far."""
    short = [step for step in config.steps if reach_at(step - 1, config.bert.reaches) is not None]
    models = {GPT_NAME: (0, *config.steps), BERT_NAME: (0, *config.steps), WHOLE_ROW: short}
    return [Arm(model, step) for model, steps in models.items() for step in steps]


# From a question to a vector -----------------------------------------------------------------------------------------


def gpt_reader(config: Config, step: int, seed: int) -> Reader:
    """Mean of the last layer's states of a question's tokens, behind the mark of a passage."""
    model, tokens = _gpt(config.gpt, step, seed), gpt_lm.corpus_of(config.gpt).tokens
    most = config.gpt.model.max_length

    @torch.no_grad()
    def read(example: TextExample) -> Vector:
        ids = [0, *tokens.encode(" ".join(example.words))][:most]
        return model.hidden_states(torch.tensor([ids]))[0, 1:].mean(0)

    return read


def bert_reader(config: Config, step: int, seed: int, reach: int | None) -> Reader:
    """The same of its pieces, without [CLS] and [SEP]; each piece looks ``reach`` places to a side, None = all."""
    model, pieces = _bert(config.bert, step, seed), bert_mlm.corpus_of(config.bert).pieces

    @torch.no_grad()
    def read(example: TextExample) -> Vector:
        ids = bert_mlm.rows(" ".join(example.words), pieces, config.bert.model.max_length)[0]
        return model(torch.tensor([ids]), may_attend=within(len(ids), reach)[None])[0, 1:-1].mean(0)

    return read


def _reader(config: Config, arm: Arm, seed: int) -> Reader:
    if arm.model == GPT_NAME:
        return gpt_reader(config, arm.step, seed)
    trained_so = None if arm.step == 0 or arm.model == WHOLE_ROW else reach_at(arm.step - 1, config.bert.reaches)
    return bert_reader(config, arm.step, seed, trained_so)


def _gpt(config: gpt_lm.Config, step: int, seed: int) -> GPT:
    if step == 0:
        torch.manual_seed(seed)
        return GPT(config.model).half().float().eval()
    return gpt_lm.published(config, _checkpoint(gpt_lm, config, step, seed).parent, step)


def _bert(config: bert_mlm.Config, step: int, seed: int) -> BERT:
    torch.manual_seed(seed)
    model = BERTForPreTraining(config.model)
    if step > 0:
        model.load_state_dict(checkpoint.load(_checkpoint(bert_mlm, config, step, seed))["model"])
    return model.half().float().eval().bert


def _checkpoint(recipe: ModuleType, config: Any, step: int, seed: int) -> Path:
    """The file of so many steps; where it is missing, ``gpt_lm`` or ``bert_mlm`` trains to its end."""
    folder: Path = recipe.checkpoints(config, seed)
    file = folder / f"step_{step:06d}.pt"
    if not file.exists():
        recipe.fit(config, folder, seed)
    return file


# What the protocol asks for ------------------------------------------------------------------------------------------


def arms(config: Config) -> list[str]:
    """GPT, then BERT, untrained and at each budget; then BERT with its whole row to look at."""
    return [str(arm) for arm in plan(config)]


def run(config: Config, arm: str, seed: int) -> Record:
    """For each test question 1 where its kind is found, else 0; and what was chosen how."""
    found = next(each for each in plan(config) if str(each) == arm)
    data = splits("TREC", config.max_words, 10_000, 10_000)
    read, texts = _reader(config, found, seed), (data.train[: config.num_train], data.validation, data.test)
    train, validation, test = (np.stack([read(each).numpy() for each in examples]) for examples in texts)
    labels, known, true = (np.array([each.labels[0] for each in examples]) for examples in texts)
    fitted = {strength: _classifier(strength).fit(train, labels) for strength in STRENGTHS}
    tried = {strength: _share(each.predict(validation) == known) for strength, each in fitted.items()}
    chosen = max(tried, key=lambda strength: tried[strength])
    right = fitted[chosen].predict(test) == true
    return {
        "right": right.astype(int).tolist(),
        "accuracy": _share(right),
        "chosen": chosen,
        "validation": list(tried.values()),
        **_tokens(config, found),
    }


def _classifier(strength: float) -> Any:
    """Entries are brought to mean 0 and spread 1, as the training questions have them."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1_000))


def _share(right: np.ndarray) -> float:
    return round(100 * float(right.mean()), 4)


def _tokens(config: Config, arm: Arm) -> Record:
    """Tokens read and predicted in so many steps; BERT's are a mean over its rows."""
    if arm.model == GPT_NAME:
        each = config.gpt.batch_size * config.gpt.model.max_length
        return {"read": arm.step * each, "predicted": arm.step * each}
    rows = [row for passage in bert_mlm.corpus_of(config.bert).splits["train"] for row in passage]
    pieces = arm.step * config.bert.batch_size * (sum(map(len, rows)) / len(rows) - 2)
    return {"read": round(pieces), "predicted": round(config.bert.chosen * pieces)}


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """GPT minus BERT at the smallest budget, question by question, in points."""
    return _ahead(values, Arm(GPT_NAME, config["steps"][0]), Arm(BERT_NAME, config["steps"][0]))


def facts(result: Result) -> dict[str, Fact]:
    """Accuracy of each arm, the secondary contrasts, and how many tokens had been read and predicted."""
    values, steps = result.values, result.config["steps"]
    noted: dict[str, Fact] = {"questions": len(values[str(Arm(GPT_NAME, 0))]["right"][0])}
    for name, quantities in values.items():
        noted[f"accuracy {name}"] = Quantity(round(quantities["accuracy"][0], 2), "%")
        noted |= {f"{kind} {name}": quantities[kind][0] for kind in ("read", "predicted")}
    for step in (0, *steps):
        for other in (BERT_NAME, WHOLE_ROW):
            if str(Arm(other, step)) in values:
                noted[f"GPT minus {other}, step {step}"] = _interval(values, Arm(GPT_NAME, step), Arm(other, step))
    for model in (GPT_NAME, BERT_NAME):
        for step in steps:
            noted[f"gain {model}, step {step}"] = _interval(values, Arm(model, step), Arm(model, 0))
    return noted


def _interval(values: Values, one: Arm, other: Arm) -> Fact:
    return rounded(bootstrap_interval(_ahead(values, one, other)), UNIT)


def _ahead(values: Values, one: Arm, other: Arm) -> list[float]:
    first, second = ([100 * right for right in values[str(arm)]["right"][0]] for arm in (one, other))
    return paired_differences(first, second)
