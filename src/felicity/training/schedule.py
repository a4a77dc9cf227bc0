"""The learning rate by step."""

from __future__ import annotations

import math

from felicity.training.config import TrainConfig

ONE_CYCLE_START, ONE_CYCLE_END, ONE_CYCLE_RISE = 1 / 25, 1e-4, 0.25


def learning_rate(config: TrainConfig, step: int, steps: int) -> float:
    """Return the learning rate of ``step``, 0 to ``steps`` - 1.

    ``warm_up``: share of all steps over which the rate rises linearly. ``cosine`` falls to 0 (Loshchilov & Hutter
    2017, arXiv:1608.03983). ``one-cycle`` rises from 1/25 over a quarter of the steps and falls to a
    ten-thousandth, both along a cosine (Smith & Topin 2018, arXiv:1708.07120).
    """
    peak = config.learning_rate
    if config.schedule == "one-cycle":
        rise = max(1.0, ONE_CYCLE_RISE * steps)
        if step < rise:
            return _between(peak * ONE_CYCLE_START, peak, step / rise)
        return _between(peak, peak * ONE_CYCLE_END, (step - rise) / max(1.0, steps - 1 - rise))
    warm = config.warm_up * steps
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    if config.schedule == "cosine":
        return _between(peak, 0.0, (step - warm) / max(1.0, steps - warm))
    return peak


def _between(start: float, end: float, way: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(max(way, 0.0), 1.0))) / 2
