"""Live figures on the static site.

``{figure-live} stepper`` places a figure; the option ``:compact:`` gives its short form.  Each page that holds a
``<qkv-figure>``, written by the directive or by a notebook's output, loads that figure's script and no other.
The scripts are classic ones, so that figures live on pages opened from ``file://`` too.
"""

import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from qkv.figures import pictures, scripts

FOLDER = "figures"


class FigureLive(SphinxDirective):
    required_arguments = 1
    option_spec = {"compact": directives.flag}  # noqa: RUF012

    def run(self):
        name = self.arguments[0]
        if name not in scripts.NAMES:
            raise self.error(f"no figure is called {name!r}; expected one of {', '.join(scripts.NAMES)}")
        return [nodes.raw("", pictures.element(name, "compact" in self.options), format="html")]


def write_scripts(app):
    if app.builder.format == "html":
        folder = Path(app.outdir) / "_static" / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for name in scripts.NAMES:
            (folder / f"{name}.js").write_text(scripts.classic(name), encoding="utf-8")


def add_scripts(app, pagename, templatename, context, doctree):
    for name in sorted(set(re.findall(r'<qkv-figure name="(\w+)"', context.get("body", "")))):
        app.add_js_file(f"{FOLDER}/{name}.js", loading_method="defer")


def setup(app):
    app.add_directive("figure-live", FigureLive)
    app.connect("builder-inited", write_scripts)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
