"""Video files: MP4, AVI, animated GIF and whatever else FFmpeg reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from felicity.errors import SourceError
from felicity.sources._pyav import (
    FILE_OPTIONS,
    FILE_SECONDS,
    Clock,
    Pace,
    decode,
    intra_only,
    reason,
    rgb,
    video_stream,
)
from felicity.sources.frame import Frame
from felicity.sources.registry import SourceKind, SourceOptions, register

# Cameras without a set clock, and files without an entry, say 1904 or 1970.
_FIRST_CREDIBLE = datetime(1990, 1, 1, tzinfo=UTC)


def identity(path: Path) -> str:
    """Return what tells a recording from others, under whatever name: a digest of its first 128 KiB and its length."""
    with path.open("rb") as file:
        start = file.read(1 << 17)
    return hashlib.sha256(start + path.stat().st_size.to_bytes(8, "big")).hexdigest()[:32]


@register
class VideoSource(SourceKind):
    """A file's frames, timed by their presentation times.

    The first frame is at ``start``; else at the file's own ``creation_time``; else at its modification
    time. A file that ends early or has damaged parts yields what is good and says so in
    ``stats.notes``; only one without a single good frame raises SourceError.
    """

    kind = "video"
    rank = 30

    def __init__(self, path: Path, options: SourceOptions) -> None:
        super().__init__(str(path), options)
        try:
            # The prefix keeps a colon in a file's name from being taken for a protocol.
            self._container = av.open(
                f"file:{path}", metadata_errors="replace", options=FILE_OPTIONS, timeout=FILE_SECONDS
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise SourceError(
                f"{path} cannot be read as a video ({reason(error)}); expected MP4, AVI, GIF or the like, no playlist"
            ) from error
        try:
            self._stream = video_stream(self._container, str(path), options.max_pixels)
            self.start = options.start or self._creation_time() or self._changed(path)
            self.recording = identity(path)
        except BaseException:
            self._container.close()
            raise

    def _changed(self, path: Path) -> datetime:
        """Return when the file was changed last, and say that this is only a guess of when it was recorded."""
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        self._note(
            "start-guessed",
            f"{path.name} does not say when it was recorded; its frames are dated from its last change on, "
            f"{changed:%Y-%m-%d %H:%M:%S} UTC; give --start to be sure",
        )
        return changed

    @classmethod
    def claims(cls, source: str) -> bool:
        """Any file that no other kind has claimed."""
        return Path(source).is_file()

    @classmethod
    def open(cls, source: str, options: SourceOptions) -> VideoSource:
        """Open the file; raises SourceError if it is not a video."""
        return cls(Path(source), options)

    def _creation_time(self) -> datetime | None:
        written = self._stream.metadata.get("creation_time") or self._container.metadata.get("creation_time")
        try:
            time = datetime.fromisoformat(written) if written else None
        except ValueError:
            return None
        if time is None or time.tzinfo is None or time < _FIRST_CREDIBLE:
            return None
        return time.astimezone(UTC)

    def _frames(self) -> Iterator[Frame]:
        start, good = self.start.astimezone(UTC), 0
        for number, seconds, decoded in self._wanted():
            yield Frame(rgb(decoded), start + timedelta(seconds=seconds), self.source_id, number)
            good += 1
        if not good and not self._stopping.is_set():
            raise SourceError(f"{self.source_id} holds no frame that can be decoded")

    def _wanted(self) -> Iterator[tuple[int, float, VideoFrame]]:
        """Number, seconds from the start and picture of the frames that the pace asks for."""
        clock, pace, number = Clock(self._stream), Pace(self.options.fps), 0
        # Where every frame stands alone, the unwanted ones need not be decoded.
        by_packet = self.options.fps is not None and intra_only(self._stream)
        self._stream.thread_type = "SLICE" if by_packet else "AUTO"
        for packet in self._packets():
            seconds = clock.seconds(packet) if by_packet and packet is not None else 0.0
            if by_packet and packet is not None and not pace.wants(seconds):
                self.stats.thinned += 1
                number += 1
                continue
            try:
                frames = decode(self._stream, packet, self.options.max_pixels)
            except av.FFmpegError:
                self.stats.errors += 1
                number += 1
                continue
            for frame in frames:
                at = seconds if by_packet else clock.seconds(frame)
                if by_packet or pace.wants(at):
                    yield number, at, frame
                else:
                    self.stats.thinned += 1
                number += 1
        if self.stats.errors:
            self._note("frames-damaged", f"{self.source_id}: damaged frames left out: {self.stats.errors}")

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """The whole packets of the file, then None to fetch what the decoder still holds."""
        whole, ticks, broken = 0, 0, ""
        try:
            for packet in self._container.demux(self._stream):
                if self._stopping.is_set():
                    return
                if packet.is_corrupt:
                    self.stats.errors += 1
                elif packet.size:
                    whole += 1
                    ticks = max(ticks, (packet.pts or 0) + (packet.duration or 0))
                    yield packet
        except av.FFmpegError as error:
            broken = f" ({reason(error)})"
        yield None
        seconds, promised = float(ticks * (self._stream.time_base or 0)), self._promised_seconds()
        if whole < self._stream.frames:
            there = f"{whole} of {self._stream.frames} frames"
            self._note("video-cut-short", f"{self.source_id} is cut short or damaged{broken}: {there} are there")
        elif broken or promised - seconds > max(0.5, 0.01 * promised):
            there = f"{seconds:.1f} of {promised:.1f} s"
            self._note("video-cut-short", f"{self.source_id} is cut short or damaged{broken}: {there} are there")

    def _promised_seconds(self) -> float:
        """What the pictures last by the file's own account; 0 if it gives a time for all its streams only."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        if len(self._container.streams) == 1:
            return (self._container.duration or 0) / av.time_base
        hours, minutes, rest = [*self._stream.metadata.get("DURATION", "").split(":"), "", "", ""][:3]  # Matroska
        try:
            return 3600 * int(hours) + 60 * int(minutes) + float(rest)
        except ValueError:
            return 0.0

    def _release(self) -> None:
        self._container.close()
