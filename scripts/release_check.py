"""Check that this checkout can be released: build it, install it as a user would, use it, and look at licences.

``make release-check``. Needs the network for packages. Every step is a row; the first that fails ends the check.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import sbom
from steps import lacking, steps

ROOT = Path(__file__).parents[1]
LARGEST = 15_000_000
"""Bytes of the wheel."""
FIRST_USE: dict[str, str] = {
    "": "import felicity; felicity.read",
    "data": "import pyarrow, isal, zstandard; from felicity.datasets import registry",
    "audit": "from cleanlab import outlier",
    "excel": "import xlsxwriter",
    "postgres": "import psycopg",
    "tensorflow": "from felicity.models.backend import use_backend; use_backend('tensorflow'); import keras",
    "torch": "from felicity.models.backend import use_backend; use_backend('torch'); import keras",
    "jax": "from felicity.models.backend import use_backend; use_backend('jax'); import keras",
    "notebook": "import ipykernel, pandas",
    "export": "import onnx",
    "tune": "import optuna",
    "serve": "import fastapi, uvicorn",
    "remote": "from fsspec.implementations.http import HTTPFileSystem; HTTPFileSystem()",
}
"""What an extra is for, as Python; one that is not listed is imported by the name of the extra's own packages."""


def project() -> dict[str, object]:
    """Return the table ``project`` of pyproject.toml."""
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"])


def version() -> str:
    """Return the version, from its one source."""
    found = re.search(r'^__version__ = "([^"]+)"', (ROOT / "src/felicity/__init__.py").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def extras() -> list[str]:
    """Return the extras that users install."""
    table = project()["optional-dependencies"]
    assert isinstance(table, dict)
    return [name for name in table if name not in sbom.OWN]


def wrong_texts() -> Iterator[str]:
    """Yield what is wrong with the texts of a release: changelog and citation."""
    changes = (ROOT / "CHANGELOG.md").read_text()
    if not re.search(rf"^## (\[?{re.escape(version())}\]?( - \d{{4}}-\d\d-\d\d)?|Unreleased)$", changes, re.MULTILINE):
        yield f"CHANGELOG.md: no section for version {version()}; add '## {version()} - DATE'"
    citation = (ROOT / "CITATION.cff").read_text()
    stated = re.search(r"^version: \"?([^\"\n]+)", citation, re.MULTILINE)
    if stated and stated[1] != version():
        yield f"CITATION.cff: version {stated[1]}, expected {version()} or none"


def wrong_in_wheel(wheel: Path) -> Iterator[str]:
    """Yield what is wrong with the wheel: its size, and files that are no part of the package."""
    if (size := wheel.stat().st_size) >= LARGEST:
        yield f"{wheel.name}: {size / 1e6:.1f} MB, expected less than {LARGEST / 1e6:.0f} MB"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    yield from (f"{wheel.name}: {n} is no part of the package" for n in names if not n.startswith("felicity"))
    needed = ("felicity/py.typed", "felicity/models/zoo/best/model.onnx", "felicity/models/zoo/fast/model.onnx")
    yield from (f"{wheel.name}: {n} is missing" for n in needed if n not in names)
    if not any(n.endswith("licenses/LICENSE") for n in names):
        yield f"{wheel.name}: the licence is missing"


class Check:
    """The steps of a check, each a row on stdout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def step(self, name: str, work: Callable[[], str]) -> None:
        """Do ``work`` and print its answer; end with exit code 1 where it fails."""
        began = monotonic()
        try:
            told = work()
        except (subprocess.CalledProcessError, RuntimeError) as error:
            output = getattr(error, "output", "") or ""
            print(f"{name:<34} failed\n{output[-4000:]}\n{error}")
            sys.exit(1)
        print(f"{name:<34} {told} ({monotonic() - began:.0f} s)", flush=True)

    def texts(self) -> str:
        """Check changelog and citation."""
        return none_of(wrong_texts(), f"version {version()}")

    def build(self) -> str:
        """Build the source archive, and the wheel from it; check their metadata."""
        run([sys.executable, "-m", "build", "--outdir", str(self.folder), str(ROOT)])
        run([sys.executable, "-m", "twine", "check", "--strict", *map(str, self.folder.glob("felicity-*"))])
        return f"{self.wheel.name}, {self.wheel.stat().st_size / 1e6:.1f} MB; metadata are sound"

    def contents(self) -> str:
        """Check size and content of the wheel."""
        return none_of(wrong_in_wheel(self.wheel), "the package, its licence and its networks, nothing else")

    @property
    def wheel(self) -> Path:
        """The wheel that was built."""
        return next(self.folder.glob("felicity-*.whl"))

    def install(self, extra: str) -> str:
        """Install the wheel with ``extra`` into an empty environment, and use what the extra is for."""
        python = self.folder / (extra or "plain") / "bin" / "python"
        run([sys.executable, "-m", "venv", str(python.parents[1])])
        target = f"{self.wheel}[{extra}]" if extra else str(self.wheel)
        run([str(python), "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), target])
        run([str(python), "-c", FIRST_USE.get(extra, "import felicity")], cwd=self.folder)
        run([str(python), "-m", "felicity", "doctor"], cwd=self.folder)
        return "installed from nothing, and used"

    def demo(self) -> str:
        """Run the demo from the wheel, without the checkout."""
        felicity = self.folder / "plain" / "bin" / "felicity"
        run([str(felicity), "demo", "--output", "demo"], cwd=self.folder)
        return f"{len(list((self.folder / 'demo').iterdir()))} files"

    def tutorial(self) -> str:
        """Follow the first tutorial with the wheel, on a film that is made with it."""
        folder, python = self.folder / "tutorial", str(self.folder / "plain" / "bin" / "python")
        folder.mkdir()
        run([python, "-P", str(ROOT / "tests" / "support" / "people.py"), "harbour.mp4"], cwd=folder)
        followed = steps(ROOT / "docs" / "tutorials" / "first-camera.md")
        for command, shown in followed:
            if missing := lacking(shown, printed := run([python, "-m", *shlex.split(command)], cwd=folder)):
                raise RuntimeError(f"{command}: lacks {missing} in\n{printed}")
        return f"{len(followed)} commands print what the page shows"

    def licences(self) -> str:
        """Check the licences of all packages that users install."""
        return run([sys.executable, str(ROOT / "scripts" / "sbom.py"), str(self.folder / "sbom.json")]).strip()


def none_of(found: Iterator[str], told: str) -> str:
    """Return ``told`` where nothing was found; raises RuntimeError with what was."""
    if wrong := list(found):
        raise RuntimeError("\n".join(wrong))
    return told


def run(command: list[str], cwd: Path = ROOT) -> str:
    """Run a command without this checkout on its path; raises CalledProcessError with its output."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "FELICITY_STORE")}
    environment |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "FELICITY_HOME": str(cwd / "home"), "COLUMNS": "200"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.stdout


def main() -> None:
    """Check everything; exit code 1 and the reason where something is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        check = Check(Path(folder))
        check.step("changelog and citation", check.texts)
        check.step("wheel and source archive", check.build)
        check.step("content of the wheel", check.contents)
        check.step("licences of dependencies", check.licences)
        check.step("installed alone", lambda: check.install(""))
        check.step("demo from the wheel", check.demo)
        check.step("first tutorial from the wheel", check.tutorial)
        for extra in extras():
            check.step(f"installed with {extra}", lambda extra=extra: check.install(extra))


if __name__ == "__main__":
    main()
