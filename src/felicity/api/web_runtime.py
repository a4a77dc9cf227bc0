"""The runtime of networks in browsers (onnxruntime-web, MIT licence): installed once from its npm package, checked.

Felicity contains none of its files. ``felicity serve install tryit`` takes two of the package, for browsers without
graphics processor, which work on one thread and need no cross-origin isolation.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from felicity import paths
from felicity.errors import ConfigError, ExtraMissingError
from felicity.files import make_folder, put

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
VARIABLE = "FELICITY_TRYIT"
COMMAND = "felicity serve install tryit"
SECONDS = 600
"""Time in which npm has to fetch the package."""


@dataclass(frozen=True)
class Part:
    """A file, identified by its SHA-256; ``size`` in bytes."""

    name: str
    size: int
    sha256: str

    def check(self, content: bytes, origin: str, advice: str) -> bytes:
        """Return ``content``. Raises ConfigError if it is another file."""
        if (found := hashlib.sha256(content).hexdigest()) != self.sha256:
            raise ConfigError(
                f"{origin} is not {self.name}: {self.size:,} bytes with SHA-256 {self.sha256[:12]}… expected, "
                f"{len(content):,} with {found[:12]}… found; {advice}"
            )
        return content


ARCHIVE = Part(
    f"{PACKAGE}-{VERSION}.tgz",
    33_106_585,
    "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71",
)
SCRIPT = Part("ort.wasm.bundle.min.mjs", 73_054, "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90")
PROGRAM = Part(
    "ort-wasm-simd-threaded.wasm", 14_239_897, "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"
)
PARTS = (SCRIPT, PROGRAM)


def folder() -> Path:
    """Return the folder in which the runtime is expected."""
    if chosen := os.environ.get(VARIABLE):
        return paths.expanded(chosen)
    return _own_folder()


def is_installed() -> bool:
    """Return whether all files are there; ``read`` checks their content."""
    return all((folder() / part.name).is_file() for part in PARTS)


def read(part: Part) -> bytes:
    """Return the content of a file. Raises ExtraMissingError if it is missing, ConfigError if it is another file."""
    path = folder() / part.name
    try:
        with path.open("rb") as stream:
            content = stream.read(part.size + 1)
    except FileNotFoundError:
        raise ExtraMissingError(f"{path} is missing; install it with: {COMMAND}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); check it or run: {COMMAND}") from error
    return part.check(content, str(path), f"replace it with: {COMMAND}")


def install(archive: str | Path | None = None) -> Path:
    """Put the files of the package's ``archive``, or of the one that npm fetches, in their place; return the folder.

    Each file is written whole or not at all. Raises ConfigError for another archive, and if npm cannot fetch it.
    """
    content = _fetched() if archive is None else _content(Path(archive))
    target = _own_folder()
    make_folder(target)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as package:
        for part in PARTS:
            member = package.extractfile(f"package/dist/{part.name}")
            assert member is not None  # the archive is the very one that was looked into
            found = part.check(member.read(), part.name, "nothing was installed")
            try:
                put(target / part.name, found)
            except OSError as error:
                raise ConfigError(
                    f"{target / part.name} cannot be written ({error.strerror}); check the folder"
                ) from error
    return target


def _own_folder() -> Path:
    return paths.home() / "tryit" / f"{PACKAGE}-{VERSION}"


def _content(file: Path) -> bytes:
    if file.exists() and not file.is_file():  # opening a pipe would wait for its writer
        raise ConfigError(f"{file} is no file; name the package, {ARCHIVE.name}")
    try:
        with file.open("rb") as stream:
            content = stream.read(ARCHIVE.size + 1)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}); check the path") from error
    return ARCHIVE.check(content, str(file), "nothing was installed")


def _fetched() -> bytes:
    """Return the archive, fetched by npm with the user's own settings, such as a registry inside a company."""
    npm = shutil.which("npm")
    instead = f"nothing was installed; fetch {ARCHIVE.name} elsewhere and use --from FILE"
    if npm is None:
        raise ConfigError(f"npm, which fetches {PACKAGE}, is not installed; {instead}")
    with tempfile.TemporaryDirectory(prefix="felicity-npm-") as place:
        words = [npm, "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--loglevel=error"]
        try:
            done = subprocess.run(words, cwd=place, capture_output=True, text=True, timeout=SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigError(f"npm cannot fetch {PACKAGE} {VERSION} ({error}); {instead}") from error
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())[-300:] or f"exit code {done.returncode}"
            raise ConfigError(f"npm cannot fetch {PACKAGE} {VERSION} ({said}); {instead}")
        return _content(Path(place) / ARCHIVE.name)
