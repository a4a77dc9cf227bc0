"""Corrections: the published crowds whose windows changed since, and their new state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa

from felicity.publishing.corrections import Verdict, decide
from felicity.publishing.sums import mark, sums_of
from felicity.publishing.waiting import Member, Pass, Waiting, kept_members, lost_members
from felicity.store import ledger
from felicity.store.arrays import rollups_to_sums
from felicity.store.rollups import rollup_select
from felicity.store.tables import crowds, lost_windows
from felicity.windows.columns import SUM_COLUMNS
from felicity.windows.sums import Sums

PORTION = 500
"""Crowds in one query."""


@dataclass(frozen=True)
class Again:
    """A crowd to publish; ``number``: None for a new one. ``others``: the same windows by other models."""

    number: int | None
    model_id: int
    members: tuple[Member, ...]
    sums: Sums
    others: tuple[Member, ...] = ()


@dataclass(frozen=True)
class Rest:
    """The rest of crowd ``number`` after its division: windows that are gone and are not published."""

    number: int
    model_id: int
    members: tuple[Member, ...]

    @property
    def sums(self) -> Sums:
        """Return the number of its windows and people; its other sums are no longer known."""
        starts, seconds = [m.start for m in self.members], [m.seconds for m in self.members]
        people = [m.people for m in self.members]
        return Sums.of_windows(starts, seconds, people=people, people_seen=people).total()


@dataclass
class Correction:
    """The changes to the published crowds of a location.

    ``gone``: crowds to take back. ``entering``: crowds to publish instead. ``unchanged``: windows that came back into a
    crowd as they were. ``found``: all windows that came back. ``rests``: the rests of divided crowds.
    """

    gone: list[int] = field(default_factory=list)
    entering: list[Again] = field(default_factory=list)
    unchanged: dict[tuple[int, int], int] = field(default_factory=dict)
    found: list[Member] = field(default_factory=list)
    rests: list[Rest] = field(default_factory=list)

    @property
    def publishes(self) -> bool:
        """Return whether any published figure changes."""
        return bool(self.gone or self.entering)

    def settle(self, connection: sa.Connection, location_id: int) -> None:
        """Record that windows came back: they are no longer lost."""
        mark(connection, location_id, self.unchanged)
        keys = [dict(zip(("c", "s", "r"), m.footage, strict=True)) | {"at": m.start} for m in self.found]
        if keys:
            again = sa.delete(lost_windows).where(
                sa.or_(lost_windows.c.location_id == location_id, lost_windows.c.location_id == ledger.NOWHERE),
                lost_windows.c.camera == sa.bindparam("c"),
                lost_windows.c.source == sa.bindparam("s"),
                lost_windows.c.run_start == sa.bindparam("r"),
                lost_windows.c.start == sa.bindparam("at"),
            )
            connection.execute(again, keys)


def correct(
    connection: sa.Connection,
    location_id: int,
    known: dict[int, Pass],
    waiting: Waiting,
    current: int | None,
    k: int,
) -> Correction:
    """Return the changes to the published crowds of a location; nothing is written yet."""
    lost = lost_members(connection, location_id)
    found = Correction()
    for row in _published(connection, location_id, sorted(lost.keys() | waiting.back.keys()), waiting.back):
        kept = kept_members(connection, location_id, known, row.crowd, row.first, row.last_start)
        back = waiting.back.get(row.crowd, [])
        stands = row.gone is None
        decision = decide(
            kept,
            lost.get(row.crowd, []),
            back,
            windows=row.windows,
            model=row.model_id,
            current=current,
            k=k,
            stands=stands,
        )
        if decision.verdict is Verdict.STANDS:
            continue
        if decision.verdict is Verdict.TAKEN_BACK:
            found.gone.append(row.crowd)
            continue
        returned = [member for member in decision.members if member in set(back)]
        found.found += returned
        model_id = decision.members[0].model_id
        assert model_id is not None
        sums = _sums(connection, location_id, decision.members)
        whole = decision.verdict is Verdict.AGAIN
        if whole and stands and model_id == row.model_id and _same(sums, rollups_to_sums([row[-len(SUM_COLUMNS) :]])):
            found.unchanged |= {(m.start, m.run_id): row.crowd for m in returned if m.run_id is not None}
            continue
        found.gone += [row.crowd] if stands else []
        there = {member.identity for member in decision.members}
        others = tuple(m for m in kept if m.identity in there and m.model_id != model_id)
        found.entering.append(Again(row.crowd if whole else None, model_id, decision.members, sums, others))
        if not whole:
            rest = {m.identity: m for m in (*kept, *lost[row.crowd]) if m.identity not in there}
            found.rests.append(Rest(row.crowd, model_id, tuple(rest.values())))
    return found


def _published(
    connection: sa.Connection, location_id: int, numbers: Sequence[int], back: dict[int, list[Member]]
) -> list[Any]:
    """Return the last published state of each crowd that may change: it stands, or windows came back into it."""
    latest: dict[int, Any] = {}
    columns = (crowds.c.crowd, crowds.c.gone, crowds.c.location_id, crowds.c.model_id, crowds.c.last_start)
    query = sa.select(*columns, *rollup_select(crowds)).order_by(crowds.c.entered)
    for at in range(0, len(numbers), PORTION):
        chosen = crowds.c.crowd.in_(numbers[at : at + PORTION])
        latest |= {row.crowd: row for row in connection.execute(query.where(chosen))}
    here = [row for _, row in sorted(latest.items()) if row.location_id in (location_id, None)]
    return [row for row in here if row.gone is None or row.crowd in back]


def _sums(connection: sa.Connection, location_id: int, members: Sequence[Member]) -> Sums:
    return sums_of(connection, location_id, {(m.start, m.run_id): 0 for m in members if m.run_id is not None}, 1)


def _same(one: Sums, other: Sums) -> bool:
    """Return whether sums are equal up to the order of their addition."""
    for column in SUM_COLUMNS:
        a, b = getattr(one, column.name), getattr(other, column.name)
        if isinstance(a, tuple):
            if [dict(tally) for tally in a] != [dict(tally) for tally in b]:
                return False
        elif not np.allclose(a, b, rtol=1e-9, atol=1e-9):
            return False
    return True
