"""The figures of a training, epoch by epoch, and their table."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Epoch:
    """One epoch, counted from 1. ``loss`` is the mean over its steps, of the network as it was at each step.

    ``accuracy`` is that of the training part, augmented as it was trained on. ``seconds`` are of the steps alone.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float


def to_csv(history: list[Epoch]) -> str:
    """A line per epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(Epoch)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: v if isinstance(v, int) else f"{v:.6g}" for k, v in asdict(e).items()} for e in history)
    return text.getvalue()


def from_json(rows: list[dict[str, Any]]) -> list[Epoch]:
    """As a checkpoint holds them."""
    return [Epoch(**row) for row in rows]
