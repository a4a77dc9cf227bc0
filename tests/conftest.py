"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data beside the checkout, or a skip with the reason."""
    folder = Path(os.environ.get("FELICITY_SHARED", CHECKOUT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"development data not found at {folder}; set FELICITY_SHARED")
    return folder


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own data folder, store and detectors out of every test."""
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path_factory.mktemp("home")))
