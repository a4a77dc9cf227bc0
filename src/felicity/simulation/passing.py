"""A clip of a real face that passes a camera, again and again, from the photograph that scikit-image ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from felicity.imaging.decode import read_image
from felicity.imaging.encode import VideoWriter

WIDTH, HEIGHT = 640, 360
FPS = 10
EVERY_SECONDS, SPEED = 3.0, 160.0
"""Seconds between two passages, and pixels a second."""
PASSAGES = 4
_GREY = 110


def write_passing(target: Path) -> Path:
    """Write a clip of ``PASSAGES`` passages, whose end joins its begin, and return its path.

    The face is that of Eileen Collins (NASA), about 90 pixels high. Raises ConfigError if the file cannot be written.
    """
    import skimage

    head = read_image(Path(skimage.__file__).parent / "data" / "astronaut.png")[0:220, 120:320]
    length = PASSAGES * EVERY_SECONDS
    with VideoWriter(target) as video:
        for number in range(round(length * FPS)):
            time = number / FPS
            frame = np.full((HEIGHT, WIDTH, 3), _GREY, np.uint8)
            for passage in range(PASSAGES):
                left = round((time - passage * EVERY_SECONDS) % length * SPEED) - head.shape[1]
                top = 40 + 20 * (passage % 3)
                shown = slice(max(left, 0), min(left + head.shape[1], WIDTH))
                if shown.start < shown.stop:
                    frame[top : top + head.shape[0], shown] = head[:, shown.start - left : shown.stop - left]
            video.write(frame, time)
    return target
