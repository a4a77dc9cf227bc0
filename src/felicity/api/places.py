"""Places: the happiness index of locations, and of the city that they make up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from felicity.api.selection import Names, Selection, opened, to_path

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.cities.city import CityIndex, Weight
    from felicity.index import IndexRow
    from felicity.notes import Note
    from felicity.store import Store
    from felicity.windows.buckets import By


@dataclass(frozen=True)
class HappinessIndex:
    """The happiness index: a row per location and period ``by``, in the order of names and time.

    Figures of fewer than ``k`` people are None in ``rows``. ``notes``: what was left out.
    """

    rows: tuple[IndexRow, ...]
    by: By
    k: int
    notes: tuple[Note, ...] = ()


def happiness(
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    by: By = "total",
    locations: Names | None = None,
    k: int = 10,
    model: str | None = None,
) -> HappinessIndex:
    """Compute the happiness index of places and periods.

    ``begin`` ≤ start of a window < ``end``. ``by``: total, minute, hour, day, week or month. Figures of fewer than
    ``k`` people are None. ``model``: a bundle's ``id``, by default that of the latest windows. Raises StoreError,
    ConfigError.
    """
    selection = Selection.of(begin, end, locations, k, model)
    with opened(store) as open_store:
        return index_of(open_store, selection, by)


def index_of(store: Store, selection: Selection, by: By) -> HappinessIndex:
    """Compute the happiness index of the selected windows of an open store."""
    from felicity.index.happiness import class_notes, compute_index

    groups, soft = selection.sums(store, by), store.soft_matrices()
    rows = tuple(compute_index(groups, soft, k=selection.k))
    absent = selection.absent({row.location for row in rows})
    return HappinessIndex(rows, by, selection.k, (*groups.notes, *class_notes(groups, soft), *absent))


def city(
    *,
    store: StoreLike = None,
    weight: Weight | None = None,
    footfall: str | Path | None = None,
    begin: date | None = None,
    end: date | None = None,
    locations: Names | None = None,
    k: int = 10,
    model: str | None = None,
) -> CityIndex:
    """Compute the index of a city from its locations, weighted by population, visits or people; see ``cities.city``.

    ``footfall``: CSV of visits by location and hour, or of flows between areas (``cities.footfall``). ``weight``: by
    default visits where they are given, else population. Raises StoreError, EstimateError; ConfigError for flows that
    weigh nothing.
    """
    selection = Selection.of(begin, end, locations, k, model)
    table = None if footfall is None else to_path(footfall, "footfall")
    with opened(store) as open_store:
        return city_of(open_store, selection, weight, table)


def city_of(store: Store, selection: Selection, weight: Weight | None, footfall: Path | None) -> CityIndex:
    """Compute the index of a city from the selected windows of an open store; see ``city``."""
    from felicity.cities.city import city_index
    from felicity.cities.footfall import read_footfall
    from felicity.errors import ConfigError, noted
    from felicity.index.happiness import class_notes

    known = store.locations()
    visits = None if footfall is None else read_footfall(footfall, known)
    weight = weight or ("visits" if visits else "population")
    if visits and not visits.hours and weight != "visits":
        raise ConfigError(f"flows weigh places by visits alone, not by {weight}; leave --weight or --footfall out")
    groups = selection.sums(store, "hour" if visits and visits.hours else "total")
    places, soft = selection.chosen(known), store.soft_matrices()
    groups = replace(groups, notes=(*groups.notes, *class_notes(groups, soft)))
    with noted(groups.notes):
        return city_index(groups, soft, places, weight=weight, footfall=visits, k=selection.k)


def write_geojson(city: CityIndex, path: str | Path) -> Path:
    """Write the index of a city as GeoJSON, whole or not at all. Raises ConfigError where it cannot be written."""
    import json

    from felicity.cities.geojson import to_geojson
    from felicity.files import write_whole

    target = to_path(path, "path")
    write_whole(target, json.dumps(to_geojson(city), ensure_ascii=False, allow_nan=False).encode())
    return target
