"""nbval for this course: kernels without network, numbers and pictures compared within a tolerance.

Plain nbval compares text to the last digit, which differs between processors, and never looks at a picture.
"""

import base64
import io
import math
import os
import re

import nbval.plugin
import numpy as np
from notebook_environment import notebook_environment
from PIL import Image

RELATIVE, ABSOLUTE = 1e-3, 1e-4
COARSEST = 0.01  # a number printed to two or more decimals may be rounded the other way: one unit of its last place
GREY_LEVELS = 4.0  # mean absolute difference of two pictures, on a scale of 0 to 255
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?(?![\w])")


def is_integer(number: str) -> bool:
    """Whether a number was printed without point or exponent; integers must match exactly."""
    return "." not in number and "e" not in number.lower()


def same_number(reference: str, new: str) -> bool:
    """Equal as text, or two decimals within the tolerance."""
    if reference == new:
        return True
    if is_integer(reference) and is_integer(new):
        return False
    unit = max(last_place(reference), last_place(new))
    absolute = max(ABSOLUTE, 1.001 * unit if unit <= COARSEST else 0)
    return math.isclose(float(reference), float(new), rel_tol=RELATIVE, abs_tol=absolute)


def last_place(number: str) -> float:
    """What one unit of the last printed decimal is worth: ".65" → 0.01, "1.5e-3" → 0.0001."""
    mantissa, _, exponent = number.lower().partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def same_text(reference: str, new: str) -> bool:
    """The same words in the same order, and numbers that agree within the tolerance."""
    a, b = NUMBER.findall(reference), NUMBER.findall(new)
    words = [" ".join(NUMBER.sub("#", text).split()) for text in (reference, new)]
    return len(a) == len(b) and words[0] == words[1] and all(map(same_number, a, b))


def picture_distance(reference: str, new: str) -> float:
    """Mean absolute difference in grey levels of two base64 PNGs; infinite if their sizes differ."""
    x, y = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(s))).convert("RGB").convert("L"), float)
        for s in (reference, new)
    )
    return math.inf if x.shape != y.shape else float(abs(x - y).mean())


compare_exactly = nbval.plugin.IPyNbCell.compare_outputs


def compare_outputs(self, test, reference, skip_compare=None):
    """Let what agrees within the tolerance pass as equal, then leave the verdict to nbval."""
    for new, old in zip(test, reference, strict=False):
        if new.output_type == old.output_type == "stream" and new.name == old.name:
            if same_text(self.sanitize(old.text), self.sanitize(new.text)):
                new.text = old.text
            continue
        data, expected = new.get("data", {}), old.get("data", {})
        for kind in {"text/plain", "text/html"} & data.keys() & expected.keys():
            if same_text(self.sanitize(expected[kind]), self.sanitize(data[kind])):
                data[kind] = expected[kind]
        if "image/png" in data and "image/png" in expected:
            distance = picture_distance(expected["image/png"], data["image/png"])
            if distance > GREY_LEVELS:
                self.comparison_traceback = [f"the picture differs by {distance:.1f} grey levels (limit {GREY_LEVELS})"]
                return False
    return compare_exactly(self, test, reference, skip_compare)


nbval.plugin.IPyNbCell.compare_outputs = compare_outputs
start_kernel = nbval.plugin.IPyNbFile.setup


def setup(self):
    """Each notebook gets a learner's state of its own: what another one checked must not show in ``progress()``."""
    os.environ |= notebook_environment()
    start_kernel(self)


nbval.plugin.IPyNbFile.setup = setup
