"""A live watch on a made-up clock: minutes close when they are over, runs say what became of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from felicity.errors import SourceError
from felicity.faces.registry import open_detector
from felicity.recognition.classifier import Classifier
from felicity.sources import Frame, Source, SourceStats
from felicity.sources._live import LiveSource, Picture
from felicity.sources.registry import SourceOptions
from felicity.store import Store, open_store
from felicity.watching.watch import Watch, WatchSummary
from tests.support.people import scene

NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)


class Camera:
    """Stands for a live source; the test hands its frames to the watch itself."""

    source_id, live, stills, recording = "camera 0", True, False, None

    def __init__(self) -> None:
        self.stats = SourceStats()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.open()


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def frame(seconds: float, *, people: bool = True) -> Frame:
    image = scene((40, 60), width=320, height=300) if people else np.zeros((300, 320, 3), np.uint8)
    return Frame(image, at(seconds), "camera 0", int(seconds * 10))


def begin(store: Store, classifier: Classifier) -> Watch:
    summary = WatchSummary("Harbour", "quay", "camera 0", "hog")
    return Watch(
        cast(Source, Camera()), NINE, store=store, classifier=classifier, detector=open_detector("hog"),
        summary=summary, say=summary.notes.append,
    )  # fmt: skip


def kept(store: Store) -> list[tuple[datetime, int, int]]:
    return [(window.key.start, window.people_seen, window.frames_seen) for window in store.windows()]


def test_a_minute_is_written_on_time_though_no_frame_comes(store: Store, classifier: Classifier) -> None:
    with begin(store, classifier) as watch:
        for second in range(0, 30, 5):
            watch.step(frame(second))
            watch.step(frame(second + 0.3))
        for second in range(26, 70):
            watch.tick(at(second))
        assert kept(store) == []
        watch.tick(at(70))
        assert [(start, frames) for start, _, frames in kept(store)] == [(NINE, 12)]
        assert kept(store)[0][1] == watch.summary.people_seen >= 1, "who was in view has left"
        watch.step(frame(59, people=False))  # late: its minute is given out already
        watch.tick(at(131))
        assert [(start, frames) for start, _, frames in kept(store)] == [(NINE, 12), (at(60), 1)]
    assert sum(frames for _, _, frames in kept(store)) == 13, "counted once"


def test_a_run_is_stopped_ended_or_lost(store: Store, classifier: Classifier) -> None:
    def state() -> str:
        return str(max(store.runs(), key=lambda run: run.id).state)

    with begin(store, classifier) as watch:
        watch.step(frame(0, people=False))
        assert state() == "running"
    assert state() == "stopped" and len(kept(store)) == 1
    with begin(store, classifier) as watch:
        watch.summary.complete = True
    assert state() == "ended"
    with pytest.raises(SourceError), begin(store, classifier) as watch:
        watch.step(frame(0, people=False))
        raise SourceError("camera 0 is lost")
    assert state() == "lost" and kept(store), "what was seen before is written"


def test_an_idle_watch_gives_a_heartbeat_a_minute(
    store: Store, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[Any] = []
    monkeypatch.setattr(store, "heartbeat", beats.append)
    with begin(store, classifier) as watch:
        began = time.monotonic()
        for second in range(0, 200, 10):
            monkeypatch.setattr(time, "monotonic", lambda second=second: began + second)
            watch.tick(at(second))
        assert len(beats) == 3


class Silent(LiveSource):
    """Connects, and gives no picture until it is stopped."""

    kind, rank = "silent", 99

    @classmethod
    def claims(cls, source: str) -> bool:
        return False

    @classmethod
    def open(cls, source: str, options: SourceOptions) -> Silent:
        return cls(source, options)

    def _pictures(self) -> Iterator[Picture | None]:
        self._stopping.wait(10)
        yield None


def test_a_live_source_calls_while_no_frame_comes() -> None:
    calls = 0
    with Silent("silent", SourceOptions()) as source:

        def idle() -> None:
            nonlocal calls
            calls += 1
            if calls == 2:
                source.stop()

        source.on_idle = idle
        assert list(source) == [] and calls == 2
