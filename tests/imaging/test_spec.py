import numpy as np
import pytest

from felicity.errors import BundleError
from felicity.imaging import InputSpec


def test_grey_pixels_are_normalised_in_units_of_255() -> None:
    spec = InputSpec(size=48, colour="gray", mean=0.5, std=0.25)
    crops = np.stack([np.zeros((48, 48), np.uint8), np.full((48, 48), 255, np.uint8)])
    batch = spec.batch(crops)  # (2, 1, 48, 48)
    assert batch.shape == (2, 1, 48, 48) and batch.dtype == np.float32
    assert np.allclose(batch[0], -2) and np.allclose(batch[1], 2, atol=1e-6)
    assert crops[1, 0, 0] == 255


def test_colour_goes_to_the_front() -> None:
    spec = InputSpec(size=8, colour="rgb", mean=0, std=1)
    crops = np.zeros((1, 8, 8, 3), np.uint8)
    crops[..., 2] = 255
    batch = spec.batch(crops)
    assert batch.shape == (1, 3, 8, 8) and batch[0, 2].min() == 1 and batch[0, :2].max() == 0


@pytest.mark.parametrize("crops", [np.zeros((1, 48, 47), np.uint8), np.zeros((1, 48, 48), np.float32)])
def test_other_crops_are_refused(crops: np.ndarray) -> None:
    with pytest.raises(ValueError, match="crops must be uint8"):
        InputSpec(size=48, colour="gray", mean=0.5, std=0.25).batch(crops)


@pytest.mark.parametrize(
    "wrong", [{"size": 4}, {"colour": "bgr"}, {"mean": 128.0}, {"std": 0.0}], ids=lambda w: next(iter(w))
)
def test_impossible_specs_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BundleError):
        InputSpec(**({"size": 48, "colour": "gray", "mean": 0.5, "std": 0.25} | wrong))  # type: ignore[arg-type]
