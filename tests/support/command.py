"""Running ``felicity`` as its users do, but within the process of the tests where that makes no difference."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess
from typing import IO, Any
from unittest import mock

from felicity.models.backend import Backend
from tests.support.keras_here import on_backend

SRC = Path(__file__).parents[2] / "src"
HANDLED = (signal.SIGINT, signal.SIGTERM)


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a user whose files are all in ``home``."""
    return os.environ | {"FELICITY_HOME": str(home), "PYTHONPATH": str(SRC), "COLUMNS": "200"} | more


def felicity(
    *arguments: object, home: Path, expect: int | None = 0, backend: Backend | None = None, **more: str
) -> CompletedProcess[str]:
    """Run a command to its end and check its exit code, unless ``expect`` is None.

    It runs in this process; with a ``backend``, in the one that runs Keras on that.
    """
    asked = [str(argument) for argument in arguments], environment(home, **more)
    return _checked(on_backend(backend, run_here, *asked) if backend else run_here(*asked), expect)


def felicity_process(*arguments: object, home: Path, expect: int | None = 0, **more: str) -> CompletedProcess[str]:
    """Run a command as ``felicity`` does, in a process of its own: for what happens before it is imported."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "felicity", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(home, **more),
        timeout=250,
    )
    return _checked(done, expect)


def felicity_json(*arguments: object, home: Path, expect: int = 0, **more: str) -> list[Any]:
    """Run a command with ``--json``; return the documents it printed, one per line."""
    done = felicity(*arguments, "--json", home=home, expect=expect, **more)
    return [json.loads(line) for line in done.stdout.splitlines()]


def felicity_answer(*arguments: object, home: Path, expect: int = 0, **more: str) -> tuple[Any, list[dict[str, Any]]]:
    """Run a command with ``--json``; return the ``data`` and ``notes`` of the one document it printed."""
    (document,) = felicity_json(*arguments, home=home, expect=expect, **more)
    assert document["format"] == 1
    return document["data"], document["notes"]


def _checked(done: CompletedProcess[str], expect: int | None) -> CompletedProcess[str]:
    assert expect is None or done.returncode == expect, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done


def run_here(words: list[str], environ: dict[str, str]) -> CompletedProcess[str]:
    """Run a command in this process, with file descriptors, environment and signals as a process of its own has."""
    from felicity.__main__ import main

    argv = ["felicity", *words]
    code: Any = 0
    with _environment(environ), mock.patch.object(sys, "argv", argv), _signal_handlers(), _standard_streams() as files:
        try:
            main()
        except SystemExit as end:
            code = end.code
        sys.stdout.flush()
        sys.stderr.flush()
        out, err = (_text(file) for file in files)
    assert code is None or isinstance(code, int), code
    return CompletedProcess(argv, code or 0, out, err)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@contextmanager
def _environment(environ: dict[str, str]) -> Iterator[None]:
    """Replace the environment, and the time zone that it names."""
    try:
        with mock.patch.dict(os.environ, environ, clear=True):
            time.tzset()
            yield
    finally:
        time.tzset()


@contextmanager
def _signal_handlers() -> Iterator[None]:
    """Give back the signal handlers that the command replaces."""
    kept = {number: signal.getsignal(number) for number in HANDLED}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextmanager
def _standard_streams() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Send standard output and error, also those of C libraries, into two files."""
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            with (
                open(1, "w", encoding="utf-8", closefd=False) as text_out,
                open(2, "w", encoding="utf-8", closefd=False) as text_err,
                redirect_stdout(text_out),
                redirect_stderr(text_err),
            ):
                yield out, err
        finally:
            for number, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
