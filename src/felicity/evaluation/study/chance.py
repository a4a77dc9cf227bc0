"""Differences of figures, with the part that chance explains: other images, other seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.evaluation.study.experiments import SEEDS, Outcome

NETWORKS = ("cnn", "resnet5")
Outcomes = Mapping[str, Outcome]
Spread = tuple[float, float]
"""A variance, and its degrees of freedom."""


@dataclass(frozen=True)
class Difference:
    """A difference with its 95 % interval ``low`` to ``high``."""

    value: float
    low: float
    high: float

    def within(self, most: float) -> bool | None:
        """Return whether its size is smaller than ``most``; None if the interval holds ``most``."""
        if -most < self.low and self.high < most:
            return True
        return None if self.high > -most and self.low < most else False


def difference(value: float, spreads: Sequence[Spread]) -> Difference:
    """Return ``value`` with an interval by the sum of independent ``spreads``.

    Degrees of freedom of a sum of variances: Satterthwaite 1946.
    """
    from scipy import stats

    variances, free = (np.array(column, dtype=np.float64) for column in zip(*spreads, strict=True))
    degrees = variances.sum() ** 2 / max(float((variances**2 / free).sum()), 1e-300)
    half = float(stats.t.ppf(0.975, max(degrees, 1.0)) * np.sqrt(variances.sum()))
    return Difference(value, value - half, value + half)


def of_images(share: float, images: int) -> Spread:
    """Return the spread of a share of ``count`` images."""
    return share * (1 - share) / max(images, 1), max(images - 1, 1)


def of_mean(values: npt.NDArray[np.float64]) -> Spread:
    """Return the spread of a mean of at least two values."""
    return float(np.var(values, ddof=1)) / len(values), len(values) - 1


def of_seeds(outcomes: Outcomes, figure: Callable[[Outcome], float], runs: int = 2) -> Spread:
    """Return the spread that other seeds give ``figure`` in a difference of ``runs`` single runs.

    It comes from the trainings with several seeds: those of both networks, each about its own mean.
    """
    found = [[figure(outcomes[f"augmented-{name}-{seed + 1}"]) for seed in range(SEEDS)] for name in NETWORKS]
    return runs * float(np.var(found, axis=1, ddof=1).mean()), len(NETWORKS) * (SEEDS - 1)
