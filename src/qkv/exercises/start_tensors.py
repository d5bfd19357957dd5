"""Chapter 00, shape puzzles on tensors: distances, ids as rows, a split, surprises, an average of real rows.

Each is specified by a slow loop in its prompt; the answer needs no loop.
"""

import itertools
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from qkv import toy
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.mutant import Mutant
from qkv.exercises.start_mistakes import LETTERS, MEET, MISTAKES, ROW, SURPRISED

WORDS = tuple(toy.WORDS)
ASKING, ROWS = (torch.tensor(table, dtype=torch.float64) for table in (toy.QUERY, toy.KEY))


def draw(*shape: int, seed: int) -> Tensor:
    """Normal numbers in float64, the same on every machine."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def draw_ids(*shape: int, size: int, seed: int) -> Tensor:
    """Ids from 0 to ``size`` - 1, the same on every machine."""
    return torch.randint(size, shape, generator=torch.Generator().manual_seed(seed))


# 5. complete: a table of distances


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Every row of first (n, d) with every row of second (m, d)."""
    left = first[:, None]
    right = second[None]
    return ((left - right) ** 2).sum(-1)


def _distances(compare: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda first, second: compare(first[:, None] - second[None])


TABLE_OF_DISTANCES = Function(
    id="start.squared_distances",
    number=5,
    title="All distances at once",
    chapter="00",
    kind="complete",
    difficulty=2,
    minutes=6,
    prompt=(
        "Fill the two gaps, so that broadcasting makes the table of all squared distances. `first` has shape (n, d),"
        " `second` has shape (m, d); the result has shape (n, m).\n\n"
        "```\n"
        "for i in range(n):\n"
        "    for j in range(m):\n"
        "        table[i, j] = squared_distance(first[i], second[j])\n"
        "```"
    ),
    imports="from torch import Tensor",
    template=(
        "def squared_distances(first: Tensor, second: Tensor) -> Tensor:\n"
        '    """Every row of first (n, d) with every row of second (m, d)."""\n'
        "    left = ...  # (n, 1, d)\n"
        "    right = ...  # (1, m, d)\n"
        "    return ((left - right) ** 2).sum(-1)"
    ),
    hints=(
        "Write (n, 1, d) and (1, m, d) under each other: in which shape do they meet, and which axis is summed?",
        "On other numbers: for a of shape (2,) and b of shape (3,), `a[:, None] - b[None]` is a (2, 3) table of all"
        " differences.",
        "left = first[:, ▢]; right = second[▢]",
    ),
    answer=squared_distances,
    reference=squared_distances,
    result="a tensor",
    probes=(
        Probe("the toy", "On the toy", {"first": ASKING, "second": ROWS}, WORDS),
        Probe("sizes all different", "With n 2, m 5, d 3", {"first": draw(2, 3, seed=1), "second": draw(5, 3, seed=2)}),
        Probe("equal sizes", "With n = m = d = 4", {"first": draw(4, 4, seed=3), "second": draw(4, 4, seed=4)}),
        Probe("one row", "With a single first row", {"first": draw(1, 3, seed=5), "second": draw(4, 3, seed=6)}),
    ),
    singles=(
        MISTAKES["Q10"].committed_by(lambda first, second: squared_distances(second, first)),
        MISTAKES["Q23"].committed_by(lambda first, second: ((first - second) ** 2).sum(-1)),
        MISTAKES["Q3"].committed_by(_distances(lambda gaps: gaps.sum(-1) ** 2)),
        MISTAKES["Q4"].committed_by(_distances(lambda gaps: gaps.abs().sum(-1))),
        MISTAKES["Q4"].committed_by(_distances(lambda gaps: gaps.sum(-1))),
        MISTAKES["Q5"].committed_by(_distances(lambda gaps: gaps.norm(dim=-1))),
        MISTAKES["Q6"].committed_by(lambda first, second: first @ second.T),
        MISTAKES["Q1"].committed_by(
            _distances(lambda gaps: (gaps**2).sum(0)),
            phrase="a sum over the first axis",
            why="The marks stand on the last axis; summing over axis 0 mixes words.",
            then="Ask which of n, m and d is missing in the result's shape.",
        ),
        MISTAKES["Q1"].committed_by(
            _distances(lambda gaps: (gaps**2).sum(1)),
            phrase="a sum over the middle axis",
            why="The marks stand on the last axis; summing over axis 1 mixes words.",
            then="Ask which of n, m and d is missing in the result's shape.",
        ),
    ),
    pairs=lambda: [
        pair(
            MISTAKES["Q10"],
            MISTAKES["Q5"],
            lambda first, second: squared_distances(second, first).sqrt(),
        ),
        pair(
            MISTAKES["Q10"],
            MISTAKES["Q4"],
            lambda first, second: (second[:, None] - first[None]).abs().sum(-1),
        ),
    ],
    gradient=True,
    shown="All distances agree, for any n, m and d, without a loop.",
    transfer="How many numbers does the table of differences hold before the sum?",
    review="02",
    see=MEET,
)

# 6. write: which id is which


def one_hot(ids: Tensor, size: int) -> Tensor:
    """A row for every id: True at the id's place, False elsewhere."""
    return ids[..., None] == torch.arange(size)


ONE_HOT = Function(
    id="start.one_hot",
    number=6,
    title="Ids as rows with a single True",
    chapter="00",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "A shape puzzle with broadcasting: turn ids into rows with a single True. `ids` has shape (t,) or (b, t); the"
        " result has one axis more, of length `size`, and holds True and False. Compare the ids with"
        " `torch.arange(size)`, or find another way without a loop; `F.one_hot` would hide what you are building.\n\n"
        "```\n"
        "for i in range(t):\n"
        "    for j in range(size):\n"
        "        rows[i, j] = ids[i] == j\n"
        "```"
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def one_hot(ids: Tensor, size: int) -> Tensor:\n"
        '    """A row for every id: True at the id\'s place, False elsewhere."""\n'
        "    return ..."
    ),
    hints=(
        "`ids == torch.arange(size)` compares place by place. Which shape must `ids` have to meet *every* j?",
        "On other numbers: `torch.tensor([5, 7])[:, None] == torch.tensor([5, 6, 7])` is"
        " `[[True, False, False], [False, False, True]]`.",
        "return ids[..., ▢] == torch.arange(▢)",
    ),
    answer=one_hot,
    reference=one_hot,
    result="a tensor",
    probes=(
        Probe("cat", "For *cat*, the ids 3, 1, 20 of 27", {"ids": torch.tensor([3, 1, 20]), "size": 27}),
        Probe("equal sizes", "With t = size = 4", {"ids": torch.tensor([2, 0, 0, 3]), "size": 4}),
        Probe("a batch", "With a batch", {"ids": draw_ids(2, 3, size=5, seed=7), "size": 5}),
        Probe("square batch", "With b = t = size = 3", {"ids": draw_ids(3, 3, size=3, seed=9), "size": 3}),
    ),
    singles=(
        MISTAKES["Q10"].committed_by(
            lambda ids, size: one_hot(ids, size).transpose(-2, -1),
            why="One row for each id was asked for, and here each id is a column.",
            then="Write the shape of the result behind your last line.",
            see=ROW,
        ),
        MISTAKES["Q26"].committed_by(lambda ids, size: one_hot(ids - 1, size)),
        MISTAKES["Q26"].committed_by(lambda ids, size: one_hot(ids + 1, size)),
        MISTAKES["Q23"].committed_by(
            lambda ids, size: ids == torch.arange(size),
            phrase="ids compared place by place",
            why="Every id is to be compared with *every* j, and shapes (t,) and (size,) do not meet for that.",
            then="Give `ids` an axis of size 1 at its end.",
        ),
        MISTAKES["Q23"].committed_by(
            lambda ids, size: ids[:, None] == torch.arange(size),
            phrase="an axis added behind the first one",
            why="With a batch the new axis belongs behind the last one.",
            then="Write the shape of `ids` with its new axis for a batch of two.",
        ),
        MISTAKES["Q23"].committed_by(
            lambda ids, size: ids.unsqueeze(1) == torch.arange(size).unsqueeze(0),
            phrase="an axis added behind the first one",
            why="With a batch the new axis belongs behind the last one.",
            then="Write the shape of `ids` with its new axis for a batch of two.",
        ),
    ),
    shown="Every id became a row with a single True, with and without a batch.",
    transfer="What does `one_hot(ids, size).float() @ table` give, for an embedding table?",
    review="06",
    see=ROW,
)

