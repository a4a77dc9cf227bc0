"""Code of others: a network, an augmentation, a reader and a detector from a package, from data to a photograph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from felicity.datasets.registry import open_dataset
from felicity.errors import ConfigError
from felicity.faces import registry
from felicity.imaging.encode import write_image
from felicity.models.registry import ModelOptions, build, check_network, networks
from felicity.training.config import make_config
from tests.support.class_folders import write_class_folders
from tests.support.command import felicity, felicity_answer, felicity_json
from tests.support.keras_here import keras_here
from tests.support.other_package import installed
from tests.support.people import photograph


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installed(tmp_path_factory.mktemp("site")) as folder:
        yield folder


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_class_folders(tmp_path_factory.mktemp("data") / "faces", {"happy": 60, "sad": 60}, size=24)


WORDS = ("--size", 24, "--backend", "torch", "--epochs", 2, "--batch-size", 16, "--threads", 1, "--learning-rate", 0.01)


@pytest.fixture(scope="module")
def run(package: Path, faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    own = ("--model", "smiles:build", "--augment", "smiles:darker")
    felicity("train", faces, *own, *WORDS, "-o", folder / "run", home=folder)
    return folder / "run"


def test_a_network_of_ones_own_is_trained_evaluated_exported_and_classifies(run: Path, tmp_path: Path) -> None:
    facts = json.loads((run / "run.json").read_text())
    assert facts["code"] == {
        "model.name": {"path": "smiles:build", "package": "smiles", "version": "1.2"},
        "augment": {"path": "smiles:darker", "package": "smiles", "version": "1.2"},
    }
    answer, _ = felicity_answer("evaluate", run, home=tmp_path)
    assert answer["model"] == "run run (smiles:build on torch)"
    exported, _ = felicity_answer("bundle", "export", run, "-o", tmp_path / "mine", home=tmp_path)
    assert exported["largest_difference"] < 1e-5
    write_image(tmp_path / "one.png", photograph())
    words = ("classify", tmp_path / "one.png", "--bundle", tmp_path / "mine", "--detector", "middle")
    (row,) = felicity_json(*words, home=tmp_path)
    assert row["faces"][0]["expression"] in ("happy", "sad")


def test_a_run_whose_code_is_gone_says_whose_it_was(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(sys, "path", [each for each in sys.path if not (Path(each) / "smiles.py").is_file()])
    monkeypatch.delitem(sys.modules, "smiles")
    done = felicity("evaluate", run, home=tmp_path, expect=1)
    assert "model smiles:build: there is no module smiles; install its package" in done.stderr
    assert "was trained with smiles:build of the package smiles 1.2" in done.stderr


def test_what_a_package_announces_is_known_by_name(package: Path, faces: Path, tmp_path: Path) -> None:
    keras_here()
    assert networks()["smiles-net"].about == "of the package smiles 1.2"
    assert build("smiles-net", ModelOptions(classes=3, size=24)).output_shape == (None, 3)
    assert registry.names()[-1] == "middle"
    assert registry.open_detector("smiles:Middle", threads=1).detect(np.zeros((8, 8, 3), np.uint8))[0].score == 1
    how = make_config({"data": {"path": "x"}}, {"augment": "darker"}).how_augmented()
    assert how is not None and how == make_config({"data": {"path": "x"}}, {"augment": "smiles:darker"}).how_augmented()
    assert len(open_dataset(faces, "smiles")) == len(open_dataset(faces, "smiles:Reader")) == 120
    assert open_dataset(faces).format == "folders"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("smiles:with_softmax", "ends in a softmax, but logits are needed"),
        ("smiles:of_another_size", r"takes \[\(99, 99, 1\)\] and gives \[\(3,\)\], but \[\(24, 24, 1\)\]"),
        ("smiles:broken", "building it failed: AttributeError: .*no_such_thing"),
        ("smiles:no_model", "keras.Model expected, found int"),
        ("smiles:keras", "a function or class expected, found module"),
        ("smiles:nothing", "smiles has no nothing; check the name behind the colon"),
        ("nobodys.package:build", "there is no module nobodys; install its package"),
        ("smiles:", "an import path such as package.module:name expected"),
    ],
)
def test_what_is_wrong_with_a_path_is_one_sentence(package: Path, path: str, said: str) -> None:
    keras_here()
    with pytest.raises(ConfigError, match=f"^model .*{said}"):
        build(path, ModelOptions(classes=2, size=24))


def test_an_augmentation_that_changes_the_shape_is_refused(package: Path, faces: Path, tmp_path: Path) -> None:
    words = ("--model", "test-tiny", "--augment", "smiles:wrong_shape", *WORDS)
    done = felicity("train", faces, *words, "-o", tmp_path / "run", home=tmp_path, expect=1)
    assert "augment smiles:wrong_shape: must give uint8 images (16, 24, 24), and gave uint8 (16, 12, 24)" in done.stderr


def test_a_module_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lonely_network.py").write_text("def build(options):\n    'Alone.'\n")
    monkeypatch.chdir(tmp_path)
    assert check_network("lonely_network:build").about == "Alone."
