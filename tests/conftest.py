"""Fixtures that every test may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
CHECKOUT = Path(__file__).parents[1]
os.environ["COLUMNS"] = "200"  # tables are as wide wherever tests run
os.environ.update(dict.fromkeys(THREADS, "1"))  # workers share the cores
os.environ["TERM"] = "dumb"  # and without colour
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it, and so would commands


def absent(reason: str) -> NoReturn:
    """Skip the test, or fail it where everything must be there (FELICITY_NO_SKIP, as in CI)."""
    if os.environ.get("FELICITY_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a module, or a group of modules, in one worker; the groups take longest, and so come first."""
    grouped = [item.get_closest_marker("xdist_group") is not None for item in items]
    for item, has_group in zip(items, grouped, strict=True):
        if not has_group:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))
    items[:] = [item for wanted in (True, False) for item, is_so in zip(items, grouped, strict=True) if is_so == wanted]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data beside the checkout, or a skip with the reason."""
    folder = Path(os.environ.get("FELICITY_SHARED", CHECKOUT.parent / "shared"))
    if not (folder / "data").is_dir():
        absent(f"development data not found at {folder}; set FELICITY_SHARED")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_folders_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep them out of what tests share, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FELICITY_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own data folder, store and detectors out of every test."""
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def contestants_in_kept_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let comparisons of frameworks race in the processes that other tests use, each of which takes long to start."""
    from tests.support.keras_here import race

    monkeypatch.setattr("felicity.evaluation.frameworks.comparison._run_in_own_process", race)
