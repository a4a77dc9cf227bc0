"""Intervals: that they cover, that they are sane at the edges, and what makes them wide."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity.errors import EstimateError
from felicity.index import SoftMatrix
from felicity.index.bootstrap import bootstrap
from felicity.index.interval import IS_HAPPY, IS_UNHAPPY, Intervals
from felicity.windows import Sums
from tests.support.windows import VALIDATION, answers, draw_groups, draw_mixes, make_windows, shares, soft_matrix

Floats = npt.NDArray[np.float64]
HAPPY_SHARES = (0.05, 0.2, 0.5, 0.8, 0.95)


def coverage(people: int, window_people: float, likeness: float, groups: int, seed: int) -> dict[str, float]:
    """How often the interval holds the truth; the soft matrix is measured again for every five groups."""
    rng = np.random.default_rng(seed)
    held: dict[str, list[bool]] = {"happy": [], "balance": [], "ratio": []}
    for _ in range(groups // len(HAPPY_SHARES)):
        truth = draw_mixes(rng, np.array(HAPPY_SHARES))
        sums, _ = draw_groups(rng, truth, people, window_people, likeness)
        intervals = Intervals(sums, soft_matrix(rng))
        for name, weights in (("happy", IS_HAPPY), ("balance", IS_HAPPY - IS_UNHAPPY)):
            figure = intervals.linear(weights)
            held[name] += ((figure.low <= truth @ weights) & (truth @ weights <= figure.high)).tolist()
        ratio = truth @ IS_HAPPY / (truth @ (IS_HAPPY + IS_UNHAPPY))
        _, low, high = intervals.ratio(IS_HAPPY, IS_UNHAPPY)
        held["ratio"] += ((low <= ratio) & (ratio <= high)).tolist()
    return {name: float(np.mean(hits)) for name, hits in held.items()}


# Of 400 intervals that hold the truth in 95 % of cases, 92.0 to 97.8 % do so (99 % of the time).
@pytest.mark.parametrize(
    ("people", "window_people", "likeness", "groups"),
    [(50, 4, 0.0, 400), (50, 4, 0.2, 400), (200, 8, 0.0, 400), (200, 8, 0.2, 400), (2000, 10, 0.2, 100)],
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    people: int, window_people: float, likeness: float, groups: int
) -> None:
    held = coverage(people, window_people, likeness, groups, seed=1)
    assert 0.92 <= held["happy"] <= 0.985
    assert held["balance"] >= 0.92 and held["ratio"] >= 0.92


@pytest.mark.parametrize("people", [10, 35])
def test_one_window_cannot_tell_whether_its_people_look_alike_and_serves_both(people: int) -> None:
    alone, alike = (coverage(people, people, likeness, 400, seed=2)["happy"] for likeness in (0.0, 0.25))
    assert alike >= 0.88
    assert 0.92 <= (alone + alike) / 2 <= 0.985


@pytest.mark.parametrize(("likeness", "least", "most"), [(0.0, 1.0, 1.2), (0.3, 0.9, 1.0)])
def test_the_error_of_few_windows_follows_what_they_show(likeness: float, least: float, most: float) -> None:
    """Five windows are too few to forget what is expected of them, and enough to move far from it."""
    rng = np.random.default_rng(4)
    sums, _ = draw_groups(rng, draw_mixes(rng, np.full(4500, 0.5)), 50, 10, likeness)
    figure = Intervals(sums, soft_matrix(rng)).linear(IS_HAPPY)
    told = np.sqrt((figure.people_error**2).mean()) / figure.adjusted.std()
    assert least <= told <= most


def mean_width(rng: np.random.Generator, soft: SoftMatrix, windows: int, people: int, likeness: float) -> float:
    """Mean width of the happy share's interval, of places with ``windows`` of ``people`` each on average."""
    truth = draw_mixes(rng, np.repeat(HAPPY_SHARES, 16))
    figure = Intervals(draw_groups(rng, truth, windows * people, people, likeness)[0], soft).linear(IS_HAPPY)
    return float((figure.high - figure.low).mean())


