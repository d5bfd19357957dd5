"""BERT against transformers: random weights, all masks and segments, gradients; then MiniLM's real weights."""

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForPreTraining, BertModel

from qkv import assets
from qkv.data import load
from qkv.inspection.trace import Trace
from qkv.models.bert import BERT, BERTConfig, BERTForPreTraining, from_transformers
from qkv.nn.masks import not_padding
from qkv.text.wordpiece import WordPiece

SIZES = BERTConfig(vocab_size=37, d_model=30, num_heads=5, d_ff=44, num_layers=3, dropout=0.0, max_length=17)
LENGTHS = torch.tensor([13, 1, 7])


def theirs_of(config: BERTConfig) -> BertConfig:
    return BertConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.d_model,
        num_attention_heads=config.num_heads,
        intermediate_size=config.d_ff,
        num_hidden_layers=config.num_layers,
        max_position_embeddings=config.max_length,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",
    )


@pytest.fixture
def pair(dtype):
    """Both models with the same weights, none of them left as initialised."""
    torch.manual_seed(0)
    theirs = BertForPreTraining(theirs_of(SIZES)).to(dtype).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, mean=float(parameter.ndim == 1), std=0.3)
    ours = BERTForPreTraining(SIZES).to(dtype).eval()
    ours.load_state_dict(from_transformers(theirs.state_dict()))
    return ours, theirs


def inputs():
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(SIZES.vocab_size, (3, 13), generator=generator)
    return ids, torch.randint(2, (3, 13), generator=generator), not_padding(LENGTHS, 13)


def test_both_heads_and_the_gradient_of_the_token_vectors(pair, close):
    ours, theirs = pair
    ids, segments, may_attend = inputs()
    pieces, is_next = ours(ids, segments, may_attend)
    expected = theirs(ids, token_type_ids=segments, attention_mask=may_attend[:, 0].long())
    real = may_attend[:, 0]
    close(pieces[real], expected.prediction_logits[real])
    close(is_next, expected.seq_relationship_logits)
    direction = torch.randn_like(pieces[real])
    actual = torch.autograd.grad(pieces[real], ours.bert.token.weight, direction)[0]
    wanted = torch.autograd.grad(
        expected.prediction_logits[real], theirs.bert.embeddings.word_embeddings.weight, direction
    )[0]
    close(actual, wanted)


def test_the_loss_of_pretraining(pair, close):
    """Mean over the chosen pieces plus mean over the pairs; labels of -100 and the padding count for neither."""
    ours, theirs = pair
    ids, segments, may_attend = inputs()
    chosen = (torch.arange(39).reshape(3, 13) % 4 == 1) & may_attend[:, 0]
    labels, not_next = ids.flip(0).masked_fill(~chosen, -100), torch.tensor([1, 0, 1])
    total, count = ours.masked_loss(ids, labels, segments, may_attend)
    _, is_next = ours(ids, segments, may_attend)
    expected = theirs(
        ids,
        token_type_ids=segments,
        attention_mask=may_attend[:, 0].long(),
        labels=labels,
        next_sentence_label=not_next,
    )
    assert count == chosen.sum() > 0
    close(total / count + nn.functional.cross_entropy(is_next, not_next), expected.loss)


def test_hidden_states_pooled_and_weights_of_every_layer(pair, close):
    ours, theirs = pair
    ids, segments, may_attend = inputs()
    trace = Trace()
    hidden = ours.bert(ids, segments, may_attend, trace=trace)
    expected = theirs.bert(
        ids,
        token_type_ids=segments,
        attention_mask=may_attend[:, 0].long(),
        output_hidden_states=True,
        output_attentions=True,
    )
    real = may_attend[:, 0]
    states = [trace["embeddings"], *(trace[f"layer{i}.output"] for i in range(SIZES.num_layers))]
    for state, wanted in zip(states, expected.hidden_states, strict=True):
        close(state[real], wanted[real])
    for i, wanted in enumerate(expected.attentions):
        rows = real[:, None, :, None].expand_as(wanted)
        close(trace[f"layer{i}.attention.weights"][rows], wanted[rows])
    close(ours.bert.pooled(hidden), expected.pooler_output)


@pytest.fixture(scope="module")
def real_batch():
    """Sixteen snippets about films and their lengths, padded together."""
    encoder = WordPiece.from_pretrained("minilm")
    cls, sep = encoder.ids["[CLS]"], encoder.ids["[SEP]"]
    rows = [[cls, *encoder.encode(text), sep] for text in load("movie-snippets")["test"]["text"][:16]]
    lengths = torch.tensor([len(row) for row in rows])
    padded = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    return padded, not_padding(lengths, padded.shape[1])


def test_minilm_is_transformers_minilm(real_batch):
    ids, may_attend = real_batch
    theirs = BertModel.from_pretrained(assets.folder("minilm"), attn_implementation="eager").eval()
    trace = Trace()
    with torch.no_grad():
        BERT.from_pretrained("minilm")(ids, may_attend=may_attend, trace=trace)
        expected = theirs(
            ids, attention_mask=may_attend[:, 0].long(), output_hidden_states=True, output_attentions=True
        )
    real = may_attend[:, 0]
    for i, wanted in enumerate(expected.hidden_states[1:]):
        torch.testing.assert_close(trace[f"layer{i}.output"][real], wanted[real], rtol=0, atol=1e-5)
    for i, wanted in enumerate(expected.attentions):
        rows = real[:, None, :, None].expand_as(wanted)
        torch.testing.assert_close(trace[f"layer{i}.attention.weights"][rows], wanted[rows], rtol=0, atol=1e-5)


def test_minilm_without_a_trace_is_the_same(real_batch):
    """The fused attention against the traced one, on real text."""
    model = BERT.from_pretrained("minilm")
    ids, may_attend = real_batch
    with torch.no_grad():
        plain, traced = model(ids, may_attend=may_attend), model(ids, may_attend=may_attend, trace=Trace())
    real = may_attend[:, 0]
    torch.testing.assert_close(plain[real], traced[real], rtol=0, atol=1e-5)
