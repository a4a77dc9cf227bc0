"""Things drawn before faces: styles by name, each a function from a ``Drawing`` and a place.

At the mouth they hide it: masks, hands, cups. ``BARE`` ones leave it free: beards, captions, shadows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from felicity.datasets.drawing import Drawing, Points, ring

AT_THE_MOUTH = (0.0, 1.12)
Place = tuple[float, float]
Style = Callable[[Drawing, Place], None]


def _mask_outline(d: Drawing, at: Place, *, nose: float, chin: float) -> tuple[list[Place], float, float]:
    """Return the outline of a mask from its upper left corner on, and its top and bottom on the middle line."""
    below_the_nose = d.chance(0.12)
    top = at[1] - (d.some(0.26, 0.36) if below_the_nose else d.some(0.48, 0.85))
    bottom = at[1] + d.some(0.6, 1.0) + chin
    wide, low = d.some(0.8, 1.2), d.some(0.5, 0.85)
    corner, middle = top + d.some(-0.05, 0.3), (top + bottom) / 2
    peak = top - nose
    upper = [(-wide, corner), (-0.35, top), (0.0, peak), (0.35, top), (wide, corner)]
    lower = [(wide * d.some(0.9, 1.02), middle), (low, bottom - d.some(0.08, 0.25)), (0.0, bottom)]
    lower += [(-low, lower[1][1]), (-lower[0][0], middle)]
    return [(at[0] + x, y) for x, y in upper + lower], peak, bottom


def _straps(d: Drawing, outline: Sequence[Place]) -> None:
    """Draw what binds a mask to the ears or around the head."""
    if d.chance(0.25):
        return
    shade, width = d.some(0, 255), d.some(0.03, 0.07)
    ear, lobe = d.some(-0.2, 0.4), d.some(0.2, 0.8)
    for sign, corner, end in ((-1, outline[0], outline[8]), (1, outline[4], outline[6])):
        d.stroke([corner, (sign * 1.5, ear)], width, shade, strength=0.85)
        if d.chance(0.7):
            d.stroke([end, (sign * 1.5, lobe)], width, shade, strength=0.85)


def surgical(d: Drawing, at: Place) -> None:
    """Draw a pleated mask: a rounded rectangle with folds across, bound to the ears."""
    outline, top, bottom = _mask_outline(d, at, nose=d.some(0, 0.12), chin=d.some(-0.05, 0.12))
    _straps(d, outline)
    base = d.some(60, 245)
    d.patch(outline, d.lit(base), round_off=0.04)
    for i in range(1, 1 + int(d.rng.integers(0, 5))):
        y = top + (bottom - top) * (0.15 + 0.16 * i)
        bend = d.some(-0.05, 0.1)
        line = [(-0.9, y - bend), (0.0, y + bend), (0.9, y - bend)]
        d.stroke(line, d.some(0.02, 0.05), max(0.0, base - d.some(10, 60)), strength=d.some(0.3, 0.9))
    if d.chance(0.4):
        d.stroke(outline[:5], d.some(0.03, 0.07), d.some(0, 255), strength=d.some(0.3, 0.9))


def moulded(d: Drawing, at: Place) -> None:
    """Draw a filtering mask (FFP2, KN95): a beak with a ridge down the middle, sometimes with a valve."""
    outline, top, bottom = _mask_outline(d, at, nose=d.some(0.1, 0.25), chin=d.some(0.05, 0.25))
    _straps(d, outline)
    base = d.some(150, 252) if d.chance(0.75) else d.some(10, 90)
    d.patch(outline, d.lit(base), round_off=0.02)
    half = [p for p in outline if p[0] >= 0] + [(0.0, bottom), (0.0, top)]
    if d.chance(0.5):
        half = [(-x, y) for x, y in half]
    d.patch(half, d.lit(max(0.0, base - d.some(10, 70))), strength=d.some(0.3, 1.0))
    d.stroke([(0, top), (0, bottom)], d.some(0.015, 0.04), max(0.0, base - d.some(20, 80)), strength=0.7)
    if d.chance(0.25):
        centre = (d.some(0.2, 0.5) * (1 if d.chance(0.5) else -1), (top + bottom) / 2)
        d.ellipse(centre, (0.18, 0.16), d.some(100, 240))


def cloth(d: Drawing, at: Place) -> None:
    """Draw a mask of cloth, plain or patterned, with a curved upper edge."""
    outline, top, bottom = _mask_outline(d, at, nose=d.some(-0.05, 0.15), chin=d.some(0, 0.2))
    _straps(d, outline)
    d.patch(outline, d.cloth(), round_off=d.some(0.02, 0.08))
    if d.chance(0.3):
        d.stroke([(0, top), (0, bottom)], 0.03, d.some(0, 255), strength=0.5)


def scarf(d: Drawing, at: Place) -> None:
    """Draw a scarf or a high collar: everything below a line across, beyond the face's sides."""
    y = at[1] - d.some(0.3, 0.65)
    wave = [d.some(-0.15, 0.15) for _ in range(4)]
    top = [(-3.0, y + d.some(-0.6, 0.8)), (-0.9, y + wave[0]), (-0.3, y + wave[1]), (0.3, y + wave[2])]
    top += [(0.9, y + wave[3]), (3.0, y + d.some(-0.6, 0.8))]
    base = d.some(5, 240)
    d.patch([*top, (3.0, 6.0), (-3.0, 6.0)], d.cloth(base), round_off=0.05)
    for _ in range(int(d.rng.integers(0, 5))):
        at_y = y + d.some(0.15, 1.6)
        fold = [(-2.0, at_y + d.some(-0.5, 0.5)), (0.0, at_y + d.some(-0.2, 0.2)), (2.0, at_y + d.some(-0.5, 0.5))]
        d.stroke(fold, d.some(0.03, 0.12), max(0.0, base + d.some(-70, 40)), strength=d.some(0.2, 0.7))


