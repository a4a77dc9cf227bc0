"""Charts of a study: its progress, the importance of settings, and the loss by each setting's values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from felicity.style.charts import new_canvas, style
from felicity.style.marks import grid, plain_log, shades, whole_ticks
from felicity.style.numbers import share
from felicity.style.palette import EARLIER, INK, MUTED, TRAINING, VALIDATION

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

COLUMNS, EDGE = 4, 0.05


@style()
def draw_tuning(result: dict[str, Any]) -> Canvas:
    """Draw validation loss by trial, the best so far, the importance of each setting; ``result``: that of ``tune``."""
    figure = new_canvas(3.9, 10.4)
    figure.suptitle(f"{result['model']} on {result['backend']}: {len(result['trials'])} trials")
    history, importance = figure.subplots(1, 2, width_ratios=(1.35, 1))
    _history(history, result)
    _importances(importance, result["importances"])
    return figure


def best_so_far(trials: list[dict[str, Any]]) -> list[tuple[int, float]]:
    """Return the number of each trial from the first finished one, and the least loss of those finished until then."""
    line: list[tuple[int, float]] = []
    for trial in trials:
        if trial["state"] == "done":
            line.append((trial["number"], min(trial["val_loss"], line[-1][1] if line else math.inf)))
        elif line:
            line.append((trial["number"], line[-1][1]))
    return line


@style()
def draw_slices(result: dict[str, Any]) -> Canvas:
    """Draw a panel per setting: its value across, validation loss up; ``result`` is that of ``tune``."""
    space = result["space"]
    rows = math.ceil(len(space) / COLUMNS)
    columns = math.ceil(len(space) / rows)
    figure = new_canvas(2.7 * rows + 0.5, 2.9 * columns + 1.2)
    figure.suptitle("what each setting gave (triangles: pruned)")
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
        whole_ticks(bar.ax.yaxis)
    return figure


def _history(axes: Any, result: dict[str, Any]) -> None:
    trials = result["trials"]
    for state, marker, colour in (("done", "o", TRAINING), ("pruned", "v", EARLIER)):
        if shown := [trial for trial in trials if trial["state"] == state and trial["val_loss"] is not None]:
            numbers, losses = [t["number"] for t in shown], [t["val_loss"] for t in shown]
            axes.plot(numbers, losses, marker, color=colour, ms=5, label=state)
    line = best_so_far(trials)
    axes.step(*zip(*line, strict=True), where="post", color=VALIDATION, linewidth=1.2, label="best so far")
    if failed := [trial["number"] for trial in trials if trial["state"] == "failed"]:
        # Trials without a loss stand at the upper edge.
        axes.plot(
            failed, [1.0] * len(failed), "x", color=INK, ms=6, label="failed", clip_on=False,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.set(xlabel="trial", ylabel="least validation loss, nats")
    whole_ticks(axes.xaxis)
    axes.legend()


def _importances(axes: Any, shares: dict[str, float] | None) -> None:
    axes.set_title("importance (PED-ANOVA, of the trials done)")
    if not shares:
        axes.text(0.5, 0.5, "too few trials are done", ha="center", va="center", color=MUTED)
        axes.set_axis_off()
        return
    names = list(shares)
    axes.barh([name.split(".")[-1].replace("_", " ") for name in names], [shares[n] for n in names], color=TRAINING)
    for row, name in enumerate(names):
        axes.annotate(
            share(shares[name], 0), (shares[name], row), (4, 0), textcoords="offset points", va="center", size=8
        )
    axes.invert_yaxis()
    axes.set_xlim(0, max(shares.values()) * 1.15 or 1)
    axes.set_xticks([])
    grid(axes, "x")
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(length=0)


def _slice(axes: Any, trials: list[dict[str, Any]], name: str, dimension: dict[str, Any]) -> Any:
    """Draw dots: filled for finished trials, hollow for pruned ones."""
    choices = dimension.get("choices")
    shown = [trial for trial in trials if trial["val_loss"] is not None and name in trial["settings"]]
    numbers = [trial["number"] for trial in shown]
    first, last = (min(numbers), max(numbers)) if numbers else (0, 1)
    dots = None
    for state in ("pruned", "done"):
        some = [trial for trial in shown if trial["state"] == state]
        at = [choices.index(t["settings"][name]) if choices else t["settings"][name] for t in some]
        look = {"edgecolors": EARLIER, "linewidths": 0.8} if state == "done" else {"marker": "v", "alpha": 0.45}
        if some:
            dots = axes.scatter(
                at, [t["val_loss"] for t in some], c=[t["number"] for t in some], cmap=shades("Blues", 0.3, 1),
                s=30, zorder=3, vmin=first, vmax=max(last, first + 1), **look,
            )  # fmt: skip
    if choices:
        axes.set_xticks(range(len(choices)), [str(choice) for choice in choices])
        axes.set_xlim(-0.5, len(choices) - 0.5)
        return dots
    low, high = dimension["low"], dimension["high"]
    if dimension["log"]:
        axes.set_xscale("log")
        axes.minorticks_off()
        plain_log(axes.xaxis)
        axes.set_xlim(low * (low / high) ** EDGE, high * (high / low) ** EDGE)
        return dots
    axes.set_xlim(low - EDGE * (high - low), high + EDGE * (high - low))
    if isinstance(low, int) and isinstance(high, int):
        whole_ticks(axes.xaxis)
    return dots
