"""Make clips of posters, sitters, a screen and a cut from the development clips, to see who is taken for a person.

python scripts/still_clips.py MEDIA OUT    MEDIA: the folder of clips
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

Image = np.ndarray
"""uint8 (height, width, 3), RGB."""
Box = tuple[float, float, float, float]
FPS = 5


@dataclass(frozen=True)
class Filmed:
    """How a clip is filmed. ``noise``: standard deviation of a pixel, grey values. ``shake``: of the camera, pixels.
    ``light``: factor by which the light swings up and down in 20 s. ``crf``: of H.264, the higher the coarser.
    """

    noise: float = 3.0
    shake: float = 0.0
    light: float = 0.0
    crf: int | None = None


CONDITIONS = {
    "noise 2": Filmed(noise=2),
    "noise 5": Filmed(noise=5),
    "noise 10": Filmed(noise=10),
    "light 30 %": Filmed(light=0.3),
    "shake 1 px": Filmed(shake=1),
    "crf 23": Filmed(crf=23),
    "crf 28": Filmed(crf=28),
    "crf 34": Filmed(crf=34),
    "shake 1 px, crf 28": Filmed(shake=1, crf=28),
}


def frames(clip: Path) -> list[Image]:
    """Return all frames of a clip."""
    with av.open(str(clip)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def poster(picture: Image, seconds: float, *, shown: float = 0.0, hidden: float = 0.0) -> Iterator[Image]:
    """Yield a picture that does not move; hidden behind grey now and then, if so many seconds are given for both."""
    for number in range(round(seconds * FPS)):
        away = hidden and number / FPS % (shown + hidden) >= shown
        yield np.full_like(picture, 110) if away else picture


def sitter(picture: Image, faces: Sequence[Box], seconds: float, sway: float, seed: int = 1) -> Iterator[Image]:
    """Yield a picture in which the heads sway by ``sway`` (standard deviation, face sides), within about a second.

    Who sits or stands sways by 2 to 8 mm, and a face is some 160 mm high: 0.01 to 0.05 sides.
    """
    rng = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    keep = np.exp(-1 / FPS)
    sides = [max(box[2] - box[0], box[3] - box[1]) for box in faces]
    heads = [
        np.exp(-((((x - (a + c) / 2) / (0.9 * side)) ** 2 + ((y - (b + d) / 2) / (1.1 * side)) ** 2) ** 2))
        for (a, b, c, d), side in zip(faces, sides, strict=True)
    ]
    place = rng.normal(size=(len(faces), 2))
    for _ in range(round(seconds * FPS)):
        place = keep * place + np.sqrt(1 - keep**2) * rng.normal(size=place.shape)
        right, down = x.copy(), y.copy()
        for head, side, (dx, dy) in zip(heads, sides, place * sway, strict=True):
            right -= (head * side * dx).astype(np.float32)
            down -= (head * side * dy).astype(np.float32)
        yield cv2.remap(picture, right, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def there_and_back(clip: Sequence[Image], seconds: float, fps: float = 12.0) -> Iterator[Image]:
    """Yield a clip of ``fps`` frames a second forwards and backwards, again and again."""
    loop = [*clip, *clip[-2:0:-1]]
    for number in range(round(seconds * FPS)):
        yield loop[round(number * fps / FPS) % len(loop)]


def screen(room: Image, clip: Iterable[Image], place: tuple[int, int, int, int]) -> Iterator[Image]:
    """Yield a room in which a clip runs on a screen: left, top, width and height in pixels."""
    left, top, width, height = place
    for picture in clip:
        now = room.copy()
        now[top : top + height, left : left + width] = cv2.resize(
            picture, (width, height), interpolation=cv2.INTER_AREA
        )
        yield now


def filmed(pictures: Iterable[Image], how: Filmed, seed: int = 1) -> Iterator[Image]:
    """Yield pictures as a camera gives them."""
    noisy = _noisy(pictures, how, np.random.default_rng(seed))
    return noisy if how.crf is None else _decoded(_encoded(noisy, how.crf))


def _noisy(pictures: Iterable[Image], how: Filmed, rng: np.random.Generator) -> Iterator[Image]:
    for number, picture in enumerate(pictures):
        if how.shake:
            shift = np.hstack([np.eye(2), rng.normal(0, how.shake, (2, 1))])
            picture = cv2.warpAffine(
                picture, shift, picture.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
        bright = picture * (1 + how.light * np.sin(2 * np.pi * number / FPS / 20))
        grain = rng.standard_normal(picture.shape[:2], dtype=np.float32)[..., None] * how.noise
        yield np.clip(bright + grain, 0, 255).astype(np.uint8)


def _encoded(pictures: Iterable[Image], crf: int) -> io.BytesIO:
    file, stream = io.BytesIO(), None
    with av.open(file, "w", format="mp4") as container:
        for picture in pictures:
            height, width = (n - n % 2 for n in picture.shape[:2])
            if stream is None:
                options = {"crf": str(crf), "preset": "veryfast", "g": str(4 * FPS)}
                stream = container.add_stream("libx264", rate=FPS, options=options)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            even = np.ascontiguousarray(picture[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        if stream is not None:
            container.mux(stream.encode(None))
    file.seek(0)
    return file


def _decoded(file: io.BytesIO) -> Iterator[Image]:
    with av.open(file) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def clips(media: Path) -> Iterator[tuple[str, Iterator[Image]]]:
    """Yield names and pictures of clips in which the truth about people is known."""
    pause = frames(media / "face-demographics-walking-and-pause.gif")
    woman = frames(media / "head-pose-face-detection-female.gif")
    man = frames(media / "head-pose-face-detection-male.gif")
    room = frames(media / "face-demographics-walking.gif")[0]
    how = Filmed(crf=26)
    yield "poster", filmed(poster(pause[-1], 120), how)
    yield "poster-now-and-then", filmed(poster(pause[-1], 120, shown=5.5, hidden=2.5), how)
    yield "cut", filmed([*woman[::2], *man[::2]], how)
    yield "screen", filmed(screen(room, there_and_back(man, 120), (40, 60, 160, 90)), how)
    yield "sitters", filmed(there_and_back(frames(media / "classroom.gif"), 60), how)


def main() -> None:
    """Write the clips as MP4."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("media", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, pictures in clips(options.media):
        (options.out / f"{name}.mp4").write_bytes(_encoded(pictures, 18).getvalue())
        print(options.out / f"{name}.mp4")


if __name__ == "__main__":
    main()