def veil(d: Drawing, at: Place) -> None:
    """Draw a veil or a balaclava: the whole head but for a slit at the eyes."""
    base = d.some(0, 60) if d.chance(0.7) else d.some(60, 230)
    texture = d.cloth(base)
    low = at[1] - d.some(0.55, 0.8)
    d.patch([(-3, low + d.some(-0.3, 0.2)), (0, low), (3, low + d.some(-0.3, 0.2)), (3, 6), (-3, 6)], texture)
    if d.chance(0.8):
        high = -d.some(0.35, 0.8)
        d.patch([(-3, high), (3, high), (3, -4), (-3, -4)], texture, round_off=0.05)
        for sign in (-1, 1):
            side = sign * d.some(0.95, 1.3)
            d.patch([(side, -1), (side * 1.05, 1.0), (sign * 4, 1.0), (sign * 4, -1)], texture)


def hand(d: Drawing, at: Place) -> None:
    """Draw a hand: a palm and fingers in the shade of the face's skin, from below or from a side."""
    skin = float(np.clip(d.skin * d.some(0.75, 1.2) + d.some(-10, 10), 5, 250))
    turn, width = d.some(-1.4, 1.4), d.some(0.2, 0.3)
    cos, sin = np.cos(turn), np.sin(turn)
    squeeze = d.some(0.9, 1.1)

    def placed(points: Points) -> Points:
        return [(at[0] + squeeze * (x * cos - y * sin), at[1] + x * sin + y * cos) for x, y in points]

    d.patch(
        placed([(-0.55, 0.1), (0.55, 0.1), (0.6, 1.2), (0.35, 3.0), (-0.35, 3.0), (-0.6, 1.2)]),
        d.lit(skin),
        round_off=0.1,
    )
    fingers = int(d.rng.integers(3, 5))
    for i in range(fingers):
        x = (i - (fingers - 1) / 2) * width * 1.02
        tip = -d.some(0.25, 0.75)
        line = placed([(x, 0.8), (x + d.some(-0.06, 0.06), tip)])
        d.stroke(line, width * 1.15, max(0.0, skin - d.some(25, 70)))
        d.stroke(line, width * 0.92, d.lit(skin + d.some(-10, 10)))
    if d.chance(0.5):
        d.stroke(placed([(0.5, 1.0), (d.some(0.5, 0.9), d.some(-0.2, 0.4))]), width, d.lit(skin * d.some(0.85, 1.05)))


