"""Drawing of a report's places on a map with Matplotlib; their numbers come from ``plots``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from felicity.reports.plots import KILOMETRES, MapPlace, colour_range, far_off, map_aspect, way_to
from felicity.style.charts import new_canvas, short, style
from felicity.style.marks import halo, percent_tick, shades
from felicity.style.numbers import percent
from felicity.style.palette import EARLIER, GROUND, INK, MUTED, PAPER, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure as Canvas

COLOURS = "YlGn"
WIDTH, BAR, FONT = 5.6, 0.9, 10.5
"""Inches of the map and of its colour bar, points of names: legible on half a desk and on a phone."""
INSET, IN_A_ROW = 0.75, 2
"""Inches of the box of a distant place, and number of boxes in a row."""


def draw_map(places: Sequence[MapPlace]) -> Canvas:
    """Draw areas and points coloured by happy share; north is up, distances are true at the middle latitude.

    Distant places stand in boxes below the map.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    with style():
        near, far = far_off(places)
        aspect = map_aspect(near)
        west, east, south, north = _bounds(near, aspect)
        height = min(max((WIDTH - BAR) * (north - south) * aspect / (east - west), 2.6), 7.5)
        below = [INSET] * math.ceil(len(far) / IN_A_ROW)
        canvas = new_canvas(height + 0.3 + sum(below), WIDTH)
        grid = canvas.add_gridspec(1 + len(below), IN_A_ROW, height_ratios=[height, *below])
        axes = canvas.add_subplot(grid[0, :])
        low, high = colour_range([p.share for p in places if p.share is not None])
        colours = ScalarMappable(Normalize(low, high), shades(COLOURS))
        for place in sorted(near, key=lambda p: not p.polygons):
            _draw_place(axes, place, colours)
        axes.set_xlim(west, east)
        axes.set_ylim(south, north)
        _label_places(axes, near, (east - west) / (WIDTH - BAR), (north - south) / height)
        _clear(axes, aspect)
        axes.set_facecolor(GROUND)
        _scale_bar(axes, west, east, south, north, aspect)
        for number, place in enumerate(far):
            box = canvas.add_subplot(grid[1 + number // IN_A_ROW, number % IN_A_ROW])
            _draw_inset(box, place, near, colours)
        if any(place.share is not None for place in places):
            bar = canvas.colorbar(colours, ax=axes, shrink=0.7, aspect=18, pad=0.02, format=percent_tick)
            bar.set_ticks(list(np.arange(low, high + 1, 5 if high - low <= 50 else 10)))
            bar.set_label("happy share")
            bar.outline.set_visible(False)
        return canvas


def _draw_place(axes: Axes, place: MapPlace, colours: ScalarMappable) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    shown = place.share is not None
    colour: Any = colours.to_rgba(np.asarray(place.share)) if shown else SOFT
    hatch = None if shown else "////"
    for rings in place.polygons:
        path = Path.make_compound_path(*(Path(np.array(ring), closed=True) for ring in rings))
        axes.add_patch(PathPatch(path, facecolor=colour, edgecolor=PAPER, linewidth=1.2))
        axes.add_patch(PathPatch(path, fill=False, hatch=hatch, edgecolor=MUTED, linewidth=0.7))
    for line in place.lines:
        axes.plot(*zip(*line, strict=True), color=colour if shown else EARLIER, linewidth=5)
    if place.points:
        x, y = zip(*place.points, strict=True)
        axes.scatter(x, y, s=240, color=[colour], edgecolor=INK, linewidth=0.8, hatch=hatch, zorder=4)


def _draw_inset(axes: Axes, place: MapPlace, near: Sequence[MapPlace], colours: ScalarMappable) -> None:
    """Draw a place at the left of a box, with its name, its share and its distance."""
    aspect = map_aspect([place])
    x, y = zip(*place.positions, strict=True)
    side = 1.6 * max(max(x) - min(x), (max(y) - min(y)) * aspect, 1e-4)
    wide = side * (WIDTH - BAR) / IN_A_ROW / INSET
    left, middle = (min(x) + max(x) - side) / 2, (min(y) + max(y)) / 2
    _draw_place(axes, place, colours)
    axes.set_xlim(left, left + wide)
    axes.set_ylim(middle - side / 2 / aspect, middle + side / 2 / aspect)
    text = f"{short(place.name, 24)}\n{_value(place)}\n{way_to(place, near)}"
    axes.text(left + 1.05 * side, middle, text, va="center", fontsize=FONT - 1.5, linespacing=1.15)
    _clear(axes, aspect)


def _clear(axes: Axes, aspect: float) -> None:
    axes.set_aspect(aspect)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
    axes.grid(visible=False)


def _value(place: MapPlace) -> str:
    return {"suppressed": "too few people", "missing": "no data"}.get(place.state) or percent(place.share, 0)


def _bounds(places: Sequence[MapPlace], aspect: float) -> tuple[float, float, float, float]:
    x, y = zip(*(p for place in places for p in place.positions), strict=True)
    west, east, south, north = min(x), max(x), min(y), max(y)
    width, height = max(east - west, 0.004), max(north - south, 0.004 / aspect)
    # A map of a few places in a row needs margins, and room for names beside its points.
    width, height = max(width, height * aspect * 0.8), max(height, width / aspect * 0.45)
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    areas = any(place.polygons for place in places)
    width, height = width * (1.08 if areas else 1.5), height * (1.08 if areas else 1.35)
    return middle_x - width / 2, middle_x + width / 2, middle_y - height / 2, middle_y + height / 2


def _label_places(axes: Axes, places: Sequence[MapPlace], per_inch_x: float, per_inch_y: float) -> None:
    """Write names beside points and in areas, unless they would overlap."""
    dot = 0.12
    taken = [
        (x - dot * per_inch_x, y - dot * per_inch_y, x + dot * per_inch_x, y + dot * per_inch_y)
        for place in places
        for x, y in place.points
    ]
    for place in places:
        x, y = place.centre
        value = _value(place)
        name = short(place.name, 30)
        width, height = 0.0105 * FONT * max(len(name), len(value)) * per_inch_x, 0.044 * FONT * per_inch_y
        gap_x, gap_y = 0.15 * per_inch_x, 0.3 * per_inch_y
        choices = [
            (x + gap_x, y, "left"),
            (x - gap_x, y, "right"),
            (x, y + gap_y, "center"),
            (x, y - gap_y, "center"),
        ]
        if place.polygons:
            choices.insert(0, (x, y, "center"))
        for at_x, at_y, side in choices:
            left = {"left": at_x, "right": at_x - width, "center": at_x - width / 2}[side]
            box = (left, at_y - height / 2, left + width, at_y + height / 2)
            inside = axes.get_xlim()[0] < box[0] and box[2] < axes.get_xlim()[1]
            if inside and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
                break
        else:
            at_x, at_y, side = choices[0]
        taken.append(box)
        axes.text(
            at_x, at_y, f"{name}\n{value}", ha=side, va="center", fontsize=FONT, zorder=6, linespacing=1.15,
            path_effects=halo(),
        )  # fmt: skip


def _scale_bar(axes: Axes, west: float, east: float, south: float, north: float, aspect: float) -> None:
    kilometre = aspect / KILOMETRES  # in degrees of longitude
    goal = 0.22 * (east - west) / kilometre
    length = max((n * 10.0**e for e in range(-3, 5) for n in (1, 2, 5) if n * 10.0**e <= goal), default=0.001)
    x, y = west + 0.03 * (east - west), south + 0.05 * (north - south)
    axes.plot([x, x + length * kilometre], [y, y], color=INK, linewidth=2, solid_capstyle="butt")
    text = f"{length:g} km" if length >= 1 else f"{1000 * length:g} m"
    axes.annotate(text, (x, y), xytext=(0, 3), textcoords="offset points", fontsize=8)
