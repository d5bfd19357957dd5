"""Chapter 09, lesson 2, exercises in plain Python: labels of pieces, names, answers, runs with a bug, probes.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

from collections.abc import Callable

from qkv.exercises.bert_mistakes import ANSWERS, FINDS_NOTHING, HOW_FAR, LAYERS, MISTAKES, NO_NAME
from qkv.exercises.choices import Choice, Choose, Option
from qkv.exercises.functions import Function, Probe, pair

# 17. predict

PREDICT_THE_NAMES = Choice(
    id="bert.predict_the_names",
    number=17,
    title="Nearly all words right",
    chapter="09",
    kind="predict",
    difficulty=2,
    minutes=4,
    prompt=(
        "Ten words with true tags, and what a tagger says.\n\n"
        "```\n"
        "true    B-person I-person O O O O O O B-place O\n"
        "tagger  B-person O        O O O O O O B-place O\n"
        "```\n\n"
        "How good is it, and how good is one that always says O?"
    ),
    hints=(
        "Write each name with its first and its last word, once for each line. Which are in both lists?",
        "On other numbers: 4 names given, 5 true, 3 in both: precision 3/4, recall 3/5, F1 = 2 · 3 / (4 + 5).",
        "F1 = 2 · ▢ / (2 + 2); the tagger that says O has 10 − ▢ words right.",
    ),
    fields=(
        Choose(
            name="f1",
            question="F1 of its names",
            options={
                "A": Option("0.9", "That is the share of words with the right tag."),
                "B": Option("0.75", "That counts the half name as a half."),
                "C": Option("0.5", "One of two given names is true, and one of two true ones was given.", True),
            },
        ),
        Choose(
            name="empty",
            question="Words that *always O* has right",
            options={
                "A": Option("none of 10", "It finds no name, but seven words are none."),
                "B": Option("7 of 10", "All but the three words of names.", True),
                "C": Option("8 of 10", "There are two names, and one of them has two words."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["E8"].committed_by({"f1": "A"}),
        MISTAKES["E9"].committed_by({"f1": "B"}),
        MISTAKES["E8"].committed_by(
            {"empty": "A"},
            phrase="names counted where words were asked for",
            why="A word without a name is right when it gets O.",
            then="Count the words that have O in the first line.",
        ),
        MISTAKES["E9"].committed_by(
            {"empty": "C"},
            phrase="a name of two words counted as one word",
            why="Each word of a name has a tag of its own.",
            then="Count the tags that are not O.",
        ),
        pair(MISTAKES["E8"], MISTAKES["E9"], {"f1": "A", "empty": "C"}),
    ),
    shown="Nine of ten words, and half of the names: both numbers hold.",
    transfer="Which of the two numbers would a longer tweet without names change?",
    review="10",
    see=FINDS_NOTHING,
)

# 18. write labels of pieces


def piece_labels(num_pieces: list[int], tags: list[int]) -> list[int]:
    """One label for each place of [CLS] pieces [SEP]: a word's tag at its first piece, else -100."""
    labels = [-100]
    for count, tag in zip(num_pieces, tags, strict=True):
        labels += [tag] + [-100] * (count - 1)
    return [*labels, -100]


Label = Callable[[list[int], list[int]], list[int]]


def _labels(
    *, word: Callable[[int, int], list[int]] = lambda n, tag: [tag] + [-100] * (n - 1), marks: int = 1, rest: int = -100
) -> Label:
    def mutant(num_pieces: list[int], tags: list[int]) -> list[int]:
        inside = [label for n, tag in zip(num_pieces, tags, strict=True) for label in word(n, tag)]
        return [rest if label == -100 else label for label in [*[-100] * marks, *inside, *[-100] * marks]]

    return mutant


def _one_after_the_other(num_pieces: list[int], tags: list[int]) -> list[int]:
    return [-100, *tags, *[-100] * (sum(num_pieces) - len(tags) + 1)]


def _from_the_mark_on(num_pieces: list[int], tags: list[int]) -> list[int]:
    return [*piece_labels(num_pieces, tags)[1:], -100]


def _marks_called_o(num_pieces: list[int], tags: list[int]) -> list[int]:
    return [0, *piece_labels(num_pieces, tags)[1:-1], 0]


