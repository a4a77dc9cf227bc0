"""Windows that wait to be published: new ones, those of a known crowd, and those that never can be published."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from felicity.store import ledger
from felicity.store.tables import days, lost_windows, runs, windows

Footage = tuple[str, str, int]
"""Camera, source and start of a run: the watched footage, by any model and any number of times."""


class Pass(NamedTuple):
    """A run: its model, its footage, and the identity of the recording, if it is one."""

    model_id: int
    footage: Footage
    recording: str | None = None


class Member(NamedTuple):
    """A window of a crowd, or one that may come back into it; ``run_id`` and ``model_id`` are None for a lost one."""

    footage: Footage
    start: int
    seconds: int
    people: int
    run_id: int | None
    model_id: int | None

    @property
    def identity(self) -> tuple[Footage, int]:
        """Return the identity of a window, whichever model reads it."""
        return self.footage, self.start


@dataclass
class Waiting:
    """Windows of a location in no crowd.

    ``new``: by model, rows of start, run and people. ``back``: by crowd, windows that were in it before, or that
    another model reads again: they may only come back into that crowd. ``blocked``: people of all other windows, which
    overlap windows of a crowd, or whose footage another model has read.
    """

    new: dict[int, np.ndarray] = field(default_factory=dict)
    back: dict[int, list[Member]] = field(default_factory=dict)
    blocked: int = 0


def _published_otherwise(
    connection: sa.Connection, location_id: int, known: dict[int, Pass], waiting: set[int]
) -> set[int]:
    """Return the runs of ``waiting`` whose recording was published under another place, time or name."""
    wanted = {run_id: known[run_id].recording for run_id in waiting if known[run_id].recording is not None}
    if not wanted:
        return set()
    chosen = list(set(wanted.values()))
    there = sa.exists().where(windows.c.run_id == runs.c.id, windows.c.crowd.is_not(None))
    columns = ("recording", "location_id", "camera", "source", "run_start")
    kept = sa.select(*(runs.c[name] for name in columns)).where(runs.c.recording.in_(chosen), there)
    lost = sa.select(*(lost_windows.c[name] for name in columns)).where(lost_windows.c.recording.in_(chosen))
    published: dict[str | None, set[tuple[int, Footage]]] = defaultdict(set)
    for row in connection.execute(sa.union(kept, lost)):
        place = location_id if row.location_id == ledger.NOWHERE else row.location_id
        published[row.recording].add((place, (row.camera, row.source, row.run_start)))
    return {run for run, recording in wanted.items() if published[recording] - {(location_id, known[run].footage)}}


def passes(connection: sa.Connection, location_id: int) -> dict[int, Pass]:
    """Return the runs of a location by number."""
    rows = connection.execute(sa.select(runs).where(runs.c.location_id == location_id))
    return {row.id: Pass(row.model_id, (row.camera, row.source, row.run_start), row.recording) for row in rows}


def current_model(connection: sa.Connection, location_id: int) -> int | None:
    """Return the model of a location's latest windows, None without any."""
    latest = sa.select(days.c.model_id).where(days.c.location_id == location_id)
    found = connection.execute(latest.order_by(days.c.last.desc(), days.c.model_id.desc()).limit(1)).scalar()
    return None if found is None else int(found)


