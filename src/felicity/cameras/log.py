"""The log of a process without a screen: a line per event on stderr, as text or JSON."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from datetime import UTC, datetime
from typing import Literal, TextIO

from felicity.notes import Note
from felicity.visible import visible, visible_json

Format = Literal["text", "json"]
Level = Literal["info", "warning", "error"]


class Log:
    """Writes notes with their time, level and camera; from any thread. A failure to write is ignored."""

    def __init__(self, form: Format = "text", stream: TextIO | None = None) -> None:
        self._form, self._stream, self._lock = form, stream, threading.Lock()

    def say(self, note: Note, *, camera: str | None = None, level: Level = "info") -> None:
        """Write one line."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        if self._form == "json":
            told = {"time": now, "level": level, "event": note.code, "camera": camera, "text": note.text}
            line = visible_json(json.dumps(told | {"location": note.location}, ensure_ascii=False))
        else:
            line = visible(f"{now} {level} {camera + ': ' if camera else ''}{note.text} [{note.code}]")
        # The reader of the log may have gone, or its disk may be full; watching continues.
        with self._lock, contextlib.suppress(OSError, ValueError):
            print(line, file=self._stream or sys.stderr, flush=True)
