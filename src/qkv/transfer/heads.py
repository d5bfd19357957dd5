"""Tasks on top of GPT (Radford et al. 2018, sections 3.2 and 3.3): one new linear map, and the rest is pretrained.

Shapes: b examples, n rows of tokens for each (``qkv.transfer.inputs``), t tokens in a row, d entries of a state.

Every row is run through the model on its own, and scores come from the states of the extract tokens.  What is learnt is
L2 + λ · L1: the task, and still the next token of each row (equation 5).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional

from qkv.models.gpt import GPT
from qkv.transfer.inputs import extract_position


class Task(nn.Module):
    """A GPT and one linear map from the extract token's state to scores; the kinds of task differ in ``scores``.

    The paper's W_y has no bias; here it has one, as in the published code.  Dropout falls on the state.
    """

    def __init__(self, gpt: GPT, extract_id: int, num_scores: int, dropout: float = 0.1):
        super().__init__()
        self.gpt, self.extract_id = gpt, extract_id
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(gpt.config.d_model, num_scores)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def scores(self, states: Sequence[Float[Tensor, "b d"]]) -> Float[Tensor, "b classes"]:
        """From the states of the extract tokens of an example's rows to its scores."""
        raise NotImplementedError

    def forward(self, ids: Integer[Tensor, "b n t"]) -> Float[Tensor, "b classes"]:
        """Scores of the classes or of the candidates; their softmax is equation 3.

        Raises:
            ValueError: a row without the extract token, or what ``GPT.hidden_states`` cannot read.
        """
        return self.scores([self._extracted(self.gpt.hidden_states(row), row) for row in ids.unbind(1)])

    def loss(
        self, ids: Integer[Tensor, "b n t"], labels: Integer[Tensor, " b"], lm_weight: float = 0.5
    ) -> Float[Tensor, ""]:
        """L2 + λ · L1 in nats: cross-entropy of the labels plus λ times that of the next tokens, each a mean.

        ``lm_weight`` is λ; the published value is 0.5.  Without it, at 0, no next token is scored at all.
        """
        rows = ids.unbind(1)
        hidden = [self.gpt.hidden_states(row) for row in rows]
        states = [self._extracted(each, row) for each, row in zip(hidden, rows, strict=True)]
        task = functional.cross_entropy(self.scores(states), labels)
        if lm_weight == 0:
            return task
        pairs = zip(hidden, rows, strict=True)
        return task + lm_weight * torch.stack([self._next_tokens(each, row) for each, row in pairs]).mean()

    def _next_tokens(self, hidden: Tensor, ids: Tensor) -> Float[Tensor, ""]:
        return next_token_loss(self.gpt, hidden, ids, extract_position(ids, self.extract_id) + 1)

    def _extracted(self, hidden: Float[Tensor, "b t d"], ids: Integer[Tensor, "b t"]) -> Float[Tensor, "b d"]:
        return hidden[torch.arange(len(ids)), extract_position(ids, self.extract_id)]


class Classification(Task):
    """One row for an example: a text's class, or whether a premise says a hypothesis.  ``num_scores`` classes."""

    def scores(self, states: Sequence[Float[Tensor, "b d"]]) -> Float[Tensor, "b classes"]:
        """W_y h + b."""
        (state,) = _as_many(states, 1)
        return self.linear(self.dropout(state))


class Similarity(Task):
    """Two rows, both orders of two sentences; their states are added, element by element, before the linear map.

    A sum does not depend on the order of its two terms, so a swap of the sentences leaves every bit as it was.
    """

    def scores(self, states: Sequence[Float[Tensor, "b d"]]) -> Float[Tensor, "b classes"]:
        """W_y (h₁ + h₂) + b."""
        first, second = _as_many(states, 2)
        return self.linear(self.dropout(first + second))


class MultipleChoice(Task):
    """A row for each candidate; the linear map gives each one number, and softmax goes over the candidates."""

    def __init__(self, gpt: GPT, extract_id: int, dropout: float = 0.1):
        super().__init__(gpt, extract_id, 1, dropout)

    def scores(self, states: Sequence[Float[Tensor, "b d"]]) -> Float[Tensor, "b k"]:
        """W_y h_k + b for candidate k.  Of all candidates the same entries are dropped, as in the published code."""
        kept = self.dropout(torch.ones_like(states[0]))
        return torch.cat([self.linear(kept * state) for state in states], dim=-1)


def next_token_loss(
    gpt: GPT, hidden: Float[Tensor, "b t d"], ids: Integer[Tensor, "b t"], lengths: Integer[Tensor, " b"]
) -> Float[Tensor, ""]:
    """L1: cross-entropy of each row's tokens, after its first, in nats; the mean over rows of the mean over tokens.

    Delimiter and extract token are predicted too.  Nothing behind ``lengths``, the padding, is; and so nothing is from
    the last token.  Source: equation 1, the means as in the published code.

    Raises:
        ValueError: a row of a single token, which leaves nothing to predict.
    """
    if (lengths < 2).any():
        raise ValueError(f"expected rows of at least two tokens, got lengths {lengths.tolist()}")
    predicted = torch.arange(1, ids.shape[1], device=ids.device) < lengths[:, None]  # (b, t - 1): token i + 1 is real
    scores = gpt.next_token_scores(hidden[:, :-1][predicted])
    losses = functional.cross_entropy(scores, ids[:, 1:][predicted], reduction="none")
    shares = (predicted.to(losses) / (lengths[:, None] - 1))[predicted]  # of each token in its row's mean
    return (losses * shares).sum() / len(ids)


def first_layers(pretrained: GPT, num_layers: int) -> GPT:
    """A new GPT whose embeddings and first ``num_layers`` blocks are the pretrained ones; the others begin anew.

    With 0 the embeddings alone are carried over (section 5, figure 2 on the left).

    Raises:
        ValueError: there are not so many blocks.
    """
    if not 0 <= num_layers <= pretrained.config.num_layers:
        raise ValueError(f"num_layers: expected 0 to {pretrained.config.num_layers}, got {num_layers}")
    model = GPT(pretrained.config).to(pretrained.token.weight)
    model.token.load_state_dict(pretrained.token.state_dict())
    model.position.load_state_dict(pretrained.position.state_dict())
    model.layers[:num_layers].load_state_dict(pretrained.layers[:num_layers].state_dict())
    return model.train(pretrained.training)


def _as_many(states: Sequence[Tensor], expected: int) -> Sequence[Tensor]:
    if len(states) != expected:
        raise ValueError(f"expected {expected} rows of tokens for each example, got {len(states)}")
    return states