# 7. write: cut rows into parts


def split(rows: Tensor, parts: int) -> Tensor:
    """(t, parts · d) → (parts, t, d): the first d numbers of every row, then the next d, and so on."""
    t = rows.shape[0]
    return rows.reshape(t, parts, -1).transpose(0, 1)


def _dealt(rows: Tensor, parts: int) -> Tensor:
    return rows.reshape(rows.shape[0], -1, parts).permute(2, 0, 1)


SPLIT = Function(
    id="start.split",
    number=7,
    title="Cut every row into parts",
    chapter="00",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "A shape puzzle for `rearrange` from einops, or for reshape and transpose: `rows` has shape (t, parts · d), the"
        " result has shape (parts, t, d). Chapter 03 cuts rows into heads in this way.\n\n"
        "```\n"
        "for p in range(parts):\n"
        "    for i in range(t):\n"
        "        for j in range(d):\n"
        "            result[p, i, j] = rows[i, p * d + j]\n"
        "```"
    ),
    imports="from torch import Tensor",
    template=(
        "def split(rows: Tensor, parts: int) -> Tensor:\n"
        '    """(t, parts · d) → (parts, t, d): the first d numbers of every row, then the next d, and so on."""\n'
        "    return ..."
    ),
    hints=(
        "Which numbers of word 0 go into part 0? Look at `p * d + j` for p = 0.",
        "On other numbers: the row 5 6 7 8 in 2 parts becomes 5 6 and 7 8, not 5 7 and 6 8; and part 0 holds the 5 6 of"
        " this row above the first half of the next row.",
        'return rearrange(rows, "t (▢ d) -> ▢ t d", p=parts)',
    ),
    answer=split,
    reference=split,
    result="a tensor",
    probes=(
        Probe("the toy", "On the toy, in 2 parts", {"rows": ROWS, "parts": 2}),
        Probe("sizes all different", "With t 3, 2 parts, d 5", {"rows": draw(3, 10, seed=11), "parts": 2}),
        Probe("equal sizes", "With t = parts = d = 2", {"rows": draw(2, 4, seed=12), "parts": 2}),
        Probe("one part", "With a single part", {"rows": draw(4, 3, seed=13), "parts": 1}),
    ),
    singles=(
        MISTAKES["H1"].committed_by(lambda rows, parts: rows.reshape(parts, rows.shape[0], -1)),
        MISTAKES["Q14"].committed_by(_dealt),
        MISTAKES["Q24"].committed_by(lambda rows, parts: rows.reshape(rows.shape[0], parts, -1)),
        MISTAKES["Q24"].committed_by(
            lambda rows, parts: split(rows, parts).transpose(-2, -1),
            phrase="axes in another order",
            why="The part comes first, then the word, then its numbers.",
        ),
        MISTAKES["Q35"].committed_by(lambda rows, parts: torch.stack(rows.split(parts, dim=1))),
        MISTAKES["Q41"].committed_by(lambda rows, parts: rows.chunk(parts, dim=1)),
    ),
    pairs=lambda: [
        pair(
            MISTAKES["Q14"],
            MISTAKES["Q24"],
            lambda rows, parts: _dealt(rows, parts).transpose(0, 1),
        )
    ],
    gradient=True,
    shown="Every part holds its own numbers of every word, and the words keep their order.",
    transfer="Which pattern puts the parts together again?",
    review="03",
    see=LETTERS,
)

