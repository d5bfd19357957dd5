"""One script per figure, joined from its numbers, ``shared.js``, ``runtime.js`` if it has a model, and its own module.

``module`` gives an ES module for anywidget, which loads it from a blob and so cannot import anything.
``classic`` gives the same code as a classic script for the site: modules do not load from ``file://``, this does.
"""

import ast
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from qkv import toy
from qkv.figures import (
    banks,
    beam_tree,
    colours,
    gaps,
    gpt_rows,
    head_layer,
    pieces_and_gaps,
    rates,
    reading,
    reference,
)
from qkv.inspection.waves import VERSIONS
from qkv.nn import attention
from qkv.text import sounds
from qkv.training import schedules

HERE: Final = Path(__file__).parent
MEGABYTES: Final = 17  # what the figure "pronouncer" loads: runtime and model, rounded; a test weighs them
LARGEST_GAMMA: Final = 2  # of the figure "mix"

# Step of the figure, what its line of source computes, whether it acts only under a mask.
LINES: Final = (
    (1, "query, key", False),
    (2, "sqrt(", False),
    (2, "masked_fill(", True),
    (3, "softmax(", False),
    (4, "weights, value", False),
)


def attention_lines(source: str | None = None) -> list[tuple[int, str, bool]]:
    """The lines of the teaching function that do the four steps: (step, source, only under a mask).

    Args:
        source: text of a module that holds ``scaled_dot_product_attention``; by default the library's own.

    Raises:
        LookupError: a step is not one assignment of the function any more.
    """
    source = source or Path(attention.__file__).read_text("utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    function = next(node for node in functions if node.name == "scaled_dot_product_attention")
    assignments = [ast.unparse(node) for node in ast.walk(function) if isinstance(node, ast.Assign)]
    found = []
    for step, computes, masks in LINES:
        lines = [line for line in assignments if computes in line]
        if len(lines) != 1:
            raise LookupError(f"expected one assignment with {computes!r} in the attention function, found {lines}")
        found.append((step, lines[0].replace("'", '"'), masks))
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


def heads_data() -> dict[str, Any]:
    """The three hand-set heads of *left*."""
    return {
        "orders": head_layer.ORDERS,
        "row": head_layer.ASKS,
        "query": toy.QUERY_LEFT,
        "heads": [{"asks": asks, "key": key} for asks, key in head_layer.HEADS],
        "values": toy.VALUE_OF,
        "output": head_layer.OUTPUT,
        "nouns": head_layer.NOUNS,
    }


def clock_data() -> dict[str, Any]:
    """Size of the table, the largest offset, and the names of the versions, the right one first."""
    return {
        "length": reference.CLOCK_LENGTH,
        "d_model": reference.CLOCK_D_MODEL,
        "furthest": reference.CLOCK_FURTHEST,
        "versions": list(VERSIONS),
    }


def families_data() -> dict[str, Any]:
    """Six words, where the second text begins, and what each family is made for."""
    return {
        "words": reading.WORDS,
        "source": reading.SOURCE,
        "tasks": reading.TASKS,
        "families": {name: {"reads": family.reads, "fit": family.fit} for name, family in reading.FAMILIES.items()},
    }


def rates_data() -> dict[str, Any]:
    """Groups, opening state, ranges of the sliders (least, most, step), and the shape of one-cycle."""
    opening = rates.Rates()
    cycle = inspect.signature(schedules.one_cycle).parameters
    return {
        "groups": rates.GROUPS,
        "opening": {
            "T": opening.num_steps,
            "cutFrac": opening.cut_frac,
            "ratio": opening.ratio,
            "factor": opening.factor,
            "gradual": opening.gradual,
        },
        "ranges": {"T": (5, 120, 1), "cutFrac": (0.05, 0.5, 0.05), "ratio": (2, 64, 1), "factor": (1, 4, 0.1)},
        "one_cycle": {name: cycle[name].default for name in ("rise", "start", "end")},
    }


def pronouncer_data() -> dict[str, Any]:
    """Symbols and limits of the pronunciation model, and its search on the opening word."""
    return {
        "symbols": sounds.SYMBOLS,
        "start": sounds.START,
        "end": sounds.END,
        "letters": len(sounds.LETTERS),
        "most": beam_tree.LONGEST,
        "width": beam_tree.BEAM_SIZE,
        "dropped": beam_tree.NUM_DROPPED,
        "megabytes": MEGABYTES,
        "opening": {"word": beam_tree.OPENING, "tree": _rounded(beam_tree.opening())},
    }


def mix_data() -> dict[str, Any]:
    """*bank* in ten sentences: its points in the plane, layer by layer, and half of the table of dot products."""
    vectors = banks.layers()
    products = banks.products(vectors).tolist()
    return {
        "word": banks.WORD,
        "sentences": banks.sentences(),
        "furthest": LARGEST_GAMMA,
        "tie": banks.TIE,
        "plane": _rounded(banks.plane(vectors).tolist(), 6),
        "products": _rounded([row[: i + 1] for i, row in enumerate(products)], 6),
    }


def _rounded(tree: Any, digits: int = 4) -> Any:
    """The same with few decimals: a script is read by people with slow lines."""
    if isinstance(tree, dict):
        return {name: _rounded(part, digits) for name, part in tree.items()}
    if isinstance(tree, list):
        return [_rounded(part, digits) for part in tree]
    return round(tree, digits) if isinstance(tree, float) else tree


DATA: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "families": families_data,
    "stepper": stepper_data,
    "dk_slider": dk_slider_data,
    "heads": heads_data,
    "clock": clock_data,
    "rates": rates_data,
    "pronouncer": pronouncer_data,
    "mix": mix_data,
    "merge_game": pieces_and_gaps.merge_game_data,
    "mask_tallies": pieces_and_gaps.mask_tallies_data,
    "composer": gpt_rows.composer_data,
    "next_token": gpt_rows.next_token_data,
    "fill_mask": gaps.fill_mask_data,
}
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


IMPORT: Final = re.compile(r"^import \{[^}]*\} from \"\./(\w+)\.js\";$", flags=re.MULTILINE)


def _lean(source: str) -> str:
    """The same program in fewer bytes: no comments, no indentation.  Our templates hold no template of their own."""
    return _TOKEN.sub(lambda match: "".join(part or "" for part in match.groups()), source)


def module(name: str) -> str:
    """The figure as one ES module that exports ``default {render}`` and its functions.

    Raises:
        ValueError: there is no such figure.
    """
    _check_name(name)
    own = (HERE / f"{name}.js").read_text("utf-8")
    sources = [*((HERE / f"{each}.js").read_text("utf-8") for each in IMPORT.findall(own)), own]
    constants = {"DATA": DATA[name](), "TOKENS": {"light": colours.LIGHT, "dark": colours.DARK}}
    head = [
        f"const {constant} = {json.dumps(value, ensure_ascii=False, separators=(',', ':'))};"
        for constant, value in constants.items()
    ]
    return "\n".join([*head, *(_lean(IMPORT.sub("", source)).strip() for source in sources), ""])


def classic(name: str) -> str:
    """The figure as one classic script that defines ``<qkv-figure name="…">``.

    Raises:
        ValueError: there is no such figure.
    """
    body = re.sub(r"^export ?(default.*$)?", "", module(name), flags=re.M)
    return f'(() => {{\n"use strict";\n{body}define("{name}", render);\n}})();\n'
