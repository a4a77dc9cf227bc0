"""The figures of a training, epoch by epoch, and their table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Epoch:
    """One epoch, counted from 1. ``loss`` is the mean over its steps, of the network at each step.

    ``accuracy`` is that of the augmented training set. ``seconds`` are of the steps alone. ``metrics``: the user's own
    metrics on the validation set, by name.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float
    metrics: dict[str, float] = field(default_factory=dict)


def to_csv(history: list[Epoch]) -> str:
    """Return a line per epoch."""
    text = io.StringIO()
    rows = [as_row(asdict(epoch)) for epoch in history]
    names = [f.name for f in fields(Epoch) if f.name != "metrics"]
    writer = csv.DictWriter(text, list(rows[0]) if rows else names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: v if isinstance(v, int) else f"{v:.6g}" for k, v in row.items()} for row in rows)
    return text.getvalue()


def as_row(epoch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of an epoch in columns, the user's own metrics as ``val_NAME``."""
    row = {name: value for name, value in epoch.items() if name != "metrics"}
    return row | {f"val_{name}": value for name, value in epoch.get("metrics", {}).items()}


def from_json(rows: list[dict[str, Any]]) -> list[Epoch]:
    """Read the epochs of a checkpoint."""
    return [Epoch(**row) for row in rows]
