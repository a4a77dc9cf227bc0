"""Releases in the ledger: the crowds that each published and took back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from felicity.store import Store
from felicity.store.ledger import ReleaseKind
from felicity.store.places import check_names
from felicity.store.tables import crowds, locations, releases


@dataclass(frozen=True)
class Release:
    """One release of a location. Times are in the location's time zone, UTC for a removed location.

    ``location``: its name at that time. ``until``: windows that ended by then may be in it; None if the release
    publishes nobody new. ``start``, ``end``: from the first window of its ``crowds`` to the end of the last, None
    without any; ``people`` are in them. ``taken_back``: people of earlier crowds that it takes back, and ``replaces``
    the releases that published them. ``waiting``: people who wait for a later release; None for fewer than ``k``.
    """

    number: int
    location: str
    kind: ReleaseKind
    made: datetime
    until: datetime | None
    start: datetime | None
    end: datetime | None
    crowds: int
    people: int
    taken_back: int
    replaces: tuple[int, ...]
    k: int
    waiting: int | None


@dataclass(frozen=True)
class PublishedVersion:
    """Numbers that change with every release: the latest release of all, and of each location by name."""

    number: int
    of_location: dict[str, int]


def read_releases(
    store: Store, names: Sequence[str] | None = None, *, number: int | None = None, after: int = 0
) -> list[Release]:
    """Return releases in the order of their numbers: of the locations with these present ``names``, or of all.

    ``number``: only that one. ``after``: only later ones. Raises ConfigError for unknown locations.
    """
    with store.transaction(writes=False, doing="reading releases") as connection:
        check_names(connection, names, None)
        query = sa.select(releases, locations.c.timezone).join(
            locations, locations.c.id == releases.c.location_id, isouter=True
        )
        query = query.where(releases.c.number > after)
        if number is not None:
            query = query.where(releases.c.number == number)
        if names is not None:
            query = query.where(locations.c.name.in_(list(names)))
        rows = connection.execute(query.order_by(releases.c.number)).all()
        entered = {row.entered: row for row in connection.execute(_entered(after, number))}
        gone: dict[int, dict[int, int]] = defaultdict(dict)
        for row in connection.execute(_gone(after, number)):
            gone[row.gone][row.entered] = int(row.people)
    found = []
    for row in rows:
        zone = ZoneInfo(row.timezone or "UTC")
        new = entered.get(row.number)
        found.append(
            Release(
                number=row.number,
                location=row.location,
                kind=ReleaseKind(row.kind),
                made=datetime.fromtimestamp(row.made, zone),
                until=None if row.until is None else datetime.fromtimestamp(row.until, zone),
                start=None if new is None else datetime.fromtimestamp(int(new.first), zone),
                end=None if new is None else datetime.fromtimestamp(int(new.last), zone),
                crowds=0 if new is None else int(new.crowds),
                people=0 if new is None else int(new.people),
                taken_back=sum(gone[row.number].values()),
                replaces=tuple(sorted(gone[row.number])),
                k=row.k,
                waiting=None if 0 < row.waiting < row.k else row.waiting,
            )
        )
    return found


def version_of(store: Store) -> PublishedVersion:
    """Return the numbers of the latest releases; 0 if there is none."""
    with store.transaction(writes=False, doing="reading releases") as connection:
        latest = sa.func.max(releases.c.number)
        whole = connection.execute(sa.select(latest)).scalar() or 0
        query = sa.select(locations.c.name, latest).join(releases, releases.c.location_id == locations.c.id)
        rows = connection.execute(query.group_by(locations.c.name).order_by(locations.c.name))
        return PublishedVersion(int(whole), {name: int(number) for name, number in rows})


def _entered(after: int, number: int | None) -> sa.Select[tuple[int, int, int, int, int]]:
    # Rests of divided crowds enter and go in one release, and are not published.
    query = sa.select(
        crowds.c.entered,
        sa.func.count().label("crowds"),
        sa.func.sum(crowds.c.people).label("people"),
        sa.func.min(crowds.c.first).label("first"),
        sa.func.max(crowds.c.last).label("last"),
    ).where(crowds.c.entered > after, sa.or_(crowds.c.gone.is_(None), crowds.c.gone > crowds.c.entered))
    if number is not None:
        query = query.where(crowds.c.entered == number)
    return query.group_by(crowds.c.entered)


def _gone(after: int, number: int | None) -> sa.Select[tuple[int, int, int]]:
    query = sa.select(crowds.c.gone, crowds.c.entered, sa.func.sum(crowds.c.people).label("people")).where(
        crowds.c.gone > after, crowds.c.gone > crowds.c.entered
    )
    if number is not None:
        query = query.where(crowds.c.gone == number)
    return query.group_by(crowds.c.gone, crowds.c.entered)
