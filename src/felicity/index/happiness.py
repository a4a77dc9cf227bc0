"""The happiness index of places and times, from sums of windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from felicity.index.estimate import shares
from felicity.index.interval import IS_HAPPY, Intervals
from felicity.index.seeing import Seeing, seeing_of
from felicity.index.soft_matrix import SoftMatrix
from felicity.index.suppression import alone, check_k, crowds
from felicity.labels import EIGHT_CLASSES, EXPRESSIONS, Classes, Mood
from felicity.notes import Note
from felicity.style.language import say
from felicity.windows.buckets import By, bucket
from felicity.windows.columns import CLASSES, Floats
from felicity.windows.sums import Sums

DEFAULT_K = 10


class Figure(NamedTuple):
    """One figure in percent: raw, adjusted, and the 95 % interval of the adjusted one. None: not known.

    ``people_error`` and ``matrix_error`` are the parts of the standard error of the adjusted figure. The error of
    people is independent between rows. The error of the soft matrix is common to all rows of one model, so a mean over
    places or days does not reduce it.
    """

    raw: float | None = None
    adjusted: float | None = None
    low: float | None = None
    high: float | None = None
    people_error: float | None = None
    matrix_error: float | None = None


_NOTHING = Figure()


@dataclass(frozen=True)
class IndexRow:
    """The index of one location in one bucket of time.

    ``start``, ``end``: in the location's time zone. ``people_seen``: all face tracks; ``people``: those judged, of whom
    the shares are. ``happy_share``, ``balance`` (happy minus unhappy), ``ratio`` (happy of happy and unhappy) and
    ``expressions``, by class of the model, are in percent. They are empty if the row is ``suppressed`` (fewer than k
    people, or counted only together with such a row) or if the classes do not suffice. ``effective_people``: the number
    of people who do not resemble each other and would tell as much. ``rejected``: people not judged, by reason.
    ``first_day``, ``last_day``: of windows, in the location's time zone; None if the row is suppressed. ``detector``:
    the face detector; empty if no window holds it. ``seeing``: the seeing conditions.
    """

    location: str
    start: datetime
    end: datetime
    model: str
    people_seen: int
    people: int
    windows: int
    suppressed: bool
    happy_share: Figure = _NOTHING
    balance: Figure = _NOTHING
    ratio: Figure = _NOTHING
    expressions: Mapping[str, Figure] = field(default_factory=lambda: dict.fromkeys(map(str, EXPRESSIONS), _NOTHING))
    effective_people: float | None = None
    seconds_covered: float = 0.0
    rejected: Mapping[str, int] = field(default_factory=dict)
    first_day: date | None = None
    last_day: date | None = None
    detector: str = ""
    seeing: Seeing = field(default_factory=Seeing)

    @property
    def partial(self) -> bool:
        """Return whether windows begin after the first day of the period, or end before its last."""
        if self.first_day is None or self.last_day is None:
            return False
        last = (self.end - timedelta(microseconds=1)).date()
        return self.first_day > self.start.date() or self.last_day < last

    def hidden_because(self, k: int) -> str:
        """Return why the row is suppressed: ``too few people``, or it ``shares a crowd`` with people outside it."""
        return "too few people" if self.people < k else "shares a crowd"


@dataclass(frozen=True)
class GroupKey:
    """The key of a group: location, time zone, model, bucket in seconds since the epoch, and detector."""

    location: str
    timezone: str
    model: str
    start: int
    end: int
    detector: str = ""


@dataclass(frozen=True)
class Groups:
    """Sums of windows by location and bucket: one key per row of ``sums``; ``notes`` name left-out windows.

    ``crowds``: rows of equal number share a crowd of at least ``k`` people (``index.suppression``) and are only ever
    counted together; -1 for a row that holds no whole crowd. None: the rows are the whole data.
    """

    by: By
    keys: tuple[GroupKey, ...]
    sums: Sums
    notes: tuple[Note, ...] = ()
    k: int | None = None
    crowds: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("sums", "crowds"):
            if (column := getattr(self, name)) is not None and len(column) != len(self.keys):
                raise ValueError(f"{len(self.keys)} keys for {len(column)} {name}")


def compute_index(
    groups: Groups, soft_matrix: Callable[[str, str], SoftMatrix | None], *, k: int = DEFAULT_K
) -> list[IndexRow]:
    """Compute the index of each group, in the given order.

    ``soft_matrix(location, model)`` returns M, or None if it is unknown: then only raw figures are given. ``k``: the
    fewest people of a shown figure (``index.suppression``); raises ConfigError below 1.
    """
    hidden = hidden_rows(groups, k)
    figures = _all_figures(groups, soft_matrix)
    seeing = seeing_of(groups.sums)
    zones = {name: ZoneInfo(name) for name in {key.timezone for key in groups.keys}}
    rows = []
    for i, key in enumerate(groups.keys):
        sums, zone = groups.sums, zones[key.timezone]
        shown = _emptied(figures[i]) if hidden[i] else figures[i] | _days(int(sums.first[i]), int(sums.last[i]), zone)
        rows.append(
            IndexRow(
                location=key.location,
                start=datetime.fromtimestamp(key.start, UTC).astimezone(zone),
                end=datetime.fromtimestamp(key.end, UTC).astimezone(zone),
                model=key.model,
                people_seen=int(sums.people_seen[i]),
                people=int(sums.people[i]),
                windows=int(sums.windows[i]),
                suppressed=bool(hidden[i]),
                seconds_covered=float(sums.seconds_covered[i]),
                rejected=sums.rejected[i],
                detector=key.detector,
                seeing=seeing[i],
                **shown,
            )
        )
    return rows


def _days(first: int, last: int, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "first_day": datetime.fromtimestamp(first, zone).date(),
        "last_day": datetime.fromtimestamp(max(last - 1, first), zone).date(),
    }


def _emptied(figures: dict[str, Any]) -> dict[str, Any]:
    return {"expressions": dict.fromkeys(figures["expressions"], _NOTHING)}


def class_notes(groups: Groups, soft_matrix: Callable[[str, str], SoftMatrix | None]) -> tuple[Note, ...]:
    """Return notes on the classes of the groups' models, if they are not the eight, and if they differ."""
    told: dict[str, str] = {}
    for location, model in dict.fromkeys((key.location, key.model) for key in groups.keys):
        soft = soft_matrix(location, model)
        told[model] = (EIGHT_CLASSES if soft is None else soft.classes).text
    notes = [
        Note(
            "class-merged",
            say(
                "model {model} tells {classes} apart; there are no figures of other expressions",
                model=model,
                classes=text,
            ),
        )
        for model, text in told.items()
        if text != EIGHT_CLASSES.text
    ]
    if len(set(told.values())) > 1:
        text = say(
            "{number} models with different classes read these locations: compare their happy shares alone",
            number=len(told),
        )
        notes.append(Note("classes-differ", text))
    return tuple(notes)


