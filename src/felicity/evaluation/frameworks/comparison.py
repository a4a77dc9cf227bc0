"""The protocol: one process for each framework and seed, in turns, and what comes of them together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError, DatasetError, TrainingError
from felicity.evaluation.frameworks.contestant import FIRST_STEP, OUTCOME, PLAIN
from felicity.models.backend import BACKENDS, Backend
from felicity.training import checkpoint
from felicity.training.config import TrainConfig, make_config
from felicity.training.elsewhere import need_of
from felicity.training.same import check_same, flat
from felicity.work import Here, Work

if TYPE_CHECKING:
    from felicity.training.data import TrainingSet

Told = Callable[[str, int, str], None]
"""Contestant, seed, and the line that it printed."""
JOB = "job.json"
ROUNDING = 1e-5
"""Relative difference of first-step loss and gradients that float32 rounding explains: sums over some 10^5 positions,
taken in another order. A constant that differs, say of batch normalisation, shows as 10^-3 and more."""
NOT_OF_ALL = ("average", "patience", "start", "data.second", "loss", "metrics")
"""Settings that are for trainings with Keras."""


@dataclass(frozen=True)
class FirstStep:
    """The difference between two contestants before the first step.

    ``loss``: relative. ``median``, ``largest``: of the differences of single gradients, relative to the largest
    gradient of the same weights. Where a value lies at the kink of a ReLU, or two tie in a maximum, rounding decides
    whether one unit counts; the largest difference may then be large, and the median tells whether the rest agrees.
    """

    contestant: str
    reference: str
    loss: float
    median: float
    largest: float

    @property
    def fair(self) -> bool:
        """Return whether the contestants start as near as float32 rounding."""
        return max(self.loss, self.median) < ROUNDING


@dataclass(frozen=True)
class Comparison:
    """``outcomes``: one per contestant and seed, as ``contestant.race`` gives them."""

    config: TrainConfig
    seeds: tuple[int, ...]
    first_steps: tuple[FirstStep, ...]
    outcomes: tuple[dict[str, Any], ...] = field(repr=False)
    data: dict[str, Any] = field(repr=False)

    @property
    def contestants(self) -> tuple[str, ...]:
        """Return the contestants in the order in which they ran."""
        return tuple(dict.fromkeys(outcome["contestant"] for outcome in self.outcomes))

    def of(self, contestant: str) -> list[dict[str, Any]]:
        """Return its outcomes by seed."""
        return sorted((o for o in self.outcomes if o["contestant"] == contestant), key=lambda o: int(o["seed"]))

    def values(self, contestant: str, part: str, figure: str) -> npt.NDArray[np.float64]:
        """Return ``(seeds,)``: ``figure`` (``accuracy``, ``loss``) on ``part``."""
        return np.array([outcome["parts"][part][figure] for outcome in self.of(contestant)])

    def seconds(self, contestant: str) -> npt.NDArray[np.float64]:
        """Return ``(seeds,)``: median seconds per epoch, without the first one if there are others."""
        rows = [[epoch["seconds"] for epoch in outcome["history"]] for outcome in self.of(contestant)]
        return np.array([np.median(row[1:] or row) for row in rows])

    def first_seconds(self, contestant: str) -> npt.NDArray[np.float64]:
        """Return ``(seeds,)``: seconds of the first epoch, including the framework's compilation."""
        return np.array([outcome["history"][0]["seconds"] for outcome in self.of(contestant)])

    def memory(self, contestant: str) -> npt.NDArray[np.float64]:
        """Return ``(seeds,)``: peak resident memory of the process in training, MB."""
        return np.array([outcome["peak_memory"] / 1e6 for outcome in self.of(contestant)])


def compare(
    config: TrainConfig,
    backends: tuple[Backend, ...],
    seeds: tuple[int, ...],
    folder: Path,
    told: Told | None = None,
    work: Work | None = None,
) -> Comparison:
    """Run what is not there yet in ``folder``, and put all of it together.

    Seeds are the outer loop, so that a machine that slows down slows all frameworks alike. PyTorch runs twice, the
    second time without Keras (``plain-torch``). ``work``: where they run, one after the other on this machine without;
    elsewhere ``told`` hears nothing, and times of different machines stand side by side.

    Raises ConfigError for a setting that not all contestants have,
    DatasetError where there is nothing to test on, TrainingError where a contestant fails.
    """
    asked = flat(config.model_dump())
    if given := [name for name in NOT_OF_ALL if asked[name]]:
        raise ConfigError(
            f"training configuration: {given[0]} = {asked[given[0]]!r} cannot be compared, for not every contestant "
            f"has it; leave it out"
        )
    data = load_to_compare(config)
    contestants = [*backends, *([PLAIN] if "torch" in backends else [])]
    steps = {name: _first_step(config, name) for name in contestants}
    reference = contestants[0]
    jobs = [Job(config, name, seed, folder / f"{name}-{seed}", data.digest) for seed in seeds for name in contestants]

    def line(job: Job, text: str) -> None:
        if told:
            told(job.contestant, job.seed, text)

    outcomes = list(run_jobs(jobs, line, work))
    return Comparison(
        config,
        seeds,
        tuple(_apart(name, reference, steps) for name in contestants if name != reference),
        tuple(outcomes),
        {
            "digest": data.digest,
            "classes": list(data.classes),
            "images": {n: sum(c.values()) for n, c in data.counts().items()},
        },
    )