# 9. write: one surprise for each guess


def surprises(scores: Tensor, right: Tensor) -> Tensor:
    """−ln of the share that each row of scores (n, v) gives to its own right id; (n,) numbers."""
    log_shares = scores - scores.logsumexp(-1, keepdim=True)
    return -log_shares[torch.arange(len(right)), right]


_LOGARITHMS: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda scores: torch.log_softmax(scores, -1),
    "A4": lambda scores: torch.log_softmax(scores, 0),
    "B5": lambda scores: torch.log_softmax(torch.softmax(scores, -1), -1),
    "Q17": lambda scores: torch.log2(torch.softmax(scores, -1)),
    "Q18": lambda scores: -torch.log_softmax(scores, -1),
    "Q19": lambda scores: torch.softmax(scores, -1) - 1,
    "Q28": lambda scores: scores,
    "Q32": lambda scores: torch.softmax(scores, -1),
}
_PICKS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "": lambda table, right: table[torch.arange(len(right)), right],
    "Q11": lambda table, right: table[:, right],
    "Q27": lambda table, right: table[torch.arange(len(right)), right].mean(),
}
_WORDED = {
    "Q11": MISTAKES["Q11"].committed_by(
        None,
        phrase="every guess looked up at every answer",
        why="`table[:, right]` makes a (n, n) table; each row was to be looked up at its own id alone.",
        then="Count the numbers that you return: n of them are asked for.",
    ),
}


def _surprises(log: str, pick: str) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda scores, right: -_PICKS[pick](_LOGARITHMS[log](scores), right)


def _surprise_mutants() -> Iterator[Mutant]:
    for log, pick in itertools.product(_LOGARITHMS, _PICKS):
        names = [_WORDED.get(code, MISTAKES[code]) for code in (log, pick) if code]
        if len(names) == 1:
            yield names[0].committed_by(_surprises(log, pick))
        elif len(names) == 2:
            yield pair(names[0], names[1], _surprises(log, pick))


