"""Chapter 07, exercises on tensors: rows of running text, weight drop, other words, pooling whole and in chunks."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.ulmfit_mistakes import DROPPED, MISTAKES, NEW_WORDS, NEXT_WORD, POOLED
from qkv.transfer import pooling


def draw(*shape: int, seed: int) -> Tensor:
    """Normal numbers in float64, the same on every machine."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# 11. rows of a running text


def running_rows(ids: Tensor, batch_size: int) -> Tensor:
    """What is read and what is to be said, (2, batch_size, row length): each row a running piece of the text."""
    length = (len(ids) - 1) // batch_size
    used = batch_size * length
    return torch.stack([ids[:used].view(batch_size, length), ids[1 : used + 1].view(batch_size, length)])


def _rows(*, cards: bool = False, targets: str = "next", last: int = 1) -> Callable[[Tensor, int], Tensor]:
    def mutant(ids: Tensor, batch_size: int) -> Tensor:
        length = (len(ids) - last) // batch_size
        used = batch_size * length
        shape = (length, batch_size) if cards else (batch_size, length)
        read = ids[:used].view(shape)
        if targets == "same":
            say = read
        elif targets == "rolled":
            say = read.roll(-1, dims=0 if cards else 1)
        elif targets == "before":
            say = ids.roll(1)[:used].view(shape)
        else:
            say = ids.roll(-1)[:used].view(shape)
        return torch.stack([read.T, say.T] if cards else [read, say])

    return mutant


RUNNING_ROWS = Function(
    id="ulmfit.running_rows",
    number=11,
    title="A book in rows",
    chapter="07",
    kind="write",
    difficulty=3,
    minutes=8,
    prompt=(
        "`ids` is one long text of n words. Cut it into `batch_size` rows of equal length, each a running piece, as"
        " long as possible, and give each word the word that follows it *in the text*. Return both as one tensor: `[0]`"
        " is read, `[1]` is to be said. What does not fill the rows is left out, and the very last word of the text is"
        " never read, since nothing follows it.\n\n"
        "Words 0 to 8 in two rows are read as 0 1 2 3 and 4 5 6 7, and 1 2 3 4 and 5 6 7 8 are said."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def running_rows(ids: Tensor, batch_size: int) -> Tensor:\n"
        '    """What is read and what is to be said, (2, batch_size, row length): each row a running piece of the'
        ' text."""\n'
        "    return ..."
    ),
    hints=(
        "How many words have a successor? How long can each row be?",
        "On other numbers: 11 words in three rows: 10 have a successor, so rows of 3, and one word is left out.",
        "length = (len(ids) - ▢) // batch_size; ids[: batch_size * length].view(▢, ▢)",
    ),
    answer=running_rows,
    reference=running_rows,
    result="a tensor",
    probes=(
        Probe("nine words", "With words 0 to 8 in two rows", {"ids": torch.arange(9), "batch_size": 2}),
        Probe("left over", "With eleven words in three rows", {"ids": 5 * torch.arange(11) % 11, "batch_size": 3}),
        Probe("exact", "With ten words in two rows", {"ids": 7 * torch.arange(10) % 10, "batch_size": 2}),
        Probe("one row", "With six words in one row", {"ids": torch.tensor([3, 1, 4, 1, 5, 9]), "batch_size": 1}),
        Probe("square", "With as many rows as steps", {"ids": torch.arange(30, 47), "batch_size": 4}),
    ),
    singles=(
        MISTAKES["U9"].committed_by(_rows(cards=True)),
        MISTAKES["L14"].committed_by(_rows(targets="same"), phrase="targets that are the words themselves"),
        MISTAKES["L14"].committed_by(_rows(targets="rolled"), phrase="a row whose last word is followed by its first"),
        MISTAKES["L14"].committed_by(_rows(targets="before"), phrase="targets that come before"),
        MISTAKES["L14"].committed_by(
            _rows(last=0), phrase="a last word that is followed by the first of the text", then="Count who has a next."
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["U9"], MISTAKES["L14"], _rows(cards=True, targets="rolled")),
        pair(MISTAKES["U9"], MISTAKES["L14"], _rows(cards=True, last=0)),
        pair(MISTAKES["U9"], MISTAKES["L14"], _rows(cards=True, targets="same")),
    ],
    shown="Each row reads on, and each word is followed by its successor, over the end of a row as well.",
    transfer="Why may the order of these rows' chunks not be shuffled?",
    review="08",
    see=NEXT_WORD,
)

