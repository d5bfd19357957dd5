"""Chapter 09: slips that passed or had no name, and things said that were not so."""

import itertools

import pytest

from qkv.exercises import check
from qkv.exercises.bert import choose_words, make_gaps, pair_score, wordpiece_encode
from qkv.exercises.bert_mistakes import FOLLOWS
from qkv.exercises.engine import find


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("QKV_HOME", str(tmp_path))


def filled(**wrong):
    """The report on the right answer with these fields changed."""

    def report(identifier):
        right = {field.name: field.right for field in find(identifier).fields}
        return check(identifier, right | wrong)

    return report


# --- the score of a pair


def score_with(left_of, right_of):
    """The template, its first two gaps filled."""

    def score(words, times, left, right):
        together = lefts = rights = 0
        for word, n in zip(words, times, strict=True):
            together += n * sum(pair == (left, right) for pair in itertools.pairwise(word))
            lefts += left_of(word, n, left, right)
            rights += right_of(word, n, left, right)
        return together / (lefts * rights)

    return score


def weighted(of):
    return lambda word, n, left, right: n * word.count(left if of == "left" else right)


def unweighted(of):
    return lambda word, n, left, right: word.count(left if of == "left" else right)


def inside(of, weigh=False):
    return lambda word, n, left, right: (n if weigh else 1) * ((left if of == "left" else right) in word)


@pytest.mark.parametrize(
    ("left_of", "right_of", "code"),
    [
        (weighted("left"), weighted("right"), None),
        (unweighted("left"), unweighted("right"), "W8"),
        (unweighted("left"), weighted("right"), "W8"),
        (weighted("left"), unweighted("right"), "W8"),
        (inside("left"), inside("right"), "W8"),
        (inside("left", True), inside("right", True), "W8"),
        (weighted("left"), weighted("left"), "E3"),
        (weighted("right"), weighted("right"), "E3"),
    ],
)
def test_what_the_gaps_of_the_score_invite_has_a_name(left_of, right_of, code):
    report = check("bert.pair_score", score_with(left_of, right_of))
    assert (report.status, report.mistake) == ("failed" if code else "passed", code), report.message


def test_pieces_are_no_letters_of_a_joined_word():
    def joined(words, times, left, right):
        lefts = sum(n * "".join(word).count(left) for word, n in zip(words, times, strict=True))
        return pair_score(words, times, left, right) * sum(pair_counts(words, times, left)) / lefts

    def pair_counts(words, times, left):
        return (n * word.count(left) for word, n in zip(words, times, strict=True))

    assert "For *o ##o*" in check("bert.pair_score", joined).message


# --- other functions of lists


def test_ids_are_no_digits_of_a_joined_row():
    def by_text(ids, left, right, new):
        return [int(x) for x in " ".join(map(str, ids)).replace(f"{left} {right}", str(new)).split()]

    assert "With 11 2 1 2" in check("bert.merge", by_text).message


def moved(limits):
    """Make the draws at the limits count as below them."""
    return lambda draws: [draw - 1e-9 if draw in limits else draw for draw in draws]


@pytest.mark.parametrize(("choice", "fate"), [((0.15,), ()), ((), (0.8,)), ((), (0.9,))])
def test_a_draw_at_the_limit_is_not_below_it(choice, fate):
    def at_most(ids, chances, fates, *rest):
        return make_gaps(ids, moved(choice)(chances), moved(fate)(fates), *rest)

    assert "exactly" in check("bert.make_gaps", at_most).message


def test_a_word_at_the_limit_is_not_below_it():
    report = check("bert.choose_words", lambda goes_on, draws: choose_words(goes_on, moved((0.15,))(draws)))
    assert "exactly" in report.message


def test_a_word_of_a_hundred_is_not_too_long():
    def at_least(word, vocabulary):
        return wordpiece_encode("x" * 101 if len(word) >= 100 else word, vocabulary)

    report = check("bert.wordpiece_encode", at_least)
    assert report.mistake == "W6"
    assert "not yet" in report.message


@pytest.mark.parametrize("start", [None, [], [0, 0], [-1, -1]])
def test_a_search_that_begins_at_nought_has_a_name(start):
    def search(first, last, may_answer, longest):
        best, found = 0, start
        for i in range(len(first)):
            for j in range(i, min(i + longest, len(last))):
                if may_answer[i] and may_answer[j] and first[i] + last[j] > best:
                    best, found = first[i] + last[j], [i, j]
        return found

    def search_without_a_start(first, last, may_answer, longest):
        if (answer := search(first, last, may_answer, longest)) != start:
            found = answer
        return found

    for answer in (search, search_without_a_start):
        assert check("bert.best_answer", answer).mistake == "E13"


# --- choices


@pytest.mark.parametrize(
    ("identifier", "wrong", "said", "unsaid"),
    [
        ("which_tally", {"R": "A"}, "row P", "two separate draws"),
        ("which_tally", {"Q": "B"}, "column", "row of labels"),
        ("which_tally", {"R": "C"}, "column", "in your labels"),
        ("which_loop", {"input": "C"}, "takes a letter away", "More than a hundred"),
        ("which_loop", {"version": "B"}, "grows", "marks that are cut"),
        ("which_loop", {"input": "B"}, "[UNK]", "marks that are cut"),
        ("next_or_not", {"shows": "A"}, "“a falling loss shows right labels”", "gaps"),
        ("which_sentence", {"tweets": "A"}, "it has seen the very tweets", "rare words"),
        ("again", {"gaps": "A"}, "Ask what the second epoch would ask.", "generator"),
        ("predict_the_pieces", {"replayed": "A"}, "Try the longest piece first.", "your loop"),
        ("predict_the_pieces", {"replayed": "A", "playing": "B"}, "Try the longest piece first.", "your loop"),
    ],
)
def test_a_belief_speaks_of_what_was_chosen(identifier, wrong, said, unsaid):
    report = filled(**wrong)(f"bert.{identifier}")
    assert report.mistake
    assert said in report.message
    assert unsaid not in report.message


@pytest.mark.parametrize("wrong", [{"shows": "A"}, {"shows": "B"}, {"later": "A"}, {"later": "B"}])
def test_pairs_are_explained_where_they_stand(wrong):
    assert filled(**wrong)("bert.next_or_not").see == FOLLOWS


def test_a_pass_is_told_without_bare_codes():
    assert "K1" not in filled()("bert.which_tally").message


def test_hints_speak_of_what_is_there():
    assert "Two lines" not in find("bert.order_the_batch").hints[0]
    assert "On other numbers of names" not in find("bert.decaying").hints[1]
