"""One camera of many: its decoder, its watch and its state. Its faults do not affect the others."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import cast
from zoneinfo import ZoneInfo

from felicity.cameras import decoding
from felicity.cameras.decoder import Decoder, DecoderOptions, Picture
from felicity.cameras.health import CameraState, Pace, Recent, Sight
from felicity.cameras.log import Level, Log
from felicity.cameras.settings import CameraSettings
from felicity.cameras.shared import SharedClassifier, counting
from felicity.cameras.spool import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, Spool
from felicity.errors import FelicityError
from felicity.faces.detection import Detector
from felicity.notes import Note
from felicity.sources import Frame, Source, SourceStats
from felicity.store import RunState, Store
from felicity.watching.watch import Watch, WatchSummary
from felicity.windows import Location

SILENT_SECONDS = 20.0
"""Seconds without a heartbeat, beyond its stall, after which a decoder counts as hanging."""


_EXPECTING = (CameraState.STARTING, CameraState.WATCHING)


@dataclass(frozen=True)
class Team:
    """The objects that all cameras share."""

    classifier: SharedClassifier
    detector: Detector
    spool: Spool
    log: Log
    seconds: int
    decoder: Callable[[DecoderOptions], Decoder] = Decoder


class _Feed:
    """The view of a source that a watch needs; frames come by ``Camera.look``."""

    live, stills, stopped, recording = True, False, False, None

    def __init__(self, source_id: str) -> None:
        self.source_id, self.stats = source_id, SourceStats()


class Camera:
    """A camera and its changes of state. All methods but ``look`` belong to one thread."""

    def __init__(self, settings: CameraSettings, team: Team) -> None:
        self.settings, self._team = settings, team
        self.state, self.why = CameraState.STARTING, ""
        self.since = datetime.now(UTC)
        self.last_frame: datetime | None = None
        self.size_wh: tuple[int, int] | None = None
        self.pace, self.reconnects = Pace(), Recent()
        self._feed = _Feed(settings.shown())
        self._sight = Sight(settings.frozen_seconds)
        self._detector = counting(team.detector, settings)
        self._watch: Watch | None = None
        self._decoder: Decoder | None = None
        self._picture: Picture | None = None
        self._before = SourceStats()
        self._began, self._try_at, self._attempt = False, 0.0, 0
        self._frame_at = monotonic()
        if not settings.enabled:
            self._become(CameraState.DISABLED, "")

    @property
    def pipe(self) -> object | None:
        """Return the connection that becomes readable when the decoder has a message."""
        return self._decoder.pipe if self._decoder else None

    @property
    def dropped(self) -> int:
        """Return how many frames came faster than they could be searched."""
        return self._feed.stats.dropped

    @property
    def decoder_pid(self) -> int | None:
        """Return the process id of the decoder."""
        return self._decoder.pid if self._decoder else None

    def listen(self, now: datetime) -> bool:
        """Read the decoder's messages, start or restart it as needed; return whether a frame is ready."""
        try:
            return self._listen(now)
        except Exception as error:  # errors of this camera do not stop the others
            self._lose(f"its decoder cannot be used ({type(error).__name__}: {error})")
            return False

    def _listen(self, now: datetime) -> bool:
        if not self.settings.enabled:
            return False
        if (until := self.settings.offline_until(now, self._zone())) is not None:
            self._end_decoder()
            self._become(CameraState.OFFLINE, f"not expected until {until:%H:%M}")
            return False
        if self._decoder is None:
            if monotonic() >= self._try_at:
                self._start()
            return False
        for message in self._decoder.messages():
            self._hear(message, now)
            if self._decoder is None:
                return False
        silent = monotonic() - self._decoder.heard
        if silent > self.settings.stall_seconds + SILENT_SECONDS:
            self._lose(f"its decoder hung for {silent:.0f} s and was ended")
            return False
        quiet = monotonic() - self._frame_at
        if self.state in _EXPECTING and self._picture is None and quiet > self.settings.stall_seconds:
            self._become(CameraState.STALLED, f"no frame came for {self.settings.stall_seconds:g} s")
        return self._picture is not None

    def look(self) -> None:
        """Search the waiting frame, and let the decoder continue; in any thread, one at a time."""
        picture, decoder = self._picture, self._decoder
        if picture is None or decoder is None:
            return
        try:
            image = decoder.pixels(picture)
            trouble = self._sight.trouble(image)
            self.last_frame, self.size_wh = picture.time, (picture.width, picture.height)
            self.pace.add()
            if trouble:
                self._become(CameraState.STALLED, trouble)
                if self._watch is not None:
                    self._watch.tick(picture.time)
            else:
                self._become(CameraState.WATCHING, "")
                watch = self._watch or self._begin(picture.time)
                watch.summary.frames += 1
                watch.step(Frame(image, picture.time, self._feed.source_id, picture.number))
        except Exception as error:  # errors of this camera's frame do not stop the others
            self._say("frame-failed", f"a frame was left out ({type(error).__name__}: {error})", "error")
        finally:
            self._picture = None
            decoder.give_back()

    def tick(self, now: datetime) -> None:
        """Write the windows that are over, although no frame has come."""
        if self._watch is not None and self._picture is None:
            self._watch.tick(now)

    def close(self, state: RunState = RunState.STOPPED) -> None:
        """End decoder and run; the open window goes to the spool."""
        self._end_decoder()
        if self._watch is not None:
            self._watch.close(state)
            self._watch = None

    def _begin(self, time: datetime) -> Watch:
        settings = self.settings
        summary = WatchSummary(settings.location, settings.name, self._feed.source_id, self._detector.name)
        self._watch = Watch(
            cast(Source, self._feed), time, store=cast(Store, self._team.spool), classifier=self._team.classifier,
            detector=self._detector, summary=summary, say=self._watch_says, seconds=self._team.seconds,
        )  # fmt: skip
        return self._watch

    def _start(self) -> None:
        settings = self.settings
        try:
            if settings.location not in self._team.spool.zones:
                Location(settings.location)  # refuses schools and workplaces, unless the store holds the place
            areas = tuple(tuple((x, y) for x, y in polygon) for polygon in settings.private)
            options = DecoderOptions(settings.address(), settings.fps, settings.stall_seconds, areas)
            self._decoder = self._team.decoder(options)
        except (FelicityError, OSError) as error:
            self._lose(str(error))
            return
        self._frame_at = monotonic()
        if self.state is CameraState.OFFLINE and self.why.startswith("not expected"):
            self._become(CameraState.STARTING, "")

    def _hear(self, message: object, now: datetime) -> None:
        if isinstance(message, Picture):
            self._picture, self._frame_at, self._attempt = message, monotonic(), 0
            self.reconnects.add(now, message.reconnects - self._before.reconnects)
            for name in ("dropped", "reconnects", "thinned", "errors"):
                said, stats = getattr(message, name), self._feed.stats
                setattr(stats, name, getattr(stats, name) + said - getattr(self._before, name))
                setattr(self._before, name, said)
            if not self._began:
                self._began = True
        elif isinstance(message, decoding.Remark):
            if message.note.code == "source-lost":
                why = message.note.text.removeprefix(f"{self._feed.source_id}: ")
                self._become(CameraState.STALLED if why.startswith("nothing came") else CameraState.OFFLINE, why)
        elif isinstance(message, decoding.Failed):
            self._lose(message.text)

    def _lose(self, why: str) -> None:
        """End the decoder, and retry later for ever: ever more rarely, and not all cameras at once."""
        self._end_decoder()
        pause = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**self._attempt) * random.uniform(0.5, 1.0)
        self._attempt = min(self._attempt + 1, 16)
        self._try_at = monotonic() + pause
        if self._began:
            self.reconnects.add(datetime.now(UTC))
        self._become(CameraState.OFFLINE, why.removeprefix(f"{self._feed.source_id}: "))

    def _end_decoder(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
        self._decoder, self._picture, self._before = None, None, SourceStats()

    def _become(self, state: CameraState, why: str) -> None:
        changed, self.why = state is not self.state, why
        if changed:
            self.state, self.since = state, datetime.now(UTC)
            level: Level = "info" if state in (CameraState.WATCHING, CameraState.DISABLED) else "warning"
            self._say("camera-state", f"{state}{': ' if why else ''}{why}", level)

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._team.spool.zones.get(self.settings.location, Location.timezone))

    def _watch_says(self, note: Note) -> None:
        self._team.log.say(note, camera=self.settings.name, level="warning")

    def _say(self, code: str, text: str, level: Level) -> None:
        note = Note(code, text, self.settings.location)
        self._team.log.say(note, camera=self.settings.name, level=level)
