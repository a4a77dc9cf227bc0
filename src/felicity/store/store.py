"""The store: places, models, runs and their windows, in SQLite or PostgreSQL."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from felicity.errors import ConfigError, StoreError
from felicity.index.buckets import BUCKETS, By
from felicity.index.happiness import Groups
from felicity.index.location import Location
from felicity.index.soft_matrix import SoftMatrix
from felicity.index.suppression import check_k
from felicity.index.window import LONGEST, Window, WindowKey
from felicity.store import arrays, migrations, rollups
from felicity.store.engine import BUSY_SECONDS, make_engine, parse_url, transaction
from felicity.store.query import instant, select_sums
from felicity.store.schema import calibrations, models, runs
from felicity.store.schema import locations as places
from felicity.store.schema import windows as stored


@dataclass(frozen=True)
class Run:
    """One pass over a source. ``generation`` counts how often it was begun."""

    id: int
    generation: int
    location: str
    camera: str
    source: str
    run_start: datetime
    model: str


def open_store(url: str | None = None, *, create: bool = True, busy_seconds: float = BUSY_SECONDS) -> Store:
    """Open a store, made and brought up to date as needed.

    ``url``: None for the user's own SQLite file, a path, ``sqlite:///FILE`` or
    ``postgresql://USER@HOST/DATABASE``. ``create``: False for those who only read; a SQLite file must then be there.
    ``busy_seconds``: how long to wait for another writer (SQLite).
    Raises ConfigError for what is no such URL, StoreError if it cannot be opened, SchemaError if it was
    written by a newer version, ExtraMissingError without the package for PostgreSQL.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database != ":memory:":
        file = Path(str(parsed.database))
        if not create and not file.exists():
            raise StoreError(
                f"store {file}: there is no such file; name another with --store, or felicity watch makes it"
            )
        folder = file.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"store {parsed.database}: its folder cannot be made: {error.strerror}") from error
    return Store(parsed, busy_seconds)


