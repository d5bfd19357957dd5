"""What stands on BERT when it is fine-tuned: one linear map, and the whole of BERT trains with it.

Devlin et al. (2019), figure 4: a sentence or a pair of them is classified by the state of ``[CLS]`` (a, b), an answer
is a span with a score for its first token and one for its last (c), and a tag is read from the state of each token (d).
The two heads of pre-training are in ``qkv.models.bert.BERTForPreTraining``.

Shapes: b texts, t tokens.
"""

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn

from qkv.models.bert import BERT


class SentenceClassifier(nn.Module):
    """Scores of the classes of a whole text: W · dropout(pooled) + b."""

    def __init__(self, bert: BERT, num_classes: int):
        super().__init__()
        self.bert = bert
        self.dropout = nn.Dropout(bert.config.dropout)
        self.classifier = _linear(bert.config.d_model, num_classes)

    def forward(
        self,
        ids: Integer[Tensor, "b t"],
        segments: Integer[Tensor, "b t"] | None = None,
        may_attend: Bool[Tensor, "#b #t t"] | None = None,
    ) -> Float[Tensor, "b num_classes"]:
        """Logits.  Raises as ``BERT``."""
        hidden = self.bert(ids, segments, may_attend)
        return self.classifier(self.dropout(self.bert.pooled(hidden)))


class TokenClassifier(nn.Module):
    """Scores of the classes of every token: W · dropout(h) + b.

    A word of several pieces has several states; the paper takes that of the first one (section 5.3).
    """

    def __init__(self, bert: BERT, num_classes: int):
        super().__init__()
        self.bert = bert
        self.dropout = nn.Dropout(bert.config.dropout)
        self.classifier = _linear(bert.config.d_model, num_classes)

    def forward(
        self,
        ids: Integer[Tensor, "b t"],
        segments: Integer[Tensor, "b t"] | None = None,
        may_attend: Bool[Tensor, "#b #t t"] | None = None,
    ) -> Float[Tensor, "b t num_classes"]:
        """Logits.  Raises as ``BERT``."""
        return self.classifier(self.dropout(self.bert(ids, segments, may_attend)))


class SpanFinder(nn.Module):
    """How well each token begins the answer, and how well it ends it: S · h and E · h (section 4.2), with a bias each.

    Train with the cross-entropy of the first and of the last token over all positions, and the mean of both.
    """

    def __init__(self, bert: BERT):
        super().__init__()
        self.bert = bert
        self.ends = _linear(bert.config.d_model, 2)

    def forward(
        self,
        ids: Integer[Tensor, "b t"],
        segments: Integer[Tensor, "b t"] | None = None,
        may_attend: Bool[Tensor, "#b #t t"] | None = None,
    ) -> tuple[Float[Tensor, "b t"], Float[Tensor, "b t"]]:
        """Scores of every token as the first and as the last one.  Raises as ``BERT``."""
        first, last = self.ends(self.bert(ids, segments, may_attend)).unbind(-1)
        return first, last


def best_span(
    first: Float[Tensor, "b t"],
    last: Float[Tensor, "b t"],
    may_answer: Bool[Tensor, "b t"],
    max_length: int,
) -> Integer[Tensor, "b 2"]:
    """The first and the last token (included) of the span with the highest first[i] + last[j].

    Only spans count with i <= j, at most ``max_length`` tokens, and both ends where ``may_answer`` is True: in the
    text, not in the question, a mark or the padding.

    Raises:
        ValueError: a length below 1, or a row without a token that may be an end.
    """
    if max_length < 1:
        raise ValueError(f"max_length: expected at least 1 token, got {max_length}")
    if (empty := ~may_answer.any(-1)).any():
        raise ValueError(f"expected a token that may answer in each row, got none in row {int(empty.nonzero()[0])}")
    length = first.shape[1]
    fits = torch.ones(length, length, dtype=torch.bool).triu().tril(max_length - 1)  # (t, t): i <= j < i + max_length
    allowed = fits & may_answer[:, :, None] & may_answer[:, None, :]
    scores = (first[:, :, None] + last[:, None, :]).masked_fill(~allowed, -torch.inf)
    best = scores.flatten(1).argmax(1)
    return torch.stack([best // length, best % length], dim=1)


def _linear(d_in: int, d_out: int) -> nn.Linear:
    """As BERT's own weights: normal with a spread of 0.02, biases 0."""
    linear = nn.Linear(d_in, d_out)
    nn.init.normal_(linear.weight, std=0.02)
    nn.init.zeros_(linear.bias)
    return linear
