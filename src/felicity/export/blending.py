"""Weights between those of several networks: of runs that began alike, and of a run and the network it began with.

Sources: Wortsman et al. 2022 (arXiv:2203.05482) for the mean of runs, which is as fast as one of them; Wortsman et al.
2022 (arXiv:2109.01903) for the blend with the start, which forgets less of what it knew. Both are for runs that go on
from a network at a low learning rate, where all networks between them are good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from felicity.errors import ConfigError, TrainingError
from felicity.training.checkpoint import State
from felicity.training.run import TrainingRun
from felicity.training.start import open_start


def combined(run: TrainingRun, others: Sequence[TrainingRun], share: float) -> tuple[TrainingRun, State]:
    """Return ``run`` and the mean weights of it and ``others``, of which ``share``, 0 to 1, comes from their start.

    Raises ConfigError where a run is named twice, or the runs did not begin with the same weights, or differ in data,
    network or classes; and what ``blended`` raises.
    """
    folders = [each.folder.resolve() for each in (run, *others)]
    for other in others:
        if folders.count(other.folder.resolve()) > 1:
            raise ConfigError(
                f"{other.folder}: is named twice, so it would count twice in the mean; name each run once"
            )
        _check_alike(run, other)
    if not share:
        return run, _mean([each.weights() for each in (run, *others)])
    parts = [blended(each, share) for each in (run, *others)]
    return parts[0][0], _mean([weights for _, weights in parts])


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


def _check_alike(run: TrainingRun, other: TrainingRun) -> None:
    """Raise ConfigError unless the mean of both runs' weights is that of networks that began as one."""
    facts = {
        "began with other weights": [each.facts.get("start") for each in (run, other)],
        "has another data set": [each.facts["data"]["digest"] for each in (run, other)],
        "is another network": [each.config.model for each in (run, other)],
        "has other classes": [(each.classes, each.second_classes) for each in (run, other)],
    }
    for what, (own, its) in facts.items():
        if own != its:
            raise ConfigError(f"{other.folder}: {what} than {run.folder}, so they have no useful mean; leave it out")
    if run.facts.get("start") is None:
        raise ConfigError(
            f"{run.folder}: began with random weights, as {other.folder} did, so they have no useful mean; average "
            f"runs that began with the same network (felicity train --start)"
        )


def _mean(weights: Sequence[State]) -> State:
    return {
        name: np.stack([each[name] for each in weights]).mean(axis=0, dtype=np.float64).astype(np.float32)
        for name in weights[0]
    }
