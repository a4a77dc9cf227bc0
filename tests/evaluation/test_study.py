"""The study's page: what stands in it, and what it calls agreement."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.evaluation.study import experiments, published
from felicity.evaluation.study.experiments import EXPERIMENTS, configure, run_all
from felicity.evaluation.study.findings import findings
from felicity.training.config import TrainConfig

SEVEN = ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger"]


def pretend(config: TrainConfig, contestant: str, seed: int, folder: Path, told: object = None) -> dict[str, Any]:
    """A training that goes as trainings go, without one."""
    classes = ["happy", "sad"] if config.data.classes == "happy,sad" else SEVEN
    n, raw = config.epochs, config.data.pixels == "raw"
    history = [
        {
            "epoch": i + 1, "loss": (300.0 if raw and i == 0 else 1.8) / (1 + i), "accuracy": 1 - 0.6 / (1 + i),
            "val_loss": 1.5 + 0.01 * i, "val_accuracy": 0.5, "learning_rate": 1e-3,
            "seconds": 20.0 if contestant == "torch" else 10.0, "images_per_second": 1000.0,
        }
        for i in range(n)
    ]  # fmt: skip
    good = 60 if config.model.name == "resnet5" else 50
    matrix = np.full((len(classes), len(classes)), (100 - good) // (len(classes) - 1))
    np.fill_diagonal(matrix, good)
    share = good / matrix.sum(1)[0]
    parts = {
        name: {"images": int(matrix.sum()), "loss": 1.2, "accuracy": float(share)}
        for name in ("train", "validation", "test")
    }
    counts = {part: dict.fromkeys(classes, 100) for part in parts}
    return {
        "contestant": contestant, "seed": seed, "classes": classes, "images": counts, "parts": parts,
        "confusion": matrix.tolist(), "peak_memory": 10**9, "history": history,
    }  # fmt: skip


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "outcome_of", pretend)


def test_the_experiments_keep_the_studys_settings() -> None:
    configs = {one.name: configure(one, "faces", 30, 0, 1) for one in EXPERIMENTS}
    two, raw, torch = configs["two-classes"], configs["raw-pixels"], configs["seven-classes-pytorch"]
    assert two.epochs == 30 and two.model.name == "paper-cnn" and two.data.classes == "happy,sad"
    assert raw.data.pixels == "raw" and raw.epochs == 10
    assert torch.backend == "torch" and torch.model_copy(update={"backend": "tensorflow"}) == configs["seven-classes"]
    cnn, resnet = configs["augmented-cnn"], configs["augmented-resnet5"]
    differ = {name for name in type(cnn).model_fields if getattr(cnn, name) != getattr(resnet, name)}
    assert differ == {"model", "optimizer", "learning_rate", "weight_decay"}, "the two networks have one budget"


@pytest.mark.usefixtures("pretended")
def test_the_page_has_every_table_and_figure(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["reproduce", "fer2013.csv.gz", "-o", str(out), "--json"])
    assert done.exit_code == 0, done.exception
    page = (out / "reproduction.md").read_text()
    for heading in ("Table 1", "Figure 5", "Table 3", "Figure 9", "Figures 10 and 11", "ResNet-5"):
        assert heading in page
    for picture in re.findall(r"\((reproduction/[^)]+)\)", page):
        assert (out / picture).read_bytes().startswith(b"\x89PNG"), picture
    assert "felicity reproduce fer2013.csv.gz --epochs 30 --seed 1" in page
    assert str(tmp_path) not in page
    facts = json.loads((out / "reproduction.json").read_text())
    assert set(facts["experiments"]) == {one.name for one in EXPERIMENTS}
    assert re.search(r"ResNet-5 \d\d\.\d %, the CNN \d\d\.\d % on \d+ test images, \+\d", page)


@pytest.mark.usefixtures("pretended")
def test_findings_say_yes_and_no_by_the_figures(tmp_path: Path) -> None:
    outcomes = run_all("faces", tmp_path, epochs=30, images=0, seed=1)
    found = {one.what: one for one in findings(outcomes, published.PARAMETERS)}
    assert found["parameters of the CNN"].agrees
    assert not next(one for one in findings(outcomes, 1) if one.what.startswith("parameters")).agrees
    assert not found["images to test on"].agrees
    assert not found["TensorFlow's lead over PyTorch in accuracy"].agrees
    time = found["time of PyTorch against TensorFlow"]
    assert "2.00 times" in time.ours and not time.agrees
    assert found["training accuracy, two classes, TensorFlow (its table)"].agrees
    assert not found["accuracy, two classes, TensorFlow (its text)"].agrees
    assert not found["training loss, two classes, first epoch"].agrees


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("")
    done = CliRunner().invoke(app, ["reproduce", "fer2013.csv.gz", "-o", str(tmp_path)])
    assert done.exit_code != 0 and "is not empty; go on with --resume" in str(done.exception)


def test_data_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["reproduce", str(tmp_path / "none.csv"), "-o", str(tmp_path / "out")])
    assert done.exit_code != 0 and "is not there" in str(done.exception)
