"""Network cameras: RTSP, HTTP (motion JPEG, MPEG-TS, HLS), RTMP, UDP and FFmpeg's other protocols."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from functools import partial
from time import monotonic
from urllib.parse import urlsplit

import av

from felicity.errors import SourceError
from felicity.redaction import redacted_address
from felicity.sources._live import LiveSource, LostError, Picture
from felicity.sources._pyav import STREAM_OPTIONS, decode, intra_only, reason, rgb, video_stream
from felicity.sources.registry import SourceOptions, register

PROTOCOLS = ("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "udp", "rtp", "tcp")

UNDECODABLE_SECONDS = 60.0
"""Seconds without a decodable picture: none decodes before the first key frame, which some cameras send rarely."""

_FFMPEG_OPTIONS = {
    **STREAM_OPTIONS,
    # Lost packets smear the picture, and UDP does not pass firewalls.
    "rtsp_transport": "tcp",
    # Up to two seconds to probe the stream; the default is five.
    "analyzeduration": "2000000",
}


@register
class StreamSource(LiveSource):
    """A live stream at an address; a user's name and password in it are used and never shown."""

    kind = "stream"
    rank = 10

    def __init__(self, url: str, options: SourceOptions) -> None:
        super().__init__(redacted_address(url), options)
        self._url = url

    @classmethod
    def claims(cls, source: str) -> bool:
        """Return whether the name begins with a protocol: ``rtsp://…``."""
        return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", source) is not None

    @classmethod
    def open(cls, source: str, options: SourceOptions) -> StreamSource:
        """Check the address; the first requested frame makes the connection."""
        protocol = source.partition(":")[0].lower()
        if protocol not in PROTOCOLS:
            raise SourceError(
                f"{redacted_address(source)}: {protocol} is not a known protocol; known are {', '.join(PROTOCOLS)}"
            )
        return cls(source, options)

    def _pictures(self) -> Iterator[Picture | None]:
        stall = self.options.stall_seconds
        alive = monotonic()
        try:
            container = av.open(self._url, timeout=stall, options=_FFMPEG_OPTIONS, metadata_errors="replace")
        except (av.FFmpegError, ValueError) as error:
            # Not chained: the original holds the address with the password.
            raise LostError(self._why(error, alive)) from None
        with container:
            try:
                stream = video_stream(container, self.source_id, self.options.max_pixels)
            except SourceError as error:
                raise LostError(str(error)) from None
            if container.duration:
                raise SourceError(
                    f"{self.source_id} is a recording of {container.duration / av.time_base:.0f} s, not a live stream; "
                    "download it and give the file, so that its frames keep their own times"
                )
            # With frame threads, each would hold one back; with slice threads, FFmpeg would not report damage.
            stream.thread_type, stream.codec_context.thread_count = "SLICE", 1
            by_packet = self.options.fps is not None and intra_only(stream)
            alive = monotonic()
            try:
                for packet in container.demux(stream):
                    now = monotonic()
                    if now - alive > max(stall, UNDECODABLE_SECONDS):
                        raise LostError(f"no picture could be decoded for {now - alive:.0f} s")
                    if by_packet and packet.size and not self._pace.wants(now):
                        alive = now
                        yield None
                        continue
                    try:
                        frames = decode(stream, packet, self.options.max_pixels)
                    except av.FFmpegError:
                        self.stats.errors += 1
                        continue
                    for frame in frames:
                        alive = now
                        if frame.is_corrupt:
                            self.stats.errors += 1
                            continue
                        yield partial(rgb, frame) if by_packet or self._pace.wants(now) else None
            except av.FFmpegError as error:
                raise LostError(self._why(error, alive)) from None

    def _why(self, error: Exception, alive: float) -> str:
        # Not every protocol reports that it was interrupted for its time.
        if isinstance(error, av.error.ExitError) or monotonic() - alive >= self.options.stall_seconds:
            return f"nothing came for {self.options.stall_seconds:g} s"
        try:
            # FFmpeg reports an unknown host as an input/output error.
            host = urlsplit(self._url).hostname
            if host:
                socket.getaddrinfo(host, None)
        except (OSError, ValueError):
            return "there is no host of this name"
        return reason(error)
