"""Things drawn before faces: what hides the mouth is called so, and the same elsewhere is not."""

import numpy as np
import pytest

from felicity.datasets.cover_styles import BARE, STYLES
from felicity.datasets.covers import Covered, Covering, draw_before
from felicity.datasets.drawing import FaceFrame

FRAME = FaceFrame.usual(48)
MOUTH = np.s_[:, 36:39, 22:27]


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Grey squares whose mouths and eyes are of known shades."""
    made = np.full((40, 48, 48), 130, dtype=np.uint8)
    made[MOUTH] = 77
    return made


def drawn(faces: np.ndarray, how: Covering, seed: int = 1) -> Covered:
    return draw_before(faces, [FRAME] * len(faces), np.random.default_rng(seed), how)


@pytest.mark.parametrize("style", STYLES)
def test_what_covers_hides_the_mouth_and_elsewhere_leaves_it(faces: np.ndarray, style: str) -> None:
    before, beside = (drawn(faces, how) for how in (Covering(1, 0, (style,)), Covering(0, 1, (style,))))
    assert before.covered.mean() > 0.8 and set(before.style[before.covered]) == {style}
    hidden = np.abs(before.images[MOUTH].astype(int) - 77).mean(axis=(1, 2)) > 3
    assert hidden[before.covered].mean() > 0.85, "some cloths have the mouth's own shade"
    assert not beside.covered.any() and set(beside.style) <= {style, "", *BARE}
    free = beside.style == style
    assert np.abs(beside.images[MOUTH][free].astype(int) - 77).mean() < 12


def test_bare_faces_stay_as_they_are_and_the_seed_decides(faces: np.ndarray) -> None:
    nothing = drawn(faces, Covering(0, 0))
    assert (nothing.images == faces).all() and not nothing.covered.any() and set(nothing.style) == {""}
    some = drawn(faces, Covering())
    assert 0.15 < some.covered.mean() < 0.65
    assert (some.images == drawn(faces, Covering()).images).all()
    assert (some.images != drawn(faces, Covering(), seed=2).images).any()


def test_a_frame_follows_turned_and_tilted_heads() -> None:
    frame = FaceFrame.of([(10, 20), (30, 20)], (25, 32))
    assert frame.pixels([(-0.5, 0), (0.5, 0), (0, 0.6)]) == pytest.approx(np.array([(10, 20), (30, 20), (25, 32)]))
    tilted = FaceFrame.of([(20, 10), (20, 30)], (10, 20))
    assert tilted.pixels([(0, 1)]) == pytest.approx(np.array([(0, 20)])), "down the face is left in the picture"
