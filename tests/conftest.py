"""Fixtures that every test may use."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

GROUPS = {
    "training/test_backends.py": "all frameworks",
    "export/test_run_to_bundle.py": "all frameworks",
    "evaluation/test_frameworks.py": "all frameworks",
    "training/test_fit.py": "PyTorch",
    "training/test_heads.py": "PyTorch",
    "training/test_start.py": "PyTorch",
    "training/test_devices.py": "PyTorch",
    "training/test_crossval.py": "PyTorch",
    "training/test_tuning.py": "PyTorch",
    "models/test_networks.py": "PyTorch",
    "evaluation/test_command.py": "PyTorch",
    "evaluation/test_study.py": "PyTorch",
    "cli/test_schemas.py": "PyTorch",
}
"""Modules that share processes of Keras, which take long to start, and so share a worker."""
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


def _group(nodeid: str) -> str:
    """Return the group of a test's module, or the module itself."""
    module = nodeid.split("::")[0]
    return GROUPS.get(module.removeprefix("tests/"), module)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the groups, which take longest, come first."""
    order = {group: place for place, group in enumerate(dict.fromkeys(GROUPS.values()))}
    items.sort(key=lambda item: order.get(_group(item.nodeid), len(order)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a group in one worker."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    config.option.loadscopereorder = False
    return Groups(config, log)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data beside the checkout, or a skip with the reason."""
    folder = Path(os.environ.get("FELICITY_SHARED", CHECKOUT.parent / "shared"))
    if not (folder / "data").is_dir():
        absent(f"development data not found at {folder}; set FELICITY_SHARED")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_folders_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep them out of what tests share, too, also where the user's environment names them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FELICITY_HOME", str(tmp_path_factory.mktemp("home")))
        for name in ("FELICITY_STORE", "FELICITY_YUNET"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own data folder, store and detectors out of every test."""
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session", autouse=True)
def _one_hog_of_each_thread() -> Iterator[None]:
    """Open dlib's detector once for all tests, which takes as long as finding faces in ten frames."""
    import dlib

    opened = cache(lambda thread, open=dlib.get_frontal_face_detector: open())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dlib, "get_frontal_face_detector", lambda: opened(threading.get_ident()))
        yield


@pytest.fixture
def contestants_in_kept_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let comparisons of frameworks race in the processes that other tests use, each of which takes long to start."""
    from tests.support.keras_here import race

    monkeypatch.setattr("felicity.evaluation.frameworks.comparison._run_in_own_process", race)
