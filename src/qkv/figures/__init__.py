"""Live figures: ``Stepper()``, ``DkSlider()`` and ``Heads()`` as the last line of a cell.

Each is one ES module beside this file; ``book/_ext/figures.py`` puts the same code on the static site.
"""

from qkv.figures.widgets import DkSlider, Heads, Stepper

__all__ = ["DkSlider", "Heads", "Stepper"]
