"""Live figures: ``Stepper()``, ``DkSlider()``, ``Heads()``, ``Clock()``, ``RateMap()``, ``Pronouncer()`` as last lines.

Each is one ES module beside this file; ``book/_ext/figures.py`` puts the same code on the static site.
"""

from qkv.figures.widgets import Clock, DkSlider, Heads, Pronouncer, RateMap, Stepper

__all__ = ["Clock", "DkSlider", "Heads", "Pronouncer", "RateMap", "Stepper"]
