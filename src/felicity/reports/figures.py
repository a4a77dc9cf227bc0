"""What all drawings share: colours, panels, and files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREEN, DARK, BLUE, RED, GREY = "#2ea043", "#1f7a33", "#1f5fa8", "#c4412e", "#777777"
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


def dress(panel: Axes) -> None:
    """Percent upwards, dates along."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
    panel.grid(alpha=0.25)


def save(figure: Figure, path: Path) -> None:
    """Write PNG, SVG or PDF, beside and then put in place."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a place may be called "$5 Bridge"
    beside = path.with_name(f".{path.name}.part")
    try:
        figure.savefig(beside, format=path.suffix[1:] or "png", dpi=130)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
