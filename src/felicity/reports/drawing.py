"""Drawing a report's plots with Matplotlib; their numbers come from ``plots``."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import numpy as np

from felicity.reports.figures import percent_tick
from felicity.reports.place import Change
from felicity.reports.plots import WEEKDAYS, DayLine, Dot, MapPlace, best, colour_range, map_aspect
from felicity.reports.wording import MONTHS, long_date

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

INK, MUTED, GRID = "#22302a", "#66736c", "#d9dfdb"
MAIN, BAND, RAW, NONE = "#1f7a33", "#2ea043", "#8a6d3b", "#b9c0bc"
COLOURS = "YlGn"
WIDTH = 7.6
"""Inches: the width of a page's text."""

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica", "sans-serif"],
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a place may be called "$5 Bridge"
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "hatch.linewidth": 0.6,
    "hatch.color": "#8a938e",
    "svg.fonttype": "none",
    "svg.hashsalt": "felicity",
}


@contextmanager
def style() -> Iterator[None]:
    """The look of every figure; a letter that the font lacks is no reason to warn, the browser has others."""
    import matplotlib

    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        yield


def to_svg(canvas: Canvas, name: str, label: str) -> str:
    """An ``<svg>`` element to stand within a page; ``name`` keeps its ids apart from those of other figures."""
    import html

    stream = io.StringIO()
    with style():
        canvas.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'^<svg([^>]*?) width="[^"]*"', r"<svg\1", text)
    text = re.sub(r'^<svg([^>]*?) height="[^"]*"', r"<svg\1", text)
    return text.replace("<svg", f'<svg role="img" aria-label="{html.escape(label)}"', 1)


def to_png(canvas: Canvas) -> bytes:
    """PNG at 160 dots per inch."""
    stream = io.BytesIO()
    with style():
        canvas.savefig(stream, format="png", dpi=160, metadata={"Software": None})
    return stream.getvalue()


def _canvas(height: float, width: float = WIDTH) -> Canvas:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(canvas)
    return canvas


def draw_index(dots: Sequence[Dot]) -> Canvas:
    """Places from top to bottom: adjusted share and interval, and the raw share beside it."""
    with style():
        canvas = _canvas(0.42 * len(dots) + 1.0)
        axes, margin = canvas.subplots(1, 2, sharey=True, width_ratios=(1, 0.2))
        for dot in dots:
            y, share = dot.at, dot.figure
            if share.low is not None and share.high is not None:
                for x, dy, width in (
                    ([share.low, share.high], 0, 2.2),
                    ([share.low] * 2, 0.13, 1.4),
                    ([share.high] * 2, 0.13, 1.4),
                ):
                    axes.plot(x, [y - dy, y + dy], color=MAIN, linewidth=width, solid_capstyle="butt", clip_on=False)
            if share.adjusted is not None:
                axes.plot(share.adjusted, y, "o", color=MAIN, markersize=7, zorder=4, clip_on=False)
            if share.raw is not None:
                axes.plot(
                    share.raw, y + 0.25, "D", color=RAW, markerfacecolor="white", markersize=4, zorder=5, clip_on=False
                )
            else:
                axes.barh(y, 100, height=0.5, color="#f1f3f2", hatch="////", edgecolor="#d4dad6", linewidth=0, zorder=2)
                axes.text(50, y, "too few people: not shown", ha="center", va="center", color=INK, fontsize=8)
            text = "" if (value := best(share)) is None else f"{value:.0f} %"
            margin.text(0.38, y, text, va="center", ha="right", fontsize=9.5, fontweight="bold")
            margin.text(1, y, f"{dot.people:,}", va="center", ha="right", fontsize=8, color=MUTED)
        margin.text(0.38, -0.75, "happy", va="center", ha="right", fontsize=8, color=MUTED)
        margin.text(1, -0.75, "people", va="center", ha="right", fontsize=8, color=MUTED)
        margin.set_xlim(0, 1)
        margin.set_axis_off()
        axes.set_yticks([dot.at for dot in dots], [short(dot.label) for dot in dots], color=INK)
        axes.set_ylim(len(dots) - 0.4, -1.0)
        axes.set_xlim(0, 100)
        axes.xaxis.set_major_formatter(percent_tick)
        axes.grid(axis="y", visible=False)
        axes.tick_params(length=0, pad=7)
        axes.spines["left"].set_visible(False)
        _key(canvas, [("adjusted, with 95 % interval", MAIN, "o", True), ("as counted (raw)", RAW, "D", False)])
        return canvas


