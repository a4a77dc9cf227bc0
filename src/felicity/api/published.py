"""The public's figures, which come from releases alone, and the making of releases.

Pages without login, the API with ``public``, events and other public channels compute figures by these functions alone.
Their results change only with the number of the latest release (``published_version``); those of ``published_now`` also
change with the day.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from felicity.api.selection import Counted, Names, Selection, opened, to_datetime, to_names, to_path
from felicity.errors import ConfigError

if TYPE_CHECKING:
    from felicity.api.comparing_places import UsualByLocation
    from felicity.api.places import HappinessIndex
    from felicity.api.selection import StoreLike
    from felicity.cities.city import CityIndex, Weight
    from felicity.cities.ranking import Ranking
    from felicity.index import IndexRow
    from felicity.over_time.effect import Effect
    from felicity.over_time.series import Step
    from felicity.over_time.trends import Trends
    from felicity.publishing.records import PublishedVersion, Release
    from felicity.publishing.release import Made
    from felicity.windows import Location
    from felicity.windows.buckets import By


@dataclass(frozen=True)
class PublishedNow:
    """The latest crowd of a location's day; ``row`` holds its time, and is None before the first crowd of the day.

    ``release``: number of the location's latest release.
    """

    location: str
    release: int
    row: IndexRow | None


def make_releases(
    *,
    store: StoreLike = None,
    over: Literal["day", "hour", "minute"] = "day",
    wait: timedelta = timedelta(minutes=10),
    locations: Names | None = None,
    k: int = 10,
    now: datetime | None = None,
) -> tuple[Made, ...]:
    """Publish all whole crowds of days (hours, minutes) that ended ``wait`` ago, and corrections of earlier releases.

    Each location is one transaction. Several processes may call it, as often as they like. Returns the outcome of each
    location, by name. Raises ConfigError for unknown locations and impossible arguments, StoreError.
    """
    from felicity.publishing.release import make_releases as make

    names = None if locations is None else to_names(locations, "locations")
    with opened(store) as open_store:
        return tuple(make(open_store, over=over, wait=wait, k=k, names=names, now=now))


def releases(*, store: StoreLike = None, locations: Names | None = None, after: int = 0) -> tuple[Release, ...]:
    """Return the releases of these locations, or of all, in the order of their numbers; ``after``: only later ones.

    Raises ConfigError for unknown locations, StoreError.
    """
    from felicity.publishing.records import read_releases

    names = None if locations is None else to_names(locations, "locations")
    with opened(store) as open_store:
        return tuple(read_releases(open_store, names, after=after))


def release(number: int, *, store: StoreLike = None) -> Release:
    """Return one release. Raises ConfigError if no release has that number, StoreError."""
    from felicity.publishing.records import read_releases

    with opened(store) as open_store:
        found = read_releases(open_store, number=number)
    if not found:
        raise ConfigError(f"there is no release {number} in this store; see: felicity releases list")
    return found[0]


def release_crowds(number: int, *, store: StoreLike = None) -> tuple[IndexRow, ...]:
    """Return the crowds of a release by time, each with its figures at that release.

    The result is empty if the location of the release was removed. Raises StoreError.
    """
    from felicity.index.happiness import compute_index
    from felicity.publishing.view import PublishedView

    with opened(store) as open_store:
        view = PublishedView(open_store, number)
        groups = view.content(number)
        return tuple(compute_index(groups, view.soft_matrices(), k=groups.k or 1))


def published_version(*, store: StoreLike = None) -> PublishedVersion:
    """Return the number of the latest release, of all and of each location: an ETag for public answers."""
    from felicity.publishing.records import version_of

    with opened(store) as open_store:
        return version_of(open_store)


def store_state(*, store: StoreLike = None) -> str:
    """Return a text that stays the same only as long as nothing is written to the store. Raises StoreError."""
    with opened(store) as open_store:
        return open_store.changes.state()


def published_locations(*, store: StoreLike = None) -> tuple[Location, ...]:
    """Return the locations that have had a release, by name. Raises StoreError."""
    with published_view(store) as (view, _):
        return tuple(view.locations())


def published_index(
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    by: By = "total",
    locations: Names | None = None,
    release: int | None = None,
) -> HappinessIndex:
    """Compute the happiness index of crowds that lie wholly within places and periods; see ``api.happiness``.

    ``release``: compute as of that release, by default as of now; the rows as of a release never change. Raises
    StoreError, ConfigError.
    """
    from felicity.api.places import index_of

    with published_view(store, release) as (view, k):
        return index_of(view, published_selection(begin, end, locations, k), by)


def published_now(
    *, store: StoreLike = None, locations: Names | None = None, now: datetime | None = None
) -> tuple[PublishedNow, ...]:
    """Return the latest whole crowd of the day of each published location, by name, with its time.

    ``now``: a time with a time zone, by default the current time. Raises StoreError, ConfigError for unknown locations.
    """
    from felicity.index.happiness import compute_index
    from felicity.publishing.records import version_of
    from felicity.publishing.view import PublishedView
    from felicity.windows.buckets import bucket

    at = datetime.now(UTC) if now is None else now
    with opened(store) as open_store:
        view, numbers = PublishedView(open_store), version_of(open_store).of_location
        selection = published_selection(None, None, locations, view.k)
        soft = view.soft_matrices()
        found = []
        for place in selection.chosen(view.locations()):
            groups = view.latest(place.name, *bucket(int(at.timestamp()), "day", place.zone))
            row = None if groups is None else compute_index(groups, soft, k=groups.k or 1)[0]
            found.append(PublishedNow(place.name, numbers[place.name], row))
        return tuple(found)


def published_rank(
    *, store: StoreLike = None, begin: date | None = None, end: date | None = None, locations: Names | None = None
) -> Ranking:
    """Rank locations by their published figures; see ``api.rank``. Raises StoreError, ConfigError, EstimateError."""
    from felicity.api.comparing_places import rank_of

    with published_view(store) as (view, k):
        return rank_of(view, published_selection(begin, end, locations, k))


def published_city(
    *,
    store: StoreLike = None,
    weight: Weight | None = None,
    footfall: str | Path | None = None,
    begin: date | None = None,
    end: date | None = None,
    locations: Names | None = None,
) -> CityIndex:
    """Compute the index of a city from published figures; see ``api.city``.

    A table of visits weighs hours, so it leaves out crowds longer than an hour. Raises as ``api.city``.
    """
    from felicity.api.places import city_of

    table = None if footfall is None else to_path(footfall, "footfall")
    with published_view(store) as (view, k):
        return city_of(view, published_selection(begin, end, locations, k), weight, table)


def published_trends(
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    by: Step | str = "day",
    locations: Names | None = None,
) -> Trends:
    """Estimate trends of published figures; see ``api.trends``. Raises as it does."""
    from felicity.api.over_time import trends_of

    with published_view(store) as (view, k):
        return trends_of(view, published_selection(begin, end, locations, k), by)


def published_effect(
    at: date,
    locations: Names,
    comparison: Names = (),
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    by: Step | str = "day",
) -> Effect:
    """Estimate the effect of a measure from published figures; see ``api.effect``. Raises as it does."""
    from felicity.api.over_time import effect_of

    moment = to_datetime(at, "at")
    touched, others = to_names(locations, "locations"), to_names(comparison, "comparison")
    with published_view(store) as (view, k):
        return effect_of(view, published_selection(begin, end, None, k), moment, touched, others, by)


def published_usual(
    begin: date, end: date, *, weeks: int = 8, store: StoreLike = None, locations: Names | None = None
) -> UsualByLocation:
    """Compare a published period with what is usual; see ``api.usual``. Raises as it does."""
    from felicity.api.comparing_places import usual_of

    with published_view(store) as (view, k):
        selection = published_selection(begin, end, locations, k)
        return usual_of(view, selection, to_datetime(begin, "begin"), to_datetime(end, "end"), weeks)


@contextmanager
def published_view(store: StoreLike, release: int | None = None) -> Iterator[tuple[Counted, int]]:
    """Yield the published figures of a store, and the *k* of their releases."""
    from felicity.publishing.view import PublishedView

    with opened(store) as open_store:
        view = PublishedView(open_store, release)
        yield view, view.k


def published_selection(begin: date | None, end: date | None, locations: Names | None, k: int) -> Selection:
    """Return the selection for a figure from ``published_view``."""
    return replace(Selection.of(begin, end, locations, k), published=True)
