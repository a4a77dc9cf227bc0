"""Effect of a measure at a date: interrupted time series, and difference in differences.

Without comparison, what came after is held against the earlier course continued (level and slope may
change at the date). With comparison locations, the change of the difference between the two groups is
the effect; what befell the whole city drops out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from scipy import stats

from felicity.errors import ConfigError, EstimateError
from felicity.index.buckets import bucket
from felicity.index.regression import Coefficient, fit, regress
from felicity.index.seasonality import season_levels, season_of
from felicity.index.series import DAYS_PER_MONTH, Floats, Series, Step, by_day, check_adjustable, zone_of

LEAST = {Step.DAY: 21, Step.WEEK: 12}
"""Periods with a figure that are needed before and after."""
ENOUGH_LOCATIONS = 4
"""Locations on either side from which errors clustered by location are trusted."""


@dataclass(frozen=True)
class ByLocation:
    """The test that takes locations, not days, as independent.

    ``estimate``: mean of the treated locations' own changes less that of the compared ones'. ``detectable``: size that
    would be found in 80 % of such towns.
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
    """The same estimate at dates before the measure, when there was none: ``share`` were at least as large."""

    dates: int
    share: float


@dataclass(frozen=True)
class Effect:
    """What changed at ``at``; all in points of happy share.

    ``method``: ``interrupted time series`` or ``difference in differences``. ``level``: the step at the date, errors
    over time. ``slope``: change of slope per month (interrupted time series). ``parallel``: slope per month of
    the groups' difference before the date, which should be none (difference in differences). ``clustered``:
    the step with errors by location. ``headline`` says which of the two is the effect itself, and gives ``estimate``,
    ``low``, ``high``, ``p_value`` and ``detectable``, the size that is found in 80 % of cases. ``changes``:
    each location's own change. ``before``, ``after``: periods with a figure. ``treated``, ``compared``
    (n,): means of the groups on ``starts``, season removed, NaN in gaps; ``fitted``, ``expected`` (n,): with and
    without the effect.
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

    @property
    def found(self) -> bool:
        """Whether there is an effect at the 5 % level."""
        return self.p_value <= 0.05

    def to_json(self) -> dict[str, Any]:
        """The contract of ``felicity effect --json``, without its sentence: points of happy share."""
        return {
            "method": self.method,
            "at": self.at.isoformat(),
            "by": str(self.step),
            "locations": list(self.locations),
            "comparison": list(self.comparison),
            "found": self.found,
            "effect": {"estimate": self.estimate, "low": self.low, "high": self.high, "p_value": self.p_value},
            "detectable": self.detectable,
            "errors": self.headline,
            "newey_west": asdict(self.level),
            "clustered": asdict(self.clustered) if self.clustered else None,
            "slope_change_per_month": asdict(self.slope) if self.slope else None,
            "difference_before_per_month": asdict(self.parallel) if self.parallel else None,
            "changes": dict(self.changes),
            "placebo": asdict(self.placebo) if self.placebo else None,
            "periods": {"before": self.before, "after": self.after},
            "people": self.people,
            "season": self.season,
            "start": self.starts[0].isoformat(),
            "end": self.starts[-1].isoformat(),
        }


def estimate_effect(
    series: Mapping[str, Series],
    at: datetime,
    locations: Sequence[str],
    comparison: Sequence[str] = (),
    *,
    seed: int = 0,
) -> Effect:
    """The effect at ``at`` on ``locations``, against ``comparison`` if there is any.

    ``series``: by name, all with one step. A period that holds ``at`` within it counts on neither side. Each
    location counts the same. Errors: Newey-West over time with critical values for short series
    (``regression.regress``); from four locations on either side on, clustered by location: with one date
    and a balanced panel this is the two-sample t test of the locations' own changes (Bertrand, Duflo &
    Mullainathan 2004; Donald & Lang 2007), with Satterthwaite's degrees of freedom. Fewer clusters than that
    do not carry an error, whatever the bootstrap (Cameron, Gelbach & Miller 2008).

    Raises ConfigError for unknown or doubly named locations, EstimateError for a date outside the data or
    with too little on either side.
    """
    panel = _Panel.of(series, at, locations, comparison)
    base, season = panel.base(), panel.dummies()
    before, after = panel.check_length()
    post = panel.post
    method = "difference in differences" if comparison else "interrupted time series"
    if comparison:
        design = np.hstack([np.ones((len(post), 1)), post[:, None], season])
        column, slope = 1, None
        parallel = _slope_before(panel, seed)
    else:
        months = panel.days / DAYS_PER_MONTH
        since = np.where(post > 0, months - months[post > 0][0], 0.0)
        design = np.hstack([np.ones((len(post), 1)), months[:, None], post[:, None], since[:, None], season])
        column, parallel = 2, None
        slope = regress(base, design, 3, panel.error, seed=seed)
    level = regress(base, design, column, panel.error, seed=seed)

    changes = {name: float(fit(values, design)[column]) for name, values in panel.values.items()}
    clustered = _by_location(changes, locations, comparison)
    trusted = clustered is not None and min(len(locations), len(comparison)) >= ENOUGH_LOCATIONS
    told: Coefficient | ByLocation = clustered if trusted and clustered is not None else level
    treated, compared = panel.drawn(locations), panel.drawn(comparison) if comparison else None
    fitted, expected = _lines(treated, compared, post, panel.days, told.estimate, slope)
    return Effect(
        method=method,
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
    )


@dataclass(frozen=True)
class _Panel:
    """Series of all locations on one calendar."""

    at: datetime
    step: Step
    treated: tuple[str, ...]
    compared: tuple[str, ...]
    starts: tuple[datetime, ...]
    days: Floats
    values: Mapping[str, Floats]
    errors: Mapping[str, Floats]
    post: Floats
    season: str
    levels: Floats

    @classmethod
    def of(cls, series: Mapping[str, Series], at: datetime, treated: Sequence[str], compared: Sequence[str]) -> _Panel:
        names = (*treated, *compared)
        if not treated:
            raise ConfigError("an effect needs at least one location that the measure touched")
        if unknown := [name for name in names if name not in series]:
            raise ConfigError(
                f"there are no figures of {unknown[0]!r}; there are of {', '.join(sorted(series)) or 'none'}"
            )
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(
                f"{twice[0]!r} is named twice; a location is either touched by the measure or compared with, and once"
            )
        for name in names:
            check_adjustable(series[name])
        hourly = series[names[0]].step is Step.HOUR
        seasons = {name: season_of(series[name]) for name in names} if hourly else {}
        daily = {name: by_day(series[name], seasons[name].values) if hourly else series[name] for name in names}
        # Locations may have clocks of their own; the local date is what they share.
        keys = sorted({start.date() for one in daily.values() for start in one.starts})
        place = {key: i for i, key in enumerate(keys)}
        starts: list[datetime] = [at] * len(keys)
        values, errors = {}, {}
        for name in reversed(names):
            one = daily[name]
            rows = [place[start.date()] for start in one.starts]
            values[name], errors[name] = np.full(len(keys), np.nan), np.full(len(keys), np.nan)
            values[name][rows], errors[name][rows] = one.share, one.error
            for row, start in zip(rows, one.starts, strict=True):
                starts[row] = start
        first = starts[0].date()
        step = daily[names[0]].step
        # A period that the date falls into is neither before nor after.
        ends = [bucket(int(start.timestamp()), step.value, zone_of(start))[1] for start in starts]
        torn = np.array([start < at and end > at.timestamp() for start, end in zip(starts, ends, strict=True)])
        for name in names:
            values[name] = np.where(torn, np.nan, values[name])
        values = {name: values[name] for name in names}
        panel_series = Series(
            "",
            step,
            tuple(starts),
            np.where(np.isfinite(np.array([values[n] for n in names])).any(axis=0), 0.0, np.nan),
            np.full(len(keys), np.nan),
            np.zeros(len(keys), dtype=np.int64),
            np.zeros(len(keys), dtype=bool),
        )
        rhythm, levels = season_levels(panel_series)
        return cls(
            at=at,
            step=step,
            treated=tuple(treated),
            compared=tuple(compared),
            starts=tuple(starts),
            days=np.array([(start.date() - first).days for start in starts], dtype=np.float64),
            values=values,
            errors=errors,
            post=np.array([float(start >= at) for start in starts]),
            season=seasons[names[0]].name if hourly else rhythm,
            levels=levels.astype(np.float64),
        )

    def dummies(self) -> Floats:
        """(n, levels - 1): one column per level of the season but the first."""
        return np.asarray(self.levels[:, None] == np.unique(self.levels)[None, 1:], dtype=np.float64)

    def _centred(self, name: str) -> Floats:
        """A location's values less what is its own: its level before and its weekly rhythm."""
        values = self.values[name]
        if not np.isfinite(values).any():
            return values
        design = np.hstack([np.ones((len(values), 1)), self.post[:, None], self.dummies()])
        if np.linalg.matrix_rank(design[np.isfinite(values)]) < design.shape[1]:
            return values - np.nanmean(values)
        own = fit(values, design)
        own[1] = 0.0
        return np.asarray(values - design @ own)

    def mean(self, names: Sequence[str]) -> Floats:
        """(n,): mean of the locations that have a figure, each less its own level, so that a gap is no jump."""
        return _row_mean(np.array([self._centred(name) for name in names]))

    def drawn(self, names: Sequence[str]) -> Floats:
        """(n,): as ``mean``, at the height of the locations' level before."""
        heights = [np.nanmean(np.where(self.post == 0, self.values[name], np.nan)) for name in names]
        return np.asarray(self.mean(names) + np.mean(heights))

    def base(self) -> Floats:
        """(n,): what the effect is read from: the treated locations' mean, less that of the comparison."""
        treated = self.mean(self.treated)
        return treated - self.mean(self.compared) if self.compared else treated

    @property
    def error(self) -> Floats:
        """(n,): sampling error of ``base``."""
        total = np.zeros(len(self.starts))
        for group in (self.treated, self.compared):
            if group:
                listed = np.array([self.errors[name] for name in group]) ** 2
                total += _row_mean(listed) / np.maximum(np.isfinite(listed).sum(axis=0), 1)
        return np.asarray(np.sqrt(total))

    def check_length(self) -> tuple[int, int]:
        """Periods with figures before and after, each enough; for each location some."""
        least = LEAST[self.step]
        first, last = self.starts[0], self.starts[-1]
        if not first < self.at <= last:
            raise EstimateError(
                f"the date {self.at:%Y-%m-%d} lies outside the data, which run from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
            )
        counts = (0, 0)
        whole = dict(self.values) | {"the locations together": self.base()}
        for name, values in whole.items():
            there = np.isfinite(values)
            counts = int((there & (self.post == 0)).sum()), int((there & (self.post > 0)).sum())
            for count, side in zip(counts, ("before", "from"), strict=True):
                if count < least:
                    raise EstimateError(
                        f"{name}: {self.step.plural(count)} with a figure {side} {self.at:%Y-%m-%d}, and at least "
                        f"{least} are needed; watch longer or choose a longer period"
                    )
        return counts


