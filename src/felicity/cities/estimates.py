"""Happy shares of locations, with their error in two parts: people, independent by location, and M, common to all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from felicity.cities.footfall import HOURS, Footfall
from felicity.cities.pattern import most_of_crowd
from felicity.index.happiness import Groups, crowds_of
from felicity.index.interval import IS_HAPPY, Intervals
from felicity.index.soft_matrix import SoftMatrix
from felicity.over_time.series import Floats, Ints

Z = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""
_MANY = 10**9


@dataclass(frozen=True)
class LocationEstimate:
    """One location: happy share 0 … 1, its interval, distances to the ends of that of people alone, derivative by M."""

    people: int
    shown: bool
    reason: str | None = None
    suppressed: bool = False
    share: float = 0.0
    below: float = 0.0
    above: float = 0.0
    low: float = 0.0
    high: float = 0.0
    with_matrix: Intervals | None = None
    part: Floats | None = None
    covered: float | None = None


def estimate_locations(
    groups: Groups, soft_matrix: Callable[[str, str], SoftMatrix | None], footfall: Footfall | None, k: int
) -> dict[str, LocationEstimate]:
    """Return the estimate of each location, by name, from sums by hour or for all time; see ``cities.city``."""
    of: dict[tuple[str, str], list[int]] = {}
    crowd = crowds_of(groups, k)
    for i, key in enumerate(groups.keys):
        of.setdefault((key.location, key.model), []).append(i)
    found = {}
    for (name, model), rows in of.items():
        sums = groups.sums.take(rows)
        people = int(sums.people.sum())
        soft = soft_matrix(name, model)
        if people < k or (crowd[rows] < 0).any():
            why = None if people < k else "its people are only counted together with others, outside the period"
            found[name] = LocationEstimate(people, False, why, suppressed=True)
            continue
        if soft is None:
            found[name] = LocationEstimate(people, False, "its model has no soft matrix to adjust with")
            continue
        visits = footfall.hours.get(name) if footfall else None
        labels, shares, covered = np.zeros(len(rows), dtype=np.int64), np.ones(1), None
        if visits is not None and groups.by == "hour":
            hours = np.array([_hour_of_week(groups.keys[i].start, groups.keys[i].timezone) for i in rows])
            labels, groups_of_hours = groups_by_people(hours, sums.people, crowd[rows])
            shares, covered = _by_visits(groups_of_hours, visits)
            if not len(shares):
                found[name] = LocationEstimate(people, False, "its visits fall into hours in which nobody was counted")
                continue
        merged = sums.grouped(labels, len(shares))
        people = int(merged.people[shares > 0].sum())
        both = Intervals(merged, soft)
        # With known answers, the rest of the interval is that of people alone.
        alone = Intervals(merged, replace(soft, counts=soft.counts * _MANY))
        points, lows, highs, *_ = alone.linear(IS_HAPPY)
        share = float(shares @ points)
        below, above = (float(np.sqrt(np.sum((shares * (end - points)) ** 2))) for end in (lows, highs))
        part = np.einsum("r,rja->ja", shares, both.matrix_part(IS_HAPPY))
        matrix = Z * math.sqrt(both.matrix_variance(part))
        low, high = share - math.hypot(below, matrix), share + math.hypot(above, matrix)
        if len(shares) == 1:
            _, (low,), (high,), *_ = both.linear(IS_HAPPY)  # the index's own interval
        found[name] = LocationEstimate(
            people=people,
            shown=True,
            share=share,
            below=below,
            above=above,
            low=low,
            high=high,
            with_matrix=both,
            part=part,
            covered=covered,
        )
    return found


def _hour_of_week(start: int, zone: str) -> int:
    local = datetime.fromtimestamp(start, ZoneInfo(zone))
    return 24 * local.weekday() + local.hour


def groups_by_people(hours: Ints, people: Ints, crowd: Ints) -> tuple[Ints, Ints]:
    """Return labels (R,) of groups of hours of the week, and the group (168,) of each hour, -1 if nobody counts.

    Rows of one crowd are in one group, that of the hour of most of its people. An hour whose crowds all belong to other
    hours belongs to the group of the hour before it that has one. The counts of people alone decide.
    """
    of_row = most_of_crowd(crowd, hours, people)
    kept = np.zeros(HOURS, dtype=bool)
    kept[of_row[people > 0]] = True
    number = np.cumsum(kept) - 1
    number[number < 0] = number[-1]  # the week is circular
    counted = np.bincount(hours, people, HOURS) > 0
    return number[of_row], np.where(counted, number, -1)


def _by_visits(group: Ints, visits: Floats) -> tuple[Floats, float]:
    """Return shares of the groups of hours in the visits, and the fraction of visits that they cover; empty if none."""
    wanted = (group >= 0) & np.isfinite(visits)
    mass = np.bincount(group[wanted], visits[wanted], int(group.max()) + 1)
    whole = float(mass.sum())
    return (mass / whole, whole / float(np.nansum(visits))) if whole > 0 else (np.empty(0), 0.0)


def matrix_variance(weighted: Sequence[tuple[float, LocationEstimate]]) -> float:
    """Return the variance of the weighted happy share from the soft matrices alone; a matrix errs alike everywhere."""
    by_matrix: dict[int, tuple[Intervals, Floats]] = {}
    for weight, one in weighted:
        if one.with_matrix is None or one.part is None:
            continue
        key = id(one.with_matrix.soft)
        intervals, sofar = by_matrix.get(key, (one.with_matrix, np.zeros_like(one.part)))
        by_matrix[key] = (intervals, sofar + weight * one.part)
    return sum(intervals.matrix_variance(part) for intervals, part in by_matrix.values())
