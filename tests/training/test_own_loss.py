"""A user's own loss and metric, by import path."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import felicity
from felicity.errors import ConfigError
from felicity.metrics.calibration import cross_entropy
from felicity.models.backend import BACKENDS, Backend
from felicity.training.config import make_config
from felicity.training.data import load_training_set
from felicity.training.engines import open_engine
from felicity.training.run import predict
from tests.support.class_folders import write_class_folders
from tests.support.command import felicity as run_felicity
from tests.support.keras_here import keras_here, on_backend
from tests.support.other_package import installed


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installed(tmp_path_factory.mktemp("site")) as folder:
        yield folder


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_class_folders(tmp_path_factory.mktemp("data") / "faces", {"happy": 40, "sad": 40})


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path / "home"))


def gradients(backend: Backend, folder: Path, loss: str | None) -> tuple[float, list[Any]]:
    """Of one batch with two heads, whose second counts half."""
    import sys

    sys.path.insert(0, str(folder))
    try:
        config = make_config(
            {"data": {"path": "x", "size": 24}, "model": {"name": "test-tiny"}, "backend": backend, "loss": loss}
        )
        rng = np.random.default_rng(1)
        faces = rng.normal(size=(8, 24, 24, 1)).astype(np.float32)
        targets = np.concatenate([np.eye(3)[rng.integers(0, 3, 8)], 0.5 * np.eye(2)[rng.integers(0, 2, 8)]], 1)
        return open_engine(config, [3, 2]).gradients(faces, targets.astype(np.float32))
    finally:
        sys.path.remove(str(folder))


@pytest.mark.parametrize("backend", BACKENDS)
def test_cross_entropy_written_by_hand_is_the_loss_without_one(backend: Backend, package: Path) -> None:
    ours, found = on_backend(backend, gradients, backend, package, None)
    theirs, same = on_backend(backend, gradients, backend, package, "smiles:plain")
    assert theirs == pytest.approx(ours, rel=1e-5)
    for one, other in zip(found, same, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)
    focal, _ = on_backend(backend, gradients, backend, package, "smiles:focal")
    assert focal < 0.9 * ours


def test_what_is_trained_with_them_is_kept_with_the_run(faces: Path, package: Path, tmp_path: Path) -> None:
    words = (
        "train", faces, "-o", tmp_path / "run", "--model", "test-tiny", "--size", 24, "--backend", keras_here(),
        "--epochs", 2, "--batch-size", 16, "--threads", 1, "--loss", "smiles:focal", "--metric", "smiles:missed_smiles",
        "--track", "tensorboard",
    )  # fmt: skip
    run_felicity(*words, home=tmp_path / "home")
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["code"] == {
        "loss": {"path": "smiles:focal", "package": "smiles", "version": "1.2"},
        "metrics.0": {"path": "smiles:missed_smiles", "package": "smiles", "version": "1.2"},
    }
    rows = list(csv.DictReader((tmp_path / "run" / "history.csv").read_text().splitlines()))

    data = load_training_set(make_config(facts["config"]).data)
    best = min(rows, key=lambda row: float(row["val_loss"]))
    p, labels = predict(tmp_path / "run", data.validation.images), data.validation.labels
    assert float(best["val_missed_smiles"]) == pytest.approx((p.argmax(1) != 0)[labels == 0].mean())
    sure = p[np.arange(len(labels)), labels]
    assert float(best["val_loss"]) == pytest.approx(float(((1 - sure) ** 2 * -np.log(sure)).mean()), rel=1e-3)
    assert float(best["val_loss"]) < cross_entropy(labels, np.log(p))


def test_a_run_is_asked_without_the_code_of_its_loss(
    faces: Path, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    asked = {
        "backend": keras_here(), "epochs": 1, "batch_size": 16, "threads": 1, "model": {"name": "test-tiny"},
        "data": {"size": 24}, "loss": "smiles:plain", "metrics": ["smiles:missed_smiles"],
    }  # fmt: skip
    made = felicity.train(faces, tmp_path / "run", settings=asked)
    assert list(made.frame.columns)[-1] == "val_missed_smiles"
    monkeypatch.setattr(sys, "path", [each for each in sys.path if not (Path(each) / "smiles.py").is_file()])
    monkeypatch.delitem(sys.modules, "smiles")
    assert felicity.evaluate(tmp_path / "run", draws=100).results[0].all.plain()["n"] > 0


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"loss": "smiles:one_number"}, "loss smiles:one_number: must give a finite number for each image, and gave"),
        ({"loss": "smiles:broken"}, "loss smiles:broken: fails: TypeError"),
        ({"loss": "smiles:nothing"}, "loss smiles:nothing: smiles has no nothing"),
        ({"loss": "focal"}, "loss 'focal': an import path such as package.module:name expected"),
        ({"metrics": ["smiles:no_number"]}, "metric smiles:no_number: must give a finite number, and gave nan"),
        ({"metrics": ["smiles:plain", "smiles:plain"]}, "metric plain: two functions of this name are given"),
    ],
)
def test_what_is_wrong_with_them_is_one_sentence(
    setting: dict[str, Any], said: str, faces: Path, package: Path, tmp_path: Path
) -> None:
    asked = {"backend": keras_here(), "epochs": 1, "batch_size": 16, "threads": 1, "model": {"name": "test-tiny"}}
    with pytest.raises(ConfigError, match=said):
        felicity.train(faces, tmp_path / "run", settings={**asked, "data": {"size": 24}, **setting})