class Store(AbstractContextManager["Store"]):
    """See ``open_store``. Every method that writes does so in one transaction, or raises StoreError.

    May be used by several threads and processes at once.
    """

    def __init__(self, url: sa.URL, busy_seconds: float = BUSY_SECONDS) -> None:
        self.url = url.render_as_string(hide_password=True)
        self._engine = make_engine(url, busy_seconds)
        try:
            with self._read("opening it") as connection:
                ready = migrations.check(connection, self.url)
            if not ready:
                with self._write("bringing its schema up to date") as connection:
                    if not migrations.check(connection, self.url):
                        migrations.upgrade(connection)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _read(self, doing: str) -> AbstractContextManager[sa.Connection]:
        return transaction(self._engine, writes=False, doing=doing)

    def _write(self, doing: str) -> AbstractContextManager[sa.Connection]:
        return transaction(self._engine, writes=True, doing=doing)

    # Locations

    def locations(self) -> list[Location]:
        """All locations, by name."""
        with self._read("reading locations") as connection:
            rows = connection.execute(sa.select(places).order_by(places.c.name)).mappings().all()
        return [Location(**{k: v for k, v in row.items() if k != "id"}) for row in rows]

    def location(self, name: str) -> Location | None:
        """The location of that name."""
        return next((location for location in self.locations() if location.name == name), None)

    def add_locations(self, added: Sequence[Location], *, update: bool = False) -> None:
        """Add all of them, or none. A name that is there already: ConfigError, or replaced with ``update``."""
        names = [location.name for location in added]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(f"locations have names of their own, but {', '.join(map(repr, twice))} stands twice")
        with self._write("adding locations") as connection:
            there = {
                row.name: row for row in connection.execute(sa.select(places.c.id, places.c.name, places.c.timezone))
            }
            if not update and (known := sorted(set(names) & set(there))):
                raise ConfigError(
                    f"location {known[0]!r} is there already; choose another name, or pass --update to change it"
                )
            for location in added:
                values = {
                    "timezone": location.timezone,
                    "geometry": location.geometry,
                    "population": location.population,
                    "site_type": location.site_type,
                    "code": location.code,
                }
                if (row := there.get(location.name)) is None:
                    connection.execute(sa.insert(places).values(name=location.name, **values))
                    continue
                connection.execute(sa.update(places).where(places.c.id == row.id).values(**values))
                if row.timezone != location.timezone:
                    rollups.rebuild(connection, row.id, location.zone)

    def add_location(self, location: Location, *, update: bool = False) -> None:
        """Add one location; see ``add_locations``."""
        self.add_locations([location], update=update)

    # Models

    def save_model(self, identity: str, soft_matrix: SoftMatrix | None = None, *, name: str | None = None) -> None:
        """Keep what the index needs to know of a bundle, so that it does not need the bundle."""
        values = {"name": name, "soft_matrix": None if soft_matrix is None else soft_matrix.to_json()}
        with self._write("saving a model") as connection:
            model_id = _id_of(connection, models, models.c.identity, identity)
            connection.execute(sa.update(models).where(models.c.id == model_id).values(**values))

    def save_calibration(self, location: str, model: str, soft_matrix: SoftMatrix) -> None:
        """Keep a location's own soft matrix; ConfigError if there is no such location."""
        with self._write("saving a calibration") as connection:
            location_id = connection.execute(
                sa.select(places.c.id).where(places.c.name == location)
            ).scalar_one_or_none()
            if location_id is None:
                raise ConfigError(f"there is no location {location!r}; see: felicity locations list")
            model_id = _id_of(connection, models, models.c.identity, model)
            key = (calibrations.c.location_id == location_id, calibrations.c.model_id == model_id)
            connection.execute(sa.delete(calibrations).where(*key))
            connection.execute(
                sa.insert(calibrations).values(
                    location_id=location_id,
                    model_id=model_id,
                    soft_matrix=soft_matrix.to_json(),
                    created=int(time.time()),
                )
            )

    def soft_matrix(self, location: str, model: str) -> SoftMatrix | None:
        """The location's own soft matrix for this model if it was calibrated, else the model's, else None."""
        return self.soft_matrices()(location, model)

    def soft_matrices(self) -> SoftMatrices:
        """``soft_matrix`` as a function that reads the store once."""
        with self._read("reading models") as connection:
            of_model = connection.execute(sa.select(models.c.identity, models.c.soft_matrix)).all()
            of_location = connection.execute(
                sa.select(places.c.name, models.c.identity, calibrations.c.soft_matrix)
                .join(places, places.c.id == calibrations.c.location_id)
                .join(models, models.c.id == calibrations.c.model_id)
            ).all()
        return SoftMatrices(
            {identity: SoftMatrix.from_json(value) for identity, value in of_model if value is not None},
            {(name, identity): SoftMatrix.from_json(value) for name, identity, value in of_location},
        )

    # Runs and windows

    def begin_run(self, location: str, camera: str, source: str, run_start: datetime, model: str) -> Run:
        """Begin a run, or begin it again: its windows then replace those it wrote before.

        A location that is not there yet is added with nothing but its name.
        """
        key = WindowKey(location, camera, source, run_start, model, datetime.fromtimestamp(0, UTC), 1)
        micros = _micros(key.run_start)
        with self._write("beginning a run") as connection:
            location_id = _id_of(connection, places, places.c.name, location, timezone="UTC")
            model_id = _id_of(connection, models, models.c.identity, model)
            _lock(connection, location_id)
            same = (
                runs.c.location_id == location_id,
                runs.c.camera == camera,
                runs.c.source == source,
                runs.c.run_start == micros,
                runs.c.model_id == model_id,
            )
            found = connection.execute(sa.select(runs.c.id, runs.c.generation).where(*same)).one_or_none()
            if found is None:
                generation = 1
                run_id = connection.execute(
                    sa.insert(runs)
                    .values(
                        location_id=location_id,
                        camera=camera,
                        source=source,
                        run_start=micros,
                        model_id=model_id,
                        generation=generation,
                        finished=False,
                    )
                    .returning(runs.c.id)
                ).scalar_one()
            else:
                run_id, generation = found.id, found.generation + 1
                connection.execute(
                    sa.update(runs).where(runs.c.id == run_id).values(generation=generation, finished=False)
                )
        return Run(run_id, generation, location, camera, source, key.run_start, model)

    def write_windows(self, run: Run, added: Iterable[Window]) -> None:
        """Write windows of a run; what the run wrote before at these times is replaced.

        On StoreError nothing of it is kept, and the same windows can be written again.
        """
        listed = list(added)
        for window in listed:
            key = window.key
            if (key.location, key.camera, key.source, key.run_start, key.model) != (
                run.location,
                run.camera,
                run.source,
                run.run_start,
                run.model,
            ):
                raise ValueError(f"{key} is not a window of {run}")
        if not listed:
            return
        with self._write("writing windows") as connection:
            place = _place_of(connection, run)
            touched = _remove_replaced(connection, run.id, place, listed)
            rows = [
                arrays.window_row(window)
                | {"location_id": place.location_id, "run_id": run.id, "generation": place.generation}
                for window in listed
            ]
            connection.execute(sa.insert(stored), rows)
            touched |= {row["start"] for row in rows}
            rollups.refresh(connection, place.location_id, place.model_id, ZoneInfo(place.timezone), touched)

    def finish_run(self, run: Run) -> None:
        """End a run: windows that it wrote when it was run before, and not this time, go."""
        with self._write("finishing a run") as connection:
            place = _place_of(connection, run)
            stale = (stored.c.run_id == run.id, stored.c.generation < run.generation)
            starts = set(connection.execute(sa.select(stored.c.start).where(*stale)).scalars())
            if starts:
                connection.execute(sa.delete(stored).where(*stale))
                rollups.refresh(connection, place.location_id, place.model_id, ZoneInfo(place.timezone), starts)
            connection.execute(sa.update(runs).where(runs.c.id == run.id).values(finished=True))

    def overlapping(self, run: Run) -> int:
        """How many windows with people other runs of the same camera and model have in the minutes of this run."""
        with self._read("looking for people counted twice") as connection:
            place = _place_of(connection, run)
            columns = sa.select(stored.c.start, stored.c.seconds).where(stored.c.location_id == place.location_id)
            mine = connection.execute(columns.where(stored.c.run_id == run.id).order_by(stored.c.start)).all()
            if not mine:
                return 0
            others = connection.execute(
                columns.join(runs, runs.c.id == stored.c.run_id)
                .where(runs.c.id != run.id, runs.c.camera == run.camera, runs.c.model_id == place.model_id)
                .where(stored.c.people_seen > 0)
                .where(stored.c.start > mine[0].start - LONGEST, stored.c.start < mine[-1].start + mine[-1].seconds)
            ).all()
        begin = [row.start for row in mine]
        # The last of this run's windows that begins before the other ends: they are one behind the other.
        last = [bisect_left(begin, row.start + row.seconds) - 1 for row in others]
        return sum(i >= 0 and begin[i] + mine[i].seconds > row.start for i, row in zip(last, others, strict=True))

    def windows(
        self,
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        locations: Sequence[str] | None = None,
        model: str | None = None,
    ) -> Iterator[Window]:
        """The windows that start in begin … end, by location, time and run. Read in portions."""
        utc = ZoneInfo("UTC")
        columns = (*rollups.WINDOW_SELECT, places.c.name, runs.c.camera, runs.c.source, runs.c.run_start)
        query = (
            sa.select(*columns, models.c.identity)
            .join(places, places.c.id == stored.c.location_id)
            .join(runs, runs.c.id == stored.c.run_id)
            .join(models, models.c.id == runs.c.model_id)
            .order_by(places.c.name, stored.c.start, stored.c.run_id)
        )
        if (low := instant(begin, utc)) is not None:
            query = query.where(stored.c.start >= low)
        if (high := instant(end, utc)) is not None:
            query = query.where(stored.c.start < high)
        if locations is not None:
            query = query.where(places.c.name.in_(list(locations)))
        if model is not None:
            query = query.where(models.c.identity == model)
        with self._read("reading windows") as connection:
            for rows in connection.execution_options(yield_per=1000).execute(query).partitions():
                yield from _windows_of(rows)

    def sums(
        self,
        by: By = "total",
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        locations: Sequence[str] | None = None,
        model: str | None = None,
        k: int | None = None,
    ) -> Groups:
        """Sums of windows by location and bucket, for ``index.compute_index``.

        ``k``: for what is to be published. The sums are then made of whole crowds of at least ``k`` people
        (``index.suppression``): an end of the range that would cut one in two moves inwards, which ``notes`` say.
        Without it nothing is protected.

        Windows count where they start, begin ≤ start < end; a time without a zone is meant on each
        location's clock. ``model``: identity of the model whose windows are used, by default that of the
        latest windows in the range, for each location; ``notes`` of the result say what was left out.
        Raises ConfigError for unknown locations and models, and if ``end`` is not after ``begin``.
        """
        if k is not None:
            check_k(k)
        if by not in BUCKETS:
            raise ConfigError(f"'by' is one of {', '.join(BUCKETS)}, not {by!r}")
        if begin is not None and end is not None:
            utc = ZoneInfo("UTC")
            first, last = instant(begin, utc), instant(end, utc)
            if first is not None and last is not None and last <= first:
                raise ConfigError(f"the end, {end.isoformat()}, must be after the begin, {begin.isoformat()}")
        with self._read("reading the index") as connection:
            _check_names(connection, locations, model)
            return select_sums(connection, by, begin, end, locations, model, k)


