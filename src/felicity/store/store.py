"""The store: places, models, runs and their windows, in SQLite or PostgreSQL; every method is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from felicity.errors import ConfigError, StoreError
from felicity.files import make_folder, make_own, remove_empty
from felicity.index.happiness import Groups
from felicity.index.soft_matrix import SoftMatrix
from felicity.index.suppression import check_k
from felicity.store import matrices, migrations, places, retention, run_windows
from felicity.store import runs as recorded
from felicity.store.access import AccessTables
from felicity.store.changes import Changes
from felicity.store.choosing import check_order
from felicity.store.engine import BUSY_SECONDS, connect, log_ahead, parse_url, transaction
from felicity.store.matrices import SoftMatrices
from felicity.store.query import select_sums
from felicity.store.retention import Folding, LocationRetention, RetentionRule
from felicity.store.runs import RunRecord, RunState, WatchRun
from felicity.windows.buckets import BUCKETS, By
from felicity.windows.location import Location
from felicity.windows.window import Window

_OF_RUN = ("location", "camera", "source", "run_start", "model", "detector")


def open_store(url: str | Path | None = None, *, create: bool = True, busy_seconds: float = BUSY_SECONDS) -> Store:
    """Open a store; create it and bring it up to date as needed.

    ``url``: None for the user's own SQLite file, a path, ``sqlite:///FILE`` or ``postgresql://USER@HOST/DATABASE``.
    ``create``: False for reading alone; the store must then exist. ``busy_seconds``: how long to wait for another
    writer (SQLite). Raises ConfigError for any other URL, StoreError if the store cannot be opened or belongs to
    another program, SchemaError if a newer version wrote it, ExtraMissingError without the package for PostgreSQL.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database != ":memory:":
        file = Path(str(parsed.database))
        if not create and not file.exists():
            raise StoreError(f"store {file}: there is no such file; name another one, or make it with felicity watch")
        folder = file.parent
        try:
            make_folder(folder)
            made = make_own(file)
        except ConfigError as error:
            raise StoreError(f"store {file}: its folder cannot be made: {error}") from error
        except OSError as error:
            raise StoreError(f"store {file}: cannot be made ({error.strerror}); choose another file") from error
        try:
            return Store(parsed, busy_seconds, create=create)
        except BaseException:
            if made:
                remove_empty(file)
            raise
    return Store(parsed, busy_seconds, create=create)


