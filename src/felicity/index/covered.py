"""Covered faces: how many people were not judged for it, and whether places or periods differ in that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from felicity.index.happiness import Groups, IndexRow
from felicity.notes import Note
from felicity.style.language import say
from felicity.style.numbers import number, share
from felicity.windows.columns import Floats, Ints
from felicity.windows.window import COVERED

LEVEL = 0.01
"""Probability of a note where no two shares differ by more than ``MARGIN``."""
MARGIN = 0.02
"""Differences of covered people up to this change nothing that matters: 0.2 points of a happy share, if they are happy
10 points more often or less often than others."""
_MANY = 60  # rows at each end that are compared, so that a year of hours costs no more than a year of weeks


@dataclass(frozen=True)
class CoveredCount:
    """The people of a place or period, by ``name``: those covered, and all that were judged or covered."""

    name: str
    covered: int
    people: int

    @property
    def share(self) -> float:
        """Return the share of covered people, 0 to 1."""
        return self.covered / self.people if self.people else 0.0


def covered_notes(rows: Sequence[IndexRow]) -> tuple[Note, ...]:
    """Return notes on places, and on periods of a place, whose shares of covered people differ."""
    if not any(COVERED in row.rejected for row in rows):
        return ()
    places: dict[str, list[CoveredCount]] = defaultdict(list)
    for row in rows:
        began = row.start.strftime("%Y-%m-%d %H:%M").removesuffix(" 00:00")
        places[row.location].append(counted(began, row.rejected, row.people))
    notes = list(differing(_together(name, own) for name, own in places.items()))
    for name, own in places.items():
        notes += differing(own, location=name)
    return tuple(notes)


def covered_places(groups: Groups) -> tuple[Note, ...]:
    """Return a note on places whose shares of covered people differ, from sums for all time."""
    sums = groups.sums
    rows = enumerate(groups.keys)
    return differing(counted(key.location, sums.rejected[i], int(sums.people[i])) for i, key in rows)


def counted(name: str, rejected: Mapping[str, int], judged: int) -> CoveredCount:
    """Return the count of a row, by its people not judged, by reason, and those judged."""
    covered = rejected.get(COVERED, 0)
    return CoveredCount(name, covered, judged + covered)


def _together(name: str, counts: Sequence[CoveredCount]) -> CoveredCount:
    return CoveredCount(name, sum(one.covered for one in counts), sum(one.people for one in counts))


def differing(counts: Iterable[CoveredCount], *, location: str | None = None) -> tuple[Note, ...]:
    """Return a note where the shares of covered people differ: of places, or of the periods of ``location``.

    Of the pair that differs most, the interval of the difference (Newcombe 1998, method 10) lies beyond ``MARGIN``; it
    is as wide as the number of all pairs asks for (Bonferroni).
    """
    known = [one for one in counts if one.people]
    if len(known) < 2 or not any(one.covered for one in known):
        return ()
    pair = _furthest(known)
    if pair is None:
        return ()
    many, few = pair
    where = f"{location}: " if location else ""
    text = where + say(
        "the lower face was covered, as by a mask, on {share} of the people ({name}) and on {other_share} "
        "({other}); they are in no share. If they are happy 10 points more or less often than others, this alone moves "
        "the difference between the two by {moved} points",
        share=share(many.share),
        name=many.name,
        other_share=share(few.share),
        other=few.name,
        moved=number(10 * (many.share - few.share)),
    )
    return (Note("covered-differs", text, location),)


def _furthest(counts: Sequence[CoveredCount]) -> tuple[CoveredCount, CoveredCount] | None:
    """Return the two whose shares differ most surely, the greater first; None if none differ by more than MARGIN."""
    covered = np.array([one.covered for one in counts], dtype=np.int64)
    people = np.array([one.people for one in counts], dtype=np.int64)
    pairs = len(counts) * (len(counts) - 1) / 2
    z = NormalDist().inv_cdf(1 - LEVEL / 2 / pairs)
    share = covered / people
    low, high = wilson(covered, people, z)
    most, least = np.argsort(-low, kind="stable")[:_MANY], np.argsort(high, kind="stable")[:_MANY]
    gap = share[most][:, None] - share[least][None, :]
    surely = gap - np.hypot((share - low)[most][:, None], (high - share)[least][None, :])
    i, j = np.unravel_index(int(surely.argmax()), surely.shape)
    return (counts[most[i]], counts[least[j]]) if surely[i, j] > MARGIN else None


def wilson(found: Ints, of: Ints, z: float) -> tuple[Floats, Floats]:
    """Return the ends of the interval of shares ``found`` / ``of``, (N,) each (Wilson 1927)."""
    share, square = found / of, z**2 / of
    centre = (share + square / 2) / (1 + square)
    half = z * np.sqrt(share * (1 - share) / of + square / of / 4) / (1 + square)
    return centre - half, centre + half