@pytest.mark.parametrize("likeness", [0.0, 0.1, 0.3])
def test_more_people_of_the_same_kind_never_widen_an_interval_on_average(likeness: float) -> None:
    rng = np.random.default_rng(9)
    soft = soft_matrix(rng)
    for sizes in (
        ((1, 5), (1, 10), (1, 35), (1, 80)),
        ((1, 10), (2, 10), (3, 10), (10, 10)),
        ((1, 35), (2, 35), (4, 35)),
    ):
        widths = [mean_width(rng, soft, *size, likeness) for size in sizes]
        assert all(more <= 1.02 * fewer for fewer, more in pairwise(widths)), (sizes, widths)


def test_three_minutes_tell_more_than_one_of_them() -> None:
    rng = np.random.default_rng(10)
    soft = soft_matrix(rng)
    one, three = (mean_width(rng, soft, *size, 0.1) for size in ((1, 35), (3, 28)))
    assert three < 0.85 * one


def sums_of(p: Floats, window: npt.ArrayLike | None = None) -> Sums:
    n = len(p)
    one = np.ones(n, dtype=np.int64)
    at = np.zeros(n, dtype=np.int64) if window is None else np.asarray(window)
    people = Sums.of_windows(
        start=at,
        seconds=one,
        people_seen=one,
        people=one,
        hard_counts=np.eye(8, dtype=np.int64)[p.argmax(axis=1)],
        prob_sums=p,
        prob_cross=p[:, :, None] * p[:, None, :],
    )
    windows = people.grouped(at, int(at.max()) + 1)
    squared = windows.prob_sums[:, :, None] * windows.prob_sums[:, None, :]
    return replace(windows, blocks=(windows.people > 0).astype(np.int64), block_cross=squared).total()


