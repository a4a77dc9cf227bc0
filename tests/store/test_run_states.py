"""What became of a run: running, ended, stopped, lost; in stores of before, and in every kind of store."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from felicity.errors import SchemaError
from felicity.store import RunState, Store, WatchRun, open_store
from felicity.store.migrations import HEAD
from felicity.store.runs import LOST_AFTER
from felicity.windows.columns import SEEING_COLUMNS
from tests.support.windows import MIDNIGHT, make_windows

CHECKOUT = Path(__file__).parents[2]
NOW = 1_800_000_000

VICTIM = """
import sys, time
from datetime import UTC, datetime
from felicity.store import open_store
with open_store(sys.argv[1]) as store:
    store.begin_run("Harbour", "quay", "0", datetime(2026, 5, 4, tzinfo=UTC), "model-1")
    print("begun", flush=True)
    time.sleep(600)
"""


def begin(store: Store) -> WatchRun:
    return store.begin_run("Harbour", "quay", "quay.mp4", MIDNIGHT, "model-1")


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW + seconds)


def state(store: Store) -> RunState:
    (run,) = store.runs()
    return run.state


def test_a_run_is_running_until_its_heartbeats_stay_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = LOST_AFTER.total_seconds()
    set_clock(monkeypatch, 0)
    run = begin(store)
    (record,) = store.runs()
    assert (record.state, record.ended) == ("running", None)
    assert record.heartbeat == datetime.fromtimestamp(NOW, UTC)
    set_clock(monkeypatch, limit)
    assert state(store) is RunState.RUNNING
    set_clock(monkeypatch, limit + 1)
    assert state(store) is RunState.LOST
    store.heartbeat(run)
    assert state(store) is RunState.RUNNING
    set_clock(monkeypatch, 2 * limit + 2)
    assert state(store) is RunState.LOST
    store.write_windows(run, make_windows(np.random.default_rng(1), 2))
    assert state(store) is RunState.RUNNING, "windows are heartbeats too"


@pytest.mark.parametrize("end", [RunState.ENDED, RunState.STOPPED, RunState.LOST])
def test_the_end_of_a_run_stays_until_it_is_begun_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, end: RunState
) -> None:
    set_clock(monkeypatch, 0)
    store.finish_run(begin(store), end)
    set_clock(monkeypatch, 10**6)
    (record,) = store.runs()
    assert (record.state, record.ended) == (end, datetime.fromtimestamp(NOW, UTC))
    begin(store)
    (record,) = store.runs()
    assert (record.state, record.ended) == ("running", None)


def test_a_stopped_run_keeps_what_it_wrote_when_it_was_run_before(store: Store) -> None:
    windows = make_windows(np.random.default_rng(1), 10)
    store.write_windows(begin(store), windows)
    again = begin(store)
    store.write_windows(again, windows[:3])
    store.finish_run(again, RunState.STOPPED)
    assert len(list(store.windows())) == 10
    store.finish_run(again)
    assert len(list(store.windows())) == 3


def test_a_killed_process_leaves_a_lost_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "store.db"
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT / "src")}
    arguments = [sys.executable, "-c", VICTIM, str(file)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        process.kill()
    with open_store(file) as store:
        assert state(store) is RunState.RUNNING
        later = time.time() + LOST_AFTER.total_seconds() + 1
        monkeypatch.setattr(time, "time", lambda: later)
        assert state(store) is RunState.LOST
        store.begin_run("Harbour", "quay", "0", datetime(2026, 5, 4, tzinfo=UTC), "model-1")
        assert state(store) is RunState.RUNNING, "the run begun again takes its place"


def test_a_store_of_before_is_brought_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    windows = make_windows(np.random.default_rng(1), 5)
    with open_store(file) as store:
        store.write_windows(begin(store), windows)
        store.finish_run(store.begin_run("Harbour", "quay", "other.mp4", MIDNIGHT, "model-1"))
    with closing(sqlite3.connect(file)) as before, before:
        before.execute("ALTER TABLE runs ADD COLUMN finished BOOLEAN NOT NULL DEFAULT 0")
        before.execute("UPDATE runs SET finished = (state = 'ended')")
        for column in ("state", "heartbeat", "ended", "recording", "folded"):
            before.execute(f"ALTER TABLE runs DROP COLUMN {column}")
        before.execute("ALTER TABLE models DROP COLUMN detector")
        for table in ("windows", "hours", "days"):
            for kept in SEEING_COLUMNS:
                before.execute(f"ALTER TABLE {table} DROP COLUMN {kept.name}")
        for table in (
            "lost_windows",
            "published_days",
            "published_matrices",
            "crowds",
            "releases",
            "tokens",
            "audit",
            "sessions",
            "users",
        ):
            before.execute(f"DROP TABLE {table}")
        for table in ("folded", "retention"):
            before.execute(f"DROP TABLE {table}")
        before.execute("DROP INDEX ix_windows_waiting")
        before.execute("ALTER TABLE windows DROP COLUMN crowd")
        before.execute("UPDATE felicity_version SET version_num = '0001'")
    with open_store(file) as store:
        states = {run.source: (run.state, run.heartbeat, run.ended) for run in store.runs()}
        assert states == {"quay.mp4": ("lost", None, None), "other.mp4": ("ended", None, None)}
        assert [window.to_json() for window in store.windows()] == [window.to_json() for window in windows]
        store.heartbeat(begin(store))
    with closing(sqlite3.connect(file)) as after, after:
        after.execute(f"UPDATE felicity_version SET version_num = '{int(HEAD) + 1:04}'")
    with pytest.raises(
        SchemaError, match=f"has schema {int(HEAD) + 1:04}, this version of Felicity knows schemas up to {HEAD}"
    ):
        open_store(file)
