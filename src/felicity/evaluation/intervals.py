"""Intervals by the bootstrap: images resampled with replacement, with groups of images drawn together.

Source: Efron & Tibshirani 1993, ch. 13; of groups: Davison & Hinkley 1997, ch. 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from felicity.metrics.classification import Floats, Rows

LEVEL = 0.95
DRAWS, SEED = 1000, 1
CELLS = 1 << 20  # cells of the weights at a time

Measures = Callable[[Floats], Mapping[str, Floats]]
"""A function from weights ``(B, N)`` of images to figures by name, each ``(B, ...)``."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A figure with its 95 % interval; all three of one shape, NaN if undefined."""

    value: Floats
    low: Floats
    high: Floats

    def __getitem__(self, at: Any) -> Estimate:
        return Estimate(self.value[at], self.low[at], self.high[at])

    def plain(self) -> dict[str, float | None]:
        """Return a single figure and the ends of its interval as plain values; None if undefined."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        return {name: float(end) if np.isfinite(end) else None for name, end in ends.items()}


def estimates(
    measures: Measures, groups: Rows, *, draws: int = DRAWS, seed: int = SEED, biased: frozenset[str] = frozenset()
) -> dict[str, Estimate]:
    """Return every figure of ``measures`` with its interval; ``groups`` (N,): images of one number are drawn together.

    The interval lies between percentiles of the resamples. Noise raises the ``biased`` figures, and raises them again
    in each resample. So their interval is reflected at the figure (the basic bootstrap), cut at 0, and reaches up to
    the figure at least.
    """
    n = len(groups)
    found = {name: value[0] for name, value in measures(np.ones((1, n))).items()}
    parts = [measures(weights) for weights in resamples(groups, draws, seed)]
    result = {}
    for name, value in found.items():
        drawn = np.concatenate([part[name] for part in parts])  # (draws, ...)
        low, high = _percentiles(drawn)
        if name in biased:
            low, high = np.maximum(2 * value - high, 0), np.maximum(2 * value - low, value)
        undefined = np.isnan(value)
        result[name] = Estimate(value, np.where(undefined, np.nan, low), np.where(undefined, np.nan, high))
    return result


def resamples(groups: Rows, draws: int, seed: int) -> Iterator[Floats]:
    """Yield weights ``(b, N)``, some resamples at a time: the number of draws of each image, as of its group."""
    numbers, inverse = np.unique(groups, return_inverse=True)
    rng, size = np.random.default_rng(seed), len(numbers)
    step = max(1, CELLS // max(len(groups), 1))
    for first in range(0, draws, step):
        some = min(step, draws - first)
        chosen = rng.integers(size, size=(some, size)) + size * np.arange(some)[:, None]
        times = np.bincount(chosen.ravel(), minlength=some * size).reshape(some, size)
        yield times[:, inverse].astype(np.float64)


def settled(found: Estimate, trials: Floats) -> Estimate:
    """Return shares with an interval also if all of ``trials``, numbers of independent groups, had the same outcome.

    Then the share is 0 or 1 in every resample, and Wilson's interval (1927) allows for the small number of trials. If
    no resample differs for another reason, such as a single group, there is no interval. All other estimates stay
    unchanged.
    """
    z2 = 1.959964**2
    n = np.maximum(trials, 1.0)
    middle = (found.value + z2 / 2 / n) / (1 + z2 / n)
    half = np.sqrt(z2 * (found.value * (1 - found.value) + z2 / 4 / n) / n) / (1 + z2 / n)
    alike = (found.low == found.high) & (trials > 0) & ((found.value == 0) | (found.value == 1))
    low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
    return with_width(Estimate(found.value, np.where(alike, low, found.low), np.where(alike, high, found.high)))


def with_width(found: Estimate) -> Estimate:
    """Drop the interval if no resample differs, because it does not show the figure's uncertainty."""
    same = found.low == found.high
    return Estimate(found.value, np.where(same, np.nan, found.low), np.where(same, np.nan, found.high))


def _percentiles(drawn: Floats) -> tuple[Floats, Floats]:
    """Return percentiles by column over the draws that define it; NaN if fewer than half do."""
    enough = np.isfinite(drawn).mean(0) >= 0.5
    tail = (1 - LEVEL) / 2
    safe = np.where(enough, drawn, 0.0)
    low, high = np.nanquantile(safe, (tail, 1 - tail), axis=0)
    return np.where(enough, low, np.nan), np.where(enough, high, np.nan)
