"""The chart of the check: true against estimated shares, and targets beside measured figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from felicity.simulation.check import Example, SimulationCheck, Target
from felicity.style.charts import new_canvas, save, style
from felicity.style.marks import grid
from felicity.style.numbers import people, percent
from felicity.style.palette import ACCENT, BAD, MAIN, MUTED, RAW

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN_PEOPLE = (200, 2000)
_DAYS = 60


@style()
def draw_check(verdict: SimulationCheck, path: Path) -> None:
    """Draw into ``path`` (PNG, SVG or PDF): scatters for 200 and 2,000 people, and the targets."""
    shown = [example for example in verdict.examples if example.people in SHOWN_PEOPLE]
    figure = new_canvas(4.8, 4.3 * len(shown) + 4.6)
    panels = list(figure.subplots(1, len(shown) + 1, width_ratios=[1.0] * len(shown) + [0.75], squeeze=False)[0])
    for panel, example in zip(panels, shown, strict=False):
        _scatter(panel, example)
    _targets(panels[-1], [target for target in verdict.targets if target.unit == "%"])
    figure.supxlabel(
        "Simulated people with faces that the network never saw; each mark is one place on one day", fontsize=8
    )
    save(figure, path)


def _scatter(panel: Axes, example: Example) -> None:
    some = slice(0, _DAYS)
    truth = example.truth[some]
    low, high = example.adjusted[some] - example.low[some], example.high[some] - example.adjusted[some]
    panel.plot((0, 100), (0, 100), color=MUTED, linewidth=0.8)
    panel.errorbar(
        truth,
        example.adjusted[some],
        yerr=(low, high),
        fmt="o",
        color=MAIN,
        ecolor=MAIN,
        elinewidth=0.8,
        markersize=3.5,
        label="adjusted, with 95 % interval",
    )
    panel.plot(truth, example.counted[some], "x", color=RAW, markersize=4.5, label="counted")
    panel.set_title(people(example.people))
    panel.set_xlabel("truly happy, %")
    panel.set_ylabel("index, %")
    panel.set_xlim(0, 100)
    panel.set_ylim(0, 100)
    panel.set_aspect("equal")
    panel.legend(loc="upper left")


def _targets(panel: Axes, targets: list[Target]) -> None:
    """Draw each measured percentage on a scale on which its bounds are -1 and 1."""
    for place, target in enumerate(reversed(targets)):
        middle, half = (target.low + target.high) / 2, (target.high - target.low) / 2
        panel.errorbar(
            (target.measured - middle) / half,
            place,
            xerr=(target.chance or 0) / half,
            fmt="o",
            color=ACCENT if target.ok else BAD,
            elinewidth=1.2,
            markersize=5,
        )
        panel.annotate(
            percent(target.measured), (1.75, place), fontsize=8, va="center", ha="left", annotation_clip=False
        )
    panel.axvspan(-1, 1, color=MAIN, alpha=0.15, linewidth=0)
    panel.set_yticks(range(len(targets)), [target.what for target in reversed(targets)], fontsize=8)
    panel.set_xticks((-1, 0, 1), ("lower\nbound", "middle", "upper\nbound"), fontsize=8)
    panel.set_xlim(-1.7, 1.7)
    panel.set_title("Promised (green), measured")
    grid(panel, "y")
