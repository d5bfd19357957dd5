"""Ways to learn a task from few labels: four language models, each pretrained or begun anew, and plain rivals.

Every system has one setting with the same number of trials: the peak rate of a network, or the inverse penalty C of a
logistic regression.  ``fit`` learns from examples and gives back what labels others.

How a network is fine-tuned is what its paper does, cut down to a run of seconds:

- ELMo.  Pretrained: its layers are frozen, a scalar mix and one linear map learn.  From scratch all of it learns.
- AWD-LSTM.  Pretrained (ULMFiT): rates fall by 2.6 from layer to layer, one layer more learns after each tenth of the
  run.  From scratch all layers learn, with one rate.  Both: words of the labelled texts that come twice and that the
  language model has no vector for get one; pretrained, they begin with the mean vector.  ULMFiT's second stage, the
  language model on unlabelled texts of the task, is left out, since no other system sees those.
- GPT.  All of it learns, the labels and λ = 0.5 times the next tokens of the labelled texts.
- BERT.  All of it learns, from [CLS] or from the first piece of each word.

AWD-LSTM and GPT tag a word when they have read it, and know nothing of the words behind it.
"""

import copy
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain, islice
from typing import Any, ClassVar, Final, NamedTuple, TypeVar, cast

import torch
from jaxtyping import Float
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from qkv import assets
from qkv.models.awd_lstm import AWDLSTM
from qkv.models.bert import BERT, BERTForPreTraining
from qkv.models.elmo import ELMo
from qkv.models.gpt import GPT
from qkv.nn.masks import not_padding
from qkv.recipes.few_labels import BASELINES
from qkv.recipes.transfer_tasks import TextExample, TextTask
from qkv.text.bpe import BPE
from qkv.text.wordpiece import CLS, PAD, SEP, WordPiece
from qkv.text.words import BEGIN, END, SPECIAL, WordVocabulary, spell
from qkv.training.batches import pad
from qkv.training.fine_tuning import Shuffled, fine_tune
from qkv.training.schedules import slanted_triangular
from qkv.transfer.bert_heads import SentenceClassifier, TokenClassifier
from qkv.transfer.classifier import RecurrentClassifier
from qkv.transfer.heads import Classification
from qkv.transfer.inputs import SpecialIds, with_special_tokens
from qkv.transfer.param_groups import decayed, discriminative
from qkv.transfer.unfreezing import unfreeze_top
from qkv.transfer.vocabulary import with_vocabulary
from qkv.transfer.word_heads import GPTTagger, MixClassifier, MixTagger, RecurrentTagger, at_places

MAX_PIECES: Final = 4  # of a word; of a longer one the first three and the last are kept
LM_WEIGHT: Final = 0.5  # λ of GPT's fine-tuning
NO_TAG: Final = -100
Predict = Callable[[Sequence[TextExample]], list[list[int]]]
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Training:
    """How long a network learns, and from how many texts at a step."""

    num_steps: int
    batch_size: int


# Where weights come from ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Source:
    """A trained model and its words or pieces; ELMo spells, and has none."""

    model: Any
    words: Any = None


def _ulmfit() -> Source:
    _, card = assets.weights("ulmfit")
    return Source(AWDLSTM.from_pretrained("ulmfit"), WordVocabulary(card["words"]))


PUBLISHED: Final[dict[str, Callable[[], Source]]] = {  # as the recipes elmo_lm, ulmfit_lm, gpt_lm and bert_mlm publish
    "ELMo": lambda: Source(ELMo.from_pretrained("elmo")),
    "AWD-LSTM": _ulmfit,
    "GPT": lambda: Source(GPT.from_pretrained("gpt"), BPE.from_pretrained("gpt")),
    "BERT": lambda: Source(BERTForPreTraining.from_pretrained("bert").bert, WordPiece.from_pretrained("bert")),
    "MiniLM": lambda: Source(BERT.from_pretrained("minilm"), WordPiece.from_pretrained("minilm")),
}


@cache
def source(name: str) -> Source:
    """The published model of this name, read once.  Raises as ``qkv.assets.weights``: it has not been published."""
    return PUBLISHED[name]()


def pretrained(model: M) -> M:
    """A copy of the weights, free to learn."""
    return copy.deepcopy(model).requires_grad_(True)


def scratch(model: M) -> M:
    """The same architecture with weights drawn anew."""
    return type(model)(cast(Any, model).config)


