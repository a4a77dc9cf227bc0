"""A location's own soft matrix, from faces of that very camera: its conditions and its computation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from felicity.errors import EstimateError
from felicity.index.bias import Biases, biases
from felicity.index.soft_matrix import SoftMatrix
from felicity.labels import EXPRESSIONS, HAPPY_INDEX
from felicity.style import numbers
from felicity.windows.columns import Floats

LEAST_FACES = 30
"""Least number of happy faces, and of others, for a calibration."""
LEAST_GAP = 0.3
"""Least distance of recall and false-positive rate; intervals grow by one over it, errors by one over its square."""
FEW = 10
"""Number of faces of an expression below which the bundle's faces count as well."""


@dataclass(frozen=True)
class HappyRates:
    """Mean probability of happy, 0..1: ``recall`` on ``happy`` faces and the false-positive rate on ``others``."""

    recall: float
    false_alarms: float
    happy: int
    others: int

    @classmethod
    def of(cls, probabilities: Floats, labels: npt.NDArray[np.int64], weights: Floats | None = None) -> HappyRates:
        """Compute the rates of answers (N, 8) to faces labelled (N,), with happy ones and others among them.

        ``weights`` (N,): for how many faces each stands; None for one.
        """
        happy = labels == HAPPY_INDEX
        p, w = probabilities[:, HAPPY_INDEX], np.ones(len(labels)) if weights is None else weights
        rates = [float(np.average(p[rows], weights=w[rows])) for rows in (happy, ~happy)]
        return cls(rates[0], rates[1], int(happy.sum()), int((~happy).sum()))


@dataclass(frozen=True)
class Calibration:
    """The calibration of a location: ``soft`` is the matrix to use.

    ``local``: rates on the location's faces. ``bundle``: the rates that the bundle's matrix expects for the same mix of
    labels. ``borrowed``: expressions for which the bundle's faces count as well. ``biases``: of the happy share before
    and after, and how many faces are lacking.
    """

    soft: SoftMatrix
    local: HappyRates
    bundle: HappyRates
    borrowed: tuple[str, ...]
    biases: Biases


def calibrate(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    bundle: SoftMatrix,
    *,
    weights: npt.ArrayLike | None = None,
    name: str = "the sample",
) -> Calibration:
    """Compute the soft matrix of a location from answers (N, 8) to its faces and their labels (N,), 0..7:
    places of the bundle's classes.

    Expressions with fewer than ten local faces are taken as if the location's and the bundle's faces had been
    one sample (``SoftMatrix.combine``): without a local face, it is the bundle's column. ``weights`` (N,) above 0: for
    how many of the location's faces each stands, where the sample was drawn by what the bundle answers.

    Raises EstimateError with fewer than 30 happy faces or 30 others, and if recall and false-positive rate of happy lie
    within 0.3: the adjustment divides by their difference.
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
    weight = None if weights is None else np.asarray(weights, dtype=np.float64)
    rates = HappyRates.of(p, y, weight)
    if rates.recall - rates.false_alarms < LEAST_GAP:
        raise EstimateError(
            f"{name}: happy is answered with {numbers.share(rates.recall, 0)} to happy faces and with "
            f"{numbers.share(rates.false_alarms, 0)} to "
            f"others; less than {100 * LEAST_GAP:.0f} points between them carry no index; look at the labels, "
            f"the camera's position, or use another bundle"
        )
    own = SoftMatrix.from_probabilities(p, y, weight, classes=bundle.classes)
    if weight is not None:
        own = replace(own, counts=_effective(y, weight))
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
    there = np.bincount(y, weight, len(EXPRESSIONS)).astype(np.float64)
    found = biases(soft, bundle, there, (rates.happy, rates.others))
    return Calibration(soft, rates, expected, borrowed, found)


def _effective(labels: npt.NDArray[np.int64], weights: Floats) -> npt.NDArray[np.int64]:
    """Return how many faces of equal weight tell as much of each label (Kish 1965), at least one where there is any."""
    size = len(EXPRESSIONS)
    sums, squares = (np.bincount(labels, weights**power, size) for power in (1, 2))
    return np.ceil(np.divide(sums**2, squares, out=np.zeros(size), where=squares > 0)).astype(np.int64)
