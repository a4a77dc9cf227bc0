"""The numbers of a report's plots; ``drawing`` draws them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

from felicity.cities.pattern import PatternRow
from felicity.index import Figure
from felicity.reports.place import PlaceReport
from felicity.style.dates import WEEKDAYS
from felicity.style.language import say
from felicity.style.numbers import count

Position = tuple[float, float]
KILOMETRES = 111.2
"""Kilometres per degree of latitude."""
MOST_FAR_OFF = 6
"""Places that may stand beside a map rather than on it."""
_STRETCHED, _LEAST_ACROSS = 4.0, 0.01
WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True)
class Dot:
    """One mark: a happy share with its interval and the raw one beside it; ``figure`` is empty if not shown."""

    label: str
    at: float
    figure: Figure
    people: int
    suppressed: bool


def index_dots(places: Sequence[PlaceReport]) -> list[Dot]:
    """Return one per place with windows, the happiest first, those not shown last; ``at`` counts up."""

    def order(place: PlaceReport) -> tuple[bool, float, str]:
        share = best(place.share)
        return (share is None, -(share or 0.0), place.name)

    ordered = sorted((place for place in places if place.total), key=order)
    return [
        Dot(place.name, float(i), place.share, place.total.people, place.total.suppressed)
        for i, place in enumerate(ordered)
        if place.total
    ]


def hour_dots(rows: Sequence[PatternRow]) -> list[Dot]:
    """Return the dots by hour of the day; ``at`` is the middle of the hour."""
    return [_dot(row, f"{row.level:02d}:00", row.level + 0.5) for row in rows]


def weekday_dots(rows: Sequence[PatternRow]) -> list[Dot]:
    """Return the dots by weekday; ``at`` is 0 on Monday."""
    return [_dot(row, WEEKDAYS[row.level], float(row.level)) for row in rows]


def _dot(row: PatternRow, label: str, at: float) -> Dot:
    return Dot(label, at, row.index.happy_share, row.index.people, row.index.suppressed)


@dataclass(frozen=True)
class DayLine:
    """Happy share by day: local starts, the figures, None in gaps; and the trend's line if there is a trend."""

    starts: tuple[datetime, ...]
    figures: tuple[Figure, ...]
    suppressed: tuple[bool, ...]
    trend_starts: tuple[datetime, ...] = ()
    trend_line: tuple[float, ...] = ()


def day_line(place: PlaceReport) -> DayLine:
    """Return the line by day, on days that have windows."""
    rows = [row for row in place.days if row.people]
    trend = place.trend
    return DayLine(
        tuple(row.start for row in rows),
        tuple(row.happy_share for row in rows),
        tuple(row.suppressed for row in rows),
        trend.starts if trend else (),
        tuple(trend.line.tolist()) if trend else (),
    )


@dataclass(frozen=True)
class MapPlace:
    """A place on a map: positions (longitude, latitude) in degrees; ``share`` in percent, None if not shown."""

    name: str
    state: str
    share: float | None
    points: tuple[Position, ...]
    lines: tuple[tuple[Position, ...], ...]
    polygons: tuple[tuple[tuple[Position, ...], ...], ...]
    """Each a list of rings, the outer first."""

    @property
    def positions(self) -> list[Position]:
        """Return all of them."""
        rings = [ring for polygon in self.polygons for ring in polygon]
        return [*self.points, *(p for part in (*self.lines, *rings) for p in part)]

    @property
    def centre(self) -> Position:
        """Return the position of its name: the centroid of its largest area, or the middle of its widest part."""
        if self.polygons:
            ring = max((polygon[0] for polygon in self.polygons), key=lambda ring: abs(_moments(ring)[0]))
            area, x, y = _moments(ring)
            if area:
                return x / area, y / area
            parts = [ring]
        else:
            parts = list(self.lines) or [self.points]
        xs, ys = zip(*max(parts, key=_extent), strict=True)
        return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _moments(ring: Sequence[Position]) -> tuple[float, float, float]:
    """Return area and first moments of a closed ring, signed (the shoelace formula), around its first position."""
    x0, y0 = ring[0]
    area = mx = my = 0.0
    for (xa, ya), (xb, yb) in pairwise((x - x0, y - y0) for x, y in ring):
        cross = xa * yb - xb * ya
        area, mx, my = area + cross / 2, mx + cross * (xa + xb) / 6, my + cross * (ya + yb) / 6
    return area, mx + x0 * area, my + y0 * area


