"""Live figures, as a cell's last line: ``Families()``, ``Stepper()``, ``DkSlider()``, ``Heads()``, ``Clock()``, ….

Each is one ES module beside this file; ``book/_ext/figures.py`` puts the same code on the static site.
"""

from qkv.figures.widgets import (
    Clock,
    Composer,
    DkSlider,
    Families,
    FillMask,
    Heads,
    MaskTallies,
    MergeGame,
    Mix,
    NextToken,
    Pronouncer,
    RateMap,
    Stepper,
)

__all__ = [
    "Clock",
    "Composer",
    "DkSlider",
    "Families",
    "FillMask",
    "Heads",
    "MaskTallies",
    "MergeGame",
    "Mix",
    "NextToken",
    "Pronouncer",
    "RateMap",
    "Stepper",
]
