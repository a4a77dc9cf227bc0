"""Measure what each hostile file of ``tests/support/hostile.py`` costs, and print the table of the docs.

Fails if one costs more than 1 GB or 30 s of a processor. Run by ``make limits``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.hostile import FILES
from tests.support.limits import MOST_BYTES, MOST_SECONDS, cost


def main() -> int:
    """Print the table; return how many files cost too much."""
    bad = 0
    print("| file | kind | largest accepted | bytes | memory | processor |\n|---|---|---|---|---|---|")
    for name, each in FILES.items():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / each.name
            each.make(file)
            spent = cost(each.code, *(word.replace("{}", str(file)) for word in each.words))
            size = file.stat().st_size if file.is_file() else sum(f.stat().st_size for f in file.iterdir())
        good = each.said in spent.said and spent.memory < MOST_BYTES and spent.seconds < MOST_SECONDS
        bad += not good
        told = f"{size:,} | {spent.memory / 1e6:.0f} MB | {spent.seconds:.1f} s"
        print(f"| {name} | {each.kind} | {each.limit} | {told} |", flush=True)
        if not good:
            print(f"{name}: {spent}", file=sys.stderr)
    return bad


if __name__ == "__main__":
    sys.exit(main())
