"""Retention: the rules for how long windows and hours are kept, and the folding of older ones into coarser sums.

Folded windows become hours, and folded hours days. ``folded`` keeps their sums; rollups add them to those of windows
that come later. So every figure of a kept period stays the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from felicity.errors import ConfigError
from felicity.store import rollups
from felicity.store.arrays import SUM_NAMES, rollup_rows, rollups_to_sums
from felicity.store.tables import days, folded, hours, locations, retention, runs, windows
from felicity.windows.buckets import bucket, midnight

_AT_ONCE = 500  # starts in one statement


@dataclass(frozen=True)
class RetentionRule:
    """Windows are kept for ``days``, then hours until ``months``, then days; None is for ever."""

    days: int | None = None
    months: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("days", self.days), ("months", self.months)):
            if value is not None and not (isinstance(value, int) and 1 <= value <= 100_000):
                raise ConfigError(f"{name} are a whole number from 1, not {value!r}")
        if self.months is not None and self.days is None:
            raise ConfigError("a rule for hours needs one for windows: give days for windows, too")
        if self.months is not None and self.days is not None and self.days > 28 * self.months:
            raise ConfigError(f"windows of {self.days} days outlive hours of {self.months} months; keep hours longer")

    def cutoffs(self, now: datetime, zone: ZoneInfo) -> tuple[int | None, int | None]:
        """Return from when windows and hours stay: midnights of the time zone, in seconds since the epoch."""
        today = now.astimezone(zone).date()
        kept = None if self.days is None else midnight(today - timedelta(days=self.days), zone)
        return kept, None if self.months is None else midnight(_months_before(today, self.months), zone)


@dataclass(frozen=True)
class LocationRetention:
    """The rule of a location, whether it is its ``own``, and the times from which it keeps windows and hours."""

    location: str
    rule: RetentionRule
    own: bool
    windows_from: datetime | None
    hours_from: datetime | None

    @property
    def days(self) -> int | None:
        """Return the number of days for which windows are kept."""
        return self.rule.days

    @property
    def months(self) -> int | None:
        """Return the number of months for which hours are kept."""
        return self.rule.months


@dataclass(frozen=True)
class Folding:
    """The outcome of folding at a location: how many windows become hours, and how many hours become days."""

    location: str
    windows: int
    into_hours: int
    hours: int
    into_days: int


@dataclass
class _Plan:
    """The plan for one model: hours that lose their windows, days that lose their hours, and the number of rows."""

    hours: set[int] = field(default_factory=set)
    days: set[int] = field(default_factory=set)
    window_rows: int = 0
    hour_rows: int = 0


def set_rule(connection: sa.Connection, rule: RetentionRule, names: Sequence[str] | None) -> None:
    """Set a rule; see ``Store.set_retention``. The caller refuses unknown names."""
    places: list[int | None] = [None]
    if names is not None:
        places = list(connection.execute(sa.select(locations.c.id).where(locations.c.name.in_(names))).scalars())
    for place in places:
        connection.execute(sa.delete(retention).where(retention.c.location_id.is_not_distinct_from(place)))
        connection.execute(sa.insert(retention).values(location_id=place, days=rule.days, months=rule.months))


def read_rules(connection: sa.Connection, now: datetime, names: Sequence[str] | None) -> list[LocationRetention]:
    """Return the rules; see ``Store.retention``."""
    rules = {
        row.location_id: RetentionRule(row.days, row.months)
        for row in connection.execute(sa.select(retention.c.location_id, retention.c.days, retention.c.months))
    }
    found = []
    query = sa.select(locations.c.id, locations.c.name, locations.c.timezone).order_by(locations.c.name)
    for place, name, timezone in connection.execute(query):
        if names is None or name in names:
            zone, rule = ZoneInfo(timezone), rules.get(place) or rules.get(None) or RetentionRule()
            since = [None if at is None else datetime.fromtimestamp(at, zone) for at in rule.cutoffs(now, zone)]
            found.append(LocationRetention(name, rule, place in rules, *since))
    return found


def fold(connection: sa.Connection, of: LocationRetention, *, dry_run: bool) -> Folding:
    """Fold windows and hours that are older than a location's rule allows; with ``dry_run``, only count them."""
    place = connection.execute(
        sa.select(locations.c.id, locations.c.timezone).where(locations.c.name == of.location).with_for_update()
    ).one()
    kept, hours_kept = (None if at is None else int(at.timestamp()) for at in (of.windows_from, of.hours_from))
    plans = {} if kept is None else _plan(connection, place.id, ZoneInfo(place.timezone), kept, hours_kept)
    if not dry_run:
        _forget_windows(connection, place.id, kept, plans)
        _forget_hours(connection, place.id, hours_kept, plans)
    return Folding(
        of.location,
        windows=sum(plan.window_rows for plan in plans.values()),
        into_hours=sum(len(plan.hours) for plan in plans.values()),
        hours=sum(plan.hour_rows for plan in plans.values()),
        into_days=sum(len(plan.days) for plan in plans.values()),
    )


