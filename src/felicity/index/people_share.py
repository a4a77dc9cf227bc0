"""The happy share of people whose single answers are in memory: of a folder of photographs, or a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.index.estimate import emq
from felicity.index.interval import IS_HAPPY, Intervals
from felicity.index.soft_matrix import SoftMatrix
from felicity.windows.sums import Sums


@dataclass(frozen=True)
class PeopleShare:
    """Happy share of ``people``, percent: raw; adjusted by M, with its 95 % interval; and by EMQ.

    Adjusted and EMQ correct the same errors in two ways that share little. If they differ by more than the width of the
    interval, the classifier was not calibrated on such people.
    """

    people: int
    counted: float
    adjusted: float
    low: float
    high: float
    emq: float


def happy_share(probabilities: Sequence[npt.ArrayLike], soft: SoftMatrix, prior: npt.ArrayLike) -> PeopleShare | None:
    """Estimate the share from one row of eight probabilities per person.

    Returns None without people, or without happy faces in M. ``prior`` (8,): shares of expressions under which the
    classifier is calibrated. People count as independent.
    """
    if not len(probabilities) or not (soft.known >= IS_HAPPY).all():
        return None
    p = np.asarray(probabilities, dtype=np.float64)
    p = p / p.sum(axis=1, keepdims=True)
    one, nothing = np.ones(len(p), dtype=np.int64), np.zeros(len(p), dtype=np.int64)
    sums = Sums.of_windows(
        nothing,
        nothing,
        people_seen=one,
        people=one,
        hard_counts=np.eye(p.shape[1], dtype=np.int64)[p.argmax(axis=1)],
        prob_sums=p,
        prob_cross=p[:, :, None] * p[:, None, :],
    ).total()
    found = Intervals(sums, soft).linear(IS_HAPPY)
    counted = float(sums.hard_counts[0] @ IS_HAPPY) / len(p)
    figures = (counted, found.adjusted[0], found.low[0], found.high[0], emq(p, _normal(prior)) @ IS_HAPPY)
    return PeopleShare(len(p), *(100 * float(figure) for figure in figures))


def _normal(prior: npt.ArrayLike) -> npt.NDArray[np.float64]:
    shares = np.asarray(prior, dtype=np.float64)
    return np.asarray(shares / shares.sum())
