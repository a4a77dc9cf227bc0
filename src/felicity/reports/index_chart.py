"""The happiness index over time: what is drawn, and the drawing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.index import IndexRow
from felicity.reports.figures import DARK, GREEN, dress, panels, save

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class IndexSeries:
    """One location's happy share over time, percent, NaN where it is not shown; ``truth`` if it is known."""

    location: str
    times: tuple[datetime, ...]
    adjusted: Floats
    low: Floats
    high: Floats
    people: npt.NDArray[np.int64]
    truth: tuple[tuple[datetime, float], ...] = ()


def index_series(
    rows: Iterable[IndexRow], *, truth: Mapping[str, Sequence[tuple[datetime, float]]] | None = None
) -> list[IndexSeries]:
    """Rows of an index to one series per location, in the order of their names.

    ``truth``: per location, times and true shares (0..1), where people were simulated.
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
            column(rows, "adjusted"),
            column(rows, "low"),
            column(rows, "high"),
            np.array([row.people for row in rows], dtype=np.int64),
            tuple((time, 100 * share) for time, share in (truth or {}).get(location, ())),
        )
        for location, rows in sorted(of.items())
    ]


def draw_index(series: Sequence[IndexSeries], path: Path, *, title: str = "Happy share, adjusted") -> None:
    """Draw one panel per location into ``path`` (PNG, SVG or PDF), written beside and then put in place."""
    figure, axes = panels(len(series), height=2.5)
    for panel, one in zip(axes, series, strict=True):
        times = np.array(one.times, dtype=object)
        panel.fill_between(times, one.low, one.high, color=GREEN, alpha=0.22, linewidth=0)
        panel.plot(times, one.adjusted, color=DARK, linewidth=1.8, marker="o", markersize=2.5)
        if one.truth:
            panel.plot(*zip(*one.truth, strict=True), color="#333333", linewidth=1.1, linestyle="--")
        panel.set_title(f"{one.location}, {one.people.sum():,} people", loc="left", fontsize=10)
        panel.set_ylim(0, 100)
        dress(panel)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    save(figure, path)
