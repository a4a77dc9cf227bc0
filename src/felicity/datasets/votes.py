"""FER+ votes: the answers of ten people per face, and the published rules that turn them into labels.

Source: Barsoum, Zhang, Canton Ferrer, Zhang: Training Deep Networks for Facial Expression Recognition with
Crowd-Sourced Label Distribution, ICMI 2016 (arXiv:1608.01041), section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError

Mode = Literal["shares", "majority", "probability", "multi-target"]
MAJORITY_SHARE, PROBABILITY_SHARE, TARGET_SHARE, MOST_EXPRESSIONS = 0.5, 0.75, 0.3, 3


@dataclass(frozen=True)
class VoteRule:
    """A rule that turns votes into a label and a soft label.

    ``mode``: ``majority``: the expression with more than half of the votes. ``probability``: the distribution over the
    most voted expressions up to three quarters of the votes, three at most. ``multi-target``: every expression with 30
    % or more, equally. ``shares``: the distribution over all eight, for faces of which fewer than half of the votes are
    unknown or no face; the label is the single most voted answer, if there is one. ``drop_single``: ignore an answer
    that one person alone gave (the paper's outlier filter).
    """

    mode: Mode = "shares"
    drop_single: bool = True

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ConfigError(f"votes are read as {', '.join(get_args(Mode))}, not {self.mode!r}")

    def apply(self, votes: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return labels and soft labels of ``votes`` (N, 10): eight expressions in our order, unknown, no face.

        Labels are int64 ``(N,)``, -1 if no single expression stands out. Soft labels are float32 ``(N, 8)``; rows sum
        to 1, or to 0 if the face is to be left out.
        """
        if self.drop_single:
            votes = np.where(votes > 1, votes, 0)
        total = votes.sum(1)
        soft = getattr(self, f"_{self.mode.replace('-', '_')}")(votes.astype(np.float64), total)
        usable = soft.sum(1) > 0
        soft /= np.maximum(soft.sum(1, keepdims=True), 1e-12)
        top = votes.max(1)
        single = (votes == top[:, None]).sum(1) == 1
        winner = votes.argmax(1)
        return np.where(usable & single & (winner < 8), winner, -1), soft.astype(np.float32)

    @staticmethod
    def _shares(votes: npt.NDArray[np.float64], total: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        unclear = votes[:, 8:].sum(1) * 2 >= np.maximum(total, 1)
        return np.where(unclear[:, None], 0, votes[:, :8])

    @staticmethod
    def _majority(votes: npt.NDArray[np.float64], total: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return np.where(votes[:, :8] > MAJORITY_SHARE * total[:, None], votes[:, :8], 0)

    @staticmethod
    def _probability(votes: npt.NDArray[np.float64], total: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Keep the most voted labels, ties together, until they hold three quarters of the votes or "unknown"."""
        kept = np.zeros_like(votes)
        left = votes.copy()
        going = total > 0
        while going.any():
            top = left.max(1)
            tied = (left == top[:, None]) & (top > 0)[:, None] & going[:, None]
            kept = np.where(tied, left, kept)
            left = np.where(tied, 0, left)
            going &= ~tied[:, 8:].any(1) & (top > 0)
            going &= (kept.sum(1) < PROBABILITY_SHARE * total) & ((kept > 0).sum(1) < MOST_EXPRESSIONS)
        kept = kept[:, :8]
        many = (kept > 0).sum(1) > MOST_EXPRESSIONS
        thin = kept.sum(1) <= MAJORITY_SHARE * total
        return np.where((many | thin)[:, None], 0, kept)

    @staticmethod
    def _multi_target(votes: npt.NDArray[np.float64], total: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        chosen = np.where(votes >= TARGET_SHARE * total[:, None], votes, 0)
        chosen[:, :8] *= chosen[:, 8:].max(1, keepdims=True) <= chosen[:, :8].max(1, keepdims=True)
        thin = chosen.sum(1) <= MAJORITY_SHARE * total
        return np.where(thin[:, None], 0, (chosen[:, :8] > 0).astype(np.float64))
