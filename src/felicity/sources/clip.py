"""A recording played over and over at its own pace, as if it were a camera: to try Felicity without one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from felicity.sources._live import LiveSource, Picture
from felicity.sources.registry import SourceOptions, register
from felicity.sources.video import VideoSource

BEFORE = "clip:"
_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
_FRAME_SECONDS = 0.04


@register
class ClipSource(LiveSource):
    """A video file as a camera: ``clip:FILE``. Its frames have the time at which they are played."""

    kind = "clip"
    rank = 5

    def __init__(self, path: Path, options: SourceOptions) -> None:
        super().__init__(f"{BEFORE}{path}", options)
        self._path = path
        with self._recording():  # raises SourceError for another file
            pass

    @classmethod
    def claims(cls, source: str) -> bool:
        """Return whether the name begins with ``clip:``."""
        return source.startswith(BEFORE)

    @classmethod
    def open(cls, source: str, options: SourceOptions) -> ClipSource:
        """Check the file. Raises SourceError if there is none, or if it is no video."""
        return cls(Path(source.removeprefix(BEFORE)), options)

    def _recording(self) -> VideoSource:
        return VideoSource(self._path, replace(self.options, start=_BEGIN, on_note=None))

    def _pictures(self) -> Iterator[Picture | None]:
        begin = monotonic()
        while not self._stopping.is_set():
            at, apart = 0.0, _FRAME_SECONDS
            with self._recording() as frames:
                for frame in frames:
                    seconds = (frame.time - _BEGIN).total_seconds()
                    at, apart = seconds, seconds - at or apart
                    self._stopping.wait(max(0.0, begin + at - monotonic()))
                    image = frame.image_rgb_u8
                    yield lambda image=image: image  # type: ignore[misc]
            begin = max(begin + at + apart, monotonic() - apart)
