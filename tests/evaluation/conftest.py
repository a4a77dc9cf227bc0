"""A small FER2013 with FER+ votes, and a run trained on faces of two classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support import faces_on_disk as disk

FERPLUS_OF = np.array([4, 5, 6, 1, 3, 2, 0])  # FER2013's codes to FER+'s columns


@pytest.fixture(scope="module")
def faces() -> disk.Faces:
    """120 of seven labels, 24 of them in PublicTest; of these the first has a duplicate in Training."""
    made = disk.made_up(120)
    images = made.images.copy()
    images[8] = images[1]
    return disk.Faces(images, made.codes, made.folds)


@pytest.fixture(scope="module")
def votes(faces: disk.Faces) -> np.ndarray:
    """Eight of ten votes as labelled; but row 9 is found contemptuous and row 18 no face."""
    votes = np.zeros((len(faces.codes), 10), dtype=np.int64)
    votes[np.arange(len(votes)), FERPLUS_OF[faces.codes]] = 8
    votes[:, 0] += 2
    votes[9] = [0, 0, 0, 0, 0, 0, 0, 10, 0, 0]
    votes[18] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]
    return votes


@pytest.fixture(scope="module")
def data(faces: disk.Faces, votes: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both files in a folder."""
    folder = tmp_path_factory.mktemp("fer2013")
    disk.write_csv(faces, folder / "fer2013.csv")
    disk.write_ferplus(votes, faces.folds, folder / "fer2013new.csv")
    return folder
