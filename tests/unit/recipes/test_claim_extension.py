"""The book's role and directives: a small strict site is built with them, and broken names break it."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

from qkv.recipes.catalogue import MODULES
from qkv.recipes.claims import field, show_claim
from qkv.recipes.result import load

EXTENSION = Path(__file__).parents[3] / "book" / "_ext"
CLAIMS = runpy.run_path(str(EXTENSION / "claims.py"))
PAGE = """# Page

Mean {claim}`mutants-train:effect.mean` of {claim}`mutants-train:mutants` mutants, verdict {claim}`dk-scaling:verdict`.

:::{claim-box} dk-scaling
:::

:::{claim-list}
:::

:::{claim-curves} mutants-train
:::
"""


def build(tmp_path, page):
    """Strict build of one page in a process of its own: (exit code, errors, html)."""
    (tmp_path / "index.md").write_text(page)
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(EXTENSION)!r})\nproject = 'p'\nhtml_theme = 'basic'\n"
        "extensions = ['myst_parser', 'claims']\nmyst_enable_extensions = ['colon_fence']\n"
    )
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        str(tmp_path),
        str(tmp_path / "out"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    html = tmp_path / "out" / "index.html"
    return done.returncode, done.stderr, html.read_text() if html.exists() else ""


def test_a_page_shows_what_the_files_say(tmp_path):
    code, errors, html = build(tmp_path, PAGE)
    assert (code, errors) == (0, "")
    assert f'Mean <span class="claim-value">{field("mutants-train", "effect.mean")}</span> of' in html
    box = show_claim("dk-scaling")._repr_html_()
    assert html.count(box) == 2  # alone, and in the list
    assert html.count('<dl class="claim"') == 1 + len(MODULES)
    assert html.count("<svg") == 1


def test_each_name_that_does_not_exist_fails_the_strict_build(tmp_path):
    broken = {
        "{claim}`dk-scaling:effects`": "{claim}`dk-scaling:effects`: dk-scaling: no field 'effects'; there are: claim",
        "{claim}`dk-scaling`": "{claim}`dk-scaling`: dk-scaling: no field ''",
        "{claim}`nope:effect`": "{claim}`nope:effect`: no result 'nope'; there are: activations",
        ":::{claim-box} missing\n:::": "{claim-box} no result 'missing'",
        ":::{claim-curves} dk-scaling\n:::": "{claim-curves} no curves to draw",
    }
    code, errors, _ = build(tmp_path, "# Page\n\n" + "\n\n".join(broken) + "\n")
    assert code != 0
    assert [message for message in broken.values() if message not in errors] == []
    assert errors.count("WARNING") == len(broken)


def test_the_drawing_is_small_and_says_what_it_shows():
    svg = CLAIMS["curves"](load("mutants-train"))
    assert len(svg.encode()) < 25_000
    assert svg.count("<path d=") - svg.count('stroke="var(--line') == 20  # one per arm, besides the grid
    label = re.search(r'aria-label="([^"]+)"', svg)[1]
    assert re.fullmatch(
        r"Training loss of the correct model and of 19 with .* ends at [\d.]+ nats; \d+ of .* at [\d.]+\.", label
    )
    assert "#" not in re.sub(r"var\(--[a-z]+, #\w+\)", "", svg)  # no colour of its own: light and dark share it
