"""``felicity classify`` as its users run it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from felicity.imaging.decode import read_image
from felicity.imaging.encode import write_image
from felicity.labels import EXPRESSIONS
from felicity.recognition.photographs import FEW
from tests.support.command import environment, felicity, felicity_answer, felicity_json
from tests.support.people import photograph, scene


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    write_image(folder / "b" / "one.png", photograph())
    write_image(folder / "a.png", scene((30, 60), (380, 60)))
    write_image(folder / "c.jpg", np.full((100, 100, 3), 200, np.uint8))
    (folder / "notes.txt").write_text("not an image")
    return folder


def test_json_lines_keep_the_contract(photos: Path, tmp_path: Path) -> None:
    rows = felicity_json("classify", photos, "--detector", "hog", home=tmp_path)
    assert [Path(row["image"]).name for row in rows] == ["a.png", "one.png", "c.jpg"]
    assert [len(row["faces"]) for row in rows] == [2, 1, 0]
    assert all(set(row) == {"image", "faces", "error"} and row["error"] is None for row in rows)
    (face,) = rows[1]["faces"]
    assert set(face) == {"box_xyxy", "detection_score", "expression", "probabilities", "happy", "covered"}
    assert list(face["probabilities"]) == [str(e) for e in EXPRESSIONS]
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert face["happy"] == face["probabilities"]["happy"]
    assert face["expression"] == "happy"
    left, top, right, bottom = face["box_xyxy"]
    assert left < 225 < right and top < 115 < bottom, "the box holds the nose"


def test_the_share_of_a_folder_is_counted_adjusted_and_by_emq(photos: Path, tmp_path: Path) -> None:
    lines = felicity_json("classify", photos, "--detector", "hog", home=tmp_path)
    answer, notes = felicity_answer("classify", photos, "--detector", "hog", "--share", home=tmp_path)
    share = answer["happy_share"]
    assert answer["images"] == lines and len(lines) == 3 and not notes
    assert share["people"] == 3 and share["counted"] == 100
    assert share["low"] <= share["adjusted"] <= share["high"] and 0 <= share["emq"] <= 100
    done = felicity("classify", photos / "b", "--detector", "hog", "--share", home=tmp_path)
    assert "happy share of 1 people: counted 100.0 %, adjusted" in done.stdout and "by EMQ" in done.stdout


def test_a_bad_image_is_named_and_the_others_go_on(photos: Path, tmp_path: Path) -> None:
    (photos / "a.png").write_bytes((photos / "a.png").read_bytes()[:500])
    rows = felicity_json(
        "classify", photos / "b" / "one.png", photos / "a.png", tmp_path / "gone.jpg", photos / "c.jpg",
        "--detector", "hog", home=tmp_path, expect=1,
    )  # fmt: skip
    assert [row["error"] is None for row in rows] == [True, False, False, True]
    assert rows[1]["faces"] == [] and "a.png" in rows[1]["error"]
    assert "gone.jpg" in rows[2]["error"]


def header_of_a_huge_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_every_kind_of_bad_input_is_one_sentence(tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    whole = cv2.imencode(".jpg", photograph())[1].tobytes()
    for name, data in {
        "empty.jpg": b"",
        "huge.png": header_of_a_huge_png(),
        "text.jpg": b"not a picture",
        "truncated.jpg": whole[: len(whole) // 2],
    }.items():
        (bad / name).write_bytes(data)
    rows = felicity_json("classify", bad, "--crop", home=tmp_path, expect=1)
    assert [Path(row["image"]).name for row in rows] == ["empty.jpg", "huge.png", "text.jpg", "truncated.jpg"]
    for row in rows:
        assert row["faces"] == [] and Path(row["image"]).name in row["error"] and "\n" not in row["error"]
    done = felicity("classify", bad, "--crop", home=tmp_path, expect=1)
    assert done.stderr.count("error") >= 4 and "4 not readable" in done.stderr


def test_unusual_but_good_images_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    picture = Image.fromarray(photograph())
    picture.convert("CMYK").save(folder / "cmyk.jpg")
    picture.convert("L").save(folder / "grey.png")
    picture.convert("RGBA").save(folder / "alpha.png")
    picture.save(folder / "moving.png", save_all=True, append_images=[picture.convert("L").convert("RGB")])
    Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257).save(folder / "deep.png")
    rows = felicity_json("classify", folder, "--detector", "hog", home=tmp_path)
    assert [len(row["faces"]) for row in rows] == [1] * 5
    assert all(row["faces"][0]["expression"] == "happy" for row in rows)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{empty}"], "a folder with images expected"),
        (["{photo}", "{empty}"], "a folder with images expected"),
        ([""], "an empty name found"),
        (
            ["{photo}", "--annotate", "{photo}/.."],
            "is an image to read and would be overwritten; choose another folder",
        ),
        (["{photo}", "{again}", "--annotate", "{empty}"], "would both be written to"),
        (["{photo}", "--detector", "nothing"], "hog"),
        (["{photo}", "--bundle", "nothing"], "neither a folder nor a shipped bundle"),
    ],
)
def test_wrong_options_are_one_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "empty").mkdir()
    photo, again = tmp_path / "photo.png", tmp_path / "again" / "photo.png"
    for path in (photo, again):
        write_image(path, photograph())
    before = photo.read_bytes()
    filled = [a.format(empty=tmp_path / "empty", photo=photo, again=again) for a in arguments]
    done = felicity("classify", *filled, home=tmp_path, expect=1)
    assert words in done.stderr and done.stdout == "" and photo.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", photograph())
    (tmp_path / "photo.png").chmod(0)
    (row,) = felicity_json("classify", tmp_path / "photo.png", home=tmp_path, expect=1)
    assert "photo.png" in row["error"]


def test_annotated_pictures_mirror_the_folder(photos: Path, tmp_path: Path) -> None:
    felicity("classify", photos, "--detector", "hog", "--annotate", tmp_path / "out", home=tmp_path)
    written = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert written == ["a.png", "b/one.png", "c.jpg"]
    drawn, plain = read_image(tmp_path / "out" / "b" / "one.png"), photograph()
    assert drawn.shape == plain.shape and 500 < (drawn != plain).any(2).sum() < drawn[..., 0].size / 5


def test_many_are_read_in_processes_where_the_detector_lets_nobody_else_compute(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    for number in range(FEW + 3):
        write_image(folder / f"{number:02}.png", photograph()[: 200 + number])
    (folder / "05.png").write_bytes(b"no picture")
    words = ["classify", folder, "--detector", "hog", "--annotate", tmp_path / "drawn", "--json"]
    alone, shared_out = (felicity(*words, "--workers", number, home=tmp_path, expect=1) for number in (1, 2))
    assert shared_out.stdout == alone.stdout and alone.stdout.count('"expression": "happy"') == FEW + 2
    assert len(list((tmp_path / "drawn").iterdir())) == FEW + 2


def test_annotated_pictures_within_the_folder_are_not_read_again(photos: Path, tmp_path: Path) -> None:
    for _ in range(2):
        rows = felicity_json("classify", photos, "--crop", "--annotate", photos / "out", home=tmp_path)
        assert [Path(row["image"]).name for row in rows] == ["a.png", "one.png", "c.jpg"]


def test_hidden_files_are_passed_over_and_names_are_printed_as_they_are(tmp_path: Path) -> None:
    for name in ("._a.png", ":smile:[red].png", "img10.png", "img2.png"):
        write_image(tmp_path / "photos" / name, photograph())
    done = felicity("classify", tmp_path / "photos", "--crop", home=tmp_path)
    names = [Path(line.rsplit(": ", 1)[0]).name for line in done.stdout.splitlines()]
    assert names == [":smile:[red].png", "img2.png", "img10.png"]


def test_a_name_that_is_no_text_is_spelt_out(tmp_path: Path) -> None:
    odd = tmp_path / "photos" / os.fsdecode(b"bad\xff.png")
    write_image(tmp_path / "photos" / "good.png", photograph())
    (tmp_path / "photos" / "good.png").rename(odd)
    (row,) = felicity_json("classify", odd.parent, "--crop", home=tmp_path)
    assert row["faces"] and os.fsencode(row["image"]) == os.fsencode(odd)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", photograph())
    command = [sys.executable, "-m", "felicity", "classify", str(tmp_path / "photo.png"), "--crop", "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment(tmp_path))
    assert done.returncode == 1 and "nothing more can be written" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.shared_data
@pytest.mark.parametrize(("detector", "least"), [("yunet", 40), ("hog", 41)])
def test_posed_faces(shared: Path, tmp_path: Path, detector: str, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FELICITY_YUNET", str(shared / "models" / "face_detection_yunet_2023mar.onnx"))
    rows = felicity_json("classify", shared / "data" / "faces", "--detector", detector, home=tmp_path)
    assert len(rows) == 46
    found = [row for row in rows if len(row["faces"]) == 1]
    assert len(found) >= 44
    right = sum((row["faces"][0]["expression"] == "happy") == ("happy" in Path(row["image"]).name) for row in found)
    assert right >= least
