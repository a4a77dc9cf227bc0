"""What is evaluated: a run on its own backend, or a bundle on ONNX Runtime; both answer with probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from felicity.datasets.samples import Image
from felicity.errors import ConfigError, TrainingError
from felicity.evaluation.metrics import Floats
from felicity.imaging.spec import Colour
from felicity.models.bundle import FACTS_FILE, ZOO, open_bundle, shipped

AT_ONCE = 2048


@dataclass(frozen=True)
class Judge:
    """A model with its ``classes``, the images it takes, and ``answer``: images to probabilities ``(N, C)``.

    ``run``: the run it is, which knows its data and history; None for a bundle.
    """

    name: str
    classes: tuple[str, ...]
    size: int
    colour: Colour
    answer: Callable[[Image], Floats] = field(repr=False)
    run: Any = None

    def probabilities(self, images: Image) -> Floats:
        """Float64 ``(N, C)`` for uint8 ``(N, size, size[, 3])``; rows sum to 1."""
        parts = [self.answer(images[first : first + AT_ONCE]) for first in range(0, len(images), AT_ONCE)]
        return np.concatenate(parts).astype(np.float64)


def open_judge(where: str) -> Judge:
    """The run folder, bundle folder or shipped bundle ``where``. Raises ConfigError where it is none of them."""
    from felicity.training.run import RUN

    folder = Path(where)
    if (folder / RUN).is_file():
        return _of_run(folder)
    if (folder / FACTS_FILE).is_file() or (ZOO / where / FACTS_FILE).is_file():
        return _of_bundle(where)
    found = "a folder without either" if folder.is_dir() else "not there"
    raise ConfigError(
        f"{where}: a run folder (with {RUN}), a bundle folder (with {FACTS_FILE}) or a shipped bundle "
        f"({', '.join(shipped())}) expected, found {found}; make a run with: felicity train"
    )


def _of_bundle(where: str) -> Judge:
    from felicity.recognition.classifier import Classifier

    classifier = Classifier(open_bundle(where))
    spec = classifier.input
    return Judge(
        f"bundle {classifier.bundle.id}",
        tuple(classifier.bundle.facts.labels),
        spec.size,
        spec.colour,
        classifier.probabilities,
    )


def _of_run(folder: Path) -> Judge:
    from felicity.training.feed import normalise
    from felicity.training.run import BEST, open_run, softmax

    run = open_run(folder)
    if not (folder / BEST).is_file():
        raise TrainingError(f"{folder}: no epoch is done yet; go on with: felicity train --resume -o {folder}")
    engine = None

    def answer(images: Image) -> Floats:
        nonlocal engine
        engine = engine or run.engine("best")
        return softmax(engine.predict(normalise(images, run.mean, run.std))).astype(np.float64)

    name = f"run {folder.resolve().name} ({run.config.model.name} on {run.config.backend})"
    return Judge(name, run.classes, run.size, run.colour, answer, run)