@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize("people", [10, 50])
def test_nobody_happy_and_all_happy_leave_room(label: int, people: int) -> None:
    rng = np.random.default_rng(3)
    intervals = Intervals(sums_of(answers(rng, np.full(people, label)), np.arange(people) // 2), soft_matrix(rng))
    figure = intervals.linear(IS_HAPPY)
    low, point, high = float(figure.low[0]), float(figure.adjusted[0]), float(figure.high[0])
    assert 0 <= low <= point <= high <= 1
    assert high - low > 1 / people, "even if all look alike, the next might not"
    least = 0.7 if people == 50 else 0.35
    assert (low > least) if label == 1 else (high < 1 - least)


@settings(deadline=None, max_examples=60)
@given(people=st.integers(1, 60), seed=st.integers(0, 2**32), per_window=st.integers(1, 60))
def test_intervals_hold_their_estimate_and_stay_in_range(people: int, seed: int, per_window: int) -> None:
    rng = np.random.default_rng(seed)
    p = answers(rng, rng.integers(0, 8, people))
    intervals = Intervals(sums_of(p, np.arange(people) // per_window), soft_matrix(rng))
    for weights, least in ((IS_HAPPY, 0), (IS_UNHAPPY, 0), (IS_HAPPY - IS_UNHAPPY, -1), (np.eye(8)[7], 0)):
        figure = intervals.linear(weights)
        assert least - 1e-9 <= figure.low[0] <= figure.adjusted[0] <= figure.high[0] <= 1 + 1e-9
        assert figure.people_error[0] >= 0 and figure.matrix_error[0] >= 0
    point, low, high = (float(value[0]) for value in intervals.ratio(IS_HAPPY, IS_UNHAPPY))
    assert np.isnan(point) or 0 <= low <= point <= high <= 1
    assert 0 < intervals.effective_people()[0] <= people


def test_people_who_resemble_each_other_count_for_fewer() -> None:
    rng = np.random.default_rng(4)
    soft = soft_matrix(rng)
    labels = np.repeat(rng.choice(8, 40, p=shares(0.5)), 10)
    p = answers(rng, labels)
    alike = Intervals(sums_of(p, np.arange(400) // 10), soft)
    mixed = Intervals(sums_of(p, np.arange(400) % 40), soft)
    assert alike.effective_people()[0] < 80 and mixed.effective_people()[0] > 250
    wide, narrow = alike.linear(IS_HAPPY), mixed.linear(IS_HAPPY)
    assert (wide.high - wide.low)[0] > 2 * (narrow.high - narrow.low)[0]
    assert np.allclose(wide.matrix_error, narrow.matrix_error)


def test_more_people_and_more_validation_faces_make_intervals_narrower() -> None:
    rng = np.random.default_rng(5)
    faces = {factor: soft_matrix(rng, VALIDATION * factor) for factor in (1, 10)}
    width, error = {}, {}
    for people in (50, 500, 5000):
        sums, _ = draw_groups(rng, shares(0.4)[None], people, 4, 0.0)
        for factor, soft in faces.items():
            figure = Intervals(sums, soft).linear(IS_HAPPY)
            width[people, factor] = float(figure.high[0] - figure.low[0])
            error[people, factor] = float(figure.matrix_error[0])
    assert width[50, 1] > 2 * width[500, 1] > 4 * width[5000, 1]
    assert width[5000, 1] > width[5000, 10]
    for people in (500, 5000):
        assert 2 < error[people, 1] / error[people, 10] < 5, "ten times the faces, a third of the error"


def test_agrees_with_the_bootstrap_where_that_is_at_its_best() -> None:
    rng = np.random.default_rng(6)
    soft = soft_matrix(rng)
    for happy, likeness in ((0.3, 0.0), (0.6, 0.2)):
        sums, (windows,) = draw_groups(rng, shares(happy)[None], 2000, 8, likeness)
        ours = Intervals(sums, soft).linear(IS_HAPPY)
        low, high = np.percentile(bootstrap(windows, soft, seed=1)[:, 1], [2.5, 97.5])
        assert abs(ours.low[0] - low) < 0.008 and abs(ours.high[0] - high) < 0.008


def test_the_bootstrap_repeats_by_its_seed_and_needs_two_windows() -> None:
    rng = np.random.default_rng(7)
    soft = soft_matrix(rng)
    windows = Sums.of(make_windows(rng, 40))
    first, again, other = (bootstrap(windows, soft, draws=50, seed=seed) for seed in (1, 1, 2))
    assert (first == again).all() and not (first == other).all()
    with pytest.raises(EstimateError, match="two windows with people in them, not 1"):
        bootstrap(Sums.of(make_windows(rng, 1, people=9)), soft)


def test_labels_without_validation_faces() -> None:
    rng = np.random.default_rng(8)
    counts = VALIDATION.copy()
    counts[7] = 0
    soft = soft_matrix(rng, counts)
    sums, _ = draw_groups(rng, shares(0.4)[None], 500, 5, 0.0)
    figure = Intervals(sums, soft).linear(IS_HAPPY)
    assert 0.25 < figure.low[0] < figure.adjusted[0] < figure.high[0] < 0.55


def test_a_perfect_classifier_gives_wilsons_interval() -> None:
    # Answers that are always right: M is the identity, and what remains is the binomial.
    labels = np.repeat(np.arange(8), 1000)
    soft = SoftMatrix.from_probabilities(np.eye(8)[labels], labels)
    n, k, z = 100, 8, 1.959964
    p = np.eye(8)[[1] * k + [0] * (n - k)]
    figure = Intervals(sums_of(p, np.arange(n)), soft).linear(IS_HAPPY)  # each in a minute of its own
    centre, half = (k + z * z / 2) / (n + z * z), z / (n + z * z) * np.sqrt(k * (n - k) / n + z * z / 4)
    assert abs(figure.low[0] - (centre - half)) < 2e-3 and abs(figure.high[0] - (centre + half)) < 2e-3
