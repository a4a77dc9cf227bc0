"""The check of cameras: whether each opens, and whether its faces are large enough to be judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Timer
from time import monotonic

from felicity.cameras.areas import PrivateAreas
from felicity.cameras.decoding import MAX_PIXELS
from felicity.cameras.settings import CameraSettings
from felicity.cameras.shared import counting
from felicity.errors import FelicityError
from felicity.faces.detection import Detector
from felicity.faces.quality import QualityGate
from felicity.schemas.cameras import CameraCheckShape
from felicity.sources.registry import SourceOptions, open_source

LOOKED_AT = 2.0
"""Frames per second that are searched for faces."""


def check_cameras(cameras: Sequence[CameraSettings], detector: Detector, seconds: float) -> list[CameraCheckShape]:
    """Watch each camera for ``seconds``, all at once."""
    with ThreadPoolExecutor(len(cameras)) as pool:
        return list(pool.map(lambda camera: _check(camera, detector, seconds), cameras))


def _check(camera: CameraSettings, detector: Detector, seconds: float) -> CameraCheckShape:
    finder = counting(detector, camera)
    private, smallest = PrivateAreas(camera.private), QualityGate().min_side or 0.0
    times: list[float] = []
    sides: list[float] = []
    size: tuple[int, int] | None = None
    error, next_look = "", -math.inf
    try:
        options = SourceOptions(max_pixels=MAX_PIXELS, stall_seconds=camera.stall_seconds, patience_seconds=0)
        with open_source(camera.address(), options=options) as source:
            timer = Timer(seconds + camera.stall_seconds, source.stop)
            timer.daemon = True
            timer.start()
            for frame in source:
                times.append(frame.time.timestamp())
                size = (frame.image_rgb_u8.shape[1], frame.image_rgb_u8.shape[0])
                if (now := monotonic()) >= next_look:
                    next_look = now + 1 / LOOKED_AT
                    private.blacken(frame.image_rgb_u8)
                    sides += [found.side for found in finder.detect(frame.image_rgb_u8)]
                if times[-1] - times[0] >= seconds:
                    break
            timer.cancel()
            dropped = source.stats.dropped
    except FelicityError as failure:
        error, dropped = str(failure), 0
    if not times and not error:
        error = f"no frame came within {seconds + camera.stall_seconds:g} s"
    span = times[-1] - times[0] if len(times) > 1 else 0.0
    return CameraCheckShape(
        name=camera.name,
        location=camera.location,
        source=camera.shown(),
        opens=not error,
        error=error,
        width=size[0] if size else None,
        height=size[1] if size else None,
        fps=(len(times) - 1 + dropped) / span if span > 0 else None,
        faces=len(sides),
        large_enough=sum(side >= smallest for side in sides) / len(sides) if sides else None,
    )
