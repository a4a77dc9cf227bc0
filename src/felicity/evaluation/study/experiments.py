"""The trainings that the study's tables and figures rest on, and its two networks under one budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from felicity.datasets.splits import TEST, roles_of
from felicity.evaluation.frameworks.comparison import Job, load_to_compare, run_jobs
from felicity.evaluation.study.published import EPOCHS
from felicity.models.devices import Device
from felicity.training.config import TrainConfig, make_config
from felicity.training.data import open_prepared
from felicity.work import Work

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
class StudyData:
    """The data of a training: ``images`` by part and class, before ``--images`` draws some; ``left_out`` by reason.

    ``own_test``: the set has a test set of its own. ``sizes``: least and largest height and width before resizing.
    """

    digest: str
    format: str
    images: dict[str, dict[str, int]]
    left_out: dict[str, int]
    own_test: bool
    sizes: tuple[tuple[int, int], tuple[int, int]]

    def number(self, *parts: str) -> int:
        """Return images of ``parts`` together."""
        return sum(sum(self.images.get(part, {}).values()) for part in parts)


@dataclass(frozen=True)
class Outcome:
    """An experiment, its configuration, its data, and what ``contestant.race`` gave."""

    experiment: Experiment
    config: TrainConfig
    data: StudyData
    facts: dict[str, Any] = field(repr=False)

    @property
    def history(self) -> list[dict[str, Any]]:
        """Return the history, epoch by epoch."""
        return list(self.facts["history"])

    @property
    def seconds(self) -> float:
        """Return the seconds that all epochs took together."""
        return float(sum(row["seconds"] for row in self.history))

    def accuracy(self, part: str) -> float:
        """Return the best epoch's accuracy on ``train``, ``validation`` or ``test``, 0 to 1."""
        return float(self.facts["parts"][part]["accuracy"])

    def loss(self, part: str) -> float:
        """Return the best epoch's loss, as ``accuracy`` does."""
        return float(self.facts["parts"][part]["loss"])

    @property
    def fewer_images(self) -> list[str]:
        """Return in words how many images were left out; empty where none were."""
        used, there = self.facts["parts"]["train"]["images"], self.data.number("train")
        return [f"{used:,} of {there:,} training images"] if used < there else []

    @property
    def fewer_epochs(self) -> list[str]:
        """Return in words how many of the study's epochs were left out; empty if none were."""
        study = round(EPOCHS * self.experiment.share)
        return [f"{len(self.history)} of the study's {study} epochs"] if len(self.history) < study else []


def configure(
    experiment: Experiment, data: str, epochs: int, images: int, seed: int, device: Device = "auto"
) -> TrainConfig:
    """Return the study's settings where it gives them, ours elsewhere: Adam, learning rate 0.001, batches of 128."""
    common: dict[str, Any] = {
        "epochs": max(1, round(epochs * experiment.share)),
        "seed": seed + experiment.seed,
        "backend": "tensorflow",
        "device": device,
        "model": {"name": "paper-cnn"},
        "data": {"path": data, "images": images, "classes": SEVEN},
    }
    return make_config(common, experiment.settings)


def read_data(config: TrainConfig) -> StudyData:
    """Return what there is to train and test on. Raises DatasetError if there is no test set."""
    digest = load_to_compare(config).digest
    manifest, _ = open_prepared(config.data)
    sides = manifest.heights, manifest.widths
    return StudyData(
        digest=digest,
        format=manifest.format,
        images=manifest.counts(),
        left_out=dict(manifest.left_out),
        own_test=bool((roles_of(manifest.folds) == TEST).any()),
        sizes=((int(sides[0].min()), int(sides[1].min())), (int(sides[0].max()), int(sides[1].max()))),
    )


def run_all(
    data: str,
    folder: Path,
    *,
    epochs: int,
    images: int,
    seed: int,
    device: Device = "auto",
    told: Told | None = None,
    work: Work | None = None,
) -> dict[str, Outcome]:
    """Run all experiments by name, each in a process of its own; skip what ``folder`` has already.

    ``work``: where, one after the other on this machine without; elsewhere ``told`` hears nothing.
    Raises DatasetError if the data have no test set, TrainingError where one fails.
    """
    configs = {experiment.name: configure(experiment, data, epochs, images, seed, device) for experiment in EXPERIMENTS}
    sets: dict[str, StudyData] = {}
    for config in configs.values():
        key = config.data.model_dump_json()
        sets[key] = sets.get(key) or read_data(config)
    places = {folder / "runs" / name: name for name in configs}

    def line(job: Job, text: str) -> None:
        if told:
            told(places[job.folder], text)

    jobs = [
        Job(config, config.backend, config.seed, folder / "runs" / name, sets[config.data.model_dump_json()].digest)
        for name, config in configs.items()
    ]
    facts = run_jobs(jobs, line, work)
    return {
        experiment.name: Outcome(experiment, config, sets[config.data.model_dump_json()], found)
        for experiment, config, found in zip(EXPERIMENTS, configs.values(), facts, strict=True)
    }
