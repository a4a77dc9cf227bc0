"""Where studies are kept, what is trained on, and with which settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.conftest import postgres_url
from tests.support.faces_on_disk import made_up, write_csv

__all__ = ["postgres_url"]

SETTINGS = """\
epochs = 8
batch_size = 16
learning_rate = 0.01
augment = "geometry"
average = 0.9
seed = 7
threads = 1

[model]
name = "test-tiny"
dropout = 0.2

[data]
size = 24
validation_share = 0.2
"""


@pytest.fixture(scope="session")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FER2013 as a csv, of 210 made-up pictures."""
    return write_csv(made_up(210), tmp_path_factory.mktemp("data") / "fer2013.csv")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small training that uses augmentation, dropout and averaged weights, all of which have state."""
    file = tmp_path_factory.mktemp("settings") / "tiny.toml"
    file.write_text(SETTINGS)
    return file


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shared.db'}"
    return str(request.getfixturevalue("postgres_url"))
