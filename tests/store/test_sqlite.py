"""What can happen to a file: killed processes, full disks, other files, other writers."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from felicity import paths
from felicity.errors import ConfigError, ExtraMissingError, SchemaError, StoreError
from felicity.store import open_store
from felicity.store.engine import parse_url
from felicity.windows import Location
from tests.support.windows import MIDNIGHT, make_windows

CHECKOUT = Path(__file__).parents[2]

# A watch in small: writes window after window, and says so after each commit.
WRITER = """
import sys
import numpy as np
from felicity.store import open_store
from tests.support.windows import make_windows

windows = make_windows(np.random.default_rng(1), 200)
key = windows[0].key
with open_store(sys.argv[1]) as store:
    run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
    for window in windows:
        store.write_windows(run, [window])
        print(window.key.start.isoformat(), flush=True)
    store.finish_run(run)
"""


def test_killed_in_the_middle_and_run_again_equals_an_undisturbed_run(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    environment = {**os.environ, "PYTHONPATH": f"{CHECKOUT / 'src'}{os.pathsep}{CHECKOUT}"}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(25)]
        process.kill()
    windows = make_windows(np.random.default_rng(1), 200)
    with open_store(str(file)) as store:
        kept = list(store.windows())
        assert len(said) <= len(kept) < len(windows), "what was committed is there, killed before the end"
        assert [w.to_json() for w in kept] == [w.to_json() for w in windows[: len(kept)]]
        assert store.sums("total").sums.people_seen.tolist() == [sum(w.people_seen for w in kept)]
        key = windows[0].key
        run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
        store.write_windows(run, windows[:120])
        store.write_windows(run, windows[120:])
        store.finish_run(run)
        assert [w.to_json() for w in store.windows()] == [w.to_json() for w in windows]
        assert store.sums("total").sums.people_seen.tolist() == [sum(w.people_seen for w in windows)]


def test_a_full_disk_keeps_what_is_there_and_the_window_can_be_written_later(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "store.db")) as store:
        windows = make_windows(np.random.default_rng(1), 600)
        key = windows[0].key
        run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
        store.write_windows(run, windows[:50])
        with store._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(StoreError, match="disk is full; nothing of it was kept, make room and try again"):
            store.write_windows(run, windows[50:])
        assert [w.to_json() for w in store.windows()] == [w.to_json() for w in windows[:50]]
        assert store.sums("total").sums.windows.tolist() == [50]
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        store.write_windows(run, windows[50:])
        store.finish_run(run)
        assert [w.to_json() for w in store.windows()] == [w.to_json() for w in windows]


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow, as on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_store_on_a_full_disk_can_be_read(tmp_path: Path) -> None:
    windows = make_windows(np.random.default_rng(1), 60)
    key = windows[0].key
    with open_store(tmp_path / "store.db") as store:
        run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
        store.write_windows(run, windows)
        store.finish_run(run)
    with no_room():
        with open_store(tmp_path / "store.db", create=False) as store:
            assert [run.state for run in store.runs()] == ["ended"]
            assert store.sums("total").sums.windows.tolist() == [60]
            with pytest.raises(StoreError, match="nothing of it was kept"):
                store.add_location(Location("Elsewhere"))
        with pytest.raises(StoreError, match="nothing of it was kept"):
            open_store(tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists(), "an empty file would stay behind"
    with open_store(tmp_path / "store.db") as store:
        store.add_location(Location("Elsewhere"))
        assert [w.to_json() for w in store.windows()] == [w.to_json() for w in windows]


def test_a_writer_that_does_not_end_is_waited_for_and_then_said(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    windows = make_windows(np.random.default_rng(1), 3)
    key = windows[0].key
    with open_store(str(file), busy_seconds=0.1) as store:
        run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
        other = sqlite3.connect(file, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="database is locked; another process is writing"):
                store.write_windows(run, windows)
            assert list(store.windows()) == [], "readers do not wait"
            other.execute("COMMIT")
        finally:
            other.close()
        store.write_windows(run, windows)
        assert len(list(store.windows())) == 3


def test_a_file_that_is_not_a_store(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("These are notes, and no database at all. " * 50)
    with pytest.raises(StoreError, match=r"notes\.txt.*file is not a database; choose another file"):
        open_store(str(file))
    assert file.read_text().startswith("These are notes")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="its folder cannot be made"):
        open_store(str(tmp_path / "file" / "store.db"))
    with pytest.raises(StoreError, match="opening it failed"):
        open_store(str(tmp_path))


def test_a_table_of_somebody_else(tmp_path: Path) -> None:
    file = tmp_path / "theirs.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE locations (id INTEGER)")
    connection.close()
    before = file.read_bytes()
    for create in (True, False):
        with pytest.raises(StoreError, match=r"is a database of another program, with locations in it; choose another"):
            open_store(str(file), create=create)
        assert file.read_bytes() == before and [path.name for path in tmp_path.iterdir()] == ["theirs.db"]


def test_who_only_reads_makes_no_store_of_an_empty_file(tmp_path: Path) -> None:
    file = tmp_path / "empty.db"
    file.touch()
    with pytest.raises(StoreError, match="there is no store in it; name another one"):
        open_store(str(file), create=False)
    assert file.read_bytes() == b""
    with open_store(str(file)) as store, store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_site_types_of_older_rules_are_read_and_can_be_changed() -> None:
    with open_store("sqlite:///:memory:") as store:
        store.add_location(Location("Harbour", site_type="park"))
        with store._write("as an older version did") as connection:
            connection.exec_driver_sql("UPDATE locations SET site_type = 'offices'")
        (place,) = store.locations()
        assert place.site_type == "offices"
        store.add_location(replace(place, site_type="street"), update=True)
        assert [place.site_type for place in store.locations()] == ["street"]
        with pytest.raises(ConfigError, match="is refused"):
            replace(place, population=3)


def test_a_store_may_be_in_memory() -> None:
    with open_store("sqlite:///:memory:") as store:
        store.add_location(Location("Harbour"))
        assert [place.name for place in store.locations()] == ["Harbour"]


def test_the_default_is_a_file_of_ones_own() -> None:
    with open_store() as store:
        assert store.url == f"sqlite:///{paths.home() / 'felicity.db'}"
    assert (paths.home() / "felicity.db").is_file()


def test_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store("some store.db"), open_store("sqlite:///some store.db"):
        assert [file.name for file in tmp_path.glob("*.db")] == ["some store.db"]
    for url in ("postgresql://a@b/c", "postgres://a@b/c", "postgresql+psycopg2://a@b/c"):
        assert parse_url(url).drivername == "postgresql+psycopg"
    for url, message in (
        ("mysql://a@b/c", "SQLite or PostgreSQL, not 'mysql'"),
        ("sqlite://", "needs a file"),
        ("postgresql://a:b:c@d:e/f", "cannot be read"),
    ):
        with pytest.raises(ConfigError, match=message):
            open_store(url)


def test_no_password_in_any_message() -> None:
    with pytest.raises(StoreError, match="opening it failed") as caught:
        open_store("postgresql://someone:s3cret@127.0.0.1:9/nowhere")
    assert "s3cret" not in str(caught.value) and "someone" not in str(caught.value)


def test_without_the_package_for_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ExtraMissingError, match=r"felicity\[postgres\]"):
        open_store("postgresql://someone@127.0.0.1/nowhere")


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    open_store(str(file)).close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE felicity_version SET version_num = '0999'")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(SchemaError):
        open_store(str(file))
    assert file.read_bytes() == before


def test_one_run_begun_twice_at_once_ends_as_one(tmp_path: Path) -> None:
    windows = make_windows(np.random.default_rng(1), 10)
    key = windows[0].key
    with open_store(str(tmp_path / "store.db")) as store:
        first = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
        second = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
        for window in windows:
            store.write_windows(second, [window])
            store.write_windows(first, [window])
        store.finish_run(first)
        store.finish_run(second)
        later = store.begin_run(key.location, key.camera, key.source, MIDNIGHT + timedelta(days=1), key.model)
        store.finish_run(later)
        assert [w.to_json() for w in store.windows()] == [w.to_json() for w in windows]
