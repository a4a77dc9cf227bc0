"""Bundles of runs that went on from another: weights between the two, and a soft matrix of the test set, too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from felicity.index.soft_matrix import SoftMatrix
from felicity.labels import INDEX
from felicity.models.bundle import Bundle, open_bundle
from felicity.recognition.classifier import Classifier
from felicity.training.config import DataConfig
from felicity.training.data import load_training_set
from tests.support import faces_on_disk as disk
from tests.support.command import felicity

RECIPE = """\
epochs = 2
batch_size = 16
learning_rate = 0.02
backend = "torch"
threads = 1

[model]
name = "test-tiny"

[data]
validation_share = 0.4
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a run, and two that went on from its bundle with other pixels."""
    folder = tmp_path_factory.mktemp("blended")
    patterns, others = disk.made_up(7, seed=1), disk.made_up(210, seed=2)
    mixed = (0.6 * patterns.images[others.codes] + 0.4 * others.images).astype(np.uint8)
    folds = ["Training" if row % 3 else "PublicTest" for row in range(len(mixed))]
    disk.write_csv(disk.Faces(mixed, others.codes, folds), folder / "fer2013.csv")
    disk.write_csv(disk.Faces(mixed // 2, others.codes, folds), folder / "dark.csv")
    (folder / "recipe.toml").write_text(RECIPE)
    train = ("--config", folder / "recipe.toml", "-o")
    felicity("train", folder / "fer2013.csv", *train, folder / "first", home=folder / "home")
    felicity("bundle", "export", folder / "first", "-o", folder / "old", home=folder / "home")
    went_on = ("train", folder / "dark.csv", "--start", folder / "old")
    felicity(*went_on, *train, folder / "second", home=folder / "home")
    felicity(*went_on, "--seed", 2, *train, folder / "third", home=folder / "home")
    return folder


def exported(place: Path, name: str, *words: object) -> Bundle:
    felicity("bundle", "export", place / "second", "-o", place / name, *words, home=place / "home")
    return open_bundle(place / name)


def test_a_blend_lies_between_the_start_and_the_run(place: Path) -> None:
    ends = open_bundle(place / "old"), exported(place, "new")
    half, whole = exported(place, "half", "--blend", 0.25), exported(place, "all", "--blend", 1)
    old, new, between = (each.training_weights() for each in (*ends, half))
    assert old is not None and new is not None and between is not None
    for name, array in between.items():
        np.testing.assert_allclose(array, 0.25 * old[name] + 0.75 * new[name], atol=2e-3)
    assert half.input.mean == pytest.approx(0.25 * ends[0].input.mean + 0.75 * ends[1].input.mean, abs=1e-4)
    assert half.facts.training is not None and half.facts.training["blend"] == 0.25
    assert ends[1].facts.training is not None and "blend" not in ends[1].facts.training
    started = whole.training_weights()
    assert started is not None
    for name, array in started.items():
        np.testing.assert_array_equal(array, old[name])
    assert (whole.input.mean, whole.input.std) == (ends[0].input.mean, ends[0].input.std)


def test_runs_that_began_alike_are_averaged(place: Path) -> None:
    old, second = open_bundle(place / "old").training_weights(), exported(place, "one").training_weights()
    felicity("bundle", "export", place / "third", "-o", place / "other", home=place / "home")
    third = open_bundle(place / "other").training_weights()
    both = exported(place, "both-runs", "--average", place / "third")
    mean = both.training_weights()
    mixed = exported(place, "and-start", "--average", place / "third", "--blend", 0.4).training_weights()
    assert old and second and third and mean and mixed
    assert any(np.abs(second[name] - third[name]).max() > 0.01 for name in second)
    for name, array in mean.items():
        np.testing.assert_allclose(array, (second[name] + third[name]) / 2, atol=2e-3)
        np.testing.assert_allclose(mixed[name], 0.4 * old[name] + 0.6 * array, atol=2e-3)
    assert both.facts.training is not None
    assert [each["config"]["seed"] for each in both.facts.training["averaged"]] == [2]
    assert both.facts.training["config"]["seed"] != 2


def test_what_cannot_be_averaged_says_so(place: Path) -> None:
    words = ("bundle", "export", place / "second", "-o", place / "no", "--average")
    said = felicity(*words, place / "first", home=place / "home", expect=1).stderr
    assert "first: began with other weights than" in said and "leave it out" in said
    said = felicity(*words, place / "second", home=place / "home", expect=1).stderr
    assert "second: is named twice" in said
    twin = shutil.copytree(place / "first", place / "twin")
    words = ("bundle", "export", place / "first", "-o", place / "no", "--average", twin)
    assert "began with random weights" in felicity(*words, home=place / "home", expect=1).stderr
    said = felicity(*words[:-1], place / "none", home=place / "home", expect=1).stderr
    assert "none" in said
    assert not (place / "no").exists()


def test_what_cannot_be_blended_says_so(place: Path) -> None:
    words = ("bundle", "export", place / "first", "-o", place / "no", "--blend", 0.5)
    said = felicity(*words, home=place / "home", expect=1).stderr
    assert "began with random weights, so nothing can be blended" in said
    kept = (place / "old" / "bundle.json").read_bytes()
    felicity("bundle", "export", place / "first", "-o", place / "old", "--evenness", 1, "--force", home=place / "home")
    words = ("bundle", "export", place / "second", "-o", place / "no", "--blend", 0.5)
    assert "was begun with the weights of old@" in felicity(*words, home=place / "home", expect=1).stderr
    (place / "old" / "bundle.json").write_bytes(kept)


def test_the_soft_matrix_may_be_of_the_test_part_too(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FELICITY_HOME", str(place / "home"))
    alone, both = exported(place, "alone"), exported(place, "both", "--test-in-matrix")
    held = load_training_set(DataConfig(path=str(place / "dark.csv"), validation_share=0.4))
    classifier = Classifier(both)
    parts = [
        SoftMatrix.from_probabilities(
            classifier.probabilities(part.images), np.array([INDEX[name] for name in held.classes])[part.labels]
        )
        for part in (held.validation, held.test)
    ]
    for found, wanted in (
        (both.soft_matrix, SoftMatrix.combine(parts)),
        (both.without("test").soft_matrix, parts[0]),
        (both.without("validation").soft_matrix, parts[1]),
        (alone.soft_matrix, parts[0]),
        (alone.without("test").soft_matrix, parts[0]),
    ):
        assert found.counts.tolist() == wanted.counts.tolist()
        np.testing.assert_allclose(found.matrix, wanted.matrix, atol=1e-6)
    assert alone.facts.soft_matrix_parts is None and alone.facts.calibrated_on.endswith("chose the epoch")
    counts = [len(held.validation), len(held.test)]
    said = f"; the soft matrix on {counts[0]} of the validation set and {counts[1]} of the test set"
    assert both.facts.calibrated_on.endswith(said)
    shown = felicity("bundle", "show", place / "both", home=place / "home").stdout
    assert f"the matrix is of {sum(counts)} faces" in " ".join(shown.split())


def test_a_check_takes_the_matrix_without_the_faces_it_is_checked_on(place: Path) -> None:
    exported(place, "again", "--test-in-matrix", "--force")
    words = ("simulate", "--check", "--faces", place / "dark.csv", "--location-days", 50, "--series", 0)
    notes = {}
    for name in ("again", "old"):
        done = felicity(*words, "--bundle", place / name, "--json", home=place / "home", expect=None)
        notes[name] = [note["code"] for note in json.loads(done.stdout)["notes"]]
    assert notes["again"] == ["matrix-part"] and notes["old"] == []
