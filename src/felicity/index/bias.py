"""The bias of an adjusted share if a camera's faces are read otherwise than the bundle's, and its detection."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from felicity.index.estimate import adjust
from felicity.index.soft_matrix import SoftMatrix
from felicity.labels import EXPRESSIONS, HAPPY_INDEX
from felicity.windows.columns import Floats

SHARES = (20.0, 50.0, 80.0)
"""True happy shares, percent, for which a bias is given."""
GOAL = 1.0
"""Largest bias in points, with its 95 % interval."""
_DRAWS, _SEED = 2000, 1


@dataclass(frozen=True)
class Bias:
    """Points by which the adjusted share lies above the true ``share`` (percent), with its 95 % interval."""

    share: float
    points: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """Return the half of the interval."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Biases:
    """The biases: ``before``, adjusted by the bundle's matrix; ``after``, by the location's.

    One per share of ``SHARES``. ``lacking``: number of further happy faces and others with which the interval ``after``
    ends within ``GOAL`` of 0; (0, 0) if none.
    """

    before: tuple[Bias, ...]
    after: tuple[Bias, ...]
    lacking: tuple[int, int]


def biases(local: SoftMatrix, bundle: SoftMatrix, mix: Floats, faces: tuple[int, int]) -> Biases:
    """Estimate the bias of a location's happy share, adjusted by the bundle's matrix and by its own.

    ``local``: the location's matrix, of a sample of ``faces``, happy ones and others. ``mix`` (8,): expressions there;
    those that are not happy make up the rest of a share in their proportion. The interval before is that of the sample,
    the only evidence on how the camera's faces are read; that after is of other samples of as many faces.
    """
    others = np.where(np.arange(len(EXPRESSIONS)) == HAPPY_INDEX, 0.0, mix)
    mixes = np.array([_mix(share, others / others.sum()) for share in SHARES])  # (S, 8)
    drawn = local.draw(np.random.default_rng(_SEED), _DRAWS)  # (D, 8, 8)
    means = mixes @ local.matrix.T  # (S, 8)
    before, after = [], []
    for share, shown, mean in zip(SHARES, mixes, means, strict=True):
        by_bundle = 100 * adjust(drawn @ shown, bundle.matrix)[:, HAPPY_INDEX] - share
        first = 100 * float(adjust(mean, bundle.matrix)[0, HAPPY_INDEX]) - share
        before.append(_bias(share, first, by_bundle))
        by_own = 100 * adjust(np.broadcast_to(mean, (_DRAWS, len(mean))), drawn)[:, HAPPY_INDEX] - share
        after.append(_bias(share, 100 * float(adjust(mean, local.matrix)[0, HAPPY_INDEX]) - share, by_own))
    widest = max(max(abs(bias.low), abs(bias.high)) for bias in after)
    growth = max(0.0, (widest / GOAL) ** 2 - 1)  # an interval shrinks with the root of the faces
    return Biases(tuple(before), tuple(after), (math.ceil(growth * faces[0]), math.ceil(growth * faces[1])))


def _mix(share: float, others: Floats) -> Floats:
    return np.where(np.arange(len(EXPRESSIONS)) == HAPPY_INDEX, share / 100, (1 - share / 100) * others)


def _bias(share: float, points: float, drawn: Floats) -> Bias:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Bias(share, points, float(low), float(high))
