"""The marks of all charts: lines within intervals, axes of time and percent, heat maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from felicity.style.dates import tick_labels
from felicity.style.palette import DEEPEST, HATCH, HEAT, INK, MAIN, PAPER, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure as Canvas


def wall(times: Iterable[datetime]) -> npt.NDArray[Any]:
    """Return times as local times of their own places; Matplotlib would show them in UTC."""
    return np.array([time.replace(tzinfo=None) for time in times], dtype=object)


def draw_band(
    panel: Axes,
    times: npt.NDArray[Any],
    share: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    follows: npt.NDArray[np.bool_],
) -> None:
    """Draw a line of shares within their intervals, all (n,); ``follows`` (n - 1,): whether the next time comes next.

    Unknown (NaN) or unwatched times are gaps in the line. A figure without neighbours has its interval as a bar,
    because a band would have no width.
    """
    known = np.isfinite(share)
    cuts = np.flatnonzero(~(follows & known[1:] & known[:-1])) + 1
    for part in np.split(np.arange(len(share)), cuts):
        if not known[part].all():
            continue
        if len(part) == 1:
            panel.vlines(times[part], low[part], high[part], color=MAIN, alpha=0.35, linewidth=4)
        panel.fill_between(times[part], low[part], high[part], color=MAIN, alpha=0.2, linewidth=0)
        panel.plot(times[part], share[part], color=MAIN, linewidth=1.6, marker="o", markersize=2.6)


def make_room(panel: Axes) -> None:
    """Give a single moment an axis of two days, after all is drawn; Matplotlib would give it five years."""
    drawn = [x for one in panel.get_shared_x_axes().get_siblings(panel) for x in one.dataLim.intervalx]
    drawn = [x for x in drawn if np.isfinite(x)]
    if drawn and min(drawn) == max(drawn):
        panel.set_xlim(drawn[0] - 1, drawn[0] + 1)


def percent_tick(value: float, _: object = None) -> str:
    """Return a tick unrounded, such as 37.5 %, so that its label equals its height."""
    return f"{round(value, 3) + 0:g} %"


def points_tick(value: float, _: object = None) -> str:
    """Return the tick of a difference in points, with its sign."""
    shown = f"{round(value, 3):+g}".replace("-", "\u2212")
    return shown if round(value, 3) else "0"


def share_tick(value: float, _: object = None) -> str:
    """Return the tick of a share from 0 to 1 in percent."""
    return percent_tick(100 * value)


def dress(panel: Axes) -> None:
    """Set percent on the vertical axis, dates on the horizontal one."""
    date_axis(panel.xaxis)
    panel.yaxis.set_major_formatter(percent_tick)


def date_axis(axis: Axis) -> None:
    """Set hours, days, months or years as ticks, with the words of ``style.dates``."""
    from matplotlib.dates import AutoDateLocator, num2date
    from matplotlib.ticker import Formatter

    class Dates(Formatter):
        def __call__(self, value: float, _: object = None) -> str:
            return tick_labels([num2date(value)])[0]  # type: ignore[no-untyped-call]

        def format_ticks(self, values: Sequence[float]) -> list[str]:
            return tick_labels([num2date(value) for value in values])  # type: ignore[no-untyped-call]

    axis.set_major_locator(AutoDateLocator(maxticks=8))  # type: ignore[no-untyped-call]
    axis.set_major_formatter(Dates())


def whole_ticks(axis: Axis) -> None:
    """Set whole numbers as ticks, such as epochs."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 2.5, 5, 10]))


def plain_log(axis: Axis) -> None:
    """Set ticks of a logarithmic axis as plain numbers, such as 0.001, and none between them."""
    from matplotlib.ticker import NullFormatter

    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def grid(panel: Axes, along: str) -> None:
    """Leave the grid lines of one axis only: ``x`` or ``y``."""
    panel.grid(axis="y" if along == "x" else "x", visible=False)


def bare(panel: Axes, title: str) -> None:
    """Set a title; remove frame and tick marks."""
    panel.set_title(title, fontsize=10.5, pad=8, wrap=True)
    panel.tick_params(length=0, labelcolor=INK)
    for side in panel.spines.values():
        side.set_visible(False)


def heat_map(
    panel: Axes,
    share: npt.NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    counts: npt.NDArray[Any] | None = None,
) -> None:
    """Draw ``share`` (R, C), 0 to 1, as shaded cells with their percentages, and ``counts`` (R, C) below these."""
    from matplotlib.patches import Rectangle

    for i, j in np.ndindex(share.shape):
        part = float(share[i, j])
        panel.add_patch(
            Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=HEAT, alpha=DEEPEST * part, edgecolor="none", linewidth=0)
        )
        middle = {"ha": "center", "va": "center"}
        if part >= 0.005:
            text = f"{100 * part:.0f} %"
            panel.text(j, i - (0.14 if counts is not None else 0), text, fontsize=8.5, **middle)  # type: ignore[arg-type]
        if counts is not None and counts[i, j]:
            panel.text(j, i + 0.24, f"{counts[i, j]:,}", fontsize=7, **middle)  # type: ignore[arg-type]
    panel.set_xlim(-0.5, share.shape[1] - 0.5)
    panel.set_ylim(share.shape[0] - 0.5, -0.5)
    panel.grid(visible=False)
    panel.set_xticks(range(len(columns)), columns, rotation=35, ha="right")
    panel.set_yticks(range(len(rows)), rows)


def hatched(panel: Axes, at: float, length: float, *, across: float, upright: bool) -> None:
    """Draw the bar that marks a suppressed figure."""
    bar = panel.bar if upright else panel.barh
    bar(at, length, across, facecolor=SOFT, hatch="////", edgecolor=HATCH, linewidth=0, zorder=1)


def upper_legend(canvas: Canvas, panels: Iterable[Axes], *, columns: int = 0) -> None:
    """Draw one legend above all panels."""
    handles: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    canvas.legend(list(handles.values()), list(handles), loc="outside upper right", ncols=columns or len(handles))


def halo() -> Any:
    """Return a rim in the colour of paper around letters on a picture."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.5, foreground=PAPER)]


def shades(name: str, low: float = 0.2, high: float = 0.95) -> Any:
    """Return the part ``low`` to ``high`` of a colour map, whose ends differ from paper and ink."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps[name](np.linspace(low, high, 256)))
