"""False alarms, coverage and power of the trend, effect and change-point tests on simulated series.

Null series are daily happy shares with a weekly rhythm, a first-order autoregression from day to day
(phi 0 … 0.6) and, where asked for, sampling error of known size. Prints one table per test:

    python benchmarks/trend_tests.py [trend] [effect] [change] [others] [--runs 1000] [--days 60,120,365]

``others`` are the trend tests of the textbooks on the same series, for comparison. The last row of a table pools its
series. Target: false alarms 5 % ± 1.5 for trend and effect. A table's own error is ± 1.4 points at 1,000 runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
from scipy import stats

from felicity.cli import console
from felicity.over_time.control import MIN_LIMIT_PERIODS, change_points
from felicity.over_time.effect import estimate_effect
from felicity.over_time.series import DAYS_PER_MONTH, Floats, Series, Step, calendar
from felicity.over_time.trend import estimate_trend

ZONE = ZoneInfo("Europe/Paris")
RHYTHM = np.array([0.0, 0.0, 1.0, 0.0, 2.0, 4.0, 3.0])
PHIS = (0.0, 0.3, 0.6)
SPREAD = 3.0


def noise(days: int, phi: float, rng: np.random.Generator) -> Floats:
    """Stationary autoregression of variance 1."""
    shocks = rng.standard_normal(days) * np.sqrt(1 - phi**2)
    shocks[0] /= np.sqrt(1 - phi**2)
    level = np.empty(days)
    before = 0.0
    for i, shock in enumerate(shocks):
        before = level[i] = phi * before + shock
    return level


def daily(name: str, level: Floats, rng: np.random.Generator, *, error: float = 0.0, gaps: float = 0.0) -> Series:
    """A series of days around 40 %: ``level`` (n,), a rhythm, sampling ``error`` in points, a share of ``gaps``."""
    n = len(level)
    first = datetime(2025, 3, 1, tzinfo=ZONE)
    starts = calendar(first, first + timedelta(days=n - 1), Step.DAY, ZONE)
    share = 40 + level + RHYTHM[np.arange(n) % 7] + error * rng.standard_normal(n)
    share[rng.random(n) < gaps] = np.nan
    errors = np.full(n, error or np.nan)
    return Series(name, Step.DAY, starts, share, errors, np.full(n, 300), np.zeros(n, dtype=bool))


class Share(str):
    """A share in print that remembers its hits."""

    hits: list[bool]


def pooled(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    """The rows, and at last one with the shares of all series together."""
    seen = []
    for row in rows:
        seen.append(row)
        yield row
    if seen:
        columns = zip(*seen, strict=True)
        yield tuple(
            percent([hit for cell in column if isinstance(cell, Share) for hit in cell.hits])
            if isinstance(column[0], Share)
            else ("" if i else "all")
            for i, column in enumerate(columns)
        )


def percent(hits: list[bool]) -> Share:
    """Share of hits with its 95 % interval (Wilson)."""
    interval = stats.binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    share = Share(f"{100 * np.mean(hits):.1f} ({100 * interval.low:.1f}-{100 * interval.high:.1f})")
    share.hits = hits
    return share


def trend_rows(runs: int, lengths: list[int]) -> Iterator[tuple[object, ...]]:
    """Size, coverage, and power at the slope that is said to be detectable in 80 % of the cases."""
    for days, phi, error, gaps in [
        *product(lengths, PHIS, (0.0,), (0.0,)),
        *product(lengths, (0.6,), (SPREAD,), (0.0, 0.15)),
    ]:
        rng = np.random.default_rng([days, int(10 * phi), int(error), int(100 * gaps)])
        null = [
            estimate_trend(daily("A", SPREAD * noise(days, phi, rng), rng, error=error, gaps=gaps)) for _ in range(runs)
        ]
        slope = float(np.median([trend.detectable for trend in null]))
        line = slope / DAYS_PER_MONTH * np.arange(days)
        tilted = [
            estimate_trend(daily("A", SPREAD * noise(days, phi, rng) + line, rng, error=error, gaps=gaps))
            for _ in range(max(runs // 4, 1))
        ]
        yield (
            days,
            phi,
            f"{error:.0f}",
            f"{100 * gaps:.0f} %",
            percent([trend.found for trend in null]),
            percent([trend.low <= 0 <= trend.high for trend in null]),
            percent([trend.low <= slope <= trend.high for trend in tilted]),
            f"{slope:.2f}",
            percent([trend.found for trend in tilted]),
        )


def town(
    days: int, phi: float, treated: int, compared: int, step: float, rng: np.random.Generator
) -> dict[str, Series]:
    """Locations with their own levels and noise, a city-wide noise that all share if there are several, and a step."""
    common = SPREAD * noise(days, phi, rng) if compared else np.zeros(days)
    after = step * (np.arange(days) >= days // 2)
    return {
        f"L{i}": daily(
            f"L{i}",
            rng.normal(0, 5) + common + SPREAD * noise(days, phi, rng) + (after if i < treated else 0.0),
            rng,
        )
        for i in range(treated + compared)
    }


def effect_rows(runs: int, lengths: list[int]) -> Iterator[tuple[object, ...]]:
    """Size and power of the headline test, half of the days before the measure."""
    for days, (treated, compared), phi in product(lengths, ((1, 0), (1, 1), (1, 3), (2, 3), (5, 5)), PHIS):
        rng = np.random.default_rng([days, treated, compared, int(10 * phi)])

        def once(step: float) -> object:
            series = town(days, phi, treated, compared, step, rng)  # noqa: B023
            names = list(series)
            at = series["L0"].starts[days // 2]  # noqa: B023
            return estimate_effect(series, at, names[:treated], names[treated:])  # noqa: B023

        null = [once(0.0) for _ in range(runs)]
        step = float(np.median([effect.detectable for effect in null]))
        true = [once(step) for _ in range(max(runs // 4, 1))]
        yield (
            days,
            f"{treated} + {compared}",
            phi,
            percent([effect.found for effect in null]),
            percent([effect.level.p_value <= 0.05 for effect in null]),
            percent([effect.low <= step <= effect.high for effect in true]),
            f"{step:.1f}",
            percent([effect.found for effect in true]),
        )


def change_rows(runs: int, lengths: list[int]) -> Iterator[tuple[object, ...]]:
    """Series without a shift in which one is found, and shifts of 4 points found to the week."""
    for days, phi in product(lengths, PHIS):
        if days < MIN_LIMIT_PERIODS[Step.DAY]:
            continue
        rng = np.random.default_rng([days, int(10 * phi)])
        shift = 4.0 * (np.arange(days) >= days // 2)
        false, hit = [], []
        for _ in range(runs):
            false.append(bool(change_points(daily("A", SPREAD * noise(days, phi, rng), rng))))
            series = daily("A", SPREAD * noise(days, phi, rng) + shift, rng)
            hit.append(any(abs(c.at - series.starts[days // 2]) <= timedelta(days=7) for c in change_points(series)))
        yield days, phi, percent(false), percent(hit)


def others_rows(runs: int, lengths: list[int]) -> Iterator[tuple[object, ...]]:
    """False alarms of plain Mann-Kendall, of trend-free pre-whitening, and of Hamed and Rao's variance."""
    for days, phi in product(lengths, PHIS):
        rng = np.random.default_rng([days, int(10 * phi)])
        series = [SPREAD * noise(days, phi, rng) for _ in range(runs)]
        yield days, phi, *(percent([test(one) <= 0.05 for one in series]) for test in (plain, prewhitened, hamed_rao))


