"""A watch of a source: frames in, windows into the store, nothing else kept.

The order of the steps is the privacy boundary. A frame goes to the people reader, whose persons go to the window
accumulator, whose closed windows go to the store. Nothing else leaves this module, except the annotated video that a
user requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

from felicity.faces import Detector
from felicity.faces.attention import Attention
from felicity.faces.conditions import Eyesight
from felicity.faces.detection import identity
from felicity.faces.quality import QualityGate
from felicity.faces.registry import open_detector
from felicity.faces.stillness import Stillness
from felicity.faces.tracking import Tracker
from felicity.imaging.draw import Label, draw_faces
from felicity.imaging.encode import VideoWriter
from felicity.index.people_share import happy_share
from felicity.notes import Note
from felicity.recognition.classifier import Classifier
from felicity.recognition.people import PeopleReader
from felicity.sources import Frame, Source
from felicity.sources.frame import SourceStats
from felicity.store import RunState, Store
from felicity.style import numbers
from felicity.watching.shelf import Keeper, Shelf
from felicity.watching.summary import WatchSummary, clock, seeing_notes
from felicity.windows import Location, PersonObservation, WindowAccumulator
from felicity.windows.looks import Look

__all__ = ["Watch", "WatchSummary", "clock", "watch_source"]

FAR_APART = timedelta(seconds=1)
"""Distance of two frames from which too few people who stay are found again."""
SILENCE = timedelta(seconds=10)
"""Time without a frame after which a live source shows nobody any more: the people last seen have left."""


class Watch(AbstractContextManager["Watch"]):
    """One run over a source: ``step`` with every frame, ``tick`` while there is none, ``close`` at the end.

    The watch writes a window when its time is over, even if no frame comes. As a context manager it ends the run as
    stopped, as ended if ``summary.complete``, and as lost after an exception. ``begin``: the time of the first frame.
    ``every_frame``: search every frame completely, not only where something moves or somebody is. ``counted``: begin
    and end of a piece, the end not included; the watch sees frames and people before and after it, and other pieces
    count them.
    """

    def __init__(
        self,
        source: Source,
        begin: datetime,
        *,
        store: Keeper,
        classifier: Classifier,
        detector: Detector,
        summary: WatchSummary,
        say: Callable[[Note], None],
        gate: QualityGate | None = None,
        every_frame: bool = False,
        seconds: int = 60,
        counted: tuple[datetime, datetime] | None = None,
    ) -> None:
        self.summary = summary
        self._source, self._store, self._bundle, self._say = source, store, classifier.bundle, say
        tracker = None if source.stills else Tracker()
        attention = None if source.stills or every_frame else Attention()
        stillness = None if source.stills else Stillness()
        self._people = PeopleReader(classifier, detector, gate or QualityGate(), tracker, attention, stillness)
        run_start = datetime.now(UTC).replace(microsecond=0) if source.live else begin
        names = (summary.location, summary.camera, source.source_id, run_start, self._bundle.id)
        store.save_model(self._bundle.id, self._bundle.soft_matrix, name=self._bundle.name)
        found_by = identity(detector)
        self._run = store.begin_run(*names, recording=source.recording, detector=found_by)
        self._windows = WindowAccumulator(*names, seconds, detector=found_by, counted=counted)
        self._shelf = Shelf(store, self._run, summary, say)
        self._answers: list[Any] = []
        self._eyesight = Eyesight(stills=source.stills)
        self._before = SourceStats()
        self._last: datetime | None = None
        self._changed: datetime | None = None
        self._far_apart = 0

    @property
    def labels(self) -> list[Label]:
        """Return the labels to draw on the last frame."""
        return self._people.labels

    def step(self, frame: Frame) -> None:
        """Search a frame, count the people who left since the last one, and write the windows that are over."""
        self._check_pace(frame.time)
        look = self._eyesight.look(frame.image_rgb_u8, frame.time)
        self._count_frame(frame.time, look)
        if not look.repeated:  # of a picture that was seen before, nobody is judged again
            self._count(self._people.see(frame.image_rgb_u8, frame.time, noise=self._eyesight.noise))
            self._changed = frame.time
        elif self._changed is not None and frame.time - self._changed >= SILENCE:
            self._count(self._people.end())
            self._changed = None
        self._last = frame.time
        self._shelf.put(self._windows.closed())
        self._shelf.beat()

    def tick(self, now: datetime) -> None:
        """Write the windows that are over at ``now``, although no frame has come, and send a heartbeat."""
        if self._last is not None and now - self._last >= SILENCE:
            self._count(self._people.end())
            self._last = None
        self._shelf.put(self._windows.closed(now))
        self._shelf.beat()

    def close(self, state: RunState) -> None:
        """Write the open window and end the run. Raises StoreError if windows could not be written."""
        summary = self.summary
        self._count(self._people.end())
        self._shelf.put(self._windows.flush())
        self._shelf.save()
        self._store.finish_run(self._run, state)
        if state is RunState.ENDED and (twice := self._store.overlapping(self._run)):
            text = (
                f"{twice} windows of camera {summary.camera!r} or this source at {summary.location} in these minutes "
                "are from another run, so their people count twice; if it was watched before, with another --start or "
                "--camera, take one of them back, see: felicity runs list"
            )
            self._say(Note("counted-twice", text, summary.location))
        for note in seeing_notes(summary, damaged=self._source.live):
            self._say(note)
        summary.happy_share = happy_share(self._answers, self._bundle.soft_matrix, self._bundle.assumed_prior)
        self._answers.clear()
        summary.reconnects = self._source.stats.reconnects
        summary.notes += [note for note in self._source.stats.notes if note not in summary.notes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        ended = RunState.ENDED if self.summary.complete else RunState.STOPPED
        self.close(ended if kind is None else RunState.LOST)

    def _count(self, persons: Sequence[PersonObservation]) -> None:
        self.summary.cuts, self.summary.still_again = self._people.cuts, self._people.still_again
        for person in (one for one in persons if self._windows.counts(one.time)):
            self.summary.count(person)
            if person.probabilities is not None and not self._source.live:
                self._answers.append(person.probabilities)
            self._windows.add_person(person)

    def _count_frame(self, time: datetime, look: Look) -> None:
        """Count a frame, and the missing frames before it."""
        stats, before, summary = self._source.stats, self._before, self.summary
        dropped, damaged = stats.dropped - before.dropped, stats.errors - before.errors
        self._windows.add_frame(time, look, dropped=dropped, thinned=stats.thinned - before.thinned, damaged=damaged)
        self._before = replace(stats)
        if not self._windows.counts(time):
            return
        summary.dropped += dropped
        summary.damaged += damaged
        summary.frozen += look.frozen
        if look.unfit is not None and not look.frozen:
            summary.unfit[look.unfit] += 1

    def _check_pace(self, time: datetime) -> None:
        if self._last is None or self._source.stills or time - self._last <= FAR_APART:
            return
        self._far_apart += 1
        if self._far_apart == 3 and 2 * self._far_apart >= self.summary.frames:
            text = (
                f"{self._source.source_id}: frames are over {FAR_APART.seconds} s apart, so a person who stays may "
                "count several times; to follow people, take 3 frames per second or more"
            )
            self._say(Note("frames-far-apart", text, self.summary.location))


def watch_source(
    source: Source,
    *,
    location: str,
    camera: str,
    store: Store,
    classifier: Classifier,
    detector: str | Detector = "auto",
    gate: QualityGate | None = None,
    every_frame: bool = False,
    seconds: int = 60,
    annotate: Path | None = None,
    on_frame: Callable[[WatchSummary], None] | None = None,
    on_note: Callable[[Note], None] | None = None,
    notes: Sequence[Note] = (),
) -> WatchSummary:
    """Watch until the source ends or is stopped; write every closed window, and at last the open one.

    Watching the same source, camera and start again replaces their windows. ``notes`` are reported first. Raises
    StoreError at the end if windows could not be written, SourceError if the source fails; windows until then are
    written first.
    """
    finder = open_detector(detector) if isinstance(detector, str) else detector
    summary = WatchSummary(location, camera, source.source_id, finder.name)

    def say(note: Note) -> None:
        summary.notes.append(note)
        if on_note:
            on_note(note)

    for note in notes:
        say(note)
    with VideoWriter(annotate) if annotate else nullcontext() as video:
        frames = _timed(source, summary, (store.location(location) or Location(location)).zone)
        first = next(frames, None)
        if first is None:
            summary.complete = True
            return summary
        with Watch(
            source, first.time, store=store, classifier=classifier, detector=finder, summary=summary, say=say,
            gate=gate, every_frame=every_frame, seconds=seconds,
        ) as watch:  # fmt: skip
            source.on_idle = lambda: watch.tick(datetime.now(UTC))
            frame: Frame | None = first
            while frame is not None:
                watch.step(frame)
                if video:
                    drawn = draw_faces(frame.image_rgb_u8, watch.labels, caption=_caption(summary))
                    video.write(drawn, (frame.time - first.time).total_seconds())
                if on_frame:
                    on_frame(summary)
                frame = next(frames, None)
            summary.complete = not source.stopped
    return summary


def _timed(source: Source, summary: WatchSummary, zone: tzinfo) -> Iterator[Frame]:
    for frame in source:
        summary.end = frame.time.astimezone(zone)
        summary.start = summary.start or summary.end
        summary.frames += 1
        yield frame


def _caption(summary: WatchSummary) -> str:
    text = f"{summary.location}  {clock(summary.end) if summary.end else ''}  people so far: {summary.people_seen}"
    share = summary.happy_share_raw
    return text if share is None else f"{text}, {numbers.percent(share, 0)} happy"