def draw_pattern(hours: Sequence[Dot], weekdays: Sequence[Dot]) -> Canvas:
    """Two panels with one scale: by hour of the day and by weekday."""
    with style():
        canvas = _canvas(2.35)
        left, right = canvas.subplots(1, 2, sharey=True, width_ratios=(1.6, 1))
        top = _ceiling([*hours, *weekdays])
        for axes, dots in ((left, hours), (right, weekdays)):
            _whiskers(axes, dots, top)
            axes.set_ylim(0, top)
            axes.yaxis.set_major_formatter(percent_tick)
            axes.grid(axis="x", visible=False)
            axes.tick_params(length=0, labelsize=8)
        first = min((math.floor(d.at) for d in hours), default=0)
        last = max((math.ceil(d.at) for d in hours), default=24)
        left.set_xlim(first - 0.2, last + 0.2)
        ticks = range(first, last + 1, 1 if last - first <= 12 else 2 if last - first <= 18 else 3)
        left.set_xticks(list(ticks), [f"{hour}" for hour in ticks])
        left.set_title("By hour of the day (o'clock)")
        right.set_xlim(-0.5, 6.5)
        right.set_xticks(range(7), WEEKDAYS)
        right.set_title("By weekday")
        return canvas


def _whiskers(axes: Axes, dots: Sequence[Dot], top: float) -> None:
    for dot in dots:
        share = dot.figure
        if dot.suppressed:
            axes.bar(dot.at, top, width=0.7, color="#f1f3f2", hatch="////", edgecolor="#d4dad6", linewidth=0, zorder=1)
            continue
        if share.low is not None and share.high is not None:
            axes.plot([dot.at] * 2, [share.low, share.high], color=BAND, alpha=0.45, linewidth=5, zorder=2)
        if (value := best(share)) is not None:
            axes.plot(dot.at, value, "o", color=MAIN, markersize=4.5, zorder=3)


def draw_days(line: DayLine, at: date | None) -> Canvas:
    """Day after day, with intervals, the trend if there is one, and the date that divides before from after."""
    from matplotlib.dates import AutoDateLocator, num2date

    with style():
        canvas = _canvas(2.1)
        axes = canvas.subplots()
        days: Any = [datetime.combine(start.date(), time()) for start in line.starts]
        columns = [[_or_nan(value) for value in (best(f), f.low, f.high)] for f in line.figures]
        share, low, high = np.array(columns).T
        # A day without a figure is a hole, not a bridge.
        for part in _runs(days):
            axes.fill_between(np.array(days)[part], low[part], high[part], color=BAND, alpha=0.2, linewidth=0)
            axes.plot(np.array(days)[part], share[part], color=MAIN, linewidth=1.5, marker="o", markersize=2.8)
        top = _ceiling([Dot("", 0, f, 0, False) for f in line.figures])
        for day, hidden in zip(days, line.suppressed, strict=True):
            if hidden:
                axes.plot(day, 0.03 * top, "x", color=MUTED, markersize=4)
        if line.trend_line:
            starts: Any = [datetime.combine(start.date(), time()) for start in line.trend_starts]
            axes.plot(starts, line.trend_line, color=INK, linewidth=1.2, linestyle="--")
        cut: Any = None if at is None else datetime.combine(at, time())
        if at is not None and days[0] < cut <= days[-1]:
            axes.axvline(cut, color=RAW, linewidth=1.2)
            note = f"from {long_date(at)}"
            axes.annotate(note, (cut, top), xytext=(4, -9), textcoords="offset points", color=RAW, fontsize=8)
        axes.set_ylim(0, top)
        axes.yaxis.set_major_formatter(percent_tick)
        axes.tick_params(length=0, labelsize=8)
        locator = AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        long = (days[-1] - days[0]).days > 300

        def name(value: float, _: object = None) -> str:
            day = num2date(value)  # type: ignore[no-untyped-call]
            return f"{MONTHS[day.month - 1][:3]} {day.year}" if long else f"{day.day} {MONTHS[day.month - 1][:3]}"

        axes.xaxis.set_major_formatter(name)
        axes.set_title("Day by day" + (" (dashed: the trend)" if line.trend_line else ""))
        return canvas


