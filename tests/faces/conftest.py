from pathlib import Path

import numpy as np
import pytest
import skimage

from felicity.faces import Detector
from felicity.faces.registry import names, open_detector, weights_of
from felicity.imaging.decode import read_image
from tests.conftest import absent


@pytest.fixture(scope="session")
def weights_folder(request: pytest.FixtureRequest) -> Path:
    """Where files of weights for tests are, beside the development data."""
    return Path(request.getfixturevalue("shared")) / "models"


@pytest.fixture
def yunet_file(weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = weights_folder / weights_of("yunet").file_name
    if not path.exists():
        absent(f"{path} not found")
    monkeypatch.setenv("FELICITY_YUNET", str(path))
    return path


@pytest.fixture(scope="session")
def opened() -> dict[str, Detector]:
    """Detectors that are open already; opening HOG takes long."""
    return {}


@pytest.fixture(params=[pytest.param(n, marks=() if n == "hog" else pytest.mark.shared_data) for n in names()])
def detector(request: pytest.FixtureRequest, opened: dict[str, Detector]) -> Detector:
    """Every registered detector in turn."""
    name = request.param
    if name == "yunet":
        request.getfixturevalue("yunet_file")
    if name not in opened:
        opened[name] = open_detector(name)
    return opened[name]


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """Eileen Collins (NASA), one face at about (222, 120), 90 to 110 pixels wide; uint8 (512, 512, 3)."""
    return read_image(Path(skimage.__file__).parent / "data" / "astronaut.png")
