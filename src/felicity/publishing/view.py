"""A store as the public sees it: sums of standing published crowds, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from felicity.errors import ConfigError
from felicity.index.happiness import DEFAULT_K, GroupKey, Groups
from felicity.index.soft_matrix import SoftMatrix
from felicity.notes import Note
from felicity.store import Store, ledger
from felicity.store.arrays import rollups_to_sums
from felicity.store.choosing import instant
from felicity.store.matrices import SoftMatrices, bundle_of
from felicity.store.places import check_names, list_locations
from felicity.store.rollups import rollup_select
from felicity.store.tables import crowds, locations, models, published_days, releases
from felicity.style.language import say
from felicity.style.numbers import count
from felicity.windows.buckets import BUCKETS, By, bucket
from felicity.windows.location import Location
from felicity.windows.sums import Sums

_OWN = ("crowd", "last_start", "k")


def _columns(table: sa.Table) -> tuple[Any, ...]:
    """Return the columns to read of a crowd, or of the crowds of a day; the sums come last."""
    return (*(table.c[name] for name in _OWN), models.c.identity, models.c.detector, *rollup_select(table))


_COLUMNS = _columns(crowds)


@dataclass(frozen=True)
class _Place:
    id: int
    name: str
    timezone: str
    begin: int | None
    end: int | None

    @property
    def by_days(self) -> bool:
        """Return whether the range of a query consists of whole days."""
        ends = [at for at in (self.begin, self.end) if at is not None]
        return all(bucket(at, "day", ZoneInfo(self.timezone))[0] == at for at in ends)


class PublishedView:
    """A store's published part: it answers ``locations``, ``sums`` and ``soft_matrices`` from releases alone.

    ``release``: as of that release; None is the latest. A row of sums holds the crowds that lie wholly within its
    period. So a crowd of a few people a day is in no row by day, but in one by week.
    """

    def __init__(self, store: Store, release: int | None = None) -> None:
        self._store = store
        self._release = release

    def _reading(self) -> Any:
        return self._store.transaction(writes=False, doing="reading releases")

    @property
    def k(self) -> int:
        """Return the smallest k of the standing crowds; 10 without any."""
        with self._reading() as connection:
            table, standing = (published_days, []) if self._release is None else (crowds, self._standing())
            found = connection.execute(sa.select(sa.func.min(table.c.k)).where(*standing)).scalar()
        return DEFAULT_K if found is None else int(found)

    def locations(self) -> list[Location]:
        """Return the locations that have had a release, by name."""
        with self._reading() as connection:
            published = sa.select(locations.c.name).join(releases, releases.c.location_id == locations.c.id)
            if self._release is not None:
                published = published.where(releases.c.number <= self._release)
            names = set(connection.execute(published.distinct()).scalars())
            return [place for place in list_locations(connection) if place.name in names]

    def soft_matrices(self) -> SoftMatrices:
        """Return the published soft matrices; those of the store may be newer."""
        with self._reading() as connection:
            published = ledger.matrices(connection, self._release)
            places: dict[int, str] = {row.id: row.name for row in connection.execute(sa.select(locations))}
            named = connection.execute(sa.select(models))
            bundles: dict[int, str] = {row.id: bundle_of(row.identity, row.detector) for row in named}
        # Locations mostly share the bundle's matrix; as one object they are estimated together.
        read: dict[str, SoftMatrix] = {}
        of_location = {}
        for (location_id, model_id), value in published.items():
            if value is not None and location_id in places:
                matrix = read.setdefault(repr(value), SoftMatrix.from_json(value))
                of_location[places[location_id], bundles[model_id]] = matrix
        return SoftMatrices({}, of_location)

    def sums(
        self,
        by: By = "total",
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        locations: Sequence[str] | None = None,
        model: str | None = None,
        detector: str | None = None,
        k: int | None = None,
    ) -> Groups:
        """Return sums of crowds by location and period; arguments and errors as for ``Store.sums``.

        ``k`` changes nothing, because crowds are fixed. ``notes`` of the result name people who are only in longer
        periods.
        """
        if by not in BUCKETS:
            raise ConfigError(f"'by' is one of {', '.join(BUCKETS)}, not {by!r}")
        with self._reading() as connection:
            check_names(connection, locations, model, detector)
            chosen = _places(connection, locations, begin, end)
            parts, keys, notes = [], list[GroupKey](), list[Note]()
            smallest: list[int] = []
            for place in chosen:
                rows, skipped = self._crowds_of(connection, place, model, detector, by=by)
                notes += skipped
                if not rows:
                    continue
                grouped, own, note = _grouped(rows, place, by)
                parts.append(grouped)
                keys += own
                notes += note
                smallest += [row.k for row in rows]
        sums = Sums.concatenate(parts)
        each = tuple(range(len(keys)))
        return Groups(by, tuple(keys), sums, tuple(notes), min(smallest, default=DEFAULT_K), each)

    def latest(self, name: str, begin: int, end: int) -> Groups | None:
        """Return the last crowd of a location that ends within ``begin`` … ``end``; None without any."""
        with self._reading() as connection:
            check_names(connection, [name], None)
            (place,) = _places(connection, [name], None, None)
            rows, _ = self._crowds_of(connection, _Place(place.id, name, place.timezone, begin, end))
        if not rows:
            return None
        row = max(rows, key=lambda row: (row.last, row.first, row.crowd))
        model, detector = bundle_of(row.identity, row.detector), row.detector
        key = GroupKey(name, place.timezone, model, int(row.first), int(row.last), detector)
        return Groups("total", (key,), _sums([row]), (), int(row.k), (0,))

    def content(self, release: int) -> Groups:
        """Return the crowds of a release by time, each in its state at that release."""
        query = sa.select(*_COLUMNS, locations.c.name, locations.c.timezone)
        query = query.join(models, models.c.id == crowds.c.model_id)
        query = query.join(locations, locations.c.id == crowds.c.location_id).where(crowds.c.entered == release)
        query = query.where(sa.or_(crowds.c.gone.is_(None), crowds.c.gone > release))
        with self._reading() as connection:
            rows = connection.execute(query.order_by(crowds.c.first, crowds.c.crowd)).all()
        keys = [
            GroupKey(row.name, row.timezone, model, int(row.first), int(row.last), detector)
            for row, (model, detector) in zip(rows, _readers(rows), strict=True)
        ]
        sums = _sums([row[:-2] for row in rows])
        k = min((int(row.k) for row in rows), default=DEFAULT_K)
        return Groups("total", tuple(keys), sums, (), k, tuple(range(len(rows))))

    def _standing(self) -> list[sa.ColumnElement[bool]]:
        if self._release is None:
            return [crowds.c.gone.is_(None)]
        standing = sa.or_(crowds.c.gone.is_(None), crowds.c.gone > self._release)
        return [crowds.c.entered <= self._release, standing]

    def _crowds_of(
        self,
        connection: sa.Connection,
        place: _Place,
        model: str | None = None,
        detector: str | None = None,
        by: By = "hour",
    ) -> tuple[list[Any], list[Note]]:
        """Return crowds wholly within a place's range, or those of a day as one if a finer division changes nothing.

        They are of the requested model and detector, or of the latest ones.
        """
        daily = by not in ("minute", "hour") and self._release is None and place.by_days
        table = published_days if daily else crowds
        query = sa.select(*_columns(table)).join(models, models.c.id == table.c.model_id)
        query = query.where(table.c.location_id == place.id, *([] if daily else self._standing()))
        if place.begin is not None:
            query = query.where(table.c.first >= place.begin)
        if place.end is not None:
            query = query.where(table.c.last_start < place.end)
        rows = connection.execute(query.order_by(table.c.first, table.c.crowd)).all()
        if not rows:
            return [], []
        readers = _readers(rows)
        latest = sorted(zip(rows, readers, strict=True), key=lambda pair: (pair[0].last, pair[0].crowd))
        fitting = [one for _, one in latest if model in (None, one[0]) and detector in (None, one[1])]
        used = fitting[-1] if fitting else (model or "", detector or "")
        notes = [_skipped(place.name, rows, readers, other, used) for other in sorted(set(readers) - {used})]
        return [row for row, one in zip(rows, readers, strict=True) if one == used], notes


def _readers(rows: Sequence[Any]) -> list[tuple[str, str]]:
    """Return model and detector of each crowd; one without a detector has the first known one of its model."""
    models = [bundle_of(row.identity, row.detector) for row in rows]
    first: dict[str, str] = {}
    for row, model in zip(rows, models, strict=True):
        if row.detector:
            first.setdefault(model, row.detector)
    return [(model, row.detector or first.get(model, "")) for row, model in zip(rows, models, strict=True)]


def _skipped(
    name: str, rows: Sequence[Any], by: Sequence[tuple[str, str]], other: tuple[str, str], used: tuple[str, str]
) -> Note:
    people = sum(row.people for row, one in zip(rows, by, strict=True) if one == other)
    told = {"name": name, "people": count(people)}
    if other[0] == used[0]:
        text = (
            "{name}: {people} people read by detector {other} are left out, {shown} is shown; detectors are never mixed"
        )
        return Note("detector-skipped", say(text, other=other[1], shown=used[1], **told), name)
    text = "{name}: {people} people read by model {other} are left out, {shown} is shown; models are never mixed"
    return Note("model-skipped", say(text, other=other[0], shown=used[0], **told), name)


def _places(
    connection: sa.Connection, names: Sequence[str] | None, begin: datetime | None, end: datetime | None
) -> list[_Place]:
    query = sa.select(locations.c.id, locations.c.name, locations.c.timezone).order_by(locations.c.name)
    if names is not None:
        query = query.where(locations.c.name.in_(list(names)))
    found = []
    for row in connection.execute(query):
        zone = ZoneInfo(row.timezone)
        found.append(_Place(row.id, row.name, row.timezone, instant(begin, zone), instant(end, zone)))
    return found


def _sums(rows: Sequence[Any]) -> Sums:
    return rollups_to_sums([row[len(_OWN) + 2 : len(_COLUMNS)] for row in rows])


def _grouped(rows: Sequence[Any], place: _Place, by: By) -> tuple[Sums, list[GroupKey], list[Note]]:
    """Return sums and keys by period of the crowds of one place, and a note on those that lie within no period."""
    (model, detector), *_ = _readers(rows)
    if by == "total":
        total = _sums(rows).total()
        bounds = (int(total.first[0]), int(total.last[0]))
        return total, [GroupKey(place.name, place.timezone, model, *bounds, detector)], []
    zone = ZoneInfo(place.timezone)
    spans = [bucket(row.first, by, zone) for row in rows]
    inside = [i for i, row in enumerate(rows) if row.last_start < spans[i][1]]
    notes = []
    if len(inside) < len(rows):
        outside = sum(row.people for row in rows) - sum(rows[i].people for i in inside)
        text = say(
            "{name}: {people} people came over more than one {period}, and are shown by longer periods alone",
            name=place.name,
            people=count(outside),
            period=say(by),
        )
        notes.append(Note("longer-periods", text, place.name))
    starts, label = np.unique(np.array([spans[i][0] for i in inside], dtype=np.int64), return_inverse=True)
    sums = _sums([rows[i] for i in inside]).grouped(label, len(starts))
    end_of = {spans[i][0]: spans[i][1] for i in inside}
    where = (place.name, place.timezone, model)
    keys = [GroupKey(*where, start, end_of[start], detector) for start in starts.tolist()]
    return sums, keys, notes
