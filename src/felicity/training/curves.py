"""Learning curves: loss and accuracy by epoch, training and validation, as the study draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from felicity.style.charts import new_canvas, style
from felicity.style.marks import whole_ticks
from felicity.style.palette import MUTED, TRAINING, VALIDATION

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


@style()
def draw_curves(history: Sequence[dict[str, Any]], title: str) -> Canvas:
    """Draw accuracy at the left and loss at the right; ``history``: as ``Run.history``."""
    epochs = [row["epoch"] for row in history]
    canvas = new_canvas(3.8, 9.6)
    best = min(history, key=lambda row: row["val_loss"])["epoch"]
    for axes, name, unit in zip(canvas.subplots(1, 2), ("accuracy", "loss"), ("%", "nats"), strict=True):
        factor = 100 if name == "accuracy" else 1
        marker = "o" if len(epochs) < 3 else None
        for key, colour, label in ((name, TRAINING, "training"), (f"val_{name}", VALIDATION, "validation")):
            axes.plot(epochs, [factor * row[key] for row in history], color=colour, marker=marker, label=label)
        axes.axvline(best, color=MUTED, linewidth=0.9, linestyle=":", label="least validation loss")
        axes.set(xlabel="epoch", ylabel=f"{name}, {unit}")
        whole_ticks(axes.xaxis)
        axes.legend()
    canvas.suptitle(title)
    return canvas
