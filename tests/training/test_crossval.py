"""Cross-validation as users run it: folders, resuming, scores, refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.errors import FelicityError, TrainingError
from felicity.evaluation.figures import figures
from felicity.training.config import TrainConfig, make_config
from felicity.training.crossval import cross_validate, score, summarise_folds
from felicity.training.folds import Pool, open_pool
from felicity.training.run import open_run
from tests.support.class_folders import write_class_folders
from tests.support.command import felicity_answer
from tests.support.keras_here import keras_here


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes, 90 pictures."""
    return write_class_folders(tmp_path_factory.mktemp("data") / "faces", {"happy": 40, "sad": 30, "neutral": 20})


def config_for(faces: Path, **more: Any) -> TrainConfig:
    """A training within a second."""
    backend = keras_here()
    small = {"model": {"name": "test-tiny"}, "epochs": 2, "batch_size": 8, "learning_rate": 0.01, "threads": 1}
    return make_config(small, {"backend": backend, "data": {"path": str(faces), "size": 16}}, more)


class Stop(Exception):
    """Stands for a process that is killed."""


class StopsAfter:
    """A watcher that stops the training after so many epochs."""

    def __init__(self, epochs: int) -> None:
        self.left = epochs

    def begin(self, *_: Any) -> None: ...

    def step(self, *_: Any) -> None: ...

    def epoch(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise Stop

    def end(self) -> None: ...


def test_a_cross_validation_that_was_stopped_ends_as_one_that_was_not(faces: Path, tmp_path: Path) -> None:
    config = config_for(faces)
    pool = open_pool(config.data)
    whole = cross_validate(config, pool, 2, tmp_path / "whole")
    stopped, watcher = tmp_path / "stopped", StopsAfter(3)
    with pytest.raises(Stop):
        cross_validate(config, pool, 2, stopped, watch=lambda fold: watcher)
    under_way = json.loads((stopped / "crossval.json").read_text())
    assert [fold["fold"] for fold in under_way["folds"]] == [1] and not under_way["complete"]
    trained = []
    resumed = cross_validate(config, pool, 2, stopped, resume=True, watch=lambda fold: trained.append(fold.number))  # type: ignore[func-returns-value]
    assert trained == [2]
    for name in ("accuracy", "macro_f1", "loss"):
        assert [fold[name] for fold in resumed["folds"]] == pytest.approx(
            [fold[name] for fold in whole["folds"]], abs=1e-5
        )
    _check_result(whole, tmp_path / "whole", pool)
    _check_evaluation(whole, tmp_path / "whole")
    with pytest.raises(TrainingError, match="holds a cross-validation already; add --resume"):
        cross_validate(config, pool, 2, stopped)
    with pytest.raises(TrainingError, match="begun with number_of_folds = 2, not 3"):
        cross_validate(config, pool, 3, stopped, resume=True)
    with pytest.raises(TrainingError, match="begun with learning_rate"):
        cross_validate(config_for(faces, learning_rate=0.02), pool, 2, stopped, resume=True)


def _check_result(result: dict[str, Any], folder: Path, pool: Pool) -> None:
    assert result["complete"] and sum(fold["images"]["held_out"] for fold in result["folds"]) == len(pool)
    for fold in result["folds"]:
        run = open_run(folder / fold["run"])
        assert run.history == fold["history"]
        assert sum(fold["images"].values()) == len(pool)
        assert sum(run.facts["data"]["images"]["test"].values()) == fold["images"]["held_out"]
    assert (folder / "crossval.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "crossval.pdf").read_bytes().startswith(b"%PDF")
    rows = list(csv.DictReader((folder / "crossval.csv").read_text().splitlines()))
    assert [int(row["fold"]) for row in rows] == [fold["fold"] for fold in result["folds"]]
    assert [float(row["accuracy"]) for row in rows] == [fold["accuracy"] for fold in result["folds"]]
    assert "95 \\% from" in (folder / "crossval.tex").read_text()
    assert json.loads((folder / "crossval.json").read_text()) == result
    values = [fold["accuracy"] for fold in result["folds"]]
    assert result["summary"]["accuracy"]["mean"] == pytest.approx(np.mean(values))


def _check_evaluation(result: dict[str, Any], folder: Path) -> None:
    """A fold's run is measured on what it held out, and knows what it trained on."""
    for fold in result["folds"]:
        for split, part in (("test", "held_out"), ("validation", "validation")):
            words = ["evaluate", str(folder / fold["run"]), "--split", split, "--draws", "100", "--json"]
            document = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
            found = document["data"]["results"][0]
            assert found["figures"]["n"] == fold["images"][part] and found["seen_in_training"] == 0
            assert not document["notes"] and "training" in document["data"]["fit"]["evidence"]["kept"], "as they were"
            if split == "test":
                assert found["figures"]["accuracy"] == pytest.approx(fold["accuracy"], abs=1e-6)


def test_the_interval_is_students_t_over_folds_within_the_range() -> None:
    folds = [
        {"accuracy": a, "balanced_accuracy": a, "macro_f1": a, "happy_f1": None, "loss": 1 - a} for a in (0.4, 0.5, 0.7)
    ]
    summary = summarise_folds(folds)
    low, high = stats.t.interval(0.95, 2, 1 - 1.6 / 3, stats.sem([0.6, 0.5, 0.3]))
    assert (summary["loss"]["low"], summary["loss"]["high"]) == pytest.approx((max(0, low), high))
    assert "happy_f1" not in summary
    assert summarise_folds([row | {"accuracy": 0.99 - i / 20} for i, row in enumerate(folds)])["accuracy"]["high"] <= 1


def test_a_fold_is_scored_as_an_evaluation_is() -> None:
    labels, probabilities = np.array([0] * 4 + [2] * 4), np.full((8, 3), 0.1, dtype=np.float32)
    probabilities[np.arange(8), [0, 0, 1, 1, 2, 2, 2, 1]] = 0.8
    found, one = score(labels, probabilities, ("sad", "happy", "anger")), np.arange(8)
    whole = figures(labels, probabilities, ("sad", "happy", "anger"), one, draws=100).plain()
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert found[name] == pytest.approx(whole[name], abs=1e-6)
    assert found["happy_f1"] == whole["happy"]["f1"] == 0, "happy is answered, but absent"
    assert found["loss"] == pytest.approx(whole["log_loss"], abs=1e-6)
    assert score(labels, probabilities, ("sad", "fear", "anger"))["happy_f1"] is None


def test_the_command_prints_what_it_wrote_and_goes_on_without_its_settings(faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    backend = keras_here()
    settings = (
        "--model",
        "test-tiny",
        "--size",
        16,
        "--epochs",
        1,
        "--batch-size",
        8,
        "--threads",
        1,
        "--backend",
        backend,
    )
    printed, _ = felicity_answer("crossval", faces, "--folds", 2, *settings, "-o", out, home=tmp_path)
    assert {key: value for key, value in printed.items() if key != "folder"} == json.loads(
        (out / "crossval.json").read_text()
    )
    again = CliRunner().invoke(app, ["crossval", "--resume", "-o", str(out)])
    assert again.exit_code == 0 and "mean" in again.stdout and "approximate" in again.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--folds", 1), "2 folds or more"),
        (("--folds", 50), "too few images for 50 folds"),
        (("--batch-size", 500), "batch_size is 500, but a fold trains on"),
        (("--model", "paper-cnn"), "cannot be built"),
        (("--model", "none"), "'none' is not known"),
        (("--validation-share", 0, "--test-share", 0.5), "no image to choose by"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    faces: Path, tmp_path: Path, options: tuple[object, ...], says: str
) -> None:
    backend = keras_here()
    words = ["crossval", faces, "--size", 16, "--batch-size", 8, "--backend", backend, "-o", tmp_path / "out", *options]
    failed = CliRunner().invoke(app, [str(word) for word in words])
    assert failed.exit_code != 0 and isinstance(failed.exception, FelicityError) and says in str(failed.exception)
    assert not (tmp_path / "out").exists()
