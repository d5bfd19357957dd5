"""The numbers behind the figure "rates": who learns how fast at which step.  The page computes the same in JavaScript.

effective rate of a group = slanted triangle of the step · factor^-(groups above it) · (1 when unfrozen, else 0),
as a factor on the peak rate.  A run has one epoch for each group.
"""

from dataclasses import dataclass
from typing import Final

from qkv.training.schedules import slanted_triangular

GROUPS: Final = ("words", "layer 1", "layer 2", "layer 3", "head")  # from the bottom up


@dataclass(frozen=True)
class Rates:
    """One state of the figure; the defaults are the paper's numbers for a run of a hundred steps."""

    num_steps: int = 100
    cut_frac: float = 0.1
    ratio: float = 32.0
    factor: float = 2.6
    gradual: bool = True

    def learns(self, level: int, step: int) -> bool:
        """Whether a group learns at a step; with ``gradual``, the head from epoch 0 on, the words in the last only."""
        epoch = min(len(GROUPS) - 1, step * len(GROUPS) // self.num_steps)
        return not self.gradual or level >= len(GROUPS) - 1 - epoch

    def at(self, level: int, step: int) -> float:
        """Factor on the peak rate."""
        triangle = slanted_triangular(step, self.num_steps, cut_frac=self.cut_frac, ratio=self.ratio)
        return triangle / self.factor ** (len(GROUPS) - 1 - level) if self.learns(level, step) else 0.0

    def table(self) -> list[list[float]]:
        """All groups, from the bottom up, at the steps 0, 1, …, num_steps."""
        return [[self.at(level, step) for step in range(self.num_steps + 1)] for level in range(len(GROUPS))]
