"""A ranking of locations by happy share, in which locations that do not differ significantly share their ranks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

from felicity.cities.estimates import LocationEstimate, Z, estimate_locations, matrix_variance
from felicity.errors import EstimateError
from felicity.index.happiness import DEFAULT_K, Groups
from felicity.index.soft_matrix import SoftMatrix
from felicity.metrics.multiple import holm
from felicity.notes import Note
from felicity.style.language import say

LEVEL = 0.05
"""Probability of finding any difference if there is none."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class LocationDifference:
    """Happy share of ``first`` minus that of ``second``, in points.

    ``low``, ``high``: 95 % interval that holds for all pairs at once (Bonferroni). ``p_value``: of no difference,
    corrected by Holm's method for all pairs.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def found(self) -> bool:
        """Return whether the two differ significantly."""
        return self.p_value <= LEVEL


@dataclass(frozen=True)
class RankedLocation:
    """A location with its happy share and 95 % interval, percent, and the ranks that it may have.

    ``best_rank``: one more than the number of significantly happier locations; ``worst_rank``: the number of all
    locations but the significantly less happy ones. ``to_next``: the difference to the location that follows, None for
    the last.
    """

    location: str
    people: int
    share: float
    low: float
    high: float
    best_rank: int
    worst_rank: int
    to_next: LocationDifference | None = None

    @property
    def rank(self) -> str:
        """Return ``2``, or ``1`` and ``3`` with a dash between if the location may have several ranks."""
        return (
            str(self.best_rank)
            if self.best_rank == self.worst_rank
            else f"{self.best_rank}\N{EN DASH}{self.worst_rank}"
        )


@dataclass(frozen=True)
class Ranking:
    """Locations, the happiest first, and all their ``differences``; ``missing``: why others, by name, have no rank."""

    places: tuple[RankedLocation, ...]
    differences: tuple[LocationDifference, ...]
    missing: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def happiest(self) -> tuple[RankedLocation, ...]:
        """Return the first location, and all that do not differ significantly from it."""
        first = self.places[0]
        apart = {pair.second for pair in self.differences if pair.first == first.location and pair.found}
        return tuple(place for place in self.places if place.location not in apart)


def rank_locations(
    groups: Groups, soft_matrix: Callable[[str, str], SoftMatrix | None], *, k: int = DEFAULT_K
) -> Ranking:
    """Rank the locations of ``groups``, sums for all time, by adjusted happy share.

    Each pair is tested; Holm's method (1979) keeps the probability of any false difference at 5 %, however many pairs
    there are. People of two locations are independent, so the distances to the intervals' ends are combined (MOVER, Zou
    & Donner 2008). A soft matrix errs alike at all locations that share it, so only its effect on their difference
    counts.

    Raises EstimateError if fewer than two locations have a figure, ConfigError for k below 1.
    """
    found = estimate_locations(groups, soft_matrix, None, k)
    shown = {name: one for name, one in found.items() if one.shown}
    few = say("fewer than {k} people were counted there", k=k)
    missing = tuple((name, one.reason or few) for name, one in sorted(found.items()) if not one.shown)
    if len(shown) < 2:
        without = "".join(f"; {name}: {reason}" for name, reason in missing)
        text = "a ranking needs two locations with figures, and there are {number}{without}"
        raise EstimateError(say(text, number=len(shown), without=without))
    order = sorted(shown, key=lambda name: (-shown[name].share, name))
    pairs = list(combinations(order, 2))
    differences = _differences(pairs, shown)
    of = {(pair.first, pair.second): pair for pair in differences}
    places = []
    for position, name in enumerate(order):
        one = shown[name]
        places.append(
            RankedLocation(
                location=name,
                people=one.people,
                share=100 * one.share,
                low=100 * max(one.low, 0.0),
                high=100 * min(one.high, 1.0),
                best_rank=1 + sum(of[other, name].found for other in order[:position]),
                worst_rank=len(order) - sum(of[name, other].found for other in order[position + 1 :]),
                to_next=of[name, order[position + 1]] if position + 1 < len(order) else None,
            )
        )
    return Ranking(tuple(places), tuple(differences), missing, groups.notes)


def _differences(pairs: Sequence[tuple[str, str]], shown: dict[str, LocationEstimate]) -> list[LocationDifference]:
    wide = _NORMAL.inv_cdf(1 - LEVEL / 2 / len(pairs))
    rows, alone = [], []
    for first, second in pairs:
        a, b = shown[first], shown[second]
        gap = a.share - b.share
        matrix = matrix_variance([(1.0, a), (-1.0, b)])
        below, above = (
            math.sqrt((math.hypot(*sides) / Z) ** 2 + matrix) for sides in ((a.below, b.above), (a.above, b.below))
        )
        rows.append((gap, gap - wide * below, gap + wide * above))
        alone.append(2 * (1 - _NORMAL.cdf(gap / max(below, 1e-12))))
    raised = holm(alone)
    return [
        LocationDifference(*pair, 100 * gap, 100 * max(low, -1.0), 100 * min(high, 1.0), p)
        for pair, (gap, low, high), p in zip(pairs, rows, raised, strict=True)
    ]
