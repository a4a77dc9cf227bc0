"""The seeing conditions of a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from felicity.windows.columns import Floats
from felicity.windows.sums import Sums

REASONS = {
    "small": "too small in the picture",
    "blurred": "blurred",
    "turned": "turned away",
    "doubtful": "perhaps no face",
    "still": "pictures of faces, such as posters",
    "faint": "too dark or pale",
    "noisy": "too noisy",
    "covered": "with the lower face covered",
}
"""Reasons why a person is not judged, in words."""


@dataclass(frozen=True)
class Seeing:
    """The seeing conditions; None if no window holds them.

    ``brightness`` (0 to 255), ``contrast`` and ``noise`` in grey levels, ``sharpness``: means over measured pictures
    (``windows.looks.Conditions``). ``frozen``, ``unfit``: percent of the searched frames; ``damaged``: percent of the
    expected frames. ``face_side``: mean size of faces in pixels. ``lifted``: percent of the judged people whose faces
    were so faint that Felicity raised their contrast first. ``quality``: percent of the frames that were undamaged,
    moving and fit for finding faces, times the share of the people found who could be judged.
    """

    quality: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    sharpness: float | None = None
    noise: float | None = None
    frozen: float | None = None
    unfit: float | None = None
    damaged: float | None = None
    face_side: float | None = None
    lifted: float | None = None


_MEANS = ("brightness", "contrast", "sharpness", "noise")


def seeing_of(sums: Sums) -> list[Seeing]:
    """Return the seeing conditions of each row of sums."""
    columns = seeing_columns(sums)
    columns["quality"] = _quality(sums, columns)
    for name in ("quality", "frozen", "unfit", "damaged", "lifted"):
        columns[name] = 100 * columns[name]
    names = list(columns)
    return [
        Seeing(**{name: None if np.isnan(value) else round(value, 4) for name, value in zip(names, row, strict=True)})
        for row in zip(*(columns[name].tolist() for name in names), strict=True)
    ]


def seeing_columns(sums: Sums) -> dict[str, Floats]:
    """Return means and shares (R,), NaN if no window holds them."""
    unfit = np.array([sum(tally.values()) for tally in sums.frames_unfit], dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {name: getattr(sums, name) / sums.pictures for name in _MEANS}
        found |= {"frozen": sums.frames_frozen / sums.frames_seen, "unfit": unfit / sums.frames_seen}
        found |= {"damaged": sums.frames_damaged / sums.frames_expected, "face_side": sums.sides / sums.sized}
        found["lifted"] = sums.lifted / sums.people
    said = sums.pictures > 0
    return {name: np.where(said & np.isfinite(value), value, np.nan) for name, value in found.items()}


def _quality(sums: Sums, columns: Mapping[str, Floats]) -> Floats:
    fit = (1 - np.nan_to_num(columns["damaged"])) * (1 - columns["frozen"] - columns["unfit"])
    judged = np.where(sums.people_seen > 0, sums.people / np.maximum(sums.people_seen, 1), 1.0)
    return np.asarray(fit.clip(0, 1) * judged)
