"""Small pictures and videos that tests make for themselves; a frame's number can be read off its pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image


def numbered(number: int, *, width: int = 64, height: int = 48) -> npt.NDArray[np.uint8]:
    """RGB: the left half is ``8 * number`` bright, the right half dark blue."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width // 2 :, 2] = 100
    image[:, : width // 2] = 8 * number % 256
    return image


def number_in(image_rgb_u8: npt.NDArray[np.uint8]) -> int:
    """The number that ``numbered`` drew, after any lossy coding."""
    height, width = image_rgb_u8.shape[:2]
    return round(float(image_rgb_u8[height // 4 : -height // 4, width // 8 : width // 4].mean()) / 8)


def write_video(
    path: Path,
    frames: int = 12,
    *,
    codec: str = "libx264",
    fps: int = 10,
    pixel_format: str = "yuv420p",
    times: Sequence[float] | None = None,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    sound: float = 0.0,
) -> Path:
    """A video of ``numbered`` frames, at ``fps`` or at the given ``times``, with ``sound`` seconds of silence."""
    with av.open(str(path), "w", options=options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
        if times is not None:
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        silence = container.add_stream("aac", rate=16_000) if sound else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24").reformat(format=pixel_format)
            frame.time_base = Fraction(1, fps) if times is None else Fraction(1, 1000)
            frame.pts = number if times is None else round(1000 * times[number])
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if silence is not None:
            samples = av.AudioFrame.from_ndarray(np.zeros((1, round(16_000 * sound)), np.float32), "fltp", "mono")
            samples.rate = 16_000
            container.mux(silence.encode(samples))
            container.mux(silence.encode(None))
    return path


def write_gif(path: Path, frames: int = 12, *, milliseconds: int = 100) -> Path:
    """An animated GIF of ``numbered`` frames."""
    pictures = [Image.fromarray(numbered(number)) for number in range(frames)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0)
    return path


def write_images(folder: Path, numbers: Iterable[int] = range(12), *, ending: str = ".png") -> Path:
    """A folder of ``numbered`` images called ``frame0``, ``frame1``, …"""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        Image.fromarray(numbered(number)).save(folder / f"frame{number}{ending}")
    return folder
