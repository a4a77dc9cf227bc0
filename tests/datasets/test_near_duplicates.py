"""Near-duplicates of faces that are aligned, masked or copied: found, and nobody taken for another."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from felicity.datasets import Samples, audit, open_dataset, prepare
from felicity.datasets.duplicates import find_duplicates, members
from felicity.datasets.facts import examine
from felicity.datasets.findings import audit_findings
from felicity.datasets.findings_table import write_findings
from felicity.datasets.prepare_options import PrepareOptions
from felicity.datasets.report import write_audit_report
from felicity.errors import ConfigError
from felicity.training.config import DataConfig
from felicity.training.data import load_training_set
from tests.support import faces_on_disk as disk

Image = npt.NDArray[np.uint8]
ORIGINALS, COPIED = 900, 30


def masked(image: Image) -> Image:
    inside = np.zeros((48, 48), np.uint8)
    cv2.ellipse(inside, (24, 24), (19, 23), 0, 0, 360, 1, -1)
    return image * inside


CHANGES: dict[str, Callable[[Image], Any]] = {
    "mirrored": lambda x: x[:, ::-1],
    "cropped": lambda x: cv2.resize(x[1:-1, 1:-1], (48, 48)),
    "compressed": lambda x: cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 0),
    "darker": lambda x: (x * 0.9).astype(np.uint8),
    "moved": lambda x: cv2.warpAffine(x, np.array([[1, 0, 2], [0, 1, 2]], np.float32), (48, 48), borderMode=1),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("surround", [False, True], ids=["as they are", "black outside an ellipse"])
def test_altered_copies_are_found_and_strangers_stay_apart(surround: bool, shared: Path) -> None:
    faces = open_dataset(shared / "data" / "fer2013" / "fer2013.csv.gz", "fer2013-csv").images
    originals = [masked(faces[row]) if surround else np.asarray(faces[row]) for row in range(ORIGINALS)]
    copies = [change(originals[n * COPIED + i]) for n, change in enumerate(CHANGES.values()) for i in range(COPIED)]

    found = find_duplicates(examine(np.stack([*originals, *copies])))

    for number, name in enumerate(CHANGES):
        rows = np.arange(number * COPIED, (number + 1) * COPIED)
        share = (found.similar[rows] == found.similar[rows + ORIGINALS]).mean()
        assert share >= 0.9, (name, share)
    groups = [rows[rows < ORIGINALS] for rows in members(found.similar)]
    assert max(len(set(found.identical[rows].tolist())) for rows in groups) <= 3
    assert not found.warnings()


def test_a_group_of_different_people_is_warned_of(tmp_path: Path) -> None:
    """Forty copies of one face, each lit differently, are one large group."""
    face = disk.made_up(1).images[0]
    lit = [np.clip(face * (0.7 + 0.01 * i), 0, 255).astype(np.uint8) for i in range(40)]
    others = disk.made_up(60, seed=3)
    images = np.stack([*lit, *others.images])
    names = np.array([f"{i:03}.png" for i in range(100)])
    labels = np.concatenate([np.zeros(40, np.int64), others.labels])
    samples = Samples("test", images, labels, names, np.array([""] * 100))

    found = audit(samples)

    assert found.remarks == (
        "one group of near-duplicates has 40 images (40.0 % of the set); look at it with felicity data inspect "
        "--output, and raise --similarity if it shows different people",
    )
    write_audit_report(found, tmp_path / "page.html", title="set")
    page = (tmp_path / "page.html").read_text()
    assert "one group of near-duplicates has 40 images" in page and "Pairs of near-duplicates" in page
    assert prepare(samples, tmp_path / "out").warnings[0] == found.remarks[0]


def test_a_larger_similarity_keeps_more_apart() -> None:
    faces = disk.made_up(40)
    moved = [CHANGES["moved"](image) for image in faces.images]
    facts = examine(np.stack([*faces.images, *moved]))
    loose, strict = (find_duplicates(facts, similarity=value) for value in (0.8, 0.999))
    assert len(loose.pairs) >= 36 > len(strict.pairs)
    for wrong in (0.4, 1.1, float("nan")):
        with pytest.raises(ConfigError, match=r"similarity must lie in 0.5 to 1, not .*; the default is 0.87"):
            PrepareOptions(similarity=wrong)


def test_a_large_loss_and_missing_classes_are_said(tmp_path: Path) -> None:
    faces = disk.made_up(40, seed=2)
    test = [CHANGES["darker"](image) for image in faces.images[:10]]
    labels = np.concatenate([faces.labels, faces.labels[:10]])
    labels[39] = 7
    folds = np.array(["train"] * 40 + ["test"] * 10)
    names = np.array([f"{i:03}.png" for i in range(50)])
    samples = Samples("test", np.stack([*faces.images, *test]), labels, names, folds)

    warnings = prepare(samples, tmp_path / "out").warnings

    said = r"10 of \d+ training images \(\d+ %\) resemble a held-out image and are in no set; .*--similarity.*--leaky"
    assert any(re.match(said, warning) for warning in warnings)
    assert any(r.startswith("the test set has no image of") and "contempt (1)" in r for r in warnings)


def test_findings_by_file_name(tmp_path: Path) -> None:
    folder = disk.write_folders(disk.made_up(20), tmp_path / "set", folds=False)
    first = next(iter(sorted((folder / "happy").iterdir())))
    (folder / "happy" / "copy.png").write_bytes(first.read_bytes())
    (folder / "sad" / "broken.png").write_bytes(b"no image")
    found = audit(open_dataset(folder))

    rows = write_findings(found, tmp_path / "findings.csv")

    with (tmp_path / "findings.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert len(table) == rows
    copies = {row["name"] for row in table if row["finding"] == "Identical images"}
    assert copies == {"happy/copy.png", f"happy/{first.name}"}
    assert [row["name"] for row in table if row["finding"] == "Unreadable files"] == ["sad/broken.png"]
    assert {f.title for f in audit_findings(found) if f.count} == {row["finding"] for row in table}


def test_a_training_says_what_is_doubtful_about_its_data(tmp_path: Path) -> None:
    faces = disk.made_up(70, seed=2)
    folder = disk.write_folders(faces, tmp_path / "set", folds=True)
    for path in sorted((folder / "train").rglob("*.png"))[::6]:
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        disk.write_png(CHANGES["darker"](image), folder / "test" / path.parent.name / path.name)

    notes = load_training_set(DataConfig(path=str(folder), size=16)).notes

    assert {"left-out", "parts-doubtful"} <= {note.code for note in notes}
    assert any("training images" in str(note) and "--similarity" in str(note) for note in notes)
