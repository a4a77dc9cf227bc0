"""A source watched: frames in, windows into the store, nothing else kept.

The order of things is the privacy boundary: a frame goes to the people reader, whose persons go to
the window accumulator, whose closed windows go to the store. No other door leads out of here, but
for the annotated video that a user asks for.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import StoreError
from felicity.faces import Detector
from felicity.faces.quality import QualityGate
from felicity.faces.registry import open_detector
from felicity.faces.tracking import Tracker
from felicity.imaging.draw import draw_faces
from felicity.imaging.encode import VideoWriter
from felicity.index.people_share import PeopleShare, happy_share
from felicity.labels import EXPRESSIONS, INDEX, Expression
from felicity.recognition.classifier import Classifier
from felicity.recognition.people import PeopleReader
from felicity.sources import Frame, Source
from felicity.store import RunState, Store, WatchRun
from felicity.style import numbers
from felicity.style.dates import moment
from felicity.windows import Location, PersonObservation, Window, WindowAccumulator

FAR_APART = timedelta(seconds=1)
"""Between two frames: of people who stay, those that are further apart find too few again."""


@dataclass
class WatchSummary:
    """What a watch has seen so far; sums only.

    ``start``, ``end``: times of the first and the latest frame, on the location's clock. ``unsaved``: windows that the
    store has not taken yet. ``share``: of all people of a folder or recording, at the end.
    """

    location: str
    camera: str
    source: str
    detector: str
    start: datetime | None = None
    end: datetime | None = None
    frames: int = 0
    dropped: int = 0
    reconnects: int = 0
    people_seen: int = 0
    people: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    hard_counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(EXPRESSIONS), np.int64))
    windows: int = 0
    unsaved: int = 0
    complete: bool = False
    share: PeopleShare | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def happy_share_raw(self) -> float | None:
        """Percent of the judged people whose most probable expression is happy; None without people."""
        return 100 * float(self.hard_counts[INDEX[Expression.HAPPY]]) / self.people if self.people else None

    def count(self, person: PersonObservation) -> None:
        """Add one person to the sums."""
        self.people_seen += 1
        if person.probabilities is None:
            self.rejected[str(person.rejected)] += 1
            return
        self.people += 1
        self.hard_counts[int(person.probabilities.argmax())] += 1


class _Shelf:
    """Closed windows on their way into the store; a failed write is kept and tried again with the next."""

    def __init__(self, store: Store, run: WatchRun, summary: WatchSummary, say: Callable[[str], None]) -> None:
        self._store, self._run, self._summary, self._say = store, run, summary, say
        self._waiting: list[Window] = []

    def put(self, windows: list[Window]) -> None:
        if not windows:
            return
        self._waiting += windows
        try:
            self.save()
        except StoreError as error:
            self._say(f"{error}; {len(self._waiting)} windows wait in memory for the next try")

    def save(self) -> None:
        if self._waiting:
            self._summary.unsaved = len(self._waiting)
            self._store.write_windows(self._run, self._waiting)
            self._summary.windows += len(self._waiting)
            self._summary.unsaved = 0
            self._waiting = []


def watch_source(
    source: Source,
    *,
    location: str,
    camera: str,
    store: Store,
    classifier: Classifier,
    detector: str | Detector = "auto",
    gate: QualityGate | None = None,
    seconds: int = 60,
    annotate: Path | None = None,
    on_frame: Callable[[WatchSummary], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    notes: Sequence[str] = (),
) -> WatchSummary:
    """Watch until the source ends or is stopped; every closed window is written, at last the open one.

    The same source, camera and start, watched again, replace their windows. ``notes`` are said first. Raises
    StoreError at the end if windows could not be written, SourceError if the source fails; what was seen
    before is written first.
    """
    finder = open_detector(detector) if isinstance(detector, str) else detector
    summary = WatchSummary(location, camera, source.source_id, finder.name)

    def say(sentence: str) -> None:
        summary.notes.append(sentence)
        if on_note:
            on_note(sentence)

    for note in notes:
        say(note)
    people = PeopleReader(classifier, finder, gate or QualityGate(), None if source.stills else Tracker())
    with VideoWriter(annotate) if annotate else nullcontext() as video:
        frames = _timed(source, summary, (store.location(location) or Location(location)).zone)
        first = next(frames, None)
        if first is None:
            summary.complete = True
            return summary
        run_start = datetime.now(UTC).replace(microsecond=0) if source.live else first.time
        soft = classifier.bundle.soft_matrix
        store.save_model(classifier.bundle.id, soft, name=classifier.bundle.name)
        run = store.begin_run(location, camera, source.source_id, run_start, classifier.bundle.id)
        windows = WindowAccumulator(location, camera, source.source_id, run_start, classifier.bundle.id, seconds)
        shelf = _Shelf(store, run, summary, say)

        answers: list[Any] = []

        def count(persons: list[PersonObservation]) -> None:
            for person in persons:
                summary.count(person)
                if person.probabilities is not None and not source.live:
                    answers.append(person.probabilities)
                windows.add_person(person)

        frame: Frame | None = first
        far_apart = 0
        try:
            while frame is not None:
                windows.add_frame(frame.time, dropped=source.stats.dropped - summary.dropped)
                summary.dropped = source.stats.dropped
                count(people.see(frame.image_rgb_u8, frame.time))
                shelf.put(windows.closed())
                if video:
                    drawn = draw_faces(frame.image_rgb_u8, people.labels, caption=_caption(summary))
                    video.write(drawn, (frame.time - first.time).total_seconds())
                if on_frame:
                    on_frame(summary)
                before, frame = frame.time, next(frames, None)
                if frame is not None and not source.stills and frame.time - before > FAR_APART:
                    far_apart += 1
                    if far_apart == 3 and 2 * far_apart >= summary.frames:
                        say(
                            f"{source.source_id}: frames are over {FAR_APART.seconds} s apart, so whoever stays may "
                            "be counted again and again; 3 frames per second and more are needed to follow people"
                        )
            summary.complete = not source.stopped
        finally:
            count(people.end())
            shelf.put(windows.flush())
            shelf.save()
            failed = sys.exc_info()[0] is not None
            state = RunState.ENDED if summary.complete else RunState.LOST if failed else RunState.STOPPED
            store.finish_run(run, state)
            if summary.complete and (twice := store.overlapping(run)):
                say(
                    f"{twice} windows of camera {camera!r} or this source at {location} in these minutes are from "
                    "another run, so their people count twice; if it was watched before, with another --start or "
                    "--camera, take one of them back, see: felicity runs list"
                )
            summary.share = happy_share(answers, soft, classifier.bundle.assumed_prior)
            answers.clear()
            summary.reconnects = source.stats.reconnects
            summary.notes += [n for n in source.stats.notes if n not in summary.notes]
    return summary


def _timed(source: Source, summary: WatchSummary, zone: tzinfo) -> Iterator[Frame]:
    for frame in source:
        summary.end = frame.time.astimezone(zone)
        summary.start = summary.start or summary.end
        summary.frames += 1
        yield frame


def clock(time: datetime) -> str:
    """A time as people read it, to the second and with what its clock is ahead of UTC."""
    return moment(time, seconds=True)


def _caption(summary: WatchSummary) -> str:
    text = f"{summary.location}  {clock(summary.end) if summary.end else ''}  people so far: {summary.people_seen}"
    share = summary.happy_share_raw
    return text if share is None else f"{text}, {numbers.percent(share, 0)} happy"
