"""One output of a notebook, two faces: what an executed cell stores, and the widget's script as Jupyter loads it."""

import nbformat
import pytest
from nbclient import NotebookClient

from qkv.figures import scripts

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
CELLS = [
    "from qkv.figures import *",
    "Families()",
    "Stepper()",
    "Stepper(compact=True)",
    "DkSlider()",
    "Heads()",
    "Clock()",
    "RateMap()",
    "Pronouncer()",
    "Mix()",
    "MergeGame()",
    "MaskTallies()",
    "Composer()",
    "NextToken()",
    "FillMask()",
]
AS_ANYWIDGET_DOES = """async source => {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const widget = (await import(address)).default;
  const el = document.body.appendChild(document.createElement("div"));
  globalThis.close = await widget.render({ model: { get: name => ({ compact: false })[name] }, el });
}"""


def execute():
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3", store_widget_state=False).execute()
    return notebook


def test_an_executed_cell_holds_both_faces_and_the_page_is_the_same_each_time():
    first, second = execute(), execute()
    assert "widgets" not in first.metadata
    for one, two in zip(first.cells[1:], second.cells[1:], strict=True):
        data = one.outputs[0].data
        assert data[WIDGET_VIEW]["model_id"]
        assert data["text/plain"] == one.source
        assert data["text/html"].startswith("<qkv-figure name=")
        assert data["text/html"] == two.outputs[0].data["text/html"]


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("families", "Which word may read which,"),
        ("stepper", "How does it come"),
        ("dk_slider", "Nothing is learned here."),
        ("heads", "One of three heads is silent,"),
        ("clock", "What does a step"),
        ("mix", "Which layer tells"),
        ("rates", "Who learns how fast"),
    ],
)
def test_the_widgets_script_runs_from_a_blob(open_page, name, question):
    page = open_page(tokens=False)
    page.evaluate(AS_ANYWIDGET_DOES, scripts.module(name))
    assert page.locator(".question").inner_text().startswith(question)
    assert page.get_by_role("group").count() == 1
    assert page.locator("[data-lm-suppress-shortcuts]").count() == 1, "JupyterLab would take the keys"
    page.evaluate("globalThis.close()")
