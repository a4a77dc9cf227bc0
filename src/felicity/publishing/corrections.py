"""The decision on a published crowd whose windows are gone, have come back, or were read by another model.

A crowd is a set of windows, and its people are only ever published together. So it may be published again as the same
set, or divided into two of at least k people each. Otherwise it is taken back, or stands as it was until its missing
people number k as well. Expressions decide nothing here; counts of people do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from felicity.publishing.waiting import Member


class Verdict(Enum):
    """The decision on a crowd."""

    STANDS = auto()
    AGAIN = auto()
    """The same set of windows is published in its present state, or found unchanged."""
    DIVIDED = auto()
    """The present people become a crowd of their own; the missing ones remain an unpublished crowd."""
    TAKEN_BACK = auto()


@dataclass(frozen=True)
class Decision:
    """The verdict on a crowd; ``members``: windows of one model that are published from now on."""

    verdict: Verdict
    members: tuple[Member, ...] = ()


def decide(
    kept: Sequence[Member],
    lost: Sequence[Member],
    back: Sequence[Member],
    *,
    windows: int,
    model: int,
    current: int | None,
    k: int,
    stands: bool,
) -> Decision:
    """Decide on a crowd.

    ``kept``: its present windows, of any model. ``lost``: its missing ones. ``back``: waiting windows that belong to
    it. ``windows``, ``model``: the number and the model of the last published windows. ``current``: the model that its
    location uses now. ``stands``: whether it is published.
    """
    if current is not None and current != model:
        new = _of(current, kept, back)
        missing = _missing(kept, lost, new)
        if not any(member.people for member in missing) and _people(new) >= k and not _thinned(kept, lost, windows):
            return Decision(Verdict.AGAIN, new)
    there = _of(model, kept, back)
    missing = _missing([m for m in kept if m.model_id == model], lost, there)
    gone = _people(missing)
    if _thinned(kept, lost, windows):
        # Its windows were folded into hours and days meanwhile, and cannot be summed without the missing ones.
        return Decision(Verdict.TAKEN_BACK if stands and _people(lost) >= k else Verdict.STANDS)
    came_back = any(member.model_id == model for member in back)
    if gone == 0:
        if not came_back:
            return Decision(Verdict.STANDS)
        return _if_enough(Verdict.AGAIN, there, k, stands)
    if gone < k:
        return Decision(Verdict.STANDS)
    before = {member.identity: member.people for member in (*lost, *kept)}
    if sum(before[member.identity] for member in there) < k:
        return Decision(Verdict.TAKEN_BACK if stands else Verdict.STANDS)
    return _if_enough(Verdict.DIVIDED, there, k, stands)


def _if_enough(verdict: Verdict, there: tuple[Member, ...], k: int, stands: bool) -> Decision:
    if _people(there) >= k:
        return Decision(verdict, there)
    return Decision(Verdict.TAKEN_BACK if stands else Verdict.STANDS)


def _of(model: int, kept: Sequence[Member], back: Sequence[Member]) -> tuple[Member, ...]:
    return tuple(sorted(m for m in (*kept, *back) if m.model_id == model))


def _missing(kept: Sequence[Member], lost: Sequence[Member], there: Sequence[Member]) -> list[Member]:
    found = {member.identity for member in there}
    missing = {member.identity: member for member in (*kept, *lost) if member.identity not in found}
    return list(missing.values())


def _people(members: Sequence[Member]) -> int:
    return sum(member.people for member in members)


def _thinned(kept: Sequence[Member], lost: Sequence[Member], windows: int) -> bool:
    return len({member.identity for member in (*kept, *lost)}) < windows
