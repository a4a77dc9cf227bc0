"""A year of 100 locations: how long the index by day takes, cold, and against adding up the windows.

python benchmarks/index_year.py [--locations 100] [--days 365] [--per-hour 2] [--store FILE]

``--per-hour``: windows per hour and location; hours and days have their full number of rows anyway.
Each figure is measured in a process of its own, imports included. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from felicity.index import SoftMatrix
from felicity.store import open_store
from felicity.store.tables import metadata
from felicity.windows import Window, WindowKey

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)

QUERY = """
import sys, time
began = time.perf_counter()
from felicity.index import compute_index
from felicity.store import open_store
with open_store(sys.argv[1]) as store:
    sums = store.sums("day", k=10)
    read = time.perf_counter() - began
    rows = compute_index(sums, store.soft_matrices(), k=10)
print(len(rows), sum(row.people for row in rows), read, time.perf_counter() - began, time.process_time())
"""

RAW = """
import sys, time
began = time.perf_counter()
import numpy as np
import sqlalchemy as sa
from felicity.windows.sums import Sums
from felicity.store import open_store
from felicity.store.arrays import windows_to_sums
from felicity.store.rollups import WINDOW_SELECT
from felicity.store.tables import windows
people = rows = 0
with open_store(sys.argv[1]) as store, store._engine.connect() as connection:
    for place in connection.execute(sa.select(windows.c.location_id).distinct()).scalars().all():
        found = connection.execute(
            sa.select(*WINDOW_SELECT).where(windows.c.location_id == place).order_by(windows.c.start)
        ).all()
        sums = windows_to_sums(found)
        days, label = np.unique(sums.first // 86400, return_inverse=True)
        total = sums.grouped(label, len(days))
        rows, people = rows + len(total), people + int(total.people.sum())
print(rows, people, 0.0, time.perf_counter() - began, time.process_time())
"""


def fill(file: Path, places: int, days: int, per_hour: int) -> dict[str, float]:
    """Write one place's year through the store, and copy it to the others within the database."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(8), [900, 700, 300, 300, 90, 21, 250, 24])
    validation = rng.dirichlet(np.ones(8) * 0.15, len(labels)) * 0.4 + 0.6 * np.eye(8)[labels]
    pool = rng.dirichlet(np.full(8, 0.2), 20_000)
    names = [f"Place {place:03}" for place in range(places)]
    with open_store(str(file)) as store:
        store.save_model("model", SoftMatrix.from_probabilities(validation, labels))
        first, *others = [store.begin_run(name, "camera", "stream", BEGIN, "model") for name in names]
        windows = []
        for hour in range(days * 24):
            for part in range(per_hour):
                start = BEGIN + timedelta(hours=hour, minutes=part * (60 // per_hour))
                key = WindowKey(names[0], "camera", "stream", BEGIN, "model", start, 60)
                n = int(rng.poisson(3)) if 7 <= hour % 24 < 22 else 0
                p = pool[rng.integers(0, len(pool), n)]
                hard = np.bincount(p.argmax(axis=1), minlength=8) if n else np.zeros(8, dtype=np.int64)
                windows.append(Window(key, n, n, hard, p.sum(axis=0), p.T @ p, 600, 0, 60.0))
        began = time.perf_counter()
        for i in range(0, len(windows), 1440):
            store.write_windows(first, windows[i : i + 1440])
        seconds = time.perf_counter() - began
        with store._engine.begin() as connection:
            ids = dict(connection.exec_driver_sql("SELECT name, id FROM locations").all())
            for run in others:
                for table in ("windows", "hours", "days"):
                    columns = metadata.tables[table].columns.keys()
                    new = {"location_id": ids[run.location], "run_id": run.id}
                    connection.exec_driver_sql(
                        f"INSERT INTO {table} ({', '.join(columns)}) "
                        f"SELECT {', '.join(str(new.get(c, c)) for c in columns)} FROM {table} "
                        f"WHERE location_id = {ids[names[0]]}"
                    )
    return {"windows": len(windows) * places, "windows_written_per_second": len(windows) / seconds}


def evict(file: Path) -> None:
    """Let the system forget the file, so that the next reading is cold."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(program: str, file: Path) -> dict[str, float]:
    evict(file)
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True)
    rows, people, read, inside, cpu = map(float, done.stdout.split())
    whole = time.perf_counter() - began
    return {
        "rows": rows,
        "people": people,
        "seconds_read": read,
        "seconds": inside,
        "seconds_process": whole,
        "seconds_cpu": cpu,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locations", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--per-hour", type=int, default=2)
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = options.store or Path(folder) / "year.db"
        result: dict[str, object] = {"locations": options.locations, "days": options.days}
        if not file.exists():
            result |= fill(file, options.locations, options.days, options.per_hour)
        index, raw = measure(QUERY, file), measure(RAW, file)
        assert index["people"] == raw["people"]
        result |= {"file_mb": file.stat().st_size / 1e6, "index_by_day": index, "raw_rows": raw}
        result["raw_over_index"] = raw["seconds_cpu"] / index["seconds_cpu"]
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
