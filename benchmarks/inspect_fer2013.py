"""Inspecting FER2013, duplicates included: seconds of each step, in one process.

python benchmarks/inspect_fer2013.py DATA/fer2013/fer2013.csv.gz [--json]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from felicity.datasets import audit, open_dataset
from felicity.datasets.duplicates import find_duplicates
from felicity.datasets.facts import examine
from felicity.datasets.report import write_audit_report

Result = TypeVar("Result")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    def step(name: str, work: Callable[[], Result]) -> Result:
        wall, processor = time.perf_counter(), time.process_time()
        result = work()
        row = {"step": name, "seconds": round(time.perf_counter() - wall, 1)}
        row["processor_seconds"] = round(time.process_time() - processor, 1)
        print(json.dumps(row) if options.json else "  ".join(f"{key} {value}" for key, value in row.items()))
        return result

    samples = step("read", lambda: open_dataset(options.path))
    facts = step("look at every image", lambda: examine(samples.images))
    step("find duplicates", lambda: find_duplicates(facts))
    found = step("all of it again, as one audit", lambda: audit(samples))
    with tempfile.TemporaryDirectory() as folder:
        step("report", lambda: write_audit_report(found, Path(folder, "report.html"), title="FER2013"))


if __name__ == "__main__":
    main()
