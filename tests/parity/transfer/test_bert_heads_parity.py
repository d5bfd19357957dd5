"""Heads on BERT against transformers': random weights, segments, padding, and the gradient of the token vectors."""

import pytest
import torch
from torch import nn
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
)

from qkv.models.bert import BERT, BERTConfig, from_transformers
from qkv.nn.masks import not_padding
from qkv.transfer.bert_heads import SentenceClassifier, SpanFinder, TokenClassifier

SIZES = BERTConfig(vocab_size=37, d_model=30, num_heads=5, d_ff=44, num_layers=2, dropout=0.0, max_length=17)
THEIRS = BertConfig(
    vocab_size=37,
    hidden_size=30,
    num_attention_heads=5,
    intermediate_size=44,
    num_hidden_layers=2,
    max_position_embeddings=17,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    num_labels=7,
    attn_implementation="eager",
)
PAIRS = {
    "sentence": (SentenceClassifier, (7,), BertForSequenceClassification, THEIRS),
    "token": (TokenClassifier, (7,), BertForTokenClassification, THEIRS),
    "span": (SpanFinder, (), BertForQuestionAnswering, BertConfig(**THEIRS.to_dict() | {"num_labels": 2})),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_head_is_that_of_transformers(name, dtype, close):
    kind, arguments, their_kind, their_config = PAIRS[name]
    torch.manual_seed(0)
    theirs = their_kind(their_config).to(dtype).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, mean=float(parameter.ndim == 1), std=0.3)
    ours = kind(BERT(SIZES), *arguments).to(dtype).eval()
    ours.bert.pooler.requires_grad_(False)
    state = {
        key.replace("qa_outputs", "ends"): tensor for key, tensor in from_transformers(theirs.state_dict()).items()
    }
    missing, unexpected = ours.load_state_dict(state, strict=False)
    assert (set(missing) <= {"bert.pooler.weight", "bert.pooler.bias"}, unexpected) == (True, [])

    generator = torch.Generator().manual_seed(1)
    ids, segments = (torch.randint(high, (3, 13), generator=generator) for high in (37, 2))
    may_attend = not_padding(torch.tensor([13, 1, 7]), 13)
    outputs = ours(ids, segments, may_attend)
    answer = their_forward(theirs, ids, segments, may_attend)
    for actual, expected in zip(outputs if isinstance(outputs, tuple) else (outputs,), answer, strict=True):
        real = may_attend[:, 0] if actual.shape[:2] == ids.shape else torch.ones(3, dtype=torch.bool)
        close(actual[real], expected[real])
        direction = torch.randn_like(actual[real])
        wanted = torch.autograd.grad(
            expected[real], theirs.bert.embeddings.word_embeddings.weight, direction, retain_graph=True
        )
        close(torch.autograd.grad(actual[real], ours.bert.token.weight, direction, retain_graph=True)[0], wanted[0])


def their_forward(theirs, ids, segments, may_attend) -> tuple[torch.Tensor, ...]:
    found = theirs(ids, token_type_ids=segments, attention_mask=may_attend[:, 0].long())
    return (found.start_logits, found.end_logits) if hasattr(found, "start_logits") else (found.logits,)
