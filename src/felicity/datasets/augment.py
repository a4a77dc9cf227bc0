"""Augmentation: random changes of a face before the network sees it, to position, light, camera and obstacles.

Sources: erasing, Zhong et al. 2020 (arXiv:1708.04896); small and blurred faces imitate cameras far away.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from felicity import plugins
from felicity.errors import ConfigError

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Augmentation:
    """The extent of each change; 0 switches a change off.

    ``shift``: fraction of the side, each way. ``zoom``: factor 1/(1 + zoom) to 1 + zoom. ``stretch``: the same for the
    width alone. ``turn``: degrees, each way. ``flip``, ``erase``, ``coarse``, ``blur``, ``noise``, ``jpeg``: shares of
    the images that are mirrored, get a hole, are sampled down and up again, are blurred, get noise, are compressed as a
    JPEG of quality 30 to 90. ``worn``: share of the images that get sunglasses, a cap, a scarf or a beard: dark patches
    that leave the mouth free, placed for faces cut as FER2013's are. ``contrast``: factor 1 - c to 1 + c.
    ``brightness``: fraction of 255, each way.
    """

    shift: float = 0.1
    zoom: float = 0.18
    stretch: float = 0.08
    turn: float = 14.0
    flip: float = 0.5
    contrast: float = 0.3
    brightness: float = 0.15
    coarse: float = 0.25
    blur: float = 0.1
    noise: float = 0.3
    jpeg: float = 0.1
    erase: float = 0.25
    worn: float = 0.0

    def __post_init__(self) -> None:
        limits = {"turn": 180.0, "zoom": 4.0, "stretch": 4.0}
        for f in fields(self):
            value, most = getattr(self, f.name), limits.get(f.name, 1.0)
            if not 0 <= value <= most:
                raise ConfigError(f"augmentation: {f.name} must lie in 0 to {most:g}, not {value}")


@dataclass(frozen=True)
class OwnAugmentation:
    """An external function from uint8 ``(N, S, S[, 3])`` and a generator to changed copies of the same shape.

    ``flip``: share of mirrored images in ``views``, whether the function itself mirrors or not.
    """

    path: str
    function: Callable[[Image, np.random.Generator], Image] = field(repr=False, compare=False)
    flip: float = 0.0

    def __call__(self, images: Image, rng: np.random.Generator) -> Image:
        """Return changed copies. Raises ConfigError if the function returns anything else."""
        made = np.asarray(self.function(images.copy(), rng))
        if made.shape != images.shape or made.dtype != np.uint8:
            raise ConfigError(
                f"augment {self.path}: must give uint8 images {images.shape}, and gave {made.dtype} {made.shape}"
            )
        return made


def own_augmentation(name: str) -> OwnAugmentation | None:
    """Return the function at an import path, or that a package announces under ``name``; None if there is none."""
    if plugins.is_path(name):
        return OwnAugmentation(name, plugins.import_callable(name, "augment"))
    if entry := plugins.announced("augmentations").get(name):
        return OwnAugmentation(entry.value, plugins.load(entry))
    return None


PRESETS: dict[str, Augmentation] = {
    "geometry": Augmentation(coarse=0, blur=0, noise=0, jpeg=0, erase=0),
    "camera": Augmentation(),
    "mild": Augmentation(
        shift=0.06, zoom=0.1, stretch=0.05, turn=8, contrast=0.2, brightness=0.1,
        coarse=0.15, blur=0.06, noise=0.15, jpeg=0.08, erase=0.1,
    ),
}  # fmt: skip
"""The presets by name.

