"""Recordings in pieces: each is watched by itself, on any worker, and gives the windows of its time.

The watch of a piece begins before its time and ends after it, so that Felicity follows people in view at a cut across
it. A person counts in the piece in whose time they were last seen. Only windows leave; frames, tracks and people stay.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from felicity.notes import Note
from felicity.recognition.eyes import Eyes, open_eyes
from felicity.sources.registry import SourceOptions
from felicity.sources.video import VideoSource
from felicity.watching.shelf import Gathered
from felicity.watching.summary import WatchSummary
from felicity.watching.watch import Watch
from felicity.windows import Window

BEFORE, AFTER = timedelta(seconds=30), timedelta(seconds=5)
"""Time watched before a piece, so that motion and still faces are known, and after it."""
FIRST, LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Sight:
    """The settings of a watch of recordings; ``model`` and ``found_by``: identities of bundle and detector.

    ``seconds``: of a window. ``pieces``: of a piece, about. The other fields are those of ``felicity watch``.
    """

    bundle: str | None
    detector: str
    model: str
    found_by: str
    fps: float | None = None
    smallest_face: float | None = None
    every_frame: bool = False
    seconds: int = 60
    pieces: int = 600


@dataclass(frozen=True)
class Footage:
    """A recording: the ``path`` of its file, its location and camera, and its start, if known.

    ``zone``: of the location.
    """

    path: str
    location: str
    camera: str
    start: datetime | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True)
class Surveyed:
    """The facts of a file: the time of its first frame, and its length if it can be read in pieces."""

    footage: Footage
    start: datetime
    recording: str
    duration: float | None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Piece:
    """The time of a recording from ``begin`` to ``end``, not included."""

    surveyed: Surveyed
    begin: datetime = FIRST
    end: datetime = LAST


@dataclass(frozen=True)
class Seen:
    """The result of a piece: its windows, and its remarks."""

    windows: tuple[Window, ...]
    notes: tuple[Note, ...] = ()


def survey(footage: Footage) -> Surveyed:
    """Read the facts of a file; no frame is decoded. Raises SourceError."""
    with VideoSource.open(footage.path, SourceOptions(start=footage.start, zone=footage.zone)) as source:
        return Surveyed(
            footage,
            source.start.astimezone(UTC),
            str(source.recording),
            source.duration,
            tuple(source.stats.notes),
        )


def cut(surveyed: Surveyed, sight: Sight) -> Iterator[Piece]:
    """Yield the pieces of a recording, equally long except that cuts lie at begins of windows."""
    number = max(1, round((surveyed.duration or 0) / sight.pieces))
    begin = FIRST
    for i in range(1, number):
        at = surveyed.start.timestamp() + i * float(surveyed.duration or 0) / number
        end = datetime.fromtimestamp(math.floor(at / sight.seconds) * sight.seconds, UTC)
        if end > max(begin, surveyed.start):
            yield Piece(surveyed, begin, end)
            begin = end
    yield Piece(surveyed, begin, LAST)


def watch_piece(sight: Sight, piece: Piece) -> Seen:
    """Watch a piece and return its windows; empty if the file has no frame of that time.

    Raises SourceError if the file cannot be read, BundleError and DetectorError if this machine has others than
    ``sight`` names.
    """
    eyes = Eyes(sight.bundle, sight.model, sight.detector, sight.found_by, sight.smallest_face)
    classifier, detector = open_eyes(eyes)
    assert detector is not None
    about, start = piece.surveyed.footage, piece.surveyed.start
    options = SourceOptions(start=start, fps=sight.fps, zone=about.zone, span=_span(piece), threads=1)
    kept, summary = Gathered(), WatchSummary(about.location, about.camera, about.path, detector.name)
    said: list[Note] = []
    with VideoSource.open(about.path, options) as source:
        watch = Watch(
            source, start, store=kept, classifier=classifier, detector=detector, summary=summary, say=said.append,
            every_frame=sight.every_frame, seconds=sight.seconds, counted=(piece.begin, piece.end),
        )  # fmt: skip
        with watch:
            for frame in source:
                summary.frames += 1
                watch.step(frame)
            summary.complete = True
            notes = said.copy()  # remarks at the end are about the whole recording, not a piece
        notes += source.stats.notes
    return Seen(tuple(kept.windows), tuple(notes))


def _span(piece: Piece) -> tuple[float, float] | None:
    """Return the seconds of the recording that a piece watches; None for all of it."""
    if (piece.begin, piece.end) == (FIRST, LAST):
        return None
    start = piece.surveyed.start
    begin = 0.0 if piece.begin == FIRST else max(0.0, (piece.begin - BEFORE - start).total_seconds())
    return begin, math.inf if piece.end == LAST else (piece.end + AFTER - start).total_seconds()