# 12. weight drop


def dropped_run(x: Tensor, w_in: Tensor, w_hidden: Tensor, masks: Tensor, dropout: float) -> Tensor:
    """States h_t = tanh(W x_t + U h_(t-1)) from h = 0, with weight drop on U; (t, d_hidden)."""
    dropped = w_hidden * masks[0] / (1 - dropout)
    state, states = torch.zeros(len(w_hidden), dtype=x.dtype), []
    for step in x:
        state = torch.tanh(w_in @ step + dropped @ state)
        states.append(state)
    return torch.stack(states)


def _run(
    *, per_step: bool = False, scaled: bool = True, on: str = "hidden", off: bool = False
) -> Callable[..., Tensor]:
    def mutant(x: Tensor, w_in: Tensor, w_hidden: Tensor, masks: Tensor, dropout: float) -> Tensor:
        keep = 1 - dropout if scaled else 1.0
        state, states = torch.zeros(len(w_hidden), dtype=x.dtype), []
        for t, step in enumerate(x):
            mask = (masks[t] if per_step else masks[0]) / keep
            inner = w_in * mask[:, : w_in.shape[1]] if on in ("input", "both") else w_in
            outer = w_hidden * mask if on in ("hidden", "both") and not off else w_hidden
            before = state * mask[0] if on == "state" else state
            state = torch.tanh(inner @ step + outer @ before)
            if on == "output":
                state = state * mask[0]
            states.append(state)
        return torch.stack(states)

    return mutant


_DROP = {
    "x": draw(4, 3, seed=1),
    "w_in": draw(3, 3, seed=2),
    "w_hidden": draw(3, 3, seed=3),
    "masks": (draw(6, 3, 3, seed=4) > -0.3).long(),
    "dropout": 0.4,
}

DROPPED_RUN = Function(
    id="ulmfit.dropped_run",
    number=12,
    title="Weight drop, by hand",
    chapter="07",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "A small recurrent network: h_t = tanh(W x_t + U h_(t−1)), from h = 0. Run it over the rows of `x` with weight"
        " drop and return all states, (t, d_hidden). `w_in` is W, `w_hidden` is U, `dropout` is p.\n\n"
        "`masks` is a pile of random tables of 0 and 1 in the shape of U, where 1 stays and a share p is 0. Take from"
        " the top of the pile as many as one call of weight drop needs, `masks[0]`, `masks[1]`, …"
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def dropped_run(x: Tensor, w_in: Tensor, w_hidden: Tensor, masks: Tensor, dropout: float) -> Tensor:\n"
        '    """States h_t = tanh(W x_t + U h_(t-1)) from h = 0, with weight drop on U; (t, d_hidden)."""\n'
        "    return ..."
    ),
    hints=(
        "Which matrix leads from one step to the next? How often is a mask drawn for one text?",
        "On other numbers: U = 6 with p = .25 and a mask of 1 becomes 8, at every step of the text.",
        "dropped = w_hidden * masks[▢] / (1 - ▢); then state = torch.tanh(w_in @ step + ▢ @ state)",
    ),
    answer=dropped_run,
    reference=dropped_run,
    result="a tensor",
    probes=(
        Probe(
            "one number",
            "With a single state",
            {
                "x": torch.tensor([[1.0], [0.0], [0.0]], dtype=torch.float64),
                "w_in": torch.tensor([[1.0]], dtype=torch.float64),
                "w_hidden": torch.tensor([[1.0]], dtype=torch.float64),
                "masks": torch.tensor([[[1]], [[0]], [[1]]]),
                "dropout": 0.5,
            },
        ),
        Probe("three by three", "With four words and d_hidden 3", _DROP),
        Probe(
            "five states",
            "With six words and d_hidden 5",
            {
                "x": draw(6, 4, seed=5),
                "w_in": draw(5, 4, seed=6),
                "w_hidden": draw(5, 5, seed=7),
                "masks": (draw(8, 5, 5, seed=8) > -0.7).long(),
                "dropout": 0.25,
            },
        ),
        Probe("no dropout", "With p = 0", {**_DROP, "masks": torch.ones(6, 3, 3, dtype=torch.long), "dropout": 0.0}),
    ),
    singles=(
        MISTAKES["U12"].committed_by(_run(per_step=True)),
        MISTAKES["U13"].committed_by(_run(on="state")),
        MISTAKES["U13"].committed_by(_run(on="state", per_step=True), phrase="states dropped anew at every step"),
        MISTAKES["U13"].committed_by(_run(on="output"), phrase="a mask on every state that is handed out"),
        MISTAKES["L11"].committed_by(_run(scaled=False)),
        MISTAKES["L12"].committed_by(_run(on="input")),
        MISTAKES["L12"].committed_by(_run(on="both"), phrase="a mask on both matrices"),
        MISTAKES["U12"].committed_by(
            _run(off=True),
            phrase="a run without any mask",
            why="In training weight drop takes one mask per call.",
            then="Find the line in which a mask meets U.",
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["U12"], MISTAKES["L11"], _run(per_step=True, scaled=False)),
        pair(MISTAKES["U13"], MISTAKES["L11"], _run(on="state", scaled=False)),
        pair(MISTAKES["U12"], MISTAKES["L12"], _run(on="both", per_step=True)),
    ],
    gradient=True,
    shown="One mask, on U alone, scaled up, for the whole text.",
    transfer="Which weights get no gradient in such a call?",
    review="10",
    see=DROPPED,
)

