"""Live figures: ``Stepper()``, ``DkSlider()``, ``Heads()``, ``Clock()``, ``Pronouncer()``, ``Mix()`` as a last line.

Each is one ES module beside this file; ``book/_ext/figures.py`` puts the same code on the static site.
"""

from qkv.figures.widgets import Clock, DkSlider, Heads, Mix, Pronouncer, Stepper

__all__ = ["Clock", "DkSlider", "Heads", "Mix", "Pronouncer", "Stepper"]
