"""Lists that pages show but nobody types: the glossary, the notation, the results and the data cards."""

import json
import re
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from qkv import data
from qkv.recipes import result

BOOK = Path(__file__).resolve().parents[1]


class Written(SphinxDirective):
    """A directive that writes Markdown, which is then read as part of the page."""

    def run(self):
        holder = nodes.section()
        holder.document = self.state.document
        lines = StringList(self.markdown().splitlines(), source=self.env.doc2path(self.env.docname))
        self.state.nested_parse(lines, 0, holder, match_titles=True)
        return holder.children


def read(name):
    """A list of the book's own, such as glossary.yml."""
    return yaml.safe_load((BOOK / name).read_text())


class Glossary(Written):
    """`{terms}`: every term of book/glossary.yml with its meaning and where it is introduced."""

    def markdown(self):
        return "\n\n".join(map(self.entry, sorted(read("glossary.yml"), key=lambda entry: entry["term"].lower())))

    def entry(self, entry):
        page = entry["introduced_in"]
        chapter = page.split("/")[1][:2]
        where = f"[chapter {chapter}](/{page})" if page in self.env.found_docs else f"chapter {chapter}, in preparation"
        anchor = "term-" + entry["term"].lower().replace(" ", "-")
        return f"({anchor})=\n**{entry['term']}.** {entry['meaning']} *Introduced in* {where}."


def short(name):
    """A full name as people write it: x.f(mask) -> mask, x.f[t_q] -> t_q, x.Class(size) -> Class(size), x.f -> f."""
    if name is None:
        return "–"
    path, _, inner = re.fullmatch(r"([\w.]+)([(\[](\w+)[)\]])?", name).groups()
    owner = path.removesuffix(".forward").rpartition(".")[2]
    if inner is None:
        return f"`{owner}`"
    return f"`{owner}({inner})`" if owner[0].isupper() else f"`{inner}`"


class Notation(Written):
    """`{notation}`: the rows of one group of book/notation.yml."""

    required_arguments = 1

    def markdown(self):
        rows = [row for row in read("notation.yml") if row["group"] == self.arguments[0]]
        head = "| paper | here | PyTorch | `transformers` | meaning |\n|---|---|---|---|---|\n"
        return head + "\n".join(map(self.row, rows))

    def row(self, row):
        names = [short(row.get(package)) for package in ("qkv", "torch", "transformers")]
        return "| " + " | ".join([row["paper"], *names, row["meaning"]]) + " |"


class Results(Written):
    """`{results}`: every measured claim of book/results, one box each; until there is one, a sentence that says so."""

    def markdown(self):
        if not result.names():
            return "No experiment has been published yet. Each one will appear here, whatever it shows."
        return ":::{claim-list}\n:::"


class Speed(Written):
    """`{speed} ratios` and `{speed} growth`: the tables that `python -m qkv bench --write book/speed.json` measured."""

    required_arguments = 1

    def markdown(self):
        measured = json.loads((BOOK / "speed.json").read_text())
        return getattr(self, self.arguments[0])(measured)

    def ratios(self, measured):
        rows = [
            f"| {row['name']} | {row['work']} | {size(row['size'])} | {median:.2f} ({low:.2f} to {high:.2f}) |"
            for row in measured["ratios"]
            for median, low, high in [row["ratio"]]
        ]
        return "| ours / theirs | work | size | ratio of times |\n|---|---|---|---|\n" + "\n".join(rows)

    def growth(self, measured):
        costs = ("seconds", "operations", "fused_bytes", "explicit_bytes")
        rows = [
            f"| {row['axis']} | {size(row['from'])} | {size(row['to'])} | "
            + " | ".join(f"{row[each]:.2f}" for each in costs)
            + " |"
            for row in measured["growth"]
        ]
        head = "| grows | from | to | time | operations | memory, fused | memory, step by step |"
        return f"{head}\n|---|---|---|---|---|---|---|\n" + "\n".join(rows)


def size(numbers):
    """(16, 64, 192) -> 16×64×192, which no line breaks."""
    return "×".join(map(str, numbers))


class DataCards(Written):
    """`{data-cards}`: the card of every data set, as `qkv.data` writes it, one heading lower."""

    def markdown(self):
        cards = map(data.card, sorted(data.catalogue()))
        return "\n\n".join(re.sub(r"^(#+) ", r"#\1 ", card, flags=re.MULTILINE) for card in cards)


class HubSets(Written):
    """`{hub-sets}`: the sets that are on the hub alone."""

    def markdown(self):
        rows = [
            f'| `load("{each.name}", source="hub")` | {each.holds} | `{each.hub_id}` | {each.instead} |'
            for each in data.HUB_SETS.values()
        ]
        return "| call | what it holds | hub id (not tested here) | in its place |\n|---|---|---|---|\n" + "\n".join(
            rows
        )


def setup(app):
    for name, directive in {
        "terms": Glossary,
        "notation": Notation,
        "results": Results,
        "data-cards": DataCards,
        "hub-sets": HubSets,
        "speed": Speed,
    }.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
