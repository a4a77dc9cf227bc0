"""Which rows of an output are not shown, so that no figure of few people is, nor can be worked out.

A figure made of fewer than k people is hidden. One hidden hour could be had back from its day and the
day's other hours; so within every coarser bucket that somebody may ask for as well (the day, the month,
the total) the hidden people are none, or at least k: further rows are hidden, smallest first, until they
are. This is done from the coarsest level down, so that what is hidden as a day cannot be had back by
adding up its hours. People counts themselves are no figures of expression and stay visible.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def hide(people: npt.ArrayLike, *chains: Sequence[npt.ArrayLike], k: int = 10) -> Mask:
    """(R,): True where the row is not to be shown.

    ``people`` (R,): people behind each row. Each chain is a list of coarser groupings, coarsest first,
    each int (R,) and each dividing the one before, such as total, month for rows that are days; days
    take a second chain for weeks. Rows without people are hidden too, but protect nobody.
    """
    n = np.asarray(people, dtype=np.int64)
    if k < 1:
        raise ValueError(f"k is at least 1, not {k}")
    hidden = n < k
    while True:
        before = hidden.copy()
        for chain in chains:
            hidden |= _down(n, hidden, [np.unique(level, return_inverse=True)[1] for level in chain], k)
        if (hidden == before).all():
            return hidden


def _down(n: Ints, hidden: Mask, chain: Sequence[Ints], k: int) -> Mask:
    rows = np.arange(len(n))
    parent, parent_size = rows, n
    parent_dark: Mask | None = None
    for level in (*chain, rows):
        size = np.bincount(level, weights=n).astype(np.int64)
        dark = hidden.copy() if level is rows else size < k
        if parent_dark is not None:
            above = np.empty(len(size), dtype=np.int64)
            above[level] = parent
            _complete(size, dark, above, parent_size, parent_dark, k)
        parent, parent_size, parent_dark = level, size, dark
    assert parent_dark is not None
    return parent_dark


def _complete(size: Ints, dark: Mask, above: Ints, parent_size: Ints, parent_dark: Mask, k: int) -> None:
    """Hide more children, in place, where the hidden ones of a parent are some but fewer than k people."""
    mass = np.bincount(above, weights=size * dark, minlength=len(parent_size))
    lacking = (parent_size >= k) & (mass < k) & ((mass > 0) | parent_dark)
    if not lacking.any():
        return
    candidates = np.flatnonzero(lacking[above] & ~dark & (size > 0))
    candidates = candidates[np.lexsort((size[candidates], above[candidates]))]
    before = np.concatenate([[0], np.cumsum(size[candidates])[:-1]])
    group, first = np.unique(above[candidates], return_index=True)
    base = np.zeros(len(parent_size))
    base[group] = before[first]
    dark[candidates[before - base[above[candidates]] + mass[above[candidates]] < k]] = True
