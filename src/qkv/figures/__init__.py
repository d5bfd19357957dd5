"""Live figures: ``Stepper()``, ``DkSlider()``, ``Heads()`` and ``Clock()`` as the last line of a cell.

Each is one ES module beside this file; ``book/_ext/figures.py`` puts the same code on the static site.
"""

from qkv.figures.widgets import Clock, DkSlider, Heads, Stepper

__all__ = ["Clock", "DkSlider", "Heads", "Stepper"]
