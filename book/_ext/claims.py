"""Numbers in prose and claim boxes, read from the result files when the site is built.

    {claim}`dk-scaling:effect.mean`      one number or word, formatted with its unit
    :::{claim-box} dk-scaling            claim, paper, measurement, verdict
    :::{claim-list}                      every result, one box each
    :::{claim-curves} mutants-train      the loss curves of all arms, the first one on top

A name or field that does not exist is a warning, so the strict build fails.
"""

import math
from dataclasses import dataclass
from html import escape

from docutils import nodes
from sphinx.util.docutils import SphinxDirective, SphinxRole

from qkv.recipes import result
from qkv.recipes.claims import field, show_claim

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 400, 280, 52, 48, 8, 8  # of the drawing, in px
STYLE = "width:100%;max-width:30rem;font:15px var(--sans, sans-serif);fill:var(--ink, currentColor)"


class ClaimRole(SphinxRole):
    def run(self):
        name, _, path = self.text.partition(":")
        try:
            return [nodes.inline(self.rawtext, field(name, path), classes=["claim-value"])], []
        except result.ResultError as error:
            message = self.inliner.reporter.warning(f"{{claim}}`{self.text}`: {error}", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]


class ClaimDirective(SphinxDirective):
    """Writes HTML from result files, and has the page rebuilt when one of them changes."""

    def markup(self):
        raise NotImplementedError

    def run(self):
        try:
            return [nodes.raw("", self.markup(), format="html")]
        except result.ResultError as error:
            return [self.state.document.reporter.warning(f"{{{self.name}}} {error}", line=self.lineno)]

    def html(self, name):
        self.env.note_dependency(str(result.path_of(name)))
        return show_claim(name)._repr_html_()


class ClaimBox(ClaimDirective):
    required_arguments = 1

    def markup(self):
        return self.html(self.arguments[0])


class ClaimList(ClaimDirective):
    def markup(self):
        return "".join(f'<section id="{name}">{self.html(name)}</section>' for name in result.names())


class ClaimCurves(ClaimDirective):
    required_arguments = 1

    def markup(self):
        name = self.arguments[0]
        self.env.note_dependency(str(result.path_of(name)))
        return f'<figure class="claim-curves">{curves(result.load(name))}</figure>'


@dataclass(frozen=True)
class Axes:
    """Steps from left to right, loss on a logarithmic scale from bottom to top."""

    lowest: int  # powers of ten
    highest: int
    last: int  # step

    def x(self, step):
        return LEFT + (WIDTH - LEFT - RIGHT) * step / self.last

    def y(self, loss):
        share = (math.log10(loss) - self.lowest) / (self.highest - self.lowest)
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share

    def path(self, line, every):
        return "M" + "L".join(f"{self.x(every * i):.0f} {self.y(loss):.1f}" for i, loss in enumerate(line))

    def grid(self):
        for loss in (10.0**power for power in range(self.lowest, self.highest + 1)):
            yield f'<path d="M{LEFT} {self.y(loss):.1f}H{WIDTH - RIGHT}" stroke="var(--line, #8888)"/>'
            yield f'<text x="{LEFT - 8}" y="{self.y(loss) + 5:.1f}" text-anchor="end">{loss:g}</text>'
        for step in range(0, self.last + 1, 100):
            yield f'<text x="{self.x(step):.0f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{step + 1}</text>'


def curves(found):
    """Training loss of every arm with a stored curve, means over the seeds, as SVG; the first arm is drawn on top.

    Colours are the page's own tokens, so one drawing serves light and dark.
    """
    lines = {arm: mean_curve(entries["curve"]) for arm, entries in found.values.items() if "curve" in entries}
    if not lines:
        raise result.ResultError("no curves to draw: expected a quantity 'curve' in the values of its arms")
    every, losses = found.config["curve_every"], [loss for line in lines.values() for loss in line]
    lowest, highest = math.floor(math.log10(min(losses))), math.ceil(math.log10(max(losses)))
    axes = Axes(lowest, highest, every * (max(map(len, lines.values())) - 1))
    first, *others = (f'<path d="{axes.path(line, every)}"><title>{escape(arm)}</title>' for arm, line in lines.items())
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(describe(lines, found.config["margin"]))}"'
        f' style="{STYLE}">{"".join(axes.grid())}'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">training step</text>'
        f'<text x="{LEFT + 6}" y="{TOP + 14}">loss, nats per symbol</text>'
        f'<g fill="none" stroke="var(--fail, #a11d33)" stroke-opacity=".6">{"</path>".join([*others, ""])}</g>'
        f'<g fill="none" stroke="var(--ink, currentColor)" stroke-width="3" stroke-dasharray="8 4">{first}</path></g>'
        f"</svg><figcaption>Dashed: {escape(next(iter(lines)))}. Thin: one mistake each. Logarithmic scale, "
        f"mean of {len(found.seeds)} seeds.</figcaption>"
    )


def mean_curve(seeds):
    """Mean over the seeds at each stored step."""
    return [sum(losses) / len(losses) for losses in zip(*seeds, strict=True)]


def describe(lines, margin):
    """What the drawing shows, from its numbers."""
    ends = {arm: line[-1] for arm, line in lines.items()}
    first, *others = ends
    close = sum(abs(ends[arm] - ends[first]) <= margin for arm in others)
    return (
        f"Training loss of the {first} model and of {len(others)} with one mistake each. The {first} one ends at "
        f"{ends[first]:.3f} nats; {close} of the others end within {margin:g} of it, "
        f"the highest at {max(ends.values()):.3f}."
    )


def setup(app):
    app.add_role("claim", ClaimRole())
    for name, directive in {"claim-box": ClaimBox, "claim-list": ClaimList, "claim-curves": ClaimCurves}.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
