"""The loop of ``felicity calibrate``: pictures drawn, labelled, the bias before and after, and what is lacking."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

import felicity
from felicity.api.sampling import weights_in
from felicity.datasets.samples import as_input
from felicity.errors import ConfigError, DatasetError
from felicity.index import SoftMatrix
from felicity.index.bias import SHARES
from felicity.index.calibration import calibrate
from felicity.index.estimate import adjust
from felicity.labels import EXPRESSIONS, HAPPY_INDEX
from felicity.recognition.classifier import Classifier
from felicity.simulation.labelled import AnsweredFaces, read_labelled
from tests.support import windows as people


def test_a_camera_like_the_bundles_has_no_bias_and_more_faces_make_that_surer() -> None:
    bundle = people.soft_matrix(np.random.default_rng(7))
    widths = []
    for number in (100, 1600):
        labels = np.repeat(np.arange(8), number)
        found = calibrate(people.answers(np.random.default_rng(1), labels), labels, bundle).biases
        assert [bias.share for bias in found.before] == [bias.share for bias in found.after] == list(SHARES)
        for before, after in zip(found.before, found.after, strict=True):
            assert before.low - 1 < 0 < before.high + 1
            assert abs(after.points) < 0.01 and after.low < 0 < after.high
        widths.append(found.after[1].width)
    assert widths[0] == pytest.approx(4 * widths[1], rel=0.3), "four times as sure by sixteen times the faces"


def dull(image: np.ndarray) -> np.ndarray:
    """A face as a bad camera shows it: half as large, blurred, and dark."""
    small = cv2.resize(cv2.GaussianBlur(image, (0, 0), 1.2), (20, 20), interpolation=cv2.INTER_AREA)
    return (cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_LINEAR) * 0.5 + 40).astype(np.uint8)


@cache
def camera(csv_gz: Path) -> tuple[AnsweredFaces, SoftMatrix]:
    """What the bundle answers to FER2013's unseen faces as a bad camera shows them."""
    classifier = Classifier.open(threads=1)
    samples = read_labelled(csv_gz).samples
    spec = classifier.input
    images = [dull(as_input(image, spec.size, "gray")) for image in samples.images]
    assert spec.colour == "gray"
    p = np.concatenate([classifier.probabilities(np.stack(images[i : i + 64])) for i in range(0, len(images), 64)])
    return AnsweredFaces(samples.labels, p), classifier.bundle.soft_matrix


def true_bias(faces: AnsweredFaces, matrix: np.ndarray, share: float) -> float:
    mix = (1 - share / 100) * faces.others
    mix[HAPPY_INDEX] = share / 100
    means = np.array([faces.probabilities[faces.labels == j].mean(axis=0) for j in range(8)]).T
    return 100 * float(adjust(means @ mix, matrix)[0, HAPPY_INDEX]) - share


@pytest.mark.shared_data
def test_a_known_bias_is_found_and_gone_after_calibrating(shared: Path) -> None:
    faces, bundle = camera(shared / "data" / "fer2013" / "fer2013.csv.gz")
    real = [true_bias(faces, bundle.matrix, share) for share in SHARES]
    assert max(map(abs, real)) > 3, "the camera misleads the bundle"
    rng, held, left = np.random.default_rng(1), [], []
    for _ in range(40):
        rows = rng.permutation(len(faces))[:400]
        found = calibrate(faces.probabilities[rows], faces.labels[rows], bundle)
        for bias, known in zip(found.biases.before, real, strict=True):
            held.append(bias.low <= known <= bias.high)
        for bias in found.biases.after:
            rest = true_bias(faces, found.soft.matrix, bias.share)
            left.append(bias.low <= rest <= bias.high)
        assert min(found.biases.lacking) > 0, "400 faces do not tell a point"
    assert np.mean(held) > 0.88 and np.mean(left) > 0.88, "so do their intervals say"
    rows = rng.permutation(len(faces))[:2000]
    calibrated = calibrate(faces.probabilities[rows], faces.labels[rows], bundle).soft.matrix
    assert max(abs(true_bias(faces, calibrated, share)) for share in SHARES) < max(map(abs, real)) / 2


@pytest.mark.shared_data
def test_drawing_by_answers_with_weights_biases_nothing(shared: Path) -> None:
    faces, bundle = camera(shared / "data" / "fer2013" / "fer2013.csv.gz")
    happy = faces.probabilities[:, HAPPY_INDEX]
    strata = np.digitize(happy, [1 / 3, 2 / 3])
    rng, rates = np.random.default_rng(2), []
    for _ in range(60):
        chosen, weights = [], []
        for stratum in range(3):
            rows = np.flatnonzero(strata == stratum)
            drawn = rng.permutation(rows)[:100]
            chosen += drawn.tolist()
            weights += [len(rows) / len(drawn)] * len(drawn)
        found = calibrate(faces.probabilities[chosen], faces.labels[chosen], bundle, weights=weights)
        rates.append((found.local.recall, found.local.false_alarms))
    is_happy = faces.labels == HAPPY_INDEX
    assert np.mean(rates, axis=0) == pytest.approx([happy[is_happy].mean(), happy[~is_happy].mean()], abs=0.01)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Sixty pictures of soft noise in two folders, whose names would not survive a careless table."""
    rng = np.random.default_rng(1)
    for number in range(60):
        folder = tmp_path / "pictures" / ("first, day" if number % 2 else "second")
        folder.mkdir(parents=True, exist_ok=True)
        noise = rng.integers(0, 255, (48, 48), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:02}.png"), cv2.GaussianBlur(noise, (0, 0), 2))
    return tmp_path / "pictures"


def test_pictures_are_drawn_with_a_table_and_a_page_and_none_is_written(pictures: Path) -> None:
    made = felicity.calibration_sample(pictures, number=20, crop=True)
    with made.table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == made.drawn == 20 and made.pictures == 60
    assert made.without_face <= 30, "a picture of noise may look like a covered face"
    assert sum(float(row["weight"]) for row in rows) == pytest.approx(60 - made.without_face, abs=1e-3)
    assert all((pictures / row["path"]).is_file() and row["label"] == "" for row in rows)
    assert sorted(file.name for file in pictures.iterdir()) == ["first, day", "second", "to_label.csv", "to_label.html"]
    page = made.page.read_text(encoding="utf-8")
    assert page.count("<fieldset") == 20 and page.count('type="radio"') == 20 * len(EXPRESSIONS)
    assert "data:image" not in page and "first%2C%20day/" in page
    assert weights_in(made.table, [rows[0]["path"], "other.png"]) == [float(rows[0]["weight"]), 1.0]


def test_what_cannot_be_drawn_from_or_weighed_is_said(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="0 of 60 pictures have a face that was found"):
        felicity.calibration_sample(pictures, detector="hog")
    with pytest.raises(ConfigError, match="is no folder; give a folder of pictures"):
        felicity.calibration_sample(tmp_path / "none")
    table = tmp_path / "labels.csv"
    table.write_text("path,label,weight\na.png,happy,-1\n")
    with pytest.raises(DatasetError, match="line 2: weight is a number above 0, not '-1'"):
        weights_in(table, ["a.png"])
    table.write_text("path,label\na.png,happy\n")
    assert weights_in(table, ["a.png"]) is None
