"""What the first page computes: the toy sentence, the start button and the path through the chapters.

Nothing about a chapter is typed twice: its title is in book/chapters.yml, its minutes are in the lesson, and whether it
exists is in _toc.yml.
"""

import json
import math
import re
from html import escape
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from qkv import toy

ROOT = Path(__file__).resolve().parents[2]


def shares(query, keys):
    """Attention weights of one query, softmax(q·k / √d_k), in plain Python: (d_k), (t_k, d_k) -> (t_k)."""
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) / math.sqrt(len(query)) for key in keys]
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def toy_rows():
    """One row for each word that is read: (word, its share when hungry, its share when wet)."""
    hungry, wet = shares(toy.QUERY[2], toy.KEY), shares(toy.QUERY_IT_WET, toy.KEY)
    return list(zip(toy.WORDS, hungry, wet, strict=True))


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


class Toy(Markup):
    """The toy sentence with its swap.  The style sheet shows the chosen state; without it both stand side by side."""

    def markup(self):
        rows = "".join(
            f'<tr style="--hungry:{hungry:.3f};--wet:{wet:.3f}"><th scope="row"><b class="tag k">{word}</b></th>'
            f'<td class="meter" aria-hidden="true"><span></span></td>'
            f'<td class="hungry">{hungry:.2f}</td><td class="wet">{wet:.2f}</td></tr>'
            for word, hungry, wet in toy_rows()
        )
        before, after = toy.SENTENCE.removesuffix("hungry.").split(" it ")
        start = re.sub(r"\b(cat|mat)\b", r'<b class="tag k">\1</b>', f"{before} ")
        return TOY.format(start=start, it=f'<b class="tag q">it</b> {after}', rows=rows)


TOY = """<div class="toy">
<fieldset><legend>Change one word.</legend>
<p class="sentence">{start}{it}<span class="swap">
<label><input type="radio" name="toy" id="toy-hungry" checked><span>hungry</span></label>
<label><input type="radio" name="toy" id="toy-wet"><span>wet</span></label></span>.</p></fieldset>
<table><caption>What <b class="tag q">it</b> takes from each word</caption>
<thead><tr><th scope="col">word</th><td class="meter"></td>
<th scope="col" class="hungry">hungry</th><th scope="col" class="wet">wet</th></tr></thead>
<tbody>{rows}</tbody></table>
<p class="says" aria-live="polite"><span class="hungry">With <em>hungry</em>, most comes from <em>cat</em>.</span>
<span class="wet">With <em>wet</em>, most comes from <em>mat</em>.</span></p>
</div>"""


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
    for name, directive in {"toy": Toy, "start": Start, "path": Way}.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
