"""Reading FER2013 from csv.gz, against the ways of the usual notebooks: pandas, then numpy row by row.

    python benchmarks/read_fer2013.py DATA/fer2013/fer2013.csv.gz [--json] [--rounds N]

All read the same file to the same uint8 array, in turn, in one process. ``split`` and ``fromstring`` are
the two ways that notebooks share: ``np.array(text.split())`` and ``np.fromstring(text, sep=" ")``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from felicity.datasets import open_dataset


def felicity(path: Path) -> np.ndarray:
    return np.asarray(open_dataset(path, "fer2013-csv").images)


def split(path: Path) -> np.ndarray:
    frame = pd.read_csv(path)
    return np.stack([np.array(text.split(), dtype=np.uint8) for text in frame["pixels"]]).reshape(-1, 48, 48)


def fromstring(path: Path) -> np.ndarray:
    frame = pd.read_csv(path)
    return np.stack([np.fromstring(text, dtype=np.uint8, sep=" ") for text in frame["pixels"]]).reshape(-1, 48, 48)


def timed(work: Callable[[Path], np.ndarray], path: Path) -> tuple[float, float, np.ndarray]:
    wall, processor = time.perf_counter(), time.process_time()
    result = work(path)
    return time.perf_counter() - wall, time.process_time() - processor, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ways = (felicity, split, fromstring)
    seconds: dict[str, list[tuple[float, float]]] = {way.__name__: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder, options.path.name)  # without FER+ votes beside it, which the notebooks do not read either
        alone.symlink_to(options.path.resolve())
        for _ in range(options.rounds):
            arrays = []
            for way in ways:
                wall, processor, images = timed(way, alone)
                seconds[way.__name__].append((wall, processor))
                arrays.append(images)
            assert all(np.array_equal(arrays[0], other) for other in arrays[1:])
    rows = []
    for way in ways:
        pairs = list(zip(seconds[way.__name__], seconds["felicity"], strict=True))
        rows.append(
            {
                "way": way.__name__,
                "seconds": round(statistics.median(wall for (wall, _), _ in pairs), 2),
                "processor_seconds": round(statistics.median(used for (_, used), _ in pairs), 2),
                "felicity_is_faster": round(statistics.median(a[0] / b[0] for a, b in pairs), 2),
                "felicity_needs_less_processor": round(statistics.median(a[1] / b[1] for a, b in pairs), 2),
            }
        )
    for row in rows:
        print(json.dumps(row) if options.json else "  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
