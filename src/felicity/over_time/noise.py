"""Autocorrelated noise, and the distribution of a statistic under such noise alone.

Tests for independent days take noise for effects: with lag-one correlation 0.6, a plain Mann-Kendall test calls every
third trendless series a trend. Here a statistic is compared with its own distribution over series that have the same
length, gaps and memory but no trend or effect, after the very same treatment (parametric bootstrap). The memory is an
autoregression of first order, observed with the sampling error of each period. Its coefficient is found by indirect
inference (Gouriéroux, Monfort & Renault 1993), which also corrects the bias of autocorrelations after removal of a
trend and a season.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from felicity.over_time.series import Floats, Mask

LEVEL = 0.95
POWER = 0.80
_GRID = np.linspace(-0.4, 0.97, 16)
_FIT_DRAWS = 400
_DRAWS = 1499
_MOST_SAMPLING = 0.5
_BATCH = 2_000_000

Memory = Callable[[Floats], Floats]
"""A function from series (B, n) to the ``memory`` of their residuals, (B,)."""
Statistic = Callable[[Floats], tuple[Floats, Floats]]
"""A function from series (B, n) to an estimate and its standard error, (B,) each; the statistic is their ratio."""


@dataclass(frozen=True)
class Null:
    """The distribution of a statistic under noise alone.

    ``phi``: autoregression from period to period. ``sizes``: absolute values of the statistic, sorted. ``detected``:
    true value, in standard errors, whose statistic exceeds ``critical`` in 80 % of the cases.
    """

    phi: float
    sizes: Floats
    detected: float

    @property
    def critical(self) -> float:
        """Return the size of the statistic that noise exceeds in 5 % of the cases."""
        return float(np.quantile(self.sizes, LEVEL))

    def p_value(self, statistic: float) -> float:
        """Return the two-sided share of noise with a statistic at least as large (Davison & Hinkley 1997, eq. 4.11)."""
        return float((1 + np.count_nonzero(self.sizes >= abs(statistic))) / (1 + len(self.sizes)))


class Bank:
    """Distributions of one statistic in noise of every memory.

    ``statistic`` and ``residual_memory`` take noise (B, n) on the full calendar and treat it as the series was treated:
    with its gaps, its season, its line; the latter returns the ``memory`` of the residuals. ``sampling``: see
    ``sampling_part``. Nothing depends on the figures of the series, so series with the same calendar share a bank. The
    draws are seeded: the same series gives the same answer.
    """

    def __init__(self, statistic: Statistic, residual_memory: Memory, n: int, sampling: float, seed: int) -> None:
        self._statistic, self._n, self._sampling, self._seed = statistic, n, sampling, seed
        rng = np.random.default_rng(seed)
        shocks, errors = rng.standard_normal((_FIT_DRAWS, n)), rng.standard_normal((_FIT_DRAWS, n))
        medians = [float(np.median(residual_memory(_noise(shocks, errors, phi, sampling)))) for phi in _GRID]
        self._medians = np.maximum.accumulate(medians)
        self._nulls: dict[int, Null] = {}

    def null(self, observed_memory: float) -> Null:
        """Return the distribution for a series whose residuals have this ``memory``."""
        phi = float(np.interp(observed_memory, self._medians, _GRID))
        right = int(np.clip(np.searchsorted(_GRID, phi), 1, len(_GRID) - 1))
        part = (phi - _GRID[right - 1]) / (_GRID[right] - _GRID[right - 1])
        low, high = self._at(right - 1), self._at(right)
        detected = (1 - part) * low.detected + part * high.detected
        return Null(phi, (1 - part) * low.sizes + part * high.sizes, detected)

    def _at(self, index: int) -> Null:
        if index not in self._nulls:
            rng = np.random.default_rng([self._seed, index])
            batch = max(1, _BATCH // self._n)
            draws = []
            for first in range(0, _DRAWS, batch):
                size = (min(batch, _DRAWS - first), self._n)
                noise = _noise(rng.standard_normal(size), rng.standard_normal(size), _GRID[index], self._sampling)
                draws.append(self._statistic(noise))
            estimates, errors = (np.concatenate(part) for part in zip(*draws, strict=True))
            errors = np.maximum(errors, 1e-12)
            null = Null(float(_GRID[index]), np.sort(np.abs(estimates) / errors), 0.0)
            # A true value d is detected if estimate + d > critical * error.
            needed = float(np.quantile(null.critical * errors - estimates, POWER)) / float(np.median(errors))
            self._nulls[index] = replace(null, detected=needed)
        return self._nulls[index]


def bandwidth(n: int) -> int:
    """Return the lags of a Newey-West variance: 1.3 √n (Lazarus, Lewis, Stock & Watson 2018)."""
    return max(1, min(n - 2, math.ceil(1.3 * math.sqrt(n))))


def newey_west(scores: Floats, lags: int) -> Floats:
    """Return (B,): variance of the sums of ``scores`` (B, n), 0 in gaps. Newey & West 1987, Bartlett weights."""
    variance = np.einsum("bn,bn->b", scores, scores)
    for lag in range(1, lags + 1):
        weight = 1.0 - lag / (lags + 1.0)
        variance += 2.0 * weight * np.einsum("bn,bn->b", scores[:, lag:], scores[:, :-lag])
    return np.asarray(variance)


def memory(residuals: Floats, present: Mask) -> Floats:
    """Return (B,): sum of the autocorrelations of lags 1 and 2 of ``residuals`` (B, n), 0 in gaps."""
    power = np.einsum("bn,bn->b", residuals, residuals) / present.sum()
    total = np.zeros(len(residuals))
    for lag in (1, 2):
        pairs = max(1, int(np.count_nonzero(present[lag:] & present[:-lag])))
        total += np.einsum("bn,bn->b", residuals[:, lag:], residuals[:, :-lag]) / pairs
    return np.asarray(total / np.maximum(power, 1e-12))


def sampling_part(error: Floats, residuals: Floats) -> float:
    """Return the share of sampling error in the residual variance: in tenths, at most one half, 0 if unknown."""
    known = np.isfinite(error)
    variance = float(np.var(residuals))
    if not known.any() or variance <= 0:
        return 0.0
    return round(min(float(np.mean(error[known] ** 2)) / variance, _MOST_SAMPLING), 1)


def _noise(shocks: Floats, errors: Floats, phi: float, sampling: float) -> Floats:
    """Draw stationary noise of variance 1."""
    steps = shocks * math.sqrt(1.0 - phi * phi)
    steps[:, 0] = shocks[:, 0]
    level = np.ascontiguousarray(steps.T)
    for i in range(1, len(level)):
        level[i] += phi * level[i - 1]
    return np.asarray(math.sqrt(1.0 - sampling) * level.T + math.sqrt(sampling) * errors)