def _plan(connection: sa.Connection, place: int, zone: ZoneInfo, kept: int, hours_kept: int | None) -> dict[int, _Plan]:
    plans: dict[int, _Plan] = {}
    query = sa.select(runs.c.model_id, windows.c.start, sa.func.count()).join(runs, runs.c.id == windows.c.run_id)
    query = query.where(windows.c.location_id == place, windows.c.start < kept)
    for model, start, number in connection.execute(query.group_by(runs.c.model_id, windows.c.start)):
        plan = plans.setdefault(model, _Plan())
        plan.hours.add(bucket(start, "hour", zone)[0])
        plan.window_rows += number
    if hours_kept is not None:
        older = sa.select(hours.c.model_id, hours.c.start)
        for model, start in connection.execute(older.where(hours.c.location_id == place, hours.c.start < hours_kept)):
            plan = plans.setdefault(model, _Plan())
            plan.days.add(bucket(start, "day", zone)[0])
            plan.hour_rows += 1
    return plans


def _forget_windows(connection: sa.Connection, place: int, kept: int | None, plans: dict[int, _Plan]) -> None:
    for model, plan in plans.items():
        _keep_sums(connection, hours, place, model, plan.hours)
    if kept is None or not plans:
        return
    older = (windows.c.location_id == place, windows.c.start < kept)
    last = sa.select(windows.c.run_id, sa.func.max(windows.c.start + windows.c.seconds)).where(*older)
    for run, end in connection.execute(last.group_by(windows.c.run_id)).all():
        connection.execute(sa.update(runs).where(runs.c.id == run).values(folded=end))
    connection.execute(sa.delete(windows).where(*older))


def _forget_hours(connection: sa.Connection, place: int, hours_kept: int | None, plans: dict[int, _Plan]) -> None:
    for model, plan in plans.items():
        _keep_sums(connection, days, place, model, plan.days)
    if hours_kept is None:
        return
    connection.execute(sa.delete(hours).where(hours.c.location_id == place, hours.c.start < hours_kept))
    gone = (folded.c.location_id == place, folded.c.by == "hour", folded.c.start < hours_kept)
    connection.execute(sa.delete(folded).where(*gone))


def _keep_sums(connection: sa.Connection, table: sa.Table, place: int, model: int, starts: Iterable[int]) -> None:
    """Copy hours or days, which are complete sums already, into ``folded``."""
    by, ordered = "hour" if table is hours else "day", sorted(starts)
    for at in range(0, len(ordered), _AT_ONCE):
        chosen = ordered[at : at + _AT_ONCE]
        mine = (folded.c.location_id == place, folded.c.model_id == model, folded.c.by == by)
        connection.execute(sa.delete(folded).where(*mine, folded.c.start.in_(chosen)))
        names = ("location_id", "model_id", "start", *SUM_NAMES)
        copied = sa.select(*(table.c[name] for name in names), sa.literal(by)).where(
            table.c.location_id == place, table.c.model_id == model, table.c.start.in_(chosen)
        )
        connection.execute(sa.insert(folded).from_select((*names, "by"), copied))


def move_folded(connection: sa.Connection, source: int, target: int) -> None:
    """Add the folded sums of one location to those of another, whose time zone must fit."""
    key = (folded.c.model_id, folded.c.by, folded.c.start)
    both = sa.select(*rollups.rollup_select(folded), *key).where(folded.c.location_id.in_([source, target]))
    rows = connection.execute(both.order_by(*key, folded.c.location_id)).all()
    keys = [tuple(row[-3:]) for row in rows]
    unique = sorted(set(keys))
    label = np.array([unique.index(each) for each in keys], dtype=np.int64)
    sums = rollups_to_sums([row[:-3] for row in rows]).grouped(label, len(unique))
    connection.execute(sa.delete(folded).where(folded.c.location_id.in_([source, target])))
    for (model, by, start), row in zip(unique, rollup_rows(sums), strict=True):
        own = {"location_id": target, "model_id": model, "by": by, "start": start}
        connection.execute(sa.insert(folded).values(**own, **row))


def check_zone(connection: sa.Connection, place: int, name: str, old: ZoneInfo, new: ZoneInfo) -> None:
    """Raise ConfigError if a location's folded hours or days are not whole ones in another time zone."""
    query = sa.select(folded.c.by, folded.c.start).where(folded.c.location_id == place).distinct()
    for by, start in connection.execute(query.order_by(folded.c.start)):
        if bucket(start, by, old) != bucket(start, by, new):
            day = datetime.fromtimestamp(start, old)
            raise ConfigError(
                f"location {name!r}: of {day:%Y-%m-%d} only {by}s are kept, in the time zone {old.key}; "
                f"they cannot be counted in the time zone {new.key}"
            )


def _months_before(day: date, months: int) -> date:
    """Return the same day of an earlier month, or the last day before it."""
    year, month = divmod(12 * day.year + day.month - 1 - months, 12)
    if year < 1:
        return date.min
    for number in range(day.day, 0, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")
