"""Figures of a study: how it went, which settings mattered, and each setting's values against what came of them."""

from __future__ import annotations

import math
from typing import Any

from felicity.style.chart_style import GRID, INK, MUTED, TRAINING, VALIDATION, canvas, plain, png

COLUMNS, EDGE = 4, 0.05


def tuning_png(result: dict[str, Any]) -> bytes:
    """Validation loss by trial, the best so far, the importance of each setting; ``result`` as ``tune`` gives it."""
    figure = canvas(10.4, 3.9, f"{result['model']} on {result['backend']}: {len(result['trials'])} trials")
    history, importance = figure.subplots(1, 2, width_ratios=(1.35, 1))
    _history(history, result)
    _importances(importance, result["importances"])
    return png(figure)


def best_so_far(trials: list[dict[str, Any]]) -> list[tuple[int, float]]:
    """Number of each trial from the first that was done, and the least loss of those done until then."""
    line: list[tuple[int, float]] = []
    for trial in trials:
        if trial["state"] == "done":
            line.append((trial["number"], min(trial["val_loss"], line[-1][1] if line else math.inf)))
        elif line:
            line.append((trial["number"], line[-1][1]))
    return line


def slices_png(result: dict[str, Any]) -> bytes:
    """A panel per setting: its value across, validation loss up; ``result`` as ``tune`` gives it."""
    space = result["space"]
    rows = math.ceil(len(space) / COLUMNS)
    columns = math.ceil(len(space) / rows)
    figure = canvas(2.9 * columns + 1.2, 2.7 * rows + 0.5, "what each setting gave (triangles: pruned)")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    dots = None
    for place, axes in enumerate(panels.flat):
        if place >= len(space):
            axes.set_axis_off()
            continue
        name = list(space)[place]
        dots = _slice(axes, result["trials"], name, space[name]) or dots
        axes.set_xlabel(name.split(".")[-1].replace("_", " "))
        if place % columns == 0:
            axes.set_ylabel("validation loss, nats")
    if dots is not None:
        bar = figure.colorbar(dots, ax=panels, label="trial", aspect=30, pad=0.01)
        bar.ax.yaxis.get_major_locator().set_params(integer=True)
    return png(figure)


def _history(axes: Any, result: dict[str, Any]) -> None:
    trials = result["trials"]
    for state, marker, colour in (("done", "o", TRAINING), ("pruned", "v", MUTED)):
        if shown := [trial for trial in trials if trial["state"] == state and trial["val_loss"] is not None]:
            numbers, losses = [t["number"] for t in shown], [t["val_loss"] for t in shown]
            axes.plot(numbers, losses, marker, color=colour, ms=5, label=state)
    line = best_so_far(trials)
    axes.step(*zip(*line, strict=True), where="post", color=VALIDATION, linewidth=1.2, label="best so far")
    if failed := [trial["number"] for trial in trials if trial["state"] == "failed"]:
        # Without a loss they stand at the upper edge.
        axes.plot(
            failed, [1.0] * len(failed), "x", color=INK, ms=6, label="failed", clip_on=False,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.set(xlabel="trial", ylabel="least validation loss, nats")
    axes.xaxis.get_major_locator().set_params(integer=True)
    plain(axes)
    axes.legend(frameon=False, fontsize=8)


def _importances(axes: Any, shares: dict[str, float] | None) -> None:
    axes.set_title("importance (PED-ANOVA, of the trials done)", fontsize=9)
    if not shares:
        axes.text(0.5, 0.5, "too few trials are done", ha="center", va="center", color=MUTED)
        axes.set_axis_off()
        return
    names = list(shares)
    axes.barh([name.split(".")[-1].replace("_", " ") for name in names], [shares[n] for n in names], color=TRAINING)
    for row, name in enumerate(names):
        axes.annotate(
            f"{shares[name]:.0%}", (shares[name], row), (4, 0), textcoords="offset points", va="center", size=8
        )
    axes.invert_yaxis()
    axes.set_xlim(0, max(shares.values()) * 1.15 or 1)
    axes.set_xticks([])
    plain(axes, grid="x")
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(length=0)


def _slice(axes: Any, trials: list[dict[str, Any]], name: str, dimension: dict[str, Any]) -> Any:
    """Dots filled for trials that were done, hollow for pruned ones."""
    choices = dimension.get("choices")
    shown = [trial for trial in trials if trial["val_loss"] is not None and name in trial["settings"]]
    numbers = [trial["number"] for trial in shown]
    first, last = (min(numbers), max(numbers)) if numbers else (0, 1)
    dots = None
    for state in ("pruned", "done"):
        some = [trial for trial in shown if trial["state"] == state]
        at = [choices.index(t["settings"][name]) if choices else t["settings"][name] for t in some]
        style = {"edgecolors": MUTED, "linewidths": 0.8} if state == "done" else {"marker": "v", "alpha": 0.45}
        if some:
            dots = axes.scatter(
                at, [t["val_loss"] for t in some], c=[t["number"] for t in some], cmap=_blues(), s=30, zorder=3,
                vmin=first, vmax=max(last, first + 1), **style,
            )  # fmt: skip
    plain(axes)
    axes.grid(color=GRID)
    if choices:
        axes.set_xticks(range(len(choices)), [str(choice) for choice in choices])
        axes.set_xlim(-0.5, len(choices) - 0.5)
        return dots
    low, high = dimension["low"], dimension["high"]
    if dimension["log"]:
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.set_xlim(low * (low / high) ** EDGE, high * (high / low) ** EDGE)
        return dots
    axes.set_xlim(low - EDGE * (high - low), high + EDGE * (high - low))
    if isinstance(low, int) and isinstance(high, int):
        axes.xaxis.get_major_locator().set_params(integer=True)
    return dots


def _blues() -> Any:
    """From a blue that shows on white to the darkest."""
    import numpy as np
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["Blues"](np.linspace(0.25, 1, 256)))
