"""Numbers in prose and claim boxes, read from the result files when the site is built.

    {claim}`dk-scaling:effect.mean`      one number or word, formatted with its unit
    :::{claim-box} dk-scaling            claim, paper, measurement, verdict
    :::{claim-list}                      every result, one box each
    :::{claim-curves} mutants-train      the loss curves of all arms, the first one on top

A name or field that does not exist is a warning, so the strict build fails.
"""

import math
from html import escape

from docutils import nodes
from sphinx.util.docutils import SphinxDirective, SphinxRole

from qkv.recipes import result
from qkv.recipes.claims import field, show_claim

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 400, 280, 52, 48, 8, 8  # of the drawing, in px


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


def curves(found):
    """Loss against step for every arm with a stored curve, means over the seeds, as SVG; the first arm is drawn on top.

    Colours are the page's own tokens, so one drawing serves light and dark.
    """
    lines = {arm: mean_curve(entries["curve"]) for arm, entries in found.values.items() if "curve" in entries}
    if not lines:
        raise result.ResultError("has no curves: expected a quantity 'curve' in its values")
    first, *others = lines
    every = found.config["curve_every"]
    losses = [loss for line in lines.values() for loss in line]
    decades = range(math.floor(math.log10(min(losses))), math.ceil(math.log10(max(losses))) + 1)
    last = every * (max(map(len, lines.values())) - 1)

    def x(step):
        return LEFT + (WIDTH - LEFT - RIGHT) * step / last

    def y(loss):
        share = (math.log10(loss) - decades[0]) / (decades[-1] - decades[0])
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share

    def path(line):
        return "M" + "L".join(f"{x(every * i):.0f} {y(loss):.1f}" for i, loss in enumerate(line))

    grid = "".join(horizontal(y(10.0**power), f"{10.0**power:g}") for power in decades)
    ticks = "".join(vertical(x(step), str(step + 1)) for step in range(0, last + 1, 10 * every))
    drawn = "".join(f'<path d="{path(lines[arm])}"><title>{escape(arm)}</title></path>' for arm in others)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(describe(lines))}" '
        f'style="width:100%;max-width:30rem;font:15px var(--sans, sans-serif);fill:var(--ink, currentColor)">'
        f"{grid}{ticks}"
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">training step</text>'
        f'<text x="{LEFT + 6}" y="{TOP + 12}">loss, nats per symbol</text>'
        f'<g fill="none" stroke="var(--fail, #a11d33)" stroke-opacity=".55">{drawn}</g>'
        f'<path d="{path(lines[first])}" fill="none" stroke="var(--ink, currentColor)" stroke-width="3" '
        f'stroke-dasharray="8 4"><title>{escape(first)}</title></path></svg>'
        f"<figcaption>{escape(describe(lines))}</figcaption>"
    )


def mean_curve(seeds):
    """Mean over the seeds at each stored step."""
    return [sum(losses) / len(losses) for losses in zip(*seeds, strict=True)]


def describe(lines):
    """What the drawing shows, from its numbers."""
    first, *others = lines
    ends = [lines[arm][-1] for arm in others]
    return (
        f"Training loss of the {first} model (dashed) and of {len(others)} broken ones (thin lines). "
        f"It ends at {lines[first][-1]:.3f} nats, the broken ones between {min(ends):.3f} and {max(ends):.3f}."
    )


def horizontal(y, label):
    return (
        f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="var(--line, #8888)"/>'
        f'<text x="{LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">{label}</text>'
    )


def vertical(x, label):
    return f'<text x="{x:.0f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{label}</text>'


def setup(app):
    app.add_role("claim", ClaimRole())
    for name, directive in {"claim-box": ClaimBox, "claim-list": ClaimList, "claim-curves": ClaimCurves}.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