# 13. other words


def carried(rows: Tensor, old: list[str], new: list[str]) -> Tensor:
    """One row for each new word: its old row, or the mean of all old rows where it has none."""
    place = {word: i for i, word in enumerate(old)}
    mean = rows.mean(0)
    return torch.stack([rows[place[word]] if word in place else mean for word in new])


def _carried(
    *, unknown: str = "mean", by_place: bool = False, first: bool = False
) -> Callable[[Tensor, Sequence[str], Sequence[str]], Tensor]:
    def mutant(rows: Tensor, old: Sequence[str], new: Sequence[str]) -> Tensor:
        shared = [rows[i] for i, word in enumerate(old) if word in new]
        filling = {
            "mean": rows.mean(0),
            "zero": torch.zeros_like(rows[0]),
            "shared": torch.stack(shared).mean(0),
            "first": rows[0],
            "number": rows.mean().expand_as(rows[0]),
        }[unknown]
        made = []
        for i, word in enumerate(new):
            if by_place:
                made.append(rows[i] if i < len(rows) and (word in old or first) else filling)
            else:
                made.append(rows[list(old).index(word)] if word in old else filling)
        return torch.stack(made)

    return mutant


_OLD, _FILMS = ["the", "king", "a", "of", "ship"], ["a", "film", "the", "plot", "of", "a24"]

CARRIED = Function(
    id="ulmfit.carried_rows",
    number=13,
    title="A film's words on a king's table",
    chapter="07",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "`rows` holds one vector for each word of `old`, the vocabulary of the language model. The task has the"
        " vocabulary `new`. Return its table: a word that both have keeps its row, wherever its new place is; a word"
        " that the model never met gets the mean of *all* old rows."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def carried(rows: Tensor, old: list[str], new: list[str]) -> Tensor:\n"
        '    """One row for each new word: its old row, or the mean of all old rows where it has none."""\n'
        "    return ..."
    ),
    hints=(
        "What must be looked up by the word, and what by its number?",
        "On other numbers: old *a* = 2, *b* = 6; new *b*, *c*: 6, then the mean 4.",
        "rows[place[▢]] if word in place else rows.mean(▢)",
    ),
    answer=carried,
    reference=carried,
    result="a tensor",
    probes=(
        Probe(
            "films",
            "With the words of kings and of films",
            {"rows": draw(5, 3, seed=11), "old": _OLD, "new": _FILMS},
        ),
        Probe(
            "same words",
            "With the same words in another order",
            {"rows": draw(5, 4, seed=12), "old": _OLD, "new": ["ship", "a", "the", "of", "king"]},
        ),
        Probe("fewer", "With fewer words", {"rows": draw(5, 2, seed=13), "old": _OLD, "new": ["of", "plot"]}),
    ),
    singles=(
        MISTAKES["U8"].committed_by(_carried(by_place=True)),
        MISTAKES["U8"].committed_by(
            _carried(by_place=True, first=True), phrase="the old table with its first rows kept"
        ),
        MISTAKES["L9"].committed_by(_carried(unknown="zero")),
        MISTAKES["L10"].committed_by(_carried(unknown="shared")),
        MISTAKES["L10"].committed_by(
            _carried(unknown="number"),
            phrase="one mean number for all columns",
            why="The mean of rows is a row: each column has its own.",
            then="Look at the axis of your mean.",
        ),
        MISTAKES["L9"].committed_by(
            _carried(unknown="first"),
            phrase="new words that take another word's row",
            why="A new word would begin as a copy of one old word; the mean is nobody's.",
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["U8"], MISTAKES["L9"], _carried(by_place=True, unknown="zero")),
        pair(MISTAKES["U8"], MISTAKES["L10"], _carried(by_place=True, unknown="shared")),
    ],
    gradient=True,
    shown="Each shared word has its own row again, and new words the mean.",
    transfer="The scores of words have a bias each. What must happen to it?",
    review="09",
    see=NEW_WORDS,
)