def fist(d: Drawing, at: Place) -> None:
    """Draw two hands or a fist before the mouth: an uneven patch of skin with knuckles."""
    skin = float(np.clip(d.skin * d.some(0.75, 1.15), 5, 250))
    axes = (d.some(0.5, 0.9), d.some(0.35, 0.6))
    blob = [(x + d.some(-0.06, 0.06), y + d.some(-0.06, 0.06)) for x, y in ring(at, axes, 14)]
    d.patch(
        [(at[0] - 0.4, at[1]), (at[0] + 0.4, at[1]), (at[0] + d.some(-0.6, 1.6), 4), (at[0] + d.some(-1.6, 0.2), 4)],
        d.lit(skin * 0.95),
    )
    d.patch(blob, d.lit(skin), round_off=0.06)
    for i in range(int(d.rng.integers(2, 5))):
        x = at[0] + axes[0] * (-0.6 + 0.4 * i)
        d.stroke(
            [(x, at[1] - axes[1] * 0.8), (x + d.some(-0.1, 0.1), at[1] + axes[1] * 0.7)], 0.045, skin * d.some(0.5, 0.8)
        )


def cup(d: Drawing, at: Place) -> None:
    """Draw a cup, glass or bottle at the mouth, from below."""
    lean, wide = d.some(-0.4, 0.4), d.some(0.5, 0.75)
    top, long = at[1] - d.some(0.22, 0.4), d.some(1.0, 2.2)
    base = d.some(5, 250)
    sides = [
        (-wide, top),
        (wide, top),
        (wide * d.some(0.6, 1.1) + lean, top + long),
        (-wide * d.some(0.6, 1.1) + lean, top + long),
    ]
    sides = [(at[0] + x, y) for x, y in sides]
    d.patch(sides, d.cloth(base), round_off=0.03)
    d.ellipse((at[0], top), (wide, d.some(0.04, 0.16)), d.some(0, 255))
    if d.chance(0.5):
        d.stroke(ring((at[0] + wide + 0.15, top + 0.5), (0.25, 0.3)), 0.1, base)
    if d.chance(0.6):
        skin = d.skin * d.some(0.75, 1.1)
        for i in range(3):
            y = top + long * 0.4 + i * 0.22
            d.stroke([(at[0] - wide - 0.1, y), (at[0] + wide * 0.5, y + d.some(-0.05, 0.05))], 0.2, d.lit(skin))


def microphone(d: Drawing, at: Place) -> None:
    """Draw a microphone: a round head on a stick, mostly dark."""
    size = d.some(0.42, 0.65)
    base = d.some(0, 90) if d.chance(0.8) else d.some(90, 240)
    end = (at[0] + d.some(-1.5, 1.5), at[1] + d.some(1.2, 2.5))
    d.stroke([at, end], d.some(0.25, 0.4), d.lit(d.some(0, 120)))
    d.ellipse(at, (size, size * d.some(0.8, 1.1)), d.lit(base + d.grain(12)))


def sheet(d: Drawing, at: Place) -> None:
    """Draw a book, a sheet or a telephone: a rectangle at any angle, with lines or a picture on it."""
    turn, wide, high = d.some(-0.5, 0.5), d.some(0.6, 1.8), d.some(0.5, 1.3)
    cos, sin = np.cos(turn), np.sin(turn)
    low = d.some(0.9, 1.5)
    corners = [(-wide, -high * 0.6), (wide, -high * 0.6), (wide, high * low), (-wide, high * low)]
    placed = [(at[0] + x * cos - y * sin, at[1] + x * sin + y * cos) for x, y in corners]
    d.patch(placed, d.cloth())
    d.stroke([*placed, placed[0]], 0.04, d.some(0, 255), strength=0.6)


def blotch(d: Drawing, at: Place) -> None:
    """Draw any shape: an uneven polygon with any texture, such as shoulders and heads before the face."""
    axes = (d.some(0.55, 1.6), d.some(0.4, 1.2))
    outline = [
        (x + d.some(-0.15, 0.15), y + d.some(-0.15, 0.15)) for x, y in ring(at, axes, int(d.rng.integers(5, 12)))
    ]
    d.patch(outline, d.cloth(), round_off=d.some(0.0, 0.15))


MASKS: Mapping[str, Style] = {"surgical": surgical, "moulded": moulded, "cloth": cloth}
CLOTHES: Mapping[str, Style] = {"scarf": scarf, "veil": veil}
THINGS: Mapping[str, Style] = {
    "hand": hand, "fist": fist, "cup": cup, "microphone": microphone, "sheet": sheet, "blotch": blotch,
}  # fmt: skip
STYLES: Mapping[str, Style] = {**MASKS, **CLOTHES, **THINGS}


