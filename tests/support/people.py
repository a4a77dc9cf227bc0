"""Pictures and clips with real faces, from the photograph that scikit-image ships."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import skimage

from felicity.imaging.decode import read_image
from felicity.imaging.encode import VideoWriter

Image = npt.NDArray[np.uint8]


def photograph() -> Image:
    """Eileen Collins, NASA: 512x512 with one smiling face of about 90 pixels."""
    return read_image(Path(skimage.__file__).parent / "data" / "astronaut.png")


def scene(*places_xy: tuple[int, int], width: int = 640, height: int = 360) -> Image:
    """A grey room with the photographed head at each of the places (its top left corner; it is 200x220)."""
    head = photograph()[0:220, 120:320]
    room = np.full((height, width, 3), 110, np.uint8)
    for x, y in places_xy:
        room[y : y + 220, x : x + 200] = head[: height - y, : width - x]
    return cv2.GaussianBlur(room, (3, 3), 0)  # type: ignore[return-value]


def faces_clip(path: Path, seconds: float = 6.0, fps: int = 3) -> Path:
    """Two people: one stays throughout, one comes after a third of the time and leaves after two thirds.

    Their faces are 54 pixels long, little more than HOG needs: it takes as long as there are pixels.
    """
    frames = round(seconds * fps)
    with VideoWriter(path) as video:
        for i in range(frames):
            places = [(40 + i, 60)]
            if frames / 3 <= i < 2 * frames / 3:
                places.append((380 - i, 80))
            room = scene(*places, width=580, height=300)
            video.write(cv2.resize(room, (348, 180), interpolation=cv2.INTER_AREA), i / fps)  # type: ignore[arg-type]
    return path


if __name__ == "__main__":
    faces_clip(Path(sys.argv[1]))
