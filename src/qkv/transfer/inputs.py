"""GPT's input transformations (Radford et al. 2018, section 3.3 and figure 1): every task becomes rows of tokens.

    classification     <s> text <e>
    entailment         <s> premise $ hypothesis <e>
    similarity         <s> first $ second <e>   and   <s> second $ first <e>
    multiple choice    <s> context $ answer <e>   for each answer

So the model stays as it was pretrained, and only three tokens are new: start, delimiter and extract.  Positions count
on through the whole row.  The extract token comes last, so its state has read everything; a task is solved from it.

What is too long is cut, never the three new tokens.  A text alone loses its end.  Of two texts each may keep half of
the room, and what one does not need the other may use; so a swap of the two cuts the same.  Both lose their ends, but
the context of a choice loses its beginning: what stands next to the answer, a question above all, stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Final

import torch
from jaxtyping import Integer
from torch import Tensor, nn

from qkv.models.gpt import GPT

Ids = Sequence[int]
MAX_LENGTH: Final = 512  # tokens the published model can read


@dataclass(frozen=True)
class SpecialIds:
    """The three tokens that no pretraining text holds: <s>, $ and <e> of figure 1.

    Raises:
        ValueError: two of them are the same, or one is below 0.
    """

    start: int
    delimiter: int
    extract: int

    def __post_init__(self) -> None:
        if len(set(astuple(self))) < 3 or min(astuple(self)) < 0:
            raise ValueError(f"expected three different ids of at least 0, got {astuple(self)}")


def with_special_tokens(pretrained: GPT) -> tuple[GPT, SpecialIds]:
    """The same model with three more rows in its token table, and their ids: the next three.

    New rows are drawn from N(0, 0.02), as all were at first; fine-tuning has to teach them.  The old rows and all else
    are copies.  Next tokens are scored with the same table, so the three can be predicted as well.
    """
    size = pretrained.config.vocab_size
    model = GPT(replace(pretrained.config, vocab_size=size + 3)).to(pretrained.token.weight)
    rows = torch.cat([pretrained.token.weight.detach(), model.token.weight.detach()[size:]])
    model.load_state_dict(pretrained.state_dict() | {"token.weight": rows})
    return model.train(pretrained.training), SpecialIds(size, size + 1, size + 2)


def classification(text: Ids, special: SpecialIds, max_length: int = MAX_LENGTH) -> list[int]:
    """<s> text <e>.

    Raises:
        ValueError: the text is empty or holds a special id, or ``max_length`` leaves no room for a token.
    """
    _check({"text": text}, special)
    return [special.start, *text[: _room(max_length, num_texts=1)], special.extract]


def entailment(premise: Ids, hypothesis: Ids, special: SpecialIds, max_length: int = MAX_LENGTH) -> list[int]:
    """<s> premise $ hypothesis <e>; does the first say the second?  Raises as ``classification``."""
    _check({"premise": premise, "hypothesis": hypothesis}, special)
    of_premise, of_hypothesis = shares(len(premise), len(hypothesis), _room(max_length, num_texts=2))
    return _joined(premise[:of_premise], hypothesis[:of_hypothesis], special)


def similarity(
    first: Ids, second: Ids, special: SpecialIds, max_length: int = MAX_LENGTH
) -> tuple[list[int], list[int]]:
    """Both orders, since neither of two sentences comes first: <s> first $ second <e> and <s> second $ first <e>.

    The states of their extract tokens are added (``qkv.transfer.heads.Similarity``).  Raises as ``classification``.
    """
    _check({"first": first, "second": second}, special)
    of_first, of_second = shares(len(first), len(second), _room(max_length, num_texts=2))
    first, second = first[:of_first], second[:of_second]
    return _joined(first, second, special), _joined(second, first, special)


def multiple_choice(
    context: Ids, answers: Sequence[Ids], special: SpecialIds, max_length: int = MAX_LENGTH
) -> list[list[int]]:
    """<s> context $ answer <e> for each answer; the paper's document z and question q are the context, z before q.

    All rows have the same context, cut so that the longest answer fits.

    Raises:
        ValueError: fewer than two answers, or as ``classification``.
    """
    if len(answers) < 2:
        raise ValueError(f"answers: expected at least two to choose from, got {len(answers)}")
    _check({"context": context} | {f"answer {i}": answer for i, answer in enumerate(answers)}, special)
    longest = max(len(answer) for answer in answers)
    of_context, of_answer = shares(len(context), longest, _room(max_length, num_texts=2))
    kept = context[len(context) - of_context :]
    return [_joined(kept, answer[:of_answer], special) for answer in answers]


def shares(first: int, second: int, room: int) -> tuple[int, int]:
    """How many of its tokens each of two texts keeps: half of the room, and what the other leaves of its half.

    Lengths 3 and 9 in a room of 8 → 3 and 5; 9 and 9 in a room of 7 → 3 and 3, for no order to be preferred.
    """
    half = room // 2
    return min(first, max(half, room - second)), min(second, max(half, room - first))


def padded(examples: Sequence[Sequence[Ids]], pad_id: int = 0) -> Integer[Tensor, "b n t"]:
    """Rows of b examples, n of each, as one tensor; the padding stands behind a row.

    n is 1 for classification and entailment, 2 for similarity, the number of answers for a choice.  Which id pads has
    no effect, as no real token looks at it, unless it is the extract token's.

    Raises:
        ValueError: no examples, or not equally many rows in each.
    """
    sizes = sorted({len(rows) for rows in examples})
    if len(sizes) != 1 or sizes[0] < 1:
        raise ValueError(f"expected examples of equally many rows, got examples of {sizes} rows")
    flat = [torch.tensor(row) for rows in examples for row in rows]
    return nn.utils.rnn.pad_sequence(flat, batch_first=True, padding_value=pad_id).unflatten(0, (-1, sizes[0]))


def extract_position(ids: Integer[Tensor, "*b t"], extract_id: int) -> Integer[Tensor, "*b"]:
    """Where the extract token stands in each row: with padding behind it, not at the end.

    Raises:
        ValueError: a row without it, or with several; the message names the row.
    """
    found = ids == extract_id
    times = found.sum(-1)
    if (times != 1).any():
        row = tuple((times != 1).nonzero()[0].tolist())
        raise ValueError(f"row {row}: expected the extract token, id {extract_id}, once, got it {times[row]} times")
    return found.int().argmax(-1)


def _joined(first: Ids, second: Ids, special: SpecialIds) -> list[int]:
    return [special.start, *first, special.delimiter, *second, special.extract]


def _room(max_length: int, num_texts: int) -> int:
    """Tokens that are left for the texts; around and between them stand num_texts + 1 others."""
    room = max_length - num_texts - 1
    if room < num_texts:
        raise ValueError(f"max_length: expected at least {2 * num_texts + 1}, got {max_length}")
    return room


def _check(texts: Mapping[str, Ids], special: SpecialIds) -> None:
    for name, text in texts.items():
        if not len(text):
            raise ValueError(f"{name}: expected at least one token, got none")
        if within := set(text) & set(astuple(special)):
            raise ValueError(f"{name}: expected ids of a text, got the special id {min(within)} among them")