SURPRISES = Function(
    id="start.surprises",
    number=9,
    title="One surprise for each guess",
    chapter="00",
    kind="write",
    difficulty=3,
    minutes=12,
    prompt=(
        "A shape puzzle that is half of cross-entropy: `scores` has shape (n, v), `right` holds n ids. Turn every row"
        " of scores into shares (exp of each, divided by the row's sum), and return −ln of the share of the row's own"
        " right id, n numbers. Scores stay below 50 here. Use `exp`, `log` and sums, or `torch.log_softmax`;"
        " `F.cross_entropy` would hide what you are building.\n\n"
        "```\n"
        "for i in range(n):\n"
        "    total = 0\n"
        "    for j in range(v):\n"
        "        total = total + exp(scores[i, j])\n"
        "    surprise[i] = -log(exp(scores[i, right[i]]) / total)\n"
        "```"
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def surprises(scores: Tensor, right: Tensor) -> Tensor:\n"
        '    """−ln of the share that each row of scores (n, v) gives to its own right id; (n,) numbers."""\n'
        "    return ..."
    ),
    hints=(
        "Two steps: a table of logarithms of shares, (n, v), then one number out of each row. Along which axis do"
        " shares add up to 1?",
        "On other numbers: for a table with rows 5 6 and 7 8, `table[torch.arange(2), torch.tensor([1, 0])]` is 6, 7,"
        " while `table[:, torch.tensor([1, 0])]` is a table of four.",
        "log_shares = torch.log_softmax(scores, dim=▢); return -log_shares[torch.arange(len(right)), ▢]",
    ),
    answer=surprises,
    reference=surprises,
    result="a tensor",
    probes=(
        Probe(
            "two guesses",
            "On the lesson's two guesses",
            {"scores": torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]).double(), "right": torch.tensor([0, 2])},
        ),
        Probe(
            "sizes all different",
            "With 4 guesses among 7",
            {"scores": 3 * draw(4, 7, seed=21), "right": draw_ids(4, size=7, seed=22)},
        ),
        Probe(
            "equal sizes",
            "With 3 guesses among 3",
            {"scores": 2 * draw(3, 3, seed=23), "right": torch.tensor([1, 1, 0])},
        ),
        Probe("one guess", "With a single guess", {"scores": draw(1, 5, seed=24), "right": torch.tensor([4])}),
    ),
    singles=(
        *(mutant for mutant in _surprise_mutants() if "+" not in mutant.code),
        MISTAKES["A4"].committed_by(
            lambda scores, right: surprises(scores, right) + scores.logsumexp((0, 1)) - scores.logsumexp(-1),
            phrase="shares made over the whole table",
        ),
        MISTAKES["Q17"].committed_by(
            lambda scores, right: surprises(scores, right) / math.log(10),
            phrase="a logarithm of base 10",
            why="`log10` counts in other units; this course counts in nats, with the natural logarithm.",
        ),
        MISTAKES["Q28"].committed_by(
            lambda scores, right: -(scores / scores.sum(-1, keepdim=True))[torch.arange(len(right)), right].log(),
            phrase="scores divided by their sum, without `exp`",
            why="Scores may be 0 or negative, shares may not; `exp` comes first.",
        ),
        MISTAKES["Q33"].committed_by(
            lambda scores, right: -(scores.exp() / scores.exp().sum(-1)).log()[torch.arange(len(right)), right],
            why="Sums of shape (n,) meet (n, v) at the right, and rows get divided by the sums of others.",
            see=MEET,
        ),
        MISTAKES["Q32"].committed_by(
            lambda scores, right: torch.softmax(scores, -1)[torch.arange(len(right)), right],
        ),
    ),
    pairs=lambda: [mutant for mutant in _surprise_mutants() if "+" in mutant.code],
    gradient=True,
    shown="Each guess has its own surprise; their average is PyTorch's `cross_entropy`.",
    transfer="What does a row of equal scores cost among v symbols?",
    review="05",
    see=SURPRISED,
)

# 10. write: an average of real rows


def mean_of_real(rows: Tensor, real: Tensor) -> Tensor:
    """The average of each item's rows, padding left out: rows (b, t, d), real (b, t) → (b, d)."""
    counted = real[..., None].to(rows.dtype)
    return (rows * counted).sum(1) / counted.sum(1)


def _weighted(rows: Tensor, real: Tensor) -> Tensor:
    return torch.einsum("b t d, b t -> b d", rows, real.to(rows.dtype))


