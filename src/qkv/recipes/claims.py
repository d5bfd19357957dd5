"""Results as readers meet them: one number for a sentence, or a box that says what was claimed, measured and found.

The book's ``{claim}`` role and a notebook's ``show_claim`` use the same functions, so both print the same characters.
"""

from dataclasses import asdict
from html import escape

from qkv.recipes.catalogue import MODULES, recipe
from qkv.recipes.protocol import Fact
from qkv.recipes.result import Effect, Quantity, Result, ResultError, load

DECIMALS = {"points": 1, "%": 1, "nats": 3, "steps": 0}  # one more for what would round to nothing
SIGNS = {"reproduced": "✓", "reversed": "✗", "not seen": "○", "equivalent": "≈", "exact": "="}
MINUS, NO_BREAK = "−", "\u00a0"
_KEPT: dict[str, tuple[Result, dict[str, Fact]]] = {}


def number(value: float, unit: str) -> str:
    """Value and unit, with the decimals of the unit: 12.34, "points" -> "12.3 points"; the space does not break."""
    return f"{_digits(value, unit)}{NO_BREAK}{unit}"


def interval(effect: Effect) -> str:
    """Mean and interval: "12.3 points (95 % interval 10.1 to 14.5)"."""
    low, high = _digits(effect.low, effect.unit), _digits(effect.high, effect.unit)
    return f"{number(effect.mean, effect.unit)} (95{NO_BREAK}% interval {low} to {high})"


def field(name: str, path: str) -> str:
    """What a sentence may quote of a result: ``field("dk-scaling", "effect.mean")`` -> "61.2 points".

    ``path`` is a key of the result file (claim, paper, effect, verdict, seeds, minutes, command), a number of the
    effect (effect.mean, effect.low, effect.high, effect.unit), or a fact of the recipe ("reached", "loss no mask",
    "drop additive.low").

    Raises:
        ResultError: no such result or field; the text lists those there are.
    """
    known = _fields(load(name), name)
    head, dot, tail = (path, "", "") if path in known else path.rpartition(".")  # a fact's own name may hold a dot
    found = known.get(head)
    if found is None or (dot and not (isinstance(found, Effect) and tail in asdict(found))):
        raise ResultError(f"{name}: no field {path!r}; there are: {', '.join(known)}; an interval has .mean, .low, …")
    if isinstance(found, Effect) and tail:
        return found.unit if tail == "unit" else number(getattr(found, tail), found.unit)
    return _text(found)


class Claim:
    """A result to look at: HTML in a notebook, plain text in a terminal."""

    def __init__(self, name: str, result: Result):
        self.name, self.result = name, result

    @property
    def rows(self) -> dict[str, str]:
        """What the box says, line by line."""
        result, module = self.result, recipe(self.name)
        sample = f"{len(result.seeds)} seeds" if module.OVER == "seeds" else "one model, drawn over its test items"
        return {
            "Claim": result.claim,
            "Paper": result.paper,
            "Measured": f"{module.CONTRAST}: {interval(result.effect)}, {sample}",
            "Verdict": f"{SIGNS[result.verdict]} {result.verdict}: {_reason(result)}",
            "Run it again": result.command,
        }

    def __repr__(self) -> str:
        width = max(map(len, self.rows))
        return "\n".join(f"{label:<{width}}  {text}" for label, text in self.rows.items()).replace(NO_BREAK, " ")

    def _repr_html_(self) -> str:
        lines = "".join(f"<dt>{label}</dt><dd>{_html(label, text)}</dd>" for label, text in self.rows.items())
        return f'<dl class="claim" data-claim="{escape(self.name)}" data-verdict="{self.result.verdict}">{lines}</dl>'


def show_claim(name: str) -> Claim:
    """The claim box of a published result; make it the last line of a cell.  Raises ResultError: no such result."""
    return Claim(name, load(name))


def _text(fact: Fact) -> str:
    if isinstance(fact, Effect):
        return interval(fact)
    return number(fact.value, fact.unit) if isinstance(fact, Quantity) else str(fact)


def _reason(result: Result) -> str:
    """The rule that gave the verdict, in words."""
    margin = result.config.get("margin")
    if margin is None:
        where = {"reproduced": "is on the paper's side of 0", "reversed": "is on the other side of 0"}
        return f"the whole interval {where.get(result.verdict, 'is not on one side of 0')}"
    where = {"equivalent": "is within", "exact": "is within", "reversed": "is beyond"}
    return f"the whole interval {where.get(result.verdict, 'is not within')} {_margin(margin, result.effect.unit)}"


def _margin(margin: float, unit: str) -> str:
    return f"±{NO_BREAK}{number(margin, unit)}, the margin stated before the run"


def _fields(result: Result, name: str) -> dict[str, Fact]:
    plain: dict[str, Fact] = {
        "claim": result.claim,
        "paper": result.paper,
        "effect": result.effect,
        "verdict": result.verdict,
        "seeds": len(result.seeds),
        "minutes": max(1, round(result.seconds / 60)),
        "command": result.command,
    }
    return plain | (_facts(result, name) if name in MODULES else {})


def _facts(result: Result, name: str) -> dict[str, Fact]:
    """What the recipe notes; some need thousands of resamples, so they are kept while the result stays the same."""
    if name not in _KEPT or _KEPT[name][0] != result:
        _KEPT[name] = result, recipe(name).facts(result)
    return _KEPT[name][1]


def _digits(value: float, unit: str) -> str:
    decimals = DECIMALS.get(unit, 2)
    decimals += 0 < abs(value) < 10.0**-decimals
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS) if float(text) else text.removeprefix("-")


def _html(label: str, text: str) -> str:
    return f"<code>{escape(text)}</code>" if label == "Run it again" else escape(text)