# 14. pooling


def concat_pooling(hidden_states: Tensor, lengths: Tensor) -> Tensor:
    """[last state, maximum, mean] of each text over its own words; (b, t, d) and (b,) to (b, 3 d)."""
    pooled = []
    for states, length in zip(hidden_states, lengths.tolist(), strict=True):
        own = states[:length]
        pooled.append(torch.cat([own[-1], own.amax(0), own.mean(0)]))
    return torch.stack(pooled)


def _pooled(
    *, last: str = "own", largest: str = "own", mean: str = "own", order: tuple[int, int, int] = (0, 1, 2)
) -> Callable[[Tensor, Tensor], Tensor]:
    def mutant(hidden_states: Tensor, lengths: Tensor) -> Tensor:
        size, length, _ = hidden_states.shape
        real = (torch.arange(length) < lengths[:, None])[..., None]
        zeroed = hidden_states * real
        parts = [
            {"own": hidden_states[torch.arange(size), lengths - 1], "end": hidden_states[:, -1], "zero": zeroed[:, -1],
             "late": hidden_states[torch.arange(size), lengths.clamp(max=length - 1)]}[last],
            {"own": hidden_states.masked_fill(~real, -torch.inf).amax(1), "all": hidden_states.amax(1),
             "zero": zeroed.amax(1)}[largest],
            {"own": zeroed.sum(1) / lengths[:, None], "all": hidden_states.mean(1), "zero": zeroed.mean(1)}[mean],
        ]  # fmt: skip
        return torch.cat([parts[i] for i in order], dim=-1)

    return mutant


def _texts(b: int, t: int, d: int, seed: int) -> Tensor:
    """States that are all below 0 in the first text, so that a zero in the padding would be the largest."""
    states = draw(b, t, d, seed=seed)
    states[0] = -states[0].abs() - 0.1
    return states


