"""The figures in a notebook: one output with two faces, a live widget and the element of the static page."""

from typing import Any, ClassVar

import anywidget
import traitlets

from qkv.figures import pictures, scripts


class Figure(anywidget.AnyWidget):
    """A live figure.  Subclasses name their script; nothing is computed by the kernel after it is shown."""

    name: ClassVar[str]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Widget view, HTML and text; a page without a kernel shows the HTML."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/plain": repr(self), "text/html": self.to_html()}, metadata

    def to_html(self) -> str:
        """The element of the static page; the same bytes every time."""
        return pictures.element(self.name)


class Families(Figure):
    """Which word may read which, and what is that good for?  Four masks over six words, and the tasks of each."""

    name = "families"
    _esm = scripts.module("families")


class Stepper(Figure):
    """How does *it* come to mean the cat?  Four steps of attention on the running example.

    ``Stepper(compact=True)`` shows the sentence and three bars only.
    """

    name = "stepper"
    _esm = scripts.module("stepper")
    compact = traitlets.Bool(False).tag(sync=True)

    def __repr__(self) -> str:
        return "Stepper(compact=True)" if self.compact else "Stepper()"

    def to_html(self) -> str:
        """The element of the static page; the same bytes every time."""
        return pictures.element(self.name, self.compact)


class DkSlider(Figure):
    """Nothing is learned here.  Why does one word take everything?  Random scores, with and without ÷ √d_k."""

    name = "dk_slider"
    _esm = scripts.module("dk_slider")


class Heads(Figure):
    """One of three heads is silent, and hardly anything is lost.  Is it useless?  Heads to switch off, and a loss."""

    name = "heads"
    _esm = scripts.module("heads")


class Clock(Figure):
    """What does a step to the right do, and which mistakes show?  A table of positions as clock hands."""

    name = "clock"
    _esm = scripts.module("clock")


class RateMap(Figure):
    """Who learns how fast, and when?  Layer by step: triangle, discriminative rates and unfreezing in one picture."""

    name = "rates"
    _esm = scripts.module("rates")


class Pronouncer(Figure):
    """Does the best pronunciation begin with the best first sound?  The course's model in the page, and its beam."""

    name = "pronouncer"
    _esm = scripts.module("pronouncer")


class Mix(Figure):
    """Which layer tells the two banks apart?  Three layers of our ELMo, weighed by hand: *bank* in ten sentences."""

    name = "mix"
    _esm = scripts.module("mix")


class MergeGame(Figure):
    """Which two pieces would you merge next?  Five words, and two advisers who disagree."""

    name = "merge_game"
    _esm = scripts.module("merge_game")


class MaskTallies(Figure):
    """Which of four versions masks as BERT does?  Running tallies beside what chance allows."""

    name = "mask_tallies"
    _esm = scripts.module("mask_tallies")


class Composer(Figure):
    """From which slot does the answer come?  GPT's four input transformations, with texts of the reader's own."""

    name = "composer"
    _esm = scripts.module("composer")


class NextToken(Figure):
    """How many tokens may come next?  Temperature, top-k and top-p on what our GPT expects after five beginnings."""

    name = "next_token"
    _esm = scripts.module("next_token")


class FillMask(Figure):
    """Which word is missing, and do the words behind the gap matter?  Our BERT in the page fills gaps of your own."""

    name = "fill_mask"
    _esm = scripts.module("fill_mask")