PIECE_LABELS = Function(
    id="bert.piece_labels",
    number=18,
    title="Whose label is it?",
    chapter="09",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "A row reads [CLS] pieces [SEP]. `num_pieces` says how many pieces each word has, `tags` which tag. Return one"
        " label for each place of the row: a word's tag at its first piece, −100 everywhere else. Tag 0 is a tag like"
        " any other."
    ),
    imports="",
    template=(
        "def piece_labels(num_pieces: list[int], tags: list[int]) -> list[int]:\n"
        '    """One label for each place of [CLS] pieces [SEP]: a word\'s tag at its first piece, else -100."""\n'
        "    return ..."
    ),
    hints=(
        "How long must the list be, and which places are no first piece of a word?",
        "On other numbers: a word of two pieces with tag 5, then one of one with tag 0: −100 5 −100 0 −100.",
        "labels += [tag] + [-100] * (count - ▢); and one -100 at each ▢",
    ),
    answer=piece_labels,
    reference=piece_labels,
    result="a list of labels",
    tensors=False,
    probes=(
        Probe("three words", "With words of 1, 3 and 1 pieces", {"num_pieces": [1, 3, 1], "tags": [4, 0, 7]}),
        Probe("long first", "With a first word of 4 pieces", {"num_pieces": [4, 1, 2], "tags": [1, 2, 0]}),
        Probe("one", "With one word of 2 pieces", {"num_pieces": [2], "tags": [3]}),
        Probe("short", "With words of one piece each", {"num_pieces": [1, 1, 1], "tags": [0, 5, 6]}),
    ),
    singles=(
        MISTAKES["W10"].committed_by(
            _one_after_the_other,
            phrase="tags put down one after the other",
            why="The first word of several pieces moves all later tags to other words.",
            then="Write the pieces of a word of three above your labels.",
            see=NO_NAME,
        ),
        MISTAKES["W10"].committed_by(
            _labels(word=lambda n, tag: [tag] * n),
            phrase="a label at every piece",
            why="A long word then counts several times, in the loss and in the score.",
            then="Count the labels that are not −100: one for each word.",
            see=NO_NAME,
        ),
        MISTAKES["W10"].committed_by(
            _labels(word=lambda n, tag: [-100] * (n - 1) + [tag]),
            phrase="a label at the last piece",
            why="Heads for words read the first piece (§5.3); label and state have to stand at the same one.",
            then="Point at the first piece of the long word.",
            see=NO_NAME,
        ),
        MISTAKES["E2"].committed_by(
            _labels(marks=0),
            phrase="labels without places for the marks",
            why="[CLS] and [SEP] are places of the row, with −100.",
            then="Count places: all pieces and two.",
            see=NO_NAME,
        ),
        MISTAKES["E2"].committed_by(
            lambda num_pieces, tags: piece_labels(num_pieces, tags)[:-1],
            phrase="labels without a place for [SEP]",
            why="The row ends with [SEP], and that place says −100.",
            then="Count places: all pieces and two.",
            see=NO_NAME,
        ),
        MISTAKES["E2"].committed_by(
            lambda num_pieces, tags: piece_labels(num_pieces, tags)[1:],
            phrase="labels without a place for [CLS]",
            why="The row begins with [CLS], and that place says −100.",
            then="Count places: all pieces and two.",
            see=NO_NAME,
        ),
        MISTAKES["W10"].committed_by(
            lambda num_pieces, tags: [-100, *tags, -100],
            phrase="one label for each word",
            why="The model reads pieces: a word of three has three places in the row.",
            then="Count places: all pieces and two.",
            see=NO_NAME,
        ),
        MISTAKES["W10"].committed_by(
            lambda num_pieces, tags: list(tags),
            phrase="the tags as they were",
            why="The model reads pieces and marks, and each of them needs a label.",
            then="Count places: all pieces and two.",
            see=NO_NAME,
        ),
        MISTAKES["W10"].committed_by(
            _labels(word=lambda n, tag: [tag] + [-100] * n),
            phrase="words with one place too many",
            why="The tag has the first of a word's places already.",
            then="Count the labels of a word of one piece: one.",
            see=NO_NAME,
        ),
        MISTAKES["K4"].committed_by(
            _from_the_mark_on,
            phrase="labels that begin at [CLS]",
            why="Each label then stands one place before its word.",
            then="Your first entry belongs to [CLS].",
            see=NO_NAME,
        ),
        MISTAKES["K14"].committed_by(_labels(rest=-1), see=NO_NAME),
        MISTAKES["K14"].committed_by(_labels(word=lambda n, tag: [tag] + [-1] * (n - 1)), see=NO_NAME),
        MISTAKES["K14"].committed_by(_labels(rest=100), see=NO_NAME),
        MISTAKES["B8"].committed_by(
            _labels(rest=0),
            why="0 is the tag O; the model would be asked to call every mark and every ## no name.",
            then="Write −100 where nothing is asked.",
            see=NO_NAME,
        ),
        MISTAKES["B8"].committed_by(
            _labels(word=lambda n, tag: [tag] + [0] * (n - 1)),
            phrase="pieces with ## that are called O",
            why="0 is a tag; the model would be asked to call the rest of a name no name.",
            then="Write −100 where nothing is asked.",
            see=NO_NAME,
        ),
        MISTAKES["B8"].committed_by(
            _marks_called_o,
            phrase="marks that are called O",
            why="0 is a tag; [CLS] and [SEP] are no words, and nothing is asked there.",
            then="Write −100 where nothing is asked.",
            see=NO_NAME,
        ),
        MISTAKES["B8"].committed_by(
            _labels(word=lambda n, tag: [tag or -100] + [-100] * (n - 1)),
            phrase="words with tag 0 that are not asked for",
            why="Then the model never hears that a word is no name.",
            then="Look up a word with tag 0 in your labels.",
            see=NO_NAME,
        ),
    ),
    shown="Each tag stands at its own word, and nothing else is asked.",
    transfer="Which scores of the model do you read when a new tweet is tagged?",
    review="10",
    see=NO_NAME,
)

