"""ResNet-5 against the CNN: several seeds of each, with the same images, epochs and search for settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.evaluation.study.chance import NETWORKS, Spread, difference, of_mean
from felicity.evaluation.study.experiments import SEEDS, Outcome
from felicity.style import numbers


@dataclass(frozen=True)
class Contest:
    """Accuracies in percent by seed, ``(2, seeds)``: the CNN's, ResNet-5's; and the difference of their means.

    ``apart``: ResNet-5's mean accuracy on test images minus the CNN's, in points, with its 95 % interval ``low`` to
    ``high``, which covers both other images and other seeds.
    """

    validation: npt.NDArray[np.float64]
    test: npt.NDArray[np.float64]
    apart: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """Return a sentence on which network is better, if that is certain."""
        cnn, resnet = self.test.mean(1)
        better = "ResNet-5 is better" if self.low > 0 else "the CNN is better"
        verdict = better if self.low * self.high > 0 else "neither is shown to be better"
        return (
            f"On test images ResNet-5 reaches {numbers.percent(resnet)}, the CNN {numbers.percent(cnn)} "
            f"(means of {self.test.shape[1]} "
            f"seeds): {numbers.points(self.apart)} points ({numbers.points_span(self.low, self.high)}), {verdict}."
        )


def contest(outcomes: Mapping[str, Outcome]) -> Contest:
    """Compare the augmented trainings of both networks."""
    pairs = [[outcomes[f"augmented-{name}-{seed + 1}"] for seed in range(SEEDS)] for name in NETWORKS]
    right = np.array([[flags(one) for one in runs] for runs in pairs])  # (2, seeds, images)
    lead = right[1].mean(0) - right[0].mean(0)  # of each image
    apart = difference(100 * float(lead.mean()), [_in_points(of_mean(values)) for values in (lead, *right.mean(2))])
    validation, test = (
        100 * np.array([[one.accuracy(part) for one in runs] for runs in pairs]) for part in ("validation", "test")
    )
    return Contest(validation, test, apart.value, apart.low, apart.high)


def flags(outcome: Outcome) -> npt.NDArray[np.float64]:
    """Return 1 for each test image with a right answer, else 0."""
    return np.frombuffer(outcome.facts["right"].encode(), dtype=np.uint8).astype(np.float64) - ord("0")


def _in_points(spread: Spread) -> Spread:
    return 100**2 * spread[0], spread[1]
