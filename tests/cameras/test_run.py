"""``felicity cameras run`` with cameras that misbehave: each has its state and a sentence, and the others go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from felicity.cameras import camera as camera_module
from felicity.cameras import health
from felicity.cameras import supervisor as supervisor_module
from felicity.cameras.log import Log
from felicity.cameras.status import read_status
from felicity.cameras.supervisor import Supervisor
from felicity.errors import StoreError
from felicity.schemas.cameras import CamerasStatusShape
from felicity.store import open_store
from tests.support.command import environment
from tests.support.mjpeg_server import MjpegServer
from tests.support.odd_cameras import OddCameras, noise


def wait_until(met: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


class Group:
    """Cameras that are watched in a thread of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._said = folder, StringIO()
        self.supervisor = Supervisor(folder / "cameras.toml", log=Log("json", self._said))
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.supervisor.run()
        except BaseException as error:
            self._failure = error

    def until(self, met: Callable[[CamerasStatusShape], bool]) -> CamerasStatusShape:
        """Wait for a status, and return it."""
        told: CamerasStatusShape | None = None

        def reached() -> bool:
            nonlocal told
            assert self._failure is None, self._failure
            told = read_status(self.folder / "status.json")
            return told is not None and told.running and met(told)

        wait_until(reached)
        assert told is not None
        return told

    def events(self, *names: str) -> list[dict[str, Any]]:
        """The lines of the log with these events."""
        lines = [json.loads(line) for line in self._said.getvalue().splitlines()]
        return [line for line in lines if line["event"] in names]

    def end(self) -> None:
        """Stop, and raise what ended it."""
        self.supervisor.stop()
        self._thread.join(60)
        if self._failure is not None:
            raise self._failure


@contextmanager
def running(folder: Path, text: str) -> Iterator[Group]:
    (folder / "cameras.toml").write_text(before(folder) + text)
    group = Group(folder)
    try:
        yield group
    finally:
        group.supervisor.stop()
        group._thread.join(60)


def before(folder: Path) -> str:
    return f'detector = "hog"\nwindow = 2\nstatus = "{folder}/status.json"\nstore = "{folder}/store.db"\n'


def camera(name: str, source: str, more: str = "") -> str:
    return f'[[camera]]\nname = "{name}"\nlocation = "Harbour"\nsource = "{source}"\nfps = 10\n{more}\n'


EXPECTED = {
    "good": ("watching", ""),
    "garbage": ("stalled", "came for 2 s"),
    "frozen": ("stalled", "its picture has not changed for 2 s"),
    "resizes": ("watching", ""),
    "flood": ("watching", ""),
    "jumps": ("watching", ""),
    "password": ("offline", "401"),
    "loop": ("offline", ""),
    "black": ("stalled", "its picture is black"),
    "nowhere": ("offline", "there is no host of this name"),
    "refused": ("offline", "connection refused"),
    "secretless": ("offline", "the environment variable NOT_SET is not set"),
    "school": ("offline", "is refused by its name"),
    "night": ("offline", "not expected until"),
    "off": ("disabled", ""),
}


def test_each_bad_camera_has_a_state_and_a_sentence_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "BLACK_SECONDS", 2.0)
    with OddCameras() as odd:
        paths = ("good", "garbage", "frozen", "resizes", "flood", "jumps", "password", "loop", "black")
        text = "".join(camera(path, odd.url(path), "frozen_seconds = 2\nstall_seconds = 2") for path in paths)
        text += camera("nowhere", "http://nowhere.invalid/stream") + camera("refused", "http://127.0.0.1:9/stream")
        text += camera("secretless", odd.url("good"), 'user = "root"\npassword_env = "NOT_SET"')
        text += camera("school", odd.url("good")).replace("Harbour", "Primary School")
        text += camera("night", odd.url("good"), 'expected_offline = ["00:00-12:00", "12:00-00:00"]')
        text += camera("off", odd.url("good"), "enabled = false")
        with running(tmp_path, text) as group:
            wanted = {name: state for name, (state, _) in EXPECTED.items()}
            told = group.until(lambda told: {each.name: each.state for each in told.cameras} == wanted)
            group.end()
    for each in told.cameras:
        state, words = EXPECTED[each.name]
        assert words in each.why and (each.why or state in ("watching", "disabled")), each
        assert each.fps <= 11, "no more than was asked for"
    with open_store(tmp_path / "store.db") as store:
        windows = list(store.windows())
    seen = {name: sum(w.frames_seen for w in windows if w.key.camera == name) for name in EXPECTED}
    assert {name for name, frames in seen.items() if frames} <= {"good", "resizes", "flood", "jumps", "frozen", "black"}
    assert seen["frozen"] < seen["good"], "a frozen picture is not looked at"
    assert len({(window.key.camera, window.key.start) for window in windows}) == len(windows), "each window once"
    assert {event["camera"] for event in group.events("camera-state")} == set(EXPECTED)
    assert not group.events("frame-failed")


