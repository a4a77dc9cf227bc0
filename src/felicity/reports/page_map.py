"""A map for a page: places coloured by happy share as SVG in the page's colours, each a link."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from felicity.reports.plots import KILOMETRES, MapPlace, Position, colour_range, far_off, map_aspect, way_to
from felicity.style.language import in_digits, say
from felicity.style.numbers import percent

WIDTH, LOWEST, HIGHEST = 460.0, 240.0, 420.0
MARGIN = 44.0
RADIUS = 11.0
INSET, IN_A_ROW = 64.0, 2
"""Height of the box of a distant place, and number of boxes in a row."""
_LETTERS = 24
MOST_NAMED = 30
"""Number of places whose names are written; of more, a name appears when the pointer rests on the place."""
STATES = {"suppressed": "too few people", "missing": "no data"}


@dataclass(frozen=True)
class _Plan:
    """The positions on the picture: north is up, distances are true at the middle latitude."""

    west: float
    north: float
    scale: float
    aspect: float
    left: float
    top: float
    height: float

    def at(self, position: Position) -> tuple[float, float]:
        return (
            self.left + (position[0] - self.west) * self.scale,
            self.top + (self.north - position[1]) * self.scale * self.aspect,
        )


def draw_page_map(places: Sequence[MapPlace], link: Callable[[str], str]) -> str:
    """Return the map as an SVG element. ``link``: a function from a place's name to its address.

    Distant places stand in boxes below it.
    """
    near, far = far_off(places)
    plan = _plan(near)
    low, high = colour_range([place.share for place in places if place.share is not None])
    parts = [_place(place, plan, low, high, link) for place in sorted(near, key=lambda place: not place.polygons)]
    if len(near) <= MOST_NAMED:
        parts += _names(near, plan)
    parts.append(_scale(plan))
    for number, place in enumerate(far):
        parts += _inset(place, near, _box(number, plan.height), low, high, link)
    height = plan.height + math.ceil(len(far) / IN_A_ROW) * INSET
    label = say(
        "Map of {number} places, coloured by happy share; the table of places has the same figures", number=len(places)
    )
    size = f'viewBox="0 0 {WIDTH:g} {height:g}" style="--natural: {WIDTH:g}px"'
    return f'<svg class="plot page-map" role="group" aria-label="{label}" {size}>{"".join(parts)}</svg>'


def _plan(places: Sequence[MapPlace], size: tuple[float, float] = (WIDTH, HIGHEST), margin: float = MARGIN) -> _Plan:
    """Return how places fill a picture of a width and a height at most."""
    aspect = map_aspect(places)
    xs, ys = zip(*(position for place in places for position in place.positions), strict=True)
    wide, tall = max(max(xs) - min(xs), 1e-4), max((max(ys) - min(ys)) * aspect, 1e-4)
    scale = min((size[0] - 2 * margin) / wide, (size[1] - 2 * margin) / tall)
    height = min(max(tall * scale + 2 * margin, LOWEST), size[1])
    left = (size[0] - (max(xs) - min(xs)) * scale) / 2
    top = (height - (max(ys) - min(ys)) * aspect * scale) / 2
    return _Plan(min(xs), max(ys), scale, aspect, left, top, height)


def _box(number: int, top: float) -> tuple[float, float, float]:
    """Return left, top and width of the box of a distant place."""
    width = WIDTH / IN_A_ROW
    return width * (number % IN_A_ROW), top + INSET * (number // IN_A_ROW), width


def _inset(
    place: MapPlace,
    near: Sequence[MapPlace],
    box: tuple[float, float, float],
    low: float,
    high: float,
    link: Callable[[str], str],
) -> list[str]:
    left, top, width = box
    alone = _plan([place], (INSET / 2, INSET / 2), 6.0)
    plan = replace(alone, left=left + 8 + alone.left, top=top + (INSET - alone.height) / 2 + alone.top)
    name = place.name if len(place.name) <= _LETTERS else place.name[: _LETTERS - 1] + "…"
    lines = (f'<tspan class="name">{html.escape(name)}</tspan>', _value(place), way_to(place, near))
    at = left + INSET / 2 + 18
    text = "".join(
        f'<text x="{at:.1f}" y="{top + INSET / 2 + 14 * (i - 1) + 4:.1f}" aria-hidden="true">{line}</text>'
        for i, line in enumerate(lines)
    )
    frame = f'<path class="inset" d="M{left + 2:.1f} {top + 2:.1f}h{width - 4:.1f}v{INSET - 4:.1f}h{4 - width:.1f}z"/>'
    return [frame, _place(place, plan, low, high, link), text]


def _value(place: MapPlace) -> str:
    return percent(place.share, 0) if place.share is not None else say(STATES.get(place.state, ""))


def _place(place: MapPlace, plan: _Plan, low: float, high: float, link: Callable[[str], str]) -> str:
    shown = _value(place)
    part = 0.0 if place.share is None else 25 + 75 * (place.share - low) / (high - low)
    fill = f"fill: color-mix(in srgb, var(--main) {part:.0f}%, var(--soft))"
    drawn = [
        f'<path d="{" ".join(_path(ring, plan) + "Z" for ring in rings)}" fill-rule="evenodd" style="{fill}"/>'
        for rings in place.polygons
    ]
    drawn += [
        f'<path class="way" d="{_path(line, plan)}" style="{fill.replace("fill", "stroke")}"/>' for line in place.lines
    ]
    for point in place.points:
        x, y = plan.at(point)
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS:g}" style="{fill}"/>')
    title = html.escape(f"{place.name}: {shown}")
    address = html.escape(link(place.name))
    return f'<a href="{address}" aria-label="{title}"><title>{title}</title>{"".join(drawn)}</a>'


def _path(line: Sequence[Position], plan: _Plan) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in map(plan.at, line))


def _names(places: Sequence[MapPlace], plan: _Plan) -> list[str]:
    """Return names beside the places, unless they would overlap."""
    points = (plan.at(point) for place in places for point in place.points)
    taken = [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in points]
    parts = []
    for place in places:
        x, y = plan.at(place.centre)
        value = _value(place)
        width = 7.2 * max(len(place.name), len(value))
        aside = 0.0 if place.polygons else RADIUS + 5
        sides = [(x + aside, "start"), (x - aside, "end")] if aside else [(x, "middle")]
        sides.sort(key=lambda one: one[0] + width > WIDTH)
        for down, (at, anchor) in product((0.0, 24.0, -24.0), sides):
            left = {"start": at, "end": at - width, "middle": at - width / 2}[anchor]
            box = (left, y + down - 14, left + width, y + down + 16)
            free = not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken)
            if free and left >= 0 and left + width <= WIDTH:
                taken.append(box)
                name = f'<tspan class="name">{html.escape(place.name)}</tspan>'
                parts.append(
                    f'<text x="{at:.1f}" y="{y + down - 2:.1f}" text-anchor="{anchor}" aria-hidden="true">{name}'
                    f'<tspan x="{at:.1f}" dy="14">{html.escape(value)}</tspan></text>'
                )
                break
    return parts


def _scale(plan: _Plan) -> str:
    kilometre = plan.scale * plan.aspect / KILOMETRES
    goal = 0.22 * WIDTH / kilometre
    length = max((n * 10.0**e for e in range(-3, 5) for n in (1, 2, 5) if n * 10.0**e <= goal), default=0.001)
    text = in_digits(f"{length:g} km") if length >= 1 else f"{1000 * length:g} m"
    y, end = plan.height - 10, 12 + length * kilometre
    if not math.isfinite(end):
        return ""
    return f'<path class="scale" d="M12 {y:.1f}H{end:.1f}"/><text x="12" y="{y - 5:.1f}">{text}</text>'
