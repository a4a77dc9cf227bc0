"""Light, contrast, sharpness and noise of pictures are measured as they are, and a frozen picture is noticed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from felicity.faces.conditions import Eyesight, measure, noise, unfit
from tests.support.people import scene

START = datetime(2026, 5, 4, tzinfo=UTC)
STREET = cv2.resize(scene((40, 60), (330, 40)), (960, 540))


def spoilt(gain: float = 1.0, sigma: float = 0.0) -> np.ndarray:
    image = STREET * gain + np.random.default_rng(1).normal(0, sigma, STREET.shape)
    return image.clip(0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("sigma", [2.0, 5.0, 12.0, 25.0])
@pytest.mark.parametrize("gain", [1.0, 0.4])
def test_noise_is_measured_whatever_the_light(sigma: float, gain: float) -> None:
    room = np.full((540, 960, 3), 120 * gain)
    room[200:, 300:] += 60
    grey = (room + np.random.default_rng(2).normal(0, sigma, room.shape)).clip(0, 255).round().astype(np.uint8)[:, :, 1]
    assert noise(grey) == pytest.approx(sigma, rel=0.1, abs=0.3)
    assert noise(cv2.GaussianBlur(grey, (0, 0), 3)) < 0.5


def test_darkness_blur_and_noise_show_in_their_own_measure() -> None:
    day, dusk, soft, grainy = (
        measure(image) for image in (STREET, spoilt(0.4), cv2.GaussianBlur(STREET, (0, 0), 4), spoilt(1, 12))
    )
    assert dusk.brightness == pytest.approx(0.4 * day.brightness, rel=0.02)
    assert dusk.contrast == pytest.approx(0.4 * day.contrast, rel=0.02)
    assert dusk.sharpness == pytest.approx(day.sharpness, rel=0.1), "sharpness does not depend on the light"
    assert soft.sharpness < 0.6 * day.sharpness and soft.brightness == pytest.approx(day.brightness, rel=0.02)
    assert grainy.noise > 10 > day.noise
    assert grainy.sharpness == pytest.approx(day.sharpness, rel=0.5), "noise is not taken for detail"


def test_a_picture_without_contrast_or_full_of_noise_is_unfit() -> None:
    assert unfit(60.0, 2.0) is None
    assert unfit(10.0, 0.5) == "faint"
    assert unfit(60.0, 20.0) == "noisy"
    eyesight = Eyesight()
    looks = [eyesight.look(spoilt(0.05), START), eyesight.look(spoilt(0.05, 1), START + timedelta(seconds=0.5))]
    assert [look.unfit for look in looks] == ["faint", "faint"]
    assert [look.measured is None for look in looks] == [False, True], "measured once a second"


def test_a_picture_that_does_not_change_is_frozen_after_two_seconds() -> None:
    eyesight = Eyesight()
    moved = np.roll(STREET, 3, axis=1)
    shown = [STREET, moved, *[STREET] * 30, moved]
    looks = [eyesight.look(image, START + timedelta(seconds=i / 10)) for i, image in enumerate(shown)]
    assert [look.repeated for look in looks] == [False, False, False, *[True] * 29, False]
    assert [i for i, look in enumerate(looks) if look.frozen] == list(range(22, 32))


def test_the_same_photograph_twice_is_not_frozen() -> None:
    eyesight = Eyesight(stills=True)
    looks = [eyesight.look(STREET, START + timedelta(seconds=i)) for i in range(5)]
    assert not any(look.repeated or look.frozen for look in looks) and all(look.measured for look in looks)
