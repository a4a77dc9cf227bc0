"""Pictures and videos, written whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError, ImageError
from felicity.files import NewFile, check_folder, make_folder, write_whole


def check_picture(path: Path) -> None:
    """Check ``path`` now, so that ``write_image`` does not fail after long work.

    Raises ImageError for an unknown ending, ConfigError for a place that cannot be written.
    """
    import cv2

    if not cv2.haveImageWriter(f"picture{path.suffix}"):
        raise ImageError(f"{path}: cannot be written as {path.suffix or 'a file without an ending'}; use .jpg or .png")
    check_folder(path.parent)
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; name a picture in it")


def write_image(path: Path, image_rgb_u8: npt.NDArray[np.uint8]) -> None:
    """Write uint8 ``(height, width, 3)`` RGB in the format of the suffix (``.jpg``, ``.png``); beside, then in place.

    Raises ImageError and ConfigError as ``check_picture``.
    """
    import cv2

    check_picture(path)
    done, data = cv2.imencode(path.suffix, cv2.cvtColor(image_rgb_u8, cv2.COLOR_RGB2BGR))
    if not done:
        raise ImageError(f"{path}: cannot be written as {path.suffix}; use .jpg or .png")
    make_folder(path.parent)
    write_whole(path, data.tobytes(), own=True)


def check_video(path: Path) -> None:
    """Raise ImageError if ``path`` cannot be the name of a video."""
    if path.suffix.lower() != ".mp4":
        raise ImageError(f"{path}: Felicity writes annotated video as .mp4; give a name with such an ending")
    if path.is_dir():
        raise ImageError(f"{path} is a folder; give the name of the video that is to be written")


class VideoWriter:
    """A writer of frames into an MP4 at their own times; the file appears when the writer closes without an error."""

    def __init__(self, path: Path) -> None:
        import av

        check_video(path)
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = NewFile(path, own=True)
            self._container = av.open(self._file.stream, "w", format="mp4")
        except OSError as error:
            raise ImageError(f"{path}: cannot be written ({error}); choose another place") from error
        self._stream: Any = None
        self._last = -1

    def write(self, image_rgb_u8: npt.NDArray[np.uint8], seconds: float) -> None:
        """Add a frame, uint8 ``(height, width, 3)`` RGB, shown from ``seconds`` after the start; raises ImageError."""
        with self._failures(f"a frame of {image_rgb_u8.shape[1]} by {image_rgb_u8.shape[0]} pixels "):
            self._add(image_rgb_u8, seconds)

    def _add(self, image_rgb_u8: npt.NDArray[np.uint8], seconds: float) -> None:
        import av

        if self._stream is None:
            height, width = image_rgb_u8.shape[:2]
            self._stream = self._container.add_stream("libx264", rate=30, options={"crf": "20", "preset": "veryfast"})
            self._stream.width, self._stream.height = width - width % 2, height - height % 2
            self._stream.pix_fmt = "yuv420p"
            self._stream.time_base = self._stream.codec_context.time_base = Fraction(1, 1000)
        trimmed = np.ascontiguousarray(image_rgb_u8[: self._stream.height, : self._stream.width])
        frame = av.VideoFrame.from_ndarray(trimmed, format="rgb24")
        self._last = max(self._last + 1, round(seconds * 1000))
        frame.pts, frame.time_base = self._last, Fraction(1, 1000)
        self._container.mux(self._stream.encode(frame))

    @contextlib.contextmanager
    def _failures(self, what: str = "") -> Iterator[None]:
        """Turn FFmpeg's errors (a full disk, an impossible size for H.264) into a sentence."""
        import av

        try:
            yield
        except (av.FFmpegError, OSError, ValueError, IndexError) as error:
            raise ImageError(
                f"{self.path}: {what}cannot be written ({error}); choose another place or source"
            ) from error

    def close(self) -> None:
        """Finish the file and put it in its place; raises ImageError."""
        with self._failures():
            if self._stream is not None:
                self._container.mux(self._stream.encode(None))
            self._container.close()
            if self._stream is not None:
                self._file.keep()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None or issubclass(kind, KeyboardInterrupt):
                self.close()
            else:
                with contextlib.suppress(Exception):  # the first error is the one to report
                    self._container.close()
        finally:
            self._file.drop()
