"""The check of the index by the simulated city: targets beside measured figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.index import IndexRow, SoftMatrix
from felicity.simulation.days import CORRELATION, daily_index, estimated_share, simulated_days
from felicity.simulation.labelled import AnsweredFaces
from felicity.simulation.null_series import TestRates, rates_of_tests
from felicity.windows import Sums
from felicity.work import Here, Work

Floats = npt.NDArray[np.float64]
SIZES = (50, 200, 2000)
"""People a day, in minutes of random size."""
LAYOUTS = ((1, 10), (1, 35), (3, 84), (10, 100), (2000, 10_000))
"""Minutes a day, and people in each of them."""
FEW = 20
"""Minutes below which the likeness of their people is unknown; intervals then cover days with and without it alike."""
_MANY = 4000
"""People from which a quarter of the days suffices."""
LOWEST, HIGHEST = 0.05, 0.95
LOCATION_DAYS, SERIES = 4000, 2000
"""Numbers for which chance moves a coverage by ± 0.7 points and a rate of false alarms by ± 1, two standard errors."""
LEAST_DAYS, MOST_DRAWS = 50, 100_000

MEAN_ERROR = {200: 3.0, 2000: 1.5}
"""Largest mean absolute error of the adjusted share in points, by number of people."""
ERROR_RATIO = 0.17
"""Largest ratio of the adjusted share's error to the counted share's, at 2,000 people, each beyond ``luck``."""
COVERAGE = (93.0, 97.0)
FALSE_ALARMS = (3.5, 6.5)


@dataclass(frozen=True)
class Accuracy:
    """Accuracy over simulated location-days with ``people`` each, in points or percent of the happy share.

    ``counted``, ``adjusted``: mean absolute error against the true share of the place, which includes the luck of who
    came by. ``bias``: mean error of the adjusted share. ``width``: median of the 95 % interval. These, and
    ``coverage_as_shipped``, use the bundle's own soft matrix.

    ``coverage``: of the 95 % interval, with a soft matrix drawn again for each location-day from as many faces as the
    bundle's. The one shipped matrix has the same luck on all days; an interval's coverage includes such luck.
    ``minutes`` a day; None if minutes hold 1 + Poisson(4) people.
    """

    people: int
    minutes: int | None
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
        """Return ``200 people``, ``200 people, correlated`` or ``84 people in 3 minutes``."""
        return self.where + (", correlated" if self.correlated else "")

    @property
    def where(self) -> str:
        """Return a name of the kind that does not say whether people are correlated."""
        if self.minutes is None:
            return f"{self.people:,} people"
        return f"{self.people:,} people in {self.minutes:,} minute{'s' if self.minutes > 1 else ''}"


@dataclass(frozen=True)
class Example:
    """Simulated location-days: true, counted and adjusted happy share with its interval, all (D,), percent."""

    people: int
    truth: Floats
    counted: Floats
    adjusted: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Target:
    """One target: ``low`` ≤ ``measured`` ≤ ``high``. ``chance``: two standard errors of the simulation itself."""

    what: str
    low: float
    high: float
    measured: float
    unit: str
    chance: float | None = None

    @property
    def ok(self) -> bool:
        """Return whether the target is met."""
        return self.low <= self.measured <= self.high

    @property
    def bounds(self) -> str:
        """Return the bounds as text."""
        return f"≤ {self.high:g} {self.unit}" if self.low == 0 else f"{self.low:g} to {self.high:g} {self.unit}"


@dataclass(frozen=True)
class SimulationCheck:
    """All figures that ``felicity simulate --check`` measured.

    ``examples``: a part of the independent location-days, for a picture. ``correlation``: between people of one minute,
    if they are correlated.
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
        """Return the targets, in the order of the table."""
        alone = {a.people: a for a in self.accuracy if not a.correlated and a.minutes is None}
        found = [
            Target(f"mean error, {alone[n].who}", 0, most, alone[n].adjusted, "points")
            for n, most in MEAN_ERROR.items()
            if n in alone
        ]
        if 2000 in alone:
            adjusted, counted = (error - luck(2000) for error in (alone[2000].adjusted, alone[2000].counted))
            what = "mean error beyond luck, of that of counting, 2,000 people"
            found.append(Target(what, 0, ERROR_RATIO, max(0.0, adjusted) / max(counted, 1e-9), "times"))
        few = [a for a in self.accuracy if a.minutes is not None and a.minutes < FEW]
        found += [
            Target(f"coverage, {a.who}", *COVERAGE, a.coverage, "%", chance_error(95, a.days))
            for a in self.accuracy
            if a not in few
        ]
        for where in dict.fromkeys(a.where for a in few):
            both = [a for a in few if a.where == where]
            held = sum(a.coverage for a in both) / len(both)
            chance = chance_error(95, sum(a.days for a in both))
            found.append(Target(f"coverage, {where}, correlated or not", *COVERAGE, held, "%", chance))
        found += [
            Target(f"false alarms, {t.test}", *FALSE_ALARMS, t.false_alarms, "%", chance_error(5, t.series))
            for t in self.tests
        ]
        return found

    @property
    def ok(self) -> bool:
        """Return whether all targets are met."""
        return all(target.ok for target in self.targets)


