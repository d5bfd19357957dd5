"""What the first page computes: a message of the checker, the start button and the path through the chapters.

Nothing about a chapter is typed twice: its title is in book/chapters.yml, its minutes are in the lesson, and whether it
exists is in _toc.yml.
"""

import json
import re
from html import escape
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from qkv.exercises.engine import find, judged, mutants
from qkv.exercises.report import ICONS, mark_up, slug

ROOT = Path(__file__).resolve().parents[2]


def lesson_files(toc):
    """Paths of the lessons in the order of the table of contents, without suffix."""
    entries = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [name for name in entries if re.match(r"chapters/\d\d_\w+/lesson", name)]


def minutes_of(lesson):
    """Minutes that a lesson announces at its top."""
    cells = json.loads((ROOT / f"{lesson}.ipynb").read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells[:4] if cell["cell_type"] == "markdown")
    if not (found := re.search(r"(\d+)\s+minutes", text)):
        raise ValueError(f"{lesson}.ipynb: expected '<number> minutes' in its first four cells, found none")
    return int(found[1])


def chapters():
    """Every chapter of the course with the lessons that exist: number, title, builds, lessons, minutes."""
    written = lesson_files(yaml.safe_load((ROOT / "_toc.yml").read_text()))
    plan = yaml.safe_load((ROOT / "book" / "chapters.yml").read_text())
    for chapter in plan:
        chapter["lessons"] = [name for name in written if name.split("/")[1] == chapter["folder"]]
        chapter["number"] = chapter["folder"][:2]
        chapter["minutes"] = sum(map(minutes_of, chapter["lessons"]))
    return plan


class Markup(SphinxDirective):
    """A directive whose HTML is written by `markup()`."""

    def link(self, docname):
        return self.env.app.builder.get_relative_uri(self.env.docname, docname)

    def run(self):
        return [nodes.raw("", self.markup(), format="html")]


class CheckerSays(Markup):
    """What the checker answers to a known mistake: it is asked while the page is built."""

    required_arguments = 2

    def markup(self):
        identifier, code = self.arguments
        exercise = find(identifier)
        report = judged(exercise, mutants(identifier)[code])
        lesson = self.link(f"chapters/{report.folder}/lesson")
        return (
            f'<figure class="says"><blockquote><p><strong>{mark_up(report.title)}: {ICONS[report.status]} '
            f"{report.status}</strong></p><p>{mark_up(report.body)} → "
            f'<a href="{lesson}#{slug(report.see)}">{escape(report.see)}</a></p></blockquote></figure>'
        )


class Start(Markup):
    """One button: the first chapter that exists."""

    def markup(self):
        first = next((chapter for chapter in chapters() if chapter["lessons"]), None)
        if first is None:
            return f'<p class="start"><a href="{self.link("book/how-to-use")}">Start: set up</a></p>'
        text = f"Start: {first['number']} {first['title']}"
        minutes = f"<small>{first['minutes']} minutes</small>"
        return f'<p class="start"><a href="{self.link(first["lessons"][0])}">{escape(text)} {minutes}</a></p>'


class Way(Markup):
    """The chapters as a path; an unwritten one says so."""

    def step(self, chapter):
        title, note = escape(chapter["title"]), "in preparation"
        if chapter["lessons"]:
            title, note = f'<a href="{self.link(chapter["lessons"][0])}">{title}</a>', f"{chapter['minutes']} minutes"
        state = "ready" if chapter["lessons"] else "planned"
        return (
            f'<li class="{state}"><span class="number">{chapter["number"]}</span><div><h3>{title}</h3>'
            f'<p>{escape(chapter["builds"])}</p></div><span class="note">{note}</span></li>'
        )

    def markup(self):
        return f'<ol class="path">{"".join(map(self.step, chapters()))}</ol>'


def setup(app):
    for name, directive in {"checker-says": CheckerSays, "start": Start, "path": Way}.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
