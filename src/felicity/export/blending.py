"""Weights between those that a run began with and its own: what it learnt of new faces, and what was known of old ones.

Source: Wortsman et al. 2022 (arXiv:2109.01903). It is for runs that go on from a network at a low learning rate, where
all networks on the line between the two are good.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from felicity.errors import ConfigError, TrainingError
from felicity.training.checkpoint import State
from felicity.training.run import TrainingRun
from felicity.training.start import open_start


def blended(run: TrainingRun, share: float) -> tuple[TrainingRun, State]:
    """Blend the weights of ``run``, of which ``share``, 0 to 1, is the start's; return the run with pixels to suit.

    Raises ConfigError if ``share`` is none or the run began with no network of the same shape and classes;
    TrainingError where its start is another now.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"blend must lie in 0 to 1, not {share}")
    if not run.config.start:
        raise ConfigError(f"{run.folder}: began with random weights, so nothing can be blended; leave blend out")
    start, own = open_start(run.config.start), run.weights()
    if start.id != run.facts["start"]:
        raise TrainingError(
            f"{run.folder}: was begun with the weights of {run.facts['start']}, and they are {start.id} now; blend it "
            f"with those it was begun with"
        )
    first = start.weights()
    same = {name: array.shape for name, array in own.items()} == {name: array.shape for name, array in first.items()}
    if not same or start.heads != (run.classes, run.second_classes):
        raise ConfigError(
            f"{run.folder}: is of another width or other classes than {start.id}, which it began with, so the two "
            f"cannot be blended; leave blend out"
        )
    weights = {name: ((1 - share) * own[name] + share * first[name]).astype(np.float32) for name in own}
    mean, std = (round((1 - share) * a + share * b, 4) for a, b in zip((run.mean, run.std), start.pixels, strict=True))
    return replace(run, mean=mean, std=std), weights
