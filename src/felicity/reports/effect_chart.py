"""Before and after a measure: the drawing of an ``Effect``, whose arrays are the plot's data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from felicity.over_time.effect import Effect
from felicity.style.figures import BLUE, DARK, GREY, RED, dress, panels, save, wall

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_effect(effect: Effect, path: Path) -> None:
    """Draw ``effect_figure`` into ``path`` (PNG, SVG or PDF)."""
    save(effect_figure(effect), path)


def effect_figure(effect: Effect) -> Figure:
    """The treated locations, what was expected, and the comparison."""
    figure, (panel,) = panels(1, height=3.6)
    times = wall(effect.starts)
    before = np.array([start < effect.at for start in effect.starts])
    if effect.compared is not None:
        label = f"comparison: {', '.join(effect.comparison)}"
        panel.plot(times, effect.compared, color=GREY, linewidth=0.8, marker="o", markersize=1.8, label=label)
    panel.plot(
        times, effect.treated, color=DARK, linewidth=0.8, marker="o", markersize=2.2, label=", ".join(effect.locations)
    )
    for part in (before, ~before):
        panel.plot(times[part], effect.fitted[part], color=BLUE, linewidth=2.2, label="" if part[-1] else "fitted")
    panel.plot(
        times[~before], effect.expected[~before], color=BLUE, linewidth=1.6, linestyle="--", label="without the measure"
    )
    at: Any = wall([effect.at])[0]  # matplotlib takes times, its annotations do not know
    panel.axvline(at, color=RED, linewidth=1.2)
    panel.annotate(
        f"{effect.at:%-d %B %Y}",
        (at, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -9),
        textcoords="offset points",
        color=RED,
        fontsize=8,
    )
    panel.set_title(
        f"{effect.estimate:+.1f} points (95 % interval {effect.low:+.1f} to {effect.high:+.1f})",
        loc="left",
        fontsize=10,
    )
    dress(panel)
    figure.legend(loc="outside upper right", ncols=2, fontsize=8, frameon=False)
    return figure
