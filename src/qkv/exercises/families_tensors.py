"""Chapter 01, exercises on tensors: two stacks in one table, who reads whom, and a batch of prefixes."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from qkv.exercises.families_mistakes import BOX, FAMILIES, MASKS, MISTAKES
from qkv.exercises.functions import Function, Probe, pair

# 9. complete: two stacks in one table


def two_stacks(num_source: int, num_target: int) -> Tensor:
    """Who may read whom in an encoder–decoder, both texts in one row."""
    source = torch.ones(num_source, num_source, dtype=torch.bool)
    before = torch.ones(num_target, num_target, dtype=torch.bool).tril()
    top_right = torch.zeros(num_source, num_target, dtype=torch.bool)
    bottom_left = torch.ones(num_target, num_source, dtype=torch.bool)
    return torch.cat([torch.cat([source, top_right], dim=1), torch.cat([bottom_left, before], dim=1)])


Corner = Callable[[int, int], Tensor]


def _corners(top_right: Corner, bottom_left: Corner) -> Callable[[int, int], Tensor]:
    def mutant(num_source: int, num_target: int) -> Tensor:
        source = torch.ones(num_source, num_source, dtype=torch.bool)
        before = torch.ones(num_target, num_target, dtype=torch.bool).tril()
        right, left = top_right(num_source, num_target).bool(), bottom_left(num_source, num_target).bool()
        return torch.cat([torch.cat([source, right], dim=1), torch.cat([left, before], dim=1)])

    return mutant


def _closed(n: int, m: int) -> Tensor:
    return torch.zeros(n, m)


def _open_left(n: int, m: int) -> Tensor:
    return torch.ones(m, n)


TWO_STACKS = Function(
    id="families.two_stacks",
    number=9,
    title="Two stacks in one table",
    chapter="01",
    kind="complete",
    difficulty=2,
    minutes=6,
    prompt=(
        "Put both texts of an encoder–decoder into one row, the first in front, and fill two gaps of the table of who"
        " may read whom. `source` and `before` are the two corners that you know: the encoder's own and the decoder's"
        " own. Missing are the corner at the top right, where the first text would read the second, and the one at the"
        " bottom left, where the second reads the first. Both hold True and False, with the sizes that fit."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def two_stacks(num_source: int, num_target: int) -> Tensor:\n"
        '    """Who may read whom in an encoder–decoder, both texts in one row."""\n'
        "    source = torch.ones(num_source, num_source, dtype=torch.bool)\n"
        "    before = torch.ones(num_target, num_target, dtype=torch.bool).tril()\n"
        "    top_right = ...\n"
        "    bottom_left = ...\n"
        "    return torch.cat([torch.cat([source, top_right], dim=1), torch.cat([bottom_left, before], dim=1)])"
    ),
    hints=(
        "Rows read, columns are read. Which text does not exist yet when the first one is read?",
        "On other numbers: beside a 2 × 2 corner stands a piece with 2 rows, below it one with 2 columns.",
        "top_right = torch.zeros(num_source, ▢, dtype=torch.bool); bottom_left = torch.▢(num_target, num_source,"
        " dtype=torch.bool)",
    ),
    answer=two_stacks,
    reference=two_stacks,
    result="a tensor of True and False",
    probes=(
        Probe("toy", "With three words and their translation in two", {"num_source": 3, "num_target": 2}),
        Probe("longer", "With two words and four in the second text", {"num_source": 2, "num_target": 4}),
        Probe("equal", "With three words in either text", {"num_source": 3, "num_target": 3}),
        Probe("one", "With one word in either text", {"num_source": 1, "num_target": 1}),
    ),
    singles=(
        MISTAKES["Z22"].committed_by(_corners(torch.ones, _open_left)),
        MISTAKES["Z22"].committed_by(_corners(lambda n, m: torch.ones(n, m).tril(), _open_left)),
        MISTAKES["Z22"].committed_by(_corners(lambda n, m: torch.ones(n, m).triu(), _open_left)),
        MISTAKES["Z24"].committed_by(_corners(_closed, lambda n, m: torch.zeros(m, n))),
        MISTAKES["Z25"].committed_by(_corners(_closed, lambda n, m: torch.ones(m, n).tril())),
        MISTAKES["Z25"].committed_by(_corners(_closed, lambda n, m: torch.eye(m, n))),
        MISTAKES["Z25"].committed_by(
            _corners(_closed, lambda n, m: torch.ones(m, n).triu()), then="Look at the second row below the cut."
        ),
        MISTAKES["Z26"].committed_by(_corners(lambda n, m: torch.zeros(m, n), _open_left)),
        MISTAKES["Z26"].committed_by(_corners(_closed, torch.ones)),
        MISTAKES["Z26"].committed_by(_corners(lambda n, m: torch.zeros(m, n), torch.ones)),
    ),
    pairs=lambda: [
        pair(MISTAKES["Z22"], MISTAKES["Z24"], _corners(torch.ones, lambda n, m: torch.zeros(m, n))),
        pair(MISTAKES["Z22"], MISTAKES["Z25"], _corners(torch.ones, lambda n, m: torch.ones(m, n).tril())),
        pair(MISTAKES["Z26"], MISTAKES["Z22"], _corners(_open_left, torch.ones)),
        pair(MISTAKES["Z26"], MISTAKES["Z22"], _corners(_open_left, _open_left)),
        pair(MISTAKES["Z26"], MISTAKES["Z24"], _corners(lambda n, m: torch.zeros(m, n), _closed)),
        pair(MISTAKES["Z26"], MISTAKES["Z24"], _corners(_closed, _closed)),
    ],
    shown="Four corners, one table: it is that of a prefix, read by two stacks.",
    transfer="In which corner would a bug let a translation see its own next word?",
    review="05",
    see=FAMILIES,
)

# 10. write: who reads whom


def who_reads(run: Callable[[Tensor], Tensor], text: Tensor, other: Tensor) -> Tensor:
    """Row i, column j: whether row i of run(text) changes when row j of the text is taken from other."""
    before, columns = run(text), []
    for j in range(len(text)):
        changed = text.clone()
        changed[j] = other[j]
        columns.append(((run(changed) - before).abs() > 1e-6).any(-1))
    return torch.stack(columns, dim=1)


Compare = Callable[[Tensor, Tensor, Tensor], Tensor]


def _asked(compare: Compare, pile_up: bool = False, dim: int = 1) -> Callable[..., Tensor]:
    """``who_reads`` with another comparison of (after, before, text), or with changes that stay."""

    def mutant(run: Callable[[Tensor], Tensor], text: Tensor, other: Tensor) -> Tensor:
        before, columns, changed = run(text), [], text.clone()
        for j in range(len(text)):
            changed = changed if pile_up else text.clone()
            changed[j] = other[j]
            columns.append(compare(run(changed), before, text))
        return torch.stack(columns, dim=dim)

    return mutant


def _against_the_changed_text(run: Callable[[Tensor], Tensor], text: Tensor, other: Tensor) -> Tensor:
    columns = []
    for j in range(len(text)):
        changed = text.clone()
        changed[j] = other[j]
        columns.append(_moved(run(changed), changed).any(-1))
    return torch.stack(columns, dim=1)


def _moved(after: Tensor, before: Tensor) -> Tensor:
    return (after - before).abs() > 1e-6


def _box(table: Tensor) -> Callable[[Tensor], Tensor]:
    """A box on paper: a row plus the sum of what it may read, but for its first entry, which stays."""

    def run(x: Tensor) -> Tensor:
        new = x + table.to(x.dtype) @ x
        return torch.cat([x[:, :1], new[:, 1:]], dim=1)

    return run


def _three_tables(x: Tensor) -> Tensor:
    """A box in which each entry has a table of its own: row i reads the one before, the one after, or the first."""
    before, after, first = torch.zeros(3, len(x), len(x), dtype=x.dtype)
    before, after = before.fill_diagonal_(1).roll(1, 0).tril(), after.fill_diagonal_(1).roll(-1, 0).triu()
    first[-1, 0] = 1
    return x + torch.stack([before @ x[:, 0], after @ x[:, 1], first @ x[:, 2]], dim=1)


def _faint(x: Tensor) -> Tensor:
    """A causal box that adds little, and as much to one entry as it takes from another; all else is rounding."""
    little = 1e-3 * _causal(len(x)).to(x.dtype) @ x[:, :1]
    return x + torch.cat([0 * little, little, -little], dim=1) + 1e-9 * x.sum()


def _probe(name: str, where: str, table: Tensor, seed: int, run: Callable[[Tensor], Tensor] | None = None) -> Probe:
    generator = torch.Generator().manual_seed(seed)
    text, other = torch.randn(2, len(table), 3, generator=generator, dtype=torch.float64)
    return Probe(name, where, {"run": run or _box(table), "text": text, "other": other})


def _causal(length: int) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool).tril()


_ROUND = torch.eye(4, dtype=torch.bool).roll(1, 0)

_TURNED = replace(
    MISTAKES["Z14"],
    why="The change of row j fills a column, since j is what is read.",
    then="Look at the axis along which you stack.",
    see=BOX,
)
_UPWARDS = replace(
    MISTAKES["Z29"],
    phrase="changes that count upwards only",
    why="An entry that has become smaller has changed as well.",
    then="Look for the place of `.abs()`.",
)
_ONE_ENTRY = replace(
    MISTAKES["Z29"],
    phrase="rows of which one entry is looked at",
    why="A box may leave that entry alone and change another.",
    then="Ask all entries of a row, and join their answers.",
)
_CANCELLED = replace(
    MISTAKES["Z29"],
    phrase="changes that cancel each other",
    why="What one entry gains another may lose; their sum then stays as it was.",
    then="Take `.abs()` of each entry before you sum up.",
)

WHO_READS = Function(
    id="families.who_reads",
    number=10,
    title="Who reads whom, from outside",
    chapter="01",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "A box is sealed; find out who reads whom without opening it. `run` turns a text (t, d) into new rows (t, d)."
        " Change one row of the text at a time, to that of `other`, and see which rows of the result change by more"
        " than 1e-6. Return True and False of shape (t, t): row i reads, column j is read. Leave `text` as it is."
    ),
    imports="from collections.abc import Callable\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def who_reads(run: Callable[[Tensor], Tensor], text: Tensor, other: Tensor) -> Tensor:\n"
        '    """Row i, column j: whether row i of run(text) changes when row j of the text is taken from other."""\n'
        "    return ..."
    ),
    hints=(
        "One turn of a loop changes one row j and fills one column. With what do you compare the result?",
        "On other numbers: turn off one fuse at a time, and note which lamps go out. Turn it on again before the next.",
        "columns.append(((run(changed) - ▢).abs() > 1e-6).any(-1)), where changed is a clone with row j replaced",
    ),
    answer=who_reads,
    reference=who_reads,
    result="a tensor of True and False",
    probes=(
        _probe("causal", "With a causal box", _causal(4), 1),
        _probe("one", "When row 0 reads row 2, and nobody else anybody", torch.eye(3).roll(2, 1).bool().triu(1), 2),
        _probe("open", "With a box that is all open", torch.ones(3, 3, dtype=torch.bool), 3),
        _probe("round", "When each reads the one before, in a circle", _ROUND, 4),
        _probe("entries", "When each entry is read by other rows", _ROUND, 5, _three_tables),
        _probe("faint", "When a causal box adds very little", _ROUND, 6, _faint),
    ),
    singles=(
        _TURNED.committed_by(lambda run, text, other: who_reads(run, text, other).T),
        MISTAKES["Z27"].committed_by(_asked(lambda after, before, text: _moved(after, before).any(-1), pile_up=True)),
        MISTAKES["Z28"].committed_by(_asked(lambda after, before, text: _moved(after, before).any().expand(len(text)))),
        MISTAKES["Z28"].committed_by(_asked(lambda after, before, text: _moved(after, before).any())),
        MISTAKES["Z28"].committed_by(_asked(lambda after, before, text: _moved(after, before).any(), dim=0)),
        MISTAKES["Z29"].committed_by(_asked(lambda after, before, text: _moved(after, before).all(-1))),
        _UPWARDS.committed_by(_asked(lambda after, before, text: (after - before > 1e-6).any(-1))),
        _ONE_ENTRY.committed_by(_asked(lambda after, before, text: _moved(after, before)[:, 0])),
        _ONE_ENTRY.committed_by(_asked(lambda after, before, text: _moved(after, before)[:, -1])),
        _CANCELLED.committed_by(_asked(lambda after, before, text: (after - before).sum(-1).abs() > 1e-6)),
        MISTAKES["Z29"].committed_by(
            _asked(lambda after, before, text: (after != before).any(-1)),
            phrase="rounding that counts as a change",
            why="The last digits of a sum may differ where nothing was read.",
            then="Ask for a difference above 1e-6 in place of `!=`.",
        ),
        MISTAKES["Z30"].committed_by(_asked(lambda after, before, text: _moved(after, text).any(-1))),
        MISTAKES["Z30"].committed_by(
            _against_the_changed_text,
            phrase="rows compared with the changed text instead of with what came out before",
        ),
        MISTAKES["M3"].committed_by(
            _asked(lambda after, before, text: ~_moved(after, before).any(-1)),
            why="True means: it changed, so it was read.",
            then="Look at the sign of your comparison.",
            see=BOX,
        ),
        MISTAKES["M3"].committed_by(
            _asked(lambda after, before, text: ~_moved(after, before).all(-1)),
            why="True means: it changed, so it was read.",
            then="Look at the sign of your comparison.",
            see=BOX,
        ),
    ),
    pairs=lambda: [
        pair(_TURNED, _UPWARDS, _asked(lambda after, before, text: (after - before > 1e-6).any(-1), dim=0)),
        pair(
            _TURNED,
            MISTAKES["Z27"],
            lambda run, text, other: _asked(lambda a, b, t: _moved(a, b).any(-1), pile_up=True)(run, text, other).T,
        ),
    ],
    shown="You can say who reads whom in any model, without a look at its code.",
    transfer="Which cell of a writer's table would you test first?",
    review="08",
    see=BOX,
)

# 11. star: a batch of prefixes


def prefix_masks(lengths: Tensor, prefix_lengths: Tensor, longest: int) -> Tensor:
    """(b, longest, longest): prefixes read both ways, the rest as written, and padding read by nobody."""
    place = torch.arange(longest)
    before = place[:, None] >= place
    in_prefix = place < prefix_lengths[:, None, None]
    real = place < lengths[:, None, None]
    return (before | in_prefix) & real


def _prefixes(rule: Callable[..., Tensor]) -> Callable[[Tensor, Tensor, int], Tensor]:
    """A mutant of ``prefix_masks`` from a rule on (row, column, prefix, length), each with axes for b, t_q, t_k."""

    def mutant(lengths: Tensor, prefix_lengths: Tensor, longest: int) -> Tensor:
        place = torch.arange(longest)
        axes = place[None, :, None], place[None, None, :], prefix_lengths[:, None, None], lengths[:, None, None]
        return rule(*axes).expand(len(lengths), longest, longest)

    return mutant


_RULES: dict[str, Callable[..., Tensor]] = {
    "Z4": lambda i, j, p, n: ((j >= i) | (j < p)) & (j < n),
    "Z5": lambda i, j, p, n: (j <= i) & (j < n),
    "Z6": lambda i, j, p, n: ((j <= i) | (i < p)) & (j < n),
    "Z7": lambda i, j, p, n: ((j <= i) | (j <= p)) & (j < n),
    "Z8": lambda i, j, p, n: (j < p) & (j < n) & (i == i),
    "Z31": lambda i, j, p, n: ((j <= i) | (j < p[:1])) & (j < n),
    "Z32": lambda i, j, p, n: ((j <= i) | (j < p)) & (n == n),
    "M3": lambda i, j, p, n: ~(((j <= i) | (j < p)) & (j < n)),
    "M8": lambda i, j, p, n: ((j < i) | (j < p)) & (j < n),
    "M9": lambda i, j, p, n: ((j <= i) | (j < p)) & (i < n),
}


def _without_axes(prefixes: bool, lengths: bool) -> Callable[[Tensor, Tensor, int], Tensor]:
    """``prefix_masks`` with (b, 1) in place of (b, 1, 1) for the prefixes, the lengths or both."""

    def mutant(n: Tensor, p: Tensor, longest: int) -> Tensor:
        place = torch.arange(longest)
        in_prefix = place < (p[:, None] if prefixes else p[:, None, None])
        return ((place[:, None] >= place) | in_prefix) & (place < (n[:, None] if lengths else n[:, None, None]))

    return mutant


def _truth_of_a_table(lengths: Tensor, prefix_lengths: Tensor, longest: int) -> Tensor:
    place = torch.arange(longest)
    return (place[:, None] >= place or place < prefix_lengths[:, None, None]) and place < lengths[:, None, None]


_NO_AXIS = replace(
    MISTAKES["Z31"],
    phrase="a prefix or length for each row instead of for each text",
    why="Shape (b, 1) lays the texts along the rows; (b, 1, 1) keeps them apart.",
    then="Give prefixes and lengths an axis for rows and one for columns.",
)
_NO_BRACKETS = replace(
    MISTAKES["Z8"],
    phrase="comparisons joined without brackets",
    why="`|` and `&` bind before `>=` and `<`, so numbers are joined before they are compared.",
    then="Put each comparison into brackets of its own.",
)


def _first_and_padding(i: Tensor, j: Tensor, p: Tensor, n: Tensor) -> Tensor:
    return ((j <= i) | (j < p[:1])) & (n == n)


def _batch(name: str, where: str, lengths: list[int], prefixes: list[int], longest: int) -> Probe:
    inputs = {"lengths": torch.tensor(lengths), "prefix_lengths": torch.tensor(prefixes), "longest": longest}
    return Probe(name, where, inputs)


PREFIX_MASKS = Function(
    id="families.prefix_masks",
    number=11,
    title="A batch of prefixes",
    chapter="01",
    kind="write",
    difficulty=4,
    minutes=15,
    starred=True,
    prompt=(
        "A prefix model trains on a batch of texts, each with a prefix of its own: the question, say, and then the"
        " answer. Short texts are filled up with padding at the end. Return True and False of shape (b, longest,"
        " longest): every word reads the whole prefix of its text, itself and what came before; padding is read by"
        " nobody. What the rows of the padding read does not matter to the model, but like all rows they read the real"
        " words before them, so that no row is left without an open cell."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def prefix_masks(lengths: Tensor, prefix_lengths: Tensor, longest: int) -> Tensor:\n"
        '    """(b, longest, longest): prefixes read both ways, the rest as written, and padding read by nobody."""\n'
        "    return ..."
    ),
    hints=(
        "Three tables: one for what came before, one for the prefix, one for real words. Which two belong to columns?",
        "On other numbers: `torch.arange(4) < torch.tensor([1, 3])[:, None, None]` has shape (2, 1, 4), a row for each"
        " of two texts.",
        "return ((place[:, None] >= place) | (place < prefix_lengths[:, ▢, ▢])) & (place < lengths[:, None, None])",
    ),
    answer=prefix_masks,
    reference=prefix_masks,
    result="a tensor of True and False",
    probes=(
        _batch("two texts", "With texts of 4 and 3 words and prefixes of 2 and 1", [4, 3], [2, 1], 4),
        _batch("three texts", "With three texts", [5, 2, 4], [3, 2, 0], 5),
        _batch("square", "With as many texts as words", [3, 2, 1], [1, 2, 1], 3),
        _batch("room", "With room behind the longest text", [2, 3], [0, 3], 5),
    ),
    singles=(
        *(MISTAKES[code].committed_by(_prefixes(rule)) for code, rule in _RULES.items()),
        MISTAKES["Z7"].committed_by(_prefixes(lambda i, j, p, n: ((j <= i) | (j < p - 1)) & (j < n))),
        MISTAKES["M8"].committed_by(_prefixes(lambda i, j, p, n: ((j <= i + 1) | (j < p)) & (j < n))),
        MISTAKES["Z4"].committed_by(_prefixes(lambda i, j, p, n: ((i <= j) | (i < p)) & (i < n))),
        MISTAKES["M3"].committed_by(_prefixes(lambda i, j, p, n: ~((j <= i) | (j < p)) & (j < n))),
        MISTAKES["Z8"].committed_by(
            _prefixes(lambda i, j, p, n: (j <= i) & (j < p) & (j < n)),
            phrase="two reasons joined by `&`",
            why="One reason is enough to open a cell, if its column is a real word.",
            then="Read your condition aloud for the last word and the one before it.",
        ),
        _NO_BRACKETS.committed_by(_prefixes(lambda i, j, p, n: (i >= j | (j < p)) & (j < n))),
        _NO_BRACKETS.committed_by(_prefixes(lambda i, j, p, n: i >= j | (j < p) & (j < n))),
        _NO_BRACKETS.committed_by(
            _truth_of_a_table,
            phrase="`and`, `or`, or comparisons without brackets",
            why="These ask for the truth of a whole table; `|` and `&` join cell by cell.",
            then="Use `|` and `&`, and put each comparison into brackets of its own.",
        ),
        _NO_AXIS.committed_by(_without_axes(prefixes=True, lengths=False)),
        _NO_AXIS.committed_by(_without_axes(prefixes=False, lengths=True)),
        _NO_AXIS.committed_by(_without_axes(prefixes=True, lengths=True)),
        MISTAKES["Z31"].committed_by(
            _prefixes(lambda i, j, p, n: ((j <= i) | (j < p)) & (j < n[:1])),
            phrase="the first length for all texts",
            why="Each text of the batch has a length of its own.",
            then="Give the lengths an axis for rows and one for columns.",
        ),
        MISTAKES["Z32"].committed_by(
            _prefixes(lambda i, j, p, n: ((j <= i) | (j < p)) & (j <= n)),
            phrase="a text with one word too many",
            why="A text of three words holds the columns 0 to 2; column 3 is padding.",
        ),
        MISTAKES["Z32"].committed_by(
            _prefixes(lambda i, j, p, n: ((j <= i) | (j < p)) & (j < n - 1)),
            phrase="a text with one word too few",
            why="A text of three words holds the columns 0 to 2, all of them real.",
        ),
    ),
    pairs=lambda: [pair(MISTAKES["Z31"], MISTAKES["Z32"], _prefixes(_first_and_padding))],
    shown="Every text has its own prefix, and no padding leaks into it.",
    transfer="Which prefix lengths make this the mask of a decoder, and which that of an encoder?",
    review="08",
    see=MASKS,
)

EXERCISES = (TWO_STACKS, WHO_READS, PREFIX_MASKS)
