"""Live figures, as a cell's last line: ``Families()``, ``Stepper()``, ``DkSlider()``, ``Heads()``, ``Clock()``, ….

Each is one ES module beside this file; ``book/_ext/figures.py`` puts the same code on the static site.
"""

from qkv.figures.widgets import (
    Clock,
    DkSlider,
    Families,
    Heads,
    MaskTallies,
    MergeGame,
    Mix,
    Pronouncer,
    RateMap,
    Stepper,
)

__all__ = [
    "Clock",
    "DkSlider",
    "Families",
    "Heads",
    "MaskTallies",
    "MergeGame",
    "Mix",
    "Pronouncer",
    "RateMap",
    "Stepper",
]
