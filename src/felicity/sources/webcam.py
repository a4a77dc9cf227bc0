"""Cameras of this machine, by number or device file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
import numpy.typing as npt

from felicity.sources._live import LiveSource, LostError, Picture
from felicity.sources.registry import SourceOptions, register


@register
class WebcamSource(LiveSource):
    """A camera that OpenCV knows: ``0`` is the first, ``/dev/video2`` a device file under Linux."""

    kind = "webcam"
    rank = 0

    def __init__(self, device: str, options: SourceOptions) -> None:
        super().__init__(f"camera {device}", options)
        self._device = int(device) if device.isdecimal() else device

    @classmethod
    def claims(cls, source: str) -> bool:
        """Return whether it is a video device, or a number without a file of that name."""
        return (source.isdecimal() and not Path(source).exists()) or re.fullmatch(r"/dev/video\d+", source) is not None

    @classmethod
    def open(cls, source: str, options: SourceOptions) -> WebcamSource:
        """Open the device for the first frame."""
        return cls(source, options)

    def _pictures(self) -> Iterator[Picture | None]:
        logging = cv2.utils.logging
        before = logging.setLogLevel(0)  # keeps OpenCV from printing what LostError reports
        try:
            camera = cv2.VideoCapture(self._device)
        finally:
            logging.setLogLevel(before)
        try:
            if not camera.isOpened():
                raise LostError("there is no such camera, or another program uses it")
            camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            while camera.grab():
                if not self._pace.wants(monotonic()):
                    yield None
                    continue
                came, image_bgr_u8 = camera.retrieve()
                if came:
                    yield partial(_rgb, image_bgr_u8)
                else:
                    self.stats.errors += 1
            raise LostError("it gives no more pictures")
        finally:
            camera.release()


def _rgb(image_bgr_u8: cv2.typing.MatLike) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image_bgr_u8, cv2.COLOR_BGR2RGB), dtype=np.uint8)
