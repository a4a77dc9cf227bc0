"""What all drawings share: colours, panels, and charts that are refused before the work."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from felicity.files import check_place, write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREEN, DARK, BLUE, RED, GREY = "#2ea043", "#1f7a33", "#1f5fa8", "#c4412e", "#777777"
ENDINGS = (".png", ".svg", ".pdf")
FONTS = (
    "Noto Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari",
    "WenQuanYi Zen Hei", "Arial Unicode MS", "Hiragino Sans", "Microsoft YaHei",
)  # fmt: skip
"""Where they are installed, these draw the letters that Matplotlib's own font lacks."""
CAVEAT = "Visible expression of those who passed; it is not what they felt."


def panels(count: int, *, width: float = 5.6, height: float = 2.8) -> tuple[Figure, list[Axes]]:
    """A figure of ``count`` panels, two in a row, that share their axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = 1 if count == 1 else 2
    lines = max(1, -(-count // columns))
    figure = Figure(figsize=((8.6 if count == 1 else width * columns), height * lines + 1.0), layout="constrained")
    FigureCanvasAgg(figure)
    drawn = list(figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel())
    for panel in drawn[count:]:
        panel.set_visible(False)
    for panel in drawn[max(0, count - columns) : count]:
        panel.tick_params(labelbottom=True)
    figure.supxlabel(CAVEAT, fontsize=8, color="#555555")
    return figure, drawn[:count]


def wall(times: Iterable[datetime]) -> npt.NDArray[Any]:
    """Times as the clocks of their own places show them; Matplotlib would put them on one clock, that of UTC."""
    return np.array([time.replace(tzinfo=None) for time in times], dtype=object)


def draw_band(
    panel: Axes,
    times: npt.NDArray[Any],
    share: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    follows: npt.NDArray[np.bool_],
) -> None:
    """A line of shares within their intervals, all (n,); ``follows`` (n - 1,): whether the next time comes right after.

    What is not known (NaN) or was not watched is a hole, not a bridge. A figure without neighbours has its interval as
    a bar, for a band of no width is none.
    """
    known = np.isfinite(share)
    cuts = np.flatnonzero(~(follows & known[1:] & known[:-1])) + 1
    for part in np.split(np.arange(len(share)), cuts):
        if not known[part].all():
            continue
        if len(part) == 1:
            panel.vlines(times[part], low[part], high[part], color=GREEN, alpha=0.35, linewidth=4)
        panel.fill_between(times[part], low[part], high[part], color=GREEN, alpha=0.2, linewidth=0)
        panel.plot(times[part], share[part], color=DARK, linewidth=1.6, marker="o", markersize=2.6)


def make_room(panel: Axes) -> None:
    """Put a single moment amid two days, when all is drawn; Matplotlib would put it amid five years."""
    drawn = [x for one in panel.get_shared_x_axes().get_siblings(panel) for x in one.dataLim.intervalx]
    drawn = [x for x in drawn if np.isfinite(x)]
    if drawn and min(drawn) == max(drawn):
        panel.set_xlim(drawn[0] - 1, drawn[0] + 1)


def percent_tick(value: float, _: object = None) -> str:
    """A tick as it is, such as 37.5 %: rounded, it would stand at another height than it says."""
    return f"{round(value, 3) + 0:g} %"


def dress(panel: Axes) -> None:
    """Percent upwards, dates along."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    panel.yaxis.set_major_formatter(percent_tick)
    panel.grid(alpha=0.25)


def check_chart(path: Path) -> None:
    """Raise ConfigError where no chart could be drawn into ``path``; told before the work, not after it."""
    check_place(path, "a chart", ENDINGS)


def save(figure: Figure, path: Path) -> None:
    """Write PNG, SVG or PDF, whole or not at all. Raises ConfigError where it cannot be written."""
    from matplotlib.font_manager import get_font_names
    from matplotlib.text import Text

    check_chart(path)
    there = set(get_font_names())
    fonts = ["DejaVu Sans", *(name for name in FONTS if name in there)]
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a place may be called "$5 Bridge", or 中央
        text.set_fontfamily(fonts)
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(drawn, format=path.suffix[1:], dpi=130)
    write_whole(path, drawn.getvalue())
