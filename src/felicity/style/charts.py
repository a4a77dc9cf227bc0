"""The style of every chart: type, lines and sizes for Matplotlib; and its output as SVG, PNG or file."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from felicity.files import check_place, write_whole
from felicity.style.palette import HATCH, INK, LINE, MUTED, PAPER, SERIES, themed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

WIDTH = 7.6
"""Width of a page's text in inches."""
DOTS_PER_INCH = 144
ENDINGS = (".png", ".svg", ".pdf")
CAVEAT = "Visible expression of those who passed a camera; it is not what they felt."
FONTS = (
    "Noto Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari",
    "WenQuanYi Zen Hei", "Arial Unicode MS", "Hiragino Sans", "Microsoft YaHei",
)  # fmt: skip
"""Fallback fonts, if installed, for letters that Matplotlib's own font lacks."""

_STYLE: Any = {
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica", "sans-serif"],
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a place may be called "$5 Bridge"
    "figure.facecolor": PAPER,
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
    "axes.facecolor": PAPER,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.pad": 5,
    "ytick.major.pad": 5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.labelcolor": INK,
    "hatch.linewidth": 0.6,
    "hatch.color": HATCH,
    "svg.fonttype": "none",
    "svg.hashsalt": "felicity",
    "pdf.fonttype": 42,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw within the style of every chart; a context, or ``@style()`` for a function.

    Missing letters give no warning: other fonts are tried, and a browser has more.
    """
    import matplotlib
    from cycler import cycler
    from matplotlib.font_manager import get_font_names

    there = set(get_font_names())
    fonts = ["DejaVu Sans", *(name for name in FONTS if name in there), "sans-serif"]
    look = _STYLE | {"font.family": fonts, "axes.prop_cycle": cycler(color=list(map(str, SERIES)))}
    with matplotlib.rc_context(look), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        yield


def new_canvas(height: float, width: float = WIDTH) -> Canvas:
    """Return an empty figure of ``height`` and ``width`` in inches; to be called within ``style``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(canvas)
    return canvas


def panels(count: int, *, width: float = 5.6, height: float = 2.8) -> tuple[Canvas, list[Axes]]:
    """Return a figure of ``count`` panels, two in a row, that share their axes; sizes of a panel in inches."""
    columns = 1 if count == 1 else 2
    lines = max(1, -(-count // columns))
    canvas = new_canvas(height * lines + 1.0, 8.6 if count == 1 else width * columns)
    drawn = list(canvas.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel())
    for panel in drawn[count:]:
        panel.set_visible(False)
    for panel in drawn[max(0, count - columns) : count]:
        panel.tick_params(labelbottom=True)
    canvas.supxlabel(CAVEAT, fontsize=8, color=MUTED)
    return canvas, drawn[:count]


def to_svg(canvas: Canvas, name: str, label: str) -> str:
    """Return an ``<svg>`` element to stand within a page, in the page's light or dark colours.

    ``name`` keeps its ids apart from those of other figures; ``label`` describes it for people who cannot see it. The
    CSS variable ``--wide`` of the element holds its natural width.
    """
    stream = io.StringIO()
    with style():
        canvas.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)  # a page knows them; svg_file adds them
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'^<svg([^>]*?) width="[^"]*"', r"<svg\1", text)
    text = re.sub(r'^<svg([^>]*?) height="[^"]*"', r"<svg\1", text)
    wide = round(72 * canvas.get_figwidth())
    opening = f'<svg role="img" aria-label="{html.escape(label)}" style="--wide: {wide}px"'
    return themed(text.replace("<svg", opening, 1))


def svg_file(svg: str) -> bytes:
    """Return the SVG of ``to_svg`` as a file of its own."""
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return ('<?xml version="1.0" encoding="utf-8"?>\n' + svg.replace("<svg", f"<svg {names}", 1)).encode()


_DATELESS: Any = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def to_file(canvas: Canvas, ending: str) -> bytes:
    """Return a file of one of ``ENDINGS``, PNG of ``DOTS_PER_INCH``; the same chart gives the same bytes."""
    stream = io.BytesIO()
    with style():
        canvas.savefig(stream, format=ending[1:], dpi=DOTS_PER_INCH, metadata=_DATELESS[ending])
    return stream.getvalue()


def to_png(canvas: Canvas) -> bytes:
    """Return a PNG of ``DOTS_PER_INCH``; the same chart gives the same bytes."""
    return to_file(canvas, ".png")


def check_chart(path: Path) -> None:
    """Raise ConfigError before the work if no chart can be drawn into ``path``."""
    check_place(path, "a chart", ENDINGS)


def save(canvas: Canvas, path: Path) -> None:
    """Write PNG, SVG or PDF, whole or not at all. Raises ConfigError if the file cannot be written."""
    check_chart(path)
    write_whole(path, to_file(canvas, path.suffix.lower()))


def save_each(canvas: Canvas, place: Path) -> list[Path]:
    """Write ``place`` with each of ``ENDINGS``: to look at, for a page and for a paper. Raises ConfigError.

    The first file settles the layout of all.
    """
    written = [place.with_name(place.name + ending) for ending in ENDINGS]
    for path in written:
        save(canvas, path)
        canvas.set_layout_engine("none")
    return written


def short(name: str, most: int = 34) -> str:
    """Return a name shortened to fit beside a plot."""
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
