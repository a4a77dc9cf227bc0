"""The happiness index over time: its plot data, and the drawing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from felicity.index import IndexRow
from felicity.style.charts import panels, save, style
from felicity.style.marks import draw_band, dress, make_room, wall
from felicity.style.numbers import people
from felicity.style.palette import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class IndexSeries:
    """One location's happy share over time, percent, NaN if not shown; ``truth`` if it is known.

    ``times``, ``ends``: of the periods, in the location's time zone.
    """

    location: str
    times: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    adjusted: Floats
    low: Floats
    high: Floats
    people: npt.NDArray[np.int64]
    truth: tuple[tuple[datetime, float], ...] = ()


def index_series(
    rows: Iterable[IndexRow], *, truth: Mapping[str, Sequence[tuple[datetime, float]]] | None = None
) -> list[IndexSeries]:
    """Turn rows of an index into one series per location, in the order of their names.

    ``truth``: per location, times and true shares (0..1), for simulated people.
    """
    of: dict[str, list[IndexRow]] = {}
    for row in rows:
        of.setdefault(row.location, []).append(row)

    def column(rows: list[IndexRow], name: str) -> Floats:
        values = [getattr(row.happy_share, name) for row in rows]
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)

    return [
        IndexSeries(
            location,
            tuple(row.start for row in rows),
            tuple(row.end for row in rows),
            column(rows, "adjusted"),
            column(rows, "low"),
            column(rows, "high"),
            np.array([row.people for row in rows], dtype=np.int64),
            tuple((time, 100 * share) for time, share in (truth or {}).get(location, ())),
        )
        for location, rows in sorted(of.items())
    ]


def draw_index(series: Sequence[IndexSeries], path: Path, *, title: str = "Happy share, adjusted") -> None:
    """Draw ``index_figure`` into ``path`` (PNG, SVG or PDF), written beside and then put in place."""
    save(index_figure(series, title), path)


@style()
def index_figure(series: Sequence[IndexSeries], title: str) -> Figure:
    """Return one panel per location, each in the time zone of its place."""
    figure, axes = panels(len(series), height=2.5)
    for panel, one in zip(axes, series, strict=True):
        follows = np.array([end >= start for end, start in zip(one.ends, one.times[1:], strict=False)], dtype=np.bool_)
        draw_band(panel, wall(one.times), one.adjusted, one.low, one.high, follows)
        if one.truth:
            times, shares = zip(*one.truth, strict=True)
            panel.plot(wall(times), shares, color=INK, linewidth=1.1, linestyle="--")
        panel.set_title(f"{one.location}, {people(int(one.people.sum()))}")
        panel.set_ylim(0, 100)
        dress(panel)
    make_room(axes[0])
    figure.suptitle(title, x=0.01, ha="left")
    return figure
