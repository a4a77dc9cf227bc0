"""Effect of a measure at a date: interrupted time series, and difference in differences.

Without comparison, the periods after the date are compared with the continued earlier course (level and slope may
change at the date). With comparison locations, the effect is the change of the difference between the two groups;
events of the whole city cancel out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from scipy.special import stdtr, stdtrit

from felicity.notes import Note
from felicity.over_time.panel import MIN_SIDE_PERIODS, Panel
from felicity.over_time.regression import Coefficient, least_squares, regress
from felicity.over_time.series import DAYS_PER_MONTH, Floats, Series, Step
from felicity.style.language import say
from felicity.style.numbers import points

ENOUGH_LOCATIONS = 4
"""Least number of locations on either side for errors clustered by location."""


@dataclass(frozen=True)
class ByLocation:
    """The test that takes locations, not days, as independent.

    ``estimate``: mean change of the treated locations minus that of the comparison. ``detectable``: size that 80 % of
    such studies would detect.
    """

    estimate: float
    error: float
    freedom: float
    low: float
    high: float
    p_value: float
    detectable: float


@dataclass(frozen=True)
class Placebo:
    """The steps at placebo dates before the measure; ``share``: the fraction of them at least as large."""

    dates: int
    share: float


@dataclass(frozen=True)
class Effect:
    """The effect at ``at``; all figures are points of happy share.

    ``method``: ``interrupted time series`` or ``difference in differences``. ``level``: the step at the date, with
    errors over time. ``slope``: change of slope per month (interrupted time series). ``parallel``: slope per month of
    the groups' difference before the date, which should be none (difference in differences). ``clustered``: the step
    with errors by location. ``headline`` names the one of these two that is the effect itself. It gives ``estimate``,
    ``low``, ``high``, ``p_value`` and ``detectable``, the size that 80 % of such studies would detect. ``changes``: the
    change of each location by itself. ``before``, ``after``: numbers of periods with a figure. ``treated``,
    ``compared`` (n,): means of the groups on ``starts``, season removed, NaN in gaps; ``fitted``, ``expected`` (n,):
    with and without the effect. ``notes``: reasons to doubt the effect.
    """

    method: str
    at: datetime
    step: Step
    locations: tuple[str, ...]
    comparison: tuple[str, ...]
    level: Coefficient
    slope: Coefficient | None
    parallel: Coefficient | None
    clustered: ByLocation | None
    headline: str
    estimate: float
    low: float
    high: float
    p_value: float
    detectable: float
    changes: Mapping[str, float]
    placebo: Placebo | None
    before: int
    after: int
    people: int
    season: str
    starts: tuple[datetime, ...]
    treated: Floats
    compared: Floats | None
    fitted: Floats
    expected: Floats
    notes: tuple[Note, ...] = ()

    @property
    def found(self) -> bool:
        """Return whether there is an effect at the 5 % level."""
        return self.p_value <= 0.05


def estimate_effect(
    series: Mapping[str, Series],
    at: datetime,
    locations: Sequence[str],
    comparison: Sequence[str] = (),
    *,
    seed: int = 0,
) -> Effect:
    """Estimate the effect at ``at`` on ``locations``, against ``comparison`` if there is any.

    ``series``: by name, all with one step. A period that holds ``at`` within it counts on neither side. Each location
    counts the same. Errors over time are Newey-West, with critical values for short series (``regression.regress``).
    With at least four locations on either side, errors are clustered by location: with one date and a balanced panel
    this is the two-sample t test of the locations' own changes (Bertrand, Duflo & Mullainathan 2004; Donald & Lang
    2007), with Satterthwaite's degrees of freedom. Fewer clusters do not carry an error, whatever the bootstrap
    (Cameron, Gelbach & Miller 2008). Raises ConfigError for unknown or repeated locations, EstimateError for a date
    outside the data or with too little data on either side.
    """
    panel = Panel.of(series, at, locations, comparison)
    base, (before, after) = panel.base(), panel.check_length()
    design, column = _design(panel, bool(comparison))
    level = regress(base, design, column, panel.error, seed=seed)
    slope = None if comparison else regress(base, design, column + 1, panel.error, seed=seed)
    parallel = _slope_before(panel, seed) if comparison else None
    changes = {name: float(least_squares(values, design)[column]) for name, values in panel.values.items()}
    clustered = _by_location(changes, locations, comparison)
    trusted = clustered is not None and min(len(locations), len(comparison)) >= ENOUGH_LOCATIONS
    told: Coefficient | ByLocation = clustered if trusted and clustered is not None else level
    treated = panel.drawn(locations)
    compared = panel.drawn(comparison) if comparison else None
    fitted, expected = _lines(treated, compared, panel.post, panel.days, told.estimate, slope)
    return Effect(
        method="difference in differences" if comparison else "interrupted time series",
        at=at,
        step=panel.step,
        locations=tuple(locations),
        comparison=tuple(comparison),
        level=level,
        slope=slope,
        parallel=parallel,
        clustered=clustered,
        headline="clustered by location" if trusted else "Newey-West over time",
        estimate=told.estimate,
        low=told.low,
        high=told.high,
        p_value=told.p_value,
        detectable=told.detectable,
        changes=changes,
        placebo=_placebo(panel, base, level.estimate, bool(comparison)),
        before=before,
        after=after,
        people=sum(int(series[name].people.sum()) for name in (*locations, *comparison)),
        season=panel.season,
        starts=panel.starts,
        treated=treated,
        compared=compared,
        fitted=fitted,
        expected=expected,
        notes=_doubts(comparison, parallel),
    )


def _design(panel: Panel, compared: bool) -> tuple[Floats, int]:
    """Return the design (n, p) and its column for the step at the date; without comparison, the next is the slope's."""
    season, post = panel.dummies(), panel.post
    ones = np.ones((len(post), 1))
    if compared:
        return np.hstack([ones, post[:, None], season]), 1
    months = panel.days / DAYS_PER_MONTH
    since = np.where(post > 0, months - months[post > 0][0], 0.0)
    return np.hstack([ones, months[:, None], post[:, None], since[:, None], season]), 2


