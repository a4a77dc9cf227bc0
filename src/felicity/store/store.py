"""The store: places, models, runs and their windows, in SQLite or PostgreSQL; every method is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from felicity.errors import ConfigError, StoreError
from felicity.files import make_folder, make_own
from felicity.index.happiness import Groups
from felicity.index.soft_matrix import SoftMatrix
from felicity.index.suppression import check_k
from felicity.store import matrices, migrations, places, run_windows
from felicity.store import runs as recorded
from felicity.store.engine import BUSY_SECONDS, log_ahead, make_engine, parse_url, transaction
from felicity.store.matrices import SoftMatrices
from felicity.store.query import instant, select_sums
from felicity.store.runs import RunRecord, RunState, WatchRun
from felicity.windows.buckets import BUCKETS, By
from felicity.windows.location import Location
from felicity.windows.window import Window


def open_store(url: str | Path | None = None, *, create: bool = True, busy_seconds: float = BUSY_SECONDS) -> Store:
    """Open a store, made and brought up to date as needed.

    ``url``: None for the user's own SQLite file, a path, ``sqlite:///FILE`` or
    ``postgresql://USER@HOST/DATABASE``. ``create``: False for those who only read; a store must then be there.
    ``busy_seconds``: how long to wait for another writer (SQLite).
    Raises ConfigError for what is no such URL, StoreError if it cannot be opened or is another program's, SchemaError
    if it was written by a newer version, ExtraMissingError without the package for PostgreSQL.
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
            make_folder(folder)
            make_own(file)
        except ConfigError as error:
            raise StoreError(f"store {file}: its folder cannot be made: {error}") from error
        except OSError as error:
            raise StoreError(f"store {file}: cannot be made ({error.strerror}); choose another file") from error
    return Store(parsed, busy_seconds, create=create)


