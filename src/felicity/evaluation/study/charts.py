"""Charts of the study that a single run does not have: two trainings together, beside the published figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from felicity.style.charts import new_canvas, style
from felicity.style.marks import plain_log, whole_ticks
from felicity.style.palette import MUTED, SERIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


@style()
def draw_together(histories: Mapping[str, Sequence[Sequence[dict[str, Any]]]], title: str) -> Canvas:
    """Draw accuracy and loss by epoch of several trainings under each name: validation solid, training dashed."""
    canvas = new_canvas(4.0, 9.6)
    for axes, name, unit in zip(canvas.subplots(1, 2), ("accuracy", "loss"), ("%", "nats"), strict=True):
        factor = 100 if name == "accuracy" else 1
        for (label, runs), colour in zip(histories.items(), SERIES, strict=False):
            for number, history in enumerate(runs):
                epochs, look = [row["epoch"] for row in history], {"color": colour, "linewidth": 0.9}
                seen, unseen = ([factor * row[key] for row in history] for key in (name, f"val_{name}"))
                axes.plot(epochs, unseen, **look, label=None if number else label)
                axes.plot(epochs, seen, **look, linestyle="--", alpha=0.5)
        axes.set(xlabel="epoch", ylabel=f"{name}, {unit}")
        whole_ticks(axes.xaxis)
        if name == "accuracy":
            axes.legend(title="validation; dashed: training", title_fontsize=8.5)
    canvas.suptitle(title)
    return canvas


@style()
def draw_beside(ours: Mapping[str, Sequence[float]], published: Sequence[float], figure: str, title: str) -> Canvas:
    """Draw ``figure`` by epoch, ours and the study's; logarithmic if it spans more than two decades."""
    canvas = new_canvas(3.8, 6.4)
    axes = canvas.add_subplot()
    for (label, values), colour in zip(ours.items(), SERIES, strict=False):
        axes.plot(range(1, len(values) + 1), values, "o-", color=colour, markersize=3, label=label)
    axes.plot(range(1, len(published) + 1), published, "s--", color=MUTED, markersize=4, label="the study")
    shown = [*published, *(value for values in ours.values() for value in values)]
    if min(shown) > 0 and max(shown) / min(shown) > 100:
        axes.set_yscale("log")
        plain_log(axes.yaxis)
    axes.set(xlabel="epoch", ylabel=figure, title=title)
    axes.set_xticks(range(1, max(len(published), *map(len, ours.values())) + 1))
    axes.legend()
    return canvas
