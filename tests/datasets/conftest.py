"""FER2013, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from felicity.datasets import Samples, open_dataset


@pytest.fixture(scope="session")
def fer2013(shared: Path) -> Samples:
    """The faces of ``fer2013.csv.gz``; a test that takes it is marked ``shared_data``."""
    return open_dataset(shared / "data" / "fer2013" / "fer2013.csv.gz")