def load_to_compare(config: TrainConfig) -> TrainingSet:
    """Return the data set of ``config``. Raises DatasetError, also where it has no image to test on."""
    from felicity.training.asked import check_asked
    from felicity.training.data import load_training_set

    check_asked(config.data)
    data = load_training_set(config.data, soft=config.soft_labels)
    if not len(data.test):
        raise DatasetError(
            f"{config.data.path}: has no test set to compare trainings on; bring images to test on, or "
            f"prepare it with a --test-share"
        )
    return data


def _first_step(config: TrainConfig, contestant: str) -> tuple[float, checkpoint.State]:
    with tempfile.TemporaryDirectory() as scratch:
        _run(_job(config, contestant, config.seed, Path(scratch)) | {"first_step": True}, config.seed, Path(scratch))
        state, facts = checkpoint.load(Path(scratch) / FIRST_STEP)
    return float(facts["loss"]), state


def _apart(name: str, reference: str, steps: dict[str, tuple[float, checkpoint.State]]) -> FirstStep:
    (loss, found), (other_loss, wanted) = steps[name], steps[reference]
    apart = np.concatenate(
        [np.abs(found[key] - value).ravel() / max(float(np.abs(value).max()), 1e-12) for key, value in wanted.items()]
    )
    return FirstStep(
        name, reference, abs(loss - other_loss) / abs(other_loss), float(np.median(apart)), float(apart.max())
    )


def outcome_of(
    config: TrainConfig, contestant: str, seed: int, folder: Path, digest: str, told: Told | None = None
) -> dict[str, Any]:
    """Return the outcome of ``contestant.race``; train unless ``folder`` has it.

    ``digest``: of the data. Raises TrainingError if ``folder`` has a training of other settings or data.
    """
    job = _job(config, contestant, seed, folder) | {"data_digest": digest}
    if (folder / JOB).is_file():
        begun = json.loads((folder / JOB).read_text(encoding="utf-8"))
        if "data_digest" not in begun:
            raise TrainingError(
                f"{folder}: holds a training that does not say of which data it is, as those of older versions; "
                f"choose another folder"
            )
        then = make_config(begun["config"]).model_dump() | {"data_digest": begun["data_digest"]}
        check_same(str(folder), then, job["config"] | {"data_digest": digest})
    if not (folder / OUTCOME).is_file():
        _run(job | {"first_step": False}, seed, folder, told)
    outcome: dict[str, Any] = json.loads((folder / OUTCOME).read_text(encoding="utf-8"))
    return outcome


@dataclass(frozen=True)
class Job:
    """One training of ``outcome_of``."""

    config: TrainConfig
    contestant: str
    seed: int
    folder: Path
    digest: str


def run_jobs(
    jobs: Sequence[Job], told: Callable[[Job, str], None], work: Work | None = None
) -> Generator[dict[str, Any]]:
    """Yield the outcome of each job, in order. Raises as ``outcome_of``; the first error cancels the others."""
    work = work or Here()
    if isinstance(work, Here):
        return work.results(lambda job: outcome_of(**vars(job), told=lambda *line: told(job, line[-1])), jobs)
    return work.results(_outcome_elsewhere, jobs, need=need_of(jobs[0].config, work))


def _outcome_elsewhere(job: Job) -> dict[str, Any]:
    return outcome_of(**vars(job))


def _job(config: TrainConfig, contestant: str, seed: int, folder: Path) -> dict[str, Any]:
    backend = contestant if contestant in BACKENDS else "torch"
    asked = config.model_dump() | {"backend": backend, "seed": seed}
    return {"contestant": contestant, "config": asked, "folder": str(folder)}


def _run(job: dict[str, Any], seed: int, folder: Path, told: Told | None = None) -> None:
    """Run in a process of its own, which leaves its answer in ``folder``; raise with its last word if it fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
    checkpoint.write(folder / JOB, (json.dumps(job, indent=1) + "\n").encode())
    _run_in_own_process(job["contestant"], seed, folder / JOB, told)


def _run_in_own_process(contestant: str, seed: int, job: Path, told: Told | None) -> None:
    source = str(Path(__file__).parents[3])
    path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "felicity.evaluation.frameworks.contestant", str(job)]
    # A pipe that nobody empties would stop a framework that warns a lot.
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, text=True, env=os.environ | {"PYTHONPATH": path}
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if told:
                    told(contestant, seed, line.strip())
            process.wait()
        except BaseException:
            process.terminate()
            raise
        complaints.seek(0)
        complaint = complaints.read().decode(errors="replace")
    if process.returncode:
        last = (complaint.strip().splitlines() or ["no reason given"])[-1]
        raise TrainingError(f"{contestant} with seed {seed} failed: {last}")
