"""A location's own soft matrix, from faces of that very camera: when it may be used, and what it changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.errors import EstimateError
from felicity.index.soft_matrix import SoftMatrix
from felicity.labels import EXPRESSIONS, HAPPY_INDEX
from felicity.style import numbers
from felicity.windows.columns import Floats

LEAST_FACES = 30
"""Happy faces, and others, that a calibration needs."""
LEAST_GAP = 0.3
"""Between recall and false-alarm rate; an interval grows by one over it, an error by one over its square."""
FEW = 10
"""Faces of an expression below which the bundle's count as well."""


@dataclass(frozen=True)
class HappyRates:
    """How a classifier tells happy faces, 0..1: mean probability of happy on ``happy`` faces and on ``others``."""

    recall: float
    false_alarms: float
    happy: int
    others: int

    @classmethod
    def of(cls, probabilities: Floats, labels: npt.NDArray[np.int64]) -> HappyRates:
        """Compute the rates of answers (N, 8) to faces labelled (N,), with happy ones and others among them."""
        happy = labels == HAPPY_INDEX
        p = probabilities[:, HAPPY_INDEX]
        return cls(float(p[happy].mean()), float(p[~happy].mean()), int(happy.sum()), int((~happy).sum()))


@dataclass(frozen=True)
class Calibration:
    """``soft``: the matrix to use. ``local``: rates on the location's faces. ``bundle``: what the bundle's matrix
    would have expected of the same mix of labels. ``borrowed``: expressions for which the bundle's faces count, too.
    """

    soft: SoftMatrix
    local: HappyRates
    bundle: HappyRates
    borrowed: tuple[str, ...]


def calibrate(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, bundle: SoftMatrix, *, name: str = "the sample"
) -> Calibration:
    """Compute the soft matrix of a location from answers (N, 8) to its faces and their labels (N,), 0..7: places of
    the bundle's classes.

    Expressions with fewer than ten local faces are taken as if the location's and the bundle's faces had been
    one sample (``SoftMatrix.combine``): without a local face, it is the bundle's column.

    Raises EstimateError with fewer than 30 happy faces or 30 others, and where recall and false-alarm
    rate of happy lie within 0.3: the adjustment divides by their difference.
    """
    p = np.asarray(probabilities, dtype=np.float64).reshape(-1, len(EXPRESSIONS))
    y = np.asarray(labels, dtype=np.int64)
    happy = int((y == HAPPY_INDEX).sum())
    for what, count in (("happy faces", happy), ("faces that are not happy", len(y) - happy)):
        if count < LEAST_FACES:
            raise EstimateError(
                f"{name}: a calibration needs at least {LEAST_FACES} {what}, and there are {count}; "
                f"label {LEAST_FACES - count} more"
            )
    rates = HappyRates.of(p, y)
    if rates.recall - rates.false_alarms < LEAST_GAP:
        raise EstimateError(
            f"{name}: happy is answered with {numbers.share(rates.recall, 0)} to happy faces and with "
            f"{numbers.share(rates.false_alarms, 0)} to "
            f"others; less than {100 * LEAST_GAP:.0f} points between them carry no index; look at the labels, "
            f"the camera's position, or use another bundle"
        )
    own = SoftMatrix.from_probabilities(p, y, classes=bundle.classes)
    few = own.counts < FEW
    both = SoftMatrix.combine([own, bundle])
    soft = SoftMatrix(
        np.where(few, both.matrix, own.matrix),
        np.where(few, both.counts, own.counts),
        np.where(few[:, None, None], both.cross, own.cross),
        bundle.classes,
    )
    borrowed = tuple(bundle.classes.name_at(int(place)) for place in np.flatnonzero(few & bundle.known))
    mix = np.where(np.arange(len(EXPRESSIONS)) == HAPPY_INDEX, 0, own.counts)
    expected = HappyRates(
        float(bundle.matrix[HAPPY_INDEX, HAPPY_INDEX]),
        float(bundle.matrix[HAPPY_INDEX] @ mix / mix.sum()),
        int(bundle.counts[HAPPY_INDEX]),
        int(bundle.counts.sum() - bundle.counts[HAPPY_INDEX]),
    )
    return Calibration(soft, rates, expected, borrowed)