class Store(AbstractContextManager["Store"]):
    """See ``open_store``. Every method that writes does so in one transaction, or raises StoreError.

    May be used by several threads and processes at once.
    """

    def __init__(self, url: sa.URL, busy_seconds: float = BUSY_SECONDS, *, create: bool = True) -> None:
        self.url = url.render_as_string(hide_password=True)
        self._engine = make_engine(url, busy_seconds)
        try:
            with self._read("opening it") as connection:
                ready = migrations.check(connection, self.url)
                if not ready:
                    migrations.check_own(connection, self.url, create)
            if not ready:
                log_ahead(self._engine)
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
            return places.list_locations(connection)

    def location(self, name: str) -> Location | None:
        """The location of that name."""
        return next((location for location in self.locations() if location.name == name), None)

    def add_locations(self, added: Sequence[Location], *, update: bool = False) -> None:
        """Add all of them, or none. A name that is there already: ConfigError, or replaced with ``update``."""
        names = [location.name for location in added]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(f"duplicate location name {twice[0]!r}; give each location a name of its own")
        with self._write("adding locations") as connection:
            places.add_locations(connection, added, update=update)

    def add_location(self, location: Location, *, update: bool = False) -> None:
        """Add one location; see ``add_locations``."""
        self.add_locations([location], update=update)

    def remove_location(self, name: str) -> None:
        """Remove a location with all that was watched there and its calibrations; ConfigError if there is none."""
        with self._write("removing a location") as connection:
            places.remove_location(connection, name)

    def rename_location(self, name: str, new: str) -> None:
        """Give a location another name; ConfigError if there is no ``name``, a ``new`` one, or ``new`` is no name.

        Windows, calibrations and all else of the location stay with it.
        """
        Location(new, site_type="renamed")
        with self._write("renaming a location") as connection:
            places.rename_location(connection, name, new)

    def merge_locations(self, name: str, into: str) -> None:
        """Move the windows of location ``name`` to ``into``, and remove ``name`` with its calibrations.

        Raises ConfigError if one of them is not there, or both watched the same source at the same time.
        """
        with self._write("merging locations") as connection:
            places.merge_locations(connection, name, into)

    # Models

    def save_model(self, identity: str, soft_matrix: SoftMatrix | None = None, *, name: str | None = None) -> None:
        """Keep what the index needs to know of a bundle, so that it does not need the bundle.

        Raises BundleError where the bundle has no class of happy alone.
        """
        with self._write("saving a model") as connection:
            matrices.save_model(connection, identity, soft_matrix, name)

    def save_calibration(self, location: str, model: str, soft_matrix: SoftMatrix) -> None:
        """Keep a location's own soft matrix; ConfigError if there is no such location."""
        with self._write("saving a calibration") as connection:
            matrices.save_calibration(connection, location, model, soft_matrix)

    def soft_matrix(self, location: str, model: str) -> SoftMatrix | None:
        """The location's own soft matrix for this model if it was calibrated, else the model's, else None."""
        return self.soft_matrices()(location, model)

    def soft_matrices(self) -> SoftMatrices:
        """``soft_matrix`` as a function that reads the store once."""
        with self._read("reading models") as connection:
            return matrices.read_matrices(connection)

    # Runs and windows

    def begin_run(
        self,
        location: str,
        camera: str,
        source: str,
        run_start: datetime,
        model: str,
        *,
        recording: str | None = None,
    ) -> WatchRun:
        """Begin a run, or begin it again: its windows then replace those it wrote before.

        ``recording``: what the source is made of (``sources.recording``). Raises ConfigError if another run at the
        location has counted the same recording.

        A location that is not there yet is added with nothing but its name.
        """
        with self._write("beginning a run") as connection:
            return recorded.begin_run(connection, location, camera, source, run_start, model, recording)

    def write_windows(self, run: WatchRun, added: Iterable[Window]) -> None:
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
            run_windows.write_windows(connection, run, listed)

    def heartbeat(self, run: WatchRun) -> None:
        """Say that a run is running; writing windows says so too."""
        with self._write("saying that a run goes on") as connection:
            recorded.beat(connection, run)

    def finish_run(self, run: WatchRun, state: RunState = RunState.ENDED) -> None:
        """End a run. Where its source ended, windows that it wrote when it was run before, and not this time, go."""
        with self._write("finishing a run") as connection:
            recorded.finish_run(connection, run, state)

    def runs(self, locations: Sequence[str] | None = None) -> list[RunRecord]:
        """The runs of these locations, or all, by location and time. Raises ConfigError for unknown locations."""
        with self._read("reading runs") as connection:
            places.check_names(connection, locations, None)
            listed = recorded.list_runs(connection)
        return [run for run in listed if locations is None or run.location in locations]

    def remove_runs(self, ids: Sequence[int]) -> None:
        """Remove runs with their windows, as if they had never been watched: all of them, or none.

        Raises ConfigError for a run that is not there.
        """
        with self._write("removing runs") as connection:
            for run_id in dict.fromkeys(ids):
                recorded.remove_run(connection, run_id)

    def overlapping(self, run: WatchRun) -> int:
        """How many windows with people other runs of its camera or source, by its model, have in a run's minutes."""
        with self._read("looking for people counted twice") as connection:
            return recorded.overlapping(connection, run)

    def windows(
        self,
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        locations: Sequence[str] | None = None,
        model: str | None = None,
    ) -> Iterator[Window]:
        """The windows that start in begin … end, by location, time and run. Read in portions."""
        with self._read("reading windows") as connection:
            yield from run_windows.read_windows(connection, begin=begin, end=end, locations=locations, model=model)

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
        Raises ConfigError for unknown locations and models, and if ``end`` is not after ``begin``, where both or none
        have a zone.
        """
        if k is not None:
            check_k(k)
        if by not in BUCKETS:
            raise ConfigError(f"'by' is one of {', '.join(BUCKETS)}, not {by!r}")
        # With one bare end it depends on the place which of them is later.
        if begin is not None and end is not None and (begin.tzinfo is None) == (end.tzinfo is None):
            utc = ZoneInfo("UTC")
            first, last = instant(begin, utc), instant(end, utc)
            if first is not None and last is not None and last <= first:
                raise ConfigError(f"the end, {end.isoformat()}, must be after the begin, {begin.isoformat()}")
        with self._read("reading the index") as connection:
            places.check_names(connection, locations, model)
            return select_sums(connection, by, begin, end, locations, model, k)
