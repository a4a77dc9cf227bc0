"""Learning curves: loss and accuracy by epoch, training and validation, as the study draws them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any


def curves_png(history: Sequence[dict[str, Any]], title: str) -> bytes:
    """A PNG with accuracy at the left and loss at the right; ``history`` as ``Run.history`` has it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(9.6, 3.8), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    best = min(history, key=lambda row: row["val_loss"])["epoch"]
    for axes, name, unit in zip(figure.subplots(1, 2), ("accuracy", "loss"), ("%", "nats"), strict=True):
        factor = 100 if name == "accuracy" else 1
        marker = "o" if len(epochs) < 3 else None
        axes.plot(epochs, [factor * row[name] for row in history], color="#0072b2", marker=marker, label="training")
        axes.plot(
            epochs, [factor * row[f"val_{name}"] for row in history], color="#d55e00", marker=marker, label="validation"
        )
        axes.axvline(best, color="#999999", linewidth=0.8, linestyle=":", label="least validation loss")
        axes.set(xlabel="epoch", ylabel=f"{name}, {unit}")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color="#e6e6e6", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=11)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()