_PADDING = [50.0, 50.0]
_BATCH = {
    "rows": torch.tensor([[[2.0, 0], [4, 2], _PADDING], [[3, 1], _PADDING, _PADDING]], dtype=torch.float64),
    "real": torch.tensor([[True, True, False], [True, False, False]]),
}

MEAN_OF_REAL = Function(
    id="start.mean_of_real",
    number=10,
    title="The average of real rows",
    chapter="00",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "Sentences of a batch differ in length, so the short ones are filled up with rows that mean nothing, called"
        " padding. `rows` has shape (b, t, d); `real` has shape (b, t) and is True where a row belongs to the sentence."
        " Return the average of each sentence's real rows, (b, d). Every sentence has at least one.\n\n"
        "```\n"
        "for i in range(b):\n"
        "    count, total = 0, zeros(d)\n"
        "    for j in range(t):\n"
        "        if real[i, j]:\n"
        "            count, total = count + 1, total + rows[i, j]\n"
        "    average[i] = total / count\n"
        "```"
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def mean_of_real(rows: Tensor, real: Tensor) -> Tensor:\n"
        '    """The average of each item\'s rows, padding left out: rows (b, t, d), real (b, t) → (b, d)."""\n'
        "    return ..."
    ),
    hints=(
        "Which shape must `real` have to meet (b, t, d)? And by how many rows is each sum divided?",
        "On other numbers: rows 4, 8 and padding 100: the sum of the real ones is 12, two are real, the average is 6,"
        " neither 12 / 3 nor 112 / 3.",
        "counted = real[..., ▢].to(rows.dtype); return (rows * counted).sum(▢) / counted.sum(▢)",
    ),
    answer=mean_of_real,
    reference=mean_of_real,
    result="a tensor",
    probes=(
        Probe("two sentences", "With sentences of 2 rows and 1", _BATCH),
        Probe(
            "sizes all different",
            "With b 3, t 5, d 2",
            {
                "rows": draw(3, 5, 2, seed=32),
                "real": torch.tensor(
                    [[True] * 5, [True, True, True, False, False], [True, False, False, False, False]]
                ),
            },
        ),
        Probe(
            "equal sizes",
            "With b = t = d = 3",
            {
                "rows": draw(3, 3, 3, seed=33),
                "real": torch.tensor([[True, True, False], [True, False, False], [True, True, True]]),
            },
        ),
        Probe(
            "padding first",
            "With padding at the front",
            {
                "rows": draw(2, 4, 3, seed=34),
                "real": torch.tensor([[False, False, True, True], [False, True, True, True]]),
            },
        ),
    ),
    singles=(
        MISTAKES["Q12"].committed_by(lambda rows, real: _weighted(rows, real) / rows.shape[1]),
        MISTAKES["Q12"].committed_by(
            lambda rows, real: _weighted(rows, real) / real.sum(),
            phrase="a sum divided by the real rows of the whole batch",
            why="Each sentence is divided by its own count; here long sentences shrink the short ones.",
        ),
        MISTAKES["Q13"].committed_by(lambda rows, real: rows.mean(1)),
        MISTAKES["Q13"].committed_by(lambda rows, real: rows.sum(1) / real.sum(1, keepdim=True)),
        MISTAKES["Q13"].committed_by(
            lambda rows, real: _weighted(rows, ~real) / (~real).sum(1, keepdim=True),
            phrase="an average of the padding",
            why="True marks what belongs to the sentence.",
            then="Say aloud what True means in the line that reads `real`.",
        ),
        MISTAKES["Q13"].committed_by(
            lambda rows, real: _weighted(rows, ~real) / real.sum(1, keepdim=True),
            phrase="a sum of the padding",
            why="True marks what belongs to the sentence.",
            then="Say aloud what True means in the line that reads `real`.",
        ),
        MISTAKES["Q15"].committed_by(_weighted),
        MISTAKES["Q33"].committed_by(lambda rows, real: _weighted(rows, real) / real.sum(1)),
        MISTAKES["Q34"].committed_by(lambda rows, real: rows[real].mean(0)),
        MISTAKES["Q1"].committed_by(
            lambda rows, real: (rows * real[..., None]).sum(0) / real.sum(0)[:, None],
            phrase="an average over the batch",
            why="Axis 0 counts the sentences; adding along it mixes them.",
            then="Ask which of b, t and d is missing in the result's shape.",
        ),
    ),
    gradient=True,
    shown="Padding has no influence, wherever it stands.",
    transfer="What should happen to a sentence without any real row?",
    review="09",
    see=MEET,
)

EXERCISES = (TABLE_OF_DISTANCES, ONE_HOT, SPLIT, SURPRISES, MEAN_OF_REAL)