def plain(values: Floats) -> float:
    """p value of Mann and Kendall's test: days are taken as independent."""
    return float(stats.kendalltau(np.arange(len(values)), values).pvalue)


def prewhitened(values: Floats) -> float:
    """Trend-free pre-whitening (Yue et al. 2002): the slope is removed, the memory, and the slope put back."""
    time = np.arange(len(values))
    line = stats.theilslopes(values, time).slope * time
    rest = values - line
    memory = float(np.corrcoef(rest[1:], rest[:-1])[0, 1])
    return plain(rest[1:] - memory * rest[:-1] + line[1:])


def hamed_rao(values: Floats) -> float:
    """Mann and Kendall's test with a variance for the ranks' autocorrelations beyond chance (Hamed & Rao 1998)."""
    n, time = len(values), np.arange(len(values))
    ranks = stats.rankdata(values - stats.theilslopes(values, time).slope * time)
    ranks -= ranks.mean()
    lags = np.arange(1, n)
    rho = np.array([ranks[lag:] @ ranks[:-lag] for lag in lags]) / (ranks @ ranks)
    rho = np.where(np.abs(rho) > 1.959964 / np.sqrt(n), rho, 0.0)
    factor = 1 + 2 / (n * (n - 1) * (n - 2)) * float(((n - lags) * (n - lags - 1) * (n - lags - 2) * rho).sum())
    variance = n * (n - 1) * (2 * n + 5) / 18 * max(factor, 1e-9)
    score = float(np.sign(values[None, :] - values[:, None])[np.triu_indices(n, 1)].sum())
    return float(2 * stats.norm.sf(max(abs(score) - 1, 0) / np.sqrt(variance)))


Rows = Callable[[int, list[int]], Iterator[tuple[object, ...]]]
TABLES: dict[str, tuple[Rows, tuple[str, ...]]] = {
    "trend": (
        trend_rows,
        ("days", "phi", "error", "gaps", "false alarms %", "cover 0 %", "cover slope %", "slope /month", "power %"),
    ),
    "effect": (
        effect_rows,
        ("days", "locations", "phi", "false alarms %", "over time %", "coverage %", "step", "power %"),
    ),
    "change": (change_rows, ("days", "phi", "false alarms %", "found within a week %")),
    "others": (others_rows, ("days", "phi", "Mann-Kendall %", "pre-whitened %", "Hamed-Rao %")),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", choices=[*TABLES, []], default=list(TABLES))
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--days", default="60,120,365")
    chosen = parser.parse_args()
    for name in chosen.tests:
        rows, columns = TABLES[name]
        lengths = [int(n) for n in chosen.days.split(",")]
        console.table(columns, pooled(rows(chosen.runs, lengths)), title=name)


if __name__ == "__main__":
    main()
