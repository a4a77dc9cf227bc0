"""The windows of a location that count: those of one model and one detector, because figures never mix two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from felicity.errors import ConfigError
from felicity.notes import Note
from felicity.store.location_query import LocationQuery
from felicity.store.matrices import bundle_of
from felicity.store.tables import days, folded, locations, models, runs, windows
from felicity.style.dates import moment
from felicity.style.language import say
from felicity.windows.buckets import bucket
from felicity.windows.window import LONGEST


def instant(time: datetime | None, zone: ZoneInfo) -> int | None:
    """Return seconds since the epoch, rounded up; a time without a time zone is in the location's."""
    if time is None:
        return None
    aware = time if time.tzinfo else time.replace(tzinfo=zone)
    return -int(-aware.timestamp() // 1)


@dataclass(frozen=True)
class _Extent:
    """All windows of a location by one model and detector: number, begin and end in seconds since the epoch.

    ``unsaid``: number of older windows among them that do not hold their detector.
    """

    location_id: int
    model_ids: tuple[int, ...]
    model: str
    detector: str
    first: int
    last: int
    windows: int
    people: int
    unsaid: int = 0

    def with_unsaid(self, other: _Extent) -> _Extent:
        """Return the extent with the older windows that do not hold their detector."""
        return _Extent(
            self.location_id,
            (*self.model_ids, *other.model_ids),
            self.model,
            self.detector,
            min(self.first, other.first),
            max(self.last, other.last),
            self.windows + other.windows,
            self.people + other.people,
            other.windows,
        )

    @property
    def named(self) -> str:
        """Return model and detector in the form of notes."""
        if self.detector:
            return say("model {model} with detector {detector}", model=self.model, detector=self.detector)
        return say("model {model}", model=self.model)


def choose(
    connection: sa.Connection,
    begin: datetime | None,
    end: datetime | None,
    names: Sequence[str] | None,
    model: str | None,
    detector: str | None,
) -> tuple[list[LocationQuery], list[Note]]:
    """Return each location with its model and detector: the requested ones, or those of its latest windows."""
    wanted = sa.select(locations.c.id, locations.c.name, locations.c.timezone).order_by(locations.c.name)
    if names is not None:
        wanted = wanted.where(locations.c.name.in_(list(names)))
    seen = _extents(connection)
    places: list[LocationQuery] = []
    notes: list[Note] = []
    for location_id, name, timezone in connection.execute(wanted):
        zone = ZoneInfo(timezone)
        low, high = instant(begin, zone), instant(end, zone)
        latest = {one: _latest(connection, one, low, high, zone) for one in seen.get(location_id, [])}
        inside = [one for one, last in latest.items() if last is not None]
        inside.sort(key=lambda one: (latest[one], one.model_ids))
        fitting = [one for one in inside if model in (None, one.model) and detector in (None, one.detector)]
        for one in fitting[-1:]:
            # Bounds that cut nothing off are dropped, which allows the quick way.
            cut_low = low if low is not None and low > one.first else None
            cut_high = high if high is not None and high < one.last else None
            bounds = (cut_low, cut_high)
            places.append(LocationQuery(location_id, name, timezone, *bounds, one.model_ids, one.model, one.detector))
            if one.unsaid:
                text = say(
                    "{name}: {windows} windows do not say which detector found their faces; they count with those of "
                    "{detector}",
                    name=name,
                    windows=one.unsaid,
                    detector=one.detector,
                )
                notes.append(Note("detector-unknown", text, name))
        used = fitting[-1] if fitting else None
        notes += [_left_out(name, one, used) for one in inside if one is not used]
    return places, notes


def _left_out(name: str, one: _Extent, used: _Extent | None) -> Note:
    told = {"name": name, "windows": one.windows, "people": one.people}
    if used is None or one.model != used.model:
        text = say(
            "{name}: windows of {other} are left out ({windows} windows, {people} people in all), {shown} is shown; "
            "models are never mixed",
            other=one.named,
            shown=used.named if used else say("no other model"),
            **told,
        )
        return Note("model-skipped", text, name)
    text = say(
        "{name}: windows of detector {other} are left out ({windows} windows, {people} people in all), {shown} is "
        "shown; detectors find other people, so they are never mixed",
        other=one.detector,
        shown=say("detector {detector}", detector=used.detector) if used.detector else say("an unknown detector"),
        **told,
    )
    return Note("detector-skipped", text, name)


def check_order(begin: datetime | None, end: datetime | None) -> None:
    """Raise ConfigError if ``end`` is not after ``begin``, provided both or neither have a time zone.

    If one of them has none, the place decides which is later.
    """
    if begin is None or end is None or (begin.tzinfo is None) != (end.tzinfo is None):
        return
    utc = ZoneInfo("UTC")
    first, last = instant(begin, utc), instant(end, utc)
    if first is not None and last is not None and last <= first:
        text = "the end, {end}, must be after the begin, {begin}"
        raise ConfigError(say(text, end=moment(end), begin=moment(begin)))


def _extents(connection: sa.Connection) -> dict[int, list[_Extent]]:
    """Return all extents by location. Windows without a detector belong to the location's first known one."""
    columns = (days.c.location_id, days.c.model_id, models.c.identity, models.c.detector)
    sums = (
        sa.func.min(days.c.first).label("first"),
        sa.func.max(days.c.last).label("last"),
        sa.func.sum(days.c.windows).label("windows"),
        sa.func.sum(days.c.people).label("people"),
    )
    joined = sa.select(*columns, *sums).join(models, models.c.id == days.c.model_id).group_by(*columns)
    of_model: dict[tuple[int, str], list[_Extent]] = {}
    for row in connection.execute(joined):
        model = bundle_of(row.identity, row.detector)
        numbers = (row.first, row.last, int(row.windows), int(row.people))
        one = _Extent(row.location_id, (row.model_id,), model, row.detector, *numbers)
        of_model.setdefault((row.location_id, model), []).append(one)
    found: dict[int, list[_Extent]] = {}
    for (location_id, _), extents in of_model.items():
        known = sorted((one for one in extents if one.detector), key=lambda one: (one.first, one.model_ids))
        for unsaid in (one for one in extents if not one.detector):
            known[:1] = [known[0].with_unsaid(unsaid)] if known else [unsaid]
        found.setdefault(location_id, []).extend(known)
    return found


def _latest(
    connection: sa.Connection, extent: _Extent, low: int | None, high: int | None, zone: ZoneInfo
) -> int | None:
    """Return the end of the last window of one extent that starts within low … high; None if none starts there."""
    if (low is not None and low >= extent.last) or (high is not None and high <= extent.first):
        return None
    if (low is None or low <= max(extent.first, extent.last - LONGEST)) and (high is None or high >= extent.last):
        return int(extent.last)
    touching = sa.select(sa.func.max(days.c.start)).where(
        days.c.location_id == extent.location_id, days.c.model_id.in_(extent.model_ids)
    )
    if low is not None:
        touching = touching.where(days.c.last > low)
    if high is not None:
        touching = touching.where(days.c.first < high)
    day = connection.execute(touching).scalar()
    if day is None:
        return None
    begin, end = bucket(day, "day", zone)
    found = (
        sa.select(windows.c.start + windows.c.seconds)
        .join(runs, runs.c.id == windows.c.run_id)
        .where(windows.c.location_id == extent.location_id, runs.c.model_id.in_(extent.model_ids))
        .where(windows.c.start >= max(begin, low or begin), windows.c.start < min(end, high or end))
        .order_by(windows.c.start.desc())
        .limit(1)
    )
    gone = sa.select(sa.func.max(folded.c.last)).where(
        folded.c.location_id == extent.location_id,
        folded.c.model_id.in_(extent.model_ids),
        folded.c.start >= max(begin, low or begin),
        folded.c.start < min(end, high or end),
    )
    ends = (connection.execute(found).scalar(), connection.execute(gone).scalar())
    return max((int(last) for last in ends if last is not None), default=None)