``geometry``: position and light alone. ``camera``: also the effects of cameras and obstacles. ``mild``: the same at
about half the extent, for networks that have learnt from ``camera`` and are fine-tuned on faces as they mostly occur
(He Z. et al. 2019, arXiv:1909.09148).
"""

SMALLEST_COARSE, NOISE_DEVIATION, HOLE = 1 / 3, 0.06, (1 / 8, 1 / 3)
JPEG_QUALITY = 30, 91


def augment(images: Image, rng: np.random.Generator, how: Augmentation | OwnAugmentation | None = None) -> Image:
    """Return changed copies of ``images``, uint8 ``(N, S, S)`` or ``(N, S, S, 3)``, in the same shape.

    The result depends on ``images``, ``how`` and the state of ``rng`` alone.
    """
    how = how or Augmentation()
    if isinstance(how, OwnAugmentation):
        return how(images, rng)
    result = np.empty_like(images)
    for row in range(len(images)):
        result[row] = _augment_one(images[row], rng, how)
    return result


def _augment_one(image: Image, rng: np.random.Generator, how: Augmentation) -> Image:
    side = image.shape[0]

    def chance(share: float) -> bool:
        return bool(rng.random() < share)

    def each_way(most: float) -> float:
        return float(rng.uniform(-most, most))

    if how.worn and chance(how.worn):  # 0 draws nothing, so that views made without it stay what they were
        image = _with_something_worn(image, rng)
    scale, angle = (1 + how.zoom) ** each_way(1), math.radians(each_way(how.turn))
    across = (1 + how.stretch) ** each_way(1) * (-1.0 if chance(how.flip) else 1.0)
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    matrix = np.array([[cos * across, -sin, 0.0], [sin * across, cos, 0.0]])
    centre = (side - 1) / 2  # turn and mirror about the centre, then shift
    matrix[:, 2] = centre - matrix[:, :2] @ [centre, centre]
    matrix[:, 2] += [each_way(how.shift) * side, each_way(how.shift) * side]
    x: npt.NDArray[Any] = cv2.warpAffine(
        image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if chance(how.coarse):
        small = max(2, round(side * float(rng.uniform(SMALLEST_COARSE, 0.85))))
        x = cv2.resize(x, (small, small), interpolation=cv2.INTER_AREA)
        x = cv2.resize(x, (side, side), interpolation=cv2.INTER_LINEAR)
    if chance(how.blur):
        x = cv2.GaussianBlur(x, (0, 0), sigmaX=side / 48 * float(rng.uniform(0.5, 1.2)))
    light = x.astype(np.float32)
    mean = light.mean()
    light = (light - mean) * (1 + each_way(how.contrast)) + mean + 255 * each_way(how.brightness)
    if chance(how.noise):
        light += rng.normal(0, 255 * rng.uniform(0, NOISE_DEVIATION), light.shape).astype(np.float32)
    x = np.clip(np.rint(light), 0, 255).astype(np.uint8)
    if chance(how.jpeg):
        quality = int(rng.integers(*JPEG_QUALITY))
        _, packed = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, quality])
        x = np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED))
    if chance(how.erase):
        height, width = (max(1, round(side * float(rng.uniform(*HOLE)))) for _ in range(2))
        top, left = (int(rng.integers(0, side - length + 1)) for length in (height, width))
        x[top : top + height, left : left + width] = rng.integers(0, 256)
    return x


def _with_something_worn(image: Image, rng: np.random.Generator) -> Image:
    """Return the face with sunglasses, a cap, a scarf or a beard; places and sizes vary around those of FER2013's."""
    side = image.shape[0]
    mask = np.zeros(image.shape[:2], dtype=np.uint8)
    strength = float(rng.uniform(0.75, 1.0))
    wobble = rng.uniform(-0.03, 0.03, 4)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(x * side), round(y * side)

    match int(rng.integers(4)):
        case 0:  # sunglasses
            y, size = 0.38 + wobble[0], (0.13 + wobble[1], 0.085 + wobble[2])
            for x in (0.3 + wobble[3], 0.7 + wobble[3]):
                cv2.ellipse(mask, at(x, y), at(*size), 0, 0, 360, 255, -1)
            cv2.line(mask, at(0.0, y - 0.03), at(1.0, y - 0.03), 255, max(1, side // 32))
        case 1:  # cap
            brim = [at(-0.1, 0.2 + 2 * wobble[0]), at(0.5, 0.24 + wobble[1]), at(1.1, 0.2 + 2 * wobble[2])]
            cv2.fillPoly(mask, [np.array([at(-0.1, -0.1), *brim, at(1.1, -0.1)])], 255)
        case 2:  # scarf
            hem = [at(-0.1, 0.84 + 2 * wobble[0]), at(0.5, 0.93 + wobble[1]), at(1.1, 0.84 + 2 * wobble[2])]
            cv2.fillPoly(mask, [np.array([at(-0.1, 1.1), *hem, at(1.1, 1.1)])], 255)
        case _:  # beard
            strength *= 0.7
            cv2.ellipse(mask, at(0.5, 0.74 + wobble[0]), at(0.4 + wobble[1], 0.3), 0, 0, 360, 255, -1)
            mask[: round(0.64 * side)] = 0
            cv2.ellipse(mask, at(0.5, 0.76 + wobble[0]), at(0.21 + wobble[2], 0.085 + wobble[3]), 0, 0, 360, 0, -1)
    cover = strength * cv2.GaussianBlur(mask, (0, 0), side / 64).astype(np.float32) / 255
    cover = cover if image.ndim == 2 else cover[..., None]
    shade = float(rng.uniform(0, 70))
    return np.rint(image * (1 - cover) + shade * cover).astype(np.uint8)


def preview(
    images: Image, seed: int = 1, how: Augmentation | OwnAugmentation | None = None, *, variants: int = 9
) -> Image:
    """Return a sheet uint8 ``(H, W, 3)`` RGB: in each line an image and ``variants`` augmented copies of it.

    ``images``: uint8 ``(N, S, S)`` or ``(N, S, S, 3)``. Small images are enlarged, pixel by pixel.
    """
    rng = np.random.default_rng(seed)
    side, gap, inset = images.shape[1], 4, 16
    zoom = max(1, round(96 / side))
    cell = side * zoom
    columns = variants + 1
    sheet = np.full((inset * 2 + len(images) * (cell + gap) - gap, inset * 3 + columns * (cell + gap) - gap, 3), 255)
    for line, image in enumerate(images):
        made = augment(np.repeat(image[None], variants, axis=0), rng, how)
        for column, shown in enumerate((image, *made)):
            top, left = inset + line * (cell + gap), inset + column * (cell + gap) + (inset if column else 0)
            large = np.repeat(np.repeat(shown, zoom, axis=0), zoom, axis=1)
            sheet[top : top + cell, left : left + cell] = large if large.ndim == 3 else large[..., None]
    return sheet.astype(np.uint8)
