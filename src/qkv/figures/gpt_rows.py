"""The numbers behind the figures "composer" and "next token"; the page computes the same in JavaScript.

The composer's reader is a toy with one head: no query and no key, a bias that grows with the distance (ALiBi), and two
numbers per word, made from its letters.  It is causal, it knows orders, and nothing in it is learned; so what it shows
about places and padding holds for any decoder.

The next tokens are those of our own GPT.  Scores of the best are kept to three decimals; those of all others are
rounded down to a grid, so that the whole vocabulary fits into a small table.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.decoding.search import sharpened
from qkv.models.gpt import GPT
from qkv.nn.attention import scaled_dot_product_attention
from qkv.nn.masks import causal
from qkv.text.bpe import BPE
from qkv.transfer import inputs

# The composer -------------------------------------------------------------------------------------------------------

START, DELIMITER, EXTRACT, PAD = "⟨s⟩", "$", "⟨e⟩", "pad"
SLOPE: Final = 0.3  # of the bias: how much less a token counts for each step further back
WEIGHTS: Final = (2.0, -3.0)  # of the head: state → score
TASKS: Final = {  # what the two boxes hold at first; candidates are parted by a stroke
    "classification": ("the acting is stiff but it holds you", ""),
    "entailment": ("it is a robin", "it is a bird"),
    "similarity": ("his voice was heard", "they heard him speak"),
    "multiple choice": ("the cat left the mat", "it was hungry / it was the sea / kings were many"),
}
OPENING_TASK: Final = "entailment"
OPENING_SLOTS: Final = 14
MOST_SLOTS: Final = 24


def words(text: str) -> list[str]:
    """Words and signs in small letters; here each is a token."""
    return re.findall(r"[a-z0-9']+|[^\sa-z0-9']", text.lower())


def rows(task: str, first: str, second: str) -> list[list[str]]:
    """The rows of an example, by the library's own transformations.

    Raises:
        ValueError: a text without a word, or a choice among fewer than two.
    """
    texts = [words(first), *map(words, second.split("/") if task == "multiple choice" else [second])]
    vocabulary = [START, DELIMITER, EXTRACT, *sorted({word for text in texts for word in text})]
    number = {word: i for i, word in enumerate(vocabulary)}
    a, *others = [[number[word] for word in text] for text in texts]
    special = inputs.SpecialIds(0, 1, 2)
    found: Sequence[Sequence[int]]
    if task == "classification":
        found = [inputs.classification(a, special)]
    elif task == "entailment":
        found = [inputs.entailment(a, others[0], special)]
    elif task == "similarity":
        found = inputs.similarity(a, others[0], special)
    else:
        found = inputs.multiple_choice(a, others, special)
    return [[vocabulary[i] for i in row] for row in found]


def values(word: str) -> tuple[float, float]:
    """Two numbers from -1 to 1 out of a word's letters (FNV-1a, 32 bits, on UTF-16 units)."""
    mixed = 2166136261
    for sign in word:
        mixed = ((mixed ^ ord(sign)) * 16777619) % 2**32
    return (mixed % 65536) / 32768 - 1, (mixed // 65536) / 32768 - 1


def states(row: Sequence[str], slots: int) -> Float[Tensor, "slots 2"]:
    """What the toy reader makes of each slot; slots behind the row are padding."""
    filled = [*row, *[PAD] * (slots - len(row))]
    value = torch.tensor([values(word) for word in filled], dtype=torch.float64)
    places = torch.arange(len(filled), dtype=torch.float64)
    nothing = torch.zeros(len(filled), 1, dtype=torch.float64)
    bias = -SLOPE * (places[:, None] - places)
    output, _ = scaled_dot_product_attention(nothing, nothing, value, causal(len(filled)), bias)
    return output


def scores(task: str, first: str, second: str, slots: int, last: bool) -> list[float]:
    """One score for each row; of both orders one, from the sum of their states."""
    found = rows(task, first, second)
    slots = max(slots, *map(len, found), 0)
    read = [states(row, slots)[-1 if last else len(row) - 1] for row in found]
    taken = [torch.stack(read).sum(0)] if task == "similarity" else read
    return [float(state @ torch.tensor(WEIGHTS, dtype=torch.float64)) for state in taken]


def composer_data() -> dict[str, Any]:
    """Marks, tasks with their texts, and the toy reader's constants."""
    return {
        "marks": [START, DELIMITER, EXTRACT, PAD],
        "tasks": TASKS,
        "opening": {"task": OPENING_TASK, "slots": OPENING_SLOTS, "last": False},
        "slope": SLOPE,
        "weights": WEIGHTS,
        "most": MOST_SLOTS,
    }


# The next token -----------------------------------------------------------------------------------------------------

BEGINNINGS: Final = (
    "The President of the United",
    "The little girl looked at",
    "It was a very",
    "The film is",
    "He said that",
)
NUM_BEST: Final = 32
GRID: Final = 0.1


@cache
def all_scores() -> Float[Tensor, "beginnings v"]:
    """Scores of every next token, in the order of the vocabulary."""
    gpt, tokens = GPT.from_pretrained("gpt"), BPE.from_pretrained("gpt")
    with torch.no_grad():
        return torch.stack([gpt(torch.tensor([[0, *tokens.encode(text)]]))[0, -1] for text in BEGINNINGS])


@cache
def next_token_data() -> dict[str, Any]:
    """For each beginning the best tokens, their scores less the best one, and the rest: (grid point, how many)."""
    tokens, found = BPE.from_pretrained("gpt"), []
    for text, row in zip(BEGINNINGS, all_scores().double(), strict=True):
        ordered, order = (row - row.max()).sort(descending=True, stable=True)
        rest = torch.floor(ordered[NUM_BEST:] / GRID).int().tolist()
        found.append(
            {
                "text": text,
                "tokens": [visible(tokens.decode([i])) for i in order[:NUM_BEST].tolist()],
                "best": [round(score, 3) for score in ordered[:NUM_BEST].tolist()],
                "rest": [[point, len(list(group))] for point, group in groupby(rest)],
            }
        )
    return {"grid": GRID, "beginnings": found}


def visible(token: str) -> str:
    """A token as the page shows it: a space within quotation marks is seen, a line break is named."""
    return token.replace("\n", "⏎").replace("\ufffd", "�")


def table_of(beginning: int) -> Float[Tensor, " v"]:
    """The scores that the page has, best first."""
    data = next_token_data()["beginnings"][beginning]
    rest = [point * GRID for point, count in data["rest"] for _ in range(count)]
    return torch.tensor([*data["best"], *rest], dtype=torch.float64)


def odds(beginning: int, temperature: float, top_k: int | None, top_p: float) -> Float[Tensor, " v"]:
    """What may be drawn, and how likely each is, by the library."""
    return sharpened(table_of(beginning)[None], temperature, top_k, top_p).softmax(-1)[0]
