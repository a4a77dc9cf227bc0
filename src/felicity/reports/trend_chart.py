"""Trends of locations: their plot data, and the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from felicity.over_time.control import LevelShift, Limits
from felicity.over_time.series import Floats
from felicity.over_time.trend import Trend
from felicity.style.charts import panels, save, short, style
from felicity.style.marks import dress, upper_legend, wall
from felicity.style.numbers import people, points, points_span
from felicity.style.palette import ACCENT, BAD, INK, MAIN, MUTED

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class TrendPicture:
    """One location: daily (or weekly) shares in percent, NaN in gaps, all (n,) on ``starts``.

    ``line``: the trend. ``low``, ``high``: control limits; ``outside``: indices of periods beyond them; all of these
    empty without limits. ``changes``: lasting shifts. ``found``: whether the trend is more than chance.
    """

    location: str
    starts: tuple[datetime, ...]
    share: Floats
    line: Floats
    low: Floats
    high: Floats
    outside: tuple[int, ...]
    changes: tuple[LevelShift, ...]
    found: bool
    caption: str


def trend_picture(trend: Trend, limits: Limits | None = None, changes: Sequence[LevelShift] = ()) -> TrendPicture:
    """Return the numbers of one panel: as observed with limits, else minus its season."""
    nothing = np.empty(0)
    return TrendPicture(
        location=trend.location,
        starts=trend.starts,
        share=limits.share if limits else trend.adjusted,
        line=trend.line,
        low=limits.low if limits else nothing,
        high=limits.high if limits else nothing,
        outside=tuple(np.flatnonzero(limits.outside).tolist()) if limits else (),
        changes=tuple(changes),
        found=trend.found,
        caption=f"{points(trend.slope)} points a month ({points_span(trend.low, trend.high)}), {people(trend.people)}",
    )


def draw_trends(pictures: Sequence[TrendPicture], path: Path) -> None:
    """Draw ``trend_figure`` into ``path`` (PNG, SVG or PDF)."""
    save(trend_figure(pictures), path)


@style()
def trend_figure(pictures: Sequence[TrendPicture]) -> Figure:
    """Return one panel per location: shares, their trend, control limits and lasting shifts."""
    figure, axes = panels(len(pictures))
    for panel, one in zip(axes, pictures, strict=True):
        times = wall(one.starts)
        if len(one.low):
            panel.fill_between(times, one.low, one.high, color=MAIN, alpha=0.13, linewidth=0, label="control limits")
        panel.plot(times, one.share, color=MAIN, linewidth=0.9, marker="o", markersize=2, label="happy share")
        outside = list(one.outside)
        if outside:
            panel.plot(times[outside], one.share[outside], "o", color=BAD, markersize=4.5, label="out of the ordinary")
        panel.plot(
            times,
            one.line,
            color=ACCENT,
            linewidth=1.8,
            linestyle="-" if one.found else "--",
            label="trend" if one.found else "trend (not beyond chance)",
        )
        for i, change in enumerate(one.changes):
            at: Any = wall([change.at])[0]  # matplotlib takes times, its annotations do not know
            panel.axvline(at, color=MUTED, linewidth=1.1, linestyle=":", label="" if i else "lasting shift")
            panel.annotate(
                points(change.after - change.before),
                (at, 1),
                xycoords=("data", "axes fraction"),
                xytext=(3, -10),
                textcoords="offset points",
                fontsize=8,
                color=INK,
            )
        panel.set_title(f"{short(one.location, 50)}\n{one.caption}")
        dress(panel)
    upper_legend(figure, axes)
    return figure
