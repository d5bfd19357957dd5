"""The counts behind the claim about vocabularies, on a few passages."""

from qkv.recipes import vocabulary_size
from qkv.recipes.protocol import measure

SMOKE = vocabulary_size.PRESETS["smoke"]


def test_words_leave_some_unknown_and_pieces_take_more_tokens(tmp_path):
    result = measure("vocabulary-size", vocabulary_size, SMOKE, range(1), tmp_path)
    facts = vocabulary_size.facts(result)
    assert facts["unknown words 500"].value > facts["unknown words 1000"].value > 0
    assert facts["tokens pieces 500"].value > facts["tokens pieces 1000"].value > 1
    assert facts["tokens words 500"].value == 1
    assert len(vocabulary_size.differences({}, result.values)) == 2 * SMOKE.num_passages


def test_a_vocabulary_of_words_begins_with_the_most_frequent():
    assert list(vocabulary_size.whole_words(SMOKE, 20))[5:8] == [",", ".", "and"]
    assert len(vocabulary_size.whole_words(SMOKE, 20)) == 20
