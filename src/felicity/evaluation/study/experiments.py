"""The trainings that the study's tables and figures rest on, and its two networks under one budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from felicity.evaluation.frameworks.comparison import load_to_compare, outcome_of
from felicity.training.config import DataConfig, TrainConfig, make_config

Told = Callable[[str, str], None]
"""Name of the experiment, and the line that it printed."""
TWO, SEVEN = "happy,sad", "7"
SEEDS = 3
BETTER: dict[str, Any] = {"augment": "geometry", "schedule": "one-cycle", "label_smoothing": 0.1}
CNN: dict[str, Any] = {"model": {"dropout": 0.036}, "learning_rate": 0.0024, "weight_decay": 0.0027}
RESNET: dict[str, Any] = {
    "model": {"name": "resnet5", "dropout": 0.031}, "learning_rate": 0.028, "weight_decay": 0.00017,
}  # fmt: skip
"""The best of twelve trials each by validation loss after 8 epochs, Adam for both (``felicity tune --space optimiser``,
with the settings of BETTER); as good for both was SGD at 0.1 with weight decay 0.005."""


@dataclass(frozen=True)
class Experiment:
    """One training; ``settings`` over the study's.

    ``share``: of the epochs asked for. ``seed``: added to the one asked for.
    """

    name: str
    about: str
    settings: dict[str, Any] = field(repr=False)
    share: float = 1.0
    seed: int = 0


EXPERIMENTS = (
    Experiment("two-classes", "CNN, TensorFlow, happy and sad", {"data": {"classes": TWO}}),
    Experiment(
        "raw-pixels", "CNN, TensorFlow, happy and sad, pixels 0 to 255",
        {"data": {"classes": TWO, "pixels": "raw"}}, 1 / 3,
    ),
    Experiment("seven-classes", "CNN, TensorFlow, seven classes", {}),
    Experiment("seven-classes-pytorch", "CNN, PyTorch, seven classes", {"backend": "torch"}),
    *(
        Experiment(f"augmented-{name}-{seed + 1}", f"{about}, augmented, {seed + 1}", BETTER | settings, seed=seed)
        for seed in range(SEEDS)
        for name, about, settings in (("cnn", "CNN", CNN), ("resnet5", "ResNet-5", RESNET))
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """An experiment, its configuration, and what ``contestant.race`` gave."""

    experiment: Experiment
    config: TrainConfig
    facts: dict[str, Any] = field(repr=False)

    @property
    def history(self) -> list[dict[str, Any]]:
        """By epoch."""
        return list(self.facts["history"])

    @property
    def seconds(self) -> float:
        """Of all epochs together."""
        return float(sum(row["seconds"] for row in self.history))

    def accuracy(self, part: str) -> float:
        """Of the weights of the best epoch on ``train``, ``validation`` or ``test``, 0 to 1."""
        return float(self.facts["parts"][part]["accuracy"])

    def loss(self, part: str) -> float:
        """Likewise."""
        return float(self.facts["parts"][part]["loss"])


def configure(experiment: Experiment, data: str, epochs: int, images: int, seed: int) -> TrainConfig:
    """The study's settings where it gives them, ours elsewhere: Adam, learning rate 0.001, batches of 128."""
    common: dict[str, Any] = {
        "epochs": max(1, round(epochs * experiment.share)),
        "seed": seed + experiment.seed,
        "backend": "tensorflow",
        "model": {"name": "paper-cnn"},
        "data": {"path": data, "images": images, "classes": SEVEN},
    }
    return make_config(common, experiment.settings)


def run_all(
    data: str, folder: Path, *, epochs: int, images: int, seed: int, told: Told | None = None
) -> dict[str, Outcome]:
    """All experiments by name, each in a process of its own; what ``folder`` has already is not run again.

    Raises DatasetError where the data have no test part, TrainingError where one fails.
    """
    configs = {experiment.name: configure(experiment, data, epochs, images, seed) for experiment in EXPERIMENTS}
    digests: dict[DataConfig, str] = {}
    for config in configs.values():
        digests[config.data] = digests.get(config.data) or load_to_compare(config).digest
    outcomes = {}
    for experiment in EXPERIMENTS:
        config = configs[experiment.name]

        def line(contestant: str, seed: int, text: str, name: str = experiment.name) -> None:
            if told:
                told(name, text)

        place = folder / "runs" / experiment.name
        facts = outcome_of(config, config.backend, config.seed, place, digests[config.data], line)
        outcomes[experiment.name] = Outcome(experiment, config, facts)
    return outcomes