def test_a_changed_file_touches_only_changed_cameras(tmp_path: Path) -> None:
    file = tmp_path / "cameras.toml"
    with OddCameras() as odd:
        quay, pier, lane = (camera(name, odd.url("good")) for name in ("quay", "pier", "lane"))
        with running(tmp_path, quay + pier) as group:
            first = group.until(lambda told: {each.state for each in told.cameras} == {"watching"})
            file.write_text(before(tmp_path) + "colour = 1\n")
            wait_until(lambda: bool(group.events("cameras-refused")))
            file.write_text(before(tmp_path) + quay + lane)
            second = group.until(lambda told: [(e.name, e.state) for e in told.cameras][1:] == [("lane", "watching")])
            assert second.cameras[0].since == first.cameras[0].since and second.cameras[0].reconnects == 0
            group.end()
    with open_store(tmp_path / "store.db") as store:
        runs = store.runs()
    assert sorted((run.camera, str(run.state)) for run in runs) == [(n, "stopped") for n in ("lane", "pier", "quay")]
    assert (told := read_status(tmp_path / "status.json")) and not told.running


def test_a_decoder_that_hangs_or_dies_is_started_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "SILENT_SECONDS", 2.0)
    with OddCameras() as odd:
        text = "".join(camera(name, odd.url("good"), "stall_seconds = 1") for name in ("quay", "pier"))
        with running(tmp_path, text) as group:
            group.until(lambda told: {each.state for each in told.cameras} == {"watching"})
            for name, number in (("quay", signal.SIGSTOP), ("pier", signal.SIGKILL)):
                pid = group.supervisor.camera(name).decoder_pid
                assert pid is not None
                os.kill(pid, number)
            told = group.until(lambda told: all(each.reconnects == 1 for each in told.cameras))
            group.until(lambda told: {each.state for each in told.cameras} == {"watching"})
            group.end()
    said = {event["camera"]: event["text"] for event in group.events("camera-state") if "decoder" in event["text"]}
    assert "its decoder hung for" in said["quay"] and "the decoder ended unexpectedly" in said["pier"]
    assert len(told.cameras) == 2


def test_a_camera_that_falls_silent_is_stalled_then_offline_then_watched_again(tmp_path: Path) -> None:
    frames = [noise(number) for number in range(20)]
    with (
        MjpegServer(frames, fps=10, stall_after=20) as lamp,
        running(tmp_path, camera("lamp", lamp.url, "stall_seconds = 3")) as group,
    ):
        wait_until(lambda: any(e["text"].startswith("stalled: no") for e in group.events("camera-state")))
        lamp.stop()
        group.until(lambda told: told.cameras[0].state == "offline")
        lamp.stall_after = None
        lamp.start()
        told = group.until(lambda told: told.cameras[0].state == "watching" and told.cameras[0].reconnects >= 1)
        assert told.cameras[0].why == ""


def test_windows_that_no_store_took_are_said_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "DRAIN_SECONDS", 0.2)
    (tmp_path / "store.db").mkdir()
    with OddCameras() as odd, running(tmp_path, camera("quay", odd.url("good"))) as group:
        group.until(lambda told: told.cameras[0].last_frame is not None)
        with pytest.raises(StoreError, match="windows were not written and are lost"):
            group.end()


def test_a_killed_group_leaves_no_process_and_is_started_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "felicity", "cameras", "run", str(tmp_path / "cameras.toml")]
    with OddCameras() as odd, (tmp_path / "log").open("w") as log:
        (tmp_path / "cameras.toml").write_text(before(tmp_path) + camera("quay", odd.url("good")))
        for number in (signal.SIGKILL, signal.SIGTERM):
            group = subprocess.Popen(command, env=environment(tmp_path), stderr=log)
            try:
                wait_until(partial(_has_looked, tmp_path, group.pid))
                group.send_signal(signal.SIGHUP)
                below = _below(group.pid)
                assert len(below) >= 3, "forkserver, resource tracker, decoder"
                group.send_signal(number)
                assert group.wait(60) == (-number if number == signal.SIGKILL else 0), (tmp_path / "log").read_text()
                wait_until(partial(_are_gone, below))
            finally:
                group.kill()
    with open_store(tmp_path / "store.db") as store:
        assert {str(run.state): run.windows > 0 for run in store.runs()} == {"running": False, "stopped": True}


def _has_looked(folder: Path, pid: int) -> bool:
    told = read_status(folder / "status.json")
    return told is not None and told.process == pid and told.cameras[0].last_frame is not None


def _are_gone(processes: set[int]) -> bool:
    return not any(Path(f"/proc/{process}").exists() for process in processes)


def _below(pid: int) -> set[int]:
    """The processes that a process started, and those started by them."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}
