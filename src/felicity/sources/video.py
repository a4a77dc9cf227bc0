"""Video files: MP4, AVI, animated GIF and FFmpeg's other formats."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

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
from felicity.sources.remote import RemoteFile, is_address

# Cameras without a set clock, and files without an entry, say 1904 or 1970.
_FIRST_CREDIBLE = datetime(1990, 1, 1, tzinfo=UTC)


INDEXED = {"mp4", "matroska"}
"""Kinds of files that say where their key frames are, and whose times never start again."""


def identity(file: IO[bytes] | RemoteFile) -> str:
    """Return the identity of a recording, under any name: a digest of its first 128 KiB and its length."""
    file.seek(0)
    start = file.read(1 << 17)
    return hashlib.sha256(start + file.seek(0, os.SEEK_END).to_bytes(8, "big")).hexdigest()[:32]


@register
class VideoSource(SourceKind):
    """A file's frames, timed by their presentation times.

    The first frame is at ``start``; else at the file's own ``creation_time``; else at its modification time. A file
    that ends early or has damaged parts yields its good frames, and ``stats.notes`` report the rest; only a file
    without a single good frame raises SourceError. ``duration``: seconds of a file that can be read in pieces
    (``SourceOptions.span``), None for others.
    """

    kind = "video"
    rank = 30

    def __init__(self, path: Path | str, options: SourceOptions) -> None:
        super().__init__(str(path), options)
        self._remote = RemoteFile(path) if isinstance(path, str) else None
        try:
            # The prefix keeps a colon in a file's name from being taken for a protocol.
            self._container = av.open(
                self._remote or f"file:{path}",
                mode="r",
                metadata_errors="replace",
                options=FILE_OPTIONS,
                timeout=FILE_SECONDS,
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            self._close_remote()
            raise SourceError(
                f"{path} cannot be read as a video ({reason(error)}); expected MP4, AVI, GIF or the like, no playlist"
            ) from error
        try:
            self._stream = video_stream(self._container, str(path), options.max_pixels)
            self.start = options.start or self._creation_time() or self._changed()
            self.recording = self._identity()
            self.duration = self._duration()
        except BaseException:
            self._release()
            raise

    def _identity(self) -> str:
        if self._remote is None:
            with Path(self.source_id).open("rb") as file:
                return identity(file)
        place = self._remote.tell()
        found = identity(self._remote)
        self._remote.seek(place)
        return found

    def _changed(self) -> datetime:
        """Return when the file was last changed, and add a note that this is only a guess of when it was recorded."""
        path = Path(self.source_id)
        changed = self._remote.changed() if self._remote else datetime.fromtimestamp(path.stat().st_mtime, UTC)
        self._note(
            "start-guessed",
            f"{path.name} does not say when it was recorded; its frames are dated from its last change on, "
            f"{changed:%Y-%m-%d %H:%M:%S} UTC; give --start to be sure",
        )
        return changed

    @classmethod
    def claims(cls, source: str) -> bool:
        """Return whether it is a file; kinds with a higher rank come first."""
        return Path(source).is_file()

    @classmethod
    def open(cls, source: str, options: SourceOptions) -> VideoSource:
        """Open the file, at a path or an address (``remote.RemoteFile``); raises SourceError if it is not a video."""
        return cls(source if is_address(source) else Path(source), options)

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
        if not good and self.options.span is None and not self._stopping.is_set():
            raise SourceError(f"{self.source_id} holds no frame that can be decoded")

    def _wanted(self) -> Iterator[tuple[int, float, VideoFrame]]:
        """Yield number, seconds from the start and picture of the frames that the pace requests."""
        begin, end = self.options.span or (0.0, math.inf)
        clock, pace, number = Clock(self._stream), Pace(self.options.fps, begin), 0
        # Where every frame stands alone, the unwanted ones need not be decoded.
        by_packet = self.options.fps is not None and intra_only(self._stream)
        self._stream.thread_type = "SLICE" if by_packet else "AUTO"
        self._stream.codec_context.thread_count = self.options.threads or 0
        if begin > 0:
            self._enter(begin)
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
                if frame.is_corrupt:
                    self.stats.errors += 1
                    number += 1
                    continue
                at = seconds if by_packet else clock.seconds(frame)
                if at >= end:
                    return
                if at < begin:
                    continue
                if by_packet or pace.wants(at):
                    yield number, at, frame
                else:
                    self.stats.thinned += 1
                number += 1
        if self.stats.errors:
            self._note("frames-damaged", f"{self.source_id}: damaged frames left out: {self.stats.errors}")

    def _enter(self, begin: float) -> None:
        """Go on from the last key frame at or before ``begin`` seconds, or from the first one."""
        ticks = round(begin / float(self._stream.time_base or 1)) + (self._stream.start_time or 0)
        try:
            self._container.seek(ticks, stream=self._stream)
        except av.FFmpegError:
            self._container.seek(self._stream.start_time or 0, stream=self._stream)

    def _duration(self) -> float | None:
        """Return the duration of a file in seconds if it can be decoded from any point and its times are continuous."""
        timed = self._stream.time_base is not None and self._stream.start_time is not None
        indexed = INDEXED.intersection(self._container.format.name.split(","))
        return (self._promised_seconds() or None) if timed and indexed else None

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """Yield the whole packets of the file, then None to flush the decoder."""
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
        if self.options.span is not None and self.options.span[1] < math.inf:
            return
        seconds, promised = float(ticks * (self._stream.time_base or 0)), self._promised_seconds()
        if self.options.span is None and whole < self._stream.frames:
            there = f"{whole} of {self._stream.frames} frames"
            self._note("video-cut-short", f"{self.source_id} is cut short or damaged{broken}: {there} are there")
        elif broken or promised - seconds > max(0.5, 0.01 * promised):
            there = f"{seconds:.1f} of {promised:.1f} s"
            self._note("video-cut-short", f"{self.source_id} is cut short or damaged{broken}: {there} are there")

    def _promised_seconds(self) -> float:
        """Return the duration in seconds that the file states for its video stream; 0 without one."""
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
        self._close_remote()

    def _close_remote(self) -> None:
        if self._remote is not None:
            self._remote.close()
