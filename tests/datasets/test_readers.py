"""The same faces in every layout give the same arrays and labels."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from felicity.datasets import PrepareOptions, Samples, VoteRule, open_dataset, prepare
from felicity.datasets.registry import known_readers
from felicity.errors import DatasetError
from felicity.labels import EXPRESSIONS, FERPLUS, INDEX
from tests.support import faces_on_disk as disk
from tests.support.command import felicity

Writer = Callable[[disk.Faces, Path], Path]
ROW_OF: dict[str, Callable[[str], int]] = {
    "#": lambda name: int(name.split("#")[1]) - 1,
    "S": lambda name: int(name[-6:-4]),
    "": lambda name: int("".join(c for c in name.rsplit("/", 1)[-1] if c.isdigit())),
}


def _csv(name: str) -> Writer:
    return lambda faces, folder: disk.write_csv(faces, folder / name)


def _zipped_folders(faces: disk.Faces, folder: Path) -> Path:
    disk.write_folders(faces, folder / "unpacked", folds=True)
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        for file in (folder / "unpacked").rglob("*.png"):
            archive.write(file, Path("archive", file.relative_to(folder / "unpacked")))
        archive.writestr("__MACOSX/._happy", b"junk")
    return folder / "archive.zip"


def _rafdb(faces: disk.Faces, folder: Path) -> Path:
    codes = dict(zip(("surprise", "fear", "disgust", "happy", "sad", "anger", "neutral"), range(1, 8), strict=True))
    for row, image in enumerate(faces.images):
        part = "train" if faces.folds[row] == "Training" else "test"
        disk.write_png(image, folder / "DATASET" / part / str(codes[faces.name(row)]) / f"{part}_{row:05}_aligned.png")
    return folder


def _rafdb_list(faces: disk.Faces, folder: Path) -> Path:
    codes = dict(zip(("surprise", "fear", "disgust", "happy", "sad", "anger", "neutral"), range(1, 8), strict=True))
    lines = []
    for row, image in enumerate(faces.images):
        part = "train" if faces.folds[row] == "Training" else "test"
        disk.write_png(image, folder / "Image" / "aligned" / f"{part}_{row:05}_aligned.png")
        lines.append(f"{part}_{row:05}.jpg {codes[faces.name(row)]}\n")
    (folder / "EmoLabel").mkdir()
    (folder / "EmoLabel" / "list_patition_label.txt").write_text("".join(lines))
    return folder


def _ckplus(faces: disk.Faces, folder: Path) -> Path:
    for row, image in enumerate(faces.images):
        disk.write_png(image, folder / faces.name(row) / f"S{row // 6:03}_001_000000{row:02}.png")
    return folder


def _prepared(faces: disk.Faces, folder: Path) -> Path:
    samples = open_dataset(disk.write_csv(faces, folder / "fer2013.csv"))
    prepare(samples, folder / "prepared", PrepareOptions())
    return folder / "prepared"


def _tar_of_a_folder(faces: disk.Faces, folder: Path) -> Path:
    """As ``tar czf set.tgz .`` makes it, which calls its members ``./fer2013.csv`` and so on."""
    (folder / "set").mkdir()
    disk.write_csv(faces, folder / "set" / "fer2013.csv")
    with tarfile.open(folder / "set.tgz", "w:gz") as archive:
        archive.add(folder / "set", arcname=".")
    return folder / "set.tgz"


def _label_table(faces: disk.Faces, folder: Path) -> Path:
    lines = ["Label,Path"]
    for row, image in enumerate(faces.images):
        name = f"{row:05d}.png"
        cv2.imwrite(str(folder / name), image)
        lines.append(f"{faces.name(row)},./{name}")
    (folder / "ours.csv").write_text("\n".join(lines) + "\n")
    return folder / "ours.csv"


def _labelled_folders(faces: disk.Faces, folder: Path) -> Path:
    disk.write_affectnet(faces, folder, wrong_folder=(3, 9))
    table = folder / "labels.csv"
    table.write_text(table.read_text().replace(",pth,label,relFCs", "number,filename,emotion,sure"))
    return folder


LAYOUTS: dict[str, tuple[str, Writer]] = {
    "csv": ("fer2013-csv", _csv("fer2013.csv")),
    "csv.gz": ("fer2013-csv", _csv("fer2013.csv.gz")),
    "csv.zst": ("fer2013-csv", _csv("fer2013.csv.zst")),
    "any other name": ("fer2013-csv", _csv("faces.csv")),
    "icml": ("fer2013-csv", _csv("icml_face_data.csv")),
    "icml gz": ("fer2013-csv", _csv("icml_face_data.csv.gz")),
    "zip": ("fer2013-csv", _csv("kaggle.zip")),
    "tar": ("fer2013-csv", _csv("fer2013.tar")),
    "tar.gz": ("fer2013-csv", _csv("fer2013.tar.gz")),
    "tar of a folder": ("fer2013-csv", _tar_of_a_folder),
    "class folders": ("folders", lambda faces, folder: disk.write_folders(faces, folder, folds=False)),
    "fer2013 folders": ("fer2013-folders", lambda faces, folder: disk.write_folders(faces, folder, folds=True)),
    "zipped folders": ("fer2013-folders", _zipped_folders),
    "affectnet": ("affectnet", lambda faces, folder: disk.write_affectnet(faces, folder, wrong_folder=(3, 9, 20))),
    "ck+48": ("ck+48", _ckplus),
    "raf-db": ("raf-db", _rafdb),
    "raf-db as published": ("raf-db", _rafdb_list),
    "prepared": ("prepared", _prepared),
    "label table": ("label-table", _label_table),
    "labelled folders": ("labelled-folders", _labelled_folders),
}


def in_order(samples: Samples) -> Samples:
    """The samples by the number of the row that each was written from."""
    names = samples.names.tolist()
    kind = "#" if "#" in names[0] else "S" if samples.format == "ck+48" else ""
    return samples.take(np.argsort([ROW_OF[kind](name) for name in names]))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_arrays_and_labels(layout: str, tmp_path: Path) -> None:
    faces = disk.made_up()
    format, write = LAYOUTS[layout]

    samples = open_dataset(write(faces, tmp_path))

    assert samples.format == format
    ordered = in_order(samples)
    np.testing.assert_array_equal(ordered.array(), faces.images)
    np.testing.assert_array_equal(ordered.labels, faces.labels)


@pytest.mark.parametrize("column", ["split", "Fold", "usage"])
def test_a_label_table_says_the_folds_and_who_is_shown(column: str, tmp_path: Path) -> None:
    faces = disk.made_up()
    lines = [f"path,label,{column},subject"]
    for row, image in enumerate(faces.images):
        file = tmp_path / "elsewhere" / f"{row:05d}.png"
        disk.write_png(image, file)
        path = f"../elsewhere/{file.name}" if row % 2 else file.resolve()
        lines.append(f"{path},{faces.name(row)},{faces.folds[row]},{f'person {row // 2}' if row < 20 else ''}")
    lines.append("00000.png,happy,Training,")
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "ours.csv").write_text("\n".join(lines))
    for command in (["inspect"], ["prepare", "-o", tmp_path / "copied"]):
        done = felicity("data", command[0], tmp_path / "table" / "ours.csv", *command[1:], home=tmp_path, expect=1)
        assert "line 2: " in done.stderr and "not below the table's folder" in done.stderr
    samples = open_dataset(tmp_path / "table" / "ours.csv", outside=True)
    np.testing.assert_array_equal(samples.array(), faces.images)
    assert samples.folds.tolist() == list(faces.folds)
    assert samples.names[0] == "../elsewhere/00000.png", "as free of the machine's folders as the others"
    assert samples.left_out == {"named in ours.csv, but missing (paths count from its folder)": 1}
    assert samples.subjects is not None and len(set(samples.subjects.tolist())) == 10 + len(faces.images) - 20
    parts = prepare(samples, tmp_path / "ready").splits
    assert set(parts[np.array(faces.folds) == "PublicTest"]) == {"test"}, "no test image is trained on"


def test_every_reader_is_covered() -> None:
    assert {format for format, _ in LAYOUTS.values()} | {"ferplus", "crema-d"} == set(known_readers())


@pytest.mark.shared_data
def test_real_faces_through_the_main_layouts(fer2013: Samples, tmp_path: Path) -> None:
    samples = fer2013
    rows = np.random.default_rng(5).choice(len(samples), 300, replace=False)
    back = {label: code for code, label in enumerate(disk.Faces(np.empty(0), np.arange(7), ()).labels.tolist())}
    some = samples.take(rows)
    codes = np.array([back[label] for label in some.labels.tolist()])
    faces = disk.Faces(np.asarray(some.images), codes, some.folds.tolist())
    wrong = np.random.default_rng(6).choice(300, 40, replace=False).tolist()

    layouts = {
        "csv": disk.write_csv(faces, tmp_path / "fer2013.csv"),
        "icml": disk.write_csv(faces, tmp_path / "icml_face_data.csv"),
        "folders": disk.write_folders(faces, tmp_path / "folders", folds=True),
        "affectnet": disk.write_affectnet(faces, tmp_path / "affectnet", wrong_folder=wrong),
    }

    for path in layouts.values():
        ordered = in_order(open_dataset(path))
        np.testing.assert_array_equal(ordered.array(), faces.images)
        np.testing.assert_array_equal(ordered.labels, some.labels)
    said_by_folder = open_dataset(layouts["affectnet"])
    assert (said_by_folder.other_labels["folder"] != said_by_folder.labels).sum() == len(wrong)


def test_folds_come_from_the_data_set(tmp_path: Path) -> None:
    faces = disk.made_up()
    assert open_dataset(disk.write_csv(faces, tmp_path / "fer2013.csv")).folds.tolist() == list(faces.folds)
    folders = open_dataset(disk.write_folders(faces, tmp_path / "folders", folds=True))
    assert set(folders.folds.tolist()) == {"train", "test"}
    assert sum(folders.counts()["train"].values()) == faces.folds.count("Training")


def test_of_a_face_that_raf_db_has_twice_the_aligned_picture_is_taken(tmp_path: Path) -> None:
    faces = disk.made_up(14)
    _rafdb_list(faces, tmp_path)
    aligned = open_dataset(tmp_path).names.tolist()
    for name in aligned:
        original = name.rsplit("/", 1)[-1].replace("_aligned", "")
        disk.write_png(np.zeros((90, 60), np.uint8), tmp_path / "Image" / "original" / original)
    alone = aligned[0].rsplit("/", 1)[-1].replace("_aligned", "")
    (tmp_path / aligned[0]).unlink()
    samples = open_dataset(tmp_path)
    assert sorted(samples.names.tolist()) == sorted([*aligned[1:], f"Image/original/{alone}"])
    assert samples.left_out == {"originals of faces that are also there aligned": 13}


def test_ck_plus_knows_its_subjects(tmp_path: Path) -> None:
    samples = open_dataset(_ckplus(disk.made_up(12), tmp_path))
    assert samples.subjects is not None
    assert set(samples.subjects.tolist()) == {"S000", "S001"}


def test_pictures_of_crema_d_tell_actor_and_expression_by_their_names(tmp_path: Path) -> None:
    faces, folder = disk.made_up(6), tmp_path / "frames"
    names = [
        "1001_DFA_ANG_XX.png", "1001_IEO_HAP_HI_012.png", "1002_IWW_NEU_XX.jpg", "1002_MTI_SAD_LO.png",
        "1003_TSI_FEA_MD.png", "1040_ITH_DIS_X.png",
    ]  # fmt: skip
    for image, name in zip(faces.images, names, strict=True):
        disk.write_png(image, folder / name)
    disk.write_png(faces.images[0], folder / "cover.png")
    disk.write_demographics(tmp_path)
    samples = open_dataset(tmp_path)
    assert samples.format == "crema-d" and samples.names.tolist() == [f"frames/{name}" for name in names]
    expressions = [str(EXPRESSIONS[label]) for label in samples.labels]
    assert expressions == ["anger", "happy", "neutral", "sad", "fear", "disgust"]
    assert samples.subjects is not None
    assert samples.subjects.tolist() == ["1001", "1001", "1002", "1002", "1003", "1040"]
    assert samples.left_out == {"images whose names tell no expression": 1}


def test_clips_of_crema_d_alone_are_refused_with_a_command_that_takes_pictures(tmp_path: Path) -> None:
    disk.write_demographics(tmp_path)
    (tmp_path / "VideoFlash").mkdir()
    (tmp_path / "VideoFlash" / "1001_DFA_ANG_XX.flv").write_bytes(b"FLV")
    with pytest.raises(DatasetError, match=r"1 clips of CREMA-D and no picture; .*VideoFlash/1001_DFA_ANG_XX\.flv"):
        open_dataset(tmp_path)


def test_ferplus_gives_soft_labels_and_what_fer2013_says(tmp_path: Path) -> None:
    faces = disk.made_up(4)
    votes = np.zeros((4, 10), dtype=np.int64)
    votes[0, FERPLUS.index(EXPRESSIONS[1])] = 10  # happy
    votes[1, [0, 3]] = 6, 4  # neutral, sadness
    votes[2, 9] = 10  # no face
    votes[3, [0, 3]] = 5, 5  # a tie
    disk.write_csv(faces, tmp_path / "fer2013.csv.gz")
    path = disk.write_ferplus(votes, faces.folds, tmp_path / "fer2013new.csv")

    for named in (path, tmp_path):
        samples = open_dataset(named)
        assert samples.format == "ferplus"
        assert samples.labels.tolist() == [1, 0, -1]
        assert samples.soft_labels is not None
        np.testing.assert_allclose(samples.soft_labels[1], [0.6, 0, 0.4, 0, 0, 0, 0, 0], atol=1e-6)
        assert samples.other_labels["FER2013"].tolist() == faces.labels[[0, 1, 3]].tolist()
        assert samples.left_out == {"on which the votes agree too little": 1}
    strict = open_dataset(tmp_path, votes=VoteRule("majority"))
    assert strict.labels.tolist() == [1, 0]
    by_name = open_dataset(tmp_path / "fer2013.csv.gz", "ferplus")
    assert by_name.labels.tolist() == [1, 0, -1]
    plain = open_dataset(tmp_path / "fer2013.csv.gz")
    assert plain.format == "fer2013-csv"
    assert plain.other_labels["FER+"].tolist() == [1, 0, -1, -1]


def test_classes_are_chosen_and_what_is_dropped_is_counted(tmp_path: Path) -> None:
    path = disk.write_csv(disk.made_up(), tmp_path / "fer2013.csv")

    two = open_dataset(path, classes="happy,sad")

    assert two.classes == ("happy", "sad")
    assert len(two) == 20
    assert sum(two.left_out.values()) == 50
    assert open_dataset(path, classes="7").classes == tuple(str(e) for e in EXPRESSIONS if e != "contempt")
    assert len(open_dataset(path, classes="8").classes) == 8


def test_classes_from_a_file_merge_and_rename(tmp_path: Path) -> None:
    faces = disk.made_up()
    disk.write_folders(faces, tmp_path / "faces", folds=False)
    (tmp_path / "faces" / "happy").rename(tmp_path / "faces" / "big smile")
    (tmp_path / "faces" / "disgust").rename(tmp_path / "faces" / "odd")
    mapping = tmp_path / "mine.toml"
    mapping.write_text(
        '[classes]\nhappy = ["happy"]\nunhappy = ["sad", "anger", "fear"]\n'
        '[names]\n"big smile" = "happy"\nodd = "none"\n'
    )

    samples = open_dataset(tmp_path / "faces", classes=str(mapping))

    assert samples.classes == ("happy", "unhappy")
    assert np.bincount(samples.labels).tolist() == [10, 30]
    assert samples.left_out["in folder 'odd', which means no expression"] == 10


def test_folders_with_names_of_ones_own_are_recognised_by_what_these_mean(tmp_path: Path) -> None:
    faces = disk.made_up(14)
    for row, image in enumerate(faces.images):
        disk.write_png(image, tmp_path / "faces" / f"Mood {faces.codes[row]}" / f"{row}.png")
    mapping = tmp_path / "mine.toml"
    mapping.write_text("[names]\n" + "".join(f'"mood {code}" = "{faces.name(code)}"\n' for code in range(7)))
    samples = open_dataset(tmp_path / "faces", classes=str(mapping))
    assert samples.format == "folders" and len(samples) == 14 and len(samples.classes) == 8
    with pytest.raises(DatasetError, match="is not one of the formats"):
        open_dataset(tmp_path / "faces")


def test_soft_labels_follow_the_classes(tmp_path: Path) -> None:
    faces = disk.made_up(2)
    votes = np.zeros((2, 10), dtype=np.int64)
    votes[0, [1, 3, 0]] = 4, 2, 4  # happiness, sadness, neutral
    votes[1, 0] = 10
    disk.write_csv(faces, tmp_path / "fer2013.csv")
    disk.write_ferplus(votes, faces.folds, tmp_path / "fer2013new.csv")

    samples = open_dataset(tmp_path, classes="happy,sad")

    assert samples.soft_labels is not None
    np.testing.assert_allclose(samples.soft_labels, [[2 / 3, 1 / 3]], atol=1e-6)
    assert samples.left_out == {"labelled neutral, not a class asked for": 1}


def test_a_format_that_is_not_known_is_named(tmp_path: Path) -> None:
    path = disk.write_csv(disk.made_up(7), tmp_path / "fer2013.csv")
    with pytest.raises(DatasetError, match=r"format 'fer' is not known; there are affectnet, ck\+48"):
        open_dataset(path, "fer")


def test_the_index_of_a_label_is_that_of_the_expression(tmp_path: Path) -> None:
    samples = open_dataset(disk.write_csv(disk.made_up(7), tmp_path / "fer2013.csv"))
    assert samples.labels[3] == INDEX[EXPRESSIONS[1]]
