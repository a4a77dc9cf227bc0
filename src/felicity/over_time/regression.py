"""Least squares on a series, with Newey-West errors and critical values for short series."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from felicity.over_time.noise import Bank, bandwidth, memory, newey_west, sampling_part
from felicity.over_time.series import Floats, Mask


@dataclass(frozen=True)
class Coefficient:
    """One coefficient: ``estimate``, Newey-West ``error``, 95 % interval ``low`` … ``high``, two-sided ``p_value``.

    ``detectable``: size that 80 % of such series would detect. ``phi``: autocorrelation of the noise.
    """

    estimate: float
    error: float
    low: float
    high: float
    p_value: float
    detectable: float
    phi: float


def regress(values: Floats, design: Floats, column: int, error: Floats, *, seed: int = 0) -> Coefficient:
    """Estimate the coefficient of ``design[:, column]`` in the least-squares fit of ``values`` (n,), NaN in gaps.

    ``design`` (n, p), ``error`` (n,): sampling errors of the values, NaN if unknown. The Newey-West error (1987,
    Bartlett weights, no small-sample factor) uses ``bandwidth`` lags. The ratio of estimate and error is compared with
    its own distribution in noise with the memory of the series (``noise.Bank``). The normal distribution would call up
    to every third non-effect in short series an effect.
    """
    present = np.isfinite(values)
    model = _Fit(design, present, column)
    estimate, std_error, residuals = model(np.nan_to_num(values)[None])
    sampling = sampling_part(error[present], residuals[0, present])
    bank = _bank(design.tobytes(), design.shape[1], present.tobytes(), column, sampling, seed)
    null = bank.null(float(memory(residuals, present)[0]))
    point, spread = float(estimate[0]), float(std_error[0])
    return Coefficient(
        estimate=point,
        error=spread,
        low=point - null.critical * spread,
        high=point + null.critical * spread,
        p_value=null.p_value(point / spread if spread > 0 else 0.0),
        detectable=null.detected * spread,
        phi=null.phi,
    )


def least_squares(values: Floats, design: Floats) -> Floats:
    """Return all coefficients (p,) of the least-squares fit of ``values`` (n,), NaN in gaps."""
    present = np.isfinite(values)
    return np.asarray(np.linalg.lstsq(design[present], values[present], rcond=None)[0])


class _Fit:
    """A fit of values (B, n) on the calendar, without gaps: one coefficient, its error and the residuals."""

    def __init__(self, design: Floats, present: Mask, column: int) -> None:
        self.there = np.where(present[:, None], design, 0.0)  # (n, p): gaps have no weight
        self.inverse = np.linalg.pinv(self.there)  # (p, n)
        self.row = self.inverse[column]
        self.present = present
        self.lags = bandwidth(int(present.sum()))

    def __call__(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        residuals = np.where(self.present, values - (values @ self.inverse.T) @ self.there.T, 0.0)
        variance = newey_west(residuals * self.row, self.lags)
        return values @ self.row, np.sqrt(np.maximum(variance, 0.0)), residuals


@lru_cache(maxsize=64)
def _bank(design: bytes, width: int, present: bytes, column: int, sampling: float, seed: int) -> Bank:
    there = np.frombuffer(present, np.bool_)
    model = _Fit(np.frombuffer(design, np.float64).reshape(-1, width), there, column)

    def statistic(noise: Floats) -> tuple[Floats, Floats]:
        return model(noise)[:2]

    return Bank(statistic, lambda noise: memory(model(noise)[2], there), len(there), sampling, seed)
