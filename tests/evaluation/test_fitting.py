"""The verdict on synthetic histories whose course is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from felicity.evaluation.fitting import judge_fit
from felicity.evaluation.intervals import Estimate


def course(accuracy: list[float], val_accuracy: list[float], val_loss: list[float]) -> list[dict[str, Any]]:
    """A history with these figures."""
    rows = zip(accuracy, val_accuracy, val_loss, strict=True)
    return [{"epoch": i, "accuracy": a, "val_accuracy": v, "val_loss": loss} for i, (a, v, loss) in enumerate(rows, 1)]


def bent(epochs: int, best: int, rise: float) -> list[float]:
    """A loss that falls to 1 at epoch ``best`` and then rises by ``rise`` to the last."""
    down = np.linspace(1.8, 1.0, best)
    return [*down, *np.linspace(1.0, 1.0 + rise, epochs - best + 1)[1:]]


def known(value: float, half: float = 0.01) -> Estimate:
    return Estimate(np.array(value), np.array(value - half), np.array(value + half))


def test_learning_by_heart_is_overfitting() -> None:
    history = course(list(np.linspace(0.3, 0.912, 30)), [*np.linspace(0.3, 0.55, 7), *[0.55] * 23], bent(30, 7, 0.9))
    found = judge_fit(history, chance=0.25)
    assert found.word == "overfitted"
    assert found.text == (
        "Overfitted: training accuracy 91.2 % against 55.0 % on validation. "
        "The validation loss was least at epoch 7 of 30 and rose by 0.9 since."
    )
    assert found.evidence["best_epoch"] == 7 and found.evidence["validation_loss_rise"] == pytest.approx(0.9)


def test_a_small_gap_is_overfitting_only_with_a_rising_loss() -> None:
    def ends(rise: float) -> str:
        return judge_fit(course([0.5] * 9 + [0.67], [0.5] * 9 + [0.60], bent(10, 6, rise)), 0.25).word

    assert ends(0.30) == "overfitted"
    assert ends(0.01) == "neither"


def test_hardly_above_chance_is_underfitting() -> None:
    found = judge_fit(course([0.25, 0.26, 0.27], [0.25, 0.25, 0.26], [1.80, 1.79, 1.795]), chance=0.25)
    assert found.word == "underfitted"
    assert "27.0 %, 26.0 % on validation, hardly above the 25.0 % of always giving" in found.text


def test_stopped_while_still_learning_is_underfitting() -> None:
    accuracy = list(np.linspace(0.3, 0.5, 8))
    found = judge_fit(course(accuracy, accuracy, list(np.linspace(1.9, 1.3, 8))), chance=0.25)
    assert found.word == "underfitted"
    assert "still learning when it stopped" in found.text and "train longer" in found.text
    assert found.evidence["validation_loss_fall"] == pytest.approx(1 - 1.3 / (1.3 + 2 * 0.6 / 7))


def test_a_plateau_is_neither() -> None:
    accuracy = [*np.linspace(0.3, 0.62, 15), *[0.62] * 15]
    loss = [*np.linspace(1.8, 1.05, 15), *np.linspace(1.05, 1.045, 15)]
    found = judge_fit(course(accuracy, [a - 0.02 for a in accuracy], loss), chance=0.25)
    assert found.word == "neither"
    assert found.text.startswith("Neither over- nor underfitted: training accuracy 62.0 %, 60.0 % on validation.")


def test_weights_that_know_training_by_heart_are_overfitted_though_augmentation_hid_it() -> None:
    history = course([0.5] * 4, [0.55] * 4, [1.3, 1.29, 1.285, 1.284])
    kept = {"training": known(0.81), "validation": known(0.55), "test": known(0.56)}
    found = judge_fit(history, 0.25, kept)
    assert found.word == "overfitted"
    assert "right on 81.0 % of training's images, on 56.0 % of others" in found.text
    assert "test 56.0 % (55.0 % to 57.0 %)" in found.text
    assert found.evidence["kept"]["test"]["interval"] == [pytest.approx(0.55), pytest.approx(0.57)]


def test_a_gap_that_chance_explains_is_none() -> None:
    history = course([0.5] * 4, [0.5] * 4, [1.3, 1.29, 1.285, 1.284])
    kept = {"training": known(0.62, 0.08), "validation": known(0.50, 0.15)}
    assert judge_fit(history, 0.25, kept).word == "neither"


def test_one_epoch_can_be_judged() -> None:
    found = judge_fit(course([0.4], [0.39], [1.5]), chance=0.25)
    assert found.word == "neither" and "least at epoch 1 of 1, the last" in found.text
