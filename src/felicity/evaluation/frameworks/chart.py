"""A comparison in one picture: accuracy by part, validation by epoch, seconds, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from felicity.evaluation.frameworks.comparison import Comparison
from felicity.evaluation.frameworks.contestant import PLAIN
from felicity.evaluation.frameworks.summary import LABELS, PARTS, Mean
from felicity.style.charts import new_canvas, style
from felicity.style.marks import grid, whole_ticks
from felicity.style.numbers import count, number
from felicity.style.palette import INK, SERIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

COLOURS = dict(zip(("jax", "torch", "tensorflow", PLAIN), (*SERIES[:3], SERIES[-1]), strict=True))


@style()
def draw_comparison(comparison: Comparison) -> Canvas:
    """Draw four panels. Whiskers: 95 % over seeds; dots: single seeds."""
    canvas = new_canvas(7.2, 10.5)
    (accuracy, curves), (seconds, memory) = canvas.subplots(2, 2)
    names = comparison.contestants
    shift = {name: (i - (len(names) - 1) / 2) * 0.17 for i, name in enumerate(names)}
    for name in names:
        colour, label = COLOURS[name], LABELS[name]
        for x, part in enumerate(PARTS):
            values = 100 * comparison.values(name, part, "accuracy")
            mean = Mean.of(values, 0, 100)
            accuracy.errorbar(
                x + shift[name], mean.value, yerr=[[end] for end in mean.reach] if mean.known else None, fmt="o",
                color=colour, capsize=3, markersize=5, label=label if x == 0 else None,
            )  # fmt: skip
            accuracy.plot([x + shift[name] + 0.05] * len(values), values, ".", color=colour, alpha=0.5, markersize=4)
        for i, outcome in enumerate(comparison.of(name)):
            curves.plot(
                [row["epoch"] for row in outcome["history"]],
                [100 * row["val_accuracy"] for row in outcome["history"]],
                color=colour, linewidth=1.1, alpha=0.8, label=label if i == 0 else None,
            )  # fmt: skip
    for axes, values_of in ((seconds, comparison.seconds), (memory, comparison.memory)):
        means = [Mean.of(values_of(name), 0) for name in names]
        places = np.arange(len(names))
        axes.barh(places, [mean.value for mean in means], color=[COLOURS[name] for name in names], height=0.6)
        axes.errorbar(
            [mean.value for mean in means], places, xerr=np.transpose([mean.reach for mean in means]), fmt="none",
            ecolor=INK, capsize=3,
        )  # fmt: skip
        figures = [number(mean.value, 1 if mean.value < 100 else 0) for mean in means]
        axes.set_yticks(places, [f"{LABELS[name]}\n{figure}" for name, figure in zip(names, figures, strict=True)])
        axes.invert_yaxis()
    accuracy.set_xticks(range(len(PARTS)), PARTS)
    accuracy.set(ylabel="accuracy, %", title="Accuracy, weights of the best epoch")
    curves.set(xlabel="epoch", ylabel="validation accuracy, %", title="By epoch, a line for each seed")
    whole_ticks(curves.xaxis)
    seconds.set(xlabel="seconds per epoch (median, first left out)", title="Time")
    memory.set(xlabel="peak memory, MB", title="Memory")
    curves.legend()
    for axes in (accuracy, curves):
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, 0), min(high, 100))
    for axes in (seconds, memory):
        axes.set_xlim(left=0)
    for axes in (accuracy, curves, seconds, memory):
        grid(axes, "y" if axes in (accuracy, curves) else "x")
    images = comparison.data["images"]
    canvas.suptitle(
        f"{comparison.config.model.name}, {count(images['train'])} images, {comparison.config.epochs} epochs, "
        f"{len(comparison.seeds)} seeds"
    )
    return canvas
