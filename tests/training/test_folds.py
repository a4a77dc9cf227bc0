"""Folds: every image outside the test set is held out exactly once, and no group straddles folds."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from felicity.datasets import PrepareOptions, SplitOptions, open_dataset, prepare
from felicity.errors import ConfigError
from felicity.training.config import DataConfig
from felicity.training.data import load_training_set
from felicity.training.folds import Pool, number_of_folds, open_pool, plan_folds
from tests.support.class_folders import write_class_folders

Rows = npt.NDArray[np.int64]


def pool_of(labels: Rows, groups: Rows, drawn: Rows | None = None) -> Pool:
    """Images of one pixel's worth; only their rows matter here."""
    n = len(labels)
    images = np.arange(n, dtype=np.uint8).reshape(n, 1, 1)
    classes = tuple("abcdefgh"[: labels.max() + 1])
    return Pool(classes, images, labels, None, groups, [f"{row:05}" for row in range(n)], drawn, "set")


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """40 to 200 images of 2 to 5 classes in groups that may hold several classes."""
    n = draw(st.integers(40, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = rng.integers(0, draw(st.integers(2, 5)), n)
    return pool_of(labels, rng.integers(0, draw(st.integers(n // 2, 2 * n)), n))


@given(pools(), st.integers(2, 6), st.integers(0, 20))
@settings(max_examples=150, deadline=None)
def test_every_image_is_held_out_once_and_no_group_straddles(pool: Pool, k: int, seed: int) -> None:
    try:
        folds = plan_folds(pool, k, seed=seed, validation_share=0.2)
    except ConfigError:
        assume(False)
    assert sorted(np.concatenate([fold.held_out for fold in folds]).tolist()) == list(range(len(pool)))
    for fold in folds:
        parts = (fold.train, fold.validation, fold.held_out)
        assert sorted(np.concatenate(parts).tolist()) == list(range(len(pool)))
        groups = [set(pool.groups[rows].tolist()) for rows in parts]
        assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
        for rows in (fold.train, fold.held_out):
            assert set(pool.labels[rows].tolist()) == set(range(len(pool.classes)))


def test_single_images_are_stratified() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    for fold in plan_folds(pool_of(labels, np.arange(100)), 5, seed=1, validation_share=0.1):
        assert np.bincount(labels[fold.held_out]).tolist() == [10, 6, 4]


def test_folds_that_the_preparation_drew_are_taken() -> None:
    labels, drawn = np.arange(12) % 2, np.arange(12) // 4
    pool = pool_of(labels, np.arange(12), drawn)
    assert number_of_folds(pool, None) == 3
    assert number_of_folds(pool, 0) == 0, "which is refused, rather than taken for none asked for"
    folds = plan_folds(pool, 3, seed=9, validation_share=0.25)
    for fold in folds:
        assert (drawn[fold.held_out] == fold.number - 1).all()


@pytest.mark.parametrize(
    ("labels", "groups", "k", "says"),
    [
        ([0] * 5 + [1] * 5, range(10), 1, "2 folds or more, not 1"),
        ([0] * 5 + [1] * 5, range(10), 0, "2 folds or more, not 0"),
        ([0] * 5 + [1] * 5, range(10), 6, "class a has too few images for 6 folds.*ask for 5 at the most"),
        ([0] * 9 + [1], range(10), 2, "class b has too few images for 2 folds.*bring more"),
        ([0] * 6 + [1] * 4, [*range(6), 6, 6, 7, 7], 3, "class b .* 4, in 2 group"),
        ([0, 1] * 4, [3, 1, 2, 3, 2, 3, 0, 2], 3, "fold 3 of 3 would hold out no image of a"),
    ],
)
def test_folds_that_cannot_be_are_refused(labels: list[int], groups: list[int], k: int, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        plan_folds(pool_of(np.array(labels), np.array(groups)), k, seed=1, validation_share=0.3)


def test_without_images_to_choose_by_it_says_so() -> None:
    pool = pool_of(np.arange(20) % 2, np.arange(20))
    with pytest.raises(ConfigError, match="no image to choose by; give a larger --validation-share"):
        plan_folds(pool, 2, seed=1, validation_share=0.0)


@pytest.mark.parametrize("pixels", ["normalised", "raw"])
def test_a_fold_has_the_pixels_that_a_training_has(tmp_path: Path, pixels: Literal["normalised", "raw"]) -> None:
    faces = write_class_folders(tmp_path / "faces", {"happy": 20, "sad": 20})
    config = DataConfig(path=str(faces), size=16, pixels=pixels)
    pool = open_pool(config)
    fold = pool.training_set(plan_folds(pool, 2, seed=1, validation_share=0.2)[0])
    for made in (fold, load_training_set(config)):
        assert ((made.mean, made.std) == (0.0, 1 / 255)) is (pixels == "raw")


def test_the_test_part_has_no_share_in_it(tmp_path: Path) -> None:
    source = write_class_folders(tmp_path / "faces", {"happy": 30, "sad": 20})
    options = PrepareOptions(16, folds=3, split=SplitOptions(test_share=0.4))
    manifest = prepare(open_dataset(source), tmp_path / "ready", options)
    pool = open_pool(DataConfig(path=str(tmp_path / "ready"), size=16))
    held_back = {f"{h}:{n}" for h, n in zip(manifest.hashes, manifest.names.tolist(), strict=True)} - set(pool.keys)
    test = manifest.names[manifest.splits == "test"].tolist()
    assert sorted(key.split(":", 1)[1] for key in held_back) == sorted(test) and len(test) == 20
    assert number_of_folds(pool, None) == 3
    assert len(open_pool(DataConfig(path=str(tmp_path / "ready"), size=16, images=12))) == 12
