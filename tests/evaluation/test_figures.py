"""Figures with their intervals: what the bootstrap draws, and how often it covers the truth."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from felicity.evaluation import intervals, tables
from felicity.evaluation.figures import figures
from felicity.evaluation.intervals import Estimate, estimates, resamples, settled
from tests.support.judged import judged

CLASSES = ("neutral", "happy", "sad", "fear", "anger")


def test_groups_are_drawn_whole() -> None:
    groups = np.array([7, 7, 2, 5, 5, 5])
    weights = np.concatenate(list(resamples(groups, 50, seed=1)))
    assert weights.shape == (50, 6)
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 3:] == weights[:, 3:4]).all()
    assert (weights[:, [0, 2, 3]].sum(1) == 3).all(), "three groups are drawn each time"


def test_draws_depend_on_the_seed_alone() -> None:
    labels, p = judged(120)
    first = figures(labels, p, CLASSES, np.arange(120), draws=200).plain()
    assert figures(labels, p, CLASSES, np.arange(120), draws=200).plain() == first
    assert figures(labels, p, CLASSES, np.arange(120), draws=200, seed=2).plain()["intervals"] != first["intervals"]


def test_the_interval_of_accuracy_covers_the_truth_and_groups_widen_it() -> None:
    truth, covered, narrow = 0.7, 0, 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(60), 5)  # five copies of each image: as sure as sixty, not as three hundred
        right = np.repeat(rng.random(60) < truth, 5)
        for together in (groups, np.arange(300)):
            found = estimates(lambda w, r=right: {"a": w @ r / w.sum(1)}, together, draws=300, seed=seed)["a"]  # type: ignore[misc]
            inside = bool(found.low <= truth <= found.high)
            covered, narrow = covered + (together is groups and inside), narrow + (together is not groups and inside)
    assert 0.9 <= covered / 150 <= 0.98
    assert narrow / 150 < 0.75, "copies taken for independent images promise too much"


def test_calibration_error_is_not_thought_larger_than_measured() -> None:
    labels, p = judged(2000, seed=4)  # perfectly calibrated: what is measured is noise
    found = figures(labels, p, CLASSES, np.arange(2000), draws=300).found["ece"]
    assert found.low < 0.005 < found.value < 0.03
    assert found.value <= found.high <= found.value + 0.01


def test_a_class_that_is_never_missed_has_wilsons_interval() -> None:
    same = Estimate(np.array([1.0, 0.0, 0.5]), np.array([1.0, 0.0, 0.4]), np.array([1.0, 0.0, 0.6]))
    found = settled(same, np.array([12, 24, 99]))
    for i, (right, n) in enumerate(((12, 12), (0, 24))):
        low, high = proportion_confint(right, n, method="wilson")
        assert (found.low[i], found.high[i]) == (pytest.approx(low, abs=1e-7), pytest.approx(high, abs=1e-7))
    assert (found.low[2], found.high[2]) == (0.4, 0.6), "the bootstrap's own interval stands"


def test_images_that_belong_together_are_one_trial() -> None:
    labels = np.repeat([1, 0], 50)
    p = np.full((100, 2), 0.2)
    p[np.arange(100), labels] = 0.8
    p[:20] = p[:20, ::-1]  # of the fifty happy images, all of one person, twenty are missed
    groups = np.concatenate([np.zeros(50, dtype=int), 1 + np.arange(50) // 2])
    found = figures(labels, p, ("neutral", "happy"), groups, draws=100).plain()
    between = found["intervals"]
    assert found["happy"]["recall"] == 0.6 and between["happy"]["recall"] == [None, None]
    assert between["per_class"]["happy"]["recall"] == [None, None]
    low, high = proportion_confint(25, 25, method="wilson")
    assert between["per_class"]["neutral"]["recall"] == pytest.approx([low, high], abs=1e-6), "25 pairs"
    alone = figures(labels, p, ("neutral", "happy"), np.zeros(100, dtype=int), draws=100)
    assert alone.plain()["accuracy"] == 0.8
    assert all(np.isnan(alone.found[name].low).all() for name in ("accuracy", "balanced_accuracy", "macro_f1", "brier"))
    assert tables.shown(alone.found["accuracy"], "accuracy") == "80.0 %"


def test_json_has_a_number_and_an_interval_for_every_figure() -> None:
    labels, p = judged(200)
    p[:, 4] = 0  # anger is never answered
    found = figures(labels, p / p.sum(1, keepdims=True), CLASSES, np.arange(200), draws=200).plain()
    between = found["intervals"]

    def check(value: float, interval: list[float]) -> None:
        assert interval[0] <= value <= interval[1]

    for name in ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "ece", "brier", "log_loss"):
        check(found[name], between[name])
    for name in ("precision", "recall", "f1", "accuracy", "auc"):
        check(found["happy"][name], between["happy"][name])
        if name != "accuracy":
            check(found["per_class"]["sad"][name], between["per_class"]["sad"][name])
    shares, around = np.array(found["confusion_shares"]), np.array(between["confusion_shares"])
    assert shares.sum(1) == pytest.approx(np.ones(5), abs=1e-5)
    assert (around[..., 0] <= shares).all() and (shares <= around[..., 1]).all() and around.shape == (5, 5, 2)
    never = found["per_class"]["anger"]
    assert never["precision"] == never["recall"] == 0 and between["per_class"]["anger"]["precision"] == [None, None]
    assert between["per_class"]["anger"]["recall"][1] > 0.05, "not seen in so few is not never"
    assert np.array(found["confusion"]).sum() == found["n"] == 200


def test_without_happy_there_is_no_happy_figure() -> None:
    labels, p = judged(50, classes=2)
    assert figures(labels, p, ("sad", "fear"), np.arange(50), draws=100).plain()["happy"] is None


def test_resamples_do_not_depend_on_how_many_are_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = np.arange(30)
    whole = np.concatenate(list(resamples(groups, 20, seed=5)))
    monkeypatch.setattr(intervals, "CELLS", 90)
    assert (np.concatenate(list(resamples(groups, 20, seed=5))) == whole).all()