def hidden_rows(groups: Groups, k: int) -> npt.NDArray[np.bool_]:
    """Return (R,): True for groups that ``compute_index`` does not show."""
    crowd = crowds_of(groups, k)
    known = crowd >= 0
    hidden = np.ones(len(crowd), dtype=bool)
    hidden[known] = ~alone(crowd[known], groups.sums.people[known], k)
    return hidden


_COARSER: Mapping[By, tuple[By, ...]] = {
    "total": (),
    "month": (),
    "week": (),
    "day": ("month", "week"),
    "hour": ("month", "week", "day"),
    "minute": ("month", "week", "day", "hour"),
}


def crowds_of(groups: Groups, k: int) -> npt.NDArray[np.int64]:
    """Return (R,): the crowd of each group, -1 for none; computed from the groups if they do not hold it.

    Raises ConfigError for k below 1, ValueError for sums that were read for a smaller k.
    """
    check_k(k)
    if groups.crowds is not None:
        if groups.k is None or groups.k < k:
            raise ValueError(f"sums that were read for k = {groups.k} cannot be shown for k = {k}")
        return np.array(groups.crowds, dtype=np.int64)
    names = {name: i for i, name in enumerate(sorted({(key.location, key.model) for key in groups.keys}))}
    place = np.array([names[key.location, key.model] for key in groups.keys], dtype=np.int64)
    start = np.array([key.start for key in groups.keys], dtype=np.int64)
    order = np.lexsort((start, place))
    zones = [ZoneInfo(groups.keys[i].timezone) for i in order]
    periods = (
        [bucket(s, by, zone)[0] for s, zone in zip(start[order].tolist(), zones, strict=True)]
        for by in _COARSER[groups.by]
    )
    found = np.empty(len(order), dtype=np.int64)
    found[order] = crowds(groups.sums.people[order], place[order], *periods, k=k)
    return found


