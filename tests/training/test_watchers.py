"""Who watches a training: in which order it is told, and what trackers keep for the viewers of others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import felicity
from felicity.errors import ConfigError, ExtraMissingError
from felicity.training.history import Epoch
from felicity.training.run import TrainingRun, open_run
from felicity.training.watcher import FIGURES
from tests.support.class_folders import write_class_folders
from tests.support.command import environment
from tests.support.keras_here import keras_here


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_class_folders(tmp_path_factory.mktemp("data") / "faces", {"happy": 40, "sad": 40})


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path / "home"))


def settings(epochs: int = 2) -> dict[str, Any]:
    return {
        "backend": keras_here(), "epochs": epochs, "batch_size": 16, "threads": 1, "model": {"name": "test-tiny"},
        "data": {"size": 24},
    }  # fmt: skip


class Diary(felicity.Watcher):
    """Writes down what it is told; ends the training by an exception in epoch ``stop``."""

    def __init__(self, stop: int = 0) -> None:
        self.told: list[Any] = []
        self._stop = stop

    def begin(self, run: TrainingRun, done: Sequence[Epoch]) -> None:
        self.told.append(("begin", run.folder.name, run.classes, len(done)))

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        self.told.append(("step", epoch, step, steps))

    def epoch(self, done: Epoch, epochs: int) -> None:
        self.told.append(("epoch", done.epoch, epochs))
        if done.epoch == self._stop:
            raise KeyboardInterrupt

    def end(self) -> None:
        self.told.append(("end",))


def test_a_watcher_is_told_of_everything_in_its_order(faces: Path, tmp_path: Path) -> None:
    stopped, resumed, other = Diary(stop=1), Diary(), Diary()
    with pytest.raises(KeyboardInterrupt):
        felicity.train(faces, tmp_path / "run", settings=settings(), watchers=[stopped])
    felicity.train(None, tmp_path / "run", settings={"epochs": 2}, resume=True, watchers=[resumed, other])

    steps = stopped.told[1][3]

    def epoch(number: int) -> Iterator[Any]:
        yield from (("step", number, step, steps) for step in range(1, steps + 1))
        yield ("epoch", number, 2)

    assert stopped.told == [("begin", "run", ("happy", "sad"), 0), *epoch(1), ("end",)]
    assert resumed.told == [("begin", "run", ("happy", "sad"), 1), *epoch(2), ("end",)] == other.told


def test_tensorboard_reads_what_is_kept_for_it(faces: Path, tmp_path: Path) -> None:
    made = felicity.train(faces, tmp_path / "run", settings=settings(), track=["tensorboard"])
    scalars, text = read_events(tmp_path / "run" / "tensorboard")
    assert set(scalars) == {f"epoch/{name}" for name in FIGURES}
    for name in FIGURES:
        assert scalars[f"epoch/{name}"] == [(row["epoch"], np.float32(row[name])) for row in made.history]
    assert '"name": "test-tiny"' in text


def read_events(folder: Path) -> tuple[dict[str, list[tuple[int, Any]]], str]:
    """Scalars by tag and the configuration, as TensorBoard's own reader gives them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    tensors = {tag: events.Tensors(tag) for tag in events.Tags()["tensors"]}
    scalars = {
        tag: [(e.step, np.float32(e.tensor_proto.float_val[0])) for e in found]
        for tag, found in tensors.items()
        if tag != "configuration"
    }
    scalars |= {tag: [(e.step, np.float32(e.value)) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    return scalars, tensors["configuration"][0].tensor_proto.string_val[0].decode()


def test_mlflow_reads_what_is_kept_for_it(faces: Path, tmp_path: Path) -> None:
    """In a process of its own, for MLflow sets environment variables and warns."""
    if subprocess.run([sys.executable, "-c", "import mlflow"], capture_output=True).returncode:
        pytest.skip("MLflow is not installed; its extra is mlflow")
    words = (
        "train", str(faces), "-o", str(tmp_path / "run"), "--epochs", "2", "--batch-size", "16", "--threads", "1",
        "--model", "test-tiny", "--size", "24", "--backend", keras_here(), "--track", "mlflow",
    )  # fmt: skip
    env = environment(tmp_path / "home")
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (env["PYTHONPATH"], os.environ.get("PYTHONPATH"))))
    subprocess.run([sys.executable, "-m", "felicity", *words], check=True, env=env)
    script = (
        "import sys; from mlflow.tracking import MlflowClient; c = MlflowClient(tracking_uri=sys.argv[1]);"
        "[run] = c.search_runs([c.get_experiment_by_name('felicity').experiment_id]);"
        "print(run.info.status, run.data.params['model.name'], run.info.run_name);"
        "[print(m.step, m.value) for m in c.get_metric_history(run.info.run_id, 'val_loss')]"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, f"sqlite:///{tmp_path / 'mlflow.db'}"],
        check=True, capture_output=True, text=True, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
    ).stdout.split("\n")  # fmt: skip
    history = open_run(tmp_path / "run").history
    assert told[0] == "FINISHED test-tiny run"
    assert told[1:3] == [f"{row['epoch']} {row['val_loss']}" for row in history]


def test_a_viewer_that_is_not_known_or_not_installed_is_one_sentence(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="track: one of tensorboard, mlflow expected, found 'wandb'"):
        felicity.train(faces, tmp_path / "run", settings=settings(), track=["wandb"])
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.summary_pb2", None)
    with pytest.raises(ExtraMissingError, match=r"pip install 'felicity\[tensorboard\]'"):
        felicity.train(faces, tmp_path / "run", settings=settings(), track=["tensorboard"])
    assert not (tmp_path / "run").exists()
