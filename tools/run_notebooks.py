"""Execute the chapters' notebooks and write them in one normal form.

    python tools/run_notebooks.py                                   every chapter
    python tools/run_notebooks.py chapters/02_attention/lesson.py   one notebook

`lesson.py` (jupytext, py:percent) is what people edit; `lesson.ipynb` beside it is written by this script and nothing
else. Two runs give byte-identical files, so a difference in review is a difference in what the notebook says.
"""

import base64
import hashlib
import io
import os
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from notebook_environment import notebook_environment
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 300  # seconds per cell
COLOURS = 128  # figures are stored with a palette: a third of the bytes, no difference to the eye
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def read_twin(source: Path) -> nbformat.NotebookNode:
    """The notebook that a py:percent file describes, without outputs; cell ids follow from the cells' text."""
    notebook = jupytext.read(source, fmt="py:percent")
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        cell.metadata.pop("lines_to_next_cell", None)
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def palette_png(data: str) -> str:
    """The same picture with at most COLOURS colours and no metadata (base64 in, base64 out)."""
    image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def normalise_output(output: nbformat.NotebookNode) -> None:
    """Drop what differs from run to run: memory addresses, ids of live widgets, the writer's name in a picture."""
    if "text" in output:
        output.text = ADDRESS.sub("0x0", output.text)
    data = output.get("data", {})
    data.pop("application/vnd.jupyter.widget-view+json", None)
    for kind in ("text/plain", "text/html"):
        if kind in data:
            data[kind] = ADDRESS.sub("0x0", data[kind])
    if "image/png" in data:
        data["image/png"] = palette_png(data["image/png"])


def execute(source: Path) -> Path:
    """Run the twin from top to bottom in a fresh kernel and write the notebook beside it; returns its path."""
    notebook = read_twin(source)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(source.parent)}},
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
    )
    client.execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            normalise_output(output)
    target = source.with_suffix(".ipynb")
    nbformat.validate(notebook)
    nbformat.write(notebook, target)
    return target


def main(arguments: list[str]) -> None:
    """Execute the notebooks named, or all of them."""
    sources = [Path(a).resolve() for a in arguments] or sorted(ROOT.glob("chapters/*/*.py"))
    if missing := [str(s) for s in sources if not s.is_file() or s.suffix != ".py"]:
        sys.exit(f"expected the .py files of notebooks (chapters/NN_name/lesson.py), got: {', '.join(missing)}")
    for source in sources:
        print(f"{source.parent.name}/{source.stem} …", flush=True)
        os.environ |= notebook_environment()
        execute(source)


if __name__ == "__main__":
    main(sys.argv[1:])
