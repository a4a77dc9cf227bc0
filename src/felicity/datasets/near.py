"""Near-duplicates: pairs of images of nearly the same photograph, as opposed to faces that merely resemble each other.

The search has two steps. First, projections of the looks (``looks``) onto their principal components propose
candidates: each image as it is, mirrored, and moved by a pixel. The components are whitened, so that the features of
all faces count little. The second step verifies each candidate: it lays one look over the other at several scales and
shifts, and their correlation must reach a similarity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import numpy.typing as npt

from felicity.datasets.looks import SIDE, Look
from felicity.errors import ConfigError

SIMILARITY = 0.87
"""Correlation from which two looks show one photograph; ``benchmarks/duplicates.py`` measures its accuracy."""
CANDIDATE = 0.6
"""Cosine of two projections from which a pair is verified."""
COMPONENTS = 64
IMAGES_PER_COMPONENT = 8
CELLS = 12
"""Side of the blurred look that is projected."""
BLUR, BLUR_CELLS = 1.2, 11
"""Standard deviation of the blur, and the width of its kernel, in pixels of a look."""
SCALES = (1.0, 0.97, 1.03, 0.94, 1.06)
REACH = 3
"""Pixels of a look by which one look may be moved against the other."""
UNLIKE = 0.15
"""Share of a look from which two surrounds differ in more than position or scale."""
PRODUCT_CELLS = 1 << 24
"""Number of cells of the matrix of all pairs that are computed at a time."""

Rows = npt.NDArray[np.int64]
Floats32 = npt.NDArray[np.float32]


def check_similarity(similarity: float) -> None:
    """Raise ConfigError unless ``similarity`` lies in 0.5 to 1."""
    if not 0.5 <= similarity <= 1:
        raise ConfigError(f"similarity must lie in 0.5 to 1, not {similarity}; the default is {SIMILARITY}")


def centred(looks: Look) -> Floats32:
    """Return looks (N, 1024) as (N, 32, 32) minus the mean look, which all aligned faces share; surrounds stay 0."""
    there = np.maximum(np.count_nonzero(looks, axis=0), 1)
    mean = (looks.sum(axis=0, dtype=np.int64) / there).astype(np.float32).reshape(SIDE, SIDE)
    mean = (mean + mean[:, ::-1]) / 2
    pictures = looks.reshape(-1, SIDE, SIDE)
    return np.asarray((pictures - mean) * (pictures != 0), dtype=np.float32)


def near_pairs(
    pictures: Floats32, similarity: float = SIMILARITY, progress: Callable[[float], None] = lambda share: None
) -> tuple[Rows, Floats32]:
    """Return pairs ``(P, 2)`` of rows of ``centred`` looks that show one photograph, and their similarities ``(P,)``.

    The first row of a pair is the lower; pairs are in order. ``similarity``: 0 to 1. ``progress`` receives the finished
    share of the search for candidates. Time grows with the square of N, memory with N.
    """
    if len(pictures) < 2:
        return np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.float32)
    pairs = _candidates(pictures, progress)
    found = np.array([similarity_of(pictures[a], pictures[b]) for a, b in pairs.tolist()], dtype=np.float32)
    kept = found >= similarity
    return pairs[kept], found[kept]


def similarity_of(first: Floats32, second: Floats32) -> float:
    """Return the largest correlation, -1 to 1, of two centred looks (32, 32), mirrored, scaled and moved or not.

    If the surround of one is much larger, both are compared within it.
    """
    if abs(np.count_nonzero(first) - np.count_nonzero(second)) > UNLIKE * first.size:
        first, second = first * (second != 0), second * (first != 0)
    return max(_overlaid(first, one) for one in (second, np.ascontiguousarray(second[:, ::-1])))


def _candidates(pictures: Floats32, progress: Callable[[float], None]) -> Rows:
    """Return pairs (P, 2) to verify."""
    flat = pictures.reshape(len(pictures), -1)
    plain = _projection(0, 0, flip=False)
    axes = _axes(flat @ plain)
    still = _unit(flat @ (plain @ axes))
    codes = []
    views = [(dx, dy, flip) for flip in (False, True) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    for number, (dx, dy, flip) in enumerate(views):
        moved = _unit(flat @ (_projection(dx, dy, flip=flip) @ axes))
        for left, right in _close(still, moved):
            codes.append(left * len(flat) + right)
        progress((number + 1) / len(views))
    every = np.unique(np.concatenate(codes)) if codes else np.empty(0, dtype=np.int64)
    return np.stack([every // len(flat), every % len(flat)], axis=1)


def _close(still: Floats32, moved: Floats32) -> Iterator[tuple[Rows, Rows]]:
    """Yield rows of ``still`` and later rows of ``moved`` whose cosine makes them candidates."""
    block = max(16, PRODUCT_CELLS // len(still))
    for start in range(0, len(still), block):
        product = still[start : start + block] @ moved[start:].T  # (block, N - start)
        left, right = np.divmod(np.flatnonzero(product >= CANDIDATE), product.shape[1])
        later = left < right
        yield left[later] + start, right[later] + start


def _projection(dx: int, dy: int, *, flip: bool) -> Floats32:
    """Return (1024, 144): from a look, mirrored or moved by pixels, to its blurred and reduced picture."""
    return np.kron(_along(dy, flip=False), _along(dx, flip=flip))


def _along(shift: int, *, flip: bool) -> Floats32:
    """Return (32, 12): the same along one axis; all of it is separable."""
    moved = np.eye(SIDE, k=shift, dtype=np.float32)
    kernel = cv2.getGaussianKernel(BLUR_CELLS, BLUR).astype(np.float32)
    blurred = cv2.sepFilter2D(moved[::-1] if flip else moved, -1, kernel, np.ones(1, np.float32))
    return np.asarray(cv2.resize(blurred, (CELLS, SIDE), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _axes(reduced: Floats32) -> Floats32:
    """Return (144, K): whitened principal components of reduced pictures (N, 144); fewer for few pictures."""
    count = int(np.clip(len(reduced) // IMAGES_PER_COMPONENT, 8, COMPONENTS))
    spread, axes = np.linalg.eigh(reduced.T.astype(np.float64) @ reduced / len(reduced))
    largest = np.maximum(spread[::-1][:count], 1e-6)
    return np.asarray(axes[:, ::-1][:, :count] / np.sqrt(largest), dtype=np.float32)


def _unit(rows: Floats32) -> Floats32:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), dtype=np.float32)


def _overlaid(first: Floats32, second: Floats32) -> float:
    """Return the largest correlation of the middle of ``second`` with ``first`` over scales and shifts."""
    middle = (SIDE - 1) / 2
    best = -1.0
    for scale in SCALES:
        to = np.array([[scale, 0, middle * (1 - scale)], [0, scale, middle * (1 - scale)]], np.float32)
        scaled = second if scale == 1 else cv2.warpAffine(second, to, (SIDE, SIDE))
        patch = np.asarray(scaled, dtype=np.float32)[REACH:-REACH, REACH:-REACH]
        found = np.asarray(cv2.matchTemplate(first, patch, cv2.TM_CCOEFF_NORMED), dtype=np.float32)
        found[~np.isfinite(found)] = -1.0
        best = max(best, _peak(found))
        if best > 0.999:
            break
    return min(best, 1.0)


def _peak(surface: Floats32) -> float:
    """Return the peak of a parabola through the largest value and its neighbours, for shifts by parts of a pixel."""
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    top = float(surface[row, column])
    gain = 0.0
    for at, line in ((int(row), surface[:, column]), (int(column), surface[row])):
        if 0 < at < len(line) - 1:
            before, after = float(line[at - 1]), float(line[at + 1])
            bend = 2 * top - before - after
            gain += (after - before) ** 2 / (8 * bend) if bend > 1e-6 else 0.0
    return top + gain
