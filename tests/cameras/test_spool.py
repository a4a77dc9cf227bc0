"""Windows on their way into a store that is away for a while: none is lost, none is written twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from felicity.cameras import spool
from felicity.cameras.spool import Spool
from felicity.errors import StoreError
from felicity.notes import Note
from felicity.store import RunState, Store, WatchRun, open_store
from felicity.windows import Window
from tests.support.windows import make_windows


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "FIRST_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(spool, "LONGEST_RETRY_SECONDS", 0.02)


def windows_of(camera: str, minutes: int = 5) -> list[Window]:
    return make_windows(np.random.default_rng(1), minutes, camera=camera)


def begun(into: Spool | Store, windows: list[Window]) -> WatchRun:
    key = windows[0].key
    into.save_model(key.model)
    return into.begin_run(key.location, key.camera, key.source, key.run_start, key.model)


def wait_until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not met():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_windows_wait_until_the_store_is_there(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    said: list[Note] = []
    waiting = Spool(str(tmp_path / "store.db"), said.append)
    for camera in ("quay", "pier"):
        windows = windows_of(camera)
        run = begun(waiting, windows)
        waiting.heartbeat(run)
        for window in windows:
            waiting.write_windows(run, [window])
        waiting.finish_run(run, RunState.STOPPED)
    assert waiting.waiting == 10 and waiting.trouble and waiting.written == {}
    (tmp_path / "store.db").rmdir()
    wait_until(lambda: not waiting.waiting and not waiting.trouble)
    assert waiting.close(5) == 0
    assert [note.code for note in said] == ["windows-waiting", "store-back"]
    with open_store(tmp_path / "store.db") as store:
        assert sorted((run.camera, str(run.state), run.windows) for run in store.runs()) == [
            ("pier", "stopped", 5),
            ("quay", "stopped", 5),
        ]
        assert [w.to_json() for w in store.windows() if w.key.camera == "quay"] == [
            window.to_json() for window in windows_of("quay")
        ]


def test_a_disk_that_fills_up_and_a_write_of_which_nobody_heard_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Note] = []
    into = Spool(str(tmp_path / "store.db"), said.append)
    windows = windows_of("quay")
    write = Store.write_windows
    attempts = 0

    def heard_of_late(self: Store, run: WatchRun, added: list[Window]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts % 3 != 1:
            write(self, run, added)
        if attempts % 3 != 0:
            raise StoreError("store: writing windows failed: database or disk is full")

    monkeypatch.setattr(Store, "write_windows", heard_of_late)
    run = begun(into, windows)
    for window in windows:
        into.write_windows(run, [window])
    wait_until(lambda: not into.waiting and not into.trouble)
    into.close(5)
    assert attempts >= 3 and "disk is full" in said[0].text
    with open_store(tmp_path / "store.db") as store:
        assert [window.to_json() for window in store.windows()] == [window.to_json() for window in windows]


def test_one_run_that_the_store_refuses_does_not_hold_up_the_others(tmp_path: Path) -> None:
    into = Spool(str(tmp_path / "store.db"), lambda note: None)
    quay, pier = windows_of("quay"), windows_of("pier")
    run = begun(into, quay)
    into.write_windows(run, quay[:2])
    wait_until(lambda: not into.waiting)
    with open_store(tmp_path / "store.db") as store:
        store.remove_runs([each.id for each in store.runs()])
    into.write_windows(run, quay[2:])
    into.write_windows(begun(into, pier), pier)
    wait_until(lambda: not into.waiting)
    into.close(5)
    with open_store(tmp_path / "store.db") as store:
        assert {each.camera: each.windows for each in store.runs()} == {"quay": 3, "pier": 5}


def test_of_too_many_windows_the_oldest_are_given_up_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST_WAITING", 6)
    (tmp_path / "store.db").mkdir()
    said: list[Note] = []
    into = Spool(str(tmp_path / "store.db"), said.append)
    runs = {camera: (windows_of(camera), begun(into, windows_of(camera))) for camera in ("quay", "pier")}
    for minute in range(5):
        for windows, run in runs.values():
            into.write_windows(run, [windows[minute]])
    assert (into.waiting, into.lost) == (6, 4)
    (tmp_path / "store.db").rmdir()
    wait_until(lambda: not into.waiting and not into.trouble)
    into.close(5)
    assert [note.code for note in said] == ["windows-waiting", "windows-lost", "store-back"]
    assert "4 of the oldest were lost" in said[-1].text
    with open_store(tmp_path / "store.db") as store:
        kept = {camera: [w.to_json() for w in store.windows() if w.key.camera == camera] for camera in runs}
    assert kept == {camera: [w.to_json() for w in windows[2:]] for camera, (windows, _) in runs.items()}


def test_what_the_store_never_took_is_counted(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    into = Spool(str(tmp_path / "store.db"), lambda note: None)
    windows = windows_of("quay")
    into.write_windows(begun(into, windows), windows)
    assert into.close(0.1) == 5
