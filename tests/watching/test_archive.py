"""An archive: pieces that join up, what the store has is left out, what cannot be read is set aside."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from felicity.api import archive, list_runs, watch
from felicity.api.archiving import Archive
from felicity.errors import ConfigError, SourceError
from felicity.sources.registry import SourceOptions
from felicity.sources.video import VideoSource
from felicity.store import open_store
from felicity.watching import pieces
from felicity.watching.footage import Pattern, Table, find_recordings
from felicity.windows import Window
from felicity.work import Here
from tests.support.command import felicity
from tests.support.media import number_in, write_video
from tests.support.people import faces_clip
from tests.support.wire import Wire

BEGIN = datetime(2026, 5, 4, 9, 0, 17, tzinfo=UTC)


def windows_of(store: Path) -> list[Window]:
    with open_store(store) as opened:
        return list(opened.windows())


def people_of(windows: Sequence[Window]) -> list[tuple[Any, ...]]:
    return [(w.key.start, w.people_seen, w.people, dict(w.rejected), w.hard_counts.tolist()) for w in windows]


def test_pieces_of_a_video_have_all_its_frames_once(tmp_path: Path) -> None:
    video = write_video(tmp_path / "clip.mp4", 30, fps=10, options={}, metadata={})
    whole = _frames(video, None)
    assert len(whole) == 30
    parts = [_frames(video, span) for span in ((0.0, 0.95), (0.95, 2.05), (2.05, float("inf")))]
    assert [frame for part in parts for frame in part] == whole


def test_pieces_take_the_frames_that_the_whole_takes_when_some_are_left_out(tmp_path: Path) -> None:
    video = write_video(tmp_path / "clip.mp4", 40, fps=10)
    whole = _frames(video, None, fps=3)
    parts = [_frames(video, span, fps=3) for span in ((0.0, 1.4), (1.4, 2.6), (2.6, float("inf")))]
    assert [frame for part in parts for frame in part] == whole


def _frames(video: Path, span: tuple[float, float] | None, fps: float | None = None) -> list[tuple[datetime, int]]:
    with VideoSource.open(str(video), SourceOptions(start=BEGIN, span=span, fps=fps)) as source:
        return [(frame.time, number_in(frame.image_rgb_u8)) for frame in source]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people, one after the other, for 24 seconds."""
    return faces_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=24, fps=3)


