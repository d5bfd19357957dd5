"""WordNet: which parts of speech a word of English can have, and what nouns stand above a noun."""

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


@cache
def hypernyms() -> Mapping[str, tuple[frozenset[str], ...]]:
    """Noun, lower case and a single word → for each of its senses the nouns that WordNet 3.0 has above it.

    The commonest sense comes first.  robin → ({"thrush", "bird", "animal", …}, …); a noun is not above itself.
    """
    words, above = _nouns()
    found: dict[str, tuple[frozenset[str], ...]] = {}
    for line in assets.path("wordnet", "index.noun").read_text("ascii").splitlines():
        word, *rest = line.split()
        if word.isalpha() and not line.startswith(" "):
            senses = (offset for offset in rest if len(offset) == 8 and offset.isdigit())
            found[word] = tuple(frozenset(_ancestors(sense, words, above) - {word}) for sense in senses)
    return found


def _nouns() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Offset of each noun sense → its single words, and → the offsets above it (pointers ``@`` and ``@i``)."""
    words: dict[str, list[str]] = {}
    above: dict[str, list[str]] = {}
    for line in assets.path("wordnet-senses", "data.noun").read_text("ascii").splitlines():
        if line.startswith(" "):
            continue
        offset, _, _, number, *rest = line.partition(" | ")[0].split()
        count = 2 * int(number, 16)  # a word and a number each
        words[offset] = [word.lower() for word in rest[:count:2] if word.isalpha()]
        pointers = rest[count + 1 :]
        above[offset] = [pointers[i + 1] for i in range(0, len(pointers), 4) if pointers[i] in ("@", "@i")]
    return words, above


def _ancestors(sense: str, words: Mapping[str, list[str]], above: Mapping[str, list[str]]) -> set[str]:
    waiting, found, met = list(above[sense]), set[str](), set[str]()
    while waiting:
        sense = waiting.pop()
        if sense not in met:
            met.add(sense)
            found.update(words[sense])
            waiting += above[sense]
    return found
