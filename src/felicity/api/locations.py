"""Locations of a store: list, add, import, rename, merge and remove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from felicity.api.auditing import record
from felicity.api.selection import opened, to_path
from felicity.notes import Note

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.store import Store
    from felicity.windows import Location


@dataclass(frozen=True)
class SavedLocations:
    """Names of the ``added`` and ``changed`` locations, and the URL of their store.

    ``notes`` name added locations whose names closely resemble others.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    store: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class RemovedLocation:
    """A removed location, with the numbers of ``windows`` and ``people`` that were counted there."""

    name: str
    windows: int
    people: int


@dataclass(frozen=True)
class RenamedLocation:
    """A location ``name``, now called ``into`` or merged into it, and the numbers of its ``windows`` and ``people``."""

    name: str
    into: str
    windows: int
    people: int


def list_locations(*, store: StoreLike = None) -> tuple[Location, ...]:
    """Return all locations of a store, by name. Raises StoreError."""
    with opened(store) as open_store:
        return tuple(open_store.locations())


def latest(*, store: StoreLike = None) -> dict[str, datetime]:
    """Return the end of the last window of each location that has one, in UTC, by name. Raises StoreError."""
    from felicity.store import run_windows

    doing = "looking for the latest windows"
    with opened(store) as open_store, open_store.transaction(writes=False, doing=doing) as connection:
        return run_windows.latest(connection)


def save_locations(
    given: Sequence[Mapping[str, Any]], *, store: StoreLike = None, update: bool = False
) -> SavedLocations:
    """Add locations, each given by fields of ``windows.Location``: all of them, or none.

    ``update``: change existing locations; fields that are not given stay as they are. Creates the store if there is
    none. Raises ConfigError for impossible fields, workplaces and schools, and existing names; and StoreError.
    """
    from felicity.windows import Location

    # Refuse invalid ones before a store is created for them; an existing location may be invalid by its site type
    # alone.
    for fields in given:
        if not update or "site_type" in fields:
            Location(**fields)
    with opened(store, create=True) as open_store:
        there = {location.name: location for location in open_store.locations()}
        wanted = [
            replace(there[fields["name"]], **fields) if update and fields["name"] in there else Location(**fields)
            for fields in given
        ]
        open_store.add_locations(wanted, update=update)
        for location in wanted:
            record(open_store, "location-change" if location.name in there else "location-add", location.name)
        names = [location.name for location in wanted]
        added = tuple(name for name in names if name not in there)
        changed = tuple(name for name in names if name in there)
        return SavedLocations(added, changed, open_store.url, slips(added, [*there, *added]))


def slips(added: Sequence[str], known: Sequence[str]) -> tuple[Note, ...]:
    """Return a note for each name of ``added`` that closely resembles one of the ``known`` names."""
    from felicity.windows.location import near_names

    return tuple(
        Note(
            "location-near",
            f"{name!r} is a new location, and there is {near[0]!r}, too; if they are one place: "
            f"felicity locations merge {name!r} {near[0]!r}",
            name,
        )
        for name in added
        if (near := near_names(name, known))
    )


def import_locations(
    file: str | Path,
    *,
    store: StoreLike = None,
    name_field: str | None = None,
    timezone: str | None = None,
    update: bool = False,
) -> SavedLocations:
    """Add all locations of a GeoJSON or CSV file, or none of them if one is invalid.

    ``name_field``: the property or column with the names. ``timezone``: the time zone of locations for which the file
    gives none. See ``cities.location_files`` and ``save_locations``.
    """
    from felicity.cities.location_files import read_locations

    found = read_locations(to_path(file, "file"), name_field=name_field)
    default = {} if timezone is None else {"timezone": timezone}
    return save_locations([default | fields for fields in found], store=store, update=update)


def remove_location(name: str, *, store: StoreLike = None) -> RemovedLocation:
    """Remove a location with all its windows. Raises ConfigError if there is none, StoreError."""
    with opened(store) as open_store:
        counted = _counted(open_store, name)
        open_store.remove_location(name)
        record(open_store, "location-remove", name, {"windows": counted.windows, "people": counted.people})
    return counted


def location_content(name: str, *, store: StoreLike = None) -> RemovedLocation:
    """Return what ``remove_location`` would remove. Raises ConfigError if there is no such location, StoreError."""
    with opened(store) as open_store:
        return _counted(open_store, name)


def rename_location(name: str, new: str, *, store: StoreLike = None) -> RenamedLocation:
    """Rename a location; all its windows stay with it.

    Raises ConfigError if there is no location ``name``, if ``new`` exists already, or if ``new`` is not a valid name;
    StoreError.
    """
    with opened(store) as open_store:
        open_store.rename_location(name, new)
        record(open_store, "location-rename", name, {"into": new})
        counted = _counted(open_store, new)
    return RenamedLocation(name, new, counted.windows, counted.people)


def merge_locations(name: str, into: str, *, store: StoreLike = None) -> RenamedLocation:
    """Move all windows of ``name`` to ``into``, which keeps its time zone, area and calibration; then remove ``name``.

    Raises ConfigError if one of them does not exist, or if both watched the same source at the same time; StoreError.
    """
    with opened(store) as open_store:
        counted = _counted(open_store, name)
        open_store.merge_locations(name, into)
        record(open_store, "location-merge", name, {"into": into, "windows": counted.windows})
    return RenamedLocation(name, into, counted.windows, counted.people)


def _counted(store: Store, name: str) -> RemovedLocation:
    runs = store.runs([name])
    return RemovedLocation(name, sum(run.windows for run in runs), sum(run.people for run in runs))