STARTS: Final[dict[str, Callable[[Any], Any]]] = {"pretrained": pretrained, "scratch": scratch}


# Networks ------------------------------------------------------------------------------------------------------------


class Item(NamedTuple):
    """An example as a network reads it: ids, or layers of states; where each word's state is; its labels."""

    read: Any
    places: list[int]
    labels: Tensor


class Learner(nn.Module):
    """A language model and its head for one task."""

    @abstractmethod
    def encode(self, example: TextExample) -> Item:
        """What the network reads of an example."""

    @abstractmethod
    def forward(self, items: Sequence[Item]) -> Float[Tensor, "n c"]:
        """Scores for each label of the items, item after item."""

    def loss(self, items: Sequence[Item]) -> Float[Tensor, ""]:
        """Mean cross-entropy in nats."""
        return cross_entropy(self(items), torch.cat([item.labels for item in items]))

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """AdamW; biases and gains do not decay."""
        return torch.optim.AdamW(decayed(self), lr=rate)

    def before_step(self, step: int, num_steps: int) -> None:
        """What happens before a step; by default nothing."""


class MixLearner(Learner):
    """Scalar mix and linear map over ELMo's layers; where these come from differs."""

    def __init__(self, task: TextTask, elmo: ELMo):
        super().__init__()
        head = MixTagger if task.per_word else MixClassifier
        self.head = head(elmo.config.num_layers + 1, 2 * elmo.config.d_model, task.num_classes)

    def forward(self, items: Sequence[Item]) -> Float[Tensor, "n c"]:
        """Scores of the labels."""
        layers = self.layers(items)  # (layers, b, t, d)
        return self.head(layers, torch.tensor([len(item.places) for item in items]))

    @abstractmethod
    def layers(self, items: Sequence[Item]) -> Float[Tensor, "layers b t d"]:
        """The states of the words, without those of the marks round a sentence."""


class FrozenELMo(MixLearner):
    """The layers are read once, without dropout; only the head learns."""

    def __init__(self, task: TextTask, found: Source):
        super().__init__(task, found.model)
        self.source = found

    def encode(self, example: TextExample) -> Item:
        """The layers themselves, words first."""
        return _item(elmo_layers(self.source, example.words), range(len(example.words)), example)

    def layers(self, items: Sequence[Item]) -> Float[Tensor, "layers b t d"]:
        """Side by side, with zeros behind the shorter ones."""
        return pad_sequence([item.read for item in items], batch_first=True).movedim(2, 0)


class TrainedELMo(MixLearner):
    """Everything learns."""

    def __init__(self, task: TextTask, elmo: ELMo):
        super().__init__(task, elmo)
        self.elmo = elmo

    def encode(self, example: TextExample) -> Item:
        """The words between their marks."""
        return _item([BEGIN, *example.words, END], range(1, len(example.words) + 1), example)

    def layers(self, items: Sequence[Item]) -> Float[Tensor, "layers b t d"]:
        """As the model reads them now."""
        return _read(self.elmo, [item.read for item in items])[:, :, 1:-1]


class AWDLearner(Learner):
    """Reads a </s> and the words, as in the running text that the language model learnt from."""

    def __init__(self, task: TextTask, model: AWDLSTM, vocabulary: WordVocabulary):
        super().__init__()
        self.vocabulary, self.per_word = vocabulary, task.per_word
        head = RecurrentTagger if task.per_word else RecurrentClassifier
        self.network = head(model, task.num_classes)

    def encode(self, example: TextExample) -> Item:
        """A word outside the vocabulary is <unk>."""
        return _item(self.vocabulary.encode([END, *example.words]), range(1, len(example.words) + 1), example)

    def forward(self, items: Sequence[Item]) -> Float[Tensor, "n c"]:
        """Scores of the labels."""
        ids = pad([item.read for item in items], 0)
        if self.per_word:
            return at_places(self.network(ids), [item.places for item in items])
        return self.network(ids, torch.tensor([len(item.read) for item in items]))

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """One rate for all layers; β₁ as in ULMFiT's paper."""
        return torch.optim.AdamW(chain.from_iterable(self.network.groups()), rate, (0.7, 0.99))


