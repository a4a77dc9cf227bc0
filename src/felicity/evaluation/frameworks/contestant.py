"""One training of a comparison, in a process of its own: ``python -m felicity.evaluation.frameworks.contestant JOB``.

``JOB`` is a JSON file with ``contestant`` (a backend, or ``plain-torch``), ``config``, ``folder`` and ``first_step``;
the answer is written to ``folder`` as ``outcome.json`` or ``first_step.npz``.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from felicity.errors import FelicityError
from felicity.metrics.classification import confusion
from felicity.system import peak_memory
from felicity.training import checkpoint
from felicity.training.config import TrainConfig, make_config
from felicity.training.data import TrainingSet, load_training_set
from felicity.training.engines import open_engine
from felicity.training.feed import normalise
from felicity.training.fit import fit, make_feed, measure
from felicity.training.history import Epoch
from felicity.training.schedule import learning_rate
from felicity.training.watcher import Watcher

PLAIN = "plain-torch"
OUTCOME, FIRST_STEP = "outcome.json", "first_step.npz"


class _Lines(Watcher):
    """Prints an epoch per line on stdout, for the waiting process."""

    def epoch(self, done: Epoch, epochs: int) -> None:
        print(f"{done.epoch}/{epochs} {done.val_accuracy:.4f} {done.seconds:.2f}", flush=True)


def main(job: Path) -> None:
    """Do the job."""
    peak_memory()  # before the training, so that a system without this figure fails at once
    asked = json.loads(job.read_text())
    config, folder = make_config(asked["config"]), Path(asked["folder"])
    data = load_training_set(config.data, soft=config.soft_labels)
    if asked["first_step"]:
        first_step(asked["contestant"], config, data, folder)
    else:
        outcome = race(asked["contestant"], config, data, folder)
        checkpoint.write(folder / OUTCOME, (json.dumps(outcome, indent=1) + "\n").encode())


def first_step(contestant: str, config: TrainConfig, data: TrainingSet, folder: Path) -> None:
    """Return loss and gradients of the first batch, before the first step."""
    engine: Any = _engine(contestant, config, len(data.classes))
    feed = make_feed(config, data)
    batch = feed.batch(feed.order(0), 0, 0)
    loss, gradients = engine.gradients(batch.faces, batch.targets)
    checkpoint.save(folder / FIRST_STEP, {f"{i:03}": g for i, g in enumerate(gradients)}, {"loss": loss})


def race(contestant: str, config: TrainConfig, data: TrainingSet, folder: Path) -> dict[str, Any]:
    """Train, and measure the weights of the epoch with the least validation loss on all parts."""
    if contestant == PLAIN:
        history, engine = _plain(config, data)
        memory = peak_memory()
    else:
        run = fit(config, data, folder / "run", resume=True, watcher=_Lines())
        memory, history = peak_memory(), run.history
        gc.collect()
        engine = run.engine("best")
    parts = {}
    for name, part in (("train", data.train), ("validation", data.validation), ("test", data.test)):
        if len(part):
            loss, accuracy = measure(engine, part, data)
            parts[name] = {"images": len(part), "loss": loss, "accuracy": accuracy}
    answers = engine.predict(normalise(data.test.images, data.mean, data.std)).argmax(1).astype(np.int64)
    decided = data.test.labels >= 0
    return {
        "contestant": contestant,
        "seed": config.seed,
        "classes": list(data.classes),
        "images": data.counts(),
        "parts": parts,
        "confusion": confusion(data.test.labels[decided], answers[decided], len(data.classes)).tolist(),
        "right": "".join("01"[hit] for hit in (answers == data.test.labels)[decided].tolist()),
        "peak_memory": memory,
        "history": history,
    }


def _engine(contestant: str, config: TrainConfig, classes: int) -> Any:
    if contestant == PLAIN:
        from felicity.training.engines.plain_torch import PlainTorch

        return PlainTorch(config, classes)
    return open_engine(config, [classes])


def _plain(config: TrainConfig, data: TrainingSet) -> tuple[list[dict[str, Any]], Any]:
    """Train with a plain loop over the same batches; return its history and the network at its best epoch."""
    engine, feed = _engine(PLAIN, config, len(data.classes)), make_feed(config, data)
    history: list[dict[str, Any]] = []
    best: Any = None
    for epoch in range(config.epochs):
        began, losses, right = time.perf_counter(), [], 0
        for step, batch in enumerate(feed.epoch(epoch)):
            rate = learning_rate(config, epoch * feed.steps + step, feed.steps * config.epochs)
            loss, hits = engine.step(batch.faces, batch.targets, rate)
            losses.append(loss)
            right += hits
        seconds = time.perf_counter() - began
        val_loss, val_accuracy = measure(engine, data.validation, data)
        seen = feed.steps * config.batch_size
        row = Epoch(
            epoch + 1, float(np.mean(losses)), right / seen, val_loss, val_accuracy, rate, seconds, seen / seconds
        )
        _Lines().epoch(row, config.epochs)
        if best is None or val_loss < min(past["val_loss"] for past in history):
            best = engine.snapshot()
        history.append(asdict(row))
    engine.restore(best)
    return history, engine


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except FelicityError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
