"""The summary of a comparison: means with intervals over seeds, paired tests, and a verdict in a sentence or two."""

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
    """A mean over seeds, and its 95 % interval (Student's t) within the figure's range; NaN for one seed."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: npt.NDArray[np.float64], least: float = -np.inf, most: float = np.inf) -> Mean:
        """Summarise a figure ``(seeds,)`` that cannot lie below ``least`` or above ``most``."""
        from scipy import stats

        mean = float(values.mean())
        if len(values) < 2:
            return cls(mean, float("nan"), float("nan"))
        half = float(stats.t.ppf(0.975, len(values) - 1)) * float(values.std(ddof=1)) / len(values) ** 0.5
        return cls(mean, max(least, mean - half), min(most, mean + half))

    @property
    def known(self) -> bool:
        """Return whether there is an interval."""
        return not np.isnan(self.low)

    @property
    def reach(self) -> tuple[float, float]:
        """Return the distances of the interval's ends below and above the mean; 0 without an interval."""
        return (self.value - self.low, self.high - self.value) if self.known else (0.0, 0.0)

    def text(self, digits: int, factor: float = 1) -> str:
        """Return ``mean ± half``, or ``mean (low to high)`` if the figure's range cuts the interval."""
        value, low, high = (f"{figure * factor:.{digits}f}" for figure in (self.value, self.low, self.high))
        below, above = self.reach
        if not self.known:
            return value
        return f"{value} ± {above * factor:.{digits}f}" if np.isclose(below, above) else f"{value} ({low} to {high})"


@dataclass(frozen=True)
class Pair:
    """Difference of test accuracy, ``one`` minus ``other``, paired by seed. ``p``: paired t-test, Holm-corrected."""

    one: str
    other: str
    difference: Mean
    p: float


def pairs(comparison: Comparison) -> list[Pair]:
    """Return all pairs of frameworks; p is NaN for one seed."""
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
    """Return columns and rows of the table."""
    columns = ["framework", *(f"{part} %" for part in PARTS), "test loss", "s/epoch", "first", "MB"]
    lines = []
    for name in comparison.contestants:
        lines.append(
            [
                LABELS[name],
                *(Mean.of(comparison.values(name, part, "accuracy"), 0, 1).text(2, 100) for part in PARTS),
                Mean.of(comparison.values(name, "test", "loss"), 0).text(4),
                Mean.of(comparison.seconds(name), 0).text(2),
                Mean.of(comparison.first_seconds(name), 0).text(2),
                Mean.of(comparison.memory(name), 0).text(0),
            ]
        )
    return columns, lines


def verdict(comparison: Comparison) -> str:
    """Return sentences: whether the comparison is fair, whether accuracy differs, which framework is fastest."""
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
    said.append(_speed(comparison))
    if PLAIN in names:
        said.append(_through_keras(comparison))
    return " ".join(said)


def ratio_of_times(comparison: Comparison, one: str, other: str) -> Mean:
    """Return the time per epoch of ``one`` over ``other``: geometric mean of the ratios by seed.

    Ratios are paired by seed, because frameworks run in turns and a busy machine slows all of them.
    """
    logs = Mean.of(np.log(comparison.seconds(one)) - np.log(comparison.seconds(other)))
    return Mean(*(float(np.exp(figure)) for figure in (logs.value, logs.low, logs.high)))


def _speed(comparison: Comparison) -> str:
    keras = [name for name in comparison.contestants if name != PLAIN]
    means = {name: Mean.of(comparison.seconds(name), 0) for name in keras}
    fastest = min(keras, key=lambda name: means[name].value)
    per_epoch = f"{means[fastest].text(1)} s per epoch"
    ratios = {name: ratio_of_times(comparison, name, fastest) for name in keras if name != fastest}
    if not ratios:
        return f"{LABELS[fastest]} takes {per_epoch}."
    rest = ", ".join(f"{LABELS[name]} takes {_times(ratio)} as long" for name, ratio in ratios.items())
    if len(comparison.seeds) < 2:
        return f"{LABELS[fastest]} was fastest, {per_epoch}; {rest}; one seed does not tell whether that is chance."
    if all(ratio.low > 1 for ratio in ratios.values()):
        return f"{LABELS[fastest]} is fastest, {per_epoch}; {rest}."
    equal = [LABELS[name] for name, ratio in ratios.items() if ratio.low <= 1]
    return (
        f"Whether {LABELS[fastest]} or {numbers.listed(equal)} is faster, {len(comparison.seeds)} seeds do not tell: "
        f"beside {LABELS[fastest]}, {per_epoch}, {rest}."
    )


def _times(ratio: Mean) -> str:
    """Return a ratio as text, such as ``1.4 times (1.2 to 1.6)``."""
    value, low, high = (f"{figure:.1f}" if figure < 100 else f"{figure:,.0f}" for figure in (
        ratio.value, ratio.low, ratio.high,
    ))  # fmt: skip
    return f"{value} times ({low} to {high})" if ratio.known else f"{value} times"


def _through_keras(comparison: Comparison) -> str:
    ratio = ratio_of_times(comparison, "torch", PLAIN)
    more = f"{numbers.share(abs(ratio.value - 1), 0)} {'more' if ratio.value > 1 else 'less'} time than without it"
    span = numbers.points_span(100 * (ratio.low - 1), 100 * (ratio.high - 1), 0)
    said = f"Through Keras, PyTorch takes {more}"
    if not ratio.known:
        return f"{said}."
    chance = ", which chance explains" if ratio.low <= 1 <= ratio.high else ""
    return f"{said} ({span} %){chance}."


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
        f"With {len(comparison.seeds)} seeds, no framework is shown to be more accurate than another: test "
        f"accuracies lie within {spread:.1f} points (seeds: deviation {seeds:.1f}); least p = {least.p:.2f}, "
        f"between {between}."
    )
