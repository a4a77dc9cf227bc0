"""Drawing of a report's plots with Matplotlib; their numbers come from ``plots``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from felicity.reports.place import BeforeAfter
from felicity.reports.plots import DayLine, Dot, best
from felicity.style.charts import new_canvas, short, style
from felicity.style.dates import WEEKDAYS, long_date
from felicity.style.marks import date_axis, draw_band, grid, hatched, make_room, percent_tick, points_tick
from felicity.style.numbers import count, percent
from felicity.style.palette import EARLIER, INK, MAIN, MUTED, PAPER, RAW

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas


def draw_places(dots: Sequence[Dot]) -> Canvas:
    """Return places from top to bottom: adjusted share and interval, and the raw share beside it."""
    with style():
        canvas = new_canvas(0.42 * len(dots) + 1.0)
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
                    share.raw, y + 0.25, "D", color=RAW, markerfacecolor=PAPER, markersize=4, zorder=5, clip_on=False
                )
            else:
                hatched(axes, y, 100, across=0.5, upright=False)
                axes.text(50, y, "too few people: not shown", ha="center", va="center", color=INK, fontsize=8)
            text = "" if (value := best(share)) is None else percent(value, 0)
            margin.text(0.38, y, text, va="center", ha="right", fontsize=9.5, fontweight="bold")
            margin.text(1, y, count(dot.people), va="center", ha="right", fontsize=8, color=MUTED)
        margin.text(0.38, -0.75, "happy", va="center", ha="right", fontsize=8, color=MUTED)
        margin.text(1, -0.75, "people", va="center", ha="right", fontsize=8, color=MUTED)
        margin.set_xlim(0, 1)
        margin.set_axis_off()
        axes.set_yticks([dot.at for dot in dots], [short(dot.label) for dot in dots], color=INK)
        axes.set_ylim(len(dots) - 0.4, -1.0)
        axes.set_xlim(0, 100)
        axes.xaxis.set_major_formatter(percent_tick)
        grid(axes, "x")
        axes.tick_params(length=0, pad=7)
        axes.spines["left"].set_visible(False)
        _key(canvas, [("adjusted, with 95 % interval", MAIN, "o", True), ("as counted (raw)", RAW, "D", False)])
        return canvas


def draw_pattern(hours: Sequence[Dot], weekdays: Sequence[Dot]) -> Canvas:
    """Return two panels with one scale: by hour of the day and by weekday."""
    with style():
        canvas = new_canvas(2.35)
        left, right = canvas.subplots(1, 2, sharey=True, width_ratios=(1.6, 1))
        top = _ceiling([*hours, *weekdays])
        for axes, dots in ((left, hours), (right, weekdays)):
            _whiskers(axes, dots, top)
            axes.set_ylim(0, top)
            axes.yaxis.set_major_formatter(percent_tick)
            grid(axes, "y")
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
            hatched(axes, dot.at, top, across=0.7, upright=True)
            continue
        if share.low is not None and share.high is not None:
            axes.plot([dot.at] * 2, [share.low, share.high], color=MAIN, alpha=0.4, linewidth=5, zorder=2)
        if (value := best(share)) is not None:
            axes.plot(dot.at, value, "o", color=MAIN, markersize=4.5, zorder=3)


def draw_days(line: DayLine, at: date | None) -> Canvas:
    """Draw the days, with intervals, the trend if there is one, and the date that divides before from after."""
    with style():
        canvas = new_canvas(2.1)
        axes = canvas.subplots()
        days: Any = [datetime.combine(start.date(), time()) for start in line.starts]
        columns = [[_or_nan(value) for value in (best(f), f.low, f.high)] for f in line.figures]
        share, low, high = np.array(columns).T
        follows = np.array([(after - day).days == 1 for day, after in pairwise(days)], dtype=np.bool_)
        draw_band(axes, np.array(days), share, low, high, follows)
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
        date_axis(axes.xaxis)
        make_room(axes)
        axes.set_title("Day by day" + (" (dashed: the trend)" if line.trend_line else ""))
        return canvas


def draw_changes(changes: Sequence[tuple[str, BeforeAfter]]) -> Canvas:
    """Draw before and after, place by place, and the difference with its interval."""
    from matplotlib.ticker import MaxNLocator

    with style():
        canvas = new_canvas(0.55 * len(changes) + 1.0)
        left, right = canvas.subplots(1, 2, sharey=True, width_ratios=(1.35, 1))
        for y, (_, change) in enumerate(changes):
            pairs = (("before", change.before, -0.15, EARLIER), ("after", change.after, 0.15, MAIN))
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
        left.set_xticks((0, 25, 50, 75, 100))
        left.xaxis.set_major_formatter(percent_tick)
        left.set_title("Happy share before and after")
        right.axvline(0, color=MUTED, linewidth=1)
        ends = [abs(v) for _, c in changes for v in (c.difference.low, c.difference.high, best(c.difference)) if v]
        reach = 5 * math.ceil((max(ends, default=5.0) + 0.5) / 5)
        right.set_xlim(-reach, reach)
        right.xaxis.set_major_locator(MaxNLocator(5, prune="both"))
        right.xaxis.set_major_formatter(points_tick)
        right.set_title("Difference in points")
        for axes in (left, right):
            grid(axes, "x")
            axes.tick_params(length=0)
        _key(canvas, [("before", EARLIER, "o", True), ("after", MAIN, "o", True)])
        return canvas


def _key(canvas: Canvas, entries: Sequence[tuple[str, str, str, bool]]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker=marker, linewidth=2 if filled else 0, label=label, markersize=6,
               markerfacecolor=colour if filled else PAPER)
        for label, colour, marker, filled in entries
    ]  # fmt: skip
    canvas.legend(handles=handles, loc="outside lower left", ncols=len(handles))


def _ceiling(dots: Sequence[Dot]) -> float:
    tops = [v for d in dots for v in (d.figure.high, best(d.figure)) if v is not None]
    return min(100.0, 10.0 * math.ceil((max(tops, default=100.0) + 2) / 10))


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
