"""The input format of a network; the only place that normalises pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from felicity.errors import BundleError

Colour = Literal["gray", "rgb"]


@dataclass(frozen=True)
class InputSpec:
    """Size, colour and normalisation of a network's input.

    ``mean`` and ``std`` are in units of 255: a pixel ``v`` enters as ``(v / 255 - mean) / std``.
    The batch is NCHW float32.
    """

    size: int
    colour: Colour
    mean: float
    std: float

    def __post_init__(self) -> None:
        if not 8 <= self.size <= 1024:
            raise BundleError(f"input size must be 8 to 1024 pixels, not {self.size}")
        if self.colour not in ("gray", "rgb"):
            raise BundleError(f"input colour must be 'gray' or 'rgb', not {self.colour!r}")
        if not (0 <= self.mean <= 1 and 0 < self.std <= 1):
            raise BundleError(f"input mean and std must lie in 0..1, not {self.mean} and {self.std}")

    @property
    def channels(self) -> int:
        """Return 1 for grey, 3 for RGB."""
        return 1 if self.colour == "gray" else 3

    def batch(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Normalise face crops of the right size.

        ``crops``: uint8, ``(N, size, size)`` if grey, ``(N, size, size, 3)`` RGB otherwise.
        Returns float32 ``(N, channels, size, size)``.
        """
        expected = (self.size, self.size) if self.channels == 1 else (self.size, self.size, 3)
        if crops.dtype != np.uint8 or crops.shape[1:] != expected:
            raise ValueError(f"crops must be uint8 (N, {expected}), not {crops.dtype} {crops.shape}")
        x = crops.astype(np.float32)
        x *= np.float32(1 / (255 * self.std))
        x -= np.float32(self.mean / self.std)
        if self.channels == 1:
            return x[:, None]
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2))

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form for ``bundle.json``."""
        return {"size": self.size, "colour": self.colour, "mean": self.mean, "std": self.std}
