"""The simulated city's verdict on the index: what was promised beside what is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.index import IndexRow, SoftMatrix
from felicity.simulation.days import CORRELATION, index_of_days
from felicity.simulation.labelled import AnsweredFaces
from felicity.simulation.null_series import TestRates, trend_rates

Floats = npt.NDArray[np.float64]
SIZES = (50, 200, 2000)
LOWEST, HIGHEST = 0.05, 0.95
LEAST_DAYS = 50

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
    luck of who came by. ``bias``: mean error of the adjusted share. ``coverage``: of the 95 % interval.
    ``width``: its median.
    """

    people: int
    correlated: bool
    days: int
    counted: float
    adjusted: float
    bias: float
    coverage: float
    width: float

    @classmethod
    def of(cls, rows: list[IndexRow], truth: Floats, people: int, correlated: bool) -> Accuracy:
        """Rows of the index against ``truth`` (R,) in percent."""
        shares = [row.happy_share for row in rows]
        values = np.array([(s.raw, s.adjusted, s.low, s.high) for s in shares], dtype=np.float64)
        raw, adjusted, low, high = values.T
        return cls(
            people,
            correlated,
            len(rows),
            float(np.abs(raw - truth).mean()),
            float(np.abs(adjusted - truth).mean()),
            float((adjusted - truth).mean()),
            float(100 * ((low <= truth) & (truth <= high)).mean()),
            float(np.median(high - low)),
        )

    @property
    def who(self) -> str:
        """``200 people`` or ``200 people, correlated``."""
        return f"{self.people:,} people" + (", correlated" if self.correlated else "")


@dataclass(frozen=True)
class Target:
    """One promise: ``low`` ≤ ``measured`` ≤ ``high``."""

    what: str
    low: float
    high: float
    measured: float
    unit: str

    @property
    def ok(self) -> bool:
        """Whether it is kept."""
        return self.low <= self.measured <= self.high

    @property
    def bounds(self) -> str:
        """As a person reads it."""
        return f"≤ {self.high:g} {self.unit}" if self.low == 0 else f"{self.low:g} to {self.high:g} {self.unit}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "what": self.what,
            "low": self.low,
            "high": self.high,
            "measured": round(self.measured, 4),
            "unit": self.unit,
            "ok": self.ok,
        }


@dataclass(frozen=True)
class Verdict:
    """Everything that ``felicity simulate --check`` measured."""

    faces: int
    model: str
    seed: int
    accuracy: tuple[Accuracy, ...]
    tests: tuple[TestRates, ...]

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
        found += [Target(f"coverage, {a.who}", *COVERAGE, a.coverage, "%") for a in self.accuracy]
        found += [Target(f"false alarms, {t.test} test", *FALSE_ALARMS, t.false_alarms, "%") for t in self.tests]
        return found

    @property
    def ok(self) -> bool:
        """Whether all promises are kept."""
        return all(target.ok for target in self.targets)

    def to_json(self) -> dict[str, Any]:
        """One object: ``ok``, ``targets`` and the figures."""
        return {
            "ok": self.ok,
            "targets": [target.to_json() for target in self.targets],
            "faces": self.faces,
            "model": self.model,
            "seed": self.seed,
            "correlation": CORRELATION,
            "accuracy": [
                {k: round(v, 4) if isinstance(v, float) else v for k, v in vars(a).items()} for a in self.accuracy
            ],
            "tests": [vars(t) for t in self.tests],
        }


def check(
    faces: AnsweredFaces,
    soft: SoftMatrix,
    model: str,
    *,
    location_days: int = 400,
    series: int = 400,
    seed: int = 1,
    sizes: tuple[int, ...] = SIZES,
    tick: Callable[[str], None] | None = None,
) -> Verdict:
    """Simulate ``location_days`` for each number of people, with and without correlation, and the tests.

    True happy shares are uniform in 5 … 95 %. ``series``: null series for the tests, 0 to leave them out.
    Raises ConfigError for too few location-days to say anything.
    """
    if location_days < LEAST_DAYS:
        raise ConfigError(f"a check takes at least {LEAST_DAYS} location-days, not {location_days}")
    accuracy = []
    for correlated in (False, True):
        for people in sizes:
            if tick:
                tick(f"{location_days} location-days of {people:,} people{', correlated' if correlated else ''}")
            rng = np.random.default_rng([seed, people, correlated])
            happy = rng.uniform(LOWEST, HIGHEST, location_days)
            rows = index_of_days(happy, people, faces, soft, rng, correlated=correlated)
            accuracy.append(Accuracy.of(rows, 100 * happy, people, correlated))
    tests = []
    if series:
        if tick:
            tick(f"{series} series without a trend, and with one")
        tests.append(trend_rates(faces, soft, series, np.random.default_rng([seed, 3])))
    return Verdict(len(faces), model, seed, tuple(accuracy), tuple(tests))
