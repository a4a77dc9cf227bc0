"""What a watch does when the store fails, seen from inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from felicity.errors import ConfigError, StoreError
from felicity.imaging.encode import VideoWriter
from felicity.notes import Note
from felicity.recognition.classifier import Classifier
from felicity.sources import Frame, Source
from felicity.sources.registry import open_source
from felicity.store import WatchRun, open_store
from felicity.store.store import Store
from felicity.watching.watch import WatchSummary, watch_source
from felicity.windows import Window
from tests.support.people import faces_clip, scene

START = datetime(2026, 5, 4, 9, tzinfo=UTC)


class Failing:
    """Makes the given writes of a store fail, by number from 0, as a full disk would."""

    def __init__(self, store: Store, failing: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        write = store.write_windows

        def write_windows(run: WatchRun, windows: Sequence[Window]) -> None:
            self.calls += 1
            if self.calls - 1 in failing:
                raise StoreError("no room is left on the disk")
            write(run, windows)

        monkeypatch.setattr(store, "write_windows", write_windows)


class Repeating:
    """The frames of a clip, with the same picture from one of them on."""

    def __init__(self, clip: Path, number: int) -> None:
        self._source, self._number = open_source(clip, start=START), number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def __enter__(self) -> Repeating:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def __iter__(self) -> Iterator[Frame]:
        picture = None
        for frame in self._source:
            if frame.number == self._number:
                picture = frame.image_rgb_u8
            yield frame if picture is None else replace(frame, image_rgb_u8=picture)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faces_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=40, fps=1)


def watch(clip: Path, store: Store, notes: list[Note]) -> WatchSummary:
    with open_source(clip, start=START) as source:
        return watch_source(
            source, location="Harbour", camera="c", store=store, classifier=Classifier.open(),
            detector="hog", seconds=10, on_note=notes.append,
        )  # fmt: skip


def test_a_full_disk_in_the_middle_loses_and_doubles_nothing(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[Note] = []
    with open_store(str(tmp_path / "whole.db")) as store:
        whole = watch(clip, store, notes)
        expected = store.sums("minute").sums
    assert notes == [] and whole.windows == 4
    with open_store(str(tmp_path / "failing.db")) as store:
        failing = Failing(store, {0}, monkeypatch)
        summary = watch(clip, store, notes)
        found = store.sums("minute").sums
    assert failing.calls > 1 and summary.windows == 4 and summary.unsaved == 0
    assert len(notes) == 1 and "no room is left" in notes[0].text and "wait in memory" in notes[0].text
    assert found.people_seen.sum() == expected.people_seen.sum() == whole.people_seen
    assert found.windows.sum() == expected.windows.sum() == 4


def test_a_disk_that_stays_full_is_an_error_and_says_how_much_is_missing(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[Note] = []
    with open_store(str(tmp_path / "store.db")) as store:
        Failing(store, set(range(1, 100)), monkeypatch)
        with pytest.raises(StoreError, match="no room is left"):
            watch(clip, store, notes)
        assert store.sums("minute").sums.windows.sum() == 1, "what was stored before is there"


def test_a_recording_counts_once_under_whatever_name_and_start(clip: Path, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db")) as store:
        notes: list[Note] = []
        watch(clip, store, notes)
        people = store.runs()[0].people
        copy = tmp_path / "copy.mp4"
        copy.write_bytes(clip.read_bytes())
        with pytest.raises(
            ConfigError, match=r"run 1 has counted this recording at 'Harbour' already, .* runs remove 1"
        ):
            watch(copy, store, notes)
        watch(clip, store, notes)
        assert [run.people for run in store.runs()] == [people], "the same file and start are counted again"


def test_a_guessed_start_is_said_and_an_impossible_one_refused(clip: Path) -> None:
    with open_source(clip) as source:
        (note,) = source.stats.notes
    assert note.code == "start-guessed" and "give --start to be sure" in note.text
    with pytest.raises(ConfigError, match="start lies in the future"):
        open_source(clip, start=datetime.now(UTC) + timedelta(days=400))


def test_a_frozen_picture_is_noticed_and_nobody_is_judged_in_it(tmp_path: Path) -> None:
    clip = tmp_path / "frozen.mp4"
    with VideoWriter(clip) as video:
        for i in range(100):  # for 16 of 20 seconds, the person who just came stays as a picture
            video.write(scene((40 + 8 * min(i, 20), 60), width=464, height=280), i / 5)
    # Coded for the eye, pictures of a still scene differ: a camera that hangs sends the same one.
    frames = Repeating(clip, 21)
    notes: list[Note] = []
    with open_store(str(tmp_path / "s.db")) as store, frames as source:
        summary = watch_source(
            cast(Source, source), location="Harbour", camera="c", store=store, classifier=Classifier.open(),
            detector="hog", on_note=notes.append,
        )  # fmt: skip
        sums = store.sums().sums
    assert (summary.frames, summary.frozen, summary.people_seen) == (100, 69, 1)
    assert (int(sums.frames_seen[0]), int(sums.frames_frozen[0]), int(sums.sized[0])) == (100, 69, 1)
    assert sums.seconds_covered[0] == pytest.approx(6.0, abs=0.3)
    (note,) = [note for note in notes if note.code == "frames-frozen"]
    assert "stood still in 69 of 100 frames" in note.text
