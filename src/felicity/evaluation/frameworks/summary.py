"""What a comparison says: means with intervals over seeds, paired tests, and a verdict in a sentence or two."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from felicity.evaluation.frameworks.comparison import Comparison
from felicity.evaluation.frameworks.contestant import PLAIN
from felicity.style import numbers

LABELS = {"tensorflow": "TensorFlow", "torch": "PyTorch", "jax": "JAX", PLAIN: "PyTorch without Keras"}
PARTS = ("train", "validation", "test")
LEVEL = 0.05


@dataclass(frozen=True)
class Mean:
    """A mean over seeds, and half the width of its 95 % interval (Student's t); NaN for one seed."""

    value: float
    half: float

    @classmethod
    def of(cls, values: npt.NDArray[np.float64]) -> Mean:
        """Of ``(seeds,)``."""
        from scipy import stats

        if len(values) < 2:
            return cls(float(values.mean()), float("nan"))
        t = float(stats.t.ppf(0.975, len(values) - 1))
        return cls(float(values.mean()), t * float(values.std(ddof=1)) / len(values) ** 0.5)

    def text(self, digits: int, factor: float = 1) -> str:
        """As ``mean ± half``."""
        half = "" if np.isnan(self.half) else f" ± {self.half * factor:.{digits}f}"
        return f"{self.value * factor:.{digits}f}{half}"


@dataclass(frozen=True)
class Pair:
    """Difference of test accuracy, ``one`` less ``other``, paired by seed. ``p``: paired t-test, Holm-corrected."""

    one: str
    other: str
    difference: Mean
    p: float


def pairs(comparison: Comparison) -> list[Pair]:
    """All pairs of frameworks; p is NaN for one seed."""
    from scipy import stats

    part = "test" if all("test" in o["parts"] for o in comparison.outcomes) else "validation"
    found = []
    for one, other in combinations(comparison.contestants, 2):
        a, b = (comparison.values(name, part, "accuracy") for name in (one, other))
        apart = a - b
        if len(apart) < 2:
            p = float("nan")
        elif float(np.ptp(apart)) == 0:
            p = 1.0 if apart[0] == 0 else 0.0
        else:
            p = float(stats.ttest_rel(a, b).pvalue)
        found.append((one, other, Mean.of(apart), p))
    order = np.argsort([p for *_, p in found])
    corrected, worst = {}, 0.0
    for place, index in enumerate(order):
        p = found[index][3] * (len(found) - place)
        worst = max(worst, min(1.0, p))
        corrected[int(index)] = p if np.isnan(p) else worst
    return [Pair(one, other, mean, corrected[i]) for i, (one, other, mean, _) in enumerate(found)]


def rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the table."""
    columns = ["framework", *(f"{part} %" for part in PARTS), "test loss", "s/epoch", "first", "MB"]
    lines = []
    for name in comparison.contestants:
        lines.append(
            [
                LABELS[name],
                *(Mean.of(comparison.values(name, part, "accuracy")).text(2, 100) for part in PARTS),
                Mean.of(comparison.values(name, "test", "loss")).text(4),
                Mean.of(comparison.seconds(name)).text(2),
                Mean.of(comparison.first_seconds(name)).text(2),
                Mean.of(comparison.memory(name)).text(0),
            ]
        )
    return columns, lines


def verdict(comparison: Comparison) -> str:
    """Whether the comparison is fair, whether accuracy differs, who is fastest."""
    names = comparison.contestants
    said = []
    if unfair := [step for step in comparison.first_steps if not step.fair]:
        step = max(unfair, key=lambda step: max(step.loss, step.median))
        said.append(
            f"Not a fair comparison: at the first step {LABELS[step.contestant]} is {step.loss:.0e} (loss) and "
            f"{step.median:.0e} (gradients, median) from {LABELS[step.reference]}, more than float32 rounding explains."
        )
    elif comparison.first_steps:
        loss = max(step.loss for step in comparison.first_steps)
        largest = max(step.largest for step in comparison.first_steps)
        said.append(
            f"All start alike: at the first step loss differs by {loss:.0e}, gradients by {largest:.0e} at most."
        )
    said.append(_accuracy(comparison))
    speed = {name: float(comparison.seconds(name).mean()) for name in names}
    keras = [name for name in names if name != PLAIN]
    fastest = min(keras, key=speed.__getitem__)
    rest = ", ".join(
        f"{LABELS[name]} takes {speed[name] / speed[fastest]:.1f} times as long" for name in keras if name != fastest
    )
    if rest:
        said.append(f"{LABELS[fastest]} is fastest, {speed[fastest]:.1f} s per epoch; {rest}.")
    else:
        said.append(f"{LABELS[fastest]} takes {speed[fastest]:.1f} s per epoch.")
    if PLAIN in names:
        share = speed["torch"] / speed[PLAIN] - 1
        said.append(
            f"Through Keras, PyTorch takes {numbers.share(abs(share), 0)} "
            f"{'more' if share > 0 else 'less'} time than without it."
        )
    return " ".join(said)


def _accuracy(comparison: Comparison) -> str:
    names = comparison.contestants
    means = {name: float(comparison.values(name, "test", "accuracy").mean()) for name in names}
    if len(names) < 2:
        return (
            f"{LABELS[names[0]]} ran alone, so nothing is compared: test accuracy "
            f"{numbers.share(means[names[0]])}; install "
            f"another framework, or name more with --backends."
        )
    spread = 100 * (max(means.values()) - min(means.values()))
    if len(comparison.seeds) < 2:
        return f"Test accuracies lie within {spread:.1f} points; one seed does not tell whether that is chance."
    seeds = 100 * float(np.mean([comparison.values(name, "test", "accuracy").std(ddof=1) for name in names]))
    least = min(pairs(comparison), key=lambda pair: pair.p)
    between = f"{LABELS[least.one]} and {LABELS[least.other]}"
    if least.p < LEVEL:
        return (
            f"Test accuracies lie within {spread:.1f} points (seeds: deviation {seeds:.1f}); between {between} the "
            f"difference, {least.difference.text(2, 100)} points, is larger than chance explains (p = {least.p:.3f})."
        )
    return (
        f"Which framework trains makes no difference to accuracy that {len(comparison.seeds)} seeds could show: test "
        f"accuracies lie within {spread:.1f} points (seeds: deviation {seeds:.1f}); least p = {least.p:.2f}, "
        f"between {between}."
    )
