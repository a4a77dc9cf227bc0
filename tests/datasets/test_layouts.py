"""Layouts that users bring: what they say is taken as it is, and what cannot be read is named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.datasets import open_dataset, prepare
from felicity.datasets.registry import files_of
from felicity.errors import DatasetError
from tests.support import faces_on_disk as disk


def _affectnet_with_test(folder: Path) -> Path:
    """Forty images in ``train/`` that ``labels.csv`` names, and thirty in ``test/`` that it does not."""
    faces = disk.made_up(70)
    lines = [",pth,label,relFCs"]
    for row, image in enumerate(faces.images):
        name = f"{'train' if row < 40 else 'test'}/{faces.name(row)}/{row:05}.png"
        disk.write_png(image, folder / name)
        if row < 40:
            lines.append(f"{row},{name},{faces.name(row)},0.8")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_test_folder_beside_a_table_stays_the_test_part(tmp_path: Path) -> None:
    samples = open_dataset(_affectnet_with_test(tmp_path / "set"))

    assert len(samples) == 70
    assert sorted(samples.names[samples.folds == "test"]) == [n for n in sorted(samples.names) if "test/" in n]
    assert samples.remarks == ("labels.csv names no image in test/; its 30 images are labelled by their class folders",)

    manifest = prepare(samples, tmp_path / "out")

    assert set(manifest.names[manifest.splits == "test"]) == {n for n in samples.names if n.startswith("test/")}
    assert manifest.remarks == samples.remarks
    assert open_dataset(tmp_path / "out").remarks == manifest.remarks


def test_a_table_in_each_fold_labels_the_images_of_its_own(tmp_path: Path) -> None:
    for fold, rows, wrong in (("train", slice(0, 40), 3), ("test", slice(40, 70), 5)):
        faces = disk.made_up(70)
        part = disk.Faces(faces.images[rows], faces.codes[rows], faces.folds[rows])
        disk.write_affectnet(part, tmp_path / fold, wrong_folder=(wrong,))

    samples = open_dataset(tmp_path)

    assert samples.format == "affectnet" and not samples.left_out and not samples.remarks
    assert [(samples.folds == fold).sum() for fold in ("train", "test")] == [40, 30]
    assert (samples.other_labels["folder"] != samples.labels).sum() == 2


def test_inspecting_says_how_a_test_folder_was_read(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["data", "inspect", str(_affectnet_with_test(tmp_path / "set"))])

    assert done.exit_code == 0 and "labels.csv names no image in test/" in done.output


def test_a_table_with_a_split_column_beside_folders_gives_the_folds(tmp_path: Path) -> None:
    faces = disk.made_up(21)
    folder = disk.write_affectnet(faces, tmp_path)
    table = folder / "labels.csv"
    lines = table.read_text().splitlines()
    folds = ["split", *("test" if row % 3 == 0 else "train" for row in range(21))]
    table.write_text("\n".join(f"{line},{fold}" for line, fold in zip(lines, folds, strict=True)) + "\n")

    samples = open_dataset(folder)

    assert samples.format == "affectnet"
    assert sorted(samples.folds.tolist()) == ["test"] * 7 + ["train"] * 14


def test_a_table_with_other_column_names_is_read_by_them(tmp_path: Path) -> None:
    folder = disk.write_affectnet(disk.made_up(14), tmp_path, wrong_folder=(0, 7))
    table = folder / "labels.csv"
    table.write_text(table.read_text().replace("pth,label", "filename,emotion"))

    samples = open_dataset(folder)

    assert samples.format == "labelled-folders"
    assert (samples.other_labels["folder"] != samples.labels).sum() == 2


def test_a_table_whose_columns_are_not_understood_is_refused(tmp_path: Path) -> None:
    folder = disk.write_affectnet(disk.made_up(14), tmp_path)
    table = folder / "labels.csv"
    table.write_text(table.read_text().replace("pth,label", "where,what"))

    with pytest.raises(DatasetError, match=r"labels.csv has the columns .*where, what.*--format folders"):
        open_dataset(folder)
    assert len(open_dataset(folder, "folders")) == 14


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = disk.write_folders(disk.made_up(14), tmp_path, folds=False)
    scandir: Callable[..., Any] = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("fear"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(DatasetError, match=r"fear: the folder cannot be read \(Permission denied\); make it readable"):
        open_dataset(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    folder = disk.write_folders(disk.made_up(14), tmp_path, folds=False)
    (folder / "fear").chmod(0)
    try:
        with pytest.raises(DatasetError, match="fear: the folder cannot be read"):
            open_dataset(folder)
    finally:
        (folder / "fear").chmod(0o755)


def test_linked_class_folders_are_read(tmp_path: Path) -> None:
    faces = disk.made_up(14)
    disk.write_folders(faces, tmp_path / "elsewhere", folds=False)
    (tmp_path / "set").mkdir()
    for folder in (tmp_path / "elsewhere").iterdir():
        (tmp_path / "set" / folder.name).symlink_to(folder)

    samples = open_dataset(tmp_path / "set")

    assert len(samples) == 14
    assert np.array_equal(np.sort(samples.labels), np.sort(faces.labels))
    assert len(files_of(tmp_path / "set")) == 14, "a change behind a link is a change of the set"


def test_a_folder_that_links_to_itself_is_refused(tmp_path: Path) -> None:
    folder = disk.write_folders(disk.made_up(14), tmp_path / "set", folds=False)
    (folder / "happy" / "again").symlink_to(folder)
    with pytest.raises(DatasetError, match="again: links to a folder that holds it"):
        open_dataset(folder)


def test_a_link_to_nothing_is_an_unreadable_image(tmp_path: Path) -> None:
    folder = disk.write_folders(disk.made_up(14), tmp_path / "set", folds=False)
    (folder / "happy" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    manifest = prepare(open_dataset(folder), tmp_path / "out")
    assert manifest.left_out["that cannot be decoded"] == 1


def test_folders_of_seven_classes_are_not_taken_for_fer2013(tmp_path: Path) -> None:
    faces = disk.made_up(70)
    for row, image in enumerate(faces.images):
        disk.write_png(image, tmp_path / ("train" if row < 50 else "test") / faces.name(row) / f"im{row}.png")
    assert open_dataset(tmp_path).format == "folders"
