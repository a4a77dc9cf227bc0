"""How long Felicity takes to start: import, ``--help``, one command, and which heavy packages each brings in.

    python benchmarks/startup.py [--json]

Each is a fresh process, median of several, beside a bare interpreter in the same run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

RUNS = 7
HEAVY = ("torch", "tensorflow", "keras", "jax", "sklearn", "optuna")


def seconds(code: str) -> float:
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def loaded_by(arguments: list[str]) -> list[str]:
    code = f"""
import sys
sys.argv = ["felicity", *{arguments!r}]
from felicity.cli.app import app
try:
    app()
except SystemExit:
    pass
print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    result: list[str] = json.loads(shown.stderr.strip().splitlines()[-1].replace("'", '"'))
    return result


def main() -> None:
    bare = seconds("pass")
    rows = {
        "import felicity": (seconds("import felicity"), 0.3),
        "felicity --help": (
            seconds("import sys; sys.argv = ['felicity', '--help']\nfrom felicity.cli.app import main\nmain()"),
            0.6,
        ),
        "felicity runs --help": (
            seconds("import sys; sys.argv = ['felicity', 'runs', '--help']\nfrom felicity.cli.app import main\nmain()"),
            0.3,
        ),
    }
    result = {
        "bare_interpreter_seconds": round(bare, 3),
        **{
            name: {"seconds": round(s, 3), "bound": bound, "ratio_to_bare": round(s / bare, 1)}
            for name, (s, bound) in rows.items()
        },
        "training_frameworks_loaded": {
            " ".join(a): loaded_by(a) for a in (["doctor"], ["bundle", "verify"], ["detectors", "list"])
        },
    }
    print(json.dumps(result, indent=None if "--json" in sys.argv else 1))


if __name__ == "__main__":
    main()
