"""Location-days with a fixed true happy share: people by the thousand, straight to sums of windows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from felicity.index import GroupKey, Groups, IndexRow, SoftMatrix, compute_index
from felicity.index.interval import IS_HAPPY, Intervals
from felicity.labels import EXPRESSIONS, HAPPY_INDEX
from felicity.simulation.labelled import AnsweredFaces
from felicity.windows import Sums
from felicity.windows.columns import CLASSES

Floats = npt.NDArray[np.float64]
PEOPLE_A_MINUTE = 5
FOLLOWERS = 0.5
"""Fraction of correlated people who follow the mood of their minute."""
CORRELATION = FOLLOWERS**2
"""Correlation of being happy between two people of one minute: both must follow its mood."""
_AT_ONCE = 100_000


@dataclass(frozen=True)
class People:
    """N people of several days: ``labels`` (N,), the answers to them ``(N, 8)``, and the window of each (N,)."""

    labels: npt.NDArray[np.intp]
    probabilities: Floats
    window: npt.NDArray[np.int64]


def draw_people(
    happy: npt.NDArray[np.float64],
    people: int,
    faces: AnsweredFaces,
    rng: np.random.Generator,
    *,
    correlated: bool,
    minutes: int | None = None,
) -> People:
    """Draw ``people`` for each day, each of whom is happy with the day's probability ``happy`` (D,), 0..1.

    People who are not happy have the expressions of the faces that are not, in their proportion. Minutes hold 1 +
    Poisson(4) people, or there are ``minutes`` a day with as many people each. ``correlated``: the minute has a mood,
    happy with the day's probability, and each of its people shares it with probability one half, so that two of them
    correlate by 0.25.
    """
    days = len(happy)
    if minutes is None:
        sizes = 1 + rng.poisson(PEOPLE_A_MINUTE - 1, (days, people))  # more minutes than needed
        edge = np.minimum(np.cumsum(sizes, axis=1), people)
        minute = np.concatenate([np.searchsorted(row, np.arange(people), side="right") for row in edge])
    else:
        minute = np.tile(np.arange(people) * minutes // people, days)
    window = np.repeat(np.arange(days), people) * people + minute
    chance = np.repeat(happy, people)
    if correlated:
        mood = rng.random((days, people)) < happy[:, None]
        follows = rng.random(days * people) < FOLLOWERS
        chance = np.where(follows, mood.ravel()[window], chance)
    others = rng.choice(len(EXPRESSIONS), size=days * people, p=faces.others)
    labels = np.where(rng.random(days * people) < chance, HAPPY_INDEX, others).astype(np.intp)
    return People(labels, faces.draw(labels, rng), window)


def sums_by_day(drawn: People, days: int) -> Sums:
    """Return one row per day, equal to that of ``WindowAccumulator`` and ``Sums.of``, without an object per person."""
    p = drawn.probabilities / drawn.probabilities.sum(axis=1, keepdims=True)
    people = len(p) // days
    windows, first = np.unique(drawn.window, return_index=True)  # people come in the order of their windows
    in_window = np.add.reduceat(p, first, axis=0)
    day_of_window = windows // people
    of_day = np.searchsorted(day_of_window, np.arange(days))
    count = np.bincount(day_of_window, minlength=days)
    hard = np.bincount(np.arange(len(p)) // people * CLASSES + p.argmax(axis=1), minlength=days * CLASSES)
    by_day = p.reshape(days, people, CLASSES)
    start = 60 * windows.astype(np.int64)
    last = start[np.append(of_day[1:], len(windows)) - 1]
    sums = Sums.of_windows(
        start=start[of_day],
        seconds=last + 60 - start[of_day],
        people_seen=np.full(days, people),
        people=np.full(days, people),
        hard_counts=hard,
        prob_sums=by_day.sum(axis=1),
        prob_cross=by_day.transpose(0, 2, 1) @ by_day,
    )
    squares = np.add.reduceat(in_window[:, :, None] * in_window[:, None, :], of_day, axis=0)
    return replace(sums, windows=count, blocks=count, block_cross=squares)


def simulated_days(
    happy: Floats,
    people: int,
    faces: AnsweredFaces,
    rng: np.random.Generator,
    *,
    correlated: bool,
    minutes: int | None = None,
) -> Sums:
    """Return location-days with the true shares ``happy`` (D,), 0..1, one row each; otherwise as ``draw_people``."""
    portion = max(1, _AT_ONCE // people)
    parts = [happy[begin : begin + portion] for begin in range(0, len(happy), portion)]
    drawn = (draw_people(part, people, faces, rng, correlated=correlated, minutes=minutes) for part in parts)
    return Sums.concatenate([sums_by_day(each, len(part)) for each, part in zip(drawn, parts, strict=True)])


def daily_index(days: Sums, soft: SoftMatrix) -> list[IndexRow]:
    """Return the index of each location-day."""
    # Each day is a place of its own, so no suppression applies.
    keys = tuple(GroupKey(f"day {i}", "UTC", "simulated", 0, 86_400) for i in range(len(days)))
    return compute_index(Groups("total", keys, days), lambda *_: soft)


def estimated_share(days: Sums, soft: SoftMatrix) -> Floats:
    """Return (3, D): adjusted happy share and the ends of its interval in percent, as in ``daily_index``, alone."""
    return 100 * np.stack(Intervals(days, soft).linear(IS_HAPPY)[:3])
