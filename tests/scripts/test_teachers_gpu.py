"""Faces are packed without loss; teachers learn from the packed file alone, and a student from their answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from felicity.training.answers import open_answers
from felicity.training.config import make_config, read_toml
from felicity.training.data import load_training_set
from felicity.training.fit import make_feed
from tests.support import faces_on_disk as disk

ROOT = Path(__file__).parents[2]
RECIPE = """\
backend = "torch"
batch_size = 16
epochs = 2
views = 2
augment = "mild"
mix = 0.5
soft_labels = true
teacher_share = 1.0

[model]
name = "test-tiny"

[data]
format = "ferplus"
second = "FER2013"
"""


def script(name: str, *words: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / name), *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)
    assert done.returncode == expect, done.stderr
    return done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with FER2013 and FER+, more faces of people, and a recipe."""
    folder = tmp_path_factory.mktemp("teachers")
    faces = disk.made_up(200)
    votes = np.zeros((len(faces.codes), 10), dtype=np.int64)
    votes[np.arange(len(votes)), np.array([4, 5, 6, 1, 3, 2, 0])[faces.codes]] = 10
    votes[::9] = 0
    votes[::9, 7] = 10
    (folder / "fer").mkdir()
    disk.write_csv(faces, folder / "fer" / "fer2013.csv")
    disk.write_ferplus(votes, faces.folds, folder / "fer" / "fer2013new.csv")
    others = disk.made_up(70, seed=1)
    lines = ["path,label,subject"]
    for row, image in enumerate(others.images):
        disk.write_png(image, folder / "more" / f"{row}.png")
        lines.append(f"{row}.png,{others.name(row)},person {row // 2}")
    (folder / "more" / "labels.csv").write_text("\n".join(lines) + "\n")
    (folder / "student.toml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FELICITY_HOME", str(tmp_path_factory.mktemp("home")))
        patch.syspath_prepend(str(ROOT / "scripts"))
        yield


def test_packing_loses_nothing() -> None:
    from pack_faces import expand, squeeze

    rng = np.random.default_rng(5)
    for images in (disk.made_up(40).images, rng.integers(0, 256, (9, 24, 24), dtype=np.uint8)):
        streams = squeeze(images)
        np.testing.assert_array_equal(expand(streams, *images.shape[:2]), images)
    assert sum(map(len, squeeze(disk.made_up(400).images))) < 0.7 * 400 * 48 * 48


def test_teachers_answer_to_what_a_student_sees(place: Path) -> None:
    from pack_faces import read

    recipe, faces = place / "student.toml", place / "faces.npz"
    data = ["--data", place / "fer", "--more", place / "more" / "labels.csv"]
    script("pack_faces.py", recipe, *data, "-o", faces)
    config = make_config(read_toml(recipe), {"data": {"path": str(place / "fer")}})
    held = load_training_set(config.data, soft=True)
    parts, facts = read(faces)
    np.testing.assert_array_equal(parts["train"].images, held.train.images)
    np.testing.assert_array_equal(parts["validation"].labels[:, 0], held.validation.labels)
    assert list(parts) == ["train", "validation", "test", "more-train", "more-validation"]
    assert len(facts["classes"]) == 3 and (parts["more-train"].labels[:, :2] == -1).all()

    words = [faces, "-o", place / "results", "--work", place / "work", "--epochs", 1, "--batch", 32, "--keep", 1]
    script("teachers_gpu.py", *words, "--teachers", "tiny,tiny")
    report = json.loads((place / "results" / "report.json").read_text())
    assert set(report["teachers"]) == {"tiny-100", "tiny-101", "mean"}
    assert set(report["teachers"]["mean"]) == {"validation", "test", "more-validation"}
    assert len(list((place / "results").glob("tiny-*.npz"))) == 1
    answers = open_answers(place / "results" / "student")
    assert answers.number == 2 and answers.classes == (held.classes, held.second_classes)
    for probabilities in answers.probabilities:
        assert probabilities.shape == (len(held.train), sum(held.heads))
        np.testing.assert_allclose(probabilities.astype(float).sum(1), 2, atol=0.01)

    feed = make_feed(make_config(config.model_dump(), {"teachers": [str(answers.folder)]}), held)
    rows = np.arange(16, 32)
    np.testing.assert_allclose(feed.batch(rows, 1, 0).targets, answers.probabilities[1][rows], atol=1e-3)

    times = {file: file.stat().st_mtime_ns for file in (place / "work").iterdir()}
    script("teachers_gpu.py", *words, "--teachers", "tiny,tiny", "--seconds", 1)
    assert {file: file.stat().st_mtime_ns for file in (place / "work").iterdir()} == times, "finished ones are kept"
    late = script("teachers_gpu.py", *words[:2], place / "none", "--work", place / "new", "--seconds", 1, expect=1)
    assert "there was no time for any teacher" in late.stderr


def test_a_recipe_without_views_is_refused(place: Path) -> None:
    (place / "other.toml").write_text(RECIPE.replace("views = 2", "views = 0"))
    refused = script("pack_faces.py", place / "other.toml", "--data", place / "fer", "-o", place / "no.npz", expect=1)
    assert "recipe other: makes no views" in refused.stderr and not (place / "no.npz").exists()
