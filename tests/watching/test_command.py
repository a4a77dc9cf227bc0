"""``felicity watch`` and ``felicity index``, end to end."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

import felicity as library
from tests.support.command import environment, felicity, felicity_answer
from tests.support.mjpeg_server import MjpegServer, jpeg
from tests.support.people import faces_clip, scene

START = "2026-05-04T09:00:00+00:00"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faces_clip(tmp_path_factory.mktemp("clips") / "two people.mp4")


def watch(clip: Path, home: Path, *more: object, **options: Any) -> dict[str, Any]:
    """The summary, and under ``notes`` the texts of its notes."""
    summary, notes = felicity_answer(
        "watch", clip, "--location", "Harbour", "--start", START, "--detector", "hog", *more, home=home, **options
    )
    return summary | {"notes": [note["text"] for note in notes]}


def windows(store: Path) -> list[tuple[Any, ...]]:
    """All rows of the windows' table, without the database's own ids."""
    connection = sqlite3.connect(store)
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute("select * from windows")]
    connection.close()
    bookkeeping = ("run_id", "location_id", "generation")
    return sorted(tuple(v for k, v in row.items() if k not in bookkeeping) for row in rows)


def test_a_person_is_counted_once(clip: Path, tmp_path: Path) -> None:
    summary = watch(clip, tmp_path)
    assert summary["people_seen"] == 2 and summary["people"] == 2 and summary["complete"]
    assert summary["frames"] == 18 and summary["windows"] == 1
    share = summary["happy_share"]
    assert share["people"] == 2 and share["counted"] == 100 and share["low"] <= share["adjusted"] and "emq" in share
    (row,) = felicity_answer("index", "--k", 1, home=tmp_path)[0]["rows"]
    assert row["location"] == "Harbour" and row["people_seen"] == 2 and row["windows"] == 1
    assert row["happy_share"]["raw"] == 100 and row["happy_share"]["low"] <= row["happy_share"]["adjusted"]
    assert set(row["expressions"]) >= {"happy", "neutral", "contempt"}
    (hidden,) = felicity_answer("index", home=tmp_path)[0]["rows"]
    assert hidden["suppressed"] and set(hidden["happy_share"].values()) == {None}


def test_watched_again_nothing_is_counted_twice(clip: Path, tmp_path: Path) -> None:
    watch(clip, tmp_path, "--window", 2)
    before = windows(tmp_path / "felicity.db")
    watch(clip, tmp_path, "--window", 2)
    assert windows(tmp_path / "felicity.db") == before and len(before) == 3
    again = [clip, "--location", "Harbour", "--detector", "hog", "--camera", "another"]
    assert "run 1 has counted this recording" in felicity("watch", *again, home=tmp_path, expect=1).stderr
    assert windows(tmp_path / "felicity.db") == before


def test_two_recordings_of_one_camera_in_the_same_minutes_are_said_to_count_twice(clip: Path, tmp_path: Path) -> None:
    assert watch(clip, tmp_path)["notes"] == []
    other = faces_clip(tmp_path / "other.mp4", seconds=2, fps=4)
    begun = ["--start", "2026-05-04T09:00:07", "--location", "Harbour", "--detector", "hog"]
    done = felicity("watch", other, "--camera", clip.stem, *begun, home=tmp_path)
    assert f"1 windows of camera '{clip.stem}' or this source at Harbour in these minutes are from" in done.stderr
    assert "take one of them back, see: felicity runs list" in done.stderr
    done = felicity(
        "watch", other, "--camera", "pier", *begun[2:], "--start", "2026-05-04T11:00", home=tmp_path, expect=1
    )
    assert "has counted this recording at 'Harbour' already" in done.stderr


def test_killed_and_run_again_equals_undisturbed(clip: Path, tmp_path: Path) -> None:
    longer = faces_clip(tmp_path / "longer.mp4", seconds=18, fps=3)
    arguments = [
        sys.executable, "-m", "felicity", "watch", str(longer), "--location", "Harbour", "--start", START,
        "--detector", "hog", "--window", "2",
    ]  # fmt: skip
    victim = subprocess.Popen(arguments, env=environment(tmp_path / "a"), stderr=subprocess.DEVNULL)
    store = tmp_path / "a" / "felicity.db"
    until = time.monotonic() + 120
    while time.monotonic() < until and not (store.exists() and _count(store) >= 3):
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    half = _count(store)
    watch(longer, tmp_path / "b", "--window", 2)
    whole = windows(tmp_path / "b" / "felicity.db")
    assert 3 <= half < len(whole), "the watch was killed in the middle"
    watch(longer, tmp_path / "a", "--window", 2)
    assert windows(store) == whole


def _count(store: Path) -> int:
    try:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=1) as connection:
            (count,) = connection.execute("select count(*) from windows").fetchone()
    except sqlite3.OperationalError:
        return 0
    connection.close()
    return int(count)


@pytest.mark.parametrize("seconds", [2, pytest.param(30, marks=pytest.mark.service)])
def test_a_stream_that_dies_is_resumed_and_ctrl_c_writes_the_open_window(tmp_path: Path, seconds: int) -> None:
    """``seconds`` before the camera dies, and as long after it has come back."""
    frames = 10 * seconds
    server = MjpegServer([jpeg(scene((40 + i, 60), width=320, height=300)) for i in range(10)], fps=10).start()
    watcher = subprocess.Popen(
        [sys.executable, "-m", "felicity", "watch", server.url, "--location", "Station", "--detector", "hog", "--json"],
        env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        _wait_until(lambda: server.sent > frames)
        server.stop()
        time.sleep(1)
        server.start()
        sent = server.sent
        _wait_until(lambda: server.sent > sent + frames)
        watcher.send_signal(signal.SIGINT)
        out, err = watcher.communicate(timeout=60)
    finally:
        server.stop()
        watcher.kill()
        watcher.wait()
    assert watcher.returncode == 0, err
    summary = json.loads(out)["data"]
    assert summary["reconnects"] == 1 and summary["windows"] >= 1
    assert summary["end"] > summary["start"] and summary["frames"] + summary["dropped"] > frames
    (row,) = felicity_answer("index", "--k", 1, home=tmp_path)[0]["rows"]
    assert row["location"] == "Station" and row["windows"] == summary["windows"]
    assert row["people_seen"] == summary["people_seen"] >= 1
    (run,) = felicity_answer("runs", "list", home=tmp_path)[0]
    assert run["state"] == "stopped" and run["ended"] >= run["heartbeat"]


def _wait_until(condition: Any, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def test_a_folder_of_photographs_counts_each_face(tmp_path: Path) -> None:
    from felicity.imaging.encode import write_image

    for i in range(3):
        write_image(tmp_path / "photos" / f"{i}.png", scene((30, 60), (380, 60)))
    summary = watch(tmp_path / "photos", tmp_path)
    assert summary["people_seen"] == 6 and summary["frames"] == 3


def test_the_annotated_video_shows_what_was_found(clip: Path, tmp_path: Path) -> None:
    from felicity.sources.registry import open_source

    watch(clip, tmp_path, "--annotate", tmp_path / "out.mp4")
    with open_source(tmp_path / "out.mp4") as drawn, open_source(clip) as plain:
        pairs = list(zip(drawn, plain, strict=True))
    assert len(pairs) == 18
    box = [(abs(a.image_rgb_u8.astype(int) - b.image_rgb_u8) > 40).any(2).sum() for a, b in pairs]
    assert min(box) > 180, "every frame has a box and a caption"


def test_the_library_says_the_same(clip: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "own.db")
    summary = library.watch(
        clip, location="Harbour", store=store, detector="hog", start=datetime(2026, 5, 4, 9, tzinfo=UTC)
    )
    index = library.happiness(store=store, k=1)
    assert index.notes == () and [row.people_seen for row in index.rows] == [summary.people_seen] == [2]
    with pytest.raises(ValueError, match="uint8"):
        library.read(np.zeros((48, 48, 3), np.float32), crop=True)  # type: ignore[arg-type]
    (face,) = library.read(scene((200, 60)), detector="hog")
    assert face.expression == "happy" and face.happy == pytest.approx(face.probabilities[1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{missing}", "--location", "A"], "missing.mp4"),
        (["{text}", "--location", "A"], "text.mp4"),
        (["{clip}", "--location", "A", "--start", "yesterday"], "ISO 8601"),
        (["{clip}", "--location", "A", "--window", "0"], "window"),
        (["{clip}", "--location", "A", "--annotate", "{missing}.avi"], ".mp4"),
        (["{clip}", "--location", "A", "--annotate", "{folder}"], "is a folder"),
        (["{clip}", "--location", "A", "--annotate", "{clip}"], "would be replaced"),
        (["{clip}", "--location", "A", "--start", "9999-12-31T23:59:59.9"], "start must lie"),
        (["{clip}", "--location", "A", "--camera", " "], "a camera needs a name"),
        (["{clip}", "--location", " "], "location"),
        (["", "--location", "A"], "there is no ''"),
        (["{odd}", "--location", "A"], "a name in UTF-8 expected"),
        (["http://127.0.0.1:9/stream", "--location", "A"], "127.0.0.1:9"),
    ],
)
def test_wrong_input_is_one_sentence(clip: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "folder.mp4").mkdir()
    odd = tmp_path / os.fsdecode(b"bad\xff.mp4")
    odd.write_bytes(before := clip.read_bytes())
    names = {"clip": clip, "odd": odd} | {name: tmp_path / f"{name}.mp4" for name in ("missing", "text", "folder")}
    done = felicity("watch", *(a.format(**names) for a in arguments), home=tmp_path / "home", expect=1)
    assert words in done.stderr and done.stderr.count("\n") <= 2
    assert not list(tmp_path.glob("*.part")) and clip.read_bytes() == before


def test_nothing_is_made_for_what_cannot_be_watched(tmp_path: Path) -> None:
    from felicity.imaging.encode import write_image

    felicity("watch", tmp_path / "gone.mp4", "-l", "A", "--store", tmp_path / "own.db", home=tmp_path, expect=1)
    assert not (tmp_path / "own.db").exists()
    write_image(tmp_path / "there" / "1.png", scene((30, 60)))
    for wrong in (["--detector", "nothing"], ["--annotate", "x.avi"]):
        arguments = ["watch", tmp_path / "there", "-l", "A", "--store", tmp_path / "own.db", *wrong]
        felicity(*arguments, home=tmp_path, expect=1)
        assert not (tmp_path / "own.db").exists()


def test_a_run_watched_again_with_a_wrong_option_stays_ended(clip: Path, tmp_path: Path) -> None:
    store = tmp_path / "own.db"
    watch(clip, tmp_path, "--store", store)
    words = ["watch", clip, "--location", "Harbour", "--detector", "hog", "--start", "2026-05-04T09:00"]
    felicity(*words, "--store", store, "--annotate", tmp_path / "x.avi", home=tmp_path, expect=1)
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("select state from runs").fetchall() == [("ended",)]


def test_a_time_without_a_zone_is_of_the_locations_clock(tmp_path: Path) -> None:
    from felicity.imaging.encode import write_image

    write_image(tmp_path / "film" / "1.png", scene((30, 60)))
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:05:04 09:00:00"
    (tmp_path / "taken").mkdir()
    Image.fromarray(scene((30, 60))).save(tmp_path / "taken" / "1.jpg", exif=exif)
    felicity("locations", "add", "Tokyo", "--timezone", "Asia/Tokyo", home=tmp_path)
    for folder, more in (("film", ["--start", "2026-05-04T09:00"]), ("taken", [])):
        arguments = ["watch", tmp_path / folder, "--location", "Tokyo", "--detector", "hog", *more]
        summary, notes = felicity_answer(*arguments, home=tmp_path, TZ="America/New_York")
        assert summary["start"] == "2026-05-04T09:00:00+09:00" and not notes, folder
    done = felicity(*arguments, home=tmp_path)
    assert "2026-05-04 09:00:00+09:00" in done.stdout, "in the time zone of the place, with its offset"


@pytest.mark.parametrize(
    ("start", "note"),
    [
        (
            "2026-03-29T02:30",
            "02:30:00 is a time that the clock of Europe/Berlin skips; it is taken for 2026-03-29 03:30:",
        ),
        ("2026-10-25T02:30", "the clock of Europe/Berlin shows twice; it is taken for 2026-10-25 02:30:00+02:00"),
        ("2026-10-25T02:30+01:00", None),
        ("2026-10-25T03:00", None),
    ],
)
def test_a_start_that_the_clock_skips_or_shows_twice_is_said(tmp_path: Path, start: str, note: str | None) -> None:
    from felicity.imaging.encode import write_image

    write_image(tmp_path / "film" / "1.png", scene((30, 60)))
    felicity("locations", "add", "Quay", "--timezone", "Europe/Berlin", home=tmp_path)
    arguments = ["watch", tmp_path / "film", "-l", "Quay", "--detector", "hog", "--start", start]
    _, notes = felicity_answer(*arguments, home=tmp_path)
    assert [note in said["text"] for said in notes] == [True] if note else not notes
    assert all(said["code"] in ("clock-skipped", "clock-twice") and said["location"] == "Quay" for said in notes)


def test_photographs_at_a_new_place_watched_again_are_not_counted_twice(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:05:04 09:00:00"
    (tmp_path / "taken").mkdir()
    Image.fromarray(scene((30, 60))).save(tmp_path / "taken" / "1.jpg", exif=exif)
    for _ in range(2):
        arguments = ["watch", tmp_path / "taken", "--location", "New", "--detector", "hog"]
        summary, _ = felicity_answer(*arguments, home=tmp_path, TZ="America/New_York")
        assert datetime.fromisoformat(summary["start"]) == datetime(2026, 5, 4, 9, tzinfo=UTC)
    (row,) = felicity_answer("index", "--k", 1, home=tmp_path)[0]["rows"]
    assert row["people_seen"] == 1


def test_frames_too_far_apart_to_follow_people_are_said(clip: Path, tmp_path: Path) -> None:
    assert not watch(clip, tmp_path)["notes"]
    assert any("over 1 s apart" in note for note in watch(clip, tmp_path, "--fps", "0.6")["notes"])


@pytest.mark.parametrize("shape", [(1, 1, 3), (60, 20_000, 3)])
def test_pictures_that_no_video_can_hold_are_one_sentence(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    from felicity.imaging.encode import write_image

    write_image(tmp_path / "film" / "1.png", np.full(shape, 100, np.uint8))
    done = felicity(
        "watch", tmp_path / "film", "-l", "A", "--detector", "hog", "--annotate", tmp_path / "out.mp4",
        home=tmp_path, expect=1,
    )  # fmt: skip
    assert "out.mp4: a frame of" in done.stderr and done.stderr.count("\n") <= 2
    assert not list(tmp_path.glob("*out.mp4*"))


def test_a_truncated_video_gives_what_it_has(clip: Path, tmp_path: Path) -> None:
    from tests.support.media import write_video

    whole = write_video(tmp_path / "whole.avi", 60, codec="mpeg4")
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    summary = watch(cut, tmp_path)
    assert 0 < summary["frames"] < 60 and summary["windows"] >= 1
    assert any("cut.avi" in note for note in summary["notes"])


@pytest.mark.shared_data
def test_the_six_clips(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FELICITY_YUNET", str(shared / "models" / "face_detection_yunet_2023mar.onnx"))
    seen = {
        "classroom": 4,
        "face-demographics-walking-and-pause": 3,
        "face-demographics-walking": 2,
        "head-pose-face-detection-female-and-male": 2,
        "head-pose-face-detection-female": 1,
        "head-pose-face-detection-male": 1,
    }
    for name, count in seen.items():
        summary, _ = felicity_answer(
            "watch", shared / "data" / "media" / f"{name}.gif", "--location", name, "--detector", "yunet",
            "--start", START, home=tmp_path,
        )  # fmt: skip
        assert abs(summary["people_seen"] - count) <= 1, name
    rows = {row["location"]: row for row in felicity_answer("index", "--k", 1, home=tmp_path)[0]["rows"]}
    assert set(rows) == set(seen)
    assert rows["head-pose-face-detection-male"]["happy_share"]["raw"] > 50
    assert rows["head-pose-face-detection-male"]["happy_share"]["adjusted"] > 50
    assert rows["head-pose-face-detection-female"]["happy_share"]["adjusted"] < 50
