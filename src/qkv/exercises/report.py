"""What a learner reads: one report per check, in plain text and in HTML, by the course's wording rules.

Order: what holds, where it differs, why (name, code, mechanism), one next action and a link; at most 70 words.
Text marks emphasis with ``*row*`` and code with backticks.
"""

import html
import math
import re
from dataclasses import dataclass
from typing import Any, Final

from qkv.exercises.chapters import lesson_of

PASSED: Final = "passed"
FAILED: Final = "failed"
NOT_ATTEMPTED: Final = "not attempted"
ICONS: Final = {PASSED: "✓", FAILED: "✗", NOT_ATTEMPTED: "○"}
COLOURS: Final = {
    PASSED: "var(--pass, #0B6E4F)",
    FAILED: "var(--fail, #A11D33)",
    NOT_ATTEMPTED: "var(--muted, #48566B)",
}
LESSON: Final = "../../chapters/{folder}/{lesson}.ipynb#{anchor}"  # from workbook/NN_name/ and from chapters/NN_name/


@dataclass(frozen=True)
class Report:
    """The answer of ``check``.

    ``status`` is "passed", "failed" or "not attempted"; ``mistake`` is a code such as "A1", "A1+A4" where two mistakes
    were made together, "A3 or A10" where two fit, or None; ``inputs`` holds the probe at which a function first failed.
    """

    exercise: str
    title: str
    status: str
    body: str
    mistake: str | None = None
    see: str = ""  # a heading of the lesson
    folder: str = ""  # the chapter's folder
    inputs: Any = None
    notes: tuple[str, ...] = ()  # about the learner's stored progress

    @property
    def message(self) -> str:
        """The whole message as plain text."""
        return " ".join(filter(None, [self.body, f"→ {self.see}" if self.see else "", *self.notes]))

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code named in ``mistake``."""
        return tuple(re.split(r"\+| or ", self.mistake)) if self.mistake else ()

    def __str__(self) -> str:
        return f"{self.title}: {ICONS[self.status]} {self.status}\n{self.message}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lesson, number = lesson_of(self.folder, self.see)
        link = LESSON.format(folder=self.folder, lesson=lesson, anchor=html.escape(anchor(self.see, number)))
        see = f' → <a href="{link}">{html.escape(self.see)}</a>' if self.see else ""
        notes = "".join(f"<p>{mark_up(note)}</p>" for note in self.notes)
        return (
            f'<section class="qkv-report" role="status" style="border-left: 4px solid {COLOURS[self.status]};'
            f' padding: 4px 16px; max-width: 66ch"><p><strong>{mark_up(self.title)}: {ICONS[self.status]} '
            f"{self.status}</strong></p><p>{mark_up(self.body)}{see}</p>{notes}</section>"
        )


def anchor(section: str, number: int) -> str:
    """A section's anchor in JupyterLab, where headings carry their number; 0 stands for none."""
    return (f"{number}. {section}" if number else section).replace(" ", "-")


def slug(section: str) -> str:
    """A section's anchor on the site: "whose-shares-add-up-to-1"."""
    plain = section.lower().encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


class Note(str):
    """Text that a notebook shows as it is, without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f'<pre style="white-space: pre-wrap">{html.escape(self)}</pre>'


def mark_up(text: str) -> str:
    """HTML for text with ``*emphasis*`` and code in backticks."""
    escaped = html.escape(text, quote=False)
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?!\w)", r"<em>\1</em>", escaped)


def block_html(text: str) -> str:
    """HTML for paragraphs and fenced code blocks."""
    parts = re.split(r"```\w*\n(.*?)```", text, flags=re.S)
    shown = []
    for number, part in enumerate(parts):
        if number % 2:
            shown.append(f"<pre><code>{html.escape(part.rstrip())}</code></pre>")
        else:
            shown += [f"<p>{mark_up(p.strip())}</p>" for p in part.split("\n\n") if p.strip()]
    return "".join(shown)


def figure(number: float) -> str:
    """Three digits, no leading zero: .912, −.412, 3.33, 10; NaN and ∞ by name."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    text = f"{number:.3g}"
    if "e" in text and 1e-4 <= abs(number) < 1e6:
        text = f"{number:.0f}"
    return re.sub(r"^(−?)0\.", r"\1.", text.replace("-", "−"))


def two_figures(given: float, expected: float) -> tuple[str, str]:
    """Both numbers with three digits, or with as many as it takes to tell them apart."""
    a, b = figure(given), figure(expected)
    return (a, b) if a != b else (f"{given:.9g}".replace("-", "−"), f"{expected:.9g}".replace("-", "−"))