def _doubts(comparison: Sequence[str], parallel: Coefficient | None) -> tuple[Note, ...]:
    if not comparison:
        text = say(
            "without comparison, whatever else changed at that time counts as effect; name others with --comparison"
        )
        return (Note("no-comparison", text),)
    if parallel and parallel.p_value <= 0.05:
        text = say(
            "the two groups drifted apart already before ({points} points a month), so the comparison is doubtful",
            points=points(parallel.estimate),
        )
        return (Note("groups-drifted", text),)
    return ()


def _slope_before(panel: Panel, seed: int) -> Coefficient:
    before = panel.post == 0
    season = panel.dummies()[before]
    months = panel.days[before] / DAYS_PER_MONTH
    design = np.hstack([np.ones((len(months), 1)), months[:, None], season])
    return regress(panel.base()[before], design, 1, panel.error[before], seed=seed)


def _by_location(changes: Mapping[str, float], treated: Sequence[str], compared: Sequence[str]) -> ByLocation | None:
    """Return Welch's t test of the locations' changes; None with fewer than two on either side."""
    if min(len(treated), len(compared)) < 2:
        return None
    groups = [np.array([changes[name] for name in names]) for names in (treated, compared)]
    parts = np.array([group.var(ddof=1) / len(group) for group in groups])
    estimate = groups[0].mean() - groups[1].mean()
    error = np.sqrt(parts.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = parts.sum() ** 2 / sum(part**2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True))
        freedom = freedom if np.isfinite(freedom) else 1.0  # nothing varies
        p_value = 2 * stdtr(freedom, -abs(estimate / error))
    reach = stdtrit(freedom, 0.975) * error
    return ByLocation(
        estimate=float(estimate),
        error=float(error),
        freedom=float(freedom),
        low=float(estimate - reach),
        high=float(estimate + reach),
        p_value=float(p_value),
        detectable=float(error * (stdtrit(freedom, 0.975) + stdtrit(freedom, 0.8))),
    )


def _placebo(panel: Panel, base: Floats, effect: float, compared: bool) -> Placebo | None:
    """Estimate steps at all placebo dates with enough data on both sides, from the data before the measure alone."""
    least = MIN_SIDE_PERIODS[panel.step]
    before = panel.post == 0
    values, season = base[before], panel.dummies()[before]
    months = panel.days[before] / DAYS_PER_MONTH
    there = np.cumsum(np.isfinite(values))
    sizes = []
    for i in range(1, len(values)):
        if there[i - 1] < least or there[-1] - there[i - 1] < least or not np.isfinite(values[i]):
            continue
        post = (np.arange(len(values)) >= i).astype(np.float64)
        columns = [np.ones(len(values)), post]
        if not compared:
            columns += [months, post * (months - months[i])]
        sizes.append(abs(least_squares(values, np.hstack([np.stack(columns, axis=1), season]))[1]))
    if not sizes:
        return None
    return Placebo(len(sizes), float(np.mean(np.array(sizes) >= abs(effect))))


def _lines(
    treated: Floats, compared: Floats | None, post: Floats, days: Floats, step: float, slope: Coefficient | None
) -> tuple[Floats, Floats]:
    """Return the course of the treated locations with and without the effect, (n,) each."""
    months = days / DAYS_PER_MONTH
    ones = np.ones(len(post))
    if slope is None:
        assert compared is not None
        shift = least_squares(compared, np.stack([ones, post], axis=1))[1]
        start = float(np.nanmean(np.where(post == 0, treated, np.nan)))
        expected = start + shift * post
        return expected + step * post, expected
    since = np.where(post > 0, months - months[post > 0][0], 0.0)
    own = least_squares(treated, np.stack([ones, months, post, since], axis=1))
    expected = own[0] + own[1] * months
    return expected + own[2] * post + own[3] * since, expected
