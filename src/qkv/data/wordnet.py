"""WordNet's index: which parts of speech a word of English can have."""

from collections.abc import Mapping
from functools import cache

from qkv import assets

FILES = {"index.noun": "noun", "index.verb": "verb", "index.adj": "adjective", "index.adv": "adverb"}


@cache
def parts_of_speech() -> Mapping[str, frozenset[str]]:
    """Base form, lower case → the parts of speech under which WordNet 3.0 lists it; ``cat`` → noun, verb.

    Words of grammar (the, of, it) and inflected forms (cats, walked) have no entry of their own.
    """
    found: dict[str, set[str]] = {}
    for file, kind in FILES.items():
        for line in assets.path("wordnet", file).read_text("ascii").splitlines():
            if not line.startswith(" "):  # the licence stands at the head of each file
                found.setdefault(line.split(" ", 1)[0], set()).add(kind)
    return {word: frozenset(kinds) for word, kinds in found.items()}


def only_part_of_speech(word: str) -> str | None:
    """The word's part of speech where WordNet knows one alone; None where it knows none or several."""
    kinds = parts_of_speech().get(word.lower(), frozenset())
    return next(iter(kinds)) if len(kinds) == 1 else None
