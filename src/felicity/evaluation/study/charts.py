"""Pictures that the study has and a single run has not: two trainings together, beside what was published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from felicity.evaluation.drawing import Canvas

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def together_png(histories: Mapping[str, Sequence[Sequence[dict[str, Any]]]], title: str) -> bytes:
    """Accuracy and loss by epoch of several trainings under each name: validation drawn through, training dashed."""
    canvas = Canvas(9.6, 4.0)
    for axes, name, unit in zip(canvas.figure.subplots(1, 2), ("accuracy", "loss"), ("%", "nats"), strict=True):
        factor = 100 if name == "accuracy" else 1
        for (label, runs), colour in zip(histories.items(), COLOURS, strict=False):
            for number, history in enumerate(runs):
                epochs, style = [row["epoch"] for row in history], {"color": colour, "linewidth": 0.9}
                seen, unseen = ([factor * row[key] for row in history] for key in (name, f"val_{name}"))
                axes.plot(epochs, unseen, **style, label=None if number else label)
                axes.plot(epochs, seen, **style, linestyle="--", alpha=0.5)
        axes.set(xlabel="epoch", ylabel=f"{name}, {unit}")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color="#e6e6e6", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        if name == "accuracy":
            axes.legend(frameon=False, fontsize=8, title="validation; dashed: training", title_fontsize=8)
    canvas.figure.suptitle(title, fontsize=11)
    return canvas.png()


def beside_png(ours: Mapping[str, Sequence[float]], published: Sequence[float], figure: str, title: str) -> bytes:
    """``figure`` by epoch, ours and the study's; logarithmic where it spans more than two decades."""
    canvas = Canvas(6.4, 3.8)
    axes = canvas.figure.add_subplot()
    for (label, values), colour in zip(ours.items(), COLOURS, strict=False):
        axes.plot(range(1, len(values) + 1), values, "o-", color=colour, markersize=3, label=label)
    axes.plot(range(1, len(published) + 1), published, "s--", color="#555555", markersize=4, label="the study")
    shown = [*published, *(value for values in ours.values() for value in values)]
    if min(shown) > 0 and max(shown) / min(shown) > 100:
        axes.set_yscale("log")
    axes.set(xlabel="epoch", ylabel=figure, title=title)
    axes.set_xticks(range(1, max(len(published), *map(len, ours.values())) + 1))
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return canvas.png()
