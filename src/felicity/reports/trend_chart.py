"""Trends of locations: what is drawn, and the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from felicity.over_time.control import Change, Limits
from felicity.over_time.series import Floats
from felicity.over_time.trend import Trend
from felicity.style.figures import BLUE, DARK, GREEN, GREY, RED, dress, panels, save, wall

if TYPE_CHECKING:
    from matplotlib.artist import Artist


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
    changes: tuple[Change, ...]
    found: bool
    caption: str


def trend_picture(trend: Trend, limits: Limits | None = None, changes: Sequence[Change] = ()) -> TrendPicture:
    """The numbers of one panel: as observed where there are limits, else less its season."""
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
        caption=f"{trend.slope:+.1f} points a month ({trend.low:+.1f} to {trend.high:+.1f}), {trend.people:,} people",
    )


def draw_trends(pictures: Sequence[TrendPicture], path: Path) -> None:
    """Draw one panel per location into ``path`` (PNG, SVG or PDF)."""
    figure, axes = panels(len(pictures))
    for panel, one in zip(axes, pictures, strict=True):
        times = wall(one.starts)
        if len(one.low):
            panel.fill_between(times, one.low, one.high, color=GREEN, alpha=0.13, linewidth=0, label="control limits")
        panel.plot(times, one.share, color=DARK, linewidth=0.9, marker="o", markersize=2, label="happy share")
        outside = list(one.outside)
        if outside:
            panel.plot(times[outside], one.share[outside], "o", color=RED, markersize=4.5, label="out of the ordinary")
        panel.plot(
            times,
            one.line,
            color=BLUE,
            linewidth=1.8,
            linestyle="-" if one.found else "--",
            label="trend" if one.found else "trend (not beyond chance)",
        )
        for i, change in enumerate(one.changes):
            at: Any = wall([change.at])[0]  # matplotlib takes times, its annotations do not know
            panel.axvline(at, color=GREY, linewidth=1.1, linestyle=":", label="" if i else "lasting shift")
            panel.annotate(
                f"{change.after - change.before:+.1f}",
                (at, 1),
                xycoords=("data", "axes fraction"),
                xytext=(3, -10),
                textcoords="offset points",
                fontsize=8,
                color="#444444",
            )
        panel.set_title(f"{one.location}: {one.caption}", loc="left", fontsize=9)
        dress(panel)
    handles: dict[str, Artist] = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        list(handles.values()), list(handles), loc="outside upper right", ncols=len(handles), fontsize=8, frameon=False
    )
    save(figure, path)
