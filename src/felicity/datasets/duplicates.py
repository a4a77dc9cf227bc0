"""Images that occur more than once: the same pixels, or nearly so.

A perceptual hash proposes near duplicates (pHash; Zauner 2010), small thumbnails confirm the
doubtful ones: on aligned faces a hash alone confuses people from about six differing bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.datasets.facts import Facts

SURE_BITS, LIKELY_BITS, LIKELY_CORRELATION = 4, 10, 0.95
"""Of 64 bits: near duplicates differ in at most 4, or in at most 10 and their thumbnails correlate so much."""
PRODUCT_CELLS = 1 << 25  # of the matrix of all pairs, at a time

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Group numbers int64 ``(N,)``: images of one number belong together.

    ``identical``: equal pixels. ``similar``: equal or nearly equal, joined transitively. An image
    that cannot be decoded is alone, and a blank one is similar to its equals only.
    """

    identical: Rows
    similar: Rows


def find_duplicates(facts: Facts) -> Duplicates:
    """Groups of identical and of similar images; memory grows with N, time with its square."""
    n = len(facts.error)
    keys = facts.digest.copy()
    unreadable = np.flatnonzero(~facts.readable)
    keys[unreadable] = 0
    keys[unreadable, :8] = np.arange(1, len(unreadable) + 1, dtype=">u8").view(np.uint8).reshape(-1, 8)
    _, first, identical = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    identical = identical.reshape(n)
    usable = first[facts.readable[first] & ~facts.blank[first]]
    pairs = usable[near_pairs(facts.phash[usable], facts.thumb[usable])]
    return Duplicates(_renumber(identical), join(identical, pairs))


def near_pairs(phash: npt.NDArray[np.bool_], thumb: npt.NDArray[np.uint8]) -> Rows:
    """Pairs ``(P, 2)`` of rows that are near duplicates by ``phash`` (N, 64) and ``thumb`` (N, 256)."""
    signs = phash.astype(np.float32) * 2 - 1  # the product of two rows is 64 - 2 * differing bits
    centred = thumb.astype(np.float32)
    centred -= centred.mean(1, keepdims=True)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    found = []
    block = max(16, PRODUCT_CELLS // max(len(signs), 1))
    for start in range(0, len(signs), block):
        product = signs[start : start + block] @ signs[start:].T  # (block, N - start)
        left, right = np.nonzero(product >= 64 - 2 * LIKELY_BITS)
        later = left < right
        left, right = left[later], right[later]
        sure = product[left, right] >= 64 - 2 * SURE_BITS
        alike = np.einsum("ij,ij->i", centred[left + start], centred[right + start]) >= LIKELY_CORRELATION
        keep = sure | alike
        found.append(np.stack([left[keep], right[keep]], axis=1) + start)
    return np.concatenate(found) if found else np.empty((0, 2), dtype=np.int64)


def join(groups: Rows, pairs: Rows) -> Rows:
    """Group numbers after the groups of both rows of every pair became one."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size = int(groups.max()) + 1 if len(groups) else 0
    left, right = groups[pairs[:, 0]], groups[pairs[:, 1]]
    graph = coo_matrix((np.ones(len(pairs)), (left, right)), shape=(size, size))
    return _renumber(connected_components(graph, directed=False)[1].astype(np.int64)[groups])


def join_by(groups: Rows, names: npt.NDArray[np.str_]) -> Rows:
    """Group numbers after images of the same name (a subject) became one group."""
    _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    return join(groups, np.stack([first[inverse], np.arange(len(names))], axis=1))


def members(groups: Rows) -> list[Rows]:
    """The rows of every group of two or more, by their first row."""
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return sorted((part for part in parts if len(part) > 1), key=lambda part: int(part[0]))


def _renumber(groups: Rows) -> Rows:
    """The same groups, numbered by their first row."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(len(groups))]
