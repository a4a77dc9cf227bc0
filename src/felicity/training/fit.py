"""The training loop, the same for every backend."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError, TrainingError
from felicity.metrics.calibration import cross_entropy
from felicity.metrics.classification import is_right
from felicity.training import checkpoint
from felicity.training import run as runs
from felicity.training.config import TrainConfig
from felicity.training.data import ImageArray, LabelledImages, TrainingSet, one_hot
from felicity.training.engines import Engine, open_engine
from felicity.training.feed import Feed, check_memory, normalise
from felicity.training.history import Epoch
from felicity.training.schedule import learning_rate
from felicity.training.start import open_start
from felicity.training.teachers import Teachers

Floats = npt.NDArray[np.float32]
CHECKPOINT_SECONDS, DRAWING_SECONDS = 120.0, 5.0
"""Between checkpoints within an epoch, and between drawings of the curves, which are drawn at the end, too."""


class Watcher(Protocol):
    """Told how a training gets on."""

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """A step is done; ``loss`` and ``accuracy`` are of the epoch so far."""

    def epoch(self, done: Epoch, epochs: int) -> None:
        """An epoch is done."""


class Silent:
    """A watcher that says nothing."""

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """See ``Watcher``."""

    def epoch(self, done: Epoch, epochs: int) -> None:
        """See ``Watcher``."""


@dataclass
class _Progress:
    """Where a training stands, as its checkpoints say it: sums over the steps of the epoch under way."""

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    right: int = 0
    seen: int = 0
    seconds: float = 0.0
    best: float = math.inf
    best_epoch: int = 0


def fit(
    config: TrainConfig,
    data: TrainingSet,
    folder: Path,
    *,
    resume: bool = False,
    watcher: Watcher | None = None,
    on_step: Callable[[Engine, int], None] | None = None,
) -> runs.TrainingRun:
    """Train and leave a run folder. ``resume`` goes on from its last checkpoint, if it has one.

    A resumed run ends with the weights of an undisturbed one, to float32 rounding: order, augmentation and
    learning rate depend on seed, epoch and step alone, and the checkpoint holds all else. Raises TrainingError where
    the loss is no number (the checkpoints then stand before it), where the folder is of another training or cannot
    be written; ConfigError where a batch is larger than the data, or views than the memory.
    """
    watcher = watcher or Silent()
    if config.batch_size > len(data.train):
        raise ConfigError(
            f"batch_size is {config.batch_size}, but the training part has {len(data.train)} images; "
            f"choose a smaller one"
        )
    check_memory(min(config.views, config.epochs), data.train, sum(data.heads))
    state: checkpoint.State | None = None
    facts: dict[str, Any] = {}
    resumed = resume and (folder / runs.RUN).exists()
    if resumed:
        run, state, facts = runs.resume(folder, config, data)
    start = open_start(config.start) if config.start and state is None else None
    if start is not None:
        start.check(config)
        if resumed and start.id != run.facts["start"]:
            raise TrainingError(
                f"{folder}: was begun with the weights of {run.facts['start']}, and they are {start.id} now; resume it "
                f"with those it was begun with, or choose another folder"
            )
    history, at = runs.history_of(facts), _Progress(**facts.get("progress", {}))
    if resumed and finished(config, history, at):
        runs.record(run, history)  # which a kill after the last checkpoint may have prevented
        return run
    if not resumed:
        runs.check_new(folder)
    engine = open_engine(config, data.heads)
    if state is not None:
        engine.set_state(state)
    feed = make_feed(config, data)
    if not resumed:
        run = runs.begin(folder, config, data, start.id if start else None)
    if start is not None:
        start.hand_on(engine, data)
    total = feed.steps * config.epochs
    saved, drawn = time.monotonic(), -math.inf

    def save() -> None:
        nonlocal saved
        checkpoint.save(
            folder / runs.LAST, engine.state(), {"progress": asdict(at), "history": [asdict(e) for e in history]}
        )
        saved = time.monotonic()

    while not finished(config, history, at):
        began = time.perf_counter()
        rate = config.learning_rate
        for batch in feed.epoch(at.epoch, at.step):
            rate = learning_rate(config, at.epoch * feed.steps + at.step, total)
            loss, right = engine.step(batch.faces, batch.targets, rate)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss is {loss} at step {at.step + 1} of epoch {at.epoch + 1} (learning rate {rate:g}); "
                    f"lower the learning rate; the last good checkpoint is kept in {folder}"
                )
            at.step += 1
            at.loss_sum, at.right, at.seen = at.loss_sum + loss, at.right + right, at.seen + len(batch.targets)
            watcher.step(at.epoch + 1, at.step, feed.steps, at.loss_sum / at.step, at.right / at.seen)
            if on_step:
                on_step(engine, at.epoch * feed.steps + at.step)
            if time.monotonic() - saved > CHECKPOINT_SECONDS and at.step < feed.steps:
                at.seconds += time.perf_counter() - began
                save()
                began = time.perf_counter()
        at.seconds += time.perf_counter() - began
        history.append(_finish_epoch(engine, config, data, at, rate))
        if history[-1].val_loss < at.best:
            at.best, at.best_epoch = history[-1].val_loss, at.epoch + 1
            checkpoint.save(
                folder / runs.BEST, engine.weights(), {"epoch": at.epoch + 1, "classes": list(data.classes)}
            )
        at = _Progress(epoch=at.epoch + 1, best=at.best, best_epoch=at.best_epoch)
        save()
        draw = finished(config, history, at) or time.monotonic() - drawn > DRAWING_SECONDS
        runs.record(run, history, draw=draw)
        drawn = time.monotonic() if draw else drawn
        watcher.epoch(history[-1], config.epochs)
    return run


def finished(config: TrainConfig, history: list[Epoch], at: _Progress) -> bool:
    """All epochs are done, or patience is at its end."""
    waited = len(history) - at.best_epoch
    return at.epoch >= config.epochs or bool(config.patience and history and waited >= config.patience)


def make_feed(config: TrainConfig, data: TrainingSet) -> Feed:
    """The batches that ``config`` asks for; targets of the second head stand behind those of the first."""
    heads = [data.train.targets(len(data.classes), soft=config.soft_labels, smoothing=config.label_smoothing)]
    if data.train.second is not None:
        heads.append(one_hot(data.train.second, len(data.second_classes), config.label_smoothing))
    if config.class_weights:
        heads = [targets * targets.sum(0).mean() / np.maximum(targets.sum(0), 1e-9) for targets in heads]
    weights = np.repeat([1.0, config.second_weight][: len(heads)], data.heads).astype(np.float32)
    teach: Callable[[ImageArray], Floats] | None = None
    if config.teachers:
        teachers, taught = Teachers(config.teachers, data, threads=config.threads), weights * config.teacher_share
        teach, weights = lambda images: teachers(images) * taught, weights - taught
    return Feed(
        data.train,
        (np.concatenate(heads, 1) * weights).astype(np.float32),
        batch_size=config.batch_size,
        seed=config.seed,
        mean=data.mean,
        std=data.std,
        how=config.how_augmented(),
        mix=config.mix,
        teach=teach,
        views=config.views,
    )


def measure(engine: Engine, part: LabelledImages, data: TrainingSet) -> tuple[float, float]:
    """Mean cross-entropy against the labels, and accuracy, of the images of ``part`` that the first head's decide.

    Where there is a second head, its cross-entropy is added with its weight in training; accuracy is the first one's.
    """
    part = part.take(np.flatnonzero(part.labels >= 0))
    logits = engine.predict(normalise(part.images, data.mean, data.std))
    first = logits[:, : len(data.classes)]
    loss = cross_entropy(part.labels, first)
    if part.second is not None:
        decided = np.flatnonzero(part.second >= 0)
        loss += engine.config.second_weight * cross_entropy(part.second[decided], logits[decided, len(data.classes) :])
    return loss, float(is_right(part.labels, first).mean())


def _finish_epoch(engine: Engine, config: TrainConfig, data: TrainingSet, at: _Progress, rate: float) -> Epoch:
    with engine.averaged():
        val_loss, val_accuracy = measure(engine, data.validation, data)
    if not math.isfinite(val_loss):
        raise TrainingError(
            f"the validation loss is {val_loss} after epoch {at.epoch + 1}; lower the learning rate; "
            f"the last good checkpoint is kept"
        )
    return Epoch(
        at.epoch + 1,
        at.loss_sum / at.step,
        at.right / at.seen,
        val_loss,
        val_accuracy,
        rate,
        at.seconds,
        at.seen / max(at.seconds, 1e-9),
    )
