"""The index of a city: its locations, each with its weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import numpy as np

from felicity.cities.footfall import HOURS, Footfall
from felicity.cities.pattern import most_of_crowd
from felicity.errors import ConfigError, EstimateError
from felicity.index.happiness import DEFAULT_K, Groups, crowds_of
from felicity.index.interval import IS_HAPPY, Intervals
from felicity.index.soft_matrix import SoftMatrix
from felicity.notes import Note
from felicity.over_time.series import Floats, Ints
from felicity.windows.location import Location

Weight = Literal["population", "visits", "people"]
WEIGHTS: tuple[Weight, ...] = get_args(Weight)

_Z = 1.959964
_MANY = 10**9


@dataclass(frozen=True)
class CityLocation:
    """A location in a city's index: happy share and its 95 % interval in percent, None where there is none to show.

    ``people``: those whom the share rests on, so none of hours without visits; where there is no share, all.
    ``weight``: its share of the city's weight, 0 … 1, 0 if it is missing. ``missing``: why it does not count, or None.
    ``covered``: share of its known visits that fall into hours in which people were counted, None without visits.
    """

    location: Location
    people: int
    suppressed: bool
    share: float | None = None
    low: float | None = None
    high: float | None = None
    weight: float = 0.0
    missing: str | None = None
    covered: float | None = None


@dataclass(frozen=True)
class CityIndex:
    """Happy share of a city, percent, with its 95 % interval, and the locations that it is made of."""

    weight: Weight
    share: float
    low: float
    high: float
    people: int
    parts: tuple[CityLocation, ...]
    notes: tuple[Note, ...] = ()

    @property
    def missing(self) -> tuple[CityLocation, ...]:
        """Locations that should count and do not."""
        return tuple(part for part in self.parts if part.missing)


def city_index(
    groups: Groups,
    soft_matrix: Callable[[str, str], SoftMatrix | None],
    locations: Sequence[Location],
    *,
    weight: Weight = "population",
    footfall: Footfall | None = None,
    k: int = DEFAULT_K,
) -> CityIndex:
    """Compute Σ w_l H_l / Σ w_l over ``locations``, from sums by hour or for all time.

    ``groups``: by ``hour`` where ``footfall`` knows hours, else by ``total``. Where visits by hour are known, a
    location's hours of the week count by visits, not by how many people happened to be judged; hours in which
    nobody was counted are left out and ``covered`` says so. Hours that are only counted together
    (``index.suppression``) count where most of their people came: visits weigh whole crowds and divide none.

    Interval: people of different places and hours are independent, so the squares of their
    distances to the interval's ends add up (MOVER, Zou & Donner 2008); the soft matrix of a model errs
    alike everywhere, so what it moves is added up over locations before it is squared.

    Locations without figures, and without a weight, are named in ``missing``. Raises ConfigError for
    an unknown weight, EstimateError if nothing is left, or nothing was there.
    """
    _check_request(weight, footfall, locations)
    read = _estimates(groups, soft_matrix, footfall, k)
    raw = {place.name: _weight(place, weight, footfall, read.get(place.name)) for place in locations}
    usable = {name: w for name, w in raw.items() if isinstance(w, float) and name in read and read[name].shown}
    whole = math.fsum(usable.values())
    if not usable:
        reasons = {reason for place in locations if (reason := _why(place.name, raw, read, k))}
        raise EstimateError(f"no location has both figures and a weight by {weight}: {'; '.join(sorted(reasons))}")
    if whole <= 0:
        raise EstimateError(f"the weights by {weight} of all locations with figures are 0")

    share = math.fsum(w / whole * read[name].share for name, w in usable.items())
    below = math.fsum((w / whole * read[name].below) ** 2 for name, w in usable.items())
    above = math.fsum((w / whole * read[name].above) ** 2 for name, w in usable.items())
    matrix = _matrix_variance([(w / whole, read[name]) for name, w in usable.items()])
    return CityIndex(
        weight=weight,
        share=_percent(share),
        low=_percent(share - math.sqrt(below + _Z**2 * matrix)),
        high=_percent(share + math.sqrt(above + _Z**2 * matrix)),
        people=sum(read[name].people for name in usable),
        parts=tuple(
            _part(place, read.get(place.name), usable.get(place.name, 0.0) / whole, _why(place.name, raw, read, k))
            for place in locations
        ),
        notes=(*groups.notes, *(footfall.notes if footfall else ())),
    )


def _check_request(weight: str, footfall: Footfall | None, locations: Sequence[Location]) -> None:
    if weight not in WEIGHTS:
        raise ConfigError(f"a weight is one of {', '.join(WEIGHTS)}, not {weight!r}")
    if weight == "visits" and footfall is None:
        raise ConfigError("weights by visits need a table of visits or flows; give it with --footfall")
    if not locations:
        raise EstimateError(
            "a city's index is made of its locations, and there is none; name some that the store holds"
        )


def _part(place: Location, read: _Estimate | None, weight: float, missing: str | None) -> CityLocation:
    if read is None:
        return CityLocation(place, people=0, suppressed=False, weight=weight, missing=missing)
    part = CityLocation(place, read.people, read.suppressed, weight=weight, missing=missing)
    if not read.shown:
        return part
    share, low, high = map(_percent, (read.share, read.low, read.high))
    return replace(part, share=share, low=low, high=high, covered=read.covered)


def _percent(share: float) -> float:
    return round(100 * min(max(share, 0.0), 1.0), 6)


@dataclass(frozen=True)
class _Estimate:
    """One location: happy share 0 … 1 and its interval, distances to the ends of that of people alone, part of M."""

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


def _why(name: str, raw: Mapping[str, float | str], read: Mapping[str, _Estimate], k: int) -> str | None:
    """Return why a location does not count, or None."""
    if name not in read:
        return "nobody was counted there in this period"
    if not read[name].shown:
        return read[name].reason or f"fewer than {k} people were counted there"
    found = raw[name]
    return found if isinstance(found, str) else None


def _weight(place: Location, weight: Weight, footfall: Footfall | None, read: _Estimate | None) -> float | str:
    """Return the location's weight, or why it has none."""
    if weight == "people":
        return float(read.people) if read else "nobody was counted there in this period"
    if weight == "population":
        return "its population is not known" if place.population is None else float(place.population)
    assert footfall is not None
    return footfall.total.get(place.name, "its visits are not known")


