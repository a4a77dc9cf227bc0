"""The simulated city's verdict on the index: what was promised beside what is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.index import IndexRow, SoftMatrix
from felicity.simulation.days import CORRELATION, daily_index, estimated_share, simulated_days
from felicity.simulation.labelled import AnsweredFaces
from felicity.simulation.null_series import TestRates, rates_of_tests
from felicity.windows import Sums

Floats = npt.NDArray[np.float64]
SIZES = (50, 200, 2000)
LOWEST, HIGHEST = 0.05, 0.95
LOCATION_DAYS, SERIES = 4000, 2000
"""So many that chance moves a coverage by ± 0.7 points and a rate of false alarms by ± 1, two standard errors."""
LEAST_DAYS, MOST_DRAWS = 50, 100_000

MEAN_ERROR = {200: 3.0, 2000: 1.5}
"""Points that the mean absolute error of the adjusted share may have, by number of people."""
ERROR_RATIO = 0.4
"""What the adjusted share may have of the counted share's error, at 2,000 people."""
COVERAGE = (93.0, 97.0)
FALSE_ALARMS = (3.5, 6.5)


@dataclass(frozen=True)
class Accuracy:
    """Of simulated location-days with ``people`` each. All in points or percent of the happy share.

    ``counted``, ``adjusted``: mean absolute error against the true share of the place, which includes the
    luck of who came by. ``bias``: mean error of the adjusted share. ``width``: median of the 95 % interval. These, and
    ``coverage_as_shipped``, are of the bundle's own soft matrix.

    ``coverage``: of the 95 % interval, the soft matrix drawn anew for each location-day from as many faces as the
    bundle's was. The one matrix that is shipped is as lucky or unlucky as it is, the same on all days; an
    interval says how often it holds over such luck as well.
    """

    people: int
    correlated: bool
    days: int
    counted: float
    adjusted: float
    bias: float
    coverage: float
    coverage_as_shipped: float
    width: float

    @property
    def who(self) -> str:
        """``200 people`` or ``200 people, correlated``."""
        return f"{self.people:,} people" + (", correlated" if self.correlated else "")


@dataclass(frozen=True)
class Example:
    """Location-days to draw: true, counted and adjusted happy share with its interval, all (D,), percent."""

    people: int
    truth: Floats
    counted: Floats
    adjusted: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Target:
    """One promise: ``low`` ≤ ``measured`` ≤ ``high``. ``chance``: two standard errors of the simulation itself."""

    what: str
    low: float
    high: float
    measured: float
    unit: str
    chance: float | None = None

    @property
    def ok(self) -> bool:
        """Whether it is kept."""
        return self.low <= self.measured <= self.high

    @property
    def bounds(self) -> str:
        """As a person reads it."""
        return f"≤ {self.high:g} {self.unit}" if self.low == 0 else f"{self.low:g} to {self.high:g} {self.unit}"


@dataclass(frozen=True)
class SimulationCheck:
    """Everything that ``felicity simulate --check`` measured.

    ``examples``: a part of the independent location-days, for a picture. ``correlation``: of people of one minute,
    where they are correlated.
    """

    faces: int
    model: str
    seed: int
    accuracy: tuple[Accuracy, ...]
    tests: tuple[TestRates, ...]
    examples: tuple[Example, ...] = field(default=(), repr=False)
    correlation: float = CORRELATION

    @property
    def targets(self) -> list[Target]:
        """The promises, in the order of the table."""
        alone = {a.people: a for a in self.accuracy if not a.correlated}
        found = [
            Target(f"mean error, {alone[n].who}", 0, most, alone[n].adjusted, "points")
            for n, most in MEAN_ERROR.items()
            if n in alone
        ]
        if 2000 in alone:
            ratio = alone[2000].adjusted / alone[2000].counted
            found.append(Target("mean error, of that of counting, 2,000 people", 0, ERROR_RATIO, ratio, "times"))
        found += [
            Target(f"coverage, {a.who}", *COVERAGE, a.coverage, "%", chance_error(95, a.days)) for a in self.accuracy
        ]
        found += [
            Target(f"false alarms, {t.test}", *FALSE_ALARMS, t.false_alarms, "%", chance_error(5, t.series))
            for t in self.tests
        ]
        return found

    @property
    def ok(self) -> bool:
        """Whether all promises are kept."""
        return all(target.ok for target in self.targets)


