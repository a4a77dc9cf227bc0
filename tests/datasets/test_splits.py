"""Splits: no group is divided, classes keep their shares, nothing depends on the order of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity.datasets.splits import LEFT_OUT, SplitOptions, assign, content_draw, k_folds, split
from felicity.errors import ConfigError, DatasetError

Rows = npt.NDArray[np.int64]


@st.composite
def samples(draw: st.DrawFn, *, single: bool = False, pure: bool = False) -> tuple[Rows, Rows, list[str]]:
    """Labels, groups and keys of 4 to 150 images."""
    n = draw(st.integers(4, 150))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = rng.choice(draw(st.integers(1, 8)), n, p=None)
    groups = np.arange(n) if single else rng.integers(0, draw(st.integers(2, n)), n)
    if pure:
        groups = groups * 8 + labels
    return labels, groups, [f"{value:016x}" for value in rng.permutation(n * 7)[:n]]


SHARES = st.sampled_from([(0.7, 0.3), (0.9, 0.1), (0.2,) * 5, (1 / 3,) * 3, (0.63, 0.07, 0.3), (0.5, 0.5)])
SEEDS = st.integers(0, 50)


@given(samples(), SHARES, SEEDS)
@settings(max_examples=150, deadline=None)
def test_no_group_straddles(data: tuple[Rows, Rows, list[str]], shares: tuple[float, ...], seed: int) -> None:
    labels, groups, keys = data
    parts = assign(labels, groups, keys, shares, seed)
    assert parts.min() >= 0
    assert parts.max() < len(shares)
    for group in np.unique(groups):
        assert len(set(parts[groups == group].tolist())) == 1


@given(samples(single=True), SHARES, SEEDS)
@settings(max_examples=150, deadline=None)
def test_single_images_are_stratified_within_one(
    data: tuple[Rows, Rows, list[str]], shares: tuple[float, ...], seed: int
) -> None:
    _off_by_less_than(1, data, assign(*data, shares, seed), shares)


@given(samples(pure=True), SHARES, SEEDS)
@settings(max_examples=150, deadline=None)
def test_groups_of_one_class_are_stratified_within_the_largest(
    data: tuple[Rows, Rows, list[str]], shares: tuple[float, ...], seed: int
) -> None:
    largest = int(np.unique(data[1], return_counts=True)[1].max())
    _off_by_less_than(largest + 1, data, assign(*data, shares, seed), shares)


def _off_by_less_than(bound: int, data: tuple[Rows, Rows, list[str]], parts: Rows, shares: tuple[float, ...]) -> None:
    labels = data[0]
    for label in np.unique(labels):
        for part, share in enumerate(shares):
            wanted = share * (labels == label).sum()
            assert abs(((labels == label) & (parts == part)).sum() - wanted) < bound


def test_single_images_even_out_what_groups_unbalance() -> None:
    groups = np.concatenate([np.repeat(np.arange(20), 5), np.arange(20, 220)])
    labels = np.concatenate([np.repeat(np.arange(20) % 2, 5), np.arange(200) % 2])
    keys = [f"{i:03}" for i in range(300)]
    for seed in range(5):
        _off_by_less_than(1, (labels, groups, keys), assign(labels, groups, keys, (0.7, 0.3), seed), (0.7, 0.3))


@given(samples(), SHARES, SEEDS, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_rows_does_not_matter(
    data: tuple[Rows, Rows, list[str]], shares: tuple[float, ...], seed: int, random: Any
) -> None:
    labels, groups, keys = data
    order = list(range(len(labels)))
    random.shuffle(order)
    renamed = 1000 - groups[order]
    again = assign(labels[order], renamed, [keys[i] for i in order], shares, seed)
    np.testing.assert_array_equal(again, assign(labels, groups, keys, shares, seed)[order])


@given(samples(), st.integers(2, 4), SEEDS)
@settings(max_examples=100, deadline=None)
def test_k_folds_hold_every_image_out_once(data: tuple[Rows, Rows, list[str]], k: int, seed: int) -> None:
    folds = k_folds(*data, k, seed)
    assert len(folds) == len(data[0])
    assert set(folds.tolist()) <= set(range(k))
    np.testing.assert_array_equal(folds, k_folds(*data, k, seed))


def test_seeds_differ() -> None:
    labels, keys = np.zeros(100, dtype=np.int64), [f"{i:03}" for i in range(100)]
    one, other = (assign(labels, np.arange(100), keys, (0.7, 0.3), seed) for seed in (1, 2))
    assert not np.array_equal(one, other)


@given(samples(), SEEDS, st.floats(0, 0.5), st.floats(0, 0.5), st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_group_straddles_the_parts(
    data: tuple[Rows, Rows, list[str]], seed: int, test: float, validation: float, official: bool
) -> None:
    labels, groups, keys = data
    rng = np.random.default_rng(seed)
    folds = rng.choice(["Training", "PublicTest", "PrivateTest"] if official else [""], len(labels))
    parts = split(labels, folds, groups, keys, SplitOptions(test, validation, seed))
    for group in np.unique(groups):
        assert len(set(parts[groups == group].tolist()) - {LEFT_OUT}) <= 1
    if official and {"Training"} < set(folds.tolist()):
        np.testing.assert_array_equal(parts == "test", folds != "Training")


def test_official_test_images_stay_and_their_duplicates_leave_training() -> None:
    folds = np.array(["Training"] * 8 + ["PublicTest"] * 2)
    groups = np.array([0, 1, 2, 3, 4, 5, 6, 7, 0, 8])
    keys = [f"{i}" for i in range(10)]
    parts = split(np.zeros(10, dtype=np.int64), folds, groups, keys, SplitOptions(validation_share=0.25))
    assert parts[0] == LEFT_OUT
    assert parts[8:].tolist() == ["test", "test"]
    assert sorted(parts[1:8].tolist()) == ["train"] * 5 + ["validation"] * 2
    leaky = split(np.zeros(10, dtype=np.int64), folds, groups, keys, SplitOptions(leaky=True))
    assert LEFT_OUT not in leaky


def test_official_validation_is_kept() -> None:
    folds = np.array(["train"] * 6 + ["val"] * 2 + ["test"] * 2)
    groups = np.array([0, 1, 2, 3, 4, 5, 0, 6, 6, 7])
    parts = split(np.zeros(10, dtype=np.int64), folds, groups, [str(i) for i in range(10)], SplitOptions())
    assert parts.tolist() == [LEFT_OUT, *["train"] * 5, "validation", LEFT_OUT, "test", "test"]


def test_what_was_left_out_stays_out() -> None:
    folds = np.array(["train"] * 6 + ["left out"] * 2 + ["validation"] + ["test"])
    keys = [str(i) for i in range(10)]
    assert split(np.zeros(10, dtype=np.int64), folds, np.arange(10), keys, SplitOptions()).tolist() == folds.tolist()
    folds[8:] = "train"  # nothing is held out any more: drawn, of what is in a part
    drawn = split(np.zeros(10, dtype=np.int64), folds, np.arange(10), keys, SplitOptions())
    assert np.flatnonzero(drawn == LEFT_OUT).tolist() == [6, 7] and "test" in drawn


@pytest.mark.parametrize(
    ("unknown", "said"), [("PublcTest", "1 images in fold 'PublcTest'"), ("", "1 images in no fold")]
)
def test_folds_of_which_some_say_nothing_are_refused(unknown: str, said: str) -> None:
    folds = np.array(["Training"] * 6 + ["PublicTest"] * 3 + [unknown])
    with pytest.raises(DatasetError, match=f"beside 'PublicTest', 'Training' there are {said}; call each fold train"):
        split(np.zeros(10, dtype=np.int64), folds, np.arange(10), [str(i) for i in range(10)], SplitOptions())


def test_the_study_is_seventy_to_thirty() -> None:
    labels = np.arange(1000) % 2
    parts = split(labels, np.full(1000, ""), np.arange(1000), [f"{i:04}" for i in range(1000)], SplitOptions())
    counts = {part: int((parts == part).sum()) for part in ("train", "validation", "test")}
    assert counts == {"train": 630, "validation": 70, "test": 300}


def test_content_draw_looks_at_pixels_alone() -> None:
    images = np.random.default_rng(1).integers(0, 256, (500, 8, 8), dtype=np.uint8)
    images[7] = images[3]
    drawn = content_draw(images)
    assert drawn[7] == drawn[3]
    np.testing.assert_array_equal(content_draw(images[::-1]), drawn[::-1])
    assert 0.4 < (drawn < 0.5).mean() < 0.6


@pytest.mark.parametrize("options", [{"test_share": 1.0}, {"validation_share": -0.1}])
def test_impossible_shares_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="must lie in 0 to below 1"):
        SplitOptions(**options)
    with pytest.raises(ConfigError, match="there must be 2 to 3 folds, not 4"):
        k_folds(np.zeros(3, dtype=np.int64), np.arange(3), list("abc"), 4)
