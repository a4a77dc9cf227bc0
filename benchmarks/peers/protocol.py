"""A worker's side of the conversation: one JSON object a line comes in, one a line goes out.

Commands, told apart by ``do``:

- ``answer``: ``crops``, a file of N 48x48 uint8 grey faces; ``labels``, ``FER2013`` or ``FER+``. Gives ``answers``:
  N numbers, the most probable of the seven expressions in FER2013's order.
- ``time``: ``batch``, ``seconds``. Gives ``faces_per_second`` of the network alone.
- ``pictures``: ``files``. Gives ``seconds`` for all, from file to answer, and ``faces``: of each picture a list of
  ``{"area", "expression"}``.

The first line that a worker writes is a greeting: ``threads``, ``versions``, ``detector``, ``way`` (how it is run).
Anything that goes wrong is a line with ``error``. This file is read in every Python environment of the peers.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

SEVEN = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SIDE = 48


class Worker(Protocol):
    """One rival, loaded."""

    greeting: dict[str, Any]

    def answer(self, crops: np.ndarray, labels: str) -> list[int]: ...

    def time(self, batch: int, seconds: float) -> float: ...

    def pictures(self, files: list[str]) -> list[list[dict[str, Any]]]: ...


def serve(load: Callable[[], Worker]) -> None:
    """Load the rival and answer until the input ends; what libraries print goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**line: Any) -> None:
        out.write(json.dumps(line) + "\n")
        out.flush()

    try:
        worker = load()
    except Exception as error:  # whatever a rival's libraries raise is the reason why it is left out
        say(error=told(error))
        sys.exit(1)
    say(**worker.greeting)
    for line in sys.stdin:
        try:
            say(**obey(worker, json.loads(line)))
        except Exception as error:
            say(error=told(error))


def obey(worker: Worker, command: dict[str, Any]) -> dict[str, Any]:
    if command["do"] == "answer":
        crops = np.fromfile(command["crops"], dtype=np.uint8).reshape(-1, SIDE, SIDE)
        return {"answers": worker.answer(crops, command["labels"])}
    if command["do"] == "time":
        return {"faces_per_second": worker.time(command["batch"], command["seconds"])}
    began = time.perf_counter()
    faces = worker.pictures(command["files"])
    return {"seconds": time.perf_counter() - began, "faces": faces}


def rate(work: Callable[[], object], batch: int, seconds: float) -> float:
    """Faces per second of ``work``, which takes ``batch`` faces; called once before the clock starts."""
    work()
    began, calls = time.perf_counter(), 0
    while True:
        work()
        calls += 1
        if (taken := time.perf_counter() - began) >= seconds:
            return batch * calls / taken


def told(error: Exception) -> str:
    """The error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
