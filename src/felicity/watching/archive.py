"""An archive: recordings distributed in pieces, their windows written by one writer.

A recording is written once all its pieces are done, as one run that has ended. So a restart finds the finished ones in
the store, and nothing is counted twice or in part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from felicity.errors import ConfigError, FelicityError, StoreError
from felicity.notes import Note
from felicity.store import Store
from felicity.store.recordings import find_recording
from felicity.watching.pieces import Footage, Piece, Seen, Sight, Surveyed, cut, survey, watch_piece
from felicity.watching.summary import WatchSummary, seeing_notes
from felicity.windows import Window
from felicity.work import Outcome, Work

State = Literal["stored", "there", "failed"]
SAME_START = timedelta(seconds=2)
"""Tolerance of starts: a watch dates its run from the first decodable frame."""


@dataclass(frozen=True)
class ArchivedFile:
    """The outcome of a recording: its windows are ``stored``, were ``there`` before, or it ``failed`` by ``error``.

    ``start``: of its first frame. ``windows``, ``people_seen``, ``people``: as stored now, 0 for the others.
    """

    path: str
    location: str
    camera: str
    state: State
    start: datetime | None = None
    windows: int = 0
    people_seen: int = 0
    people: int = 0
    error: str | None = None


@dataclass
class _Course:
    """A recording in progress."""

    surveyed: Surveyed
    pieces: int
    windows: list[Window] = field(default_factory=list)
    notes: dict[str, Note] = field(default_factory=dict)
    failed: bool = False


def archive(
    footage: Sequence[Footage],
    sight: Sight,
    store: Store,
    work: Work,
    *,
    on_file: Callable[[ArchivedFile], None] = lambda file: None,
    on_piece: Callable[[int, int], None] = lambda done, under_way: None,
    on_note: Callable[[Note], None] = lambda note: None,
) -> list[ArchivedFile]:
    """Watch recordings and write their windows; return the outcome of each, in the order of ``footage``.

    Recordings in the store are left out; unreadable ones are set aside, the others follow. ``on_file`` receives each
    finished one, ``on_piece`` the numbers of finished and running pieces. Raises StoreError if windows cannot be
    written, WorkError if no worker can be reached; windows written until then stay.
    """
    return _Archive(sight, store, on_file, on_note).run(footage, work, on_piece)


class _Archive:
    def __init__(
        self, sight: Sight, store: Store, on_file: Callable[[ArchivedFile], None], on_note: Callable[[Note], None]
    ) -> None:
        self._sight, self._store, self._on_file, self._on_note = sight, store, on_file, on_note
        self._done: dict[Footage, ArchivedFile] = {}
        self._drawn: list[_Course] = []

    def run(self, footage: Sequence[Footage], work: Work, on_piece: Callable[[int, int], None]) -> list[ArchivedFile]:
        todo: list[Surveyed] = []
        for outcome in work.outcomes(survey, footage):
            if (surveyed := self._survey(footage[outcome.number], outcome, todo)) is not None:
                todo.append(surveyed)
        seen = work.outcomes(partial(watch_piece, self._sight), self._pieces(todo), ordered=False, progress=on_piece)
        for piece in seen:
            self._take(self._drawn[piece.number], piece)
        return [self._done[each] for each in footage]

    def _survey(self, footage: Footage, outcome: Outcome[Surveyed], todo: Sequence[Surveyed]) -> Surveyed | None:
        """Return the recording to watch; None if it cannot be watched, or is in the store."""
        try:
            found = outcome.get()
            for note in found.notes:
                self._on_note(note)
            if same := [one for one in todo if _key(one) == _key(found)]:
                raise ConfigError(f"{footage.path}: is the same recording as {same[0].footage.path}; give it once")
            if self._is_there(found):
                self._end(footage, ArchivedFile(footage.path, footage.location, footage.camera, "there", found.start))
                return None
            return found
        except StoreError:
            raise
        except Exception as error:
            self._fail(footage, error)
            return None

    def _is_there(self, found: Surveyed) -> bool:
        about = found.footage
        there = find_recording(self._store, about.location, found.recording, self._sight.model, self._sight.found_by)
        if there is None or not there.ended:
            return False
        same = (there.camera, there.source) == (about.camera, about.path)
        if not same or abs(there.run_start - found.start) > SAME_START:
            raise ConfigError(
                f"{about.path}: run {there.run} has counted this recording at {about.location!r} already, as camera "
                f"{there.camera!r} and {there.source} from {there.run_start:%Y-%m-%d %H:%M:%S} UTC on; to count it "
                f"again: felicity runs remove {there.run}"
            )
        return True

    def _pieces(self, todo: Sequence[Surveyed]) -> Iterator[Piece]:
        for surveyed in todo:
            pieces = list(cut(surveyed, self._sight))
            course = _Course(surveyed, len(pieces))
            for piece in pieces:
                self._drawn.append(course)
                yield piece

    def _take(self, course: _Course, outcome: Outcome[Seen]) -> None:
        """Add the result of a piece; write the recording if it was the last piece."""
        course.pieces -= 1
        if course.failed:
            return
        footage = course.surveyed.footage
        try:
            seen = outcome.get()
            course.windows += seen.windows
            course.notes |= {note.code: note for note in seen.notes if note.code not in course.notes}
            if course.pieces == 0:
                self._write(course)
        except StoreError:
            raise
        except Exception as error:
            course.failed = True
            course.windows.clear()
            self._fail(footage, error)

    def _write(self, course: _Course) -> None:
        about, start = course.surveyed.footage, course.surveyed.start
        windows = sorted(course.windows, key=lambda window: window.key.start)
        course.windows.clear()
        if not windows:
            raise FelicityError(f"{about.path} holds no frame that can be decoded")
        run = self._store.begin_run(
            about.location, about.camera, about.path, start, self._sight.model,
            recording=course.surveyed.recording, detector=self._sight.found_by,
        )  # fmt: skip
        self._store.write_windows(run, windows)
        self._store.finish_run(run)
        summary = summary_of(about, self._sight, windows)
        for note in (*course.notes.values(), *seeing_notes(summary, damaged=False)):
            self._on_note(note)
        if twice := self._store.overlapping(run):
            text = (
                f"{about.path}: {twice} windows of camera {about.camera!r} at {about.location} in these minutes are "
                "from another run, so their people count twice; see: felicity runs list"
            )
            self._on_note(Note("counted-twice", text, about.location))
        counts = len(windows), summary.people_seen, summary.people
        self._end(about, ArchivedFile(about.path, about.location, about.camera, "stored", start, *counts))

    def _fail(self, footage: Footage, error: Exception) -> None:
        text = str(error) if isinstance(error, FelicityError) else f"{footage.path}: {type(error).__name__}: {error}"
        self._end(footage, ArchivedFile(footage.path, footage.location, footage.camera, "failed", error=text))

    def _end(self, footage: Footage, file: ArchivedFile) -> None:
        self._done[footage] = file
        self._on_file(file)


def _key(surveyed: Surveyed) -> tuple[str, str]:
    return surveyed.footage.location, surveyed.recording


def summary_of(about: Footage, sight: Sight, windows: Sequence[Window]) -> WatchSummary:
    """Return the summary of a watch with these windows."""
    summary = WatchSummary(about.location, about.camera, about.path, sight.found_by)
    for window in windows:
        summary.frames += window.frames_seen
        summary.frozen += window.frames_frozen
        summary.unfit += Counter(window.frames_unfit)
        summary.people_seen += window.people_seen
        summary.people += window.people
        summary.lifted += window.lifted
    return summary
