"""Measurements on moving pictures with known truth: scenes, their readings, and rates and errors over all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass
class Sight:
    """Counts of detector and tracker for the people who walked by; counts of scenes add up.

    ``people`` walked by; ``found``: those with a counted track. ``again``: further tracks of people who already have
    one. ``nobody``: counted tracks that follow nobody. ``mixed``: counted tracks with faces of more than one person.
    ``rejected``: counted tracks in which no face was good enough. ``clear``: faces in frames that are at least 80 %
    visible; ``detected``: those of them that were found. ``false_boxes``: detections without a face. ``frames``.
    """

    people: int = 0
    found: int = 0
    again: int = 0
    nobody: int = 0
    mixed: int = 0
    rejected: int = 0
    clear: int = 0
    detected: int = 0
    false_boxes: int = 0
    frames: int = 0

    @property
    def tracks(self) -> int:
        """Return the number of counted tracks."""
        return self.found + self.again + self.nobody

    def __add__(self, other: Sight) -> Sight:
        return Sight(**{name: value + getattr(other, name) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Reading:
    """Happy share of one scene in percent: counted, adjusted, and the interval's ends; NaN if none is shown."""

    counted: float = math.nan
    adjusted: float = math.nan
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Scene:
    """One scene. ``truth``: percent of the people in it who are happy.

    ``direct``: from the faces of the data set; ``filmed``: of the same people from the moving pictures. ``same``: of
    people with a face cut from a frame (``cut``), those whose cut face gets the same answer as the data set's own,
    happy or not.
    """

    truth: float
    direct: Reading
    filmed: Reading
    sight: Sight
    cut: int
    same: int

    @property
    def people(self) -> int:
        """Return the number of people who walked by."""
        return self.sight.people

    @property
    def tracks(self) -> int:
        """Return the number of counted tracks."""
        return self.sight.tracks


@dataclass(frozen=True)
class Filmed:
    """All scenes. Errors are mean absolute errors, in points, against the people who were there, over shown scenes."""

    detector: str
    model: str
    in_view: float
    fps: int
    unrest: bool
    every_frame: bool
    seed: int
    scenes: tuple[Scene, ...]

    @property
    def sight(self) -> Sight:
        """Return the counts over all scenes."""
        return sum((scene.sight for scene in self.scenes), Sight())

    def errors(self) -> dict[str, dict[str, float]]:
        """Return ``direct`` and ``filmed``: mean absolute error of raw and adjusted shares, bias of the adjusted."""
        result = {}
        for way in ("direct", "filmed"):
            readings: list[Reading] = [getattr(scene, way) for scene in self.scenes]
            off = {
                name: np.array([getattr(r, name) - s.truth for r, s in zip(readings, self.scenes, strict=True)])
                for name in ("counted", "adjusted")
            }
            result[way] = {
                "counted": _mean(np.abs(off["counted"])),
                "adjusted": _mean(np.abs(off["adjusted"])),
                "bias": _mean(off["adjusted"]),
            }
        return result

    def rates(self) -> dict[str, float]:
        """Return percentages: detected of clear faces, found of people, again, nobody, mixed, rejected, same answer."""
        sight = self.sight
        tracks = max(sight.tracks, 1)
        return {
            "detected": 100 * sight.detected / max(sight.clear, 1),
            "found": 100 * sight.found / max(sight.people, 1),
            "again": 100 * sight.again / max(sight.people, 1),
            "nobody": 100 * sight.nobody / tracks,
            "mixed": 100 * sight.mixed / tracks,
            "rejected": 100 * sight.rejected / tracks,
            "same_answer": 100 * sum(s.same for s in self.scenes) / max(sum(s.cut for s in self.scenes), 1),
        }


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Return the mean of the known values; NaN without one."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan
