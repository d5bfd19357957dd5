"""The frame around every page: which files it loads, and what a notebook page offers."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def is_ours(app, asset):
    """True for a file of the book's own static folder, and for the script of a live figure."""
    name = str(getattr(asset, "filename", asset) or "").removeprefix("_static/").partition("?")[0]
    return name.startswith("figures/") or (bool(name) and (ROOT / "book" / "_static" / name).is_file())


def load_only_ours(app, pagename, templatename, context, doctree):
    """Drop the files of the stock theme and its extensions; KaTeX's style only where there is a formula."""
    has_math = doctree is not None and bool(list(doctree.findall(lambda node: node.tagname in {"math", "math_block"})))
    for key in ("script_files", "css_files"):
        ours = [asset for asset in context.get(key, []) if is_ours(app, asset)]
        context[key] = [asset for asset in ours if has_math or "katex" not in str(asset.filename)]


def describe_notebook(app, pagename, templatename, context, doctree):
    """Tell the template under which file name a notebook page can be downloaded."""
    if context.get("page_source_suffix") == ".ipynb":
        context["notebook"] = "-".join(Path(pagename).parts[1:]) + ".ipynb"


def drop_old_roles(app, pagename, templatename, context, doctree):
    """docutils still gives a bibliography roles that ARIA 1.2 dropped or that do not fit their children."""
    body = (context.get("body") or "").replace(' role="doc-biblioentry"', "")
    context["body"] = body.replace('<div role="list" class="citation-list">', '<div class="citation-list">')


def silence_thebe(app, config):
    """Jupyter Book loads sphinx_thebe in any case; keep it from writing its settings into every page."""
    for listeners in app.events.listeners.values():
        listeners[:] = [
            listener for listener in listeners if not listener.handler.__module__.startswith("sphinx_thebe")
        ]


def setup(app):
    app.connect("config-inited", silence_thebe)
    app.connect("html-page-context", load_only_ours, priority=900)
    app.connect("html-page-context", drop_old_roles)
    app.connect("html-page-context", describe_notebook)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
