"""Before and after a measure: the drawing of an ``Effect``, whose arrays are the plot's data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from felicity.over_time.effect import Effect
from felicity.style.charts import panels, save, style
from felicity.style.dates import long_date
from felicity.style.marks import dress, upper_legend, wall
from felicity.style.numbers import points, points_span
from felicity.style.palette import ACCENT, BAD, EARLIER, MAIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_effect(effect: Effect, path: Path) -> None:
    """Draw ``effect_figure`` into ``path`` (PNG, SVG or PDF)."""
    save(effect_figure(effect), path)


@style()
def effect_figure(effect: Effect) -> Figure:
    """Return a figure of the treated locations, their expected course, and the comparison."""
    figure, (panel,) = panels(1, height=3.6)
    times = wall(effect.starts)
    before = np.array([start < effect.at for start in effect.starts])
    if effect.compared is not None:
        label = f"comparison: {', '.join(effect.comparison)}"
        panel.plot(times, effect.compared, color=EARLIER, linewidth=0.8, marker="o", markersize=1.8, label=label)
    panel.plot(
        times, effect.treated, color=MAIN, linewidth=0.8, marker="o", markersize=2.2, label=", ".join(effect.locations)
    )
    for part in (before, ~before):
        panel.plot(times[part], effect.fitted[part], color=ACCENT, linewidth=2.2, label="" if part[-1] else "fitted")
    panel.plot(
        times[~before],
        effect.expected[~before],
        color=ACCENT,
        linewidth=1.6,
        linestyle="--",
        label="without the measure",
    )
    at: Any = wall([effect.at])[0]  # matplotlib takes times, its annotations do not know
    panel.axvline(at, color=BAD, linewidth=1.2)
    panel.annotate(
        f"from {long_date(effect.at)}",
        (at, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -9),
        textcoords="offset points",
        color=BAD,
        fontsize=8,
    )
    panel.set_title(f"{points(effect.estimate)} points (95 % interval {points_span(effect.low, effect.high)})")
    dress(panel)
    upper_legend(figure, [panel], columns=2)
    return figure
