"""``felicity calibrate``: a location's own faces change its index, and only its own."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from felicity.errors import EstimateError
from felicity.index import SoftMatrix
from felicity.index.calibration import calibrate
from felicity.models.bundle import open_bundle
from felicity.store import open_store
from tests.support import windows as people
from tests.support.command import felicity, felicity_answer


def sample(happy: int, others: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    labels = np.array([1] * happy + [0] * (others - others // 3) + [2] * (others // 3))
    return people.answers(np.random.default_rng(seed), labels), labels


def test_expressions_without_local_faces_are_the_bundles() -> None:
    bundle = people.soft_matrix(np.random.default_rng(7))
    answers, labels = sample(60, 90)
    found = calibrate(answers, labels, bundle)
    own = SoftMatrix.from_probabilities(answers, labels)

    for j in (0, 1, 2):
        np.testing.assert_array_equal(found.soft.matrix[:, j], own.matrix[:, j])
        assert found.soft.counts[j] == own.counts[j]
    for j in range(3, 8):
        np.testing.assert_allclose(found.soft.matrix[:, j], bundle.matrix[:, j])
        assert found.soft.counts[j] == bundle.counts[j]
    assert found.borrowed == ("surprise", "fear", "disgust", "anger", "contempt")
    assert found.local.recall == pytest.approx(answers[labels == 1, 1].mean())


def test_too_few_faces_are_refused_with_how_many_are_lacking() -> None:
    bundle = people.soft_matrix(np.random.default_rng(7))
    with pytest.raises(EstimateError, match="30 happy faces, and there are 12; label 18 more"):
        calibrate(*sample(12, 90), bundle)
    with pytest.raises(EstimateError, match="not happy, and there are 5; label 25 more"):
        calibrate(*sample(40, 5), bundle)


def test_a_camera_that_cannot_tell_happy_is_refused_with_its_rates() -> None:
    bundle = people.soft_matrix(np.random.default_rng(7))
    answers, labels = sample(60, 60)
    with pytest.raises(EstimateError, match=r"happy is answered with \d+ % to happy faces and with \d+ % to others"):
        calibrate(answers[::-1], np.random.default_rng(3).permutation(labels), bundle)


@pytest.mark.shared_data
def test_a_labelled_table_through_detection_changes_the_location(shared: Path, tmp_path: Path) -> None:
    """Posed faces, each with its mirror image: enough of them, and a table of paths and labels."""
    rows = ["path,label"]
    for file in sorted((shared / "data" / "faces").glob("*.jpg")):
        image = cv2.imread(str(file))
        label = "happy" if "smil" in file.stem or "happy" in file.stem else "neutral"
        for side, pixels in (("a", image), ("b", image[:, ::-1])):
            cv2.imwrite(str(tmp_path / f"{file.stem}{side}.jpg"), pixels)
            rows.append(f"{file.stem}{side}.jpg,{label}")
    table = tmp_path / "local.csv"
    table.write_text("\n".join(rows) + "\n")
    store = tmp_path / "store.db"
    felicity("locations", "add", "Harbour", "--store", store, home=tmp_path)
    said, _ = felicity_answer(
        "calibrate", "Harbour", "--labelled", table, "--store", store, "--detector", "hog", home=tmp_path
    )

    assert said["local"]["happy"] + said["local"]["others"] == said["faces"]
    assert said["local"]["recall"] - said["local"]["false_alarms"] > 0.5
    bundle = open_bundle()
    with open_store(str(store)) as opened:
        own = opened.soft_matrix("Harbour", bundle.id)
        other = opened.soft_matrix("elsewhere", bundle.id)
    assert own is not None and other is not None
    assert own.matrix[1, 1] == pytest.approx(said["local"]["recall"])
    np.testing.assert_allclose(other.matrix, bundle.facts.soft_matrix.matrix)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    asked = ("calibrate", "Nowhere", "--labelled", tmp_path, "--store", store, "--crop")
    assert "there is no such file" in felicity(*asked, home=tmp_path, expect=1).stderr
    assert not store.exists()
    open_store(str(store)).close()
    assert "no location 'Nowhere'" in felicity(*asked, home=tmp_path, expect=1).stderr
