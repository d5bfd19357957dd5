"""Lists that pages show but nobody types: the glossary, the results and the data cards."""

import json
from html import escape
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).resolve().parents[1]


class Written(SphinxDirective):
    """A directive that writes Markdown, which is then read as part of the page."""

    def run(self):
        holder = nodes.section()
        holder.document = self.state.document
        lines = StringList(self.markdown().splitlines(), source=self.env.doc2path(self.env.docname))
        self.state.nested_parse(lines, 0, holder, match_titles=True)
        return holder.children


def anchor(term):
    """The anchor of a term on the glossary page."""
    return "term-" + term.lower().replace(" ", "-")


class Glossary(Written):
    """`{terms}`: every term of book/glossary.yml with its meaning and where it is introduced."""

    def markdown(self):
        terms = yaml.safe_load((BOOK / "glossary.yml").read_text())
        return "\n\n".join(map(self.entry, sorted(terms, key=lambda entry: entry["term"].lower())))

    def entry(self, entry):
        page = entry["introduced_in"]
        known = page in self.env.found_docs
        where = f"[](/{page})" if known else f"chapter {page.split('/')[1][:2]}, in preparation"
        return f'<span id="{anchor(entry["term"])}"></span>\n\n**{entry["term"]}**\n: {entry["meaning"]} *First met in* {where}.'


class Results(Written):
    """`{results}`: every measured claim of book/results, one row each."""

    def markdown(self):
        files = sorted((BOOK / "results").glob("*.json"))
        if not files:
            return "No experiment has been published yet. Each one will appear here, whatever it shows."
        head = "| claim | paper | effect | verdict | seconds |\n|---|---|---|---|---|\n"
        return head + "\n".join(self.row(json.loads(path.read_text())) for path in files)

    def row(self, result):
        effect = result["effect"]
        interval = f"{effect['mean']:.3g} ({effect['low']:.3g} to {effect['high']:.3g}) {effect['unit']}"
        cells = [result["claim"], result["paper"], interval, result["verdict"], f"{result['seconds']:.0f}"]
        return "| " + " | ".join(escape(str(cell)).replace("|", "\\|") for cell in cells) + " |"


def setup(app):
    app.add_directive("terms", Glossary)
    app.add_directive("results", Results)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
