"""Chapter 01, exercises in plain Python: predict, deal cards, order, write with lists, debug, claim.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from qkv.exercises.attention import numbered
from qkv.exercises.choices import Choice, Choose, Line, Option, Parsons
from qkv.exercises.families_mistakes import AHEAD, FAMILIES, GAPS, MASKS, MISTAKES, STACK, TASKS
from qkv.exercises.functions import Function, Probe, pair

Table = list[list[bool]]

# 1. predict

PREDICT_THE_GAP = Choice(
    id="families.predict_the_gap",
    number=1,
    title="Three gaps, one reader",
    chapter="01",
    kind="predict",
    difficulty=1,
    minutes=2,
    prompt=(
        "Reader B sees only what stands before a gap. For each text: does it know as much as a reader that sees both"
        " sides?"
    ),
    hints=(
        "Lay a hand on everything from the gap to the right. Is anything lost that helps?",
        "On other numbers: in “2, 4, ▢, 8” the 8 helps; in “2, 4, 6, ▢” nothing stands behind the gap.",
        "B loses something only where there is a ▢ to the right of the gap.",
    ),
    fields=(
        Choose(
            name="first",
            question="“She wiped the ▢ with a towel until every plate was dry.”",
            options={
                "A": Option("B knows as much", "*plate* stands behind the gap, and it is the best clue."),
                "B": Option("B knows less", "Before the gap anything can be wiped.", True),
            },
        ),
        Choose(
            name="second",
            question="“Every plate was dry, for she had wiped the ▢”",
            options={
                "A": Option("B knows as much", "Nothing stands behind the gap.", True),
                "B": Option("B knows less", "What would the other reader see in addition? Nothing."),
            },
        ),
        Choose(
            name="third",
            question="“English: two plates. French: deux ▢”",
            options={
                "A": Option("B knows as much", "All of the English stands before the gap.", True),
                "B": Option("B knows less", "The English is on the left, so B reads all of it."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["Z1"].committed_by({"second": "B", "third": "B"}),
        MISTAKES["Z1"].committed_by({"second": "B"}),
        MISTAKES["Z2"].committed_by({"third": "B"}),
        MISTAKES["Z3"].committed_by({"first": "A"}),
    ),
    shown="All three hold: it counts where the clue stands, not how long the text is.",
    transfer="How could you rewrite the first text so that B loses nothing?",
    review="08",
    see=GAPS,
)

# 2. task cards

_LABELS = "Ask what comes out: labels, or a text?"
_LETTERS = {"A": "encoder-only", "B": "decoder-only", "C": "encoder–decoder"}


def _card(name: str, question: str, right: str, whys: dict[str, str]) -> Choose:
    options = {letter: Option(family, whys[letter], letter == right) for letter, family in _LETTERS.items()}
    return Choose(name=name, question=question, options=options)


DEAL_THE_CARDS = Choice(
    id="families.deal_the_cards",
    number=2,
    title="Task cards",
    chapter="01",
    kind="predict",
    difficulty=2,
    minutes=5,
    prompt=(
        "Deal seven cards to the three families: which is made for the task, with the fewest detours? For each card ask"
        " two questions. Is anything new written? If so, is there a text that is complete before the writing begins?"
    ),
    hints=(
        "First sort out the cards on which nothing new is written: those need one family only.",
        "On other numbers: naming the language of a text writes nothing; a summary writes something new about a"
        " complete text; a diary that goes on writes and has no other text.",
        "Nothing new: ▢. New, with a complete text before it: encoder–decoder. New, without one: decoder-only.",
    ),
    fields=(
        _card(
            "snippet",
            "Is this film review friendly or unfriendly?",
            "A",
            {
                "A": "The whole review is there, and one answer for it is asked.",
                "B": "It can be made to, but no word of a review need be hidden from another.",
                "C": "A second text would consist of one word; nothing must be written.",
            },
        ),
        _card(
            "names",
            "Mark the names of people and places in a tweet",
            "A",
            {
                "A": "One answer for each word, and both neighbours help.",
                "B": "A decoder would judge *Paris* before it has read *Hilton*.",
                "C": "Nothing new is written; each word gets a label.",
            },
        ),
        _card(
            "extract",
            "Underline the answer to a question in a passage",
            "A",
            {
                "A": "Two places are asked for: where the answer begins and where it ends.",
                "B": "It would write an answer where two places suffice.",
                "C": "The answer stands in the passage already.",
            },
        ),
        _card(
            "story",
            "Go on with a story",
            "B",
            {
                "A": "It knows words from both sides, and here one side is empty.",
                "B": "Each new word depends on those before it, and there is no other text.",
                "C": "There is no second text that is complete.",
            },
        ),
        _card(
            "summary",
            "Say a long article in two sentences of your own",
            "C",
            {
                "A": "It can mark sentences, but write none.",
                "B": "It does so by a detour: the article first, then the summary, in one row.",
                "C": "A complete text is read both ways, a second one is written.",
            },
        ),
        _card(
            "translation",
            "Translate a verse",
            "C",
            {
                "A": "It writes nothing.",
                "B": "It does so by a detour, as one row of two languages.",
                "C": "The verse is complete, and its translation is written word by word.",
            },
        ),
        _card(
            "answer",
            "Answer a question about a passage in your own words",
            "C",
            {
                "A": "It could underline words of the passage, not find its own.",
                "B": "It does so by a detour: large decoders answer like this every day.",
                "C": "Passage and question are complete; the answer is new.",
            },
        ),
    ),
    beliefs=(
        MISTAKES["Z18"].committed_by({"story": "A"}),
        MISTAKES["Z18"].committed_by({"translation": "A"}),
        MISTAKES["Z18"].committed_by({"summary": "A"}),
        MISTAKES["Z18"].committed_by({"answer": "A"}),
        MISTAKES["Z19"].committed_by({"snippet": "B"}),
        MISTAKES["Z19"].committed_by({"names": "B"}),
        MISTAKES["Z19"].committed_by({"snippet": "B", "names": "B", "extract": "B"}),
        MISTAKES["Z19"].committed_by(
            {"snippet": "B", "names": "B", "extract": "B", "summary": "B", "translation": "B", "answer": "B"},
            phrase="“a decoder for everything”",
            why="Large decoders are used like this; it costs them the words to the right.",
        ),
        MISTAKES["Z19"].committed_by(
            {"summary": "B", "translation": "B", "answer": "B"},
            phrase="“a decoder wherever something is written”",
            why="A first text that is complete can be read both ways by an encoder.",
            then="Ask whether a text is complete before the writing begins.",
        ),
        MISTAKES["Z20"].committed_by(
            {"snippet": "C", "names": "C", "extract": "C", "story": "C"},
            phrase="“an encoder–decoder for everything”",
            why="It reads one complete text and writes another; these cards lack one of the two.",
            then="Ask of each card: what is complete, what is written?",
        ),
        MISTAKES["Z20"].committed_by(
            {"snippet": "C"},
            phrase="“whatever comes out is a text”",
            why="A label is chosen, not written.",
            then=_LABELS,
        ),
        MISTAKES["Z20"].committed_by(
            {"names": "C"},
            phrase="“whatever comes out is a text”",
            why="A label for a word is chosen, not written.",
            then=_LABELS,
        ),
        MISTAKES["Z20"].committed_by({"extract": "C"}),
        MISTAKES["Z20"].committed_by({"extract": "B"}),
    ),
    shown="All seven cards lie where the course will use them.",
    transfer="Which of the seven would you give to a decoder if you could have only one model?",
    review="09",
    see=TASKS,
)

# 3. Parsons

SOURCE = [[2.0, 0.0], [0.0, 4.0]]
TARGET = [[1.0, 1.0], [6.0, 0.0]]


def read(rows: list[list[float]], text: list[list[float]], table: Table) -> list[list[float]]:
    """A box on paper: each row plus the average of those rows of the text that it may read."""
    new = []
    for row, open_cells in zip(rows, table, strict=True):
        allowed = [other for other, cell in zip(text, open_cells, strict=True) if cell]
        average = [sum(entries) / len(allowed) for entries in zip(*allowed, strict=True)]
        new.append([a + b for a, b in zip(row, average, strict=True)])
    return new


def run_lines(lines: Iterable[str]) -> list[list[float]]:
    """The rows of the second text after lines that were put into an order."""
    names: dict = {"source": SOURCE, "target": TARGET, "read": read}
    names |= {"everything": [[True, True], [True, True]], "before": [[True, False], [True, True]]}
    for line in lines:
        exec(line, names)
    return names["new"]


ORDER_THE_BOXES = Parsons(
    id="families.order_the_boxes",
    number=3,
    title="Two stacks out of three boxes",
    chapter="01",
    kind="Parsons",
    difficulty=2,
    minutes=5,
    prompt=(
        "Put lines into an order that makes an encoder–decoder of three boxes. `read(rows, text, table)` is a box: each"
        " row reads those rows of the text that the table opens. `source` is the text that is given, `target` the one"
        " that is being written. Three lines are false friends and stay out.\n\n"
        "The result is called `new`: rows of the second text that have read both texts."
    ),
    hints=(
        "Which line makes `new`, and which two things must be there before?",
        "On other numbers: to answer a letter you read it whole, look at what you have written so far, then bring both"
        " together.",
        "A, ▢, C: the encoder, the second text by itself, and the second text with what the encoder made.",
    ),
    lines={
        "A": Line(
            "memory = read(source, source, everything)", (), "memory", True, "The encoder: the first text, both ways."
        ),
        "B": Line(
            "own = read(target, target, before)", (), "own", True, "The second text reads itself and what came before."
        ),
        "C": Line(
            "new = read(own, memory, everything)",
            ("own", "memory"),
            "new",
            True,
            "The second text reads all that the encoder made.",
        ),
        "D": Line(
            "own = read(target, target, everything)", (), "own", False, "Line D lets a word read those behind it."
        ),
        "E": Line(
            "memory = read(source, target, everything)",
            (),
            "memory",
            False,
            "Line E lets the first text read the second.",
        ),
        "F": Line(
            "new = read(own, source, everything)", ("own",), "new", False, "Line F passes the encoder by: bare words."
        ),
    },
    wanted="new",
    order="ABC",
    orders=(
        MISTAKES["Z21"].committed_by("ADC"),
        MISTAKES["Z22"].committed_by("EBC"),
        MISTAKES["Z23"].committed_by("BF"),
        pair(MISTAKES["Z21"], MISTAKES["Z22"], "EDC"),
        pair(MISTAKES["Z21"], MISTAKES["Z23"], "DF"),
    ),
    run=run_lines,
    rows=("le", "chat"),
    shown="One text is read both ways, the other in one direction, and the second reads the first.",
    transfer="Which of the three lines would you leave out to get an encoder-only model?",
    review="05",
    see=FAMILIES,
)

# 4. write: one rule for three masks


def reading_table(length: int, prefix_length: int) -> list[list[bool]]:
    """Row i, column j: whether word i may read word j."""
    return [[j <= i or j < prefix_length for j in range(length)] for i in range(length)]


def _table(rule: Callable[[int, int, int], bool]) -> Callable[[int, int], Table]:
    return lambda length, prefix_length: [[rule(i, j, prefix_length) for j in range(length)] for i in range(length)]


READING_TABLE = Function(
    id="families.reading_table",
    number=4,
    title="One rule, three masks",
    chapter="01",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "Write the table of who may read whom, as nested lists of True and False: row i reads, column j is read. The"
        " first `prefix_length` words are a prefix that everybody reads. Besides, each word reads itself and what came"
        " before it. A prefix of 0 gives the causal mask, a prefix of the whole length opens everything."
    ),
    imports="",
    template=(
        "def reading_table(length: int, prefix_length: int) -> list[list[bool]]:\n"
        '    """Row i, column j: whether word i may read word j."""\n'
        "    return ..."
    ),
    hints=(
        "Two reasons open a cell: j stands before i or is i itself, or j belongs to the prefix. How are they joined?",
        "On other numbers: a club that admits members, and everyone on Sundays, asks `is_member or day == 'Sunday'`.",
        "return [[j <= ▢ or j < ▢ for j in range(length)] for i in range(length)]",
    ),
    answer=reading_table,
    reference=reading_table,
    result="a nested list of True and False",
    tensors=False,
    probes=(
        Probe("causal", "With three words and no prefix", {"length": 3, "prefix_length": 0}, ("cat", "mat", "it")),
        Probe("prefix", "With three words and a prefix of two", {"length": 3, "prefix_length": 2}, ("le", "chat", "a")),
        Probe("long", "With six words and a prefix of three", {"length": 6, "prefix_length": 3}),
        Probe("all", "With a prefix of all four words", {"length": 4, "prefix_length": 4}),
        Probe("one", "With a single word", {"length": 1, "prefix_length": 0}),
    ),
    singles=(
        MISTAKES["Z4"].committed_by(_table(lambda i, j, p: j >= i or j < p)),
        MISTAKES["Z4"].committed_by(_table(lambda i, j, p: j >= i or i < p)),
        MISTAKES["M3"].committed_by(_table(lambda i, j, p: not (j <= i or j < p))),
        MISTAKES["M8"].committed_by(_table(lambda i, j, p: j < i or j < p)),
        MISTAKES["M8"].committed_by(_table(lambda i, j, p: j <= i + 1 or j < p)),
        MISTAKES["Z5"].committed_by(_table(lambda i, j, p: j <= i)),
        MISTAKES["Z6"].committed_by(_table(lambda i, j, p: j <= i or i < p)),
        MISTAKES["Z7"].committed_by(_table(lambda i, j, p: j <= i or j <= p)),
        MISTAKES["Z7"].committed_by(_table(lambda i, j, p: j <= i or j < p - 1)),
        MISTAKES["Z8"].committed_by(_table(lambda i, j, p: j < p)),
        MISTAKES["Z8"].committed_by(
            _table(lambda i, j, p: j <= i and j < p),
            phrase="two reasons joined by `and`",
            why="One reason is enough to open a cell.",
            then="Read your condition aloud for the last word and the one before it.",
        ),
        MISTAKES["Z8"].committed_by(
            _table(lambda i, j, p: j == i or j < p),
            phrase="words that read the prefix and themselves",
            why="Between the two stands what has been written since, and it may be read as well.",
        ),
        MISTAKES["Z6"].committed_by(
            _table(lambda i, j, p: j <= i + p),
            phrase="a prefix that moves along with the reader",
            why="The prefix is the first columns, the same ones for every row.",
            then="Count the open cells of row 0, then of row 1.",
        ),
        MISTAKES["M3"].committed_by(
            _table(lambda i, j, p: j > i or j < p),
            phrase="a causal part turned inside out",
            why="True means: may read; what comes later stays closed.",
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["M8"], MISTAKES["Z7"], _table(lambda i, j, p: j < i or j <= p)),
        pair(MISTAKES["M8"], MISTAKES["Z6"], _table(lambda i, j, p: j < i or i < p)),
    ],
    shown="One rule gives three masks: causal, prefix, and none at all.",
    transfer="How many cells of a causal table of ten words are open?",
    review="02",
    see=MASKS,
)

# 5. write: through several boxes


def reach(table: list[list[bool]], boxes: int) -> list[list[bool]]:
    """Row i, column j: whether row i knows anything of word j after so many boxes."""
    places = range(len(table))
    known = [[i == j for j in places] for i in places]
    for _ in range(boxes):
        known = [[known[i][j] or any(table[i][m] and known[m][j] for m in places) for j in places] for i in places]
    return known


def _ways(table: Table, boxes: int, itself: bool = True) -> list[list[int]]:
    """How many ways lead from word j to row i; without ``itself`` a row keeps nothing of its own."""
    places = range(len(table))
    ways = [[int(i == j) for j in places] for i in places]
    for _ in range(boxes):
        ways = [[sum(ways[m][j] for m in places if table[i][m] or (itself and m == i)) for j in places] for i in places]
    return ways


def _turned(table: Table) -> Table:
    return [list(column) for column in zip(*table, strict=True)]


def _from_the_table(table: Table, rounds: int) -> Table:
    """The rounds of ``reach``, begun with what the table holds instead of each row knowing itself."""
    places, known = range(len(table)), table
    for _ in range(rounds):
        known = [[known[i][j] or any(table[i][m] and known[m][j] for m in places) for j in places] for i in places]
    return known


def _half_new(table: Table, boxes: int) -> Table:
    """``reach`` with rows that are written into the list that the same box still reads."""
    places = range(len(table))
    known = [[i == j for j in places] for i in places]
    for _ in range(boxes):
        for i in places:
            known[i] = [known[i][j] or any(table[i][m] and known[m][j] for m in places) for j in places]
    return known


def _asking(ask: Callable[[Table, int, int, int], bool]) -> Callable[[Table, int], Table]:
    """``reach`` where another cell of ``known`` is asked for row i, word j and neighbour m."""

    def mutant(table: Table, boxes: int) -> Table:
        places = range(len(table))
        known = [[i == j for j in places] for i in places]
        for _ in range(boxes):
            old = known
            known = [
                [old[i][j] or any(table[i][m] and ask(old, i, j, m) for m in places) for j in places] for i in places
            ]
        return known

    return mutant


_NEIGHBOUR = [[True, False, False, False], [True, True, False, False], [False, True, True, False]]
_NEIGHBOUR += [[False, False, True, True]]
_ONE_AHEAD = [[j <= i + 1 for j in range(5)] for i in range(5)]
_OTHERS = [[i != j for j in range(3)] for i in range(3)]
_LONELY = [[False] * 4, [True] + [False] * 3, [False] * 4, [False, True, False, False]]

_BEGUN_WITH_THE_TABLE = replace(
    MISTAKES["Z11"],
    phrase="an answer that begins with the table",
    why="Before the first box a row knows itself alone; the table is what one box opens.",
    then="Try 0 boxes, then 1: what does your loop begin with?",
)
_WITHOUT_J = replace(
    MISTAKES["Z14"],
    phrase="a neighbour who is not asked about word j",
    why="Without j all cells of a row get the same answer.",
    then="Say in words what you ask row m.",
)

REACH = Function(
    id="families.reach",
    number=5,
    title="What arrives through several boxes",
    chapter="01",
    kind="write",
    difficulty=3,
    minutes=12,
    prompt=(
        "Several boxes lie on top of each other, all with the same table: `table[i][j]` says whether row i may read row"
        " j. A box adds to a row, so a row also keeps what it knew. Return who knows of whom after so many boxes, as"
        " nested lists of True and False. With no box a row knows itself alone."
    ),
    imports="",
    template=(
        "def reach(table: list[list[bool]], boxes: int) -> list[list[bool]]:\n"
        '    """Row i, column j: whether row i knows anything of word j after so many boxes."""\n'
        "    return ..."
    ),
    hints=(
        "Let `known` be the answer for one box fewer. Which rows does row i read, and what do they know?",
        "On other numbers: Ann asks Bob, Bob asks Cem. After one evening Ann knows Bob's news, after two also Cem's.",
        "new[i][j] = known[i][j] or any(table[i][m] and known[▢][▢] for m in range(len(table)))",
    ),
    answer=reach,
    reference=reach,
    result="a nested list of True and False",
    tensors=False,
    probes=(
        Probe("before", "When each reads the word before, with two boxes", {"table": _NEIGHBOUR, "boxes": 2}),
        Probe("none", "With no box", {"table": _NEIGHBOUR, "boxes": 0}),
        Probe("one box", "With one box", {"table": _LONELY, "boxes": 1}),
        Probe("ahead", "When each reads one word ahead, with two boxes", {"table": _ONE_AHEAD, "boxes": 2}),
        Probe("others", "When each reads all but itself, with two boxes", {"table": _OTHERS, "boxes": 2}),
        Probe("many", "With three boxes", {"table": _LONELY, "boxes": 3}),
    ),
    singles=(
        MISTAKES["Z10"].committed_by(lambda table, boxes: table),
        MISTAKES["Z10"].committed_by(lambda table, boxes: reach(table, min(boxes, 1))),
        MISTAKES["Z11"].committed_by(lambda table, boxes: reach(table, boxes + 1)),
        MISTAKES["Z11"].committed_by(lambda table, boxes: reach(table, max(boxes - 1, 0))),
        MISTAKES["Z10"].committed_by(lambda table, boxes: reach(table, 1)),
        MISTAKES["Z10"].committed_by(
            lambda table, boxes: reach(table, 0),
            phrase="boxes through which nothing arrives",
            why="News comes from a row m that may be read: the table opens m, and m must know of j.",
            then="Work one cell off the diagonal by hand, after one box.",
        ),
        MISTAKES["Z11"].committed_by(lambda table, boxes: reach(table, max(boxes, 1))),
        MISTAKES["Z11"].committed_by(
            lambda table, boxes: reach(table, len(table)), phrase="boxes that are not counted"
        ),
        MISTAKES["Z11"].committed_by(
            lambda table, boxes: reach(table, 2**boxes),
            phrase="steps that double with each box",
            why="A box reads what its table opens; rows that are only known of must wait for the next.",
            then="Ask where your loop looks up who may be read.",
        ),
        _BEGUN_WITH_THE_TABLE.committed_by(_from_the_table),
        _BEGUN_WITH_THE_TABLE.committed_by(lambda table, boxes: _from_the_table(table, boxes - 1)),
        MISTAKES["Z12"].committed_by(_ways),
        MISTAKES["Z13"].committed_by(
            lambda table, boxes: [[ways > 0 for ways in row] for row in _ways(table, boxes, itself=False)]
        ),
        MISTAKES["Z13"].committed_by(lambda table, boxes: table if boxes == 1 else reach(table, boxes)),
        MISTAKES["Z13"].committed_by(
            lambda table, boxes: _from_the_table(table, boxes - 1) if boxes else reach(table, 0)
        ),
        MISTAKES["Z14"].committed_by(lambda table, boxes: _turned(reach(table, boxes))),
        MISTAKES["Z14"].committed_by(
            _asking(lambda known, i, j, m: known[j][m]),
            why="`known[m][j]` says that row m knows of word j: first the one who knows, then what is known.",
        ),
        _WITHOUT_J.committed_by(_asking(lambda known, i, j, m: known[m][i])),
        _WITHOUT_J.committed_by(_asking(lambda known, i, j, m: known[i][m])),
        MISTAKES["Z27"].committed_by(
            _half_new,
            phrase="rows that read what the same box has written",
            why="All rows of a box read what came into it; what is new waits for the next box.",
            then="Fill a new list, and let it replace the old one afterwards.",
            see=STACK,
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["Z12"], MISTAKES["Z13"], lambda table, boxes: _ways(table, boxes, itself=False)),
        pair(MISTAKES["Z11"], MISTAKES["Z14"], lambda table, boxes: _turned(reach(table, boxes + 1))),
    ],
    shown="You know who hears from whom, however deep the stack.",
    transfer="After how many boxes does the last of ten words know of the first, if each reads only the word before?",
    review="03",
    see=STACK,
)

# 6. debug

VERSIONS = {
    "A": ("ids[:-1], ids[1:]", "causal(32)"),
    "B": ("ids[:-1], ids[1:]", "torch.ones(32, 32, dtype=torch.bool)"),
    "C": ("ids[:-1], ids[:-1]", "causal(32)"),
}


def training_source(letter: str) -> str:
    """The code of one version of exercise 6."""
    pieces, table = VERSIONS[letter]
    return (
        "ids = text[start : start + 33]\n"
        f"letters, answers = {pieces}\n"
        f"may_read = {table}\n"
        "scores = writer(letters, may_read)\n"
        "loss = cross_entropy(scores, answers)"
    )


_COPIES = replace(
    MISTAKES["Z15"],
    phrase="“whoever copies looks ahead”",
    why="In C the letter to be said is the one last read; copying it needs no later letter.",
)

WHICH_LOOKS_AHEAD = Choice(
    id="families.which_looks_ahead",
    number=6,
    title="Two losses that are too good",
    chapter="01",
    kind="debug",
    difficulty=3,
    minutes=8,
    prompt=(
        "Three versions of the same training step for a writer of letters. The loss of A stays near 2 nats per letter;"
        " those of B and C fall almost to 0, on a book kept back as well. Find the version whose places see letters"
        " that come *later*, its line, what shows it, and the fix.\n\n"
        + "\n\n".join(f"Version {letter}\n\n```\n{numbered(training_source(letter))}\n```" for letter in VERSIONS)
    ),
    hints=(
        "Two leaks, two places: either the answer stands in what is read, or the reader turns its head.",
        "On other numbers: from 3 1 4 1 a honest reader sees 3 and must say 1, sees 3 1 and must say 4.",
        "Changing the ▢ letter must leave all scores before it as they were.",
    ),
    fields=(
        Choose(
            name="version",
            question="Which version sees later letters?",
            options={
                "A": Option("Version A", "Its mask is causal, and its answers are shifted by one."),
                "B": Option("Version B", "Everything is open, so the answer stands one place further on.", True),
                "C": Option("Version C", "Its mask is causal; it must only say what it has read."),
            },
        ),
        Choose(
            name="line",
            question="In which line?",
            options={
                "1": Option("line 1", "All versions take the same 33 letters."),
                "2": Option("line 2", "In that version letters and answers are as in A."),
                "3": Option("line 3", "A table of True only opens the future.", True),
                "4": Option("line 4", "The writer does what its table says."),
                "5": Option("line 5", "The loss compares scores and answers, as in A."),
            },
        ),
        Choose(
            name="evidence",
            question="What shows that letters to come are seen?",
            options={
                "A": Option("the loss on the book kept back", "It is near 0 for C too, which sees nothing to come."),
                "B": Option(
                    "change the last letter: do scores before it move?", "The nudge asks who reads whom.", True
                ),
                "C": Option("the shapes of scores and answers", "They are the same in all three."),
                "D": Option("a loss near 0 in training", "So has C, for another reason."),
            },
        ),
        Choose(
            name="fix",
            question="What mends it?",
            options={
                "A": Option("line 3: `causal(32)`", "Each place reads itself and what came before.", True),
                "B": Option("line 3: everything open but the own place", "The answer stands one place further on."),
                "C": Option("line 2: `ids[:-1], ids[:-1]`", "Then every answer is what was read last."),
                "D": Option("stop training earlier", "A leak is a leak at any step."),
            },
        ),
    ),
    beliefs=(
        _COPIES.committed_by({"version": "C"}),
        _COPIES.committed_by({"version": "C", "line": "2"}),
        MISTAKES["Z15"].committed_by({"fix": "C"}),
        MISTAKES["Z17"].committed_by({"fix": "B"}),
        MISTAKES["Z33"].committed_by(
            {"evidence": "A"},
            phrase="“a book kept back shows every leak”",
            why="Here the leak is in the reading, and it leaks in every book.",
        ),
        MISTAKES["Z33"].committed_by({"evidence": "D"}, phrase="“a loss near 0 says which leak it is”"),
    ),
    shown="Version, line, evidence and fix hold. A loss can be too good in more than one way.",
    transfer="Which single number would have warned you in both B and C?",
    review="05",
    see=AHEAD,
)

# 7. claim

WHICH_SENTENCE = Choice(
    id="families.which_sentence",
    number=7,
    title="Looking ahead: what may be printed?",
    chapter="01",
    kind="claim",
    difficulty=3,
    minutes=6,
    prompt=(
        "Small models of letters, five seeds, with and without a causal mask, invented numbers. First the loss as"
        " trained, on a book kept back. Then what each model wrote, judged by another model: its loss per letter, mean"
        " and 95 % interval of the difference.\n\n"
        "```\n"
        "as trained          no mask 0.10    causal 2.10\n"
        "written, no mask minus causal   +1.9  from +1.6 to +2.2\n"
        "```\n\n"
        "Which sentences may be printed?"
    ),
    hints=(
        "For each number ask what stood open before the model when it was taken.",
        "On other numbers: whoever copies the answers scores 100 in the test; that says nothing of the exam.",
        "The loss as trained compares two different tasks: finding a letter that is ▢, and guessing one that is not.",
    ),
    fields=(
        Choose(
            name="trained",
            question="About the loss as trained",
            options={
                "A": Option("Without a mask the model predicts English better.", "It was asked to copy, not predict."),
                "B": Option(
                    "Without a mask the model finds the next letter, which lies open, almost always.",
                    "That is what the number says.",
                    True,
                ),
                "C": Option("Without a mask the model has learned nothing.", "It has learned to copy, very well."),
            },
        ),
        Choose(
            name="written",
            question="About what was written",
            options={
                "A": Option(
                    "In this set-up, what was written without a mask is less like the books.",
                    "The whole interval is above 0.",
                    True,
                ),
                "B": Option("No model without a causal mask can write.", "One set-up was measured."),
                "C": Option("The difference may be chance.", "The interval lies far from 0."),
            },
        ),
        Choose(
            name="encoders",
            question="What follows for encoders such as BERT, which have no mask?",
            options={
                "A": Option("They are trained to no purpose.", "They are asked for something else."),
                "B": Option(
                    "Nothing yet: they are not trained to name the next word, but words hidden from them.",
                    "What is hidden cannot be copied.",
                    True,
                ),
                "C": Option("They need a causal mask.", "Then they would lose the words to the right."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["Z16"].committed_by({"trained": "A"}),
        MISTAKES["S5"].committed_by({"written": "B"}),
        MISTAKES["S5"].committed_by({"trained": "C"}),
        MISTAKES["S5"].committed_by({"encoders": "A"}),
        MISTAKES["S5"].committed_by({"encoders": "C"}),
        MISTAKES["S6"].committed_by(
            {"written": "C"},
            phrase="an interval away from 0 read as chance",
            why="Chance of this size would have put 0 inside the interval.",
        ),
    ),
    shown="Each sentence says what was measured, and about which set-up.",
    transfer="What would you have to measure before you spoke of words instead of letters?",
    review="09",
    see=AHEAD,
)

# 8. review

AGAIN = Choice(
    id="families.again",
    number=8,
    title="From the chapter before",
    chapter="01",
    kind="predict",
    difficulty=2,
    minutes=4,
    prompt="Three questions that return from chapter 00. A model names the next of 27 letters and signs.",
    hints=(
        "What does an even guess cost, and how is that cost counted?",
        "On other numbers: an even guess among 8 costs ln 8, about 2.08 nats. Shapes (2, 1) and (3,) meet as (2, 3).",
        "ln ▢ = 3.3; shape (5, 1) is stretched to (5, ▢).",
    ),
    fields=(
        Choose(
            name="begin",
            question="Untrained, its loss is about",
            options={
                "A": Option("ln 27, about 3.3 nats", "No idea among 27 costs ln 27.", True),
                "B": Option("1/27", "That is the probability, not its surprise."),
                "C": Option("1", "1 is the sum of all probabilities."),
            },
        ),
        Choose(
            name="leak",
            question="After a minute of training its loss is .02 on English. You",
            options={
                "A": Option("are glad", "Nobody guesses English letters that well."),
                "B": Option("look for a leak", "Below what the best honest reader reaches, something leaks.", True),
                "C": Option("train longer", "The number is too good already."),
            },
        ),
        Choose(
            name="shape",
            question="`torch.arange(5)[:, None] >= torch.arange(5)` has the shape",
            options={
                "A": Option("(5,)", "A column meets a row: both are stretched."),
                "B": Option("(5, 5)", "Each of five rows meets each of five columns.", True),
                "C": Option("(5, 1)", "The second one has five columns to offer."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["Z34"].committed_by({"begin": "B"}),
        MISTAKES["Z34"].committed_by({"begin": "C"}),
        MISTAKES["Z33"].committed_by({"leak": "A"}),
        MISTAKES["Z33"].committed_by(
            {"leak": "C"},
            phrase="“more training mends every loss”",
            why="This loss lies below what any honest reader could reach; more steps close no leak.",
        ),
        MISTAKES["Z28"].committed_by(
            {"shape": "A"},
            phrase="one comparison for each place",
            why="A column of five meets a row of five, so each is compared with each.",
            then="Write down both shapes, one below the other.",
            see=MASKS,
        ),
        MISTAKES["Z28"].committed_by(
            {"shape": "C"},
            phrase="a column that keeps its shape",
            why="Beside five columns the one of the first is stretched to five.",
            then="Write down both shapes, one below the other.",
            see=MASKS,
        ),
    ),
    shown="Cost, leak and shape are as in chapter 00, and the last line is a causal mask.",
    transfer="Which cells of that table are True in its first row?",
    review="02",
    see=AHEAD,
)

EXERCISES = (
    PREDICT_THE_GAP,
    DEAL_THE_CARDS,
    ORDER_THE_BOXES,
    READING_TABLE,
    REACH,
    WHICH_LOOKS_AHEAD,
    WHICH_SENTENCE,
    AGAIN,
)
