"""The API pages: every public module of a package, signatures as written, and links code ↔ lesson both ways."""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

API = Path(__file__).resolve().parents[1] / "api"

# ---------------------------------------------------------------- the pages


def public_modules(package):
    """Names of a package and of its modules, without those that start with an underscore."""
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(getattr(root, "__path__", []), f"{package}.")
    names = [package, *(module.name for module in found)]
    return [name for name in names if not any(part.startswith("_") for part in name.split("."))]


def documented(name):
    """Public functions and classes that a module itself defines."""
    module = importlib.import_module(name)
    members = inspect.getmembers(module, lambda thing: inspect.isfunction(thing) or inspect.isclass(thing))
    return [key for key, thing in members if thing.__module__ == name and not key.startswith("_")]


class Modules(SphinxDirective):
    """`{modules} qkv.nn`: what the package itself defines, then a section for each of its modules."""

    required_arguments = 1

    def run(self):
        holder = nodes.section()
        holder.document = self.state.document
        for name in filter(documented, public_modules(self.arguments[0])):
            heading = [f"## `{name}`", ""] if name != self.arguments[0] else []
            lines = [*heading, "```{eval-rst}", f".. automodule:: {name}", "   :members:", "```", ""]
            self.state.nested_parse(StringList(lines, source=name), 0, holder, match_titles=True)
        return holder.children


# ---------------------------------------------------------------- signatures as they are written


def has_page(module):
    """True for a module of ours whose room has its page in book/api."""
    parts = module.split(".")
    return parts[0] == "qkv" and len(parts) > 1 and (API / f"{parts[1]}.md").exists()


class FullNames(ast.NodeTransformer):
    """Give the course's own classes their full names, so that a type in a signature links to the right one."""

    def __init__(self, names):
        self.names = names

    def visit_Name(self, node):
        thing = self.names.get(node.id)
        if inspect.isclass(thing) and has_page(thing.__module__):
            return ast.Name(f"{thing.__module__}.{thing.__qualname__}")
        return node


def written_signature(obj):
    """(arguments, result) of a function in the words of its source, so that jaxtyping's shapes stay readable."""
    function = obj.__init__ if inspect.isclass(obj) else inspect.unwrap(obj)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return None  # nothing written: a generated __init__ of a dataclass, or one that is inherited from C
    if not isinstance(tree, ast.FunctionDef):
        return None
    is_method = inspect.isclass(obj) or (tree.args.args[:1] and tree.args.args[0].arg in {"self", "cls"})
    tree.args.args = tree.args.args[1:] if is_method else tree.args.args
    full = FullNames(getattr(function, "__globals__", {}))
    result = ast.unparse(full.visit(tree.returns)) if tree.returns else ""
    return f"({ast.unparse(full.visit(tree.args))})", result


def use_written_signature(app, what, name, obj, options, signature, return_annotation):
    """Answer autodoc's question for a signature."""
    if what not in {"function", "method", "class"}:
        return None
    return written_signature(obj)


def keep_bars(app, what, name, obj, options, lines):
    """Let |x| in a docstring mean what it means in mathematics; reStructuredText has another use for it."""
    lines[:] = [
        "".join(part if part.startswith("`") else part.replace("|", r"\|") for part in re.split(r"(`+[^`]*`+)", line))
        if not line.startswith("    ")
        else line
        for line in lines
    ]


def use_spans(app, pagename, templatename, context, doctree):
    """Sphinx writes long signatures with a <dl> inside <dt>, which is no valid list: make spans of it."""

    def tidy(signature):
        spans = re.sub(r"<(/?)dl>", r"<\1span>", signature[0])
        return re.sub(r"</dd>", "</span>", spans.replace("<dd>", '<span class="argument">'))

    context["body"] = re.sub(r'<dt class="sig.*?</dt>', tidy, context.get("body") or "", flags=re.DOTALL)


# ---------------------------------------------------------------- code ↔ lesson


def imported_names(source):
    """Full names of what a cell imports from qkv; lines that are no Python (magics) are left out."""
    python = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
    for node in ast.walk(ast.parse(python)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "qkv":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def home_of(name):
    """Where a thing is defined: qkv.data.load may live in qkv.data.loading.  Modules stay as they are."""
    module, _, attribute = name.rpartition(".")
    thing = getattr(importlib.import_module(module), attribute, None)
    if inspect.isfunction(thing) or inspect.isclass(thing):
        return f"{thing.__module__}.{thing.__qualname__}"
    return name


def scan_lessons(app, env, docnames):
    """Remember, for each lesson of the book, the names it imports from qkv, in order."""
    env.lesson_code = {}
    for docname in sorted(env.found_docs):
        path = env.doc2path(docname)
        if re.match(r"chapters/.*/lesson", docname) and path.endswith(".ipynb"):
            cells = nbformat.read(path, as_version=4).cells
            code = [cell.source for cell in cells if cell.cell_type == "code"]
            env.lesson_code[docname] = list(
                dict.fromkeys(home_of(name) for cell in code for name in imported_names(cell))
            )


def add_taught_in(app, what, name, obj, options, lines):
    """Say under a function or class in which lessons it is taught."""
    lessons = [docname for docname, names in app.env.lesson_code.items() if name in names]
    if lessons:
        lines += [
            "",
            ".. container:: taught-in",
            "",
            "   Taught in: " + ", ".join(f":doc:`/{lesson}`" for lesson in lessons),
        ]


def list_lesson_code(app, pagename, templatename, context, doctree):
    """Give the template the lesson's imports with their places in the API pages."""
    objects = app.env.get_domain("py").objects
    relative = app.builder.get_relative_uri
    context["lesson_code"] = [
        (name, f"{relative(pagename, objects[name].docname)}#{objects[name].node_id}")
        for name in app.env.lesson_code.get(pagename, [])
        if name in objects
    ]


def setup(app):
    app.add_directive("modules", Modules)
    app.connect("autodoc-process-signature", use_written_signature)
    app.connect("autodoc-process-docstring", keep_bars)
    app.connect("autodoc-process-docstring", add_taught_in)
    app.connect("env-before-read-docs", scan_lessons)
    app.connect("html-page-context", use_spans)
    app.connect("html-page-context", list_lesson_code)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