CONCAT_POOLING = Function(
    id="ulmfit.concat_pooling",
    number=14,
    title="Pool a padded batch",
    chapter="07",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "`hidden_states` is (b, t, d); text i has `lengths[i]` words, and what stands behind them is padding, any"
        " numbers. Return for each text, side by side: its last state, the largest of each entry, the mean of each"
        " entry, shape (b, 3 d).\n\n"
        "A text must give the same whoever shares its batch."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def concat_pooling(hidden_states: Tensor, lengths: Tensor) -> Tensor:\n"
        '    """[last state, maximum, mean] of each text over its own words; (b, t, d) and (b,) to (b, 3 d)."""\n'
        "    return ..."
    ),
    hints=(
        "Which rows belong to a text of two words? All three parts look at those alone.",
        "On other numbers: −4, −2 and padding: the largest is −2, not 0; the mean is −3, not −2.",
        "own = states[: ▢]; torch.cat([own[▢], own.amax(0), own.mean(0)])",
    ),
    answer=concat_pooling,
    reference=pooling.concat_pooling,
    result="a tensor",
    probes=(
        Probe(
            "by hand",
            "With states −4, −2 and one step of padding",
            {
                "hidden_states": torch.tensor([[[-4.0], [-2.0], [9.0]]], dtype=torch.float64),
                "lengths": torch.tensor([2]),
            },
        ),
        Probe(
            "three texts",
            "With three texts of 2, 5 and 4 words",
            {"hidden_states": _texts(3, 5, 4, seed=21), "lengths": torch.tensor([2, 5, 4])},
        ),
        Probe(
            "square",
            "With as many texts as words and entries",
            {"hidden_states": _texts(4, 4, 4, seed=22), "lengths": torch.tensor([1, 4, 3, 2])},
        ),
        Probe(
            "no padding",
            "With texts of one length",
            {"hidden_states": draw(2, 3, 5, seed=23), "lengths": torch.tensor([3, 3])},
        ),
    ),
    singles=(
        MISTAKES["U11"].committed_by(_pooled(last="end"), phrase="a last state taken from the padding"),
        MISTAKES["U11"].committed_by(_pooled(largest="zero"), phrase="a maximum that sees zeros in the padding"),
        MISTAKES["U11"].committed_by(_pooled(largest="all"), phrase="a maximum over the padding"),
        MISTAKES["U11"].committed_by(_pooled(mean="zero"), phrase="a mean divided by the padded length"),
        MISTAKES["U11"].committed_by(_pooled(mean="all"), phrase="a mean over the padding"),
        MISTAKES["U11"].committed_by(_pooled(last="end", largest="all", mean="all")),
        MISTAKES["U11"].committed_by(
            _pooled(last="zero", largest="zero", mean="zero"), phrase="padding set to zero and pooled"
        ),
        MISTAKES["U11"].committed_by(_pooled(largest="zero", mean="zero"), phrase="padding set to zero and pooled"),
        MISTAKES["U11"].committed_by(
            _pooled(largest="all", mean="all"), phrase="a maximum and a mean over the padding"
        ),
        MISTAKES["U11"].committed_by(
            _pooled(last="late"),
            phrase="a last state one step too late",
            why="Word number `length` is the first of the padding.",
        ),
        MISTAKES["L15"].committed_by(_pooled(order=(0, 2, 1))),
        MISTAKES["L15"].committed_by(_pooled(order=(1, 2, 0))),
        MISTAKES["L15"].committed_by(_pooled(order=(2, 1, 0))),
    ),
    pairs=lambda: [
        pair(MISTAKES["L15"], MISTAKES["U11"], _pooled(last="end", largest="all", mean="all", order=(0, 2, 1))),
        pair(MISTAKES["L15"], MISTAKES["U11"], _pooled(largest="zero", order=(0, 2, 1))),
    ],
    gradient=True,
    shown="A text gives the same whoever shares its batch.",
    transfer="Which of the three parts would still know a word at the beginning of a long text?",
    review="09",
    see=POOLED,
)

# 15. pooling, chunk by chunk


def pooled_in_chunks(x: Tensor, lengths: Tensor, decay: float, chunk_length: int) -> Tensor:
    """Pool states h_t = decay · h_(t-1) + x_t chunk by chunk, never holding all of them; (b, t, d) to (b, 3 d)."""
    size, _, d = x.shape
    state, last, total = (torch.zeros(size, d, dtype=x.dtype) for _ in range(3))
    largest = torch.full((size, d), -torch.inf, dtype=x.dtype)
    for start in range(0, x.shape[1], chunk_length):
        for t, entry in enumerate(x[:, start : start + chunk_length].unbind(1), start):
            state = decay * state + entry
            real = (t < lengths)[:, None]
            last = torch.where(real, state, last)
            largest = torch.where(real, torch.maximum(largest, state), largest)
            total = total + state * real
    return torch.cat([last, largest, total / lengths[:, None]], dim=-1)


def _states(x: Tensor, decay: float, restart: int) -> Tensor:
    state, states = torch.zeros_like(x[:, 0]), []
    for t, entry in enumerate(x.unbind(1)):
        state = entry if t % restart == 0 else decay * state + entry
        states.append(state)
    return torch.stack(states, 1)


def _chunked(
    *, fresh: bool = False, pool: Callable[[Tensor, Tensor], Tensor] = pooling.concat_pooling, means: bool = False,
    only_last: bool = False,
) -> Callable[[Tensor, Tensor, float, int], Tensor]:  # fmt: skip
    def mutant(x: Tensor, lengths: Tensor, decay: float, chunk_length: int) -> Tensor:
        states = _states(x, decay, chunk_length if fresh else x.shape[1])
        if only_last:
            return _last_chunk(states, lengths, chunk_length)
        pooled = pool(states, lengths)
        if means:
            d = x.shape[-1]
            own = [
                torch.stack([c.mean(0) for c in s[:n].split(chunk_length)]).mean(0)
                for s, n in zip(states, lengths.tolist(), strict=True)
            ]
            pooled = torch.cat([pooled[:, : 2 * d], torch.stack(own)], dim=-1)
        return pooled

    return mutant


