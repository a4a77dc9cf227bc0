"""Running ``felicity`` as its users do: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SRC = Path(__file__).parents[2] / "src"


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user whose files are all in ``home``."""
    return os.environ | {"FELICITY_HOME": str(home), "PYTHONPATH": str(SRC), "COLUMNS": "200"} | more


def felicity(*arguments: object, home: Path, expect: int | None = 0, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and check its exit code, unless ``expect`` is None."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "felicity", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(home, **more),
        timeout=250,
    )
    assert expect is None or done.returncode == expect, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done


def felicity_json(*arguments: object, home: Path, expect: int = 0, **more: str) -> list[Any]:
    """Run a command with ``--json``; the documents it printed, one per line."""
    done = felicity(*arguments, "--json", home=home, expect=expect, **more)
    return [json.loads(line) for line in done.stdout.splitlines()]


def felicity_answer(*arguments: object, home: Path, expect: int = 0, **more: str) -> tuple[Any, list[dict[str, Any]]]:
    """Run a command with ``--json``; the ``data`` and ``notes`` of the one document it printed."""
    (document,) = felicity_json(*arguments, home=home, expect=expect, **more)
    assert document["format"] == 1
    return document["data"], document["notes"]
