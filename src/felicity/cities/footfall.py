"""Interaction data: how many people visit a place, and at which hours of the week.

Felicity reads two tables and distinguishes them by their heading:

- ``location,hour,visits``: visits in an hour, ``hour`` a local time (ISO 8601, ``2026-05-01T09:00``) or an hour of
  the week, 0 (Monday, midnight) … 167. Times are averaged to a typical week.
- ``origin,destination,flow``: people going from area to area. Visits of an area are all flows into it, its own
  residents who stay (origin = destination) among them.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from felicity.errors import ConfigError
from felicity.notes import Note
from felicity.over_time.series import Floats
from felicity.windows.buckets import read_time
from felicity.windows.location import Location

HOURS = 168
_HOURLY = ("location", "hour", "visits")
_FLOWS = ("origin", "destination", "flow")


@dataclass(frozen=True)
class Footfall:
    """Visits of locations.

    ``total``: per location, in a typical week or as in the flows. ``hours``: (168,) visits by hour of the week, NaN if
    not given; empty for flows. ``notes`` name left-out rows.
    """

    total: Mapping[str, float]
    hours: Mapping[str, Floats] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def read_footfall(path: Path, locations: Iterable[Location]) -> Footfall:
    """Read either table. Places are known by name or ``code``.

    Raises ConfigError, naming the line, for missing, negative or impossible visits, a repeated place and hour, an
    unknown location, and a name or code of several locations; also if no area of the flows is a known location.
    """
    names: dict[str, tuple[str, ...]] = {}
    for place in locations:
        for alias in {place.code, place.name} - {None, ""}:
            names[str(alias)] = (*names.get(str(alias), ()), place.name)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            heading = tuple(cell.strip().lower() for cell in next(reader, []))
            rows = _rows(path, reader, heading)
            if heading == _HOURLY:
                return _hourly(path, rows, names)
            if heading == _FLOWS:
                return _flows(path, rows, names)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    raise ConfigError(
        f"{path}: the heading must be {','.join(_HOURLY)} or {','.join(_FLOWS)}, not {','.join(heading) or 'nothing'}"
    )


def _rows(path: Path, reader: Iterator[list[str]], heading: tuple[str, ...]) -> Iterator[tuple[str, str, str, float]]:
    """Yield each row: its line in the file, its two keys and its number."""
    for number, row in enumerate(reader, start=2):
        if not any(cell.strip() for cell in row):
            continue
        line = f"{path}, line {number}"
        if len(row) != len(heading):
            raise ConfigError(f"{line}: {len(heading)} columns expected ({','.join(heading)}), {len(row)} found")
        first, second, amount = (cell.strip() for cell in row)
        try:
            value = float(amount)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0:
            raise ConfigError(f"{line}: {heading[2]} is a number from 0, not {amount or 'missing'!r}")
        yield line, first, second, value


def _only(line: str, alias: str, names: Mapping[str, tuple[str, ...]]) -> str:
    """Return the location with that name or code. Raises ConfigError if there are several."""
    found = names[alias]
    if len(found) > 1:
        raise ConfigError(f"{line}: {alias!r} is the name or code of {' and of '.join(found)}; give each its own code")
    return found[0]


def _hourly(path: Path, rows: Iterable[tuple[str, str, str, float]], names: Mapping[str, tuple[str, ...]]) -> Footfall:
    sums: dict[str, Floats] = {}
    counts: dict[str, Floats] = {}
    seen = set()
    for line, place, hour, visits in rows:
        if place not in names:
            raise ConfigError(f"{line}: there is no location {place!r}; known are {', '.join(sorted(names)) or 'none'}")
        name = _only(line, place, names)
        if (name, hour) in seen:
            raise ConfigError(f"{line}: duplicate row for {name!r} at {hour}; give one row per location and hour")
        seen.add((name, hour))
        level = _hour_of_week(line, hour)
        sums.setdefault(name, np.zeros(HOURS))[level] += visits
        counts.setdefault(name, np.zeros(HOURS))[level] += 1
    if not sums:
        raise ConfigError(f"{path}: no row of visits; location,hour,visits are expected")
    hours = {name: np.where(counts[name] > 0, sums[name] / np.maximum(counts[name], 1), np.nan) for name in sums}
    return Footfall({name: float(np.nansum(visits)) for name, visits in hours.items()}, hours)


def _hour_of_week(line: str, text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 3:
        if int(text) < HOURS:
            return int(text)
        raise ConfigError(f"{line}: an hour of the week is 0 (Monday, midnight) to {HOURS - 1}, not {text}")
    try:
        time = read_time(text)
    except ValueError:
        raise ConfigError(
            f"{line}: hour is a local time such as 2026-05-01T09:00, or an hour of the week 0 to 167, not {text!r}"
        ) from None
    # Times in the file are local times of the place; an offset only distinguishes the two equal hours at the end of
    # summer time.
    return 24 * time.weekday() + time.hour


def _flows(path: Path, rows: Iterable[tuple[str, str, str, float]], names: Mapping[str, tuple[str, ...]]) -> Footfall:
    total: dict[str, float] = {}
    elsewhere = set()
    seen = set()
    for line, origin, destination, flow in rows:
        if (origin, destination) in seen:
            raise ConfigError(f"{line}: duplicate flow from {origin} to {destination}; give one row per pair")
        seen.add((origin, destination))
        if destination in names:
            name = _only(line, destination, names)
            total[name] = total.get(name, 0.0) + flow
        else:
            elsewhere.add(destination)
    if not total:
        raise ConfigError(
            f"{path}: none of its destinations is the name or code of a location; "
            f"known are {', '.join(sorted(names)) or 'none'}"
        )
    notes: tuple[Note, ...] = ()
    if elsewhere:
        listed = ", ".join(sorted(elsewhere)[:5]) + (", …" if len(elsewhere) > 5 else "")
        text = f"{path.name}: {len(elsewhere)} destinations are no locations here and are left out: {listed}"
        notes = (Note("unknown-destinations", text),)
    return Footfall(total, {}, notes)
