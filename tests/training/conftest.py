from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.faces_on_disk import made_up, write_csv

SETTINGS = """\
epochs = 3
batch_size = 16
learning_rate = 0.01
augment = "geometry"
average = 0.9
seed = 7

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