def _last_chunk(states: Tensor, lengths: Tensor, chunk_length: int) -> Tensor:
    """Only the chunk that holds a text's last word is pooled."""
    rows = []
    for own, length in zip(states, lengths.tolist(), strict=True):
        part = own[(length - 1) // chunk_length * chunk_length : length]
        rows.append(torch.cat([part[-1], part.amax(0), part.mean(0)]))
    return torch.stack(rows)


IN_CHUNKS = Function(
    id="ulmfit.pooled_in_chunks",
    number=15,
    title="★ Pool a text too long to hold",
    chapter="07",
    kind="write",
    difficulty=5,
    minutes=20,
    starred=True,
    prompt=(
        "A text may be longer than memory. Read `x`, (b, t, d), in chunks of `chunk_length` steps. The recurrent layer"
        " here is h_t = decay · h_(t−1) + x_t, from h = 0, and its state goes on from chunk to chunk. Pool as in"
        " exercise 14: last state, maximum, mean of each text's own `lengths[i]` states, (b, 3 d).\n\n"
        "Keep what pooling needs and no more: never hold the states of the whole text."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def pooled_in_chunks(x: Tensor, lengths: Tensor, decay: float, chunk_length: int) -> Tensor:\n"
        '    """Pool states h_t = decay · h_(t-1) + x_t chunk by chunk, never holding all of them; (b, t, d) to'
        ' (b, 3 d)."""\n'
        "    return ..."
    ),
    hints=(
        "What must be remembered of all chunks so far: for the last state, for the maximum, for the mean?",
        "On other numbers: chunks 2, 4, 6 and 8: sum 12, then 20, count 3, then 4: mean 5, not (4 + 8) / 2.",
        "largest = torch.where(real, torch.maximum(largest, ▢), largest); total = total + state * ▢",
    ),
    answer=pooled_in_chunks,
    reference=pooled_in_chunks,
    result="a tensor",
    probes=(
        Probe(
            "by hand",
            "With inputs 2, 4, 6, 8",
            {
                "x": torch.tensor([[[2.0], [4.0], [6.0], [8.0]]], dtype=torch.float64),
                "lengths": torch.tensor([4]),
                "decay": 0.5,
                "chunk_length": 3,
            },
        ),
        Probe(
            "three texts",
            "With texts of 7, 2 and 5 words",
            {"x": _texts(3, 7, 2, seed=31), "lengths": torch.tensor([7, 2, 5]), "decay": 0.8, "chunk_length": 3},
        ),
        Probe(
            "one chunk",
            "With one chunk that holds everything",
            {"x": _texts(2, 4, 3, seed=32), "lengths": torch.tensor([3, 4]), "decay": 0.5, "chunk_length": 9},
        ),
    ),
    singles=(
        MISTAKES["U10"].committed_by(_chunked(fresh=True)),
        MISTAKES["U11"].committed_by(_chunked(pool=_pooled(last="end", largest="all", mean="all"))),
        MISTAKES["U11"].committed_by(_chunked(pool=_pooled(last="end")), phrase="a last state taken from the padding"),
        MISTAKES["U11"].committed_by(
            _chunked(pool=_pooled(largest="zero")), phrase="a maximum that sees zeros in the padding"
        ),
        MISTAKES["U11"].committed_by(_chunked(pool=_pooled(mean="zero")), phrase="a mean divided by the padded length"),
        MISTAKES["L13"].committed_by(_chunked(means=True)),
        MISTAKES["L13"].committed_by(
            _chunked(only_last=True),
            phrase="a pool over the last chunk only",
            why="Maximum and mean go over all words of a text; the states of early chunks count too.",
            then="Say what you keep when a chunk ends.",
        ),
        MISTAKES["L15"].committed_by(_chunked(pool=_pooled(order=(0, 2, 1)))),
    ),
    pairs=lambda: [
        pair(MISTAKES["U10"], MISTAKES["L13"], _chunked(fresh=True, means=True)),
        pair(
            MISTAKES["U10"],
            MISTAKES["U11"],
            _chunked(fresh=True, pool=_pooled(last="end", largest="all", mean="all")),
        ),
    ],
    gradient=True,
    shown="State, maximum, sum and count go on from chunk to chunk; the states themselves need not be kept.",
    transfer="Through how many chunks does your gradient reach back, and how would you stop it?",
    review="10",
    see=POOLED,
)

EXERCISES = (RUNNING_ROWS, DROPPED_RUN, CARRIED, CONCAT_POOLING, IN_CHUNKS)
