"""The kinds of sources and their names: every kind is a file that registers its class here."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import ClassVar, Self, TypeVar

from felicity.errors import ConfigError, SourceError
from felicity.imaging.decode import MAX_PIXELS
from felicity.notes import Note
from felicity.sources.frame import Frame, Source, SourceStats


@dataclass(frozen=True)
class SourceOptions:
    """Options of a source; each kind uses those that apply to it.

    ``start``: time of the first picture, with a time zone, in place of the files' times. ``fps``: at most this many
    frames per second; for a folder, its pictures per second. ``zone``: time zone of the camera for photographs without
    one (None: this machine's). ``span``: for a video with a ``duration``, only the frames between these seconds after
    the first one, the end not included; decoding begins at the key frame before. ``max_pixels``: larger pictures are
    refused. ``connect_patience_seconds``: how long to try a live source that has never answered. ``patience_seconds``:
    how long to try a lost one (None: until stopped). ``stall_seconds``: a live source that sends nothing for this time
    counts as lost. ``queue_frames``: number of newest frames of a live source that wait for the reader. ``threads``:
    threads that decode a video, None for one per core. ``on_note``: called with each remark; from another thread if
    the source is live.
    """

    start: datetime | None = None
    fps: float | None = None
    zone: tzinfo | None = None
    span: tuple[float, float] | None = None
    max_pixels: int = MAX_PIXELS
    connect_patience_seconds: float = 0.0
    patience_seconds: float | None = None
    stall_seconds: float = 10.0
    queue_frames: int = 2
    threads: int | None = None
    on_note: Callable[[Note], None] | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.start.tzinfo is None:
            raise ConfigError(f"start needs a time zone, such as {self.start.isoformat()}+00:00 or …Z")
        if self.start is not None and not 1 < self.start.year < 9999:
            raise ConfigError(f"start must lie in the years 2 to 9998, not be {self.start.isoformat()}")
        if self.start is not None and self.start > datetime.now(UTC) + timedelta(days=1):
            raise ConfigError(f"start lies in the future ({self.start.isoformat()}); give when it was recorded")
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise ConfigError(f"fps must be above 0 and at most 1000, not {self.fps:g}")
        if self.max_pixels < 1:
            raise ConfigError(f"max_pixels must be at least 1, not {self.max_pixels}")
        if not 0 < self.stall_seconds <= 3600:
            raise ConfigError(f"stall_seconds must be above 0 and at most 3600, not {self.stall_seconds:g}")
        if self.connect_patience_seconds < 0 or (self.patience_seconds is not None and self.patience_seconds < 0):
            raise ConfigError("patience must not be negative")
        if not 1 <= self.queue_frames <= 1000:
            raise ConfigError(f"queue_frames must be 1 to 1000, not {self.queue_frames}")


class SourceKind(ABC):
    """The common part of all kinds: the loop with its counts, stopping, and release.

    A kind tells which names it ``claims``, yields frames from ``_frames`` and releases its device in ``_release``.
    Kinds are asked in ascending order of ``rank``. ``recording`` is the same for all copies of a file, None for other
    sources.
    """

    kind: ClassVar[str]
    rank: ClassVar[int]
    live: bool = False
    stills: bool = False

    def __init__(self, source_id: str, options: SourceOptions) -> None:
        self.source_id = source_id
        self.options = options
        self.stats = SourceStats()
        self.recording: str | None = None
        self.on_idle: Callable[[], None] | None = None
        self._stopping = threading.Event()
        self._iterator = self._counted()

    @classmethod
    @abstractmethod
    def claims(cls, source: str) -> bool:
        """Return whether ``source`` names something of this kind."""

    @classmethod
    @abstractmethod
    def open(cls, source: str, options: SourceOptions) -> SourceKind:
        """Open a claimed source; raises SourceError if it is not of the kind that its name suggests."""

    @abstractmethod
    def _frames(self) -> Iterator[Frame]: ...

    def _release(self) -> None:  # noqa: B027 - most kinds hold nothing between frames
        """Release files, devices and threads; called once, after the last frame."""

    def _note(self, code: str, text: str) -> None:
        note = Note(code, text)
        self.stats.notes.append(note)
        if self.options.on_note is not None:
            self.options.on_note(note)

    def _counted(self) -> Iterator[Frame]:
        for frame in self._frames():
            if self._stopping.is_set():
                return
            self.stats.frames += 1
            yield frame
            if self._stopping.is_set():
                return

    def __iter__(self) -> Iterator[Frame]:
        return self._iterator

    def stop(self) -> None:
        """End the iteration soon, without an exception."""
        self._stopping.set()

    @property
    def stopped(self) -> bool:
        """Return whether ``stop`` was called."""
        return self._stopping.is_set()

    def close(self) -> None:
        """Stop, and release the device or file; a second call does nothing."""
        self.stop()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


Kind = TypeVar("Kind", bound=type[SourceKind])
_kinds: dict[str, type[SourceKind]] = {}


def register(kind: Kind) -> Kind:
    """Register a kind of source, so that ``open_source`` finds it; a decorator."""
    _kinds[kind.kind] = kind
    return kind


def kinds() -> list[type[SourceKind]]:
    """Return every kind of source, in the order in which they are asked."""
    package = importlib.import_module("felicity.sources")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return sorted(_kinds.values(), key=lambda kind: kind.rank)


def open_source(
    source: str | Path | int,
    *,
    start: datetime | None = None,
    fps: float | None = None,
    options: SourceOptions | None = None,
) -> Source:
    """Open pictures, a video, a camera or a stream.

    ``source``: an image, a folder of images, a video file, a camera's number (``0``) or a stream's address
    (``rtsp://…``, ``http://…``). ``start`` and ``fps`` are as in SourceOptions. ``options`` holds all others, and then
    these two as well.

    Raises SourceError if there is no such thing, or if it is not of the kind that its name suggests. A live source
    connects, and may raise, at the first requested frame. Raises ConfigError for impossible options.
    """
    if options is not None and (start is not None or fps is not None):
        raise ConfigError("start and fps are given twice: put them into the options")
    options = options or SourceOptions(start=start, fps=fps)
    name = str(source)
    for kind in kinds() if name.strip() else ():
        if kind.claims(name):
            return kind.open(name, options)
    raise SourceError(
        f"there is no {name!r}; expected an image, a folder of images, a video file, "
        "a camera's number such as 0, or an address such as rtsp://camera/stream"
    )
