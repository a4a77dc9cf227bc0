"""The look of a report's plots: colours, type, sizes; and a drawn plot as SVG or PNG."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

INK, MUTED, GRID = "#22302a", "#66736c", "#d9dfdb"
MAIN, BAND, RAW, NONE = "#1f7a33", "#2ea043", "#8a6d3b", "#b9c0bc"
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


def new_canvas(height: float, width: float = WIDTH) -> Canvas:
    """An empty figure of ``height`` and ``width`` in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(canvas)
    return canvas


def short(name: str, most: int = 34) -> str:
    """A name that fits beside a plot."""
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