class Store(AbstractContextManager["Store"]):
    """A store, see ``open_store``. Every method that writes does so in one transaction, or raises StoreError.

    Several threads and processes may use it at once.
    """

    def __init__(self, url: sa.URL, busy_seconds: float = BUSY_SECONDS, *, create: bool = True) -> None:
        self.url = url.render_as_string(hide_password=True)
        self._engine, ready = connect(url, busy_seconds, create)
        self.changes = Changes(self._engine)
        if ready:
            return
        try:
            log_ahead(self._engine)
            with self._write("bringing its schema up to date") as connection:
                if not migrations.check(connection, self.url):
                    migrations.upgrade(connection, busy_seconds)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all connections."""
        self.changes.close()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _read(self, doing: str) -> AbstractContextManager[sa.Connection]:
        return transaction(self._engine, writes=False, doing=doing)

    def _write(self, doing: str) -> AbstractContextManager[sa.Connection]:
        return transaction(self._engine, writes=True, doing=doing)

    @property
    def access(self) -> AccessTables:
        """Return the tables of tokens, of users, and of the audit log."""
        return AccessTables(self._read, self._write)

    def transaction(self, *, writes: bool, doing: str) -> AbstractContextManager[sa.Connection]:
        """Open one transaction for tables kept beside these: committed as a whole, or rolled back with StoreError."""
        return transaction(self._engine, writes=writes, doing=doing)

    # Locations

    def locations(self) -> list[Location]:
        """Return all locations, by name."""
        with self._read("reading locations") as connection:
            return places.list_locations(connection)

    def location(self, name: str) -> Location | None:
        """Return the location with that name."""
        return next((location for location in self.locations() if location.name == name), None)

    def add_locations(self, added: Sequence[Location], *, update: bool = False) -> None:
        """Add all of the locations, or none. An existing name raises ConfigError, or is replaced with ``update``."""
        names = [location.name for location in added]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(f"duplicate location name {twice[0]!r}; give each location a name of its own")
        with self._write("adding locations") as connection:
            places.add_locations(connection, added, update=update)

    def add_location(self, location: Location, *, update: bool = False) -> None:
        """Add one location; see ``add_locations``."""
        self.add_locations([location], update=update)

    def remove_location(self, name: str) -> None:
        """Remove a location with all its windows and calibrations; raises ConfigError if there is none."""
        with self._write("removing a location") as connection:
            places.remove_location(connection, name)

    def rename_location(self, name: str, new: str) -> None:
        """Give a location another name; its windows, calibrations and all else stay with it.

        Raises ConfigError if there is no location ``name``, if ``new`` exists, or if ``new`` is not a valid name.
        """
        Location(new, site_type="renamed")
        with self._write("renaming a location") as connection:
            places.rename_location(connection, name, new)

    def merge_locations(self, name: str, into: str) -> None:
        """Move the windows of location ``name`` to ``into``, and remove ``name`` with its calibrations.

        Raises ConfigError if one of them does not exist, or if both watched the same source at the same time.
        """
        with self._write("merging locations") as connection:
            places.merge_locations(connection, name, into)

    # Models

    def save_model(self, identity: str, soft_matrix: SoftMatrix | None = None, *, name: str | None = None) -> None:
        """Store the facts of a bundle that the index needs, so that the index does not need the bundle.

        Raises BundleError if the bundle has no class of happy alone.
        """
        with self._write("saving a model") as connection:
            matrices.save_model(connection, identity, soft_matrix, name)

    def save_calibration(self, location: str, model: str, soft_matrix: SoftMatrix) -> None:
        """Store a location's own soft matrix; raises ConfigError if there is no such location."""
        with self._write("saving a calibration") as connection:
            matrices.save_calibration(connection, location, model, soft_matrix)

    def soft_matrix(self, location: str, model: str) -> SoftMatrix | None:
        """Return the location's own soft matrix for this model if it was calibrated, else the model's, else None."""
        return self.soft_matrices()(location, model)

    def soft_matrices(self) -> SoftMatrices:
        """Return ``soft_matrix`` as a function that reads the store once."""
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
        detector: str = "",
        go_on: bool = False,
    ) -> WatchRun:
        """Begin a run, or begin it again: its new windows then replace its earlier ones.

        ``recording``: digest of the source's content (``sources.recording``). Raises ConfigError if another run at the
        location has counted the same recording. ``detector``: identity of the face detector
        (``faces.detection.identity``); an older run that does not hold its detector is taken for the same run.
        ``go_on``: the same pass continues.

        A location that does not exist yet is added with nothing but its name.
        """
        with self._write("beginning a run") as connection:
            return recorded.begin_run(
                connection, location, camera, source, run_start, model, recording, detector, go_on=go_on
            )

    def write_windows(self, run: WatchRun, added: Iterable[Window]) -> None:
        """Write windows of a run; they replace the run's earlier windows at these times.

        After StoreError none of them is stored, and the same windows can be written again.
        """
        listed = list(added)
        for window in listed:
            if any(getattr(window.key, name) != getattr(run, name) for name in _OF_RUN):
                raise ValueError(f"{window.key} is not a window of {run}")
        if not listed:
            return
        with self._write("writing windows") as connection:
            run_windows.write_windows(connection, run, listed)

    def heartbeat(self, run: WatchRun) -> None:
        """Record that a run is running; writing windows records it, too."""
        with self._write("saying that a run goes on") as connection:
            recorded.beat(connection, run)

    def finish_run(self, run: WatchRun, state: RunState = RunState.ENDED) -> None:
        """End a run. If its source ended, windows that only an earlier pass of the run wrote are removed."""
        with self._write("finishing a run") as connection:
            recorded.finish_run(connection, run, state)

    def runs(self, locations: Sequence[str] | None = None) -> list[RunRecord]:
        """Return the runs of these locations (None: all), by location and time. Raises ConfigError for unknown ones."""
        with self._read("reading runs") as connection:
            places.check_names(connection, locations, None)
            listed = recorded.list_runs(connection)
        return [run for run in listed if locations is None or run.location in locations]

    def remove_runs(self, ids: Sequence[int]) -> None:
        """Remove runs with their windows, as if they had never been watched: all of them, or none.

        Raises ConfigError for a run that does not exist.
        """
        with self._write("removing runs") as connection:
            for run_id in dict.fromkeys(ids):
                recorded.remove_run(connection, run_id)

    def set_retention(self, rule: RetentionRule, locations: Sequence[str] | None = None) -> None:
        """Set for how long windows and hours are kept: at these locations, or wherever there is no rule of its own."""
        with self._write("setting how long windows are kept") as connection:
            places.check_names(connection, locations, None)
            retention.set_rule(connection, rule, locations)

    def retention(self, now: datetime, locations: Sequence[str] | None = None) -> list[LocationRetention]:
        """Return the rules of these locations, or of all, by name, and the times from which they keep data."""
        with self._read("reading how long windows are kept") as connection:
            places.check_names(connection, locations, None)
            return retention.read_rules(connection, now, locations)

    def fold(self, of: LocationRetention, *, dry_run: bool) -> Folding:
        """Fold windows and hours that are older than a location's rule allows, or only return how many there are."""
        with (self._read if dry_run else self._write)("folding old windows") as connection:
            return retention.fold(connection, of, dry_run=dry_run)

    def overlapping(self, run: WatchRun) -> int:
        """Count the windows with people in a run's minutes by other runs of its camera or source, and its model."""
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
        """Yield the windows that start in begin … end, by location, time and run. They are read in portions."""
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
        detector: str | None = None,
        k: int | None = None,
    ) -> Groups:
        """Return sums of windows by location and bucket, for ``index.compute_index``.

        ``k``: for figures to be published. The sums are then made of whole crowds of at least ``k`` people
        (``index.suppression``): an end of the range that would cut a crowd moves inwards, and ``notes`` say so. Without
        ``k``, nothing is protected.

        Windows count by their start, begin ≤ start < end; a time without a time zone is in each location's. ``model``:
        identity of the model whose windows count, by default that of each location's latest windows in the range;
        ``detector`` likewise, since ``index`` never mixes detectors either. Only older windows, which do not hold their
        detector, count with those of the location's first detector. ``notes`` of the result name left-out windows.
        Raises ConfigError for unknown locations, models and detectors, and if ``end`` is not after ``begin``, provided
        both or neither have a time zone.
        """
        if k is not None:
            check_k(k)
        if by not in BUCKETS:
            raise ConfigError(f"'by' is one of {', '.join(BUCKETS)}, not {by!r}")
        check_order(begin, end)
        with self._read("reading the index") as connection:
            places.check_names(connection, locations, model, detector)
            return select_sums(connection, by, begin, end, locations, model, detector, k)
