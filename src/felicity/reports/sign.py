"""A sign to print and put up where people are counted, with a QR code that leads to the page about the measurement."""

from __future__ import annotations

import html
from collections.abc import Sequence

from felicity.errors import require
from felicity.reports.badges import FONT, broken
from felicity.style.palette import INK, MAIN, MUTED, PAPER

SIZES = {"A4": (210, 297), "A3": (297, 420)}
"""Width and height of the paper in millimetres."""
_WIDE, _TALL, _MARGIN = 210.0, 297.0, 18.0
_QR = 74.0
"""Width of the code with its quiet zone, in millimetres of A4; readable from about 70 cm."""
_EYE = (
    '<g fill="none" stroke-width="4.2" stroke-linecap="round"><circle cx="33.5" cy="36" r="13"/>'
    '<path d="M27.5 40.5q6 5.6 12 0M29.4 32.4v.1M37.6 32.4v.1"/></g>'
)


def draw_sign(heading: str, lines: Sequence[str], *, invitation: str, address: str, size: str = "A4") -> str:
    """Return the sign as an SVG document that prints on ``size`` ("A4", "A3").

    ``heading`` and ``lines`` describe the measurement; the code leads to ``address``, which stands below it, too, with
    ``invitation`` beside it. Raises ExtraMissingError without segno.
    """
    top = _TALL - _MARGIN - _QR - 8
    drawn, y = [], 74.0
    for line in broken(heading, 13, _WIDE - 2 * _MARGIN, bold=True):
        drawn.append(_text(line, y, 13, INK, 700))
        y += 15.5
    drawn += _fitted(lines, y + 3, top - 4)
    beside = top + 22
    for line in broken(invitation, 8.2, _WIDE - 2 * _MARGIN - _QR - 8, bold=True):
        drawn.append(_text(line, beside, 8.2, INK, 700, left=_MARGIN + _QR + 8))
        beside += 11
    drawn.append(_text(address, _TALL - _MARGIN, min(6.0, 280 / max(len(address), 1)), MUTED))
    wide, tall = SIZES[size]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}mm" height="{tall}mm" viewBox="0 0 {_WIDE:g} {_TALL:g}" '
        f'font-family="{FONT}"><title>{html.escape(heading)}</title>'
        f"<style>@page{{size:{size};margin:0}}</style>"
        f'<rect width="{_WIDE:g}" height="{_TALL:g}" fill="{PAPER}"/><rect width="{_WIDE:g}" height="9" fill="{MAIN}"/>'
        f'<g stroke="{MAIN}">{_EYE}</g>{"".join(drawn)}{_code(address, top)}</svg>'
    )


def _fitted(lines: Sequence[str], y: float, bottom: float) -> list[str]:
    """Return paragraphs from ``y`` on, in the largest size that fits above ``bottom``."""
    for size in (7.2, 6.6, 6.0, 5.4, 4.8, 4.2):
        drawn, at = [], y
        for text in lines:
            for line in broken(text, size, _WIDE - 2 * _MARGIN):
                drawn.append(_text(line, at, size, INK))
                at += 1.36 * size
            at += 0.6 * size
        if at - 1.5 * size <= bottom:
            break
    return drawn


def _code(address: str, top: float) -> str:
    segno = require("segno", "serve")
    code = segno.make(address, error="m", micro=False)
    quiet = 4
    modules = code.symbol_size(border=quiet)[0]
    path = "".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(code.matrix_iter(border=quiet))
        for x, dark in enumerate(row)
        if dark
    )
    place = f"translate({_MARGIN - quiet * _QR / modules:g} {top:g}) scale({_QR / modules:.5f})"
    return f'<path transform="{place}" d="{path}" fill="{INK}" shape-rendering="crispEdges"/>'


def _text(text: str, y: float, size: float, colour: str, weight: int = 400, left: float = _MARGIN) -> str:
    style = f'font-size="{size:.2f}" font-weight="{weight}" fill="{colour}"'
    return f'<text x="{left:g}" y="{y:.1f}" {style}>{html.escape(text)}</text>'
