"""Chapter 09: slips that passed or had no name, and things said that were not so."""

import itertools

import pytest
import torch

from qkv.exercises import check
from qkv.exercises.bert import choose_words, make_gaps, pair_score, wordpiece_encode
from qkv.exercises.bert_mistakes import FOLLOWS, WHICH_STATE
from qkv.exercises.bert_tensors import mask_tokens
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


# --- masking


def masked_with(exchange, generator_of=lambda generator: generator):
    """A right masking, but for the source of its draws and the tokens that are exchanged."""

    def mask(ids, special_mask, mask_id, vocab_size, generator):
        source = generator_of(generator)
        chosen = (torch.rand(ids.shape, generator=source) < 0.15) & ~special_mask
        fate = torch.rand(ids.shape, generator=source)
        masked = torch.where(chosen & (fate >= 0.9), exchange(ids, vocab_size, generator), ids)
        return masked.masked_fill(chosen & (fate < 0.8), mask_id), ids.masked_fill(~chosen, -100)

    return mask


def evenly(ids, vocab_size, generator):
    return torch.randint(vocab_size, ids.shape, generator=generator)


def from_elsewhere(ids, vocab_size, generator):
    return torch.randint(vocab_size, ids.shape)


@pytest.mark.parametrize(
    "answer",
    [
        masked_with(evenly, lambda generator: None),
        masked_with(from_elsewhere),
        masked_with(from_elsewhere, lambda g: None),
    ],
)
def test_draws_come_from_the_generator_alone(answer):
    assert check("bert.mask_tokens", masked_with(evenly)).status == "passed"
    report = check("bert.mask_tokens", answer)
    assert report.mistake == "E14", report.message


@pytest.mark.parametrize(
    "exchange",
    [
        lambda ids, vocab_size, generator: ids.roll(1),
        lambda ids, vocab_size, generator: ids.roll(-1, 1),
        lambda ids, vocab_size, generator: ids.flatten()[torch.randperm(ids.numel(), generator=generator)].view_as(ids),
        lambda ids, vocab_size, generator: torch.randint(1000, vocab_size, ids.shape, generator=generator),
    ],
)
def test_exchanged_tokens_are_drawn_from_all_of_the_vocabulary(exchange):
    report = check("bert.mask_tokens", masked_with(exchange))
    assert (report.status, report.mistake) == ("failed", "E1"), report.message
    assert "ids below 1000" in report.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda masked, labels: masked, "returns a tensor alone"),
        (lambda masked, labels: (masked, labels, labels != -100), "returns a tuple of 3"),
        (lambda masked, labels: [masked], "returns a list of 1"),
        (lambda masked, labels: (labels, masked), "first the masked ids, then the labels"),
        (lambda masked, labels: None, "Is there a `return`?"),
    ],
)
def test_what_is_returned_is_told_without_contradiction(change, said):
    message = check("bert.mask_tokens", lambda *arguments: change(*mask_tokens(*arguments))).message
    assert said in message
    assert "Return one value" not in message


def test_the_inputs_of_the_report_can_be_handed_over():
    def stumbles(ids, special_mask, mask_id, vocab_size, generator):
        return ids[special_mask] + ids

    report = check("bert.mask_tokens", stumbles)
    assert "`report.inputs`" in report.message
    assert len(mask_tokens(**report.inputs)) == 2
    with pytest.raises(RuntimeError):
        stumbles(**report.inputs)


def test_a_step_per_token_is_called_slow_and_not_endless():
    def by_token(ids, special_mask, mask_id, vocab_size, generator):
        masked, labels = ids.clone(), torch.full_like(ids, -100)
        for i in range(len(ids)):
            for j in range(ids.shape[1]):
                if not special_mask[i, j] and torch.rand((), generator=generator) < 0.15:
                    labels[i, j] = ids[i, j]
                    masked[i, j] = mask_id
        return masked, labels

    message = check("bert.mask_tokens", by_token).message
    assert "One Python step per token is too slow for half a million tokens" in message
    assert "never changes" not in message


# --- heads on tensors


@pytest.mark.parametrize("sizes", [lambda x: x.shape, lambda x: x.shape[-1]])
def test_a_norm_over_other_axes_has_a_name(sizes):
    def head(hidden, weight, offset, tokens, bias):
        x = torch.nn.functional.gelu(hidden @ weight.T + offset)
        return torch.nn.functional.layer_norm(x, sizes(x)) @ tokens.T + bias

    assert check("bert.piece_scores", head).mistake == "K12"


@pytest.mark.parametrize(
    "pool", [lambda hidden, lengths: hidden.mean(1), lambda hidden, lengths: hidden.sum(1) / lengths[:, None]]
)
def test_the_mean_is_explained_where_it_stands(pool):
    assert check("bert.mean_pool", pool).see == WHICH_STATE


def test_every_mistake_of_the_mean_leads_to_one_section():
    assert {mutant.see for mutant in find("bert.mean_pool").bank()} == {WHICH_STATE}


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
