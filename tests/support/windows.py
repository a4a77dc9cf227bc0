"""Made-up people, windows and a made-up classifier, for tests of counting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from felicity.index import SoftMatrix
from felicity.windows import PersonObservation, Sums, Window, WindowAccumulator
from felicity.windows.columns import WINDOW_COLUMNS

Floats = npt.NDArray[np.float64]

MIDNIGHT = datetime(2024, 3, 30, tzinfo=UTC)
VALIDATION = np.array([1100, 800, 380, 400, 90, 21, 270, 24])
"""Faces per label that a real validation set has: many happy, few contempt."""

# Logits by label: what this classifier answers on average. It knows happy well and contempt badly.
_LOGITS = np.full((8, 8), -2.2)
_LOGITS[np.arange(8), np.arange(8)] = [1.9, 2.3, 1.2, 2.0, 0.9, 0.9, 1.4, 0.2]
for _label, _answer, _logit in (
    (0, 2, 0.4), (2, 0, 0.9), (7, 0, 1.9), (7, 1, 0.2), (4, 3, 1.2), (5, 6, 1.2), (6, 0, 0.2), (6, 2, -0.3),
    (2, 6, -0.4), (3, 4, -0.5), (4, 2, 0.0), (5, 2, -0.2), (7, 2, 0.2), (0, 6, -1.2), (1, 0, -0.9), (0, 1, -1.0),
):  # fmt: skip
    _LOGITS[_label, _answer] = _logit


def answers(rng: np.random.Generator, labels: npt.ArrayLike) -> Floats:
    """Probabilities (N, 8) for faces of these labels; about 79 % are right on a usual mix."""
    logits = 1.3 * _LOGITS[np.asarray(labels)] + 1.5 * rng.standard_normal((np.size(labels), 8))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def soft_matrix(rng: np.random.Generator, counts: npt.ArrayLike = VALIDATION) -> SoftMatrix:
    """Measured on as many faces per label."""
    labels = np.repeat(np.arange(8), counts)
    return SoftMatrix.from_probabilities(answers(rng, labels), labels)


def shares(happy: float) -> Floats:
    """A true mix of expressions with this share of happy people."""
    others = np.array([0.52, 0.0, 0.12, 0.06, 0.04, 0.03, 0.14, 0.03])
    mix = others / others.sum() * (1 - happy)
    mix[1] = happy
    return np.asarray(mix)


def make_windows(
    rng: np.random.Generator,
    minutes: int,
    *,
    location: str = "Harbour",
    camera: str = "quay",
    source: str = "quay.mp4",
    model: str = "model-1",
    begin: datetime = MIDNIGHT,
    run_start: datetime | None = None,
    happy: float = 0.3,
    people: float = 1.0,
    seconds: int = 60,
    labels: Sequence[int] | None = None,
    detector: str = "",
) -> list[Window]:
    """Windows of a run as a watch makes them: ``people`` a minute on average, a few of them rejected."""
    accumulator = WindowAccumulator(location, camera, source, run_start or begin, model, seconds, detector=detector)
    windows: list[Window] = []
    for minute in range(minutes):
        time = begin + timedelta(minutes=minute)
        for second in range(0, 60, 10):
            accumulator.add_frame(time + timedelta(seconds=second))
        shown = rng.choice(8, rng.poisson(people), p=shares(happy)) if labels is None else np.array(labels, dtype=int)
        for p in answers(rng, shown):
            accumulator.add_person(PersonObservation(time + timedelta(seconds=30), p))
        if minute % 7 == 0:
            accumulator.add_person(PersonObservation(time + timedelta(seconds=40), None, "small"))
        windows += accumulator.closed()
    return windows + accumulator.flush()


def draw_mixes(rng: np.random.Generator, happy: Floats) -> Floats:
    """(R, 8): true mixes with these happy shares (R,) and other expressions as they come."""
    mixes = np.stack([rng.dirichlet(np.maximum(shares(0.0) * 15, 1e-6)) for _ in happy])
    mixes[:, 1] = 0
    mixes *= (1 - happy)[:, None] / mixes.sum(axis=1, keepdims=True)
    mixes[:, 1] = happy
    return mixes


def draw_groups(
    rng: np.random.Generator, mixes: Floats, people: int, window_people: float, likeness: float
) -> tuple[Sums, list[Sums]]:
    """Places with these true mixes (R, 8): their sums, and for each its windows.

    ``people`` come to each place, ``window_people`` to a window on average. ``likeness`` is the correlation
    of people in one window, whose mix is drawn around the place's (Dirichlet).
    """
    windows = max(1, round(people / window_people))
    parts = []
    for mix in mixes:
        at = rng.integers(0, windows, people)
        of_window = np.broadcast_to(mix, (windows, 8))
        if likeness:
            of_window = rng.dirichlet(np.maximum(mix * (1 / likeness - 1), 1e-6), windows)
        label = (of_window.cumsum(axis=1)[at, :7] < rng.random((people, 1))).sum(axis=1)
        p = answers(rng, label)
        one = np.ones(people, dtype=np.int64)
        each = Sums.of_windows(
            start=at * 60,
            seconds=one * 60,
            people_seen=one,
            people=one,
            hard_counts=np.eye(8, dtype=np.int64)[p.argmax(axis=1)],
            prob_sums=p,
            prob_cross=p[:, :, None] * p[:, None, :],
            frames_seen=one,
            seconds_covered=one * 1.0,
        ).grouped(at, windows)
        parts.append(
            Sums.of_windows(
                each.first, each.last - each.first, **{c.name: getattr(each, c.name) for c in WINDOW_COLUMNS}
            )
        )
    return Sums.concatenate([part.total() for part in parts]), parts