def draw_changes(changes: Sequence[tuple[str, Change]]) -> Canvas:
    """Before and after, place by place, and the difference with its interval."""
    with style():
        canvas = _canvas(0.55 * len(changes) + 1.0)
        left, right = canvas.subplots(1, 2, sharey=True, width_ratios=(1.35, 1))
        for y, (_, change) in enumerate(changes):
            pairs = (("before", change.before, -0.15, NONE), ("after", change.after, 0.15, MAIN))
            for _when, share, shift, colour in pairs:
                if share.low is not None and share.high is not None:
                    left.plot([share.low, share.high], [y + shift] * 2, color=colour, linewidth=2)
                if (value := best(share)) is not None:
                    left.plot(value, y + shift, "o", color=colour, markersize=6)
            d = change.difference
            if d.low is not None and d.high is not None:
                right.plot([d.low, d.high], [y, y], color=INK, linewidth=2)
            if (value := best(d)) is not None:
                right.plot(value, y, "o", color=INK, markersize=6)
        left.set_yticks(range(len(changes)), [short(name) for name, _ in changes], color=INK)
        left.set_ylim(len(changes) - 0.5, -0.5)
        left.set_xlim(0, 100)
        left.xaxis.set_major_formatter(percent_tick)
        left.set_title("Happy share before and after")
        right.axvline(0, color=MUTED, linewidth=1)
        ends = [abs(v) for _, c in changes for v in (c.difference.low, c.difference.high, best(c.difference)) if v]
        reach = 5 * math.ceil((max(ends, default=5.0) + 0.5) / 5)
        right.set_xlim(-reach, reach)
        right.xaxis.set_major_formatter(lambda value, _: f"{round(value, 3):+g}" if round(value, 3) else "0")
        right.set_title("Difference in points")
        for axes in (left, right):
            axes.grid(axis="y", visible=False)
            axes.tick_params(length=0)
        _key(canvas, [("before", NONE, "o", True), ("after", MAIN, "o", True)])
        return canvas


