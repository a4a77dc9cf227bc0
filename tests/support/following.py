"""Follow a page of the docs as its reader does: the commands of its console blocks in order, in one folder."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from scripts.steps import lacking, steps

from tests.support.command import environment, run_here


class Reader:
    """Types the commands of a page; ``instead``: text of the page to what this machine has in its place.

    A command that ends with ``&`` runs on in a process of its own, and those after it are asked until they print what
    the page shows. ``curl`` is this process asking, and ``fel_…`` the
    token that was printed last. ``|| true`` says that a command may fail.
    """

    def __init__(self, folder: Path, instead: Mapping[str, str]) -> None:
        self.folder, self.instead = folder, instead
        self.home = folder / "home"
        self.ran: list[str] = []
        self.token = ""
        self._running = ExitStack()

    def follow(self, page: Path) -> None:
        """Run all commands, and check what the page shows of their output; ends what still runs with SIGTERM."""
        with self._running:
            for command, shown in steps(page):
                for text, other in {**self.instead, "fel_…": self.token}.items():
                    command = command.replace(text, other)
                self._step(command, shown)
        assert self.ran, f"{page.name}: no command"

    def _step(self, command: str, shown: list[str]) -> None:
        end = time.monotonic() + (240 if any(before.endswith(" &") for before in self.ran) else 0)
        self.ran.append(command)
        if command.endswith(" &"):
            self._start(shlex.split(command.removesuffix(" &")))
            return
        asked, may_fail, _ = command.partition(" || true")
        while True:
            code, printed = self._run(shlex.split(asked))
            missing = lacking(shown, printed)
            if not missing and (code == 0 or may_fail):
                return
            assert time.monotonic() < end, f"{command}: exit code {code}, lacks {missing} in\n{printed}"
            time.sleep(0.2)

    def _run(self, words: list[str]) -> tuple[int, str]:
        if words[0] == "curl":
            return self._curl(words[1:])
        assert words[0] == "felicity", words
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            done = run_here(words[1:], environment(self.home))
        finally:
            os.chdir(before)
        assert "Traceback" not in done.stderr, done.stderr
        self.token = (re.findall(r"^fel_\S+$", done.stdout, re.MULTILINE) or [self.token])[-1]
        return done.returncode, done.stdout + done.stderr

    def _start(self, words: list[str]) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=self.folder,
            env=environment(self.home),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._running.callback(self._end, process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(timeout=60) == 0, process.args
        finally:
            process.kill()

    def _curl(self, words: list[str]) -> tuple[int, str]:
        address = next(word for word in words if word.startswith("http"))
        headers = dict(word.split(": ", 1) for flag, word in itertools.pairwise(words) if flag == "-H")
        try:
            with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as answer:
                content = answer.read()
        except OSError as error:
            return 7, str(error)
        if "-o" in words:
            (self.folder / words[words.index("-o") + 1]).write_bytes(content)
            return 0, ""
        return 0, content.decode()


def free_port() -> int:
    """Return a port that nothing listens on at this moment."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
