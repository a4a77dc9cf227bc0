"""Images with the labels of up to two heads, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

ImageArray = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelledImages:
    """``images`` uint8 ``(N, S, S[, 3])``; ``labels`` int64 ``(N,)``, -1 undecided; ``soft`` shares ``(N, C)``.

    ``second``: labels of the second head, int64 ``(N,)``, -1 undecided; None where there is none.
    """

    images: ImageArray = field(repr=False)
    labels: Rows = field(repr=False)
    soft: Floats32 | None = field(repr=False)
    second: Rows | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Rows) -> LabelledImages:
        """Return these rows, in that order."""
        soft = None if self.soft is None else self.soft[rows]
        second = None if self.second is None else self.second[rows]
        return LabelledImages(self.images[rows], self.labels[rows], soft, second)

    def joined(self, other: LabelledImages) -> LabelledImages:
        """Return these images, then the ``other`` ones; where these have votes and second labels, both have."""
        soft = second = None
        if self.soft is not None:
            none = np.zeros((len(other), self.soft.shape[1]), dtype=np.float32)
            soft = np.concatenate([self.soft, none if other.soft is None else other.soft])
        if self.second is not None:
            second = np.concatenate([self.second, np.full(len(other), -1) if other.second is None else other.second])
        images, labels = np.concatenate([self.images, other.images]), np.concatenate([self.labels, other.labels])
        return LabelledImages(images, labels, soft, second)

    def targets(self, classes: int, *, soft: bool = False, smoothing: float = 0.0) -> Floats32:
        """Return float32 ``(N, classes)``, rows sum to 1: votes if ``soft`` and known, else the label, smoothed."""
        targets = one_hot(self.labels, classes, smoothing)
        if soft and self.soft is not None:
            known = self.soft.sum(1) > 0
            targets[known] = self.soft[known]
        return targets


def one_hot(labels: Rows, classes: int, smoothing: float = 0.0) -> Floats32:
    """Return float32 ``(N, classes)``: 1 at the label, of which ``smoothing`` is spread over all; 0 for label -1."""
    targets = np.zeros((len(labels), classes), dtype=np.float32)
    decided = np.flatnonzero(labels >= 0)
    targets[decided] = smoothing / classes
    targets[decided, labels[decided]] += 1 - smoothing
    return targets