def draw_map(places: Sequence[MapPlace]) -> Canvas:
    """Areas and points coloured by happy share; north is up, distances are true at the middle latitude."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    with style():
        aspect = map_aspect(places)
        west, east, south, north = _bounds(places, aspect)
        height = min(max((WIDTH - 1.3) * (north - south) * aspect / (east - west), 2.6), 7.5)
        canvas = _canvas(height + 0.3)
        axes = canvas.subplots()
        low, high = colour_range([p.share for p in places if p.share is not None])
        scale = Normalize(low, high)
        colours = ScalarMappable(scale, ListedColormap(colormaps[COLOURS](np.linspace(0.15, 0.9, 256))))
        for place in sorted(places, key=lambda p: not p.polygons):
            shown = place.share is not None
            colour: Any = colours.to_rgba(np.asarray(place.share)) if shown else "#eef0ef"
            hatch = None if shown else "////"
            for rings in place.polygons:
                path = Path.make_compound_path(*(Path(np.array(ring), closed=True) for ring in rings))
                axes.add_patch(PathPatch(path, facecolor=colour, edgecolor="white", linewidth=1.2))
                axes.add_patch(PathPatch(path, fill=False, hatch=hatch, edgecolor=MUTED, linewidth=0.7))
            for line in place.lines:
                axes.plot(*zip(*line, strict=True), color=colour if shown else NONE, linewidth=5)
            if place.points:
                x, y = zip(*place.points, strict=True)
                axes.scatter(x, y, s=240, color=[colour], edgecolor=INK, linewidth=0.8, hatch=hatch, zorder=4)
        axes.set_xlim(west, east)
        axes.set_ylim(south, north)
        _label_places(axes, places, (east - west) / (WIDTH - 1.3), (north - south) / height)
        axes.set_aspect(aspect)
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(True)
        axes.set_facecolor("#f7f9f8")
        _scale_bar(axes, west, east, south, north, aspect)
        if any(place.share is not None for place in places):
            bar = canvas.colorbar(colours, ax=axes, shrink=0.7, aspect=18, pad=0.02, format=percent_tick)
            bar.set_ticks(list(np.arange(low, high + 1, 5 if high - low <= 50 else 10)))
            bar.set_label("happy share")
            bar.outline.set_visible(False)
        return canvas


def _bounds(places: Sequence[MapPlace], aspect: float) -> tuple[float, float, float, float]:
    x, y = zip(*(p for place in places for p in place.positions), strict=True)
    west, east, south, north = min(x), max(x), min(y), max(y)
    width, height = max(east - west, 0.004), max(north - south, 0.004 / aspect)
    # A strip of places still wants a map with some air, and names beside its points.
    width, height = max(width, height * aspect * 0.8), max(height, width / aspect * 0.45)
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    areas = any(place.polygons for place in places)
    width, height = width * (1.08 if areas else 1.5), height * (1.08 if areas else 1.35)
    return middle_x - width / 2, middle_x + width / 2, middle_y - height / 2, middle_y + height / 2


def _label_places(axes: Axes, places: Sequence[MapPlace], per_inch_x: float, per_inch_y: float) -> None:
    """Names beside points and in areas, where they do not lie on one another."""
    from matplotlib.patheffects import withStroke

    taken: list[tuple[float, float, float, float]] = []
    for place in places:
        x, y = place.centre
        value = {"suppressed": "too few people", "missing": "no data"}.get(place.state) or f"{place.share:.0f} %"
        name = short(place.name, 30)
        width, height = 0.075 * max(len(name), len(value)) * per_inch_x, 0.36 * per_inch_y
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
            at_x, at_y, f"{name}\n{value}", ha=side, va="center", fontsize=8.5, zorder=6, linespacing=1.15,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip


def _scale_bar(axes: Axes, west: float, east: float, south: float, north: float, aspect: float) -> None:
    kilometre = aspect / 111.2  # in degrees of longitude
    goal = 0.22 * (east - west) / kilometre
    length = max((n * 10.0**e for e in range(-3, 5) for n in (1, 2, 5) if n * 10.0**e <= goal), default=0.001)
    x, y = west + 0.03 * (east - west), south + 0.05 * (north - south)
    axes.plot([x, x + length * kilometre], [y, y], color=INK, linewidth=2, solid_capstyle="butt")
    text = f"{length:g} km" if length >= 1 else f"{1000 * length:g} m"
    axes.annotate(text, (x, y), xytext=(0, 3), textcoords="offset points", fontsize=8)


def _key(canvas: Canvas, entries: Sequence[tuple[str, str, str, bool]]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker=marker, linewidth=2 if filled else 0, label=label, markersize=6,
               markerfacecolor=colour if filled else "white")
        for label, colour, marker, filled in entries
    ]  # fmt: skip
    canvas.legend(handles=handles, loc="outside lower left", ncols=len(handles), frameon=False, fontsize=8.5)


def _runs(days: Sequence[datetime]) -> list[slice]:
    """Stretches without a missing day."""
    cuts = [i for i in range(1, len(days)) if (days[i] - days[i - 1]).days > 1]
    return [slice(a, b) for a, b in zip([0, *cuts], [*cuts, len(days)], strict=True)]


def _ceiling(dots: Sequence[Dot]) -> float:
    tops = [v for d in dots for v in (d.figure.high, best(d.figure)) if v is not None]
    return min(100.0, 10.0 * math.ceil((max(tops, default=100.0) + 2) / 10))


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def short(name: str, most: int = 34) -> str:
    """A name that fits beside a plot."""
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
