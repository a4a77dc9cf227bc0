"""The six clips as live cameras that fail at random, of a group that is killed: the store holds what was sent.

Loops and windows last equally long and go by one clock, so an undisturbed window shows its clip once, whole: it counts
the people of the clip, whatever the moment at which anything began. What cameras sent they write down themselves.
``FELICITY_SOAK_SECONDS=180`` disturbs for three minutes.
"""

from __future__ import annotations

import math
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from felicity.cameras.status import read_status
from felicity.store import RunState, open_store
from felicity.windows import Window
from tests.support.clip_cameras import CLIPS, FPS, LOOP_SECONDS, ClipCamera, check_rtsp_server, clip_cameras, sent
from tests.support.command import environment

SOAK_SECONDS = float(os.environ.get("FELICITY_SOAK_SECONDS", 16))
LOOKED_AT = 6
OPENED_SECONDS = 5.0
"""From the first frame that a camera sends to the first that is looked at: what kind of stream it is must be found."""
WRITTEN_SECONDS = 13.0
"""After its end, a window is in the store: it waits ten seconds for people who have just left."""
LONGEST_OUTAGE = 3.0
LONGEST_PAUSE = 0.5
"""Between two frames: people are followed at 3 frames per second and more."""

Span = tuple[float, float]


class Group:
    """``felicity cameras run`` in processes of its own; ``spans``: when it watched all cameras, and wrote windows."""

    def __init__(self, folder: Path, cameras: dict[str, ClipCamera], weights: Path) -> None:
        self._folder, self.log = folder, (folder / "log").open("w")
        head = f'store = "{folder}/store.db"\nstatus = "{folder}/status.json"\ndetector = "yunet"\n'
        tables = (
            f'[[camera]]\nname = "{name}"\nlocation = "Square"\nsource = "{camera.url}"\nfps = {LOOKED_AT}\n'
            for name, camera in cameras.items()
        )
        (folder / "cameras.toml").write_text(f"{head}window = {LOOP_SECONDS}\n" + "\n".join(tables))
        self._environment = environment(folder, FELICITY_YUNET=str(weights))
        self._process: subprocess.Popen[bytes] | None = None
        self._began = math.inf
        self.spans: list[Span] = []

    def start(self) -> None:
        command = [sys.executable, "-m", "felicity", "cameras", "run", str(self._folder / "cameras.toml")]
        self._process = subprocess.Popen(command, env=self._environment, stderr=self.log, start_new_session=True)
        wait_until(self._watches_all)
        self._began = time.time()

    def end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        now = time.time()
        os.killpg(self._process.pid, number)
        assert self._process.wait(60) == (0 if number is signal.SIGTERM else -number)
        self._process = None
        self.spans.append((self._began, now if number is signal.SIGTERM else now - WRITTEN_SECONDS))

    def starts(self) -> list[int]:
        """The windows that it has watched whole since it was started last."""
        return starts((self._began, time.time() - 1))

    def _watches_all(self) -> bool:
        assert self._process is not None and self._process.poll() is None, (self._folder / "log").read_text()
        told = read_status(self._folder / "status.json")
        if told is None or told.process != self._process.pid:
            return False
        return all(camera.state == "watching" for camera in told.cameras)


@contextmanager
def group_of(folder: Path, cameras: dict[str, ClipCamera], weights: Path) -> Iterator[Group]:
    group = Group(folder, cameras, weights)
    try:
        group.start()
        yield group
    finally:
        group.end(signal.SIGKILL)
        group.log.close()


def wait_until(met: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def disturb(cameras: dict[str, ClipCamera], rng: random.Random, seconds: float) -> int:
    """Cut cameras off and switch them on again for so many seconds; return how often."""
    begin, outages = time.time(), 0
    due = {name: begin + rng.uniform(0, min(seconds, 20)) for name in cameras}
    off = dict.fromkeys(cameras, False)
    while True:
        name = min(due, key=lambda each: due[each])
        if due[name] > begin + seconds and not off[name]:
            due.pop(name)
            if not due:
                return outages
            continue
        time.sleep(max(0.0, due[name] - time.time()))
        off[name] = not off[name]
        if off[name]:
            cameras[name].stop()
            outages += 1
            due[name] = time.time() + rng.uniform(0.1, LONGEST_OUTAGE)
        else:
            cameras[name].start()
            due[name] = time.time() + rng.uniform(4, 30)


def calm(camera: ClipCamera, start: float) -> bool:
    """Whether a camera sent frames all through a window, and before it long enough to be watched when it began."""
    begin, end = start - OPENED_SECONDS, start + LOOP_SECONDS
    times = [begin, *(at for at in camera.sent_at() if begin < at < end), end]
    return max(after - before for before, after in pairwise(times)) < LONGEST_PAUSE


def starts(span: Span) -> list[int]:
    """The windows that lie in a span whole."""
    first = math.ceil(span[0] / LOOP_SECONDS)
    return [number * LOOP_SECONDS for number in range(first, math.floor(span[1] / LOOP_SECONDS))]


def check(camera: ClipCamera, people: int, windows: list[Window], spans: list[Span]) -> int:
    """Compare a camera's windows with what it sent; return how many were compared with the clip itself."""
    at = defaultdict[int, list[Window]](list)
    for window in windows:
        at[int(window.key.start.timestamp())].append(window)
    counted = 0
    for start, found in sorted(at.items()):
        assert len({window.key.run_start for window in found}) == len(found), "once by each run"
        counted += sum(window.frames_seen + window.frames_dropped for window in found)
        assert counted <= sent(camera, 0, start + LOOP_SECONDS), "no frame was counted before it was sent, or twice"
    compared = 0
    for start in (start for span in spans for start in starts(span)):
        if sent(camera, start, start + LOOP_SECONDS) > 1.5 * FPS * OPENED_SECONDS:
            assert at[start], f"frames were sent from {start} on, and there is no window"
        if calm(camera, start):
            (window,) = at[start]
            if window.seconds_covered < LOOP_SECONDS - 1:
                assert not calm(camera, start - LOOP_SECONDS), "it was watched all the time"
                continue
            compared += 1
            assert window.frames_seen > 3 * LOOP_SECONDS, "this machine is too slow for six cameras"
            assert window.people_seen == people, "an undisturbed window shows the clip once"
    return compared


@pytest.mark.shared_data
def test_what_clips_sent_is_in_the_store_once_though_cameras_and_group_were_killed(
    shared: Path, tmp_path: Path
) -> None:
    check_rtsp_server()
    rng, weights = random.Random(19), shared / "models" / "face_detection_yunet_2023mar.onnx"
    with clip_cameras(shared / "data" / "media", tmp_path) as cameras, group_of(tmp_path, cameras, weights) as group:
        outages = disturb(cameras, rng, SOAK_SECONDS * 0.75)
        group.end(signal.SIGKILL)
        group.start()
        outages += disturb(cameras, rng, SOAK_SECONDS * 0.25)
        wait_until(lambda: all(any(calm(each, start) for start in group.starts()) for each in cameras.values()))
        group.end(signal.SIGTERM)
        with open_store(tmp_path / "store.db") as store:
            windows, runs = list(store.windows()), store.runs()
        compared = {
            name: check(cameras[name], people, [w for w in windows if w.key.camera == name], group.spans)
            for name, people in CLIPS.items()
        }
    assert outages >= 6 and min(compared.values()) >= 1, (outages, compared)
    assert {run.state for run in runs} == {RunState.RUNNING, RunState.STOPPED}, "each camera ran twice, in two groups"
    assert sorted(run.camera for run in runs) == sorted([*CLIPS, *CLIPS])