def read_waiting(
    connection: sa.Connection, location_id: int, known: dict[int, Pass], current: int | None, until: int
) -> Waiting:
    """Return the waiting windows of a location that are over by ``until``."""
    query = sa.select(windows.c.start, windows.c.run_id, windows.c.people, windows.c.seconds).where(
        windows.c.location_id == location_id, windows.c.crowd.is_(None), windows.c.start + windows.c.seconds <= until
    )
    rows = connection.execute(query.order_by(windows.c.start, windows.c.run_id)).all()
    homes = _homes(connection, location_id, known)
    read_twice = _read_twice(known)
    otherwise = _published_otherwise(connection, location_id, known, {row.run_id for row in rows})
    found = Waiting()
    new: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for start, run_id, people, seconds in rows:
        model_id, footage, _ = known[run_id]
        home = homes[footage].crowd_of(start, seconds) if footage in homes else None
        if run_id in otherwise:
            found.blocked += people
        elif home is None and (model_id == current or footage not in read_twice):
            new[model_id].append((start, run_id, people))
        elif home is None or home == _OVERLAPS:
            found.blocked += people
        else:
            found.back.setdefault(home, []).append(Member(footage, start, seconds, people, run_id, model_id))
    found.new = {model_id: np.array(listed, dtype=np.int64) for model_id, listed in new.items()}
    return found


def lost_members(connection: sa.Connection, location_id: int) -> dict[int, list[Member]]:
    """Return by crowd the published windows of a location that are gone."""
    found: dict[int, list[Member]] = defaultdict(list)
    here = lost_windows.c.location_id.in_((location_id, ledger.NOWHERE))
    for row in connection.execute(sa.select(lost_windows).where(here)):
        footage = (row.camera, row.source, row.run_start)
        found[row.crowd].append(Member(footage, row.start, row.seconds, row.people, None, None))
    return found


def kept_members(
    connection: sa.Connection, location_id: int, known: dict[int, Pass], crowd: int, first: int, last_start: int
) -> list[Member]:
    """Return the present windows of a crowd, which begin in ``first`` … ``last_start``."""
    query = sa.select(windows.c.start, windows.c.seconds, windows.c.people, windows.c.run_id).where(
        windows.c.location_id == location_id,
        windows.c.start.between(first, last_start),
        windows.c.crowd == crowd,
    )
    return [
        Member(known[row.run_id].footage, row.start, row.seconds, row.people, row.run_id, known[row.run_id].model_id)
        for row in connection.execute(query.order_by(windows.c.start, windows.c.run_id))
    ]


_OVERLAPS = -1


class _Home:
    """Windows of one footage that are or were in crowds."""

    def __init__(self, listed: list[tuple[int, int, int]]) -> None:
        listed.sort()
        self._crowd = {(start, seconds): crowd for start, seconds, crowd in listed}
        self._starts = [start for start, _, _ in listed]
        self._ends = list(accumulate((start + seconds for start, seconds, _ in listed), max))

    def crowd_of(self, start: int, seconds: int) -> int | None:
        """Return the crowd of exactly this window, ``_OVERLAPS`` if it is a part of others, None if it is new."""
        if (crowd := self._crowd.get((start, seconds))) is not None:
            return crowd
        before = bisect_left(self._starts, start + seconds)
        return _OVERLAPS if before and self._ends[before - 1] > start else None


def _homes(connection: sa.Connection, location_id: int, known: dict[int, Pass]) -> dict[Footage, _Home]:
    listed: dict[Footage, list[tuple[int, int, int]]] = defaultdict(list)
    for crowd, members in lost_members(connection, location_id).items():
        for member in members:
            listed[member.footage].append((member.start, member.seconds, crowd))
    read_twice = _read_twice(known)
    for run_id in [run_id for run_id, one in known.items() if one.footage in read_twice]:
        query = sa.select(windows.c.start, windows.c.seconds, windows.c.crowd)
        own = (windows.c.location_id == location_id, windows.c.run_id == run_id, windows.c.crowd.is_not(None))
        listed[known[run_id].footage] += [tuple(row) for row in connection.execute(query.where(*own))]
    return {footage: _Home(rows) for footage, rows in listed.items()}


def _read_twice(known: dict[int, Pass]) -> set[Footage]:
    """Return the footage that several models have read."""
    models: dict[Footage, set[int]] = defaultdict(set)
    for model_id, footage, _ in known.values():
        models[footage].add(model_id)
    return {footage for footage, read in models.items() if len(read) > 1}
