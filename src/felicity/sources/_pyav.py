"""The common part of files and streams that FFmpeg reads."""

from __future__ import annotations

import math

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from felicity.errors import SourceError

# FFmpeg draws text files as if they were on a terminal.
_NOT_VIDEO = {"tty"}

FILE_OPTIONS = {
    "protocol_whitelist": "file",
    "max_pixels": "36000000",  # MOST_PIXELS, also while the file is looked at
    # Containers and bare streams that hold their pictures themselves. Playlists, session descriptions and lists of
    # pictures, which FFmpeg knows as well, make it open whatever files and addresses they name.
    "format_whitelist": (
        "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,apng,webp,flv,live_flv,asf,asf_o,mpegts,mpeg,mpegvideo,m4v,h261,"
        "h263,h264,hevc,vvc,evc,av1,obu,ivf,mjpeg,mpjpeg,mjpeg_2000,dv,ogg,nut,mxf,rm,wtv,dirac,dnxhd,vc1,yuv4mpegpipe,"
        "swf,gxf,nsv,nuv,avs2,avs3,cavsvideo,amv,dhav,ingenient,tty"
    ),
}
"""Options of av.open for files: accepted formats, so that a file leads to no other file."""
STREAM_OPTIONS = {
    # What lies beneath rtsp, http and the like, but no file: a playlist of a server must not read this machine.
    "protocol_whitelist": "http,https,httpproxy,tcp,tls,udp,rtp,srtp,rtsp,rtsps,rtmp,rtmps,rtmpt,rtmpts,crypto",
}
MOST_PIXELS = 36_000_000
"""Largest picture of a video, whose decoder holds many frames at a time: 8K, 7680 by 4320, has 33 million."""
FILE_SECONDS = 30.0
"""Seconds for each opening and each read of a file, because a network disk may hang."""


class Pace:
    """Chooses at most ``fps`` frames per second by their times, evenly, however irregular they are.

    Each of the moments 0, 1 / fps, 2 / fps, … after the first frame gets the nearest frame. The decision is made when a
    frame comes: a frame that is early by less than half the usual distance of frames is near enough. ``begin``: seconds
    of the first searched frame; the moments are those of the whole file.
    """

    def __init__(self, fps: float | None, begin: float = 0.0) -> None:
        self._period = None if fps is None else 1 / fps
        self._due = -math.inf if fps is None or begin == 0 else math.ceil(begin * fps) / fps
        self._previous: float | None = None
        self._spacing: float | None = None

    def wants(self, seconds: float) -> bool:
        """Return whether the frame at ``seconds`` (ascending) is to be used."""
        if self._period is None:
            return True
        if self._previous is None:
            self._due = seconds if self._due == -math.inf else self._due
        else:
            spacing = seconds - self._previous
            self._spacing = spacing if self._spacing is None else self._spacing + (spacing - self._spacing) / 8
        self._previous = seconds
        if seconds < self._due - min(self._spacing or 0.0, self._period) / 2:
            return False
        missed = math.floor(max(0.0, seconds - self._due) / self._period + 1e-6)
        self._due += (1 + missed) * self._period
        return True


class Clock:
    """Seconds since the stream's first frame, never decreasing.

    If the times in the file start again (joined files), they continue from there; frames without a time follow at the
    average frame rate.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._base = float(stream.time_base or 0)
        self._zero = stream.start_time
        self._period = float(1 / stream.average_rate) if stream.average_rate else 0.04
        self._shift = 0.0
        self._last: float | None = None

    def seconds(self, timed: VideoFrame | Packet[VideoStream]) -> float:
        """Return the time of a frame, or of a packet of one frame."""
        ticks = timed.pts if timed.pts is not None else timed.dts
        if ticks is None:
            now = 0.0 if self._last is None else self._last + self._period
        else:
            if self._zero is None:
                self._zero = ticks
            now = (ticks - self._zero) * self._base + self._shift
        if now < (self._last or 0.0):
            caught_up = 0.0 if self._last is None else self._last + self._period
            self._shift += caught_up - now
            now = caught_up
        self._last = now
        return now


def video_stream(container: InputContainer, name: str, max_pixels: int) -> VideoStream:
    """Return the container's video stream; raises SourceError if it has none, or one that is too large."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams or streams[0].codec_context is None or container.format.name in _NOT_VIDEO:
        raise SourceError(
            f"{name} holds no video that can be decoded; it may have been cut short, or be something else"
        )
    stream = streams[0]
    width, height = stream.codec_context.width, stream.codec_context.height
    max_pixels = min(max_pixels, MOST_PIXELS)
    stream.codec_context.options = {"max_pixels": str(max_pixels)}
    if width * height > max_pixels:
        raise SourceError(f"{name} has {width} by {height} pixels, more than the {max_pixels:,} allowed")
    return stream


def intra_only(stream: VideoStream) -> bool:
    """Return whether every frame is coded by itself, as in motion JPEG."""
    return bool(stream.codec_context.codec.intra_only)


def decode(stream: VideoStream, packet: Packet[VideoStream] | None, max_pixels: int) -> list[VideoFrame]:
    """Return the packet's frames; raises av.FFmpegError for damaged data, and for pictures that are too large."""
    frames = stream.codec_context.decode(packet)
    if any(frame.width * frame.height > max_pixels for frame in frames):
        raise av.InvalidDataError(0, "frame too large")
    return frames


def rgb(frame: VideoFrame) -> npt.NDArray[np.uint8]:
    """Return ``image_rgb_u8`` of a decoded frame, upright."""
    # Without a number, as many threads as there are cores begin and end with each frame.
    image = frame.to_ndarray(format="rgb24", threads=1)
    quarter_turns = round(frame.rotation / 90) % 4
    if quarter_turns:
        image = np.rot90(image, quarter_turns)
    return np.ascontiguousarray(image, dtype=np.uint8)


def reason(error: Exception) -> str:
    """Return FFmpeg's message without the address, which may hold a password."""
    text = error.strerror if isinstance(error, av.FFmpegError) else str(error)
    return " ".join(str(text or type(error).__name__).split()).rstrip(".").lower()
