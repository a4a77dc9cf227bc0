"""Environments of the rivals: a virtual environment and a node_modules, made once under a cache folder.

A stamp with the pins' digest is written last, so that what is half made or made of other pins is made again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS, PACKAGE = HERE / "requirements-fer.txt", HERE / "package.json"
STAMP = "made-of"
NODE = 20
LIMIT = 1800  # seconds for one installation


class SetupError(Exception):
    """An environment cannot be made; the message says why in one sentence."""


def python_of(cache: Path) -> list[str]:
    """The command of a Python with fer, made where it is not there yet. Raises SetupError."""

    def fill(folder: Path) -> None:
        run([sys.executable, "-m", "venv", folder], "venv")
        run([python(folder), "-m", "pip", "install", "--quiet", "--no-deps", "-r", REQUIREMENTS], "pip")

    return [str(python(made(cache / "fer", REQUIREMENTS, fill)))]


def node_of(cache: Path) -> tuple[str, Path]:
    """Node.js and the folder whose node_modules holds the packages. Raises SetupError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise SetupError(f"Node.js {NODE} or newer with npm is needed, and is not on the path")
    if int(run([node, "--version"], "node").lstrip("v").split(".")[0]) < NODE:
        raise SetupError(f"Node.js {NODE} or newer is needed, found {run([node, '--version'], 'node')}")

    def fill(folder: Path) -> None:
        folder.mkdir(parents=True)
        shutil.copy(PACKAGE, folder / PACKAGE.name)
        options = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error")
        run([npm, "install", *options], "npm", folder)

    return node, made(cache / "node", PACKAGE, fill)


def python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def made(folder: Path, pins: Path, fill: Callable[[Path], None]) -> Path:
    """``folder``, filled again unless it was made of just these ``pins``."""
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return folder
    print(f"{folder}: being made, once", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fill(folder)
    stamp.write_text(digest, encoding="utf-8")
    return folder


def run(command: Sequence[str | Path], what: str, cwd: Path | None = None) -> str:
    """What the command printed. Raises SetupError with the last line of its complaint."""
    try:
        done = subprocess.run(
            list(map(str, command)), cwd=cwd, env=surroundings(), capture_output=True, text=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"{what} did not end within {LIMIT} seconds") from None
    if done.returncode:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise SetupError(f"{what} failed: {said[-1][:200] if said else f'exit code {done.returncode}'}")
    return done.stdout.strip()


def surroundings() -> dict[str, str]:
    """The environment variables, without those that would show one Python the packages of another."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
