"""What the figures of cross-validation and tuning have in common; the look of ``curves``."""

from __future__ import annotations

import io
from typing import Any

TRAINING, VALIDATION, HELD_OUT, MUTED, GRID, INK = "#0072b2", "#d55e00", "#009e73", "#999999", "#e6e6e6", "#333333"


def canvas(width: float, height: float, title: str) -> Any:
    """An empty Matplotlib figure, sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11)
    return figure


def plain(axes: Any, *, grid: str = "both") -> None:
    """No frame at the top and the right, a faint grid."""
    axes.grid(axis=grid, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def png(figure: Any) -> bytes:
    """The figure as a PNG; the same figure gives the same bytes."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()
