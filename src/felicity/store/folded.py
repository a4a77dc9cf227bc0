"""Folded sums (``retention``) for readers: the periods for which the store has no finer figures any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from felicity.notes import Note
from felicity.store.location_query import LocationQuery
from felicity.store.tables import folded
from felicity.style.language import say
from felicity.windows.buckets import By, bucket

Ints = npt.NDArray[np.int64]
_HIDDEN_BY: dict[By, tuple[By, ...]] = {"hour": ("day",), "minute": ("day", "hour")}
_HIDES: tuple[tuple[By, By], ...] = (("day", "hour"), ("hour", "minute"))


def folded_starts(
    connection: sa.Connection, place: LocationQuery, by: By, begin: int | None = None, end: int | None = None
) -> Ints:
    """Return the starts, in order, of folded hours and days that hide buckets ``by`` of a place, within begin … end."""
    query = sa.select(folded.c.start).where(
        folded.c.location_id == place.id,
        folded.c.model_id.in_(place.model_ids),
        folded.c.by.in_(_HIDDEN_BY.get(by, ())),
    )
    if begin is not None:
        query = query.where(folded.c.start >= begin)
    if end is not None:
        query = query.where(folded.c.start < end)
    return np.array(connection.execute(query.order_by(folded.c.start)).scalars().all(), dtype=np.int64)


def within_kept(connection: sa.Connection, place: LocationQuery) -> LocationQuery:
    """Return the place with a shorter period, if the store keeps only the sum of an hour or day at its end."""
    begin, end = place.begin, place.end
    if begin is not None:
        begin = _edges(connection, place, begin)[1]
    if end is not None:
        end = _edges(connection, place, end)[0]
    if begin is not None and end is not None:
        end = max(begin, end)
    return replace(place, begin=begin, end=end)


def _edges(connection: sa.Connection, place: LocationQuery, at: int) -> tuple[int, int]:
    """Return begin and end of the folded hour or day that holds ``at``, or ``at`` twice."""
    for by, hidden in _HIDES:
        start, stop = bucket(at, by, place.zone)
        if start < at and len(folded_starts(connection, place, hidden, start, start + 1)):
            return start, stop
    return at, at


def notes_of(connection: sa.Connection, asked: list[LocationQuery], kept: list[LocationQuery], by: By) -> list[Note]:
    """Return notes on figures that are no longer available: buckets ``by``, and whole periods."""
    notes = []
    for one, other in zip(asked, kept, strict=True):
        hidden = folded_starts(connection, other, by, other.begin, other.end)
        if one != other:
            text = say(
                "{name}: of the ends of this period only whole hours or days are kept; it begins or ends there",
                name=one.name,
            )
            notes.append(Note("period-kept-coarser", text, one.name))
        if len(hidden):
            last = datetime.fromtimestamp(int(hidden[-1]), one.zone)
            if by == "hour":
                text = "{name}: up to {day} only days are kept, so there is nothing by the hour"
            else:
                text = "{name}: up to {day} only hours or days are kept, so there is nothing by the minute"
            notes.append(Note("kept-coarser", say(text, name=one.name, day=f"{last:%Y-%m-%d}"), one.name))
    return notes
