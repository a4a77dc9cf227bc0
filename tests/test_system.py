"""What operating systems do differently, each as if it were this one."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from felicity import system
from felicity.errors import ConfigError
from felicity.files import locked


def test_cores_are_those_of_this_process_or_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    assert system.cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert system.cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert system.cores() == 1


def test_available_memory_is_what_linux_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "MemTotal: 9 kB\nMemAvailable:   3 kB\n")
    assert system.available_memory() == 3072

    def absent(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", absent)
    assert system.available_memory() is None


@pytest.mark.parametrize(("platform", "expected"), [("linux", 5 * 1024), ("darwin", 5)])
def test_peak_memory_is_in_bytes_whatever_the_system_counts_in(
    monkeypatch: pytest.MonkeyPatch, platform: str, expected: int
) -> None:
    resource = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda _: SimpleNamespace(ru_maxrss=5))
    monkeypatch.setitem(sys.modules, "resource", resource)
    monkeypatch.setattr(sys, "platform", platform)
    assert system.peak_memory() == expected


def test_windows_tells_no_peak_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    with pytest.raises(ConfigError, match="on Linux and macOS only"):
        system.peak_memory()


def test_on_windows_a_lock_is_waited_for_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[int] = []

    def locking(_: int, mode: int, size: int) -> None:
        calls.append(mode)
        if len(calls) < 3:
            raise OSError(errno.EDEADLK, "held by another process")

    msvcrt = ModuleType("msvcrt")
    msvcrt.LK_LOCK, msvcrt.locking = 1, locking  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(sys, "platform", "win32")
    with locked(tmp_path / "folder" / "lock"):
        assert calls == [1, 1, 1]
