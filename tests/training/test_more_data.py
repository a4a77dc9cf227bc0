"""A training on several data sets: each is divided by itself, and what is not of the first is marked as unknown."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from felicity.errors import ConfigError, DatasetError
from felicity.models.bundle import open_bundle
from felicity.training.config import DataConfig
from felicity.training.data import load_training_set
from felicity.training.folds import open_pool
from tests.support import faces_on_disk as disk
from tests.support.command import felicity

FERPLUS_OF = np.array([4, 5, 6, 1, 3, 2, 0])  # FER2013's codes to FER+'s columns
RECIPE = """\
epochs = 2
batch_size = 16
soft_labels = true
backend = "torch"
threads = 1

[model]
name = "test-tiny"

[data]
second = "FER2013"
validation_share = 0.3
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """FER2013 with votes, and press photographs of 30 people."""
    folder = tmp_path_factory.mktemp("sets")
    first = disk.made_up(140)
    votes = np.zeros((140, 10), dtype=np.int64)
    votes[np.arange(140), FERPLUS_OF[first.codes]] = 10
    (folder / "fer").mkdir()
    disk.write_csv(first, folder / "fer" / "fer2013.csv")
    disk.write_ferplus(votes, first.folds, folder / "fer" / "fer2013new.csv")
    press = disk.made_up(120, seed=5)
    lines = ["path,label,subject"]
    for row, image in enumerate(press.images):
        disk.write_png(image, folder / "press" / "images" / f"{row:03}.png")
        lines.append(f"images/{row:03}.png,{press.name(row)},person {row % 30}")
    (folder / "press" / "labels.csv").write_text("\n".join(lines) + "\n")
    return {name: folder / name for name in ("fer", "press")}


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path_factory.getbasetemp() / "more-home"))


def test_parts_are_added_but_for_the_test_part(places: dict[str, Path]) -> None:
    config = DataConfig(path=str(places["fer"]), second="FER2013")
    alone, press = (load_training_set(each, soft=True) for each in (config, DataConfig(path=str(places["press"]))))
    both = load_training_set(config.model_copy(update={"more": [str(places["press"])]}), soft=True)
    assert len(press.test) and len(press.validation)
    for name, added in (("train", len(press.train)), ("validation", len(press.validation)), ("test", 0)):
        whole, first, other = (getattr(each, name) for each in (both, alone, press))
        assert len(whole) == len(first) + added
        np.testing.assert_array_equal(whole.images[: len(first)], first.images)
        np.testing.assert_array_equal(whole.soft[: len(first)], first.soft)
        if added:
            np.testing.assert_array_equal(whole.images[len(first) :], other.images)
            assert (whole.second[len(first) :] == -1).all() and not whole.soft[len(first) :].any()
            names = [[each.classes[label] for label in part.labels] for each, part in ((both, whole), (press, other))]
            assert names[0][len(first) :] == names[1]
    assert both.digest != alone.digest


def test_so_many_images_are_drawn_from_all_sets(places: dict[str, Path]) -> None:
    config = DataConfig(path=str(places["fer"]), more=[str(places["press"])], images=60)
    drawn = load_training_set(config)
    assert len(drawn.train) == 60
    shown = {image.tobytes() for image in load_training_set(DataConfig(path=str(places["press"]))).train.images}
    assert 10 < sum(image.tobytes() in shown for image in drawn.train.images) < 50


def test_a_set_of_unknown_classes_is_refused(places: dict[str, Path]) -> None:
    folder = places["fer"].parent / "two"
    faces = disk.made_up(70, seed=9)
    few = disk.Faces(faces.images[faces.codes > 2], faces.codes[faces.codes > 2], faces.folds[:40])
    disk.write_folders(few, folder, folds=False)
    with pytest.raises(DatasetError, match=r"press: has images of fear, disgust, anger, and the data set that it is"):
        load_training_set(DataConfig(path=str(folder), more=[str(places["press"])]))


def test_folds_are_of_one_set(places: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match="folds are drawn of one data set"):
        open_pool(DataConfig(path=str(places["fer"]), more=[str(places["press"])]))


def test_a_training_on_both_becomes_a_bundle_that_says_so(places: dict[str, Path], tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    home = tmp_path / "home"
    words = ["--more", places["press"], "--config", recipe, "-o", tmp_path / "run"]
    felicity("train", places["fer"], *words, home=home)
    said = json.loads((tmp_path / "run" / "run.json").read_text())
    assert said["config"]["data"]["more"] == [str(places["press"])]
    felicity("bundle", "export", tmp_path / "run", "-o", tmp_path / "bundle", home=home)
    facts = open_bundle(tmp_path / "bundle").facts
    assert facts.trained_on.startswith("fer and press, training set: ")
    assert facts.training is not None and facts.training["config"]["data"]["more"] == ["press"]


def test_a_training_goes_on_with_data_that_are_called_otherwise(places: dict[str, Path], tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    home = tmp_path / "home"
    felicity("train", places["fer"], "--config", recipe, "-o", tmp_path / "run", home=home)
    words = ["--start", tmp_path / "run", "--data-name", "another", "--more", places["press"]]
    felicity("train", places["fer"], "--config", recipe, *words, "-o", tmp_path / "next", home=home)
    assert json.loads((tmp_path / "next" / "run.json").read_text())["start"].startswith("run@")
