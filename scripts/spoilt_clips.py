"""Spoil clips the ways cameras spoil them: dusk, dark, freeze, damage, blur and the like.

    python scripts/spoilt_clips.py CLIP... -o FOLDER [--kinds dusk,dark,freeze,damage] [--turns 3]

Writes ``FOLDER/CLIP-KIND.mp4``, H.264, for each clip and kind (``felicity watch`` takes them). A clip is played several
times in a row, so that it lasts long enough for its people to be counted; ``day`` is only coded again. One seed
draws all, so the same clips come out each time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Spoil = Callable[[Image, float, np.random.Generator], Image]
"""Spoils one frame; the second argument is how much of the clip is over, 0 to 1."""

FROZEN_FROM, FROZEN_TO = 0.3, 0.8
DAMAGED = 0.25  # of the packets that are not key frames
RATE = 12


def darkened(gain: float, noise: float) -> Spoil:
    """``gain`` times the light, with as much noise as the camera's amplifier adds, in grey levels."""

    def spoil(image: Image, over: float, rng: np.random.Generator) -> Image:
        return _noisy(image * np.float32(gain), noise, rng)

    return spoil


def dusk(image: Image, over: float, rng: np.random.Generator) -> Image:
    """Light goes to a tenth while the clip plays, and noise comes."""
    gain = 0.1**over
    return _noisy(image * np.float32(gain), 6 * over, rng)


def noisy(noise: float) -> Spoil:
    """Add noise, in grey levels."""
    return darkened(1.0, noise)


def blurred(sigma: float) -> Spoil:
    """Imitate a lens out of focus; ``sigma`` in pixels."""
    return lambda image, over, rng: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.uint8)


def shrunk(share: float) -> Spoil:
    """Imitate a camera further away: the scene on ``share`` of the width and height, grey around it."""

    def spoil(image: Image, over: float, rng: np.random.Generator) -> Image:
        height, width = image.shape[:2]
        small = cv2.resize(image, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
        wide = np.full_like(image, 110)
        wide[: small.shape[0], : small.shape[1]] = small
        return wide

    return spoil


def _noisy(image: npt.NDArray[np.floating], noise: float, rng: np.random.Generator) -> Image:
    if noise:
        image = image + rng.normal(0, noise, image.shape).astype(np.float32)
    return np.asarray(image.clip(0, 255).round(), dtype=np.uint8)


KINDS: dict[str, Spoil | None] = {
    "day": None,
    "dusk": dusk,
    "dark": darkened(0.2, 4),
    "night": darkened(0.08, 4),
    "noise": noisy(16),
    "blur": blurred(4),
    "small": shrunk(0.5),
    "freeze": None,
    "damage": None,
}


def read(clip: Path, turns: int) -> list[Image]:
    """Return the frames of a clip, ``turns`` times."""
    with av.open(str(clip)) as source:
        frames = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
    return frames * turns


def spoilt(frames: Sequence[Image], spoil: Spoil | None, seed: int = 1) -> list[Image]:
    """Return the frames spoilt one by one."""
    rng = np.random.default_rng(seed)
    if spoil is None:
        return list(frames)
    return [spoil(frame, i / max(1, len(frames) - 1), rng) for i, frame in enumerate(frames)]


def write(frames: Sequence[Image], path: Path, *, rate: int = RATE, quality: int = 18) -> Path:
    """Write frames as H.264; ``quality`` is x264's rate factor, more is worse."""
    height, width = (side - side % 2 for side in frames[0].shape[:2])
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=rate, options={"crf": str(quality), "g": "48", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, rate)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def freeze(path: Path, rate: int = RATE) -> None:
    """Let the picture of a clip stand still from 30 to 80 % of it, as a camera does that hangs.

    Coded again and again, a still picture differs from frame to frame, so this is motion JPEG: the same bytes.
    """
    with av.open(str(path)) as source:
        frames = [frame.to_ndarray(format="yuv420p") for frame in source.decode(video=0)]
    begin, end = (round(share * len(frames)) for share in (FROZEN_FROM, FROZEN_TO))
    frames[begin:end] = [frames[begin]] * (end - begin)
    with av.open(str(path), "w") as target:
        stream = target.add_stream("mjpeg", rate=rate, options={"q:v": "3"})
        stream.height, stream.width = frames[0].shape[0] * 2 // 3, frames[0].shape[1]
        stream.pix_fmt = "yuvj420p"
        for i, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="yuvj420p")
            frame.pts, frame.time_base = i, Fraction(1, rate)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


def damage(path: Path, seed: int = 1) -> int:
    """Overwrite bytes in the middle of some packets of a clip, as a lossy network does; return of how many."""
    rng, hit = np.random.default_rng(seed), 0
    with av.open(str(path)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
        parts = [(bytes(p), p.pts, p.dts, p.duration, p.time_base, p.is_keyframe) for p in packets]
        template = source.streams.video[0]
        with av.open(str(path.with_suffix(".new.mp4")), "w") as target:
            stream = target.add_stream_from_template(template)
            for data, pts, dts, duration, time_base, is_keyframe in parts:
                if not is_keyframe and len(data) > 200 and rng.random() < DAMAGED:
                    at = len(data) // 4
                    data, hit = data[:at] + rng.bytes(60) + data[at + 60 :], hit + 1
                packet = av.Packet(data)
                packet.pts, packet.dts, packet.duration, packet.time_base = pts, dts, duration, time_base
                packet.is_keyframe, packet.stream = is_keyframe, stream
                target.mux(packet)
    path.with_suffix(".new.mp4").replace(path)
    return hit


def make(clip: Path, kind: str, folder: Path, turns: int = 3) -> Path:
    """Write a clip spoilt in one way of ``KINDS``, and return where."""
    path = write(spoilt(read(clip, turns), KINDS[kind]), folder / f"{clip.stem}-{kind}.mp4")
    if kind == "freeze":
        freeze(path)
    if kind == "damage":
        damage(path)
    return path


def main() -> None:
    """Make the clips that the command line asks for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("clips", type=Path, nargs="+")
    asked.add_argument("-o", "--output", type=Path, required=True)
    asked.add_argument("--kinds", default=",".join(KINDS))
    asked.add_argument("--turns", type=int, default=3)
    flags = asked.parse_args()
    flags.output.mkdir(parents=True, exist_ok=True)
    for clip in flags.clips:
        for kind in flags.kinds.split(","):
            print(make(clip, kind, flags.output, flags.turns))


if __name__ == "__main__":
    main()
