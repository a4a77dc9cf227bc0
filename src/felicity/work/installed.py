"""Felicity and its computing packages, as installed on a machine."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder of the package."""


@dataclass(frozen=True)
class Installed:
    """Versions that results depend on. ``code``: a digest of Felicity's own modules."""

    code: str
    python: str
    ray: str
    onnxruntime: str
    numpy: str
    opencv: str
    av: str


@cache
def installed_here() -> Installed:
    """Return what is installed on this machine."""
    seen = hashlib.sha256()
    for file in sorted(ROOT.rglob("*.py")):
        seen.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return Installed(
        seen.hexdigest()[:12],
        platform.python_version(),
        _version("ray"),
        _version("onnxruntime", "onnxruntime-gpu"),
        _version("numpy"),
        _version("opencv-python-headless", "opencv-python", "opencv-contrib-python"),
        _version("av"),
    )


def differences(here: Installed, there: Installed) -> list[str]:
    """Return what differs, a few words for each package."""
    return [
        f"{name} {getattr(there, name)} instead of {value}"
        for name, value in vars(here).items()
        if getattr(there, name) != value
    ]


def _version(*names: str) -> str:
    """Return the version of the first distribution that is there."""
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "none"