class ULMFiT(AWDLearner):
    """The same, fine-tuned as its paper says: discriminative rates, gradual unfreezing."""

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """The top group has the rate, each group below 1 / 2.6 of the one above."""
        return torch.optim.AdamW(discriminative(self.network.groups(), rate), betas=(0.7, 0.99))

    def before_step(self, step: int, num_steps: int) -> None:
        """In the first tenth of the run the head learns, in the second one layer more, and so on."""
        groups = self.network.groups()
        unfreeze_top(groups, min(1 + 10 * step // num_steps, len(groups)))


class GPTLearner(Learner):
    """<s> text <e>; what differs is the state that is scored.  ``lm_weight`` is λ."""

    def __init__(self, tokens: BPE, special: SpecialIds, lm_weight: float):
        super().__init__()
        self.tokens, self.special, self.lm_weight = tokens, special, lm_weight

    def encode(self, example: TextExample) -> Item:
        """Every word with a space before it."""
        ids, places = [self.special.start], []
        for word in example.words:
            ids += shortened(self.tokens.encode(f" {word}"))
            places.append(len(ids) - 1)
        return _item([*ids, self.special.extract], places, example)

    def ids(self, items: Sequence[Item]) -> Tensor:
        """Rows of tokens, padded; no real token looks at the padding."""
        return pad([item.read for item in items], 0)


class GPTTexts(GPTLearner):
    """The state of <e> tells a text's class."""

    def __init__(self, task: TextTask, gpt: GPT, tokens: BPE, special: SpecialIds, lm_weight: float = LM_WEIGHT):
        super().__init__(tokens, special, lm_weight)
        self.network = Classification(gpt, special.extract, task.num_classes)

    def forward(self, items: Sequence[Item]) -> Float[Tensor, "n c"]:
        """Scores of the texts."""
        return self.network(self.ids(items)[:, None])

    def loss(self, items: Sequence[Item]) -> Float[Tensor, ""]:
        """L2 + λ · L1."""
        return self.network.loss(self.ids(items)[:, None], torch.cat([item.labels for item in items]), self.lm_weight)


class GPTWords(GPTLearner):
    """The state of a word's last token tells its tag."""

    def __init__(self, task: TextTask, gpt: GPT, tokens: BPE, special: SpecialIds, lm_weight: float = LM_WEIGHT):
        super().__init__(tokens, special, lm_weight)
        self.network = GPTTagger(gpt, task.num_classes)

    def forward(self, items: Sequence[Item]) -> Float[Tensor, "n c"]:
        """Scores of the words."""
        return at_places(self.network(self.ids(items)), [item.places for item in items])

    def loss(self, items: Sequence[Item]) -> Float[Tensor, ""]:
        """L2 + λ · L1."""
        ids = self.ids(items)
        tags = torch.full_like(ids, NO_TAG)
        for row, item in enumerate(items):
            tags[row, item.places] = item.labels
        return self.network.loss(ids, torch.tensor([len(item.read) for item in items]), tags, self.lm_weight)


class BERTLearner(Learner):
    """[CLS] pieces [SEP]; the state of [CLS] tells a text's class, that of a word's first piece its tag."""

    def __init__(self, task: TextTask, bert: BERT, pieces: WordPiece):
        super().__init__()
        self.pieces, self.per_word = pieces, task.per_word
        self.network = (TokenClassifier if task.per_word else SentenceClassifier)(bert, task.num_classes)

    def encode(self, example: TextExample) -> Item:
        """The pieces of the words."""
        ids, places = piece_ids(self.pieces, example.words)
        return _item(ids, places, example)

    def forward(self, items: Sequence[Item]) -> Float[Tensor, "n c"]:
        """Scores of the labels."""
        ids = pad([item.read for item in items], self.pieces.ids[PAD])
        may_attend = not_padding([len(item.read) for item in items], ids.shape[1])
        scores = self.network(ids, may_attend=may_attend)
        return at_places(scores, [item.places for item in items]) if self.per_word else scores


def piece_ids(pieces: WordPiece, words: Sequence[str]) -> tuple[list[int], list[int]]:
    """[CLS] pieces [SEP], and where the first piece of each word is."""
    ids, places = [pieces.ids[CLS]], []
    for word in words:
        places.append(len(ids))
        ids += shortened(pieces.encode(word) or [pieces.ids["[UNK]"]])
    return [*ids, pieces.ids[SEP]], places


def shortened(ids: list[int]) -> list[int]:
    """At most ``MAX_PIECES`` of a word: its beginning, and its last piece."""
    return ids if len(ids) <= MAX_PIECES else [*ids[: MAX_PIECES - 1], ids[-1]]


@cache
def elmo_layers(found: Source, words: tuple[str, ...]) -> Float[Tensor, "t layers d"]:
    """What a trained ELMo makes of a sentence, word by word."""
    with torch.no_grad():
        return _read(found.model.eval(), [[BEGIN, *words, END]])[:, 0, 1:-1].movedim(0, 1).contiguous()


def _read(elmo: ELMo, sentences: Sequence[Sequence[str]]) -> Float[Tensor, "layers b t d"]:
    return elmo(torch.tensor(spell(sentences)), torch.tensor([len(each) for each in sentences]))


def _item(read: Any, places: Sequence[int], example: TextExample) -> Item:
    return Item(read, list(places), torch.tensor(example.labels))


# Systems -------------------------------------------------------------------------------------------------------------


class System:
    """A way to learn; ``settings`` is what may be chosen on validation data, as many trials for every system."""

    settings: ClassVar[tuple[float, ...]]

    @abstractmethod
    def fit(
        self, task: TextTask, train: Sequence[TextExample], setting: float, training: Training, seed: int
    ) -> Predict:
        """Learn from examples; returns what labels others."""


class Network(System):
    """A language model with a head, from one of two starts."""

    model: ClassVar[str]

    def __init__(self, start: str):
        self.start = start

    @abstractmethod
    def learner(self, task: TextTask, train: Sequence[TextExample]) -> Learner:
        """The network before its first step."""

    def fit(
        self, task: TextTask, train: Sequence[TextExample], setting: float, training: Training, seed: int
    ) -> Predict:
        """Fine-tune with ``setting`` as the peak rate; the slanted triangle is the schedule of all."""
        torch.manual_seed(seed)
        learner = self.learner(task, train)
        fine_tune(
            learner,
            learner.loss,
            Shuffled([learner.encode(example) for example in train], training.batch_size, seed),
            learner.optimizer(setting),
            partial(slanted_triangular, num_steps=training.num_steps),
            training.num_steps,
            partial(learner.before_step, num_steps=training.num_steps),
        )
        return partial(predictions, learner)


class ELMoSystem(Network):
    """Frozen layers if pretrained; from scratch everything learns, since a frozen random network would be no rival."""

    model, settings = "ELMo", (1e-3, 3e-3, 1e-2)

    def learner(self, task: TextTask, train: Sequence[TextExample]) -> Learner:
        """The network before its first step."""
        found = source(self.model)
        return FrozenELMo(task, found) if self.start == "pretrained" else TrainedELMo(task, scratch(found.model))


class AWDSystem(Network):
    """ULMFiT if pretrained."""

    model, settings = "AWD-LSTM", (1e-3, 3e-3, 1e-2)

    def learner(self, task: TextTask, train: Sequence[TextExample]) -> Learner:
        """The network before its first step, with its new words."""
        found = source(self.model)
        vocabulary = grown(found.words, train)
        model = with_vocabulary(found.model, found.words.words, vocabulary.words)
        kind = ULMFiT if self.start == "pretrained" else AWDLearner
        return kind(task, STARTS[self.start](model), vocabulary)


class GPTSystem(Network):
    """Fine-tuned in the same way from both starts."""

    model, settings = "GPT", (1e-4, 3e-4, 1e-3)

    def learner(self, task: TextTask, train: Sequence[TextExample]) -> Learner:
        """The network before its first step, with its special tokens."""
        found = source(self.model)
        gpt, special = with_special_tokens(STARTS[self.start](found.model))
        return (GPTWords if task.per_word else GPTTexts)(task, gpt, found.words, special)


class BERTSystem(Network):
    """Fine-tuned in the same way from both starts."""

    model, settings = "BERT", (1e-4, 3e-4, 1e-3)

    def learner(self, task: TextTask, train: Sequence[TextExample]) -> Learner:
        """The network before its first step."""
        found = source(self.model)
        return BERTLearner(task, STARTS[self.start](found.model), found.words)


def grown(vocabulary: WordVocabulary, train: Sequence[TextExample]) -> WordVocabulary:
    """The words, and those of the labelled texts that come there at least twice; rarer ones are left to teach <unk>."""
    counts = Counter(word for example in train for word in example.words)
    new = sorted(word for word, times in counts.items() if times > 1 and word not in vocabulary.ids)
    return WordVocabulary([*vocabulary.words[len(SPECIAL) :], *new])


def predictions(learner: Learner, examples: Sequence[TextExample], at_once: int = 64) -> list[list[int]]:
    """The labels with the highest scores, example by example."""
    best = scores(learner, examples, at_once).argmax(-1)
    return [each.tolist() for each in best.split([len(example.labels) for example in examples])]


@torch.no_grad()
def scores(learner: Learner, examples: Sequence[TextExample], at_once: int = 64) -> Float[Tensor, "n c"]:
    """A row for each label of each example."""
    items = [learner.encode(example) for example in examples]
    return torch.cat([learner(items[i : i + at_once]) for i in range(0, len(items), at_once)])


class Counted(System):
    """Which words and pairs of words a text has: one of ``few_labels.BASELINES``."""

    settings = (0.1, 1.0, 10.0)

    def __init__(self, baseline: str):
        self.make = BASELINES[baseline]

    def fit(
        self, task: TextTask, train: Sequence[TextExample], setting: float, training: Training, seed: int
    ) -> Predict:
        """For texts alone."""
        model = self.make(setting).fit([_text(each) for each in train], [each.labels[0] for each in train])
        return lambda examples: [[int(label)] for label in model.predict([_text(each) for each in examples])]


class WordAndSuffix(System):
    """Of each word itself, its last one to three letters, how it is written, and both neighbours, then logistic
    regression: for tags what a bag of bigrams is for texts."""

    settings = (0.1, 1.0, 10.0)

    def fit(
        self, task: TextTask, train: Sequence[TextExample], setting: float, training: Training, seed: int
    ) -> Predict:
        """For words alone."""
        bag = CountVectorizer(analyzer=lambda features: features, binary=True, dtype=float)
        model = make_pipeline(bag, LogisticRegression(C=setting, max_iter=200))
        return _by_rows(model, train, lambda each: [word_features(each.words, i) for i in range(len(each.words))])


def word_features(words: Sequence[str], i: int) -> list[str]:
    """What a tagger by counting sees of word i."""
    word, left, right = words[i], words[i - 1] if i else BEGIN, words[i + 1] if i + 1 < len(words) else END
    written = f"capital={word[0].isupper()} digit={any(map(str.isdigit, word))} first={i == 0}"
    ends = [f"end={word[-n:].lower()}" for n in (1, 2, 3)]
    return [f"word={word.lower()}", written, *ends, f"left={left.lower()}", f"right={right.lower()}"]


class MiniLM(System):
    """Frozen states of the real MiniLM, then logistic regression: their mean over a text, or over a word's pieces."""

    settings = (0.001, 0.01, 0.1)

    def fit(
        self, task: TextTask, train: Sequence[TextExample], setting: float, training: Training, seed: int
    ) -> Predict:
        """Entries are brought to mean 0 and spread 1, as the labelled texts have them."""
        model = make_pipeline(StandardScaler(), LogisticRegression(C=setting, max_iter=200))
        return _by_rows(model, train, lambda each: minilm_states(source("MiniLM"), each.words, task.per_word).numpy())


@cache
def minilm_states(found: Source, words: tuple[str, ...], per_word: bool) -> Float[Tensor, "n d"]:
    """One row for each word, or one for the text."""
    ids, places = piece_ids(found.words, words)
    with torch.no_grad():
        hidden = found.model.eval()(torch.tensor([ids]))[0]
    if not per_word:
        return hidden.mean(0, keepdim=True)
    return torch.stack([hidden[a:b].mean(0) for a, b in zip(places, [*places[1:], len(ids) - 1], strict=True)])


def _by_rows(model: Any, train: Sequence[TextExample], rows: Callable[[TextExample], Any]) -> Predict:
    """Fit on one row of features for each label; returns what labels examples."""
    model.fit([row for each in train for row in rows(each)], [label for each in train for label in each.labels])

    def predict(examples: Sequence[TextExample]) -> list[list[int]]:
        labels = iter(model.predict([row for each in examples for row in rows(each)]).tolist())
        return [list(islice(labels, len(each.labels))) for each in examples]

    return predict


def _text(example: TextExample) -> str:
    return " ".join(example.words)


MODELS: Final = ("ELMo", "AWD-LSTM", "GPT", "BERT")
SYSTEMS: Final[dict[str, System]] = {
    f"{system.model} {start}": system(start)
    for system in (ELMoSystem, AWDSystem, GPTSystem, BERTSystem)
    for start in STARTS
} | {"bag of bigrams": Counted("bag of bigrams"), "word and suffix": WordAndSuffix(), "MiniLM": MiniLM()}
