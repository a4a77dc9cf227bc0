"""Feed mutated files to every parser for some seconds each; keep what crashes one in ``tests/fuzz``.

Run by ``make fuzz``.
"""

from __future__ import annotations

import random
import sys
import time
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.fuzzing import KEPT, TARGETS, crash, mutated


def main() -> int:
    """Print inputs and crashes of each target; return how many crashed."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    names = sys.argv[2:] or list(TARGETS)
    seed = time.time_ns()
    total = crashes = 0
    for name in names:
        chance, end, tried, kinds = random.Random(seed), time.monotonic() + seconds, 0, set()
        for content in mutated(name, chance):
            if time.monotonic() > end:
                break
            tried += 1
            if (error := crash(name, content)) is None:
                continue
            crashes += 1
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            kind = (type(error).__name__, trace.tb_lineno if trace else 0)
            if kind not in kinds:  # one of each
                kinds.add(kind)
                (KEPT / name).mkdir(parents=True, exist_ok=True)
                (KEPT / name / sha256(content).hexdigest()[:16]).write_bytes(content)
                print(f"  {name}: {type(error).__name__}: {str(error)[:200]}", flush=True)
        total += tried
        print(f"{name}: {tried:,} inputs, {len(kinds)} kinds of crashes", flush=True)
    print(f"{total:,} inputs, {crashes:,} crashes, seed {seed}")
    return int(crashes > 0)


if __name__ == "__main__":
    sys.exit(main())
