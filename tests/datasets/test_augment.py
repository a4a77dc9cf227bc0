"""Augmentation: seeded, bounded, and off when it is switched off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from felicity.datasets.augment import PRESETS, Augmentation, augment, preview
from felicity.errors import ConfigError
from tests.support import faces_on_disk as disk

OFF = {
    name: 0.0
    for name in (
        "shift",
        "zoom",
        "turn",
        "flip",
        "contrast",
        "brightness",
        "coarse",
        "blur",
        "noise",
        "jpeg",
        "stretch",
        "erase",
        "worn",
    )
}


@pytest.mark.parametrize("colours", [(), (3,)])
def test_shape_stays_and_the_seed_decides(colours: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 48, 48, *colours), dtype=np.uint8)
    before = images.copy()
    one = augment(images, np.random.default_rng(7))
    assert one.shape == images.shape
    assert one.dtype == np.uint8
    np.testing.assert_array_equal(one, augment(images, np.random.default_rng(7)))
    assert not np.array_equal(one, augment(images, np.random.default_rng(8)))
    np.testing.assert_array_equal(images, before)


def test_switched_off_it_changes_nothing() -> None:
    images = disk.made_up(7).images
    np.testing.assert_array_equal(augment(images, np.random.default_rng(1), Augmentation(**OFF)), images)


def test_flip_alone_mirrors() -> None:
    images = disk.made_up(7).images
    flipped = augment(images, np.random.default_rng(1), Augmentation(**OFF | {"flip": 1.0}))
    np.testing.assert_array_equal(flipped, images[:, :, ::-1])


@pytest.mark.parametrize("name", [name for name in OFF if name != "flip"])
def test_each_change_does_something_and_keeps_the_face(name: str) -> None:
    images = disk.made_up(60).images
    how = Augmentation(**OFF | {name: {"turn": 14.0, "shift": 0.1}.get(name, 0.3)})
    changed = augment(images, np.random.default_rng(2), how)
    different = (changed != images).any(axis=(1, 2)).mean()
    assert different > 0.15
    correlation = np.corrcoef(images.ravel(), changed.ravel())[0, 1]
    assert correlation > 0.4


@pytest.mark.parametrize(("name", "value"), [("flip", 1.5), ("turn", 200.0), ("noise", -0.1)])
def test_impossible_amounts_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"augmentation: {name} must lie in 0 to"):
        Augmentation(**{name: value})


def test_mild_changes_faces_less_than_camera_and_geometry_keeps_what_cameras_see() -> None:
    images = disk.made_up(60).images
    still = {"shift": 0, "zoom": 0, "stretch": 0, "turn": 0, "flip": 0}

    def change(name: str) -> float:
        changed = augment(images, np.random.default_rng(2), replace(PRESETS[name], **still))
        return float(np.abs(changed.astype(float) - images).mean())

    assert 0 < change("mild") < 0.8 * change("camera")
    assert PRESETS["mild"].shift < PRESETS["camera"].shift == PRESETS["geometry"].shift
    light = replace(PRESETS["geometry"], contrast=0, brightness=0, **still)
    np.testing.assert_array_equal(augment(images, np.random.default_rng(2), light), images)


def test_the_preview_shows_each_image_first() -> None:
    images = disk.made_up(3).images
    sheet = preview(images, seed=1, variants=4)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (16 * 2 + 3 * 100 - 4, 16 * 3 + 5 * 100 - 4, 3)
    np.testing.assert_array_equal(sheet[16 : 16 + 96 : 2, 16 : 16 + 96 : 2, 0], images[0])
    np.testing.assert_array_equal(sheet, preview(images, seed=1, variants=4))


def test_what_is_worn_is_dark_and_leaves_the_mouth_free() -> None:
    images = np.full((200, 48, 48), 200, dtype=np.uint8)
    changed = augment(images, np.random.default_rng(3), Augmentation(**OFF | {"worn": 1.0}))
    assert changed.max() <= 200
    assert (changed < 190).any((1, 2)).all()
    assert (changed[:, 36:38, 21:27] > 180).all()
    covered = (changed < 150).mean(0)
    eyes, brow, chin = covered[18, 14], covered[3, 24], covered[47, 24]
    assert min(eyes, brow, chin) > 0.15
