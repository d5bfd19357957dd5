"""Colours by role, as a fallback where the site's ``tokens.css`` is not loaded (JupyterLab, Colab).

The names are those of the custom properties: ``--query``, ``--key``, …  Hue belongs to roles alone.
"""

from typing import Final

LIGHT: Final = {
    "page": "#FFFFFF",
    "surface": "#F3F4F5",
    "ink": "#222832",
    "muted": "#48566B",
    "query": "#2563EB",
    "key": "#C2410C",
    "value": "#7A3B80",
    "mask": "#6B7280",
}
DARK: Final = {
    "page": "#121212",
    "surface": "#1E2329",
    "ink": "#E6E9ED",
    "muted": "#A9B2BD",
    "query": "#6B89F9",
    "key": "#EBA941",
    "value": "#ED4F8D",
    "mask": "#9AA3AF",
}
