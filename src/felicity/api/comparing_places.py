"""Comparisons: locations with each other, and a period with what is usual."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from felicity.api.places import index_of
from felicity.api.selection import Names, Selection, opened, to_datetime
from felicity.errors import ConfigError, EstimateError
from felicity.style.language import say

if TYPE_CHECKING:
    from felicity.api.selection import Counted, StoreLike
    from felicity.cities.ranking import Ranking
    from felicity.index import IndexRow
    from felicity.notes import Note
    from felicity.over_time.trends import Missing
    from felicity.over_time.usual import Usual
    from felicity.windows import Location


@dataclass(frozen=True)
class UsualByLocation:
    """A period beside what is usual, per location; ``missing``: each location without a comparison, with the reason."""

    items: tuple[Usual, ...]
    missing: tuple[Missing, ...] = ()
    notes: tuple[Note, ...] = ()


def rank(
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    locations: Names | None = None,
    k: int = 10,
    model: str | None = None,
) -> Ranking:
    """Rank locations by their adjusted happy share; see ``cities.ranking``. Arguments as for ``happiness``.

    Raises StoreError, ConfigError; EstimateError if fewer than two locations have a figure.
    """
    selection = Selection.of(begin, end, locations, k, model)
    with opened(store) as open_store:
        return rank_of(open_store, selection)


def rank_of(store: Counted, selection: Selection) -> Ranking:
    """Rank the locations of an open store; see ``rank``."""
    from felicity.cities.ranking import rank_locations
    from felicity.errors import noted
    from felicity.index.covered import covered_places

    groups = selection.sums(store, "total")
    with noted(groups.notes):
        found = rank_locations(groups, store.soft_matrices(), k=selection.k)
    absent = selection.absent({key.location for key in groups.keys})
    return replace(found, notes=(*found.notes, *covered_places(groups), *absent))


def usual(
    begin: date,
    end: date,
    *,
    weeks: int = 8,
    store: StoreLike = None,
    locations: Names | None = None,
    k: int = 10,
    model: str | None = None,
) -> UsualByLocation:
    """Compare the period ``begin`` ≤ time < ``end`` with the same hours of the ``weeks`` weeks before.

    The period lasts a week at most; hours are in each location's time zone, also over a change of summer time. Other
    arguments as for ``happiness``; see ``over_time.usual``. Raises StoreError, ConfigError; EstimateError if no
    location can be compared.
    """
    selection = Selection.of(begin, end, locations, k, model)
    with opened(store) as open_store:
        return usual_of(open_store, selection, to_datetime(begin, "begin"), to_datetime(end, "end"), weeks)


def usual_of(store: Counted, selection: Selection, begin: datetime, end: datetime, weeks: int) -> UsualByLocation:
    """Compare a period with what is usual, from an open store; see ``usual``."""
    from felicity.over_time.trends import Missing
    from felicity.over_time.usual import FEWEST

    if not isinstance(weeks, int) or not FEWEST <= weeks <= 520:
        raise ConfigError(f"weeks is a whole number from {FEWEST} to 520, not {weeks!r}")
    items: list[Usual] = []
    missing: list[Missing] = []
    notes: list[Note] = []
    index_of(store, selection, "total")  # raises for unknown names and impossible periods
    for place in selection.chosen(store.locations()):
        try:
            found, remarks = _usual_at(place, store, selection, begin, end, weeks)
        except EstimateError as error:
            missing.append(Missing(place.name, str(error)))
            continue
        items.append(found)
        notes += remarks
    if not items:
        raise EstimateError(missing[0].reason if missing else say("there is no location in this store yet"))
    return UsualByLocation(tuple(items), tuple(missing), tuple(dict.fromkeys(notes)))


def _usual_at(
    place: Location, store: Counted, selection: Selection, begin: datetime, end: datetime, weeks: int
) -> tuple[Usual, tuple[Note, ...]]:
    from felicity.index.covered import counted, differing
    from felicity.over_time.usual import compare_with_usual

    # Weeks are counted in the time zone of the location.
    first, last = (
        time if time.tzinfo is None else time.astimezone(place.zone).replace(tzinfo=None) for time in (begin, end)
    )
    if not timedelta(0) < last - first <= timedelta(weeks=1):
        raise ConfigError(
            f"a period to compare lasts a week at most, and {begin} to {end} does not; give --from and --to"
        )
    here = replace(selection, locations=(place.name,))
    now = index_of(store, replace(here, begin=first, end=last), "total")
    if not now.rows:
        raise EstimateError(say("{name}: there are no windows in this period", name=place.name))
    model = replace(here, model=now.rows[0].model, detector=now.rows[0].detector or None)
    before: list[IndexRow] = []
    for week in range(1, weeks + 1):
        back = timedelta(weeks=week)
        before += index_of(store, replace(model, begin=first - back, end=last - back), "total").rows
    found = compare_with_usual(now.rows[0], before, asked=weeks)
    usual_tally: Counter[str] = Counter()
    for row in before:
        usual_tally.update(row.rejected)
    periods = [
        counted("this period", now.rows[0].rejected, now.rows[0].people),
        counted("the weeks before", usual_tally, sum(row.people for row in before)),
    ]
    notes = (*now.notes, *differing(periods, location=place.name))
    return replace(found, start=first.replace(tzinfo=place.zone), end=last.replace(tzinfo=place.zone)), notes
