"""What all drawings share: colours, panels, and charts that are refused before the work."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from felicity.errors import ConfigError
from felicity.files import check_place, write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREEN, DARK, BLUE, RED, GREY = "#2ea043", "#1f7a33", "#1f5fa8", "#c4412e", "#777777"
ENDINGS = (".png", ".svg", ".pdf")
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
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(f"{path}: a chart is written as {', '.join(ENDINGS)}; give a name that ends so")
    check_place(path)


def save(figure: Figure, path: Path) -> None:
    """Write PNG, SVG or PDF, whole or not at all. Raises ConfigError where it cannot be written."""
    from matplotlib.text import Text

    check_chart(path)
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a place may be called "$5 Bridge"
    drawn = io.BytesIO()
    figure.savefig(drawn, format=path.suffix[1:], dpi=130)
    write_whole(path, drawn.getvalue())