def chance_error(percent: float, draws: int) -> float:
    """Two standard errors, in points, of a share of ``percent`` that is counted in ``draws`` draws."""
    return 2 * float(np.sqrt(percent * (100 - percent) / draws))


def check(
    faces: AnsweredFaces,
    soft: SoftMatrix,
    model: str,
    *,
    location_days: int = LOCATION_DAYS,
    series: int = SERIES,
    seed: int = 1,
    sizes: tuple[int, ...] = SIZES,
    tick: Callable[[str], None] | None = None,
) -> SimulationCheck:
    """Simulate ``location_days`` for each number of people, with and without correlation, and the tests.

    True happy shares are uniform in 5 … 95 %. ``series``: simulated series for each test, 0 to leave them out.
    Raises ConfigError for too few location-days or series to say anything, and for more than memory would hold.
    """
    if not LEAST_DAYS <= location_days <= MOST_DRAWS:
        raise ConfigError(f"a check takes {LEAST_DAYS} to {MOST_DRAWS:,} location-days, not {location_days:,}")
    if series and not LEAST_DAYS <= series <= MOST_DRAWS:
        raise ConfigError(f"a check takes {LEAST_DAYS} to {MOST_DRAWS:,} series, or none, not {series:,}")
    tick = tick or (lambda _: None)
    accuracy, examples = [], []
    for correlated in (False, True):
        for people in sizes:
            tick(f"{location_days:,} location-days of {people:,} people{', correlated' if correlated else ''}")
            rng = np.random.default_rng([seed, people, correlated])
            happy = rng.uniform(LOWEST, HIGHEST, location_days)
            days = simulated_days(happy, people, faces, rng, correlated=correlated)
            example = _example(daily_index(days, soft), 100 * happy, people)
            accuracy.append(_accuracy(example, _coverage(days, happy, faces, soft, rng), correlated))
            if not correlated:
                examples.append(example)
    tests = rates_of_tests(faces, soft, series, np.random.default_rng([seed, 3]), tick) if series else ()
    return SimulationCheck(len(faces), model, seed, tuple(accuracy), tests, tuple(examples))


def _example(rows: list[IndexRow], truth: Floats, people: int) -> Example:
    shares = [row.happy_share for row in rows]
    values = np.array([(s.raw, s.adjusted, s.low, s.high) for s in shares], dtype=np.float64)
    return Example(people, truth, *values.T)


def _accuracy(of: Example, coverage: float, correlated: bool) -> Accuracy:
    return Accuracy(
        people=of.people,
        correlated=correlated,
        days=len(of.truth),
        counted=float(np.abs(of.counted - of.truth).mean()),
        adjusted=float(np.abs(of.adjusted - of.truth).mean()),
        bias=float((of.adjusted - of.truth).mean()),
        coverage=coverage,
        coverage_as_shipped=_held(of.low, of.truth, of.high),
        width=float(np.median(of.high - of.low)),
    )


def _coverage(days: Sums, happy: Floats, faces: AnsweredFaces, soft: SoftMatrix, rng: np.random.Generator) -> float:
    """In percent, each day with a soft matrix of its own."""
    ends = [estimated_share(days.take([i]), faces.resampled_matrix(soft.counts, rng))[1:, 0] for i in range(len(days))]
    low, high = np.array(ends).T
    return _held(low, 100 * happy, high)


def _held(low: Floats, truth: Floats, high: Floats) -> float:
    return float(100 * ((low <= truth) & (truth <= high)).mean())
