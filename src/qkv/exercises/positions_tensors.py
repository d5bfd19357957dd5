"""Chapter 04, exercises on tensors: frequencies, the table, adding it, a test for order, rotary positions."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from qkv import toy
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.positions_mistakes import ADDED, CLOCK, COLUMN_FOR_I, FORMULA, MISTAKES, PROVED, TURNED
from qkv.nn import attention, masks, positions


def draw(*shape: int, seed: int) -> Tensor:
    """Normal numbers in float64, the same on every machine."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# 8. complete


def angles(length: int, d_model: int) -> Tensor:
    """The angle of every hand at every position, (length, number of hands), in float64."""
    position = torch.arange(length, dtype=torch.float64)
    even = torch.arange(0, d_model, 2, dtype=torch.float64)
    return position[:, None] / 10_000 ** (even / d_model)


def angles_with(
    *,
    start: int = 0,
    base: float = 10_000.0,
    exponent: Callable[[Tensor, int], Tensor] = lambda even, d_model: even / d_model,
    divide: bool = True,
    floored: bool = False,
) -> Callable[[int, int], Tensor]:
    """The table of angles with some of its parts replaced."""

    def mutant(length: int, d_model: int) -> Tensor:
        position = torch.arange(start, start + length, dtype=torch.float64)[:, None]
        even = torch.arange(0, d_model, 2, dtype=torch.float64)
        if floored:
            return position * torch.exp(even * (-math.log(base) / d_model // 1))
        power = base ** exponent(even, d_model)
        return position / power if divide else position * power

    return mutant


_ANGLES: dict[str, dict[str, Any]] = {
    "P1": {"exponent": lambda even, d_model: 2 * even / d_model},
    "P3": {"floored": True},
    "P4": {"divide": False},
    "P6": {"base": 1000.0},
    "P7": {"start": 1},
    "R14": {"exponent": lambda even, d_model: even / 2 / d_model},
    "R15": {"exponent": lambda even, d_model: even},
}
_COUPLES = (("P1", "P7"), ("P1", "P6"), ("P4", "P7"), ("P6", "P7"), ("P1", "P4"), ("P3", "P7"))


ROUNDED_EXPONENT = {
    "phrase": "a whole-number division in the exponent",
    "why": "`//` rounds every exponent down to 0, so all hands turn at the speed of the first.",
    "then": "Print the exponents for d_model 4: they should be 0 and .5.",
}


def _divided(axis: Any) -> Callable[[int, int], Tensor]:
    """Angles with the positions indexed by ``axis`` where a new last axis was needed."""

    def mutant(length: int, d_model: int) -> Tensor:
        even = torch.arange(0, d_model, 2, dtype=torch.float64)
        return torch.arange(length, dtype=torch.float64)[axis] / 10_000 ** (even / d_model)

    return mutant


def _both(first: str, second: str) -> dict[str, Any]:
    return {**_ANGLES[first], **_ANGLES[second]}


FILL_THE_ANGLES = Function(
    id="positions.fill_the_angles",
    number=8,
    title="Fill two gaps in the angles",
    chapter="04",
    kind="complete",
    difficulty=2,
    minutes=5,
    prompt=(
        "Fill the two gaps: the angle of hand i at position p is p / 10000^(2i / d_model). `even` holds 0, 2, 4, …, so"
        " it already is 2i. The result has one row per position and one column per hand."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def angles(length: int, d_model: int) -> Tensor:\n"
        '    """The angle of every hand at every position, (length, number of hands), in float64."""\n'
        "    position = torch.arange(length, dtype=torch.float64)\n"
        "    even = torch.arange(0, d_model, 2, dtype=torch.float64)\n"
        "    divisor = ...\n"
        "    return ... / divisor"
    ),
    hints=(
        "`even` is 2i already. Which shape must `position` have to meet a row of divisors?",
        "On other numbers: with base 100 and d_model 4 the divisors are 1 and 10, and position 3 has the angles 3, .3.",
        "divisor = 10_000 ** (even / ▢); position[:, ▢] / divisor",
    ),
    answer=angles,
    reference=angles,
    result="a tensor",
    probes=(
        Probe("three by four", "With length 3 and d_model 4", {"length": 3, "d_model": 4}),
        Probe("seven by ten", "With length 7 and d_model 10", {"length": 7, "d_model": 10}),
        Probe("odd", "With length 5 and d_model 7", {"length": 5, "d_model": 7}),
        Probe("square", "With length 4 and d_model 8", {"length": 4, "d_model": 8}),
    ),
    singles=(
        *(MISTAKES[code].committed_by(angles_with(**change)) for code, change in _ANGLES.items()),
        MISTAKES["P3"].committed_by(angles_with(exponent=lambda even, d_model: even // d_model), **ROUNDED_EXPONENT),
        *(MISTAKES["R16"].committed_by(_divided(where)) for where in (..., None)),
    ),
    pairs=lambda: [pair(MISTAKES[a], MISTAKES[b], angles_with(**_both(a, b))) for a, b in _COUPLES],
    shown="The angles agree for even and odd sizes.",
    transfer="How many positions does the slowest hand need for one turn, with d_model 512?",
    review="05",
    see=CLOCK,
)

# 9. write the table


def sinusoidal(length: int, d_model: int) -> Tensor:
    """The table of positions, (length, d_model), in float64."""
    position = torch.arange(length, dtype=torch.float64)[:, None]
    even = torch.arange(0, d_model, 2, dtype=torch.float64)
    angle = position / 10_000 ** (even / d_model)
    table = torch.empty(length, d_model, dtype=torch.float64)
    table[:, 0::2] = angle.sin()
    table[:, 1::2] = angle[:, : d_model // 2].cos()
    return table


def table_with(
    *, for_cosine: Callable[[int, int], Tensor] | None = None, layout: str = "in turn", **changes: Any
) -> Callable[[int, int], Tensor]:
    """The table with some of its parts replaced: the mutants of ``sinusoidal``."""
    for_sine = angles_with(**changes)

    def mutant(length: int, d_model: int) -> Tensor:
        sines = for_sine(length, d_model).sin()
        cosines = (for_cosine or for_sine)(length, d_model).cos()
        if layout == "swapped":
            sines, cosines = cosines, sines
        if layout == "halves":
            return torch.cat([sines, cosines[:, : d_model // 2]], dim=-1)
        if layout == "even only":
            return torch.stack([sines, cosines], dim=-1).flatten(1)
        table = torch.empty(length, d_model, dtype=torch.float64)
        table[:, 0::2], table[:, 1::2] = sines, cosines[:, : d_model // 2]
        return table

    return mutant


def _needs_even(length: int, d_model: int) -> Tensor:
    """The usual six lines, which stop at an odd d_model."""
    angle, table = angles(length, d_model), torch.zeros(length, d_model, dtype=torch.float64)
    table[:, 0::2] = torch.sin(angle)
    table[:, 1::2] = torch.cos(angle)
    return table


def _by_columns(factor: int) -> Callable[[int, int], Tensor]:
    """A table whose column c has the exponent ``factor`` · c / d_model."""

    def mutant(length: int, d_model: int) -> Tensor:
        column = torch.arange(d_model, dtype=torch.float64)
        angle = torch.arange(length)[:, None] / 10_000 ** (factor * column / d_model)
        return torch.where(column % 2 == 0, angle.sin(), angle.cos())

    return mutant


_OWN = angles_with(exponent=lambda even, d_model: (even + 1) / d_model)
_TABLES: dict[str, dict[str, Any]] = _ANGLES | {
    "P2": {"for_cosine": _OWN},
    "P5": {"layout": "halves"},
    "P13": {"layout": "even only"},
    "R5": {"layout": "swapped"},
}
_TABLE_COUPLES = (*_COUPLES, ("P1", "P5"), ("P5", "P7"), ("P4", "P5"), ("P5", "P6"), ("P1", "R5"), ("P1", "P13"))

SINUSOIDAL = Function(
    id="positions.sinusoidal",
    number=9,
    title="The table of positions",
    chapter="04",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "Write the whole table as the paper has it: even columns are sines, odd ones cosines of the same angle. An odd"
        " d_model ends with a sine. Compute in float64.\n\n"
        "Shape and size of the entries tell none of the known mistakes, so the check compares numbers."
    ),
    imports="import math\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def sinusoidal(length: int, d_model: int) -> Tensor:\n"
        '    """The table of positions, (length, d_model), in float64."""\n'
        "    return ..."
    ),
    hints=(
        "Make the angles first, one column per hand. Into which columns go their sines?",
        "On other numbers: `t[:, 0::3] = a` fills columns 0, 3, 6, … of t with the columns of a.",
        "table[:, 0::2] = angle.sin(); table[:, 1::2] = angle[:, : d_model // ▢].cos()",
    ),
    answer=sinusoidal,
    reference=sinusoidal,
    result="a tensor",
    probes=(
        Probe("three by four", "With length 3 and d_model 4", {"length": 3, "d_model": 4}),
        Probe("seven by ten", "With length 7 and d_model 10", {"length": 7, "d_model": 10}),
        Probe("odd", "With length 5 and d_model 7", {"length": 5, "d_model": 7}),
        Probe("long", "With length 40 and d_model 16", {"length": 40, "d_model": 16}),
        Probe("one column", "With length 3 and d_model 1", {"length": 3, "d_model": 1}),
    ),
    singles=(
        *(MISTAKES[code].committed_by(table_with(**change)) for code, change in _TABLES.items()),
        MISTAKES["P1"].committed_by(_by_columns(2), **COLUMN_FOR_I),
        MISTAKES["P3"].committed_by(table_with(exponent=lambda even, d_model: even // d_model), **ROUNDED_EXPONENT),
        MISTAKES["P13"].committed_by(_needs_even),
        MISTAKES["P13"].committed_by(lambda length, d_model: sinusoidal(length, d_model)[:, : d_model // 2 * 2]),
    ),
    pairs=lambda: [pair(MISTAKES[a], MISTAKES[b], table_with(**(_TABLES[a] | _TABLES[b]))) for a, b in _TABLE_COUPLES],
    shown="Every number of the table agrees, for even and odd sizes.",
    transfer="Which of the mistakes would change no dot product between two rows?",
    review="05",
    see=FORMULA,
)

# 10. add it


def add_positions(ids: Tensor, embedding: Tensor, table: Tensor) -> Tensor:
    """√d_model times the embedding of each word, plus the row of its place."""
    length, d_model = ids.shape[1], embedding.shape[1]
    if length > len(table):
        raise ValueError(f"expected at most {len(table)} words, got {length}")
    return math.sqrt(d_model) * embedding[ids] + table[:length]


def _added(
    *,
    factor: float = 0.5,
    scale_table: bool = False,
    rows: str = "place",
    start: int = 0,
    beyond: str = "raise",
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """``factor`` is the power of d_model on the embedding; ``beyond`` says what happens to words without a row."""

    def mutant(ids: Tensor, embedding: Tensor, table: Tensor) -> Tensor:
        (size, length), d_model = ids.shape, embedding.shape[1]
        if beyond == "raise" and length > len(table):
            raise ValueError
        place = torch.arange(start, start + length)
        last = len(table) - 1
        place = {"wrap": place % len(table), "clamp": place.clamp(max=last)}.get(beyond, place)
        words = d_model**factor * embedding[ids]
        if rows == "batch":
            added = table[torch.arange(start, start + size)][:, None]
        elif rows == "sentences":
            added = table[:size]
        else:
            added = table[ids] if rows == "word" else table[place.clamp(max=last)]
        if beyond == "cut":
            return words[:, : len(table)] + added[: len(table)]
        return words + (math.sqrt(d_model) * added if scale_table else added)

    return mutant


_ADDED: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("P8", {"rows": "batch"}, {}),
    (
        "P8",
        {"rows": "sentences"},
        {
            "phrase": "a table cut to the number of sentences",
            "why": "A sentence needs one row for each of its words.",
        },
    ),
    ("R3", {"rows": "word"}, {}),
    ("P11", {"factor": 0.0}, {"phrase": "an embedding without the factor √d_model"}),
    ("P11", {"factor": 1.0}, {"phrase": "an embedding with the factor √d_model twice"}),
    ("R4", {"scale_table": True}, {}),
    ("P7", {"start": 1}, {}),
    ("P9", {"beyond": "wrap"}, {"phrase": "a long sentence that starts again at position 0"}),
    ("P9", {"beyond": "clamp"}, {"phrase": "a long sentence whose end repeats the last row"}),
    ("P9", {"beyond": "cut"}, {"phrase": "a long sentence cut off at the end of the table"}),
]

ADD_POSITIONS = Function(
    id="positions.add_positions",
    number=10,
    title="Words and places together",
    chapter="04",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "`ids` holds word numbers, (b, t); `embedding` one row per word of the vocabulary, (v, d_model); `table` one"
        " row per position, (length, d_model). Return √d_model times each word's embedding plus the row of its place,"
        " shape (b, t, d_model).\n\n"
        "A sentence with more words than the table has rows is a `ValueError` that tells both numbers."
    ),
    imports="import math\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def add_positions(ids: Tensor, embedding: Tensor, table: Tensor) -> Tensor:\n"
        '    """√d_model times the embedding of each word, plus the row of its place."""\n'
        "    return ..."
    ),
    hints=(
        "`embedding[ids]` has shape (b, t, d_model). Which rows of `table` does every sentence of the batch get?",
        "On other numbers: (2, 5, 8) + (5, 8) adds the same five rows to both sentences; (2, 5, 8) + (2, 1, 8) does"
        " something else.",
        "math.sqrt(▢) * embedding[ids] + table[: ids.shape[▢]]",
    ),
    answer=add_positions,
    reference=add_positions,
    result="a tensor",
    probes=(
        Probe(
            "cat mat cat",
            "With the words *cat mat cat*",
            {
                "ids": torch.tensor([[0, 1, 0]]),
                "embedding": torch.tensor(toy.KEY, dtype=torch.float64),
                "table": sinusoidal(5, 4),
            },
        ),
        Probe(
            "all sizes different",
            "With b 2, t 5, d_model 6",
            {
                "ids": torch.tensor([[3, 1, 4, 1, 5], [2, 0, 6, 5, 3]]),
                "embedding": draw(8, 6, seed=1),
                "table": draw(9, 6, seed=2),
            },
        ),
        Probe(
            "as many sentences as words",
            "With as many sentences as words",
            {
                "ids": torch.tensor([[0, 1, 2], [2, 2, 1], [1, 0, 2]]),
                "embedding": draw(3, 4, seed=3),
                "table": draw(7, 4, seed=4),
            },
        ),
        Probe(
            "as long as the table",
            "With as many words as the table has rows",
            {
                "ids": torch.tensor([[2, 0, 1, 1, 3]]),
                "embedding": draw(4, 6, seed=7),
                "table": draw(5, 6, seed=8),
            },
        ),
        Probe(
            "too long",
            "With six words and a table of four rows",
            {
                "ids": torch.tensor([[0, 1, 2, 3, 2, 1]]),
                "embedding": draw(4, 4, seed=5),
                "table": draw(4, 4, seed=6),
            },
            sizes=(4, 6),
        ),
    ),
    singles=tuple(MISTAKES[code].committed_by(_added(**change), **words) for code, change, words in _ADDED),
    gradient=True,
    shown="Words and places meet row by row, in every sentence alike, and a long sentence is refused.",
    transfer="What would the model see if all rows of the table were equal?",
    review="05",
    see=ADDED,
)

# 11. a test for order


def is_order_blind(layer: Callable[[Tensor], Tensor], x: Tensor, order: Tensor) -> bool:
    """Whether shuffling the rows of x shuffles the rows of the output alike."""
    return torch.allclose(layer(x[order]), layer(x)[order], atol=1e-8)


def _attend(x: Tensor) -> Tensor:
    return attention.scaled_dot_product_attention(x, x, x)[0]


def _attend_causally(x: Tensor) -> Tensor:
    return attention.scaled_dot_product_attention(x, x, x, masks.causal(len(x)))[0]


def _attend_with_places(x: Tensor) -> Tensor:
    return _attend(x + positions.sinusoidal(*x.shape).double())


def _mean_of_all(x: Tensor) -> Tensor:
    return x.mean(0, keepdim=True).expand_as(x)


def _exchange(x: Tensor) -> Tensor:
    return x[[0, 2, 1, *range(3, len(x))]]


def _treble(x: Tensor) -> Tensor:
    return 3 * x


_LAYERS = {
    "attention": ("With attention", _attend),
    "causal": ("With causal attention", _attend_causally),
    "positions": ("With attention over words and positions", _attend_with_places),
    "mean": ("With a layer that gives every row the mean of all", _mean_of_all),
    "exchange": ("With a layer that exchanges the second and third row", _exchange),
    "treble": ("With a layer that trebles every row", _treble),
}

IS_ORDER_BLIND = Function(
    id="positions.is_order_blind",
    number=11,
    title="A test for order",
    chapter="04",
    kind="write",
    difficulty=3,
    minutes=8,
    prompt=(
        "`layer` turns rows into as many rows. Say whether it is blind to order: whether shuffling its input by `order`"
        " gives the same output, shuffled by `order`. `x[order]` shuffles the rows of x. Compare up to 1e-8."
    ),
    imports="from collections.abc import Callable\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def is_order_blind(layer: Callable[[Tensor], Tensor], x: Tensor, order: Tensor) -> bool:\n"
        '    """Whether shuffling the rows of x shuffles the rows of the output alike."""\n'
        "    return ..."
    ),
    hints=(
        "There are two ways to the shuffled output: shuffle before the layer, or after it.",
        "On other numbers: doubling each row is blind to order; subtracting the first row from each is not.",
        "torch.allclose(layer(x[▢]), layer(x)[▢], atol=1e-8)",
    ),
    answer=is_order_blind,
    reference=is_order_blind,
    result="True or False",
    probes=tuple(
        Probe(
            f"{name}, {len(order)} rows",
            f"{where} and {len(order)} rows",
            {"layer": layer, "x": draw(len(order), 4, seed=len(order)), "order": torch.tensor(order)},
        )
        for order in ((1, 2, 0), (1, 0, 3, 2), (4, 2, 0, 1, 3))
        for name, (where, layer) in _LAYERS.items()
    ),
    singles=(
        MISTAKES["R10"].committed_by(lambda layer, x, order: torch.allclose(layer(x[order]), layer(x), atol=1e-8)),
        MISTAKES["R11"].committed_by(
            lambda layer, x, order: torch.allclose(layer(x[order]), layer(x)[order.argsort()], atol=1e-8)
        ),
        MISTAKES["R17"].committed_by(lambda layer, x, order: torch.isclose(layer(x[order]), layer(x)[order])),
        MISTAKES["R18"].committed_by(lambda layer, x, order: torch.equal(layer(x[order]), layer(x)[order])),
        MISTAKES["R20"].committed_by(
            lambda layer, x, order: torch.allclose(layer(x[order]).sum(0), layer(x).sum(0), atol=1e-8)
        ),
    ),
    shown="Your test tells the six layers apart: three are blind to order, three are not.",
    transfer="Would a test with equal rows in x tell anything?",
    review="05",
    see=PROVED,
)

# 12. rotary positions


def rotary(x: Tensor) -> Tensor:
    """Each pair (i, i + d_k / 2) of row p turned by p / 10000^(2i / d_k), from p = 0 on; (…, t, d_k)."""
    length, d_k = x.shape[-2:]
    even = torch.arange(0, d_k, 2, dtype=torch.float64)
    angle = torch.arange(length)[:, None] / 10_000 ** (even / d_k)
    first, second = x[..., : d_k // 2], x[..., d_k // 2 :]
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def _turned(
    *, neighbours: bool = False, backwards: bool = False, axis: int = -2, **changes: Any
) -> Callable[[Tensor], Tensor]:
    def mutant(x: Tensor) -> Tensor:
        angle = angles_with(**changes)(x.shape[axis], x.shape[-1])
        if axis == 0 and x.ndim > 2:
            angle = angle.reshape(len(angle), *[1] * (x.ndim - 2), -1)
        cos, sin = angle.cos(), -angle.sin() if backwards else angle.sin()
        if neighbours:
            first, second = x[..., 0::2], x[..., 1::2]
            return torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1).flatten(-2)
        first, second = x.chunk(2, dim=-1)
        return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)

    return mutant


def _overwritten(x: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    angle = angles(*x.shape[-2:])
    first = x[..., :half] * angle.cos() - x[..., half:] * angle.sin()
    return torch.cat([first, x[..., half:] * angle.cos() + first * angle.sin()], dim=-1)


TWO_CONVENTIONS = {
    "phrase": "pairs taken by one convention and put back by the other",
    "why": "A pair must come back to the two places that it was taken from.",
    "then": "Look at row 0: it must come out as it went in.",
}

ROTARY = Function(
    id="positions.rotary",
    number=12,
    title="★ Turn the queries",
    chapter="04",
    kind="write",
    difficulty=5,
    minutes=15,
    starred=True,
    prompt=(
        "Rotary positions turn instead of adding. `x` holds queries or keys, (…, t, d_k), with an even d_k. Turn the"
        " pair of entries i and i + d_k / 2 of row p by the angle p / 10000^(2i / d_k): the pair (a, b) becomes"
        " (a cos − b sin, b cos + a sin). There may be axes for batch and heads in front."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def rotary(x: Tensor) -> Tensor:\n"
        '    """Each pair (i, i + d_k / 2) of row p turned by p / 10000^(2i / d_k), from p = 0 on; (…, t, d_k)."""\n'
        "    return ..."
    ),
    hints=(
        "The angles form a table, one row per position, one column per pair. Which axis of x counts positions?",
        "On other numbers: (1, 0) turned by 90° is (0, 1); (0, 1) turned by 90° is (−1, 0).",
        "torch.cat([first * cos - second * ▢, second * cos + first * ▢], dim=-1)",
    ),
    answer=rotary,
    reference=rotary,
    result="a tensor",
    probes=(
        Probe("three rows", "With three rows of four", {"x": torch.tensor(toy.QUERY, dtype=torch.float64)}),
        Probe("heads", "With batch and heads", {"x": draw(2, 3, 5, 6, seed=7)}),
        Probe("square", "With as many heads as positions", {"x": draw(4, 4, 4, 8, seed=8)}),
    ),
    singles=(
        MISTAKES["R12"].committed_by(_turned(neighbours=True)),
        MISTAKES["R12"].committed_by(lambda x: rotary(x).unflatten(-1, (2, -1)).mT.flatten(-2), **TWO_CONVENTIONS),
        MISTAKES["R12"].committed_by(lambda x: rotary(x.unflatten(-1, (-1, 2)).mT.flatten(-2)), **TWO_CONVENTIONS),
        MISTAKES["R19"].committed_by(_overwritten),
        MISTAKES["R14"].committed_by(_turned(exponent=lambda even, d_k: even / 2 / d_k)),
        MISTAKES["R6"].committed_by(
            _turned(backwards=True),
            why="Row p is to be turned by +p; turned backwards, rows agree with nobody else's.",
            then="Turn (1, 0) by 90° with your formula: it should become (0, 1).",
            see=TURNED,
        ),
        MISTAKES["P1"].committed_by(_turned(exponent=lambda even, d_k: 2 * even / d_k)),
        MISTAKES["P4"].committed_by(_turned(divide=False)),
        MISTAKES["P6"].committed_by(_turned(base=1000.0)),
        MISTAKES["P7"].committed_by(
            _turned(start=1), then="Row 0 comes out as it went in: print it.", phrase="a turn that starts at 1"
        ),
        MISTAKES["P8"].committed_by(
            _turned(axis=0),
            phrase="angles that follow the first axis",
            why="Positions are counted along the last axis but one; the first may be the batch.",
            then="Print the shape of your angles beside that of x.",
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["R12"], MISTAKES["R6"], _turned(neighbours=True, backwards=True)),
        pair(MISTAKES["R12"], MISTAKES["P7"], _turned(neighbours=True, start=1)),
    ],
    gradient=True,
    shown="Your turn agrees with batch and heads in front, and no length changes.",
    transfer="Why may queries and keys be turned, and values not?",
    review="08",
    see=TURNED,
)

EXERCISES = (FILL_THE_ANGLES, SINUSOIDAL, ADD_POSITIONS, IS_ORDER_BLIND, ROTARY)
