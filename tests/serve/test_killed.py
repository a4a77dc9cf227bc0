"""The server killed with SIGKILL while cameras push: the store equals that of a run that nothing disturbed.

Each sender repeats a batch until the server has accepted it, as docs/serve.md asks. ``FELICITY_KILLS=50`` kills the
server 50 times.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from felicity import api
from felicity.api.pushing import push_windows
from felicity.store import Store, open_store
from felicity.windows import Location
from tests.store.conftest import postgres_url, url
from tests.store.test_contract import arrays, as_json, check_rollups
from tests.support.command import environment
from tests.support.windows import make_windows

__all__ = ["postgres_url", "url"]

KILLS = int(os.environ.get("FELICITY_KILLS", 2))
PLACES = ("Harbour", "Market")
BATCHES_PER_KILL = 4
"""Batches that each sender has for each kill."""
MINUTES = 20
"""Minutes of each of a location's two cameras in a batch."""

Batch = list[dict[str, Any]]


class Server:
    """``felicity serve`` in a process of its own, which is killed and started again, each time at another port."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder, self.log = url, folder, folder / "log"
        self.address = ""

    def start(self) -> None:
        """Start the server, and wait until it listens."""
        words = [sys.executable, "-m", "felicity", "serve", self._url, "--port", "0", "--rate", "0"]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=log, text=True, env=environment(self._folder)
            )
        assert self._process.stdout
        told = self._process.stdout.readline()
        assert told, self.log.read_text()
        self.address = told.split()[-1]

    def kill(self) -> None:
        """Kill the server with SIGKILL, and wait until it is gone."""
        self._process.kill()
        assert self._process.wait(60) == -signal.SIGKILL
        assert self._process.stdout
        self._process.stdout.close()


class Sender:
    """Pushes batches in their order, each until it is accepted. ``repeated``: batches that were sent more than once."""

    def __init__(self, server: Server, token: str, batches: list[Batch]) -> None:
        self._server, self._token, self._batches = server, token, batches
        self.accepted = self.repeated = 0
        self.stopped = threading.Event()

    def push_all(self) -> None:
        """Push all batches; raises AssertionError if the server refuses a window."""
        for number, batch in enumerate(self._batches, start=1):
            body = json.dumps({"windows": batch, "ended": number == len(self._batches)}).encode()
            attempts = 1
            while (answer := self._ask(body)) is None:
                assert not self.stopped.wait(0.05), "the server has not accepted everything"
                attempts += 1
            self.repeated += attempts > 1
            assert answer["stored"] == len(batch), answer
            self.accepted = number

    def _ask(self, body: bytes) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self._server.address}api/v1/windows", body, headers)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code}: {error.read().decode()}") from None
        except (OSError, http.client.HTTPException, ValueError):  # the server has gone, perhaps within its answer
            return None


def batches(place: str) -> list[Batch]:
    """Return batches that hold windows of two cameras each, so that each is written in two transactions."""
    number = KILLS * BATCHES_PER_KILL
    rng = np.random.default_rng(PLACES.index(place))
    first, second = (
        as_json(make_windows(rng, number * MINUTES, location=place, camera=camera, source=camera, people=2.0))
        for camera in ("east", "west")
    )
    parts = [slice(i * MINUTES, (i + 1) * MINUTES) for i in range(number)]
    return [first[part] + second[part] for part in parts]


def content(store: Store) -> dict[str, Any]:
    """Return everything that a store keeps of windows and runs."""
    groups = {by: store.sums(by) for by in ("hour", "day", "total")}
    return {
        "windows": as_json(store.windows()),
        "runs": sorted((run.location, run.camera, run.windows, run.people, run.state) for run in store.runs()),
        "sums": {by: [each.keys, arrays(each.sums)] for by, each in groups.items()},
    }


@pytest.mark.timeout(300 + 60 * KILLS)
def test_a_server_killed_under_load_loses_and_doubles_no_window(url: str, tmp_path: Path) -> None:
    work = {place: batches(place) for place in PLACES}
    with open_store(tmp_path / "undisturbed.db") as undisturbed:
        undisturbed.add_locations([Location(place) for place in PLACES])
        for place in PLACES:
            for number, batch in enumerate(work[place], start=1):
                push_windows(batch, ended=number == len(work[place]), store=undisturbed)
        expected = content(undisturbed)
    with open_store(url) as store:
        store.add_locations([Location(place) for place in PLACES])
        token = api.add_token("boxes", ["push:*"], store=store).token
    server = Server(url, tmp_path)
    senders = [Sender(server, token, work[place]) for place in PLACES]
    disturb(server, senders)
    with open_store(url) as store:
        assert content(store) == expected
        check_rollups(store)
        pushed = {entry.subject for entry in api.audit_log(store=store) if entry.action == "push"}
        assert pushed == set(PLACES)
    if url.endswith(".db"):
        with closing(sqlite3.connect(url)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert "Traceback" not in server.log.read_text() and token not in server.log.read_text()


def disturb(server: Server, senders: list[Sender]) -> None:
    """Let the senders push all they have, and kill the server at random moments meanwhile."""
    rng = random.Random(0)
    server.start()
    with ThreadPoolExecutor(len(senders)) as threads:
        try:
            pushing = [threads.submit(sender.push_all) for sender in senders]
            for kill in range(KILLS):
                wait_for(kill * BATCHES_PER_KILL * len(senders), senders, pushing)
                time.sleep(rng.uniform(0, 0.05))
                assert not all(each.done() for each in pushing), "the server is killed while somebody pushes"
                server.kill()
                server.start()
            for each in pushing:
                each.result()
        finally:
            for sender in senders:
                sender.stopped.set()
            server.kill()
    print(f"{KILLS} kills, {sum(sender.repeated for sender in senders)} batches sent more than once")


def wait_for(accepted: int, senders: list[Sender], pushing: list[Future[None]]) -> None:
    """Wait until the senders have had so many batches accepted together."""
    while sum(sender.accepted for sender in senders) < accepted:
        for each in pushing:
            if each.done():
                each.result()
        time.sleep(0.01)
