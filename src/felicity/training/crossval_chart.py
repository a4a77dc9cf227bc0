"""One chart of a cross-validation: learning curves and scores by fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from felicity.style.charts import new_canvas, style
from felicity.style.marks import grid, whole_ticks
from felicity.style.numbers import number
from felicity.style.palette import HELD_OUT, INK, TRAINING, VALIDATION

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SHARES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced\naccuracy",
    "macro_f1": "macro F1",
    "happy_f1": "happy F1",
}
SPREAD = 0.12
"""Distance between the points of folds beside each other."""


@style()
def draw_crossval(result: dict[str, Any]) -> Canvas:
    """Draw ``result`` of ``cross_validate``."""
    folds, model = result["folds"], result["config"]["model"]["name"]
    figure = new_canvas(3.9, 12.6)
    figure.suptitle(f"{model} on {result['config']['backend']}, {len(folds)} folds")
    loss, accuracy, points = figure.subplots(1, 3, width_ratios=(1, 1, 1.15))
    _curves(loss, folds, "loss", "loss, nats", 1)
    _curves(accuracy, folds, "accuracy", "accuracy, %", 100)
    accuracy.legend()
    _points(points, result)
    return figure


def _curves(axes: Any, folds: list[dict[str, Any]], name: str, label: str, factor: float) -> None:
    for prefix, colour, what in (("", TRAINING, "training"), ("val_", VALIDATION, "validation")):
        for fold in folds:
            epochs = [row["epoch"] for row in fold["history"]]
            values = [factor * row[f"{prefix}{name}"] for row in fold["history"]]
            shown = what if fold is folds[0] else None
            marker = "o" if len(epochs) < 3 else None
            axes.plot(epochs, values, color=colour, alpha=0.75, linewidth=1.2, marker=marker, label=shown)
    axes.set(xlabel="epoch", ylabel=label)
    axes.set_title("a line per fold")
    whole_ticks(axes.xaxis)


def _points(axes: Any, result: dict[str, Any]) -> None:
    folds = result["folds"]
    names = [name for name in SHARES if name in result["summary"]]
    for place, name in enumerate(names):
        mean = result["summary"][name]
        low, middle, high = (100 * mean[key] for key in ("low", "mean", "high"))
        axes.errorbar(place + 0.26, middle, [[middle - low], [high - middle]], color=INK, fmt="D", ms=4, capsize=4)
        for place_of, fold in enumerate(folds):
            beside = SPREAD * (2 * place_of / (len(folds) - 1) - 1)
            axes.plot(place + beside, 100 * fold[name], "o", ms=4, color=HELD_OUT, alpha=0.85)
        axes.annotate(number(middle), (place + 0.26, middle), (6, 0), textcoords="offset points", va="center", size=8)
    axes.set_xticks(range(len(names)), [SHARES[name] for name in names])
    axes.set_xlim(-0.4, len(names) - 0.3)
    axes.set(ylabel="held out, %")
    axes.set_title("a point per fold; mean, approximate 95 % interval")
    grid(axes, "y")
