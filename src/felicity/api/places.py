"""Places: the happiness index of locations, and that of their city."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from felicity.api.selection import Names, Selection, opened, to_path
from felicity.style.notebook import Shown, to_frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from felicity.api.selection import Counted, StoreLike
    from felicity.api.shown import ShownCity
    from felicity.cities.city import CityIndex, Weight
    from felicity.index import Groups, IndexRow
    from felicity.notes import Note
    from felicity.style.document import Block
    from felicity.windows.buckets import By


@dataclass(frozen=True)
class HappinessIndex(Shown):
    """The happiness index: a row per location and period ``by``, ordered by name and time.

    Figures of fewer than ``k`` people are None in ``rows``. ``notes`` name left-out windows.
    """

    rows: tuple[IndexRow, ...]
    by: By
    k: int
    notes: tuple[Note, ...] = ()

    @property
    def frame(self) -> Any:
        """Return a ``pandas.DataFrame``: a row per location and period, the columns of ``felicity index -o``."""
        from felicity.reports.tables import index_table

        return to_frame(index_table(self.rows))

    @property
    def figure(self) -> Canvas:
        """Draw the adjusted share of each location over time, with its interval."""
        from felicity.reports.index_chart import index_figure, index_series

        return index_figure(index_series(self.rows), f"Happy share by {self.by}, adjusted, with 95 % interval")

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks that a notebook shows: the table, and the chart of figures over time."""
        from felicity.api.shown import table_blocks
        from felicity.reports.printed import printed_index
        from felicity.style.document import Picture

        blocks = table_blocks(printed_index(self.rows, self.by, self.k), self.notes)
        if self.by != "total" and any(row.happy_share.adjusted is not None for row in self.rows):
            blocks.append(Picture("index", "Happy share over time", self.figure))
        return blocks


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


def index_of(store: Counted, selection: Selection, by: By) -> HappinessIndex:
    """Compute the happiness index of the selected windows of an open store."""
    from felicity.index.covered import covered_notes
    from felicity.index.happiness import class_notes, compute_index

    groups, soft = selection.sums(store, by), store.soft_matrices()
    rows = tuple(compute_index(groups, soft, k=selection.k))
    absent = selection.absent({row.location for row in rows})
    seen = (*conditions(store, selection, groups), *covered_notes(rows))
    return HappinessIndex(rows, by, selection.k, (*groups.notes, *class_notes(groups, soft), *seen, *absent))


def conditions(store: Counted, selection: Selection, groups: Groups) -> tuple[Note, ...]:
    """Return notes on the seeing conditions of the selected windows, compared with all days of their locations."""
    from felicity.index.seeing_notes import seeing_notes

    if not groups.sums.pictures.any():
        return ()
    whole = replace(selection, begin=None, end=None)
    days = groups if groups.by == "day" and whole == selection else whole.sums(store, "day")
    return seeing_notes(groups, days)


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
) -> ShownCity:
    """Compute the index of a city from its locations, weighted by population, visits or people; see ``cities.city``.

    ``footfall``: a CSV of visits by location and hour, or of flows between areas (``cities.footfall``). ``weight``: the
    default is visits if they are given, else population. Raises StoreError, EstimateError; ConfigError for flows that
    give no location a weight.
    """
    selection = Selection.of(begin, end, locations, k, model)
    table = None if footfall is None else to_path(footfall, "footfall")
    from felicity.api.shown import ShownCity, shown_as

    with opened(store) as open_store:
        return shown_as(ShownCity, city_of(open_store, selection, weight, table))


def city_of(store: Counted, selection: Selection, weight: Weight | None, footfall: Path | None) -> CityIndex:
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
    """Write the index of a city as GeoJSON, whole or not at all. Raises ConfigError if the file cannot be written.

    The file's name ends in .geojson or .json. A store is never replaced.
    """
    import json

    from felicity.cities.geojson import to_geojson
    from felicity.files import check_place, write_whole

    target = to_path(path, "path")
    check_place(target, "a map", (".geojson", ".json"))
    write_whole(target, json.dumps(to_geojson(city), ensure_ascii=False, allow_nan=False).encode())
    return target
