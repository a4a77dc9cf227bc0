"""Is ResNet-5 better than the CNN? Several seeds of each, by the same images, epochs and search for settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.evaluation.study.experiments import SEEDS, Outcome
from felicity.style import numbers


@dataclass(frozen=True)
class Contest:
    """Accuracies in percent by seed, ``(2, seeds)``: the CNN's, ResNet-5's; and what stands between their means.

    ``apart``: ResNet-5's mean accuracy on test images less the CNN's, in points, with its 95 % interval ``low`` to
    ``high``: both other images and other seeds could have come out otherwise.
    """

    validation: npt.NDArray[np.float64]
    test: npt.NDArray[np.float64]
    apart: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """Which is better, as far as can be told."""
        cnn, resnet = self.test.mean(1)
        better = "ResNet-5 is better" if self.low > 0 else "the CNN is better"
        verdict = better if self.low * self.high > 0 else "neither is shown to be better"
        return (
            f"On test images ResNet-5 reaches {numbers.percent(resnet)}, the CNN {numbers.percent(cnn)} "
            f"(means of {self.test.shape[1]} "
            f"seeds): {numbers.points(self.apart)} points ({numbers.points_span(self.low, self.high)}), {verdict}."
        )


def contest(outcomes: Mapping[str, Outcome]) -> Contest:
    """Of the augmented trainings of both networks."""
    from scipy import stats

    pairs = [[outcomes[f"augmented-{name}-{seed + 1}"] for seed in range(SEEDS)] for name in ("cnn", "resnet5")]
    right = np.array([[_flags(one.facts["right"]) for one in runs] for runs in pairs])  # (2, seeds, images)
    lead = right[1].mean(0) - right[0].mean(0)  # of each image
    parts = np.array([lead.var(ddof=1) / len(lead), *(right.mean(2).var(1, ddof=1) / SEEDS)])
    free = np.array([len(lead) - 1, SEEDS - 1, SEEDS - 1])
    # Degrees of freedom of a sum of variances: Satterthwaite 1946.
    degrees = parts.sum() ** 2 / max(float((parts**2 / free).sum()), 1e-300)
    half = float(stats.t.ppf(0.975, degrees) * np.sqrt(parts.sum()))
    validation, test = (
        100 * np.array([[one.accuracy(part) for one in runs] for runs in pairs]) for part in ("validation", "test")
    )
    apart = float(lead.mean())
    return Contest(validation, test, 100 * apart, 100 * (apart - half), 100 * (apart + half))


def _flags(text: str) -> npt.NDArray[np.float64]:
    return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.float64) - ord("0")
