"""The figures of pages, from a store or its releases: the overview of a city, and one place beside what is usual."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from felicity.api.comparing_places import usual_of
from felicity.api.locations import latest as latest_windows
from felicity.api.places import city_of, index_of
from felicity.api.published import published_now, published_selection, published_view
from felicity.api.reporting import gather, join, model_card, ranked
from felicity.api.selection import Selection, opened
from felicity.errors import ConfigError, EstimateError
from felicity.style.language import say

if TYPE_CHECKING:
    from felicity.api.selection import Counted, StoreLike
    from felicity.index import IndexRow
    from felicity.over_time.usual import Usual
    from felicity.reports.place import CityReport, ModelCard, PlaceReport
    from felicity.windows import Location

RECENT = timedelta(days=2)
"""Look for the latest figure within this time before the last window."""


def overview(
    *,
    store: StoreLike = None,
    begin: date | None = None,
    k: int = 10,
    title: str = "Happiness index",
    public: bool = False,
) -> CityReport:
    """Gather the overview of a city: one figure per place, ranking, joint and weighted index, and nothing over time.

    It contains places without windows, too. ``public``: from releases alone, with their *k*. Raises StoreError,
    ConfigError.
    """
    if public:
        with published_view(store) as (view, own_k):
            return _overview(view, published_selection(begin, None, None, own_k), title)
    with opened(store) as open_store:
        return _overview(open_store, Selection.of(begin, None, None, k), title)


def _overview(store: Counted, selection: Selection, title: str) -> CityReport:
    from felicity.reports.place import CityReport

    totals, soft, places = selection.sums(store, "total"), store.soft_matrices(), store.locations()
    rows = {row.location: row for row in index_of(store, selection, "total").rows}
    city, lack = None, ""
    if totals.keys:
        try:
            weight = "population" if any(place.population for place in places) else "people"
            city = city_of(store, selection, weight, None)  # type: ignore[arg-type]
        except EstimateError as error:
            lack = str(error)
    return CityReport(
        title=title,
        places=[_place(place, rows.get(place.name)) for place in places],
        together=join(totals, soft, selection.k) if totals.keys else None,
        k=selection.k,
        at=None,
        notes=totals.notes,
        models=[model_card(model) for model in sorted({row.model for row in rows.values()})],
        made=datetime.now(UTC),
        ranking=ranked(totals, soft, selection.k) if totals.keys else None,
        city=city,
        city_lack=lack,
    )


def _place(location: Location, row: IndexRow | None) -> PlaceReport:
    from felicity.reports.place import Exposure, PlaceReport

    if row is None:
        return PlaceReport(location)
    seen = Exposure(row.people_seen, row.people, row.rejected, row.seconds_covered, 0, 0, row.windows)
    return PlaceReport(location, row, seen)


@dataclass(frozen=True)
class PlaceView:
    """One place as its page shows it.

    ``whole``: the place as in a report, None without windows. ``latest``: the latest figure, of an hour or of a
    published crowd. ``usual``: the hours of that day so far beside earlier weeks, or else the reason (``usual_lack``).
    """

    location: Location
    whole: CityReport | None
    latest: IndexRow | None
    usual: Usual | None = None
    usual_lack: str = ""


def place_view(
    name: str,
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    k: int = 10,
    public: bool = False,
) -> PlaceView:
    """Gather one place and its course over ``begin`` ≤ time < ``end``. ``public``: from releases alone.

    Raises StoreError; ConfigError if there is no such place.
    """
    with opened(store) as open_store:
        if public:
            with published_view(open_store) as (view, own_k):
                latest = next((now.row for now in published_now(store=open_store) if now.location == name), None)
                selection = published_selection(begin, end, name, own_k)
                return _view_of(view, selection, name, latest, latest.end if latest else None)
        last = latest_windows(store=open_store).get(name)
        latest = None
        if last is not None:
            hours = index_of(open_store, Selection.of(last - RECENT, None, name, k), "hour").rows
            latest = next((row for row in reversed(hours) if row.happy_share.adjusted is not None), None)
        return _view_of(open_store, Selection.of(begin, end, name, k), name, latest, last)


def _view_of(
    store: Counted, selection: Selection, name: str, latest: IndexRow | None, last: datetime | None
) -> PlaceView:
    location = next((place for place in store.locations() if place.name == name), None)
    if location is None:
        raise ConfigError(say("there is no location {name}", name=repr(name)))
    try:
        whole = gather(store, selection, None, name)
    except EstimateError:
        whole = None
    view = PlaceView(location, whole, latest, usual_lack=say("there are no data of the day yet"))
    if last is None:
        return view
    until = last.astimezone(location.zone).replace(tzinfo=None)
    day = (until - timedelta(microseconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        found = usual_of(store, replace(selection, begin=None, end=None), day, until, 8)
    except EstimateError as error:
        return replace(view, usual_lack=str(error).removeprefix(f"{name}: "))
    return replace(view, usual=found.items[0])


@dataclass(frozen=True)
class Installation:
    """The extent of an installation: its places, the number of cameras that have watched each, and its models."""

    locations: tuple[Location, ...]
    cameras: dict[str, int]
    models: tuple[ModelCard, ...]


def installation(*, store: StoreLike = None, public: bool = False) -> Installation:
    """Gather the extent of an installation; ``public``: the places with releases alone. Raises StoreError."""
    with opened(store) as open_store:
        runs = open_store.runs()
        if public:
            with published_view(open_store) as (view, _):
                locations = tuple(view.locations())
        else:
            locations = tuple(open_store.locations())
    names = {place.name for place in locations}
    watched = [run for run in runs if run.location in names]
    return Installation(
        locations=locations,
        cameras={name: len({run.camera for run in watched if run.location == name}) for name in names},
        models=tuple(model_card(model) for model in sorted({run.model for run in watched})),
    )