def _estimates(
    groups: Groups, soft_matrix: Callable[[str, str], SoftMatrix | None], footfall: Footfall | None, k: int
) -> dict[str, _Estimate]:
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
            found[name] = _Estimate(people, False, why, suppressed=True)
            continue
        if soft is None:
            found[name] = _Estimate(people, False, "its model has no soft matrix to adjust with")
            continue
        visits = footfall.hours.get(name) if footfall else None
        labels, shares, covered = np.zeros(len(rows), dtype=np.int64), np.ones(1), None
        if visits is not None and groups.by == "hour":
            hours = np.array([_hour_of_week(groups.keys[i].start, groups.keys[i].timezone) for i in rows])
            labels, groups_of_hours = groups_by_people(hours, sums.people, crowd[rows])
            shares, covered = _by_visits(groups_of_hours, visits)
            if not len(shares):
                found[name] = _Estimate(people, False, "its visits fall into hours in which nobody was counted")
                continue
        merged = sums.grouped(labels, len(shares))
        people = int(merged.people[shares > 0].sum())
        both = Intervals(merged, soft)
        # Known answers: what is left of the interval is people alone.
        alone = Intervals(merged, replace(soft, counts=soft.counts * _MANY))
        points, lows, highs, *_ = alone.linear(IS_HAPPY)
        share = float(shares @ points)
        below, above = (float(np.sqrt(np.sum((shares * (end - points)) ** 2))) for end in (lows, highs))
        part = np.einsum("r,rja->ja", shares, both.matrix_part(IS_HAPPY))
        matrix = _Z * math.sqrt(both.matrix_variance(part))
        low, high = share - math.hypot(below, matrix), share + math.hypot(above, matrix)
        if len(shares) == 1:
            _, (low,), (high,), *_ = both.linear(IS_HAPPY)  # the index's own interval
        found[name] = _Estimate(
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
    """Return labels (R,) of groups of hours of the week, and the group (168,) of each hour, -1 where nobody counts.

    Rows of one crowd are in one group, that of the hour in which most of them came. An hour from which all
    crowds went elsewhere belongs to the group of the hour before it that kept one. People counts alone decide.
    """
    of_row = most_of_crowd(crowd, hours, people)
    kept = np.zeros(HOURS, dtype=bool)
    kept[of_row[people > 0]] = True
    number = np.cumsum(kept) - 1
    number[number < 0] = number[-1]  # the week goes round
    counted = np.bincount(hours, people, HOURS) > 0
    return number[of_row], np.where(counted, number, -1)


def _by_visits(group: Ints, visits: Floats) -> tuple[Floats, float]:
    """Return shares of the groups of hours in the visits, and how many of the visits they cover; empty if none."""
    wanted = (group >= 0) & np.isfinite(visits)
    mass = np.bincount(group[wanted], visits[wanted], int(group.max()) + 1)
    whole = float(mass.sum())
    return (mass / whole, whole / float(np.nansum(visits))) if whole > 0 else (np.empty(0), 0.0)


def _matrix_variance(weighted: Sequence[tuple[float, _Estimate]]) -> float:
    """Return the variance of the weighted happy share from the soft matrices alone; one errs alike everywhere."""
    by_matrix: dict[int, tuple[Intervals, Floats]] = {}
    for weight, one in weighted:
        if one.with_matrix is None or one.part is None:
            continue
        key = id(one.with_matrix.soft)
        intervals, sofar = by_matrix.get(key, (one.with_matrix, np.zeros_like(one.part)))
        by_matrix[key] = (intervals, sofar + weight * one.part)
    return sum(intervals.matrix_variance(part) for intervals, part in by_matrix.values())
