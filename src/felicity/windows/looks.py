"""The seeing conditions of single pictures, as far as windows count them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

Unfit = Literal["faint", "noisy"]
"""The reason why faces in a picture are missed: too little contrast (dark, pale, foggy), or too much noise for it."""


@dataclass(frozen=True)
class Conditions:
    """The conditions of one picture, in grey levels of 0 to 255 except the sharpness.

    ``brightness``: mean. ``contrast``: standard deviation. ``noise``: standard deviation of the noise of a pixel.
    ``sharpness``: fine detail relative to the contrast, see ``faces.quality.sharpness``, without that of the noise.
    """

    brightness: float
    contrast: float
    sharpness: float
    noise: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} is a number from 0, not {value}")


@dataclass(frozen=True)
class Look:
    """The seeing conditions of one frame.

    ``repeated``: its picture equals that of the frame before; ``frozen``: it has been repeated for long. ``unfit``: the
    reason why not all faces can be found in it, if any. ``conditions``: None if they were not measured.
    """

    repeated: bool = False
    frozen: bool = False
    unfit: Unfit | None = None
    measured: Conditions | None = None

    def count(self, window: dict[str, Any]) -> None:
        """Add the conditions to the columns of an open window."""
        window["frames_frozen"] += self.frozen
        if self.unfit is not None and not self.frozen:
            window["frames_unfit"][self.unfit] = window["frames_unfit"].get(self.unfit, 0) + 1
        if self.measured is not None:
            window["pictures"] += 1
            for name, value in vars(self.measured).items():
                window[name] += value