def _all_figures(groups: Groups, soft_matrix: Callable[[str, str], SoftMatrix | None]) -> list[dict[str, Any]]:
    figures: list[dict[str, Any]] = [{} for _ in groups.keys]
    by_place: dict[tuple[str, str], list[int]] = {}
    for i, key in enumerate(groups.keys):
        by_place.setdefault((key.location, key.model), []).append(i)
    # Locations mostly share the bundle's matrix, so they are estimated together.
    by_matrix: dict[int, tuple[SoftMatrix | None, list[int]]] = {}
    for (location, model), members in by_place.items():
        soft = soft_matrix(location, model)
        by_matrix.setdefault(id(soft), (soft, []))[1].extend(members)
    for soft, members in by_matrix.values():
        for i, figure in zip(members, _figures(groups.sums.take(members), soft), strict=True):
            figures[i] = figure
    return figures


def _figures(sums: Sums, soft: SoftMatrix | None) -> list[dict[str, Any]]:
    classes = EIGHT_CLASSES if soft is None else soft.classes
    counted = shares(sums.hard_counts, sums.people)
    nothing = np.full(len(sums), np.nan)
    is_unhappy = _unhappy(classes)
    happy, unhappy = counted @ IS_HAPPY, nothing if is_unhappy is None else counted @ is_unhappy
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = {"happy_share": happy, "balance": happy - unhappy, "ratio": happy / (happy + unhappy)}
    units = {name: np.eye(CLASSES)[place] for name, place in zip(classes.names, classes.places, strict=True)}
    raw |= {name: counted @ unit for name, unit in units.items()}
    effective = nothing
    columns: dict[str, tuple[Floats, ...]] = {name: (value,) for name, value in raw.items()}
    if soft is not None:
        intervals = Intervals(sums, soft)
        effective = intervals.effective_people()
        # A figure of a class without validation faces is unknown, not 0.
        known = {name: weights for name, weights in units.items() if (weights <= soft.known).all()}
        if (soft.known >= IS_HAPPY).all():
            known["happy_share"] = IS_HAPPY
            if is_unhappy is not None:
                known["balance"] = IS_HAPPY - is_unhappy
                columns["ratio"] = (raw["ratio"], *intervals.ratio(IS_HAPPY, is_unhappy))
        for name, weights in known.items():
            columns[name] = (raw[name], *intervals.linear(weights))
    effective_people = _numbers(effective, 1)
    listed = {name: _to_figures(*values) for name, values in columns.items()}
    return [
        {
            "happy_share": listed["happy_share"][i],
            "balance": listed["balance"][i],
            "ratio": listed["ratio"][i],
            "expressions": {name: listed[name][i] for name in units},
            "effective_people": effective_people[i],
        }
        for i in range(len(sums))
    ]


def _unhappy(classes: Classes) -> Floats | None:
    """Return (8,): 1 at the places of unhappy classes; None if a class is partly unhappy, or none is unhappy."""
    moods = [classes.mood(name) for name in classes.names]
    if None in moods or Mood.UNHAPPY not in moods:
        return None
    weights = np.zeros(CLASSES)
    weights[[place for place, mood in zip(classes.places, moods, strict=True) if mood is Mood.UNHAPPY]] = 1
    return weights


def _to_figures(*columns: Floats) -> list[Figure]:
    return list(map(Figure, *(_numbers(column, 100) for column in columns)))


def _numbers(column: Floats, scale: float) -> list[float | None]:
    """Return plain numbers, rounded to their significant digits, and None for NaN."""
    values = np.round(column * scale, 4).tolist()
    return values if np.isfinite(column).all() else [value if math.isfinite(value) else None for value in values]