def _row_mean(values: Floats) -> Floats:
    """(n,): mean over rows of (L, n), NaN where none has a figure."""
    there = np.isfinite(values)
    return np.asarray(np.where(there.any(axis=0), np.nansum(values, axis=0), np.nan) / np.maximum(there.sum(axis=0), 1))


def _slope_before(panel: _Panel, seed: int) -> Coefficient:
    before = panel.post == 0
    season = panel.dummies()[before]
    months = panel.days[before] / DAYS_PER_MONTH
    design = np.hstack([np.ones((len(months), 1)), months[:, None], season])
    return regress(panel.base()[before], design, 1, panel.error[before], seed=seed)


def _by_location(changes: Mapping[str, float], treated: Sequence[str], compared: Sequence[str]) -> ByLocation | None:
    """Welch's t test of the locations' changes; None with fewer than two on either side."""
    if min(len(treated), len(compared)) < 2:
        return None
    groups = [np.array([changes[name] for name in names]) for names in (treated, compared)]
    parts = np.array([group.var(ddof=1) / len(group) for group in groups])
    error = float(np.sqrt(parts.sum()))
    test = stats.ttest_ind(*groups, equal_var=False)
    interval = test.confidence_interval()
    return ByLocation(
        estimate=float(groups[0].mean() - groups[1].mean()),
        error=error,
        freedom=float(test.df),
        low=float(interval.low),
        high=float(interval.high),
        p_value=float(test.pvalue),
        detectable=error * float(np.sum(stats.t.ppf((0.975, 0.8), test.df))),
    )


def _placebo(panel: _Panel, base: Floats, effect: float, compared: bool) -> Placebo | None:
    """Steps at every date before the measure that leaves enough on both sides, from the data before alone."""
    least = LEAST[panel.step]
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
        sizes.append(abs(fit(values, np.hstack([np.stack(columns, axis=1), season]))[1]))
    if not sizes:
        return None
    return Placebo(len(sizes), float(np.mean(np.array(sizes) >= abs(effect))))


def _lines(
    treated: Floats, compared: Floats | None, post: Floats, days: Floats, step: float, slope: Coefficient | None
) -> tuple[Floats, Floats]:
    """Course of the treated locations with and without the effect, (n,) each."""
    months = days / DAYS_PER_MONTH
    ones = np.ones(len(post))
    if slope is None:
        assert compared is not None
        shift = fit(compared, np.stack([ones, post], axis=1))[1]
        start = float(np.nanmean(np.where(post == 0, treated, np.nan)))
        expected = start + shift * post
        return expected + step * post, expected
    since = np.where(post > 0, months - months[post > 0][0], 0.0)
    own = fit(treated, np.stack([ones, months, post, since], axis=1))
    expected = own[0] + own[1] * months
    return expected + own[2] * post + own[3] * since, expected
