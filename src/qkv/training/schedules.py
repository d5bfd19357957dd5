"""Learning rate schedules: the factor on the peak rate at each step."""

import math


def warmup_inverse_sqrt(step: int, *, warmup_steps: int) -> float:
    """min(step / warmup, √(warmup / step)), with step = 1, 2, …  (Vaswani et al. 2017, equation 3).

    The paper's rate is this times its peak, (d_model · warmup)^-0.5.

    Raises:
        ValueError: a step or a warm-up below 1.
    """
    if min(step, warmup_steps) < 1:
        raise ValueError(f"expected step and warmup_steps of at least 1, got {step} and {warmup_steps}")
    return min(step / warmup_steps, math.sqrt(warmup_steps / step))


def warmup_cosine(step: int, *, num_steps: int, warmup_steps: int) -> float:
    """Straight up during the warm-up, then half a cosine down to 0 at the last step; step = 1, 2, …, num_steps.

    Source: Loshchilov & Hutter (2017), equation 5, without restarts; the warm-up as in GPT (Radford et al. 2018).

    Raises:
        ValueError: unless 1 <= step <= num_steps and 0 <= warmup_steps < num_steps.
    """
    if not (1 <= step <= num_steps and 0 <= warmup_steps < num_steps):
        raise ValueError(
            f"expected 1 <= step <= num_steps and 0 <= warmup_steps < num_steps, "
            f"got step {step}, num_steps {num_steps}, warmup_steps {warmup_steps}"
        )
    if step <= warmup_steps:
        return step / warmup_steps
    return (1 + math.cos(math.pi * (step - warmup_steps) / (num_steps - warmup_steps))) / 2


def warmup_hold_decay(step: int, *, num_steps: int, warmup_steps: int, decay_steps: int) -> float:
    """Straight up, level at 1, then straight down to 0 after the last step; step = 1, 2, …, num_steps.

    Until the decay begins nothing depends on ``num_steps``: a run can be made longer or shorter, and its first part is
    the same.  Source: Hägele et al. (2024), "Scaling Laws and Compute-Optimal Training Beyond Fixed Training
    Durations", section 3.

    Raises:
        ValueError: unless 1 <= step <= num_steps, and warm-up and decay fit into the run.
    """
    fits = min(warmup_steps, decay_steps) >= 0 and warmup_steps + decay_steps <= num_steps
    if not (1 <= step <= num_steps and fits):
        raise ValueError(
            f"expected 1 <= step <= num_steps and warmup_steps + decay_steps <= num_steps, got step {step}, "
            f"num_steps {num_steps}, warmup_steps {warmup_steps}, decay_steps {decay_steps}"
        )
    if step <= warmup_steps:
        return step / warmup_steps
    return min(1.0, (num_steps + 1 - step) / (decay_steps + 1))


def slanted_triangular(step: int, num_steps: int, *, cut_frac: float = 0.1, ratio: float = 32.0) -> float:
    """Steeply up to 1 at step ``cut``, then slowly down to 1 / ratio  (Howard & Ruder 2018, eq. 3; there step is t,
    num_steps T, and the factor η_t / η_max).

    cut = ⌊T · cut_frac⌋,  p = t / cut before it and 1 - (t - cut) / (cut · (1 / cut_frac - 1)) from there on,
    factor = (1 + p · (ratio - 1)) / ratio.

    As published, the fall is meant to last T - cut steps, but lasts fewer where T · cut_frac is no whole number: p and
    the rate fall below 0 near the end (T = 99: -0.064 at t = 98).  Here p stops at 0.  And a run
    shorter than 1 / cut_frac steps has cut = 0, which divides by 0; here it starts at its peak and falls until T.

    Raises:
        ValueError: unless 0 <= step <= num_steps, num_steps >= 1, 0 < cut_frac < 1 and ratio >= 1.
    """
    if not (0 <= step <= num_steps and num_steps >= 1 and 0 < cut_frac < 1 and ratio >= 1):
        raise ValueError(
            f"expected 0 <= step <= num_steps, num_steps >= 1, 0 < cut_frac < 1 and ratio >= 1, got step {step}, "
            f"num_steps {num_steps}, cut_frac {cut_frac}, ratio {ratio}"
        )
    cut = math.floor(num_steps * cut_frac)
    fall = cut * (1 / cut_frac - 1) if cut > 0 else num_steps
    p = step / cut if step < cut else max(0.0, 1 - (step - cut) / fall)
    return (1 + p * (ratio - 1)) / ratio


def one_cycle(step: int, num_steps: int, *, rise: float = 0.25, start: float = 1 / 25, end: float = 1e-5) -> float:
    """Half a cosine up from ``start`` to 1 at step rise · T, half a cosine down to ``end`` at step T.

    What fastai's ``fit_one_cycle`` does by default; it came after ULMFiT and is not its slanted triangle.  It also
    lowers Adam's β₁ from 0.95 to 0.85 while the rate is high, which this factor does not tell.  Source: Smith (2018),
    "A disciplined approach to neural network hyper-parameters", section 4, with cosines in the place of straight lines.

    Raises:
        ValueError: unless 0 <= step <= num_steps, num_steps >= 1 and 0 < rise < 1.
    """
    if not (0 <= step <= num_steps and num_steps >= 1 and 0 < rise < 1):
        raise ValueError(
            f"expected 0 <= step <= num_steps, num_steps >= 1 and 0 < rise < 1, got step {step}, "
            f"num_steps {num_steps}, rise {rise}"
        )
    peak = rise * num_steps
    low, gone = (start, 1 - step / peak) if step < peak else (end, (step - peak) / (num_steps - peak))
    return low + (1 - low) * (1 + math.cos(math.pi * gone)) / 2