# 19. write the best answer


def best_answer(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
    """First and last place of the best span: both may answer, first <= last, at most `longest` places."""
    places = [i for i, allowed in enumerate(may_answer) if allowed]
    pairs = [(i, j) for i in places for j in places if i <= j < i + longest]
    i, j = max(pairs, key=lambda pair: first[pair[0]] + last[pair[1]])
    return [i, j]


Answer = Callable[[list[float], list[float], list[bool], int], list[int]]


def _answer(
    *,
    fits: Callable[[int, int, int], bool] = lambda i, j, most: i <= j < i + most,
    first_anywhere: bool = False,
    last_anywhere: bool = False,
) -> Answer:
    def mutant(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
        starts, ends = (
            [i for i, allowed in enumerate(may_answer) if allowed or anywhere]
            for anywhere in (first_anywhere, last_anywhere)
        )
        pairs = [(i, j) for i in starts for j in ends if fits(i, j, longest)]
        i, j = max(pairs, key=lambda pair: first[pair[0]] + last[pair[1]], default=(0, 0))
        return [i, j]

    return mutant


def _best(scores: list[float], places: list[int]) -> int:
    return max(places, key=lambda i: scores[i])


def _greedy(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
    places = [i for i, allowed in enumerate(may_answer) if allowed]
    start = _best(first, places)
    return [start, _best(last, [j for j in places if start <= j < start + longest])]


def _greedy_from_the_end(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
    places = [i for i, allowed in enumerate(may_answer) if allowed]
    end = _best(last, places)
    return [_best(first, [i for i in places if i <= end < i + longest]), end]


def _greedy_without_limit(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
    return _greedy(first, last, may_answer, len(first))


def _cut_afterwards(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
    i, j = best_answer(first, last, may_answer, len(first))
    return [i, min(j, i + longest - 1)]


def _nought_outside(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
    first, last = ([x * allowed for x, allowed in zip(row, may_answer, strict=True)] for row in (first, last))
    return best_answer(first, last, [True] * len(first), longest)


def _from_nought(start: list[int] | None) -> Callable[..., list[int] | None]:
    def mutant(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int] | None:
        i, j = best_answer(first, last, may_answer, longest)
        return [i, j] if first[i] + last[j] > 0 else start

    return mutant


def _never_found(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
    i, j = best_answer(first, last, may_answer, longest)
    if first[i] + last[j] > 0:
        found = [i, j]
    return found


def _counted_in_the_passage(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
    return [place - may_answer.index(True) for place in best_answer(first, last, may_answer, longest)]


def _swapped(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:
    places = [i for i, allowed in enumerate(may_answer) if allowed]
    return sorted([_best(first, places), _best(last, places)])


_ROW = {
    "first": [0.0, 6.0, 0.0, 0.0, 3.0, 2.0, 0.0, 4.0, 0.0],
    "last": [0.0, 5.0, 1.0, 0.0, 0.0, 5.0, 1.0, 2.0, 0.0],
    "may_answer": [False] * 4 + [True] * 4 + [False],
    "longest": 3,
}

BEST_ANSWER = Function(
    id="bert.best_answer",
    number=19,
    title="The best pair of ends",
    chapter="09",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "`first` and `last` hold a score for each place of [CLS] question [SEP] passage [SEP]; `may_answer` is True in"
        " the passage. Return [i, j], the first and the last place of the span with the highest first[i] + last[j]:"
        " both may answer, j is not before i, and the span has at most `longest` places. The first probe is the row of"
        " the lesson."
    ),
    imports="",
    template=(
        "def best_answer(first: list[float], last: list[float], may_answer: list[bool], longest: int) -> list[int]:\n"
        '    """First and last place of the best span: both may answer, first <= last, at most `longest` places."""\n'
        "    return ..."
    ),
    hints=(
        "Is the best pair made of the best first and the best last place?",
        "On other numbers: first 5 1, last 9 2. The pairs are 5 + 9, 5 + 2 and 1 + 2; 1 + 9 is none.",
        "all pairs with may_answer[i], may_answer[j] and i <= j < i + ▢; then max by first[▢] + last[▢]",
    ),
    answer=best_answer,
    reference=best_answer,
    result="two places",
    tensors=False,
    probes=(
        Probe("the row", "With the lesson's row", _ROW),
        Probe(
            "too long",
            "With a best pair that is too long",
            {
                "first": [0.0, 7.0, 1.0, 0.0, 2.0],
                "last": [0.0, 0.5, 0.0, 1.5, 6.0],
                "may_answer": [False, True, True, True, True],
                "longest": 2,
            },
        ),
        Probe(
            "one place",
            "With an answer of one word",
            {
                "first": [1.0, 0.0, 5.0, 1.0],
                "last": [0.0, 0.0, 6.0, 1.0],
                "may_answer": [True, True, True, True],
                "longest": 3,
            },
        ),
        Probe(
            "at the limit",
            "With a best span of exactly `longest` places",
            {
                "first": [0.0, 4.5, 3.0, 0.0, 0.0, 0.0],
                "last": [0.0, 0.0, 0.0, 4.0, 5.0, 0.0],
                "may_answer": [False, True, True, True, True, False],
                "longest": 3,
            },
        ),
        Probe(
            "beside the passage",
            "With high scores beside the passage",
            {
                "first": [0.0, 5.5, 2.0, 1.0, 0.0],
                "last": [0.0, 0.0, 1.0, 3.0, 6.0],
                "may_answer": [False, False, True, True, False],
                "longest": 3,
            },
        ),
        Probe(
            "below 0",
            "With scores below 0",
            {
                "first": [-1.0, -3.0, -2.0, -4.0],
                "last": [-4.0, -1.5, -1.0, -3.0],
                "may_answer": [True, True, True, False],
                "longest": 2,
            },
        ),
    ),
    singles=(
        MISTAKES["E5"].committed_by(
            lambda first, last, may_answer, longest: [
                _best(first, [i for i, a in enumerate(may_answer) if a]),
                _best(last, [i for i, a in enumerate(may_answer) if a]),
            ]
        ),
        MISTAKES["E5"].committed_by(
            _greedy,
            phrase="the best first place, and then the best last one behind it",
            why="A slightly lower first place may have a far better last one.",
            then="Add up both scores for every pair that is allowed.",
        ),
        MISTAKES["E5"].committed_by(
            _greedy_without_limit,
            phrase="the best first place, and then the best last one anywhere behind it",
            why="A slightly lower first place may have a far better last one; and the limit counts as well.",
            then="Add up both scores for every pair that is allowed.",
        ),
        MISTAKES["E5"].committed_by(
            _greedy_from_the_end,
            phrase="the best last place, and then the best first one before it",
            why="A slightly lower last place may have a far better first one.",
            then="Add up both scores for every pair that is allowed.",
        ),
        MISTAKES["E5"].committed_by(
            _answer(fits=lambda i, j, most: abs(j - i) < most),
            phrase="pairs in any order",
            why="A span is read from its first place to its last one.",
        ),
        MISTAKES["E5"].committed_by(
            _swapped,
            phrase="two ends that are chosen apart and then put in order",
            why="Swapped ends have scores that nobody gave them.",
        ),
        MISTAKES["E6"].committed_by(_answer(first_anywhere=True, last_anywhere=True)),
        MISTAKES["E6"].committed_by(
            _answer(last_anywhere=True),
            phrase="a last place that may stand outside of the passage",
            then="Ask `may_answer` about both ends.",
        ),
        MISTAKES["E6"].committed_by(
            _answer(first_anywhere=True),
            phrase="a first place that may stand outside of the passage",
            then="Ask `may_answer` about both ends.",
        ),
        MISTAKES["E6"].committed_by(
            _nought_outside,
            phrase="a score of 0 for every place outside",
            why="Scores in the passage may all be below 0, and then 0 is the best one.",
            then="Leave such places out, or give them −∞.",
        ),
        MISTAKES["E6"].committed_by(
            _counted_in_the_passage,
            phrase="places that are counted from the first word of the passage",
            why="Places of the whole row were asked for; [CLS] is its place 0.",
            then="Read the row at your two places.",
        ),
        *(MISTAKES["E13"].committed_by(_from_nought(start)) for start in ([0, 0], [-1, -1])),
        *(
            MISTAKES["E13"].committed_by(answer, why="All sums may be below 0; then none is better than a best of 0.")
            for answer in (_from_nought([]), _from_nought(None), _never_found)
        ),
        MISTAKES["E7"].committed_by(
            _answer(fits=lambda i, j, most: i <= j),
            phrase="spans of any length",
            why="A span of half the passage is no answer; the limit keeps such pairs out.",
            then="Count the places from your first to your last.",
        ),
        MISTAKES["E7"].committed_by(
            _cut_afterwards,
            phrase="the best span of any length, shortened afterwards",
            why="Where it was cut, nobody asked for the score; a shorter span elsewhere may be better.",
            then="Keep long pairs out before you look for the best one.",
        ),
        MISTAKES["E7"].committed_by(
            lambda first, last, may_answer, longest: [
                place + k for k, place in enumerate(best_answer(first, last, may_answer, longest))
            ],
            phrase="an end one place behind the last one",
            why="Python's slices end there; here the last place itself was asked for.",
            then="Read the row at your two places.",
        ),
        MISTAKES["E7"].committed_by(_answer(fits=lambda i, j, most: i <= j <= i + most)),
        MISTAKES["E7"].committed_by(
            _answer(fits=lambda i, j, most: i <= j < i + most - 1), phrase="spans of one place less than allowed"
        ),
        MISTAKES["E7"].committed_by(
            _answer(fits=lambda i, j, most: i < j < i + most),
            phrase="spans of two places and more",
            then="Let both ends be the same place.",
        ),
    ),
    pairs=lambda: [
        pair(
            MISTAKES["E5"],
            MISTAKES["E6"],
            lambda first, last, may_answer, longest: [first.index(max(first)), last.index(max(last))],
        )
    ],
    shown="Your pair stands in the passage, in order, and within the limit.",
    transfer="How would you let a model say that the passage holds no answer?",
    review="10",
    see=ANSWERS,
)

# 20. write which weights decay


def decaying(names: list[str]) -> list[int]:
    """1 for each weight that decays; 0 for biases, and for the gains and offsets of norms."""
    spared = ("bias", "gamma", "beta")
    return [int(name.split(".")[-1] not in spared and "norm" not in name.lower()) for name in names]


def _last_part(name: str) -> str:
    return name.split(".")[-1]


def _no_listed_norm(name: str) -> bool:
    return not any(norm in name for norm in ("LayerNorm", "attention_norm", "norm1"))


def _decaying(keep: Callable[[str], bool]) -> Callable[[list[str]], list[int]]:
    def mutant(names: list[str]) -> list[int]:
        return [int(keep(name)) for name in names]

    return mutant


DECAYING = Function(
    id="bert.decaying",
    number=20,
    title="Which weights decay",
    chapter="09",
    kind="write",
    difficulty=3,
    minutes=8,
    prompt=(
        "BERT was fine-tuned with weight decay on everything but biases and norms. Return 1 for each name that decays"
        " and 0 for each that does not. Names come from several libraries: a norm is called `LayerNorm`,"
        " `attention_norm` or `norm1`; its gain `weight` or `gamma`, its offset `bias` or `beta`. Token tables decay."
    ),
    imports="",
    template=(
        "def decaying(names: list[str]) -> list[int]:\n"
        '    """1 for each weight that decays; 0 for biases, and for the gains and offsets of norms."""\n'
        "    return ..."
    ),
    hints=(
        "By what can you tell a bias, and by what a norm, in every spelling that the prompt gives?",
        "On other numbers: *a.bias*, *b.weight*, *ln_norm.weight* give 0, 1, 0.",
        '1 if the last part is not bias, gamma or ▢, and "norm" is not in name.▢()',
    ),
    answer=decaying,
    reference=decaying,
    result="a list of 0s and 1s",
    tensors=False,
    probes=(
        Probe(
            "the course",
            "With this course's names",
            {
                "names": [
                    "token.weight",
                    "embedding_norm.weight",
                    "embedding_norm.bias",
                    "layers.0.attention.output.weight",
                    "layers.0.attention_norm.weight",
                    "layers.0.inner.bias",
                    "classifier.weight",
                ]
            },
        ),
        Probe(
            "transformers",
            "With the names of `transformers`",
            {
                "names": [
                    "embeddings.word_embeddings.weight",
                    "embeddings.LayerNorm.weight",
                    "encoder.layer.0.output.LayerNorm.bias",
                    "encoder.layer.0.output.dense.weight",
                    "encoder.layer.0.output.dense.bias",
                ]
            },
        ),
        Probe(
            "the first release",
            "With the names of BERT's first release",
            {"names": ["bert.ln.gamma", "bert.ln.beta", "bert.dense.weight", "bias", "bias_maker.weight"]},
        ),
        Probe("short", "With names like norm1", {"names": ["norm1.weight", "head.weight", "norm1.bias"]}),
    ),
    singles=(
        MISTAKES["B10"].committed_by(_decaying(lambda name: True), phrase="everything that decays"),
        *(
            MISTAKES["B10"].committed_by(
                _decaying(keep), phrase="norms whose gains decay", then="Look at the names with *norm* in them."
            )
            for keep in (
                lambda name: _last_part(name) != "bias",
                lambda name: _last_part(name) == "weight",
                lambda name: "bias" not in name,
                lambda name: _last_part(name) not in ("bias", "gamma", "beta"),
            )
        ),
        *(
            MISTAKES["B10"].committed_by(
                _decaying(keep),
                phrase="norms in one spelling alone",
                why="A list written for one library lets the norms of another decay, in silence.",
                then="Ask what all spellings of a norm share.",
            )
            for keep in (
                lambda name: "LayerNorm" not in name and _last_part(name) not in ("bias", "gamma", "beta"),
                lambda name: "LayerNorm" not in name and _last_part(name) != "bias",
                lambda name: "LayerNorm" not in name and "bias" not in name,
            )
        ),
        *(
            MISTAKES["B10"].committed_by(
                _decaying(keep),
                phrase="norms by the three names of the prompt",
                why="Those are examples; `embedding_norm` is a norm, too.",
                then="Ask what all spellings of a norm share.",
            )
            for keep in (
                lambda name: _no_listed_norm(name) and _last_part(name) not in ("bias", "gamma", "beta"),
                lambda name: _no_listed_norm(name) and not any(p in name for p in ("bias", "gamma", "beta")),
                lambda name: _no_listed_norm(name) and _last_part(name) == "weight",
            )
        ),
        *(
            MISTAKES["B10"].committed_by(
                _decaying(keep),
                phrase="norms with small letters alone",
                why="*LayerNorm* has no *norm* in it: a capital is another letter.",
                then="Look at the names of `transformers`.",
            )
            for keep in (
                lambda name: "norm" not in name and _last_part(name) not in ("bias", "gamma", "beta"),
                lambda name: "norm" not in name and _last_part(name) != "bias",
                lambda name: "norm" not in name and "bias" not in name,
                lambda name: "norm" not in name and not any(p in name for p in ("bias", "gamma", "beta")),
            )
        ),
        *(
            MISTAKES["B10"].committed_by(
                _decaying(keep),
                phrase="gamma and beta that decay",
                why="In BERT's first release a norm's gain is called gamma.",
            )
            for keep in (
                lambda name: "norm" not in name.lower() and _last_part(name) != "bias",
                lambda name: "norm" not in name.lower() and "bias" not in name,
            )
        ),
        MISTAKES["B10"].committed_by(
            _decaying(lambda name: "norm" not in name.lower() and _last_part(name) not in ("bias", "beta")),
            phrase="gamma that decays",
            why="In BERT's first release a norm's gain is called gamma.",
        ),
        MISTAKES["B10"].committed_by(
            _decaying(lambda name: "norm" not in name.lower() and not name.endswith(".bias")
                      and _last_part(name) not in ("gamma", "beta")),
            phrase="a bias that stands alone and decays",
            why="A name may have no dot: `bias`.",
            then="Split the name at its dots and take the last part.",
        ),
        MISTAKES["B10"].committed_by(
            _decaying(lambda name: not any(part in name.lower() for part in ("norm", "bias", "gamma", "beta"))),
            phrase="a weight that is spared for a part of its name",
            why="*bias_maker.weight* is a weight; its last part says so.",
            then="Look at what stands behind the last dot.",
        ),
        *(
            MISTAKES["B10"].committed_by(
                _decaying(keep),
                phrase="token tables that do not decay",
                why="A token table is a weight matrix like others, and the prompt lets it decay.",
                then="Look at the names of the tables.",
            )
            for keep in (
                lambda name: decaying([name]) == [1] and "token" not in name and "embedding" not in name,
                lambda name: decaying([name]) == [1] and "token" not in name,
                lambda name: decaying([name]) == [1] and "embedding" not in name,
            )
        ),
        MISTAKES["E11"].committed_by(
            _decaying(lambda name: "norm" in name.lower() or name.split(".")[-1] in ("bias", "gamma", "beta"))
        ),
    ),
    shown="Norms and biases are spared in every spelling, and nothing else is.",
    transfer="What would show that a norm has been decaying?",
    review="10",
    see=HOW_FAR,
)  # fmt: skip

# 21. debug: runs with a bug

WHICH_RUN = Choice(
    id="bert.which_run",
    number=21,
    title="Four runs, one bug each",
    chapter="09",
    kind="debug",
    difficulty=4,
    minutes=8,
    prompt=(
        "Somebody fine-tunes MiniLM on film reviews, four times, with one bug each. The loss of every run falls. Notes"
        " from the logbook:\n\n"
        "```\n"
        "Q  one text, scored twice after training: .71, then .64\n"
        "R  largest change of the head's weights in 200 steps: 0\n"
        "S  one text, scored alone: .71; in a batch with a longer one: .58; alone again: .71\n"
        "T  of the pieces of all texts, 14 % are [UNK]; names and the first words of sentences among them\n"
        "```\n\n"
        "What is the bug of each?"
    ),
    hints=(
        "Which of the four has chance in it? Which weights does an optimizer move?",
        "On other numbers: the mean of 4, 2 and two places of padding is 3, or 1.5.",
        "Q: `model.▢()`. R: the optimizer was made ▢ the head. S: the ▢ is read. T: the ▢ were left on.",
    ),
    fields=(
        Choose(
            name="Q",
            question="Q",
            options={
                "A": Option("no `.eval()` after training", "Dropout draws anew at each call.", True),
                "B": Option("the rate was too high", "Then the score would be poor, and the same each time."),
                "C": Option("no seed was set", "Weights are fixed now; only what draws at scoring can change a score."),
            },
        ),
        Choose(
            name="R",
            question="R",
            options={
                "A": Option("the rate was too low", "A low rate moves a little, not nothing."),
                "B": Option("the optimizer was made before the head", "It never heard of the new weights.", True),
                "C": Option(
                    "`.eval()` was called before training", "It turns dropout off; weights learn all the same."
                ),
            },
        ),
        Choose(
            name="S",
            question="S",
            options={
                "A": Option("dropout was on", "Then the third score would differ from the first."),
                "B": Option(
                    "padding was read, by attention or by the mean", "Only the longer neighbour adds it.", True
                ),
                "C": Option("labels stand at other pieces", "Labels play no part when a text is scored."),
            },
        ),
        Choose(
            name="T",
            question="T",
            options={
                "A": Option("capitals were left on", "No piece of an uncased vocabulary has any.", True),
                "B": Option("the vocabulary is too small", "30,522 pieces hold every small letter."),
                "C": Option("[CLS] was cut like a word", "That gives brackets and letters, and no [UNK]."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["B12"].committed_by(
            {"Q": "B"},
            phrase="“a high rate makes scores restless”",
            why="A rate moves weights while they are trained; after training nothing moves them.",
            then="Ask what still draws when a text is scored.",
        ),
        MISTAKES["B12"].committed_by(
            {"Q": "C"},
            phrase="“the seed is missing”",
            why="A seed makes a draw repeatable; after training nothing should be drawn.",
            then="Ask what still draws when a text is scored.",
        ),
        MISTAKES["B13"].committed_by(
            {"R": "A"},
            phrase="“a low rate moves nothing”",
            why="A low rate moves a little at each step, and 200 steps add up; 0 is less than a little.",
            then="Ask which weights the optimizer was handed.",
        ),
        MISTAKES["B13"].committed_by(
            {"R": "C"},
            phrase="“`.eval()` stops learning”",
            why="`.eval()` changes dropout; `requires_grad` and the optimizer decide what learns.",
            then="Ask which weights the optimizer was handed.",
        ),
        MISTAKES["K9"].committed_by(
            {"S": "A"},
            phrase="“dropout explains every change of a score”",
            why="Dropout draws anew each time; here the score comes back once the neighbour is gone.",
            then="Ask what a longer neighbour adds to the row.",
        ),
        MISTAKES["K9"].committed_by(
            {"S": "C"},
            phrase="“misplaced labels”",
            why="A finished model sees no labels; what has changed is the batch.",
            then="Ask what a longer neighbour adds to the row.",
        ),
        MISTAKES["W7"].committed_by(
            {"T": "B"},
            phrase="“rare words are missing from the vocabulary”",
            why="A rare word is cut into pieces, and the first word of a sentence is seldom rare.",
            then="Ask what names share with the first words of sentences.",
        ),
        MISTAKES["W11"].committed_by(
            {"T": "C"},
            phrase="“marks are cut like words, and give [UNK]”",
            why="Cut, they give brackets and letters; and two marks in a text are not 14 %.",
            then="Ask what names share with the first words of sentences.",
        ),
        pair(MISTAKES["B12"], MISTAKES["K9"], {"Q": "B", "S": "A"}),
    ),
    shown="Four bugs, each told by one number that the loss does not show.",
    transfer="Which of the four would a higher accuracy on validation texts have hidden?",
    review="10",
    see=HOW_FAR,
)

# 22. claim

WHICH_PROBE = Choice(
    id="bert.which_probe",
    number=22,
    title="What a probe may say",
    chapter="09",
    kind="claim",
    difficulty=3,
    minutes=5,
    prompt=(
        "Parts of speech by a linear probe, one run, in percent of new words: 25 by always saying *noun*; 78 from layer"
        " 3 of a network with random weights; 88 from layer 3 of the trained one, and 87 from its layer 4. What may be"
        " printed?"
    ),
    hints=(
        "Which two numbers differ in training alone?",
        "On other numbers: 60 with a drug and 50 with a sugar pill make 10, not 60.",
        "88 − ▢ points; one run; *can be read off*, not *▢*.",
    ),
    fields=(
        Choose(
            name="training",
            question="About training",
            options={
                "A": Option("Training adds 63 points to layer 3.", "Random states are at 78 already, not at 25."),
                "B": Option(
                    "Training adds about 10 points to layer 3.", "Trained against random, the same probe.", True
                ),
                "C": Option("Training adds nothing: random states do it too.", "They do most of it, not all."),
            },
        ),
        Choose(
            name="layers",
            question="About layers 3 and 4",
            options={
                "A": Option("Layer 3 knows more than layer 4.", "One point in one run; other words may turn it."),
                "B": Option("Both know the same.", "One run shows no equality either."),
                "C": Option("A point apart in one run: no order is shown.", "That is what was measured.", True),
            },
        ),
        Choose(
            name="use",
            question="About the model",
            options={
                "A": Option(
                    "It uses parts of speech in layer 3.", "A probe reads; whether anything else does is open."
                ),
                "B": Option("They can be read off layer 3 by a linear map.", "No more was shown.", True),
                "C": Option("It has learnt grammar.", "Twelve kinds of words are a small part of that."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["E10"].committed_by({"training": "A"}),
        MISTAKES["E10"].committed_by(
            {"training": "C"},
            phrase="“the control explains it all”",
            why="The control stands at 78, and the trained layer at 88.",
            then="Work out what is left beyond the control.",
        ),
        MISTAKES["S5"].committed_by({"layers": "A"}, see=LAYERS),
        MISTAKES["S6"].committed_by(
            {"layers": "B"}, why="A difference that is not seen in one run is no equality.", see=LAYERS
        ),
        MISTAKES["S5"].committed_by({"use": "A"}, phrase="“it can be read, so it is used”", see=LAYERS),
        MISTAKES["S5"].committed_by({"use": "C"}, see=LAYERS),
    ),
    shown="Control taken away, no order without runs, and *read off* instead of *used*.",
    transfer="What would you change in the network to see whether it uses what you read?",
    review="10",
    see=LAYERS,
)

EXERCISES = (PREDICT_THE_NAMES, PIECE_LABELS, BEST_ANSWER, DECAYING, WHICH_RUN, WHICH_PROBE)
