"""Exercises that are done on the page.

Each exercises page carries its data as JSON: hints, solutions, and the report on every answer that can be given by
choosing, as ``qkv.exercises`` words it.  Answers in plain Python are judged by the very modules of ``qkv.exercises``:
they travel to the page in one small archive, which is fetched, like Python itself, on the first check only.
"""

import io
import itertools
import json
import re
import zipfile
from pathlib import Path

import page_judge

from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.choices import Choice, Choose, Parsons
from qkv.exercises.engine import exercises
from qkv.exercises.functions import WORDING, Function
from qkv.exercises.report import ICONS, mark_up, slug

ROOT = Path(__file__).resolve().parents[2]
PYODIDE = ROOT / "book" / "_static" / "vendor" / "pyodide"
PLAIN = (
    "chapters",
    "choices",
    "engine",
    "exercise",
    "functions",
    "judge",
    "mutant",
    "notebook",
    "report",
    "sandbox",
    "store",
)
SECONDS = 5  # after which the page stops an answer
MOST_LINES = 5  # of a Parsons puzzle: every order up to this length has its report in the page


def in_page(exercise):
    """How an exercise is judged: "choice" and "parsons" from the page's data, "form" and "code" by Python, or ""."""
    if isinstance(exercise, Parsons):
        return "parsons"
    if isinstance(exercise, Choice):
        return "choice" if all(isinstance(field, Choose) for field in exercise.fields) else "form"
    return "code" if isinstance(exercise, Function) and not exercise.tensors else ""


def describe(exercise, module):
    """What the page needs to know about one exercise."""
    way = in_page(exercise)
    common = {"number": exercise.number, "title": exercise.title, "way": way, "module": module}
    common |= {"hints": [mark_up(hint) for hint in exercise.hints], "variable": exercise.variable}
    if way:
        common["solution"] = exercise.solution
    if way == "code":
        common["stub"] = exercise.stub
    if way in ("choice", "form"):
        common["fields"] = [{"name": field.name} | entry_of(field) for field in exercise.fields]
    if way == "choice":
        common |= reports(exercise, choices(exercise))
    if way == "parsons":
        common |= {"letters": "".join(exercise.lines), "most": MOST_LINES} | reports(exercise, orders(exercise))
    return common


def entry_of(field):
    return {"letters": list(field.options)} if isinstance(field, Choose) else {"length": field.length}


def choices(exercise):
    """Every answer to a choice, blanks included; the last field changes fastest."""
    names = [field.name for field in exercise.fields]
    letters = ([None, *field.options] for field in exercise.fields)
    return (dict(zip(names, answer, strict=True)) for answer in itertools.product(*letters))


def orders(exercise):
    """Every order of lines, shortest first, then by letters."""
    lengths = range(MOST_LINES + 1)
    return ("".join(order) for n in lengths for order in itertools.product(exercise.lines, repeat=n))


def reports(exercise, answers):
    """The distinct reports, and for each answer in turn which one it gets."""
    found: dict[str, int] = {}
    texts = (json.dumps(page_judge.plain(exercise.judge(answer))) for answer in answers)
    table = [found.setdefault(text, len(found)) for text in texts]
    return {"reports": [json.loads(text) for text in found], "table": table}


def module_of(exercise):
    """The module that declares an exercise."""
    names = CHAPTERS[exercise.chapter].modules
    return next(name for name in names if any(e.id == exercise.id for e in page_judge.declared(name)))


def chapter_data(chapter):
    """Everything that the script of a chapter's exercises page reads."""
    stopped = WORDING["too long"].format(where="In this page", seconds=SECONDS)
    return {
        "icons": ICONS,
        "seconds": SECONDS,
        "stopped": mark_up(stopped),
        "megabytes": round(sum(path.stat().st_size for path in PYODIDE.iterdir()) / 1e6),
        "exercises": {exercise.id: describe(exercise, module_of(exercise)) for exercise in exercises(chapter)},
    }


def archive():
    """The modules that judge plain Python, as a zip file that is the same at every build."""
    plain = {module_of(e) for chapter in CHAPTERS for e in exercises(chapter) if in_page(e) in ("form", "code")}
    package = ROOT / "src" / "qkv"
    mistakes = sorted(path.stem for path in package.glob("exercises/*_mistakes.py"))
    names = ["__init__", "toy", *(f"exercises/{name}" for name in ("__init__", *PLAIN, *mistakes, *sorted(plain)))]
    files = {f"qkv/{name}.py": package / f"{name}.py" for name in names}
    files["page_judge.py"] = Path(page_judge.__file__)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, path in files.items():
            bundle.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def write_archive(app):
    if app.builder.format == "html":
        folder = Path(app.outdir) / "_static"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "exercises.zip").write_bytes(archive())


def add_data(app, pagename, templatename, context, doctree):
    """Give a chapter's exercises page its data, its script and its style; no other page has them."""
    pages = {f"chapters/{chapter.folder}/exercises": number for number, chapter in CHAPTERS.items()}
    if pagename not in pages:
        return
    data = json.dumps(chapter_data(pages[pagename]), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    context["body"] += f'<script type="application/json" id="exercise-data">{data}</script>'
    app.add_css_file("exercises.css", priority=900)
    app.add_js_file("exercises.js", loading_method="defer")


def lead_to_pages(app, pagename, templatename, context, doctree):
    """A report printed in a notebook leads to a section of a notebook; on a page it leads to that section's page."""
    if "qkv-report" in context.get("body", ""):
        context["body"] = re.sub(
            r'href="(\.\./\.\./chapters/[^"#]+)\.ipynb#(?:\d+\.-)?([^"]*)"',
            lambda link: f'href="{link[1]}.html#{slug(link[2])}"',
            context["body"],
        )


def setup(app):
    app.connect("builder-inited", write_archive)
    app.connect("html-page-context", add_data)
    app.connect("html-page-context", lead_to_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