@dataclass(frozen=True)
class SoftMatrices:
    """(location, model) to the soft matrix to use, or None."""

    of_model: Mapping[str, SoftMatrix]
    of_location: Mapping[tuple[str, str], SoftMatrix]

    def __call__(self, location: str, model: str) -> SoftMatrix | None:
        """The location's own matrix, else the model's."""
        return self.of_location.get((location, model)) or self.of_model.get(model)


def _micros(time: datetime) -> int:
    return round(time.timestamp() * 1_000_000)


def _id_of(connection: sa.Connection, table: sa.Table, column: sa.Column[Any], value: str, **rest: Any) -> int:
    """The id of the row with ``value``, made if it is not there."""
    query = sa.select(table.c.id).where(column == value)
    if (found := connection.execute(query).scalar_one_or_none()) is not None:
        return int(found)
    from sqlalchemy.dialects import postgresql, sqlite

    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    # Another process may be adding it at this moment.
    connection.execute(insert(table).values({column.name: value, **rest}).on_conflict_do_nothing())
    return int(connection.execute(query).scalar_one())


def _lock(connection: sa.Connection, location_id: int) -> None:
    """Let no other transaction add up this location's rollups meanwhile (SQLite has one writer anyway)."""
    connection.execute(sa.select(places.c.id).where(places.c.id == location_id).with_for_update())


