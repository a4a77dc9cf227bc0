"""Locations of a store: list, add, import and remove them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from felicity.api.selection import opened, to_path

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.windows import Location


@dataclass(frozen=True)
class SavedLocations:
    """Names of the locations that were added or changed, and the URL of their store."""

    names: tuple[str, ...]
    store: str


@dataclass(frozen=True)
class RemovedLocation:
    """A location that was removed, with how many ``windows`` and ``people`` were counted there."""

    name: str
    windows: int
    people: int


def list_locations(*, store: StoreLike = None) -> tuple[Location, ...]:
    """Return all locations of a store, by name. Raises StoreError."""
    with opened(store) as open_store:
        return tuple(open_store.locations())


def save_locations(
    given: Sequence[Mapping[str, Any]], *, store: StoreLike = None, update: bool = False
) -> SavedLocations:
    """Add locations, each given by fields of ``windows.Location``: all of them, or none.

    ``update``: change locations that are there already; fields that are not given are kept. Makes the store if there is
    none. Raises ConfigError for impossible fields, workplaces and schools, and names that are there already; and
    StoreError.
    """
    from felicity.windows import Location

    # Wrong ones are refused before a store is made for them.
    wanted = [Location(**fields) for fields in given]
    with opened(store, create=True) as open_store:
        if update:
            there = {location.name: location for location in open_store.locations()}
            wanted = [
                replace(there[location.name], **fields) if location.name in there else location
                for location, fields in zip(wanted, given, strict=True)
            ]
        open_store.add_locations(wanted, update=update)
        return SavedLocations(tuple(location.name for location in wanted), open_store.url)


def import_locations(
    file: str | Path,
    *,
    store: StoreLike = None,
    name_field: str | None = None,
    timezone: str | None = None,
    update: bool = False,
) -> SavedLocations:
    """Add all locations of a GeoJSON or CSV file, or none of them if one is wrong.

    ``name_field``: the property or column with the names. ``timezone``: of locations for which the file gives none.
    See ``cities.location_files`` and ``save_locations``.
    """
    from felicity.cities.location_files import read_locations

    found = read_locations(to_path(file, "file"), name_field=name_field)
    default = {} if timezone is None else {"timezone": timezone}
    return save_locations([default | fields for fields in found], store=store, update=update)


def remove_location(name: str, *, store: StoreLike = None) -> RemovedLocation:
    """Remove a location with all that was counted there. Raises ConfigError if there is none, StoreError."""
    with opened(store) as open_store:
        runs = open_store.runs([name])
        open_store.remove_location(name)
    return RemovedLocation(name, sum(run.windows for run in runs), sum(run.people for run in runs))
