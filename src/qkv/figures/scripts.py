"""One script per figure, joined from its numbers, ``shared.js`` and its own module.

``module`` gives an ES module for anywidget, which loads it from a blob and so cannot import anything.
``classic`` gives the same code as a classic script for the site: modules do not load from ``file://``, this does.
"""

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from qkv import toy
from qkv.figures import colours, reference
from qkv.nn.attention import scaled_dot_product_attention

HERE: Final = Path(__file__).parent


def attention_lines() -> list[tuple[int, str, bool]]:
    """The lines of the teaching function that do the four steps: (step, source, only with a mask).

    Raises:
        LookupError: the function no longer marks each of its steps 1 to 4 with a comment, or masks no score.
    """
    found = []
    for line in inspect.getsource(scaled_dot_product_attention).splitlines():
        marked = re.fullmatch(r"\s+(.+?)  # (\d)\. .*", line)
        if marked:
            found.append((int(marked[2]), marked[1], False))
        elif ".masked_fill(" in line:
            found.append((2, line.strip(), True))
    if [step for step, _, _ in found] != [1, 2, 2, 3, 4]:
        raise LookupError(f"expected the steps 1, 2, 2 (mask), 3, 4 in scaled_dot_product_attention, found {found}")
    return found


def stepper_data() -> dict[str, Any]:
    """The running example and the lines of source that the stepper marks."""
    hungry, wet = (re.findall(r"\w+", text) for text in (toy.SENTENCE, toy.SENTENCE_WET))
    return {
        "sentence": toy.SENTENCE,
        "swap": [hungry[-1], wet[-1]],
        "words": toy.WORDS,
        "features": toy.FEATURES,
        "query": toy.QUERY,
        "key": toy.KEY,
        "value": toy.VALUE,
        "wet": toy.QUERY_IT_WET,
        "code": attention_lines(),
    }


def dk_slider_data() -> dict[str, Any]:
    """Sizes and seed of the coin draws."""
    return {
        "stops": reference.STOPS,
        "keys": reference.NUM_KEYS,
        "draws": reference.NUM_DRAWS,
        "seed": reference.SEED,
    }


DATA: Final[dict[str, Callable[[], dict[str, Any]]]] = {"stepper": stepper_data, "dk_slider": dk_slider_data}
NAMES: Final = tuple(DATA)


def _check_name(name: str) -> None:
    if name not in DATA:
        raise ValueError(f"no figure is called {name!r}; expected one of {', '.join(NAMES)}")


_TOKEN: Final = re.compile(
    r"""("(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`)   # strings stay as they are
    |//[^\n]*|/\*.*?\*/                       # comments go
    |[ ]*([=<>?:&|,;(){}\[\]])[ ]*            # so do spaces around punctuation
    |(\n)\s*                                 # and indentation
    """,
    flags=re.VERBOSE | re.DOTALL,
)


def _lean(source: str) -> str:
    """The same program in fewer bytes: no comments, no indentation.  Our templates hold no template of their own."""
    return _TOKEN.sub(lambda match: "".join(part or "" for part in match.groups()), source)


def module(name: str) -> str:
    """The figure as one ES module that exports ``default {render}`` and its functions.

    Raises:
        ValueError: there is no such figure.
    """
    _check_name(name)
    own = re.sub(
        r"^import \{[^}]*\} from \"\./shared\.js\";$", "", (HERE / f"{name}.js").read_text("utf-8"), flags=re.M
    )

    constants = {"DATA": DATA[name](), "TOKENS": {"light": colours.LIGHT, "dark": colours.DARK}}
    head = [
        f"const {constant} = {json.dumps(value, ensure_ascii=False, separators=(',', ':'))};"
        for constant, value in constants.items()
    ]
    return "\n".join([*head, _lean((HERE / "shared.js").read_text("utf-8")).strip(), _lean(own).strip(), ""])


def classic(name: str) -> str:
    """The figure as one classic script that defines ``<qkv-figure name="…">``.

    Raises:
        ValueError: there is no such figure.
    """
    body = re.sub(r"^export ?(default.*$)?", "", module(name), flags=re.M)
    return f'(() => {{\n"use strict";\n{body}define("{name}", render);\n}})();\n'
