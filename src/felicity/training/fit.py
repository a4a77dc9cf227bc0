"""The training loop, the same for every backend."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, SupportsFloat, SupportsInt

import numpy as np
import numpy.typing as npt

from felicity import system
from felicity.errors import ConfigError, TrainingError
from felicity.metrics.calibration import cross_entropy
from felicity.metrics.classification import Rows, is_right
from felicity.metrics.temperature import softmax
from felicity.training import checkpoint
from felicity.training import run as runs
from felicity.training.config import TrainConfig
from felicity.training.data import TrainingSet
from felicity.training.engines import Engine, open_engine
from felicity.training.feed import Feed, check_memory, normalise
from felicity.training.history import Epoch
from felicity.training.labelled_images import LabelledImages, one_hot
from felicity.training.own_code import OwnMetric, own_metrics
from felicity.training.schedule import learning_rate
from felicity.training.start import Start, open_start
from felicity.training.teachers import Teachers
from felicity.training.views import Views
from felicity.training.watcher import Watcher

Floats32 = npt.NDArray[np.float32]
MAKERS = 8
"""Threads that make batches for a GPU; beside a processor that also computes them, one is enough."""
CHECKPOINT_SECONDS, DRAWING_SECONDS = 120.0, 5.0
"""Between checkpoints within an epoch, and between drawings of the curves, which are drawn at the end, too."""


@dataclass
class _Progress:
    """The progress of a training in its checkpoints: sums over the steps of the present epoch."""

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
    feed = make_feed(config, data, makers=makers_for(engine))
    run = run or runs.begin(folder, config, data, start.id if start else None)
    if start is not None:
        start.hand_on(engine, data)
    if engine.own_loss is not None:
        engine.own_loss.check(data.heads)
    training = _Training(config, data, run, engine, feed, watcher or Watcher(), on_step, history, at)
    try:
        training.watcher.begin(run, tuple(history))
        while not finished(config, history, training.at):
            training.epoch()
    finally:
        training.watcher.end()
    return run


def _check_fits(config: TrainConfig, data: TrainingSet) -> None:
    if config.batch_size > len(data.train):
        raise ConfigError(
            f"batch_size is {config.batch_size}, but the training set has {len(data.train)} images; "
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


class _Taken(NamedTuple):
    """A step that was taken, or still is: what ``Engine.step`` returned, images of the batch, and learning rate."""

    loss: SupportsFloat
    right: SupportsInt
    images: int
    rate: float


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
    drawn: float = field(default_factory=time.monotonic)

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
        before: _Taken | None = None
        for step, batch in enumerate(self.feed.epoch(at.epoch, at.step, self.engine.send), start=at.step):
            rate = learning_rate(self.config, at.epoch * steps + step, steps * self.config.epochs)
            taken = _Taken(*self.engine.step(batch.faces, batch.targets, rate), len(batch.targets), rate)
            # A GPU still computes it, so look at the one before.
            self._count(before)
            before = taken
            if self.on_step:
                self.on_step(self.engine, at.epoch * steps + step + 1)
            if time.monotonic() - self.saved > CHECKPOINT_SECONDS and step + 1 < steps:
                self._count(before)
                before = None
                at.seconds += time.perf_counter() - began
                self._save()
                began = time.perf_counter()
        self._count(before)
        at.seconds += time.perf_counter() - began
        return rate

    def _count(self, taken: _Taken | None) -> None:
        """Add a step to the sums of the epoch. Raises TrainingError if its loss is no number."""
        if taken is None:
            return
        at, loss, rate = self.at, float(taken.loss), taken.rate
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {at.step + 1} of epoch {at.epoch + 1} (learning rate {rate:g}); "
                f"lower the learning rate; the last good checkpoint is kept in {self.run.folder}"
            )
        at.step += 1
        at.loss_sum, at.right, at.seen = at.loss_sum + loss, at.right + int(taken.right), at.seen + taken.images
        self.watcher.step(at.epoch + 1, at.step, self.feed.steps, at.loss_sum / at.step, at.right / at.seen)

    def _save(self) -> None:
        facts = {"progress": asdict(self.at), "history": [asdict(epoch) for epoch in self.history]}
        checkpoint.save(self.run.folder / runs.LAST, self.engine.state(), facts)
        self.saved = time.monotonic()


def finished(config: TrainConfig, history: list[Epoch], at: _Progress) -> bool:
    """Return whether all epochs are done, or patience is at its end."""
    waited = len(history) - at.best_epoch
    return at.epoch >= config.epochs or bool(config.patience and history and waited >= config.patience)


def makers_for(engine: Engine) -> int:
    """Return how many threads are to make its batches."""
    return 1 if engine.device == "cpu" else min(MAKERS, system.cores())


def make_feed(config: TrainConfig, data: TrainingSet, *, makers: int = 1) -> Feed:
    """Return the batches that ``config`` asks for, made by so many threads; targets of the second head stand last."""
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
        data.train, targets, views, mean=data.mean, std=data.std, teach=teach, kept=config.views, balanced=balanced,
        makers=makers,
    )  # fmt: skip


def views_of(config: TrainConfig, images: int) -> Views:
    """Return the changes that ``config`` makes to so many images for training."""
    return Views(config.seed, min(config.batch_size, images), config.how_augmented(), config.mix)


def measure(engine: Engine, part: LabelledImages, data: TrainingSet) -> tuple[float, float]:
    """Return the mean loss against the labels, and accuracy, over the images of ``part`` with labels of the first head.

    The loss is cross-entropy, or the training's own. Where there is a second head, its loss is added with its weight in
    training; accuracy is the first one's.
    """
    return _measure(engine, part, data, [])[:2]


def _measure(
    engine: Engine, part: LabelledImages, data: TrainingSet, metrics: Sequence[OwnMetric]
) -> tuple[float, float, dict[str, float]]:
    part = part.take(np.flatnonzero(part.labels >= 0))
    logits = engine.predict(normalise(part.images, data.mean, data.std))
    first = logits[:, : len(data.classes)]
    loss = _loss_of(engine, part.labels, first)
    if part.second is not None:
        decided = np.flatnonzero(part.second >= 0)
        second = _loss_of(engine, part.second[decided], logits[decided, len(data.classes) :])
        loss += engine.config.second_weight * second
    own = {metric.name: metric(part.labels, softmax(first)) for metric in metrics}
    return loss, float(is_right(part.labels, first).mean()), own


def _loss_of(engine: Engine, labels: Rows, logits: Floats32) -> float:
    own = engine.own_loss
    return cross_entropy(labels, logits) if own is None else own.mean(one_hot(labels, logits.shape[1]), logits)


def _finish_epoch(engine: Engine, config: TrainConfig, data: TrainingSet, at: _Progress, rate: float) -> Epoch:
    with engine.averaged():
        val_loss, val_accuracy, own = _measure(engine, data.validation, data, own_metrics(config.metrics))
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
        own,
    )
