"""The frame around every page: which files it loads, and what a notebook page offers."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def is_ours(app, asset):
    """True for a file that lies in one of the book's own static folders."""
    name = str(getattr(asset, "filename", asset) or "").removeprefix("_static/").partition("?")[0]
    folders = [Path(app.srcdir) / folder for folder in app.config.html_static_path]
    ours = [folder for folder in folders if folder.is_relative_to(ROOT) and "site-packages" not in folder.parts]
    return bool(name) and any((folder / name).is_file() for folder in ours)


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


def setup(app):
    app.connect("html-page-context", load_only_ours, priority=900)
    app.connect("html-page-context", describe_notebook)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
