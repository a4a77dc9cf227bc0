"""The window: what is kept of the people at a place in a minute. No person is in it.

It is the only thing that crosses from seeing to counting, and it merges by addition, so hours,
days and places are sums of windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

CLASSES = 8


@dataclass(frozen=True)
class PersonObservation:
    """One person at the end of a track; lives in memory until its window closes, and is then gone.

    ``probabilities``: float ``(8,)`` in the order of ``labels.EXPRESSIONS``, sums to 1, or None where
    the quality gate let no face pass; ``rejected`` then gives the reason.
    """

    time: datetime
    probabilities: npt.NDArray[np.float64] | None = field(repr=False)
    rejected: str | None = None


@dataclass(frozen=True)
class WindowKey:
    """Whose window it is.

    ``start`` is UTC and a whole multiple of ``seconds`` since the epoch. ``run_start`` tells runs of
    one source apart: a run repeated with the same source, camera and start replaces its windows.
    ``model`` is the bundle's identity (``Bundle.id``).
    """

    location: str
    camera: str
    source: str
    run_start: datetime
    model: str
    start: datetime
    seconds: int


def _zeros(*shape: int) -> npt.NDArray[np.float64]:
    return np.zeros(shape, dtype=np.float64)


@dataclass(frozen=True)
class Window:
    """Counts and sums over the people of one window (``felicity/index``: the sufficient statistics).

    ``people_seen``: all tracks; ``people``: those good enough to judge. ``hard_counts`` (8,): people
    by most probable expression. ``prob_sums`` (8,): sum of p. ``prob_cross`` (8, 8): sum of p pᵀ.
    ``rejected``: people by reason of rejection; ``people_seen = people + sum(rejected)``.
    """

    key: WindowKey
    people_seen: int = 0
    people: int = 0
    hard_counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(CLASSES, dtype=np.int64))
    prob_sums: npt.NDArray[np.float64] = field(default_factory=lambda: _zeros(CLASSES))
    prob_cross: npt.NDArray[np.float64] = field(default_factory=lambda: _zeros(CLASSES, CLASSES))
    frames_seen: int = 0
    frames_dropped: int = 0
    seconds_covered: float = 0.0
    rejected: Mapping[str, int] = field(default_factory=dict)
