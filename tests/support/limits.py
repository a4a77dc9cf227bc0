"""What a piece of work costs at its peak, measured in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.command import SRC

MOST_BYTES, MOST_SECONDS = 1_000_000_000, 30.0
"""What no file of a stranger may cost."""
_REPORT = "FELICITY_TEST_COST"
_MEASURED = f"""
import atexit, os, resource
def _report():
    # Not getrusage: that begins with the memory of the process that started this one.
    lines = open("/proc/self/status").read().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(each.ru_utime + each.ru_stime for each in used)
    open(os.environ["{_REPORT}"], "w").write(f"{{max(peak, used[1].ru_maxrss * 1024)}} {{seconds}}")
atexit.register(_report)
"""


@dataclass(frozen=True)
class Cost:
    """Peak resident memory in bytes, processor seconds, and what was said. Linux only."""

    memory: int
    seconds: float
    said: str


def cost(code: str, *arguments: object) -> Cost:
    """Run Python ``code`` with ``arguments`` in ``sys.argv[1:]``; killed after twice the time that is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "cost"
        more = {"PYTHONPATH": os.pathsep.join((str(SRC), str(SRC.parent))), _REPORT: str(report)}
        words = [sys.executable, "-c", _MEASURED + code, *map(str, arguments)]
        done = subprocess.run(
            words, env=os.environ | more, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=2 * MOST_SECONDS
        )
        memory, seconds = report.read_text().split()
    return Cost(int(memory), float(seconds), done.stdout.decode(errors="replace"))
