"""A year of 100 locations: how long releases take, and what the public then reads by day.

python benchmarks/releases.py [--locations 100] [--days 365] [--per-hour 2] [--store FILE]

Fills a store as ``index_year`` does, publishes all of it but the last day at once, and then the last day, as a nightly
release would. Each figure is measured in a process of its own. Ratios are to ``felicity index --by day`` of the same
store in the same run. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.index_year import BEGIN, QUERY, evict, fill

MAKE = """
import sys, time
from datetime import datetime
from felicity import api
now = datetime.fromisoformat(sys.argv[2])
began = time.perf_counter()
made = api.make_releases(store=sys.argv[1], now=now)
seconds = time.perf_counter() - began
print(sum(len(one.releases) for one in made), 0, 0, seconds, time.process_time())
"""

READ = """
import sys, time
from felicity import api
began = time.perf_counter()
rows = api.published_index(store=sys.argv[1], by="day").rows
print(len(rows), sum(row.people for row in rows), 0, time.perf_counter() - began, time.process_time())
"""

NAMES = ("rows", "people", "seconds_read", "seconds", "seconds_cpu")


def measure(program: str, file: Path, *more: str) -> dict[str, float]:
    evict(file)
    done = subprocess.run([sys.executable, "-c", program, str(file), *more], capture_output=True, text=True, check=True)
    found = dict(zip(NAMES, map(float, done.stdout.split()), strict=True))
    return {name: found[name] for name in ("rows", "people", "seconds", "seconds_cpu")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locations", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--per-hour", type=int, default=2)
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    from datetime import timedelta

    with tempfile.TemporaryDirectory() as folder:
        file = options.store or Path(folder) / "year.db"
        result: dict[str, object] = {"locations": options.locations, "days": options.days}
        if not file.exists():
            result |= fill(file, options.locations, options.days, options.per_hour)
        last = BEGIN + timedelta(days=options.days - 1, minutes=20)
        backlog = measure(MAKE, file, last.isoformat())
        night = measure(MAKE, file, (last + timedelta(days=1)).isoformat())
        public, inner = measure(READ, file), measure(QUERY, file)
        result |= {"backlog": backlog, "night": night, "published_by_day": public, "index_by_day": inner}
        result["published_over_index"] = public["seconds_cpu"] / inner["seconds_cpu"]
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
