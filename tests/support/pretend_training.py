"""Trials without a network: what ``fit`` tells its watcher is computed from the settings, at once.

As a program, ``python -m tests.support.pretend_training FOLDER URL TRIALS SECONDS`` tunes with such trials of so many
seconds each, as one of several processes.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from felicity.errors import TrainingError
from felicity.training.config import TrainConfig, make_config
from felicity.training.data import TrainingSet, training_set
from felicity.training.history import Epoch
from felicity.training.labelled_images import LabelledImages
from felicity.training.tuning import trials
from felicity.training.tuning.space import Space, parse_space
from felicity.training.tuning.tune import tune

SECONDS = 0.0


def config(**more: Any) -> TrainConfig:
    """Four epochs of nothing."""
    return make_config({"data": {"path": "nowhere", "size": 8}, "model": {"name": "test-tiny"}, "epochs": 4}, more)


def space(**more: Any) -> Space:
    """Learning rate and depth."""
    tree = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}, "model": {"depth": {"low": 1, "high": 4}}}
    return parse_space(tree | more, where="space")


def data(seed: int = 0) -> TrainingSet:
    """Eight images."""
    images = np.random.default_rng(seed).integers(0, 256, (8, 8, 8), dtype=np.uint8)
    part = LabelledImages(images, np.arange(8) % 2, None)
    return training_set(("happy", "sad"), part, part, part, where="data")


def loss(chosen: TrainConfig, epoch: int) -> float:
    """Least at a learning rate of 0.003 and a depth of 3; a depth of 4 ends in no number."""
    return abs(math.log10(chosen.learning_rate / 0.003)) + abs((chosen.model.depth or 1) - 3) / 4 + 1 / epoch


def fit(chosen: TrainConfig, of: TrainingSet, folder: Path, *, resume: bool, watcher: Any) -> None:
    """In place of ``training.fit.fit``; it begins anew where it should resume."""
    folder.mkdir(parents=True, exist_ok=resume)
    if chosen.model.depth == 4:
        raise TrainingError(f"the loss is nan; the last good checkpoint is kept in {folder}")
    (folder / "last.npz").write_bytes(b"weights")
    for epoch in range(1, chosen.epochs + 1):
        time.sleep(SECONDS / chosen.epochs)
        watcher.epoch(Epoch(epoch, 1.0, 0.5, loss(chosen, epoch), 0.5, 0.1, 0.1, 10.0), chosen.epochs)


if __name__ == "__main__":
    trials.fit = fit  # type: ignore[assignment]
    place, url, number, SECONDS = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    print("begins", flush=True)
    tune(config(), space(), data(), place, number, url=sa.make_url(url), name="shared")