def _place_of(connection: sa.Connection, run: Run) -> Any:
    """What there is to know of a run to write its windows, locked like ``_lock``."""
    query = (
        sa.select(runs.c.location_id, runs.c.model_id, runs.c.generation, places.c.timezone)
        .join(places, places.c.id == runs.c.location_id)
        .where(runs.c.id == run.id)
        .with_for_update()
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise StoreError(f"run {run.id} of {run.source!r} at {run.location!r} is not in this store")
    return row


def _remove_replaced(connection: sa.Connection, run_id: int, place: Any, added: list[Window]) -> set[int]:
    """Delete what the run has at these times: the same windows, and older ones of another length."""
    mine = (stored.c.location_id == place.location_id, stored.c.run_id == run_id)
    starts = [int(window.key.start.timestamp()) for window in added]
    connection.execute(
        sa.delete(stored).where(*mine, stored.c.start == sa.bindparam("at")), [{"at": start} for start in starts]
    )
    if place.generation == 1:
        return set()
    begin, end = min(starts), max(s + w.key.seconds for s, w in zip(starts, added, strict=True))
    older = connection.execute(
        sa.select(stored.c.start, stored.c.seconds)
        .where(*mine, stored.c.generation < place.generation)
        .where(stored.c.start > begin - LONGEST, stored.c.start < end)
    ).all()
    spans = [(start, start + window.key.seconds) for start, window in zip(starts, added, strict=True)]
    gone = {row.start for row in older if any(a < row.start + row.seconds and row.start < b for a, b in spans)}
    if gone:
        connection.execute(
            sa.delete(stored).where(*mine, stored.c.start == sa.bindparam("at")), [{"at": start} for start in gone]
        )
    return gone


def _windows_of(rows: Sequence[Any]) -> Iterator[Window]:
    width = len(arrays.WINDOW_COLUMNS)
    sums = arrays.windows_to_sums([row[:width] for row in rows])
    for i, row in enumerate(rows):
        name, camera, source, micros, identity = row[width:]
        key = WindowKey(
            location=name,
            camera=camera,
            source=source,
            run_start=datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000),
            model=identity,
            start=datetime.fromtimestamp(row.start, UTC),
            seconds=row.seconds,
        )
        yield Window(
            key=key,
            people_seen=row.people_seen,
            people=row.people,
            hard_counts=sums.hard_counts[i],
            prob_sums=sums.prob_sums[i],
            prob_cross=sums.prob_cross[i],
            frames_seen=row.frames_seen,
            frames_dropped=row.frames_dropped,
            seconds_covered=row.seconds_covered,
            rejected=row.rejected or {},
        )


def _check_names(connection: sa.Connection, names: Sequence[str] | None, model: str | None) -> None:
    if names is not None:
        known = set(connection.execute(sa.select(places.c.name)).scalars())
        if unknown := [name for name in names if name not in known]:
            raise ConfigError(f"there is no location {unknown[0]!r}; known are {', '.join(sorted(known)) or 'none'}")
    if model is not None:
        identities = set(connection.execute(sa.select(models.c.identity)).scalars())
        if model not in identities:
            raise ConfigError(f"no windows of model {model!r}; known are {', '.join(sorted(identities)) or 'none'}")
