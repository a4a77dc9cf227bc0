"""The audit finds what was planted, what brute force finds in FER2013, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from felicity.datasets import Audit, Samples, audit, open_dataset, prepare
from felicity.datasets.auditing import judge_by
from felicity.datasets.charts import draw_audit
from felicity.datasets.classes import EIGHT
from felicity.datasets.duplicates import find_duplicates, members
from felicity.datasets.facts import examine, pixel_digest
from felicity.datasets.findings import audit_findings
from felicity.datasets.report import write_audit_report
from felicity.errors import ConfigError, DatasetError
from felicity.style.charts import to_png
from tests.support import faces_on_disk as disk

Image = npt.NDArray[np.uint8]
CONTRACT = {
    "images",
    "unreadable",
    "blank",
    "identical_groups",
    "identical_images",
    "identical_across_splits",
    "identical_conflicting_labels",
    "near_duplicate_groups",
    "near_duplicate_images",
    "left_out",
    "suspicious_labels",
    "classes",
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders with two blank, two unreadable, three groups of equal images and one near-duplicate."""
    faces = disk.made_up(70)
    folder = disk.write_folders(faces, tmp_path_factory.mktemp("planted"), folds=True)
    images = faces.images
    disk.write_png(np.full((48, 48), 200, np.uint8), folder / "train" / "sad" / "blank.png")
    disk.write_png(np.random.default_rng(1).integers(98, 103, (48, 48), dtype=np.uint8), folder / "train/sad/dull.png")
    (folder / "train" / "sad" / "empty.jpg").write_bytes(b"")
    whole = cv2.imencode(".jpg", images[0])[1].tobytes()
    (folder / "test" / "sad" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    disk.write_png(images[0], folder / "train" / faces.name(0) / "copy.png")
    disk.write_png(images[1], folder / "test" / faces.name(1) / "copy.png")
    disk.write_png(np.repeat(images[2][..., None], 3, axis=2), folder / "train" / "happy" / "copy.png")
    disk.write_png(images[2], folder / "test" / "happy" / "copy.png")
    lighter = np.clip(images[5].astype(int) + 12, 0, 255).astype(np.uint8)
    disk.write_png(cv2.resize(lighter, (96, 96)), folder / "test" / faces.name(5) / "larger.png")
    return folder


@pytest.fixture(scope="module")
def found(planted: Path) -> Audit:
    """Its audit."""
    return audit(open_dataset(planted))


def test_what_was_planted_is_found(found: Audit) -> None:
    result = found.counts()
    assert set(result) == CONTRACT
    classes = result.pop("classes")
    assert result == {
        "images": 79,
        "unreadable": 2,
        "blank": 2,
        "identical_groups": 3,
        "identical_images": 7,
        "identical_across_splits": 2,
        "identical_conflicting_labels": 1,
        "near_duplicate_groups": 1,
        "near_duplicate_images": 2,
        "suspicious_labels": None,
        "left_out": {},
    }
    assert set(classes) == {"train", "test"}
    assert sum(sum(row.values()) for row in classes.values()) == 79
    assert set(classes["train"]) == {*found.samples.classes}
    assert found.held_out == 18
    assert sorted(found.samples.names[found.seen_in_training].tolist()) == [
        "test/disgust/copy.png",
        "test/happy/copy.png",
        "test/surprise/larger.png",
    ]
    errors = found.facts.error[found.unreadable].tolist()
    assert any("cut.jpg" in error for error in errors)
    assert any("empty.jpg" in error for error in errors)
    assert found.sizes() == [("48x48 gray", 76), ("96x96 gray", 1)]


def test_several_processes_find_the_same(planted: Path) -> None:
    samples = open_dataset(planted)
    many = samples.take(np.tile(np.arange(len(samples)), 14))
    one, two = examine(many.images), examine(many.images, workers=2)
    for name in ("digest", "look", "blank", "error", "height"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_inspecting_changes_nothing(planted: Path) -> None:
    before = {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in planted.rglob("*")}
    audit(open_dataset(planted))
    assert {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in planted.rglob("*")} == before


def test_what_prepared_data_leave_out_leaks_nowhere(planted: Path, tmp_path: Path) -> None:
    prepare(open_dataset(planted), tmp_path / "out")
    result = audit(open_dataset(tmp_path / "out"))
    assert "left out" in result.samples.folds
    assert result.counts()["identical_across_splits"] == len(result.near_across_folds) == 0
    assert len(result.seen_in_training) == 0


def test_an_unreadable_image_that_folder_and_csv_call_differently_is_only_unreadable(tmp_path: Path) -> None:
    disk.write_affectnet(disk.made_up(35), tmp_path / "faces", wrong_folder=(0, 7))
    next((tmp_path / "faces").rglob("image00007.png")).write_bytes(b"damaged")
    found = audit(open_dataset(tmp_path / "faces"))
    assert found.disagreements["folder"].rows.tolist() == [found.samples.names.tolist().index("disgust/image00000.png")]
    assert found.disagreements["folder"].compared == 34 and len(found.unreadable) == 1
    write_audit_report(found, tmp_path / "report.html", title="faces")
    assert (tmp_path / "report.html").is_file()


def test_disagreements_between_folder_and_csv_are_counted(tmp_path: Path) -> None:
    disk.write_affectnet(disk.made_up(70), tmp_path, wrong_folder=(0, 7, 30))
    found = audit(open_dataset(tmp_path)).disagreements["folder"]
    assert len(found.rows) == 3
    assert found.compared == 70
    assert found.counts.sum() == 70
    assert found.counts.trace() == 67


@pytest.mark.shared_data
def test_fer2013_duplicates_are_those_of_brute_force(fer2013: Samples) -> None:
    samples = fer2013
    groups = defaultdict(list)
    for row, image in enumerate(samples.images):
        groups[image.tobytes()].append(row)
    several = [rows for rows in groups.values() if len(rows) > 1]

    # The audit without its looks, which the benchmark times on all images.
    keys = np.array([np.frombuffer(pixel_digest(image), np.uint8) for image in samples.images])
    facts = examine(samples.images[:1])
    n = len(samples)
    everything = type(facts)(
        digest=keys,
        look=np.zeros((n, 1024), np.int8),
        blank=np.ones(n, np.bool_),
        gray=np.ones(n, np.bool_),
        height=np.full(n, 48),
        width=np.full(n, 48),
        error=np.full(n, ""),
    )
    found = members(find_duplicates(everything).identical)

    assert [rows.tolist() for rows in found] == sorted(several)
    assert len(several) == 1273
    assert sum(map(len, several)) == 2795


@pytest.mark.shared_data
def test_fer2013_duplicates_across_folds_and_labels(fer2013: Samples) -> None:
    samples = fer2013
    by_content = defaultdict(list)
    for row, image in enumerate(samples.images):
        by_content[image.tobytes()].append(row)
    # All groups of identical images and as many single images; one label is changed, as this selection has no conflict.
    alike = [rows for rows in by_content.values() if len(rows) > 1][:300]
    single = [rows[0] for rows in by_content.values() if len(rows) == 1][:300]
    rows = np.array(sorted([*single, *(row for group in alike for row in group)]))
    labels = samples.labels.copy()
    labels[alike[0][0]] = (labels[alike[0][0]] + 1) % 7
    some = Samples("test", samples.images[rows], labels[rows], samples.names[rows], samples.folds[rows])

    result = audit(some).counts()

    assert result["identical_groups"] == 300
    assert result["identical_images"] == sum(map(len, alike))
    assert result["identical_across_splits"] == sum(len(set(samples.folds[group].tolist())) > 1 for group in alike)
    assert result["identical_conflicting_labels"] == sum(len(set(labels[group].tolist())) > 1 for group in alike) == 1
    assert result["unreadable"] == result["blank"] == 0


@pytest.mark.shared_data
def test_near_duplicates_are_altered_copies_and_not_other_people(fer2013: Samples) -> None:
    """Of 200 people's faces nearly all altered copies are found, and nobody is taken for another."""
    originals = np.asarray(fer2013.images[:200])
    changes: dict[str, tuple[float, Callable[[Image], Any]]] = {
        "brighter": (0.98, lambda x: np.clip(x.astype(int) + 20, 0, 255).astype(np.uint8)),
        "compressed": (0.98, lambda x: cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 0)),
        "resampled": (0.98, lambda x: cv2.resize(cv2.resize(x, (30, 30), interpolation=cv2.INTER_AREA), (48, 48))),
        "cut": (0.9, lambda x: cv2.resize(x[1:-1, 1:-1], (48, 48))),
    }
    for name, (share, change) in changes.items():
        both = np.concatenate([originals, np.stack([change(image) for image in originals])])
        pairs = {tuple(pair) for pair in find_duplicates(examine(both)).pairs.tolist()}
        found = sum((row, row + 200) in pairs for row in range(200))
        assert found >= share * 200, (name, found)
        assert not {(a, b) for a, b in pairs if a < 200 and b < 200}, name


def test_blank_images_are_no_near_duplicates(tmp_path: Path) -> None:
    faces = disk.made_up(14)
    disk.write_folders(faces, tmp_path, folds=False)
    for shade in range(0, 250, 25):
        disk.write_png(np.full((48, 48), shade, np.uint8), tmp_path / "sad" / f"blank{shade}.png")
    result = audit(open_dataset(tmp_path)).counts()
    assert result["blank"] == 10
    assert result["near_duplicate_groups"] == result["identical_groups"] == 0


def test_a_judge_answers_in_the_order_of_the_datas_classes() -> None:
    images = disk.made_up(4).images
    samples = Samples("test", images, np.arange(4) % 2, np.array([*"abcd"]), np.full(4, ""), classes=("sad", "happy"))

    def probabilities(crops: Image) -> npt.NDArray[np.float64]:
        return np.tile(np.arange(8) / 28, (len(crops), 1))

    judge = judge_by(probabilities, 48, "gray", EIGHT, samples.classes)
    sad, happy = (list(EIGHT.classes).index(name) / 28 for name in samples.classes)
    np.testing.assert_allclose(judge(samples, np.arange(4)), [[sad, happy]] * 4, rtol=1e-6)
    with pytest.raises(DatasetError, match="not glum"):
        judge_by(probabilities, 48, "gray", EIGHT, ("happy", "glum"))


def test_suspicious_labels_are_those_a_sure_classifier_contradicts() -> None:
    pytest.importorskip("cleanlab")
    faces = disk.made_up(140)
    labels = faces.labels.copy()
    wrong = [3, 50, 99]
    labels[wrong] = (labels[wrong] + 1) % 7
    samples = Samples("test", faces.images, labels, np.array([str(i) for i in range(140)]), np.full(140, ""))
    truth = faces.labels

    def judge(some: Samples, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        probabilities = np.full((len(rows), 8), 0.01)
        probabilities[np.arange(len(rows)), truth[rows]] = 0.93
        return probabilities

    found = audit(samples, judge=judge)

    assert found.suspicious is not None
    assert sorted(found.suspicious.tolist()) == wrong
    assert found.counts()["suspicious_labels"] == 3
    assert any(f.title == "Suspicious labels" and f.count == 3 for f in audit_findings(found))


def test_the_report_is_one_file_that_shows_the_findings(found: Audit, tmp_path: Path) -> None:
    write_audit_report(found, tmp_path / "report.html", title="planted <set>")

    page = (tmp_path / "report.html").read_text()
    assert "planted &lt;set&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("data:image/png;base64,") > 10
    for finding in audit_findings(found):
        assert finding.title in page
    assert "cut.jpg" in page
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]


def test_a_report_that_cannot_be_written_leaves_nothing(found: Audit, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere/report.html: cannot be written .*; choose another place"):
        write_audit_report(found, tmp_path / "nowhere" / "report.html", title="x")
    assert list(tmp_path.iterdir()) == []


def test_the_chart_is_the_same_every_time(found: Audit) -> None:
    chart = to_png(draw_audit(found, title="planted"))
    assert chart == to_png(draw_audit(found, title="planted"))
    picture = cv2.imdecode(np.frombuffer(chart, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] > 1000
    assert picture.std() > 10
