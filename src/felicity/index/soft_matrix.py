"""The soft confusion matrix: a classifier's mean answers to faces whose expressions are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import BundleError
from felicity.labels import EIGHT_CLASSES, HAPPY_INDEX, Classes
from felicity.windows.columns import CLASSES, Floats


@dataclass(frozen=True)
class SoftMatrix:
    """Mean and second moments of the probabilities by true label, on faces that the weights never saw.

    ``matrix`` (8, 8): ``[i, j]`` is the mean of p_i over validation faces of label j; columns sum to 1. ``counts``
    (8,): faces per label. ``cross`` (8, 8, 8): ``cross[j]`` is the mean of p pᵀ over faces of label j. A label without
    a face has zero columns; see ``known``. ``classes``: the classes of answers and labels, each at its place among the
    eight.

    The matrix M of probabilistic adjusted counting (Bella et al. 2010, "Quantification via probability estimators";
    Hopkins & King 2010); the second moments give its uncertainty.
    """

    matrix: Floats
    counts: npt.NDArray[np.int64]
    cross: Floats
    classes: Classes = EIGHT_CLASSES

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        cross = np.array(self.cross, dtype=np.float64)
        counts = np.array(self.counts)
        shapes = {"matrix": (matrix, (CLASSES,) * 2), "counts": (counts, (CLASSES,)), "cross": (cross, (CLASSES,) * 3)}
        for name, (array, shape) in shapes.items():
            if array.shape != shape or not np.isfinite(array).all() or array.min() < 0:
                raise ValueError(f"a soft matrix's {name} must be {shape} numbers from 0, not {array.shape}")
        if (counts != np.floor(counts)).any() or not counts.any():
            raise ValueError("a soft matrix's counts are whole numbers, at least one above 0")
        counts = counts.astype(np.int64)
        known = counts > 0
        if np.abs(matrix.sum(axis=0) - known).max() > 1e-6:
            raise ValueError("each column of a soft matrix sums to 1, or to 0 where its count is 0")
        if np.abs(cross.sum(axis=2).T - matrix).max() > 1e-6 or np.abs(cross - cross.transpose(0, 2, 1)).max() > 1e-6:
            raise ValueError("a soft matrix's cross[j] is symmetric and its rows sum to column j of the matrix")
        for name, array in (("matrix", matrix), ("counts", counts), ("cross", cross)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Return (8,): the labels that have validation faces."""
        return np.asarray(self.counts > 0)

    @classmethod
    def from_probabilities(
        cls,
        probabilities: npt.ArrayLike,
        labels: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        classes: Classes = EIGHT_CLASSES,
    ) -> SoftMatrix:
        """Compute the matrix from the answers ``(N, 8)`` to N held-out faces and their labels ``(N,)``, 0 … 7.

        ``weights`` ``(N,)`` above 0: the weight of each face among those of its label; None for equal weights.
        """
        p = np.asarray(probabilities, dtype=np.float64)
        y = np.asarray(labels)
        if p.ndim != 2 or p.shape[1] != CLASSES or y.shape != p.shape[:1] or not len(p):
            raise ValueError(f"probabilities are (N, {CLASSES}) with N labels, not {p.shape} and {y.shape}")
        if not np.isfinite(p).all() or p.min() < 0 or np.abs(p.sum(axis=1) - 1).max() > 1e-3:
            raise ValueError("each row of probabilities must sum to 1")
        if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= CLASSES:
            raise ValueError(f"labels are whole numbers from 0 to {CLASSES - 1}")
        p = p / p.sum(axis=1, keepdims=True)
        one_hot = np.eye(CLASSES)[y]  # (N, 8)
        counts = one_hot.sum(axis=0)
        weight = one_hot if weights is None else one_hot * np.asarray(weights, dtype=np.float64)[:, None]
        share = weight / np.where(counts > 0, weight.sum(axis=0), 1)
        cross = np.einsum("nj,na,nb->jab", share, p, p, optimize=True)
        return cls(p.T @ share, counts.astype(np.int64), cross, classes)

    @classmethod
    def combine(cls, parts: Sequence[SoftMatrix]) -> SoftMatrix:
        """Combine ``parts`` of the same classes as if all their faces had been one sample."""
        if any(part.classes != parts[0].classes for part in parts):
            raise ValueError("soft matrices of different classes do not combine")
        counts = np.sum([part.counts for part in parts], axis=0)
        weight = [part.counts / np.maximum(counts, 1) for part in parts]
        matrix = sum(part.matrix * w for part, w in zip(parts, weight, strict=True))
        cross = sum(part.cross * w[:, None, None] for part, w in zip(parts, weight, strict=True))
        return cls(np.asarray(matrix), counts, np.asarray(cross), parts[0].classes)

    def spread(self) -> Floats:
        """Return (8, 8, 8): ``spread[j]`` is the covariance of p within label j.

        Few faces tell little about their spread, and one tells nothing. So the widest possible spread in the simplex,
        diag(m) - m mᵀ, counts as much as ``_CAUTION`` faces.
        """
        m = self.matrix.T  # (8 labels, 8)
        own = self.cross - m[:, :, None] * m[:, None, :]
        widest = m[:, :, None] * np.eye(CLASSES) - m[:, :, None] * m[:, None, :]
        n = self.counts[:, None, None].astype(np.float64)
        return np.asarray((n * own + _CAUTION * widest) / np.maximum(n - 1 + _CAUTION, 1))

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Return (n, 8, 8): matrices that other samples of as many validation faces might give.

        Columns are independent Dirichlet draws around the measured column, each with the total variance of the mean of
        ``counts[j]`` faces. Columns without a face stay zero.
        """
        drawn = np.zeros((n, CLASSES, CLASSES))
        spread = self.spread()
        for j in np.flatnonzero(self.known):
            mean = self.matrix[:, j]
            variance = np.trace(spread[j]) / self.counts[j]
            widest = 1 - float(mean @ mean)
            if variance < 1e-12 * widest or widest < 1e-12:
                drawn[:, :, j] = mean
                continue
            gamma = rng.gamma(np.maximum(mean * max(widest / variance - 1, 1.0), 1e-9), size=(n, CLASSES))
            drawn[:, :, j] = gamma / np.maximum(gamma.sum(axis=1, keepdims=True), 1e-300)
        return drawn

    def happy_error(self, share: float) -> float | None:
        """Return the standard error that the luck of these faces brings into a happy ``share``, both 0 to 1.

        The others have their expressions in the proportion of ``counts``. None without happy faces or others. It is
        the error of measuring recall and false alarms, divided by their difference, to first order.
        """
        others = np.where(np.arange(CLASSES) == HAPPY_INDEX, 0, self.counts)
        if not others.any() or not self.counts[HAPPY_INDEX]:
            return None
        mix = share * np.eye(CLASSES)[HAPPY_INDEX] + (1 - share) * others / others.sum()
        gap = self.matrix[HAPPY_INDEX, HAPPY_INDEX] - self.matrix[HAPPY_INDEX] @ others / others.sum()
        variance = self.spread()[:, HAPPY_INDEX, HAPPY_INDEX] / np.maximum(self.counts, 1)
        return float(np.sqrt(mix**2 @ variance) / max(abs(gap), 1e-9))

    def rounded(self, digits: int = 8) -> SoftMatrix:
        """Round to the digits that a sample can carry, for writing."""
        return replace(self, matrix=self.matrix.round(digits), cross=self.cross.round(digits))

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form for a store and for ``bundle.json``; with ``classes`` if they are not the eight."""
        told = {"matrix": self.matrix.tolist(), "counts": self.counts.tolist(), "cross": self.cross.tolist()}
        return told if self.classes == EIGHT_CLASSES else told | {"classes": self.classes.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SoftMatrix:
        """Read the form that ``to_json`` wrote; raises ValueError naming the fault."""
        if not isinstance(value, Mapping) or set(value) - {"classes"} != {"matrix", "counts", "cross"}:
            raise ValueError("a soft matrix has matrix, counts and cross, and nothing else")
        told = value.get("classes")
        try:
            classes = EIGHT_CLASSES if told is None else Classes.of(told, told)
            return cls(np.array(value["matrix"]), np.array(value["counts"]), np.array(value["cross"]), classes)
        except (TypeError, ValueError) as error:
            raise ValueError(f"not a soft matrix: {error}") from error


def check_countable(classes: Classes, name: str) -> None:
    """Raise BundleError, calling the bundle ``name``, if no class is happy alone: it carries no happiness index."""
    if classes.happy is None:
        raise BundleError(
            f"{name}: tells {classes.text} apart, and a happy share needs a class of happy alone; use a bundle that "
            f"has one, such as the shipped one"
        )


_CAUTION = 2.0
