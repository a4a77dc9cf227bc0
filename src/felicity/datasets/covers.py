"""Faces with things before them, to teach a network which mouths it cannot see.

The label follows from what was drawn: a lower face is covered where the mouth is hidden, whatever hides it. The same
things drawn elsewhere, masks below the mouth, beards, captions and shadows leave it free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from felicity.datasets.cover_styles import AT_THE_MOUTH, BARE, MASKS, SEEN_THROUGH, STYLES, Place
from felicity.datasets.drawing import Drawing, FaceFrame

Image = npt.NDArray[np.uint8]
HIDDEN, SEEN = 0.9, 0.1
"""Shares of the mouth that are hidden, from which it is covered, and up to which it is not."""
ATTEMPTS = 6


@dataclass(frozen=True)
class Covering:
    """The things that are drawn, and how often; the rest of the faces stays as it is.

    ``covered``: share of the faces whose mouth is hidden by one of ``styles``. ``decoys``: share with one of these
    elsewhere, masks below the chin, and ``BARE`` things.
    """

    covered: float = 0.4
    decoys: float = 0.3
    styles: Sequence[str] = tuple(STYLES)


@dataclass(frozen=True)
class Covered:
    """Crops uint8 (N, s, s), whether their mouths are hidden, bool (N,), and what was drawn, by name or "", (N,)."""

    images: Image = field(repr=False)
    covered: npt.NDArray[np.bool_] = field(repr=False)
    style: npt.NDArray[np.str_] = field(repr=False)


def draw_before(
    images: Image, frames: Sequence[FaceFrame | None], rng: np.random.Generator, how: Covering | None = None
) -> Covered:
    """Draw things before faces, uint8 grey (N, s, s), but not before those whose frame is not known.

    The result depends on the arguments and the state of ``rng`` alone.
    """
    how = how or Covering()
    made, covered, styles = np.empty_like(images), np.zeros(len(images), dtype=bool), []
    for row, frame in enumerate(frames):
        lot = rng.random()
        name = ""
        made[row] = images[row]
        if frame is not None and lot < how.covered + how.decoys:
            hides = lot < how.covered
            name = str(rng.choice(how.styles)) if hides or rng.random() < 0.45 else str(rng.choice(list(BARE)))
            drawn = _drawn(images[row], frame, rng, images, name, hides=hides)
            name = name if drawn is not None else ""
            covered[row] = hides and drawn is not None
            made[row] = images[row] if drawn is None else drawn
        styles.append(name)
    return Covered(made, covered, np.array(styles, dtype=np.str_))


def _drawn(
    image: Image, frame: FaceFrame, rng: np.random.Generator, pictures: Image, name: str, *, hides: bool
) -> Image | None:
    """Return the crop with the thing, before the mouth if it ``hides``, elsewhere otherwise; None if none fitted."""
    skin = _skin(image, frame)
    for _ in range(ATTEMPTS):
        d = Drawing(frame, len(image), rng, pictures, skin)
        if hides and rng.random() < 0.25:  # people with masks wear caps and glasses, too
            BARE[str(rng.choice(["sunglasses", "cap"]))](d, AT_THE_MOUTH)
        d.hides = name not in SEEN_THROUGH
        {**STYLES, **BARE}[name](d, _place(d, name, hides=hides))
        hidden = d.mouth_hidden()
        if hidden >= HIDDEN if hides else hidden <= SEEN:
            return d.over(image)
    return None


def _place(d: Drawing, name: str, *, hides: bool) -> Place:
    x, y = AT_THE_MOUTH
    if name in BARE:
        return x, y
    if hides:
        return x + float(d.rng.normal(0, 0.08)), y + float(d.rng.normal(0, 0.06))
    if name in MASKS or name == "scarf":
        return x + d.some(-0.1, 0.1), y + d.some(0.5, 1.1)
    return d.some(-1.8, 1.8), d.some(-1.0, 2.8)


def _skin(image: Image, frame: FaceFrame) -> float:
    """Return the median shade of the cheeks and the nose."""
    at = np.rint(frame.pixels([(-0.5, 0.6), (-0.3, 0.5), (0.0, 0.4), (0.3, 0.5), (0.5, 0.6)])).astype(int)
    at = at.clip(0, len(image) - 1)
    return float(np.median(image[at[:, 1], at[:, 0]]))
