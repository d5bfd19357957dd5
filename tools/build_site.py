"""Build the site into _build/html, strictly: any warning fails the build.

Called by ``make book``.  Front-end packages come from node_modules and are copied to book/_static/vendor, which git
ignores.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from qkv.figures.onnx_export import export, export_filler
from qkv.models.bert import BERTForPreTraining
from qkv.models.transformer import Transformer
from qkv.text.wordpiece import WordPiece

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
KATEX = ROOT / "node_modules" / "katex" / "dist"
PYODIDE = ROOT / "node_modules" / "pyodide"
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"
RUN = ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"]
PYTHON = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip"]
VENDOR = ROOT / "book" / "_static" / "vendor"
# What the stock theme and its extensions bring along and no page of ours loads.
THEME = [
    "scripts",
    "styles",
    "locales",
    "images",
    "vendor/fontawesome",
    "webpack-macros.html",
    "sbt-webpack-macros.html",
]


def copy_katex() -> None:
    """Copy KaTeX's style sheet and its woff2 fonts; formulas themselves are drawn at build time."""
    if not KATEX.is_dir():
        sys.exit(f"KaTeX is missing: expected {KATEX.relative_to(ROOT)}. Run `make book`, which installs it with npm.")
    shutil.rmtree(VENDOR, ignore_errors=True)
    fonts = VENDOR / "katex" / "fonts"
    fonts.mkdir(parents=True)
    shutil.copy(KATEX / "katex.min.css", fonts.parent)
    for font in sorted(KATEX.glob("fonts/*.woff2")):
        shutil.copy(font, fonts)


def copy_pyodide() -> None:
    """Copy Python for the exercises page: the interpreter and its standard library, no further package."""
    if not PYODIDE.is_dir():
        sys.exit(f"Pyodide is missing: expected {PYODIDE.relative_to(ROOT)}. `make book` installs it with npm.")
    (VENDOR / "pyodide").mkdir()
    for name in PYTHON:
        shutil.copy(PYODIDE / name, VENDOR / "pyodide")


def copy_models() -> None:
    """Copy what runs a model in the page, and export the pronunciation model and our BERT for it."""
    if not RUNTIME.is_dir():
        sys.exit(f"ONNX Runtime is missing: expected {RUNTIME.relative_to(ROOT)}. `make book` installs it with npm.")
    for folder in ("onnxruntime-web", "g2p", "bert"):
        (VENDOR / folder).mkdir()
    for name in RUN:
        shutil.copy(RUNTIME / name, VENDOR / "onnxruntime-web")
    export(Transformer.from_pretrained("g2p"), VENDOR / "g2p")
    export_filler(BERTForPreTraining.from_pretrained("bert"), VENDOR / "bert")
    WordPiece.from_pretrained("bert").save(VENDOR / "bert")


def run_jupyter_book() -> int:
    """Run the strict build and return its exit code."""
    command = [
        str(Path(sys.executable).with_name("jupyter-book")),
        "build",
        ".",
        "--all",
        "-W",
        "-n",
        "--keep-going",
        "-q",
    ]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def remove_unused() -> None:
    """Leave out of the site what no page loads."""
    for name in THEME:
        path = SITE / "_static" / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def main() -> int:
    copy_katex()
    copy_pyodide()
    copy_models()
    shutil.rmtree(SITE, ignore_errors=True)
    if code := run_jupyter_book():
        (SITE / "index.html").unlink(missing_ok=True)  # so that the next `make book` tries again
        return code
    remove_unused()
    (SITE / "index.html").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
