"""A mistake that a checker knows by name: what the answer equals, why it matters, what to do next, where to read.

A mutant is one answer that commits a mistake; the same mistake may have several.
"""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, eq=False)
class Mutant:
    """An answer with a known mistake.  ``phrase`` completes "Your output equals that of …"."""

    code: str
    phrase: str
    why: str
    then: str
    see: str
    answer: Any = None

    def committed_by(self, answer: Any, **changes: str) -> "Mutant":
        """The same mistake made by this answer; ``changes`` replace words where this answer needs others."""
        return replace(self, answer=answer, **changes)
