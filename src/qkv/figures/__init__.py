"""Live figures: ``Stepper()``, ``DkSlider()``, ``Heads()``, ``Clock()``, ``Pronouncer()``, ``MergeGame()``,
``MaskTallies()`` as a cell's last line.

Each is one ES module beside this file; ``book/_ext/figures.py`` puts the same code on the static site.
"""

from qkv.figures.widgets import Clock, DkSlider, Heads, MaskTallies, MergeGame, Pronouncer, Stepper

__all__ = ["Clock", "DkSlider", "Heads", "MaskTallies", "MergeGame", "Pronouncer", "Stepper"]
