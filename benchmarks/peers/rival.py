"""A rival as run.py sees it: a process that stays up and answers one command at a time (protocol.py)."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from typing import Any

LIMIT = 900  # seconds for one answer; whoever needs longer hangs


class RivalError(Exception):
    """A rival cannot be started or does not answer; the message says why in one sentence."""


class Rival:
    """``greeting`` is what it said of itself; see protocol.py."""

    def __init__(self, name: str, command: Sequence[str], env: dict[str, str] | None = None) -> None:
        self.name = name
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 closed by close
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True, env=env
        )
        try:
            self.greeting = self._answer()
        except RivalError:
            self.close()
            raise

    def ask(self, **command: Any) -> dict[str, Any]:
        """Its answer to ``command``. Raises RivalError."""
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise RivalError(self._last_words()) from None
        return self._answer()

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):  # of a process that is gone
            self._process.stdin.close()
        self._wait()
        self._process.stdout.close()
        self._said.close()

    def _answer(self) -> dict[str, Any]:
        late = threading.Event()
        timer = threading.Timer(LIMIT, lambda: (late.set(), self._process.kill()))
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise RivalError(f"gave no answer within {LIMIT} seconds" if late.is_set() else self._last_words())
        answer = json.loads(line)
        if "error" in answer:
            raise RivalError(answer["error"])
        return answer

    def _last_words(self) -> str:
        code = self._wait()
        self._said.seek(0)
        said = [line.strip() for line in self._said if line.strip()]
        return f"its process ended with code {code}" + (f": {said[-1][:200]}" if said else "")

    def _wait(self) -> int:
        """Its exit code, once it has ended by itself or been ended."""
        try:
            return self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