def luck(people: int) -> float:
    """Return the mean absolute error, in points, of a share of ``people`` without a single wrong answer.

    It is the luck of who came by: people who do not resemble each other, by the normal approximation, over the true
    shares of simulated days.
    """
    share = np.linspace(LOWEST, HIGHEST, 1001)
    return float(100 * np.sqrt(2 / np.pi * share * (1 - share) / people).mean())


def chance_error(percent: float, draws: int) -> float:
    """Return two standard errors, in points, of a share of ``percent`` counted in ``draws`` draws."""
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
    layouts: tuple[tuple[int, int], ...] = LAYOUTS,
    tick: Callable[[str], None] | None = None,
    work: Work | None = None,
) -> SimulationCheck:
    """Simulate ``location_days`` for each number of people, with and without correlation, and the tests.

    ``layouts``: minutes a day and people in them, beside the ``sizes`` in minutes of random size. Days of very many
    people are a quarter as many. True happy shares are uniform in 5 … 95 %. ``series``: number of simulated series for
    each test, 0 to leave the tests out. ``work``: where to compute, by default in this process; the figures are the
    same. Raises ConfigError for too few location-days or series, and for more than fit in memory.
    """
    if not LEAST_DAYS <= location_days <= MOST_DRAWS:
        raise ConfigError(f"a check takes {LEAST_DAYS} to {MOST_DRAWS:,} location-days, not {location_days:,}")
    if series and not LEAST_DAYS <= series <= MOST_DRAWS:
        raise ConfigError(f"a check takes {LEAST_DAYS} to {MOST_DRAWS:,} series, or none, not {series:,}")
    about = _About(faces, soft, location_days, series, seed)
    kinds = [_Kind(people, None, c) for c in (False, True) for people in sizes]
    kinds += [_Kind(people, minutes, c) for minutes, people in layouts for c in (False, True)]

    def parts() -> Iterator[_Kind | None]:
        for part in [*kinds, *([None] if series else [])]:
            if tick:
                tick(about.told(part))
            yield part

    found = list((work or Here()).results(partial(_measure, about), parts()))
    tests = found.pop().tests if series else ()
    accuracy = tuple(of.accuracy for of in found if of.accuracy)
    examples = tuple(of.example for of in found if of.example)
    return SimulationCheck(len(faces), model, seed, accuracy, tests, examples)


@dataclass(frozen=True)
class _Kind:
    """A kind of location-days: so many people a day, in so many minutes or in minutes of random size."""

    people: int
    minutes: int | None
    correlated: bool


@dataclass(frozen=True)
class _About:
    """The data that all parts of a check share."""

    faces: AnsweredFaces
    soft: SoftMatrix
    location_days: int
    series: int
    seed: int

    def days(self, kind: _Kind) -> int:
        return self.location_days if kind.people < _MANY else max(self.location_days // 4, LEAST_DAYS)

    def told(self, part: _Kind | None) -> str:
        if part is None:
            return f"{self.series:,} series for each test over time"
        among = f" in {part.minutes:,} minutes" if part.minutes else ""
        return f"{self.days(part):,} location-days of {part.people:,} people{among}{', correlated' * part.correlated}"


@dataclass(frozen=True)
class _Measured:
    accuracy: Accuracy | None = None
    example: Example | None = None
    tests: tuple[TestRates, ...] = ()


def _measure(about: _About, part: _Kind | None) -> _Measured:
    """Measure one kind of location-days, or the tests over time, each from random numbers of its own."""
    faces, soft, seed = about.faces, about.soft, about.seed
    if part is None:
        return _Measured(tests=rates_of_tests(faces, soft, about.series, np.random.default_rng([seed, 3])))
    people, minutes, correlated = part.people, part.minutes, part.correlated
    rng = np.random.default_rng([seed, people, correlated, *([minutes] if minutes else [])])
    happy = rng.uniform(LOWEST, HIGHEST, about.days(part))
    drawn = simulated_days(happy, people, faces, rng, correlated=correlated, minutes=minutes)
    example = _example(daily_index(drawn, soft), 100 * happy, people)
    accuracy = _accuracy(example, _coverage(drawn, happy, faces, soft, rng), minutes, correlated)
    return _Measured(accuracy, None if correlated or minutes is not None else example)


def _example(rows: list[IndexRow], truth: Floats, people: int) -> Example:
    shares = [row.happy_share for row in rows]
    values = np.array([(s.raw, s.adjusted, s.low, s.high) for s in shares], dtype=np.float64)
    return Example(people, truth, *values.T)


def _accuracy(of: Example, coverage: float, minutes: int | None, correlated: bool) -> Accuracy:
    return Accuracy(
        people=of.people,
        minutes=minutes,
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
    """Return the coverage in percent, each day with a soft matrix of its own."""
    ends = [estimated_share(days.take([i]), faces.resampled_matrix(soft.counts, rng))[1:, 0] for i in range(len(days))]
    low, high = np.array(ends).T
    return _held(low, 100 * happy, high)


def _held(low: Floats, truth: Floats, high: Floats) -> float:
    return float(100 * ((low <= truth) & (truth <= high)).mean())
