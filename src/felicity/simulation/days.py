"""Location-days whose true happy share is fixed: people by the thousand, straight to sums of windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.index import GroupKey, Groups, IndexRow, SoftMatrix, Sums, compute_index
from felicity.index.window import CLASSES
from felicity.labels import EXPRESSIONS
from felicity.simulation.labelled import AnsweredFaces
from felicity.simulation.people import HAPPY

Floats = npt.NDArray[np.float64]
PEOPLE_A_MINUTE = 5
FOLLOWERS = 0.5
"""Of correlated people, the part that follows the mood of their minute."""
CORRELATION = FOLLOWERS**2
"""Of being happy, between two people of one minute: both must follow."""
_AT_ONCE = 200_000


@dataclass(frozen=True)
class People:
    """N people of several days: ``labels`` (N,), the answers to them ``(N, 8)``, and the window of each (N,)."""

    labels: npt.NDArray[np.intp]
    probabilities: Floats
    window: npt.NDArray[np.int64]


def draw_people(
    happy: npt.NDArray[np.float64], people: int, faces: AnsweredFaces, rng: np.random.Generator, *, correlated: bool
) -> People:
    """``people`` for each day, of whom each is happy with the day's probability ``happy`` (D,), 0..1.

    Those who are not happy have the expressions of the faces that are not, in their proportion. Minutes hold
    1 + Poisson(4) people. ``correlated``: the minute has a mood, happy with the day's probability, and
    each of its people shares it with probability one half, so that two of them correlate by 0.25.
    """
    days = len(happy)
    sizes = 1 + rng.poisson(PEOPLE_A_MINUTE - 1, (days, people))  # more minutes than are needed
    edge = np.minimum(np.cumsum(sizes, axis=1), people)
    minute = np.concatenate([np.searchsorted(row, np.arange(people), side="right") for row in edge])
    window = np.repeat(np.arange(days), people) * people + minute
    chance = np.repeat(happy, people)
    if correlated:
        mood = rng.random((days, people)) < happy[:, None]
        follows = rng.random(days * people) < FOLLOWERS
        chance = np.where(follows, mood.ravel()[window], chance)
    others = rng.choice(len(EXPRESSIONS), size=days * people, p=faces.others)
    labels = np.where(rng.random(days * people) < chance, HAPPY, others).astype(np.intp)
    return People(labels, faces.draw(labels, rng), window)


def sums_by_day(drawn: People, days: int) -> Sums:
    """One row per day. The same as ``WindowAccumulator`` and ``Sums.of`` give, without an object per person."""
    p = drawn.probabilities / drawn.probabilities.sum(axis=1, keepdims=True)
    people = len(p) // days
    windows, first, count = np.unique(drawn.window, return_index=True, return_counts=True)
    hard = np.zeros((len(windows), CLASSES), dtype=np.int64)
    np.add.at(hard, (np.repeat(np.arange(len(windows)), count), p.argmax(axis=1)), 1)
    nothing = np.zeros(len(windows))
    start = 60 * windows.astype(np.int64)
    of_windows = Sums.of_columns(
        people_seen=count,
        people=count,
        hard_counts=hard,
        prob_sums=np.add.reduceat(p, first, axis=0),
        prob_cross=np.add.reduceat(p[:, :, None] * p[:, None, :], first, axis=0),
        frames_seen=nothing,
        frames_dropped=nothing,
        seconds_covered=nothing,
        first=start,
        last=start + 60,
        rejected=({},) * len(windows),
    )
    return of_windows.grouped(windows // people, days)


def index_of_days(
    happy: Floats, people: int, faces: AnsweredFaces, soft: SoftMatrix, rng: np.random.Generator, *, correlated: bool
) -> list[IndexRow]:
    """The index of simulated location-days with the true shares ``happy`` (D,), one row each."""
    rows: list[IndexRow] = []
    portion = max(1, _AT_ONCE // people)
    for begin in range(0, len(happy), portion):
        part = happy[begin : begin + portion]
        sums = sums_by_day(draw_people(part, people, faces, rng, correlated=correlated), len(part))
        # Each day is a place of its own: there is nothing to hide it behind.
        keys = tuple(GroupKey(f"day {begin + i}", "UTC", "simulated", 0, 86_400) for i in range(len(part)))
        rows += compute_index(Groups("total", keys, sums), lambda *_: soft)
    return rows
