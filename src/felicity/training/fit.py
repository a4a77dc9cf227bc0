"""The training loop, the same for every backend."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
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
from felicity.training.data import LabelledImages, TrainingSet, one_hot
from felicity.training.engines import Engine, open_engine
from felicity.training.feed import Batch, Feed, check_memory, normalise
from felicity.training.history import Epoch
from felicity.training.schedule import learning_rate
from felicity.training.start import Start, open_start
from felicity.training.teachers import Teachers
from felicity.training.views import Views

Floats32 = npt.NDArray[np.float32]
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
    _check_fits(config, data)
    run: runs.TrainingRun | None = None
    state: checkpoint.State | None = None
    facts: dict[str, Any] = {}
    if resume and (folder / runs.RUN).exists():
        run, state, facts = runs.resume(folder, config, data)
    start = None if state is not None else _start(config, run)
    history, at = runs.history_of(facts), _Progress(**facts.get("progress", {}))
    if run is None:
        runs.check_new(folder)
    elif finished(config, history, at):
        runs.record(run, history)  # which a kill after the last checkpoint may have prevented
        return run
    engine = open_engine(config, data.heads)
    if state is not None:
        engine.set_state(state)
    feed = make_feed(config, data)
    run = run or runs.begin(folder, config, data, start.id if start else None)
    if start is not None:
        start.hand_on(engine, data)
    training = _Training(config, data, run, engine, feed, watcher or Silent(), on_step, history, at)
    while not finished(config, history, training.at):
        training.epoch()
    return run


def _check_fits(config: TrainConfig, data: TrainingSet) -> None:
    if config.batch_size > len(data.train):
        raise ConfigError(
            f"batch_size is {config.batch_size}, but the training part has {len(data.train)} images; "
            f"choose a smaller one"
        )
    check_memory(min(config.views, config.epochs), data.train, sum(data.heads))


def _start(config: TrainConfig, run: runs.TrainingRun | None) -> Start | None:
    """Return the weights to begin with; ``run``: a resumed one, which was begun with the same."""
    if not config.start:
        return None
    start = open_start(config.start)
    start.check(config)
    if run is not None and start.id != run.facts["start"]:
        raise TrainingError(
            f"{run.folder}: was begun with the weights of {run.facts['start']}, and they are {start.id} now; resume it "
            f"with those it was begun with, or choose another folder"
        )
    return start


@dataclass
class _Training:
    """A training under way; checkpoints hold its engine's state, ``at`` and ``history``."""

    config: TrainConfig
    data: TrainingSet
    run: runs.TrainingRun
    engine: Engine
    feed: Feed
    watcher: Watcher
    on_step: Callable[[Engine, int], None] | None
    history: list[Epoch]
    at: _Progress
    saved: float = field(default_factory=time.monotonic)
    drawn: float = -math.inf

    def epoch(self) -> None:
        """Train the epoch, or what is left of it, measure it, and record it."""
        rate = self._steps()
        done = _finish_epoch(self.engine, self.config, self.data, self.at, rate)
        self.history.append(done)
        best, best_epoch = self.at.best, self.at.best_epoch
        if done.val_loss < best:
            best, best_epoch = done.val_loss, done.epoch
            facts = {"epoch": done.epoch, "classes": list(self.data.classes)}
            checkpoint.save(self.run.folder / runs.BEST, self.engine.weights(), facts)
        self.at = _Progress(epoch=done.epoch, best=best, best_epoch=best_epoch)
        self._save()
        draw = finished(self.config, self.history, self.at) or time.monotonic() - self.drawn > DRAWING_SECONDS
        runs.record(self.run, self.history, draw=draw)
        self.drawn = time.monotonic() if draw else self.drawn
        self.watcher.epoch(done, self.config.epochs)

    def _steps(self) -> float:
        """Take the steps of the epoch, with checkpoints on the way; return the last learning rate."""
        at, steps = self.at, self.feed.steps
        began, rate = time.perf_counter(), self.config.learning_rate
        for batch in self.feed.epoch(at.epoch, at.step):
            rate = learning_rate(self.config, at.epoch * steps + at.step, steps * self.config.epochs)
            self._step(batch, rate)
            if time.monotonic() - self.saved > CHECKPOINT_SECONDS and at.step < steps:
                at.seconds += time.perf_counter() - began
                self._save()
                began = time.perf_counter()
        at.seconds += time.perf_counter() - began
        return rate

    def _step(self, batch: Batch, rate: float) -> None:
        at = self.at
        loss, right = self.engine.step(batch.faces, batch.targets, rate)
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {at.step + 1} of epoch {at.epoch + 1} (learning rate {rate:g}); "
                f"lower the learning rate; the last good checkpoint is kept in {self.run.folder}"
            )
        at.step += 1
        at.loss_sum, at.right, at.seen = at.loss_sum + loss, at.right + right, at.seen + len(batch.targets)
        self.watcher.step(at.epoch + 1, at.step, self.feed.steps, at.loss_sum / at.step, at.right / at.seen)
        if self.on_step:
            self.on_step(self.engine, at.epoch * self.feed.steps + at.step)

    def _save(self) -> None:
        facts = {"progress": asdict(self.at), "history": [asdict(epoch) for epoch in self.history]}
        checkpoint.save(self.run.folder / runs.LAST, self.engine.state(), facts)
        self.saved = time.monotonic()


def finished(config: TrainConfig, history: list[Epoch], at: _Progress) -> bool:
    """All epochs are done, or patience is at its end."""
    waited = len(history) - at.best_epoch
    return at.epoch >= config.epochs or bool(config.patience and history and waited >= config.patience)


def make_feed(config: TrainConfig, data: TrainingSet) -> Feed:
    """The batches that ``config`` asks for; targets of the second head stand behind those of the first."""
    heads = [data.train.targets(len(data.classes), soft=config.soft_labels, smoothing=config.label_smoothing)]
    if data.train.second is not None:
        heads.append(one_hot(data.train.second, len(data.second_classes), config.label_smoothing))
    balanced = heads[0].argmax(1) if config.sampling == "balanced" else None
    if config.class_weights:
        heads = [targets * targets.sum(0).mean() / np.maximum(targets.sum(0), 1e-9) for targets in heads]
    weights = np.repeat([1.0, config.second_weight][: len(heads)], data.heads).astype(np.float32)
    views, teach = views_of(config, len(data.train)), None
    if config.teachers:
        teachers = Teachers(config.teachers, data, threads=config.threads, views=views, number=config.views)
        taught = weights * config.teacher_share
        teach, weights = lambda images, view: teachers(images, view) * taught, weights - taught
    targets = (np.concatenate(heads, 1) * weights).astype(np.float32)
    return Feed(
        data.train, targets, views, mean=data.mean, std=data.std, teach=teach, kept=config.views, balanced=balanced
    )


def views_of(config: TrainConfig, images: int) -> Views:
    """How ``config`` changes so many images for training."""
    return Views(config.seed, min(config.batch_size, images), config.how_augmented(), config.mix)


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
