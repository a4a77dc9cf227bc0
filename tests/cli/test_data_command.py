"""``felicity data`` as people and programs use it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.datasets import read_manifest
from felicity.errors import ConfigError, DatasetError, FelicityError, ImageError
from tests.support import faces_on_disk as disk
from tests.support.class_folders import write_class_folders


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """A small FER2013 with one pair of identical images across its folds."""
    faces = disk.made_up(30)
    images = faces.images.copy()
    images[8] = images[1]
    return disk.write_csv(disk.Faces(images, faces.codes, faces.folds), tmp_path / "fer2013.csv.gz")


def run(*arguments: object) -> str:
    """Standard output of a command that succeeds; our errors are raised."""
    result = CliRunner().invoke(app, ["data", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_inspect_json_is_the_contract(csv: Path) -> None:
    lines = run("inspect", csv, "--json").splitlines()
    assert len(lines) == 1
    result = json.loads(lines[0])["data"]
    classes = result.pop("classes")
    assert result == {
        "images": 30,
        "unreadable": 0,
        "blank": 0,
        "identical_groups": 1,
        "identical_images": 2,
        "identical_across_splits": 1,
        "identical_conflicting_labels": 0,
        "near_duplicate_groups": 0,
        "near_duplicate_images": 0,
        "left_out": {},
        "suspicious_labels": None,
    }
    assert classes["PublicTest"]["contempt"] == 0
    assert sum(classes["Training"].values()) == 24


def test_inspect_prints_tables_and_writes_report_and_chart(csv: Path, tmp_path: Path) -> None:
    text = run("inspect", csv, "-o", tmp_path / "report.html", "--chart", tmp_path / "chart.png", "-j", 1)
    assert "Identical images across folds" in text
    assert "PublicTest" in text
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert cv2.imread(str(tmp_path / "chart.png")) is not None


def test_prepare_writes_and_tells(csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--classes", "happy,sad", "--size", 32, "--json", "-j", 1)
    result = json.loads(run("prepare", csv, "-o", out, *options))["data"]
    assert result["images"] == 8
    assert result["classes"] == ["happy", "sad"]
    assert result["leaky"] is False
    assert result["size"] == 32
    assert sum(sum(row.values()) for row in result["splits"].values()) == 8
    assert sum(result["left_out"].values()) == 22
    assert read_manifest(out).classes == ("happy", "sad")


def test_leaky_is_said_in_the_result(csv: Path, tmp_path: Path) -> None:
    result = json.loads(run("prepare", csv, "-o", tmp_path / "out", "--leaky", "--json"))["data"]
    assert result["leaky"] is True
    assert "left out" not in result["splits"]


@pytest.mark.shared_data
def test_prepare_crops_the_faces_of_photographs(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    for expression in ("neutral", "happy"):
        (folder / expression).mkdir(parents=True)
        for photograph in sorted((shared / "data" / "faces").glob(f"*_{expression}.jpg"))[:3]:
            (folder / expression / photograph.name).write_bytes(photograph.read_bytes())
    disk.write_png(np.full((200, 200), 128, np.uint8), folder / "happy" / "nobody.png")

    options = ("--detect-faces", "--detector", "hog", "--size", "64", "--colour", "rgb", "--json", "-j", "1")
    result = json.loads(run("prepare", folder, "-o", tmp_path / "out", *options))["data"]

    assert result["images"] == 6
    assert result["left_out"] == {"in which no face was found": 1}
    images = np.load(tmp_path / "out" / "images.npy")
    assert images.shape == (6, 64, 64, 3)
    # A face fills its crop: skin in the middle, where the whole photograph would show it too, and at the sides.
    assert images[:, 20:44, 20:44].std(axis=(1, 2, 3)).min() > 10


def test_a_bundle_cannot_judge_prepared_classes_of_ones_own(csv: Path, tmp_path: Path) -> None:
    pytest.importorskip("cleanlab")
    (tmp_path / "own.toml").write_text('[classes]\nhappy = ["happy"]\nunhappy = ["sad", "anger"]\n')
    run("prepare", csv, "-o", tmp_path / "own", "--classes", tmp_path / "own.toml", "-j", 1)
    with pytest.raises(DatasetError, match=r"and the bundle knows .*, not unhappy; leave --bundle out"):
        run("inspect", tmp_path / "own", "--bundle", "fast")
    judged = json.loads(run("inspect", csv, "--classes", tmp_path / "own.toml", "--bundle", "fast", "--json"))["data"]
    assert set(judged["classes"]["Training"]) == {"happy", "unhappy"} and judged["suspicious_labels"] >= 0


def test_a_class_of_one_image_is_said_to_be_missing_in_the_test_set(tmp_path: Path) -> None:
    faces = write_class_folders(tmp_path / "faces", {"happy": 9, "sad": 9, "fear": 1})
    answer = json.loads(run("prepare", faces, "-o", tmp_path / "out", "-j", 1, "--json"))
    assert answer["data"]["splits"]["test"]["fear"] == 0
    said = [note["text"] for note in answer["notes"] if note["code"] == "parts-doubtful"]
    assert any(text.startswith("the test set has no image of fear (1): the data") for text in said), answer


def test_augment_draws_a_sheet(csv: Path, tmp_path: Path) -> None:
    run("augment", csv, "-o", tmp_path / "sheet.png", "-n", 3, "--variants", 4)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape == (16 * 2 + 3 * 100 - 4, 16 * 3 + 5 * 100 - 4, 3)
    assert sheet.std() > 20
    run("augment", csv, "-o", tmp_path / "mild.png", "-n", 3, "--variants", 4, "--augment", "mild")
    assert not np.array_equal(cv2.imread(str(tmp_path / "mild.png")), sheet)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("inspect", "nowhere"), DatasetError, "nowhere: no such file or folder"),
        (("inspect", "{csv}", "-o", "{tmp}/no/report.html"), ConfigError, "there is no folder"),
        (("inspect", "{csv}", "-o", "{tmp}"), ConfigError, "is a folder; name a file in it"),
        (
            ("inspect", "{csv}", "-o", "{csv}"),
            ConfigError,
            "a page is written as .html, .htm; give a name with such an ending",
        ),
        (("inspect", "{csv}", "--chart", "{csv}"), ConfigError, "a chart is written as .png"),
        (("inspect", "{csv}", "--format", "x"), DatasetError, "format 'x' is not known"),
        (("prepare", "{csv}", "-o", "{tmp}"), DatasetError, "is there already"),
        (("prepare", "{csv}", "-o", "{tmp}/out", "--size", "4"), ConfigError, "size must be 8 to 1024 pixels, not 4"),
        (("prepare", "{csv}", "-o", "{tmp}/out", "--test-share", "1.5"), ConfigError, "must lie in 0 to below 1"),
        (("prepare", "{csv}", "-o", "{tmp}/out", "--detect-faces", "-d", "nose"), FelicityError, "nose"),
        (
            ("prepare", "{csv}", "-o", "{tmp}/out", "-d", "hog"),
            ConfigError,
            "is for --detect-faces, which is not given",
        ),
        (("augment", "{csv}", "-o", "{tmp}/no/sheet.png"), ConfigError, "there is no folder"),
        (("augment", "{csv}", "-o", "{tmp}/sheet.txt"), ImageError, "cannot be written as .txt; use .jpg or .png"),
        (("augment", "{csv}", "-o", "{tmp}/sheet"), ImageError, "as a file without an ending"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(
    arguments: tuple[str, ...], error: type[FelicityError], message: str, csv: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(error, match=message) as caught:
        run(*(argument.format(csv=csv, tmp=tmp_path) for argument in arguments))
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_no_output_of_an_inspection_takes_the_place_of_the_data(tmp_path: Path) -> None:
    folder = disk.write_affectnet(disk.made_up(14), tmp_path / "set")
    image = next(iter(sorted((folder / "happy").iterdir())))
    link = tmp_path / "link.csv"
    link.symlink_to(folder / "labels.csv")
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    for words in (("--table", folder / "labels.csv"), ("--table", link), ("--chart", image)):
        with pytest.raises(ConfigError, match=r"belongs to the data set .*; choose another file to write"):
            run("inspect", folder, *words, "-j", 1)
    table = disk.write_csv(disk.made_up(14), tmp_path / "fer2013.csv")
    with pytest.raises(ConfigError, match="is read by this command, and would be replaced"):
        run("inspect", table, "--table", table, "-j", 1)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    run("inspect", folder, "--table", folder / "findings.csv", "-j", 1)
    assert (folder / "findings.csv").is_file()