def beard(d: Drawing, at: Place) -> None:
    """Draw a beard, with or without a moustache, that leaves the mouth free."""
    shade, full = d.some(0, 110), d.chance(0.7)
    hair = d.lit(shade + d.grain(d.some(5, 25)))
    strength = d.some(0.45, 0.95)
    mouth = ring((0, 1.12), (d.some(0.4, 0.5), d.some(0.19, 0.25)))
    if full:
        jaw = [
            (-1.05, 0.5),
            (-0.75, 0.75),
            (-0.5, 0.9),
            (0.5, 0.9),
            (0.75, 0.75),
            (1.05, 0.5),
            (1.0, 1.4),
            (0.5, 2.0),
            (-0.5, 2.0),
            (-1.0, 1.4),
        ]
        d.patch(jaw, hair, round_off=0.08, strength=strength)
    else:
        d.patch(ring((0, 1.2), (d.some(0.45, 0.6), d.some(0.4, 0.6))), hair, round_off=0.06, strength=strength)
    d.clear(mouth)


def moustache(d: Drawing, at: Place) -> None:
    """Draw a moustache between nose and mouth."""
    shade = d.some(0, 110)
    line = [(-0.42, 1.02), (-0.2, 0.88), (0, 0.86), (0.2, 0.88), (0.42, 1.02)]
    d.stroke(line, d.some(0.08, 0.17), d.lit(shade), strength=d.some(0.5, 0.95))


def sunglasses(d: Drawing, at: Place) -> None:
    """Draw sunglasses."""
    shade, size = d.some(0, 60), (d.some(0.34, 0.45), d.some(0.2, 0.34))
    for x in (-0.5, 0.5):
        d.ellipse((x, 0.03), size, d.lit(shade))
    d.stroke([(-1.3, -0.1), (1.3, -0.1)], 0.07, shade)


def cap(d: Drawing, at: Place) -> None:
    """Draw a cap, a hood or hair over the forehead."""
    y = -d.some(0.15, 0.6)
    d.patch(
        [(-3, y + d.some(-0.2, 0.6)), (0, y), (3, y + d.some(-0.2, 0.6)), (3, -4), (-3, -4)], d.cloth(), round_off=0.05
    )


def caption(d: Drawing, at: Place) -> None:
    """Draw letters over the picture, as agencies do."""
    size, shade = d.some(0.15, 0.35), d.some(0, 255)
    x, y = d.some(-1.2, -0.4), float(d.rng.choice([d.some(-0.9, -0.4), d.some(1.5, 2.0)]))
    for i in range(int(d.rng.integers(4, 9))):
        left = x + i * size
        d.stroke(
            [(left, y), (left + size * 0.4, y - size), (left + size * 0.6, y)],
            size * 0.2,
            shade,
            strength=d.some(0.4, 1.0),
        )


def open_mouth(d: Drawing, at: Place) -> None:
    """Draw a wide open mouth: dark, with lips and sometimes teeth."""
    axes = (d.some(0.22, 0.42), d.some(0.15, 0.4))
    lip = d.skin * d.some(0.5, 0.9)
    d.ellipse((0, 1.2), (axes[0] + 0.08, axes[1] + 0.08), d.lit(lip))
    d.ellipse((0, 1.2), axes, d.some(0, 60))
    if d.chance(0.6):
        d.patch(
            [(-0.25, 1.2 - axes[1]), (0.25, 1.2 - axes[1]), (0.2, 1.28 - axes[1]), (-0.2, 1.28 - axes[1])],
            d.some(150, 250),
        )


def shadow(d: Drawing, at: Place) -> None:
    """Draw a shadow over a part of the face: of a side, of all below a line, or of all above."""
    turn = float(d.rng.choice([0.0, np.pi / 2, np.pi, -np.pi / 2])) + d.some(-0.4, 0.4)
    edge = d.some(-0.3, 1.0)
    cos, sin = np.cos(turn), np.sin(turn)
    corners = [(edge, -6), (6, -6), (6, 6), (edge, 6)]
    placed = [(x * cos - y * sin, 0.6 + x * sin + y * cos) for x, y in corners]
    d.patch(placed, d.some(0, 40), round_off=d.some(0.05, 0.6), strength=d.some(0.3, 0.75))


BARE: Mapping[str, Style] = {
    "beard": beard, "moustache": moustache, "sunglasses": sunglasses, "cap": cap, "caption": caption,
    "open mouth": open_mouth, "shadow": shadow,
}  # fmt: skip
"""Things that leave the mouth free, or let it be seen."""
SEEN_THROUGH = {"open mouth", "shadow"}