def _extent(part: Sequence[Position]) -> float:
    x, y = zip(*part, strict=True)
    return float((max(x) - min(x)) * (max(y) - min(y)))


def map_places(places: Sequence[PlaceReport]) -> list[MapPlace]:
    """Return the places that have a geometry (RFC 7946)."""
    found = []
    for place in places:
        if place.location.geometry is None:
            continue
        points: list[Position] = []
        lines: list[tuple[Position, ...]] = []
        polygons: list[tuple[tuple[Position, ...], ...]] = []
        _take(place.location.geometry, points, lines, polygons)
        share = best(place.share)
        found.append(MapPlace(place.name, place.state, share, tuple(points), tuple(lines), tuple(polygons)))
    return found


def _take(geometry: Mapping[str, Any], points: list[Any], lines: list[Any], polygons: list[Any]) -> None:
    def line(positions: Any) -> tuple[Position, ...]:
        return tuple((float(p[0]), float(p[1])) for p in positions)

    kind: str = geometry["type"]
    at: Any = geometry.get("coordinates")
    if kind == "GeometryCollection":
        for part in geometry["geometries"]:
            _take(part, points, lines, polygons)
    elif kind.endswith("Point"):
        points.extend(line([at] if kind == "Point" else at))
    elif kind.endswith("LineString"):
        lines.extend(map(line, [at] if kind == "LineString" else at))
    else:
        polygons.extend(tuple(map(line, rings)) for rings in ([at] if kind == "Polygon" else at))


def map_aspect(places: Sequence[MapPlace]) -> float:
    """Return the drawn length of a degree of latitude over one of longitude: 1 / cos of the middle latitude."""
    latitudes = [y for place in places for _, y in place.positions]
    return 1 / max(math.cos(math.radians((min(latitudes) + max(latitudes)) / 2)), 0.05)


def far_off(places: Sequence[MapPlace]) -> tuple[list[MapPlace], list[MapPlace]]:
    """Return the places that fill a map, and those so distant that the map would be mostly empty with them.

    At least half of the places, and at least two, lie near each other; the next one makes the map ``_STRETCHED`` times
    as large. If many are distant, none is: they are places of a larger map.
    """
    aspect = map_aspect(places)
    middle = median(p.centre[0] for p in places), median(p.centre[1] for p in places)
    ordered = sorted(places, key=lambda place: _apart(place.centre, middle, aspect))
    for number in range(max(2, math.ceil(len(places) / 2), len(places) - MOST_FAR_OFF), len(places)):
        near, more = (_across(ordered[:n], aspect) for n in (number, number + 1))
        if more > _STRETCHED * max(near, _LEAST_ACROSS):
            inside = {id(place) for place in ordered[:number]}
            return [p for p in places if id(p) in inside], [p for p in places if id(p) not in inside]
    return list(places), []


def way_to(place: MapPlace, near: Sequence[MapPlace]) -> str:
    """Return distance and direction of a place from the middle of others: ``240 km north-east``."""
    aspect = map_aspect([*near, place])
    xs, ys = zip(*(p.centre for p in near), strict=True)
    middle = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    east, north = place.centre[0] - middle[0], (place.centre[1] - middle[1]) * aspect
    point = round(math.degrees(math.atan2(east, north)) / 45) % 8
    return f"{count(_apart(place.centre, middle, aspect) * KILOMETRES / aspect)} km {say(WINDS[point])}"


def _apart(one: Position, other: Position, aspect: float) -> float:
    """Return a distance in degrees of longitude."""
    return math.hypot(one[0] - other[0], (one[1] - other[1]) * aspect)


def _across(places: Sequence[MapPlace], aspect: float) -> float:
    """Return the longer side of the map that holds all places, in degrees of longitude."""
    xs, ys = zip(*(position for place in places for position in place.positions), strict=True)
    return float(max(max(xs) - min(xs), (max(ys) - min(ys)) * aspect))


def colour_range(shares: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a colour scale in whole tens, at least 20 points apart, within 0 … 100."""
    low, high = (min(shares), max(shares)) if shares else (0.0, 100.0)
    low, high = 10 * math.floor(low / 10), 10 * math.ceil(high / 10)
    while high - low < 20:
        low, high = max(low - 10, 0), min(high + 10, 100)
    return float(low), float(high)


def best(figure: Figure) -> float | None:
    """Return the adjusted share, or the raw one without it."""
    return figure.raw if figure.adjusted is None else figure.adjusted
