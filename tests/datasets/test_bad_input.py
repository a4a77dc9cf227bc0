"""What is wrong with a file is said in one sentence that names it; what can be passed over is counted."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from felicity.datasets import audit, open_dataset, prepare
from felicity.datasets import streams as bounds
from felicity.datasets.pixel_rows import PIXELS, read_pixel_rows
from felicity.errors import DatasetError, FelicityError
from felicity.training.config import DataConfig
from felicity.training.data import open_prepared
from tests.support import faces_on_disk as disk

ROW = " ".join(["7"] * PIXELS)
HEADER = "emotion,pixels,Usage\n"


def _csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "fer2013.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + f"3,{ROW},Training\n3,{ROW} 7,Training\n", r"line 3 has 2305 pixels, but a face of 48x48 has 2304"),
        (HEADER + f"3,{ROW},Training\n3,{ROW[:-2]},Training\n", r"line 3 has 2303 pixels"),
        (HEADER + f"3,{ROW[:-1]}256,Training\n", r"line 2 has the pixel value '256', not a number from 0 to 255"),
        (HEADER + f"3,{ROW[:-1]}2255,Training\n", r"line 2 has the pixel value '2255'"),
        (HEADER + f"3,{ROW[:-1]}0000000001234,Training\n", r"line 2 has the pixel value '0000000001234'"),
        (HEADER + f"3,{ROW[:-1]}-1,Training\n", r"line 2 has the pixel value '-1'"),
        (HEADER + f"3,{ROW[:-1]}7.5,Training\n", r"line 2 has the pixel value '7.5'"),
        (HEADER + f"3,{ROW}\n", r"line 2 has 2 columns, but the first line names 3"),
        (HEADER + f"7,{ROW},Training\n", r"row 1 has the emotion '7', not a code from 0 to 6"),
        (HEADER + f"happy,{ROW},Training\n", r"row 1 has the emotion 'happy'"),
        (HEADER, r"has a header but no rows"),
        ("", r"the first line should name one column 'pixels', but reads ''"),
        ("emotion,Usage\n3,Training\n", r"the first line should name one column 'pixels'"),
        (f"pixels\n{ROW}\n", r"has no column 'emotion', so its faces are not labelled"),
        (f"pixels,emotion,emotion\n{ROW},1,1\n", r"the first line names a column twice"),
        ("emotion,pixels\n" + "1" * (3 << 20), r"has a line of more than"),
    ],
)
def test_a_wrong_csv_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        open_dataset(_csv(tmp_path, text))
    assert "fer2013.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_line_is_right_far_into_the_file(tmp_path: Path) -> None:
    rows = [f"3,{ROW},Training\n"] * 400
    rows[321] = "3,1 2 3,Training\n"
    with pytest.raises(DatasetError, match=r"line 323 has 3 pixels"):
        open_dataset(_csv(tmp_path, HEADER + "".join(rows)))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b" ", b"  "),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.rstrip(b"\n"),
        lambda text: text + b"\n\n",
        lambda text: text.replace(b",Tr", b', "Tr').replace(b"ing\n", b'ing"\n'),
        lambda text: text.replace(b" 7 ", b" 007 "),
    ],
)
def test_harmless_differences_are_read(change: Callable[[bytes], bytes]) -> None:
    faces = disk.made_up(12)
    table = read_pixel_rows(io.BytesIO(change(disk.csv_text(faces))), "x")
    np.testing.assert_array_equal(table.images, faces.images)
    assert table.columns["usage"] == list(faces.folds)


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 6), last=st.booleans())
@settings(max_examples=30, deadline=None)
def test_any_pixels_come_back(seed: int, rows: int, last: bool) -> None:
    rng = np.random.default_rng(seed)
    high = int(rng.choice([1, 9, 10, 99, 100, 255]))
    images = rng.integers(0, high, (rows, 48, 48), dtype=np.uint8, endpoint=True)
    faces = disk.Faces(images, rng.integers(0, 7, rows), ["Training"] * rows)
    table = read_pixel_rows(io.BytesIO(disk.csv_text(faces, icml=last)), "x")
    np.testing.assert_array_equal(table.images, images)


PIECES = st.sampled_from(
    [
        b" ",
        b"  ",
        b",",
        b"\n",
        b"\r",
        b'"',
        b"256",
        b"1",
        b"-1",
        b"1e3",
        b"\x00",
        b"\xff",
        b"\xc3",
        b"pixels",
        b"#",
        b"\t",
    ]
)
VALID = disk.csv_text(disk.made_up(3))


@given(
    cuts=st.lists(st.tuples(st.integers(0, len(VALID)), st.integers(0, 30), PIECES), min_size=1, max_size=4),
    length=st.integers(0, len(VALID)) | st.just(len(VALID)),
)
@settings(max_examples=250, deadline=None)
def test_a_damaged_csv_is_refused_or_read_but_never_crashes(cuts: list[tuple[int, int, bytes]], length: int) -> None:
    content = VALID[:length]
    for at, gone, piece in cuts:
        content = content[:at] + piece + content[at + gone :]
    try:
        table = read_pixel_rows(io.BytesIO(content), "x")
    except DatasetError:
        return
    assert table.images.shape[1:] == (48, 48)
    assert all(len(column) == len(table.images) for column in table.columns.values())


@pytest.mark.parametrize("name", ["fer2013.csv.gz", "fer2013.csv.zst", "kaggle.zip", "fer2013.tar", "fer2013.tar.gz"])
@given(at=st.floats(0, 1), piece=st.binary(min_size=1, max_size=8), cut=st.none() | st.floats(0, 1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_gives_only_our_errors(
    name: str, at: float, piece: bytes, cut: float | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    path = disk.write_csv(disk.made_up(2), folder / name)
    content = bytearray(path.read_bytes())
    start = int(at * len(content))
    content[start : start + len(piece)] = piece
    path.write_bytes(content if cut is None else content[: int(cut * len(content))])
    try:
        samples = open_dataset(path)
    except FelicityError as error:
        assert "\n" not in str(error)
    else:
        assert samples.array().shape == (len(samples), 48, 48)


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", ["../fer2013.csv", "/etc/fer2013.csv", "a/../../fer2013.csv", "..\\fer2013.csv"])
def test_a_path_out_of_the_archive_is_refused(kind: str, name: str, tmp_path: Path) -> None:
    content = disk.csv_text(disk.made_up(2))
    path = tmp_path / f"set.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, content)
    else:
        with tarfile.open(path, "w") as archive:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with pytest.raises(DatasetError, match="leads out of the archive"):
        open_dataset(path)
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fer2013.csv", b"0" * (65 << 20))
    with pytest.raises(DatasetError, match="refused as a zip bomb"):
        open_dataset(path)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_stream_that_swells_is_refused_while_it_unpacks(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "RATIO_FROM_BYTES", 1 << 20)
    content = (HEADER + f"3,{ROW},Training\n" * 2000).encode()
    path = tmp_path / f"fer2013.csv{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == ".gz" else zstandard.compress(content))
    with pytest.raises(DatasetError, match="unpack to more than"):
        open_dataset(path)


def test_a_huge_member_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_MEMBER_BYTES", 1000)
    disk.write_affectnet(disk.made_up(40), tmp_path)
    with pytest.raises(DatasetError, match=r"labels\.csv: refused, because it is larger"):
        open_dataset(tmp_path)


def test_a_damaged_member_of_a_zip_is_one_unreadable_image(tmp_path: Path) -> None:
    faces = disk.made_up(14)
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for row, image in enumerate(faces.images):
            archive.writestr(f"{faces.name(row)}/{row}.png", cv2.imencode(".png", image)[1].tobytes())
        wrong = archive.infolist()[3]
    content = bytearray(path.read_bytes())
    content[wrong.header_offset + 200] ^= 0xFF
    path.write_bytes(content)
    found = audit(open_dataset(path))
    assert found.samples.names[found.unreadable].tolist() == [wrong.filename]
    assert "is damaged or cut short (Bad CRC-32" in found.facts.error[found.unreadable[0]]
    prepared = prepare(open_dataset(path), tmp_path / "out")
    assert len(prepared.names) == 13 and prepared.left_out == {"that cannot be decoded": 1}


def test_files_that_cannot_be_read_now_are_no_damaged_images(tmp_path: Path) -> None:
    samples = open_dataset(disk.write_folders(disk.made_up(14), tmp_path / "faces", folds=False))
    (tmp_path / "faces" / samples.names[3]).unlink()
    with pytest.raises(DatasetError, match="cannot be read"):
        prepare(samples, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_whose_name_is_not_utf_8_is_named_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = disk.write_folders(disk.made_up(14), tmp_path / "faces", folds=False)
    (folder / "happy" / "00003.png").rename(folder / "happy" / os.fsdecode(b"caf\xe9.png"))
    with pytest.raises(DatasetError, match=r"b'happy/caf\\xe9.png': the name of the file is not UTF-8; rename it"):
        open_dataset(folder)
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path / "home"))
    with pytest.raises(DatasetError, match="is not UTF-8; rename it"):
        open_prepared(DataConfig(path=str(folder)))


def test_unknown_class_folders_are_named(tmp_path: Path) -> None:
    disk.write_folders(disk.made_up(14), tmp_path, folds=False)
    (tmp_path / "happy").rename(tmp_path / "bored")
    with pytest.raises(DatasetError, match=r"class 'bored' is not one of the eight expressions"):
        open_dataset(tmp_path)


def test_folders_that_mean_no_expression_are_counted(tmp_path: Path) -> None:
    disk.write_folders(disk.made_up(14), tmp_path, folds=False)
    (tmp_path / "happy").rename(tmp_path / "Uncertain")
    samples = open_dataset(tmp_path)
    assert samples.left_out == {"in folder 'Uncertain', which means no expression": 2}
    assert len(samples) == 12


def test_affectnet_counts_what_csv_and_folders_do_not_share(tmp_path: Path) -> None:
    disk.write_affectnet(disk.made_up(14), tmp_path)
    lines = (tmp_path / "labels.csv").read_text().splitlines()
    lines += ["14,happy/none.png,happy,0.1", lines[1], lines[2].replace(",disgust,", ",fear,")]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    disk.write_png(np.zeros((48, 48), np.uint8), tmp_path / "sad" / "stray.png")

    samples = open_dataset(tmp_path)

    assert len(samples) == 14
    assert samples.left_out == {
        "named in labels.csv, but missing": 1,
        "rows of labels.csv that repeat another": 1,
        "rows of labels.csv that name an image again with another label": 1,
        "images that labels.csv does not name": 1,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.replace(",surprise,", ",bored,", 1),
            r"labels\.csv: line \d+: class 'bored' is not one of the eight",
        ),
        (lambda t: t.replace("pth", "path"), r"is not one of the formats|has no column pth"),
        (lambda t: t + "99\n", r"line 16 has 1 columns, not 4"),
        (lambda t: t + '"never closed', r"labels\.csv: cannot be read as a csv"),
    ],
)
def test_a_wrong_table_of_labels_is_named(change: Callable[[str], str], message: str, tmp_path: Path) -> None:
    disk.write_affectnet(disk.made_up(14), tmp_path)
    table = tmp_path / "labels.csv"
    table.write_text(change(table.read_text()))
    with pytest.raises(DatasetError, match=message):
        open_dataset(tmp_path, "affectnet")


def test_mixed_sizes_need_a_size(tmp_path: Path) -> None:
    disk.write_folders(disk.made_up(14), tmp_path, folds=False)
    disk.write_png(np.zeros((20, 30), np.uint8), tmp_path / "happy" / "wide.png")
    samples = open_dataset(tmp_path)
    with pytest.raises(DatasetError, match=r"images are of 2 sizes \(30x20, 48x48\); choose one size"):
        samples.array()
    assert samples.array(48).shape == (15, 48, 48)
    assert samples.array(32, "rgb").shape == (15, 32, 32, 3)


def test_votes_must_be_those_of_the_same_rows(tmp_path: Path) -> None:
    faces = disk.made_up(5)
    disk.write_csv(faces, tmp_path / "fer2013.csv")
    votes = np.full((5, 10), 1)
    disk.write_ferplus(votes[:4], faces.folds[:4], tmp_path / "fer2013new.csv")
    with pytest.raises(DatasetError, match=r"has votes for 4 rows, but FER2013 beside it has 5"):
        open_dataset(tmp_path)
    disk.write_ferplus(votes, ["PublicTest"] * 5, tmp_path / "fer2013new.csv")
    with pytest.raises(DatasetError, match=r"row 1 is of fold 'PublicTest', but FER2013's is of 'Training'"):
        open_dataset(tmp_path)
    text = (tmp_path / "fer2013new.csv").read_text()
    (tmp_path / "fer2013new.csv").write_text(text.replace(",1,1\n", ",1,many\n", 1))
    with pytest.raises(DatasetError, match=r"line 2: votes are whole numbers from 0"):
        open_dataset(tmp_path)
    (tmp_path / "fer2013.csv").unlink()
    with pytest.raises(DatasetError, match=r"must be beside it"):
        open_dataset(tmp_path / "fer2013new.csv")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "nowhere", r"no such file or folder"),
        (lambda folder: folder, r"is empty"),
        (lambda folder: _write(folder / "notes.txt", b"hello"), r"is not one of the formats"),
        (lambda folder: _write(folder / "a.zip", b""), r"is not a zip that can be read"),
        (lambda folder: _write(folder / "a.tar.gz", b"\x1f\x8b"), r"a\.tar\.gz: is"),
        (lambda folder: _write(folder / "fer2013.csv.gz", b""), r"the first line should name|damaged"),
    ],
)
def test_what_is_no_data_set_is_refused(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=message):
        open_dataset(make(tmp_path))


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("happy,bored", r"'bored' is not one of the eight expressions"),
        ("happy", r"at least two classes are needed"),
        ("happy,joy", r"duplicate class 'happy'"),
        ("missing.toml", r"cannot be read as a TOML file of classes"),
    ],
)
def test_wrong_classes_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = disk.write_csv(disk.made_up(7), tmp_path / "fer2013.csv")
    with pytest.raises(DatasetError, match=message):
        open_dataset(path, classes=text)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('[classes]\na = ["happy"]\nb = ["happy"]', r"belongs to one class, but happy to several"),
        ('[classes]\na = ["happy"]\nb = ["grumpy"]', r"'grumpy' is not one of the eight"),
        ("[classes]\na = 1\nb = 2", r"\[classes\] takes lines such as"),
        ("[klasses]\n", r"tables are \[classes\] and \[names\], not klasses"),
        ('names = "x"\n', r"\[names\] takes lines such as"),
        ("[classes\n", r"cannot be read as a TOML file"),
    ],
)
def test_a_wrong_file_of_classes_is_named(toml: str, message: str, tmp_path: Path) -> None:
    path = disk.write_csv(disk.made_up(7), tmp_path / "fer2013.csv")
    (tmp_path / "c.toml").write_text(toml)
    with pytest.raises(DatasetError, match=message):
        open_dataset(path, classes=str(tmp_path / "c.toml"))


def test_a_class_without_images_is_said(tmp_path: Path) -> None:
    faces = disk.made_up(14)
    only = disk.Faces(faces.images[:2], np.array([0, 0]), ["Training"] * 2)
    path = disk.write_csv(only, tmp_path / "fer2013.csv")
    with pytest.raises(DatasetError, match=r"no image is labelled happy or sad \(left out: 2 labelled anger"):
        open_dataset(path, classes="happy,sad")