@pytest.fixture(scope="module")
def watched(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Window]:
    """The windows that a watch of the whole gives."""
    store = tmp_path_factory.mktemp("whole") / "whole.db"
    watch(clip, location="Harbour", store=store, start=BEGIN, window=4, detector="hog")
    return windows_of(store)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in this process, which has begun already."""
    monkeypatch.setattr("felicity.work.opening.Processes", lambda workers: Here())


def archived(clip: Path, store: Path, **how: Any) -> Archive:
    where = {"location": "Harbour", "window": 4, "piece": 8, "detector": "hog", "workers": 2} | how
    return archive(clip, store=store, pattern=r"(?P<camera>clip)", **where)


def test_an_archive_in_pieces_gives_the_windows_of_a_watch(
    here: None, clip: Path, watched: list[Window], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(clip, (BEGIN.timestamp(), BEGIN.timestamp()))
    monkeypatch.setattr(pieces, "BEFORE", timedelta(seconds=5))
    found = archived(clip, tmp_path / "pieces.db")
    windows = windows_of(tmp_path / "pieces.db")
    assert [(file.state, file.windows) for file in found.files] == [("stored", len(watched))]
    assert people_of(windows) == people_of(watched)
    for one, other in zip(windows, watched, strict=True):
        assert one.key == other.key
        assert (one.frames_seen, one.frames_expected) == (other.frames_seen, other.frames_expected)
        assert one.seconds_covered == pytest.approx(other.seconds_covered)
        np.testing.assert_allclose(one.prob_sums, other.prob_sums, atol=0.1)


def test_what_the_store_has_is_left_out_and_begun_again_if_it_was_not_finished(
    here: None, clip: Path, tmp_path: Path
) -> None:
    store = tmp_path / "town.db"
    assert [file.state for file in archived(clip, store).files] == ["stored"]
    before = windows_of(store)
    assert [file.state for file in archived(clip, store).files] == ["there"]
    with open_store(store) as opened:
        run = opened.begin_run(**_begun(before[0]), recording=_recording(clip), go_on=True)  # and then it was killed
        assert run.generation == 1
    assert [file.state for file in archived(clip, store).files] == ["stored"]
    assert people_of(windows_of(store)) == people_of(before)
    assert len(list_runs(store=store)) == 1


def _begun(window: Window) -> dict[str, Any]:
    return {
        name: getattr(window.key, name) for name in ("location", "camera", "source", "run_start", "model", "detector")
    }


def _recording(clip: Path) -> str:
    with VideoSource.open(str(clip), SourceOptions(start=BEGIN)) as source:
        return str(source.recording)


def test_files_that_cannot_be_read_or_placed_are_set_aside(here: None, clip: Path, tmp_path: Path) -> None:
    footage = tmp_path / "footage"
    footage.mkdir()
    for name in ("a.mp4", "again.mp4", "nowhere.mp4"):
        (footage / name).write_bytes(clip.read_bytes())
    (footage / "broken.mp4").write_bytes(b"no video at all")
    table = tmp_path / "where.csv"
    table.write_text(
        "file,location,camera,start\na.mp4,Harbour,east,2026-05-04T09:00\nagain.mp4,Harbour,east,2026-05-04T09:00\n"
        "broken.mp4,Market,,\n"
    )
    told = felicity(
        "archive", footage, "--locations", table, "--store", tmp_path / "town.db", "--detector", "hog", "--workers", 1,
        home=tmp_path, expect=1,
    )  # fmt: skip
    assert "a.mp4: 1 windows" in told.stderr
    assert "again.mp4: is the same recording as" in told.stderr
    assert "broken.mp4 cannot be read as a video" in told.stderr
    assert "nowhere.mp4: nothing names its location" in told.stderr
    windows = windows_of(tmp_path / "town.db")
    assert {(window.key.location, window.key.camera) for window in windows} == {("Harbour", "east")}
    assert windows[0].key.run_start == datetime(2026, 5, 4, 9, tzinfo=UTC)


def test_a_recording_that_was_counted_otherwise_is_refused(here: None, clip: Path, tmp_path: Path) -> None:
    store = tmp_path / "town.db"
    assert archived(clip, store).of("stored")
    (failed,) = archive(clip, store=store, location="Harbour", pattern="(?P<camera>cli)", detector="hog").files
    assert failed.state == "failed"
    assert "run 1 has counted this recording at 'Harbour' already, as camera 'clip'" in str(failed.error)


def test_a_table_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    for text, told in (
        ("path,place\n", "the columns file and location expected"),
        ("file,location\na.mp4\n", "line 2: as many values as columns expected"),
        ("file,location,start\na.mp4,Harbour,noon\n", "line 2: start 'noon' is no time in ISO 8601"),
        ("file,location\na.mp4,Harbour\na.mp4,Market\n", "line 3: a.mp4: duplicate row"),
    ):
        table = tmp_path / "where.csv"
        table.write_text(text)
        with pytest.raises(ConfigError, match=told):
            Table(table)


def test_a_table_names_files_by_path_or_by_name(tmp_path: Path) -> None:
    (tmp_path / "where.csv").write_text("file,location,camera\neast/a.mp4,Harbour,east\na.mp4,Market,\n")
    table = Table(tmp_path / "where.csv")
    assert table.find(str((tmp_path / "east" / "a.mp4").resolve())).location == "Harbour"  # type: ignore[union-attr]
    assert table.find(str(tmp_path / "west" / "a.mp4")).location == "Market"  # type: ignore[union-attr]
    assert table.find(str(tmp_path / "b.mp4")) is None


def test_a_pattern_finds_place_camera_and_start_in_a_path() -> None:
    pattern = Pattern(r"(?P<location>[^/]+)/(?P<camera>\w+?)_(?P<start>\d{8}[-_]\d{6})")
    made = pattern.find("/archive/Harbour/east_20260504-090017.mp4")
    assert made is not None
    assert (made.location, made.camera, made.start) == ("Harbour", "east", datetime(2026, 5, 4, 9, 0, 17))
    assert pattern.find("/archive/readme.mp4") is None
    for wrong in ("(?P<place>x)", "no groups", "(?P<camera>"):
        with pytest.raises(ConfigError, match="--pattern"):
            Pattern(wrong)
    with pytest.raises(ConfigError, match="finds the start '20261304'"):
        Pattern(r"(?P<start>\d{8})").find("/20261304.mp4")


def test_recordings_are_files_folders_and_patterns_each_once(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.MKV", "deep/c.avi", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_recordings([tmp_path / "b.mp4", tmp_path, f"{tmp_path}/**/*.avi"])
    assert [Path(name).name for name in found] == ["b.mp4", "a.MKV", "c.avi"]
    for nothing in (tmp_path / "x.mp4", f"{tmp_path}/*.mov", "", "memory://bucket/a.mp4"):
        with pytest.raises(SourceError):
            find_recordings([nothing])


def test_no_pixel_and_no_person_goes_over_the_wire(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    monkeypatch.setattr("felicity.work.opening.Processes", lambda workers: wire)
    assert archived(clip, tmp_path / "town.db").of("stored")
    assert len(wire.sent) >= 2 + 2 + 3 * 2, "a function, items and results of the survey and of three pieces"
    assert {"Piece", "Seen", "Window"} <= wire.kinds
    assert not wire.kinds & {"ndarray", "Frame", "Detection", "PersonObservation", "_reconstruct", "_frombuffer"}
    with VideoSource.open(str(clip), SourceOptions(start=BEGIN)) as source:
        assert not wire.traces(next(iter(source)).image_rgb_u8)
    assert max(map(len, wire.sent)) < 20_000


@pytest.mark.shared_data
def test_people_of_the_six_clips_are_those_of_watching_them_one_by_one(shared: Path, tmp_path: Path) -> None:
    clips = sorted((shared / "data" / "media").glob("*.gif"))
    for clip in clips:
        watch(clip, location="Harbour", store=tmp_path / "one.db", start=BEGIN, detector="hog")
    table = tmp_path / "where.csv"
    rows = [f"{clip.name},Harbour,,{BEGIN.isoformat()}" for clip in clips]
    table.write_text("\n".join(["file,location,camera,start", *rows]))
    found = archive(clips, locations=table, store=tmp_path / "archive.db", detector="hog", workers=2)
    assert [file.state for file in found.files] == ["stored"] * 6
    assert people_of(_by_camera(tmp_path / "archive.db")) == people_of(_by_camera(tmp_path / "one.db"))


def _by_camera(store: Path) -> list[Window]:
    return sorted(windows_of(store), key=lambda window: (window.key.camera, window.key.start))


@pytest.mark.shared_data
def test_people_of_the_clips_in_one_recording_are_the_same_however_it_is_cut(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FELICITY_YUNET", str(shared / "models" / "face_detection_yunet_2023mar.onnx"))
    film = _joined(sorted((shared / "data" / "media").glob("*.gif")), tmp_path / "film.mp4", rounds=4)
    watch(film, location="Harbour", store=tmp_path / "one.db", start=BEGIN, window=5, detector="yunet")
    table = tmp_path / "where.csv"
    table.write_text(f"file,location,start\nfilm.mp4,Harbour,{BEGIN.isoformat()}\n")
    how: dict[str, Any] = {"locations": table, "window": 5, "piece": 40, "detector": "yunet", "workers": 2}
    found = archive(film, store=tmp_path / "archive.db", **how)
    assert [file.state for file in found.files] == ["stored"]
    assert people_of(windows_of(tmp_path / "archive.db")) == people_of(windows_of(tmp_path / "one.db"))


def _joined(clips: Sequence[Path], path: Path, rounds: int) -> Path:
    """Write the clips one after the other, with a key frame every two seconds."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=Fraction(25, 2))
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 480, 270, "yuv420p", 25
        number = 0
        for clip in [*clips] * rounds:
            with av.open(str(clip)) as opened:
                for decoded in opened.decode(video=0):
                    frame = decoded.reformat(format="yuv420p")
                    frame.pts, frame.time_base, number = number, Fraction(2, 25), number + 1
                    film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path
