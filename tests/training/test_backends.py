"""One training on every framework, as users start it: in a process of its own."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from felicity.models.backend import BACKENDS, Backend
from felicity.training import checkpoint
from tests.support.command import environment, felicity


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def runs(data_set: Path, settings: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A finished run of each."""
    folder = tmp_path_factory.mktemp("runs")
    for backend in BACKENDS:
        words = ["train", data_set, "--config", settings, "--backend", backend, "-o", folder / backend]
        felicity(*words, home=home, backend=backend)
    return {backend: folder / backend for backend in BACKENDS}


def facts(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "run.json").read_text()))


def history(run: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((run / "history.csv").read_text().splitlines()))


def arrays_agree(one: checkpoint.State, other: checkpoint.State) -> None:
    """To float32 rounding, over a training."""
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_folder_says_everything(runs: dict[str, Path], backend: str) -> None:
    run = runs[backend]
    assert {file.name for file in run.iterdir()} == {"run.json", "history.csv", "curves.png", "last.npz", "best.npz"}
    said = facts(run)
    assert said["config"]["backend"] == backend and said["config"]["seed"] == 7
    assert said["data"]["digest"] and said["data"]["images"]["train"]["happy"] > 0
    assert {"keras", "numpy"} <= set(said["environment"]["packages"])
    assert "git" in said["environment"]
    assert [row["epoch"] for row in history(run)] == [str(epoch) for epoch in range(1, 9)]
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_all_frameworks_learn_the_same(runs: dict[str, Path]) -> None:
    """On the same data. Dropout draws differently on each; without it they agree to rounding, see the comparison."""
    losses = {backend: float(history(run)[0]["loss"]) for backend, run in runs.items()}
    assert max(losses.values()) - min(losses.values()) < 0.2
    assert len({facts(run)["data"]["digest"] for run in runs.values()}) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_killed_in_the_middle_it_resumes_to_the_same_weights(
    runs: dict[str, Path], backend: Backend, data_set: Path, settings: Path, home: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    words = ["train", str(data_set), "--config", str(settings), "--backend", backend, "-o", str(run)]
    process = subprocess.Popen(
        [sys.executable, "-m", "felicity", *words],
        env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    waited = time.monotonic() + 120
    while not (run / "last.npz").exists() and time.monotonic() < waited:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert checkpoint.load(run / "last.npz")[1]["progress"]["epoch"] < 8, "it was over before it was killed"
    felicity(*words, "--resume", home=home, backend=backend)
    for file in ("last.npz", "best.npz"):
        arrays_agree(checkpoint.load(run / file)[0], checkpoint.load(runs[backend] / file)[0])
    resumed, whole = ([float(row["val_loss"]) for row in history(one)] for one in (run, runs[backend]))
    np.testing.assert_allclose(resumed, whole, rtol=1e-4)


def test_what_is_finished_is_not_trained_again(
    runs: dict[str, Path], data_set: Path, settings: Path, home: Path
) -> None:
    run = runs["torch"]
    before = (run / "last.npz").read_bytes()
    done = felicity(
        "train", data_set, "--config", settings, "--backend", "torch", "-o", run, "--resume", "--json", home=home
    )
    assert (run / "last.npz").read_bytes() == before
    assert len(json.loads(done.stdout)["data"]["history"]) == 8
