"""Annotated pictures: boxes with expression and probability, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.labels import Expression
from felicity.style.numbers import share
from felicity.style.palette import EXPRESSION, INK, UNJUDGED, rgb, text_on


@dataclass(frozen=True)
class Label:
    """One box and its text; without ``expression`` the face was found but not judged.

    ``name``: text in place of the expression; the box keeps the expression's colour.
    """

    box_xyxy: tuple[float, float, float, float]
    expression: Expression | None
    probability: float | None = None
    remark: str | None = None
    name: str | None = None

    @property
    def text(self) -> str:
        """Return the text above the box."""
        if self.expression is None:
            return self.remark or "not judged"
        name = self.name or str(self.expression)
        return name if self.probability is None else f"{name} {share(self.probability, 0)}"

    @property
    def colour(self) -> str:
        """Return the expression's colour as ``#rrggbb``."""
        return UNJUDGED if self.expression is None else EXPRESSION[self.expression]


def draw_faces(
    image_rgb_u8: npt.NDArray[np.uint8], labels: Sequence[Label], *, caption: str | None = None
) -> npt.NDArray[np.uint8]:
    """Return a copy of the picture with a box and a line of text for each face.

    ``image_rgb_u8``: uint8 ``(height, width, 3)``, not changed. ``caption`` is written at the top left.
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = image_rgb_u8.shape[:2]
    canvas = Image.fromarray(image_rgb_u8)
    pen = ImageDraw.Draw(canvas)
    line = max(2, round(max(height, width) / 400))

    def tag(x: float, y: float, text: str, size: float, colour: str) -> None:
        font = ImageFont.load_default(size)
        left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
        pad = size / 4
        w, h = right - left + 2 * pad, bottom - top + 2 * pad
        x, y = min(max(x, 0), max(width - w, 0)), min(max(y, 0), max(height - h, 0))
        pen.rectangle((x, y, x + w, y + h), fill=rgb(colour))
        pen.text((x + pad - left, y + pad - top), text, font=font, fill=rgb(text_on(colour)))

    for label in labels:
        x0, y0, x1, y1 = label.box_xyxy
        size = min(max((x1 - x0) / 7, 11), max(height, width) / 30 + 6)
        pen.rectangle((x0, y0, x1, y1), outline=rgb(label.colour), width=line)
        above = y0 - size * 1.5
        tag(x0, above if above >= 0 else y1, label.text, size, label.colour)
    if caption:
        size = max(12, height / 36)
        tag(size / 2, size / 2, caption, size, INK)
    return np.array(canvas)
