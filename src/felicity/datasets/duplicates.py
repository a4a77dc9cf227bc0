"""Groups of images that occur more than once: with the same pixels, or as near-duplicates.

Groups grow only through verified pairs (``near``), and every member is near the group's centre. So a chain of faces
that resemble each other does not become one group of strangers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.datasets.facts import ImageFacts
from felicity.datasets.near import SIMILARITY, centred, check_similarity, near_pairs, similarity_of
from felicity.style import numbers

LARGE_GROUP = 20
"""Number of different images from which a group of near-duplicates deserves a look."""

Rows = npt.NDArray[np.int64]
Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Group numbers int64 ``(N,)``: images of one number belong together.

    ``identical``: equal pixels. ``similar``: equal pixels, or near-duplicates of the group's centre. An undecodable
    image is alone, and a blank one is similar to its equals only. ``pairs`` ``(P, 2)``: verified near-duplicates
    without equal pixels, and their ``similarities`` ``(P,)``, 0 to 1.
    """

    identical: Rows
    similar: Rows
    pairs: Rows
    similarities: Floats32

    def warnings(self) -> tuple[str, ...]:
        """Return a sentence on each of the three largest groups that are implausibly large."""
        groups = sorted(members(self.similar), key=lambda rows: -len(rows))
        large = [rows for rows in groups if len(set(self.identical[rows].tolist())) > LARGE_GROUP]
        return tuple(
            f"one group of near-duplicates has {len(rows):,} images ({numbers.share(len(rows) / len(self.similar))} of "
            "the set); look at it with felicity data inspect --output, and raise --similarity if it shows different "
            "people"
            for rows in large[:3]
        )


def find_duplicates(
    facts: ImageFacts, *, similarity: float = SIMILARITY, progress: Callable[[float], None] = lambda share: None
) -> Duplicates:
    """Return groups of identical and of similar images; memory grows with N, time with its square.

    ``similarity``: least correlation of two near-duplicates, 0.5 to 1. ``progress`` receives the finished share. Raises
    ConfigError.
    """
    check_similarity(similarity)
    n = len(facts.error)
    keys = facts.digest.copy()
    unreadable = np.flatnonzero(~facts.readable)
    keys[unreadable] = 0
    keys[unreadable, :8] = np.arange(1, len(unreadable) + 1, dtype=">u8").view(np.uint8).reshape(-1, 8)
    _, first, identical = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    identical = _renumber(identical.reshape(n))
    usable = np.sort(first[facts.readable[first] & ~facts.blank[first]])
    pictures = centred(facts.look[usable])
    found, similarities = near_pairs(pictures, similarity, progress)
    stars = _stars(pictures, found, similarities, similarity)
    pairs = usable[found]
    return Duplicates(identical, join(identical, np.stack([usable, usable[stars]], axis=1)), pairs, similarities)


def _stars(pictures: Floats32, pairs: Rows, similarities: Floats32, least: float) -> Rows:
    """Return the centre (N,) of each row's group: a row that every member was verified against, or itself.

    Rows with most near-duplicates become centres first. Two groups that a pair joins become one if every member of the
    smaller is near the centre of the larger.
    """
    centre = np.arange(len(pictures))
    near: dict[int, set[int]] = defaultdict(set)
    for a, b in pairs.tolist():
        near[a].add(b)
        near[b].add(a)
    taken: set[int] = set()
    members: dict[int, list[int]] = {}
    for row in sorted(near, key=lambda row: (-len(near[row]), row)):
        if row not in taken:
            members[row] = [row, *sorted(near[row] - taken)]
            taken.update(members[row])
            centre[members[row]] = row
    for a, b in pairs[np.argsort(-similarities, kind="stable")].tolist():
        large, small = sorted((int(centre[a]), int(centre[b])), key=lambda row: (-len(members[row]), row))
        if large == small:
            continue
        if all(row in near[large] or similarity_of(pictures[large], pictures[row]) >= least for row in members[small]):
            centre[members[small]] = large
            members[large] += members.pop(small)
    return centre


def join(groups: Rows, pairs: Rows) -> Rows:
    """Return group numbers after the groups of both rows of every pair became one."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size = int(groups.max()) + 1 if len(groups) else 0
    left, right = groups[pairs[:, 0]], groups[pairs[:, 1]]
    graph = coo_matrix((np.ones(len(pairs)), (left, right)), shape=(size, size))
    return _renumber(connected_components(graph, directed=False)[1].astype(np.int64)[groups])


def join_by(groups: Rows, names: npt.NDArray[np.str_]) -> Rows:
    """Return group numbers after images of the same name (a subject) became one group."""
    _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    return join(groups, np.stack([first[inverse], np.arange(len(names))], axis=1))


def members(groups: Rows) -> list[Rows]:
    """Return the rows of every group of two or more, by their first row."""
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return sorted((part for part in parts if len(part) > 1), key=lambda part: int(part[0]))


def _renumber(groups: Rows) -> Rows:
    """Return the same groups, numbered by their first row."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(len(groups))]
