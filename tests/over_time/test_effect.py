"""Effects: the figures of statsmodels, the right size, and refusals that say what is needed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from felicity.errors import ConfigError, EstimateError
from felicity.over_time.effect import Effect, estimate_effect
from felicity.over_time.noise import bandwidth
from felicity.over_time.regression import regress
from felicity.over_time.series import Series
from felicity.reports.sentences import effect_sentence
from tests.over_time.series import daily, noise

DAYS = 84
AT = 42


def town(
    treated: int, compared: int, rng: np.random.Generator, *, step: float = 0.0, days: int = DAYS, phi: float = 0.4
) -> dict[str, Series]:
    common = 3 * noise(days, phi, rng) if compared else np.zeros(days)
    after = step * (np.arange(days) >= days // 2)
    names = [f"T{i}" for i in range(treated)] + [f"C{i}" for i in range(compared)]
    return {
        name: daily(rng.normal(0, 5) + common + 3 * noise(days, phi, rng) + after * (name[0] == "T"), name=name)
        for name in names
    }


def effect_in(series: dict[str, Series]) -> Effect:
    at = series["T0"].starts[len(series["T0"]) // 2]
    names = sorted(series)
    return estimate_effect(series, at, [n for n in names if n[0] == "T"], [n for n in names if n[0] == "C"])


def test_coefficients_and_newey_west_errors_are_those_of_statsmodels() -> None:
    rng = np.random.default_rng(0)
    values = noise(DAYS, 0.5, rng).cumsum()
    design = np.column_stack([np.ones(DAYS), np.arange(DAYS), np.arange(DAYS) >= AT]).astype(float)
    lags = bandwidth(DAYS)
    reference = sm.OLS(values, design).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    for column in range(3):
        own = regress(values, design, column, np.full(DAYS, np.nan))
        assert own.estimate == pytest.approx(reference.params[column])
        assert own.error == pytest.approx(reference.bse[column])


def test_an_interrupted_series_is_read_as_statsmodels_reads_it() -> None:
    series = town(1, 0, np.random.default_rng(1), step=5)
    own = effect_in(series)
    one = series["T0"]
    since = np.where(np.arange(DAYS) >= AT, np.arange(DAYS) - AT, 0) * 12 / 365.25
    weekday = np.array([start.weekday() for start in one.starts])
    dummies = (weekday[:, None] == np.arange(1, 7)).astype(float)
    post = (np.arange(DAYS) >= AT).astype(float)
    design = np.column_stack([np.ones(DAYS), np.arange(DAYS) * 12 / 365.25, post, since, dummies])
    reference = sm.OLS(one.share, design).fit(
        cov_type="HAC", cov_kwds={"maxlags": bandwidth(DAYS), "use_correction": False}
    )
    assert own.method == "interrupted time series"
    assert own.slope is not None
    assert (own.level.estimate, own.level.error) == pytest.approx((reference.params[2], reference.bse[2]))
    assert (own.slope.estimate, own.slope.error) == pytest.approx((reference.params[3], reference.bse[3]))


def test_difference_in_differences_is_the_two_way_fixed_effects_estimate_with_errors_by_location() -> None:
    series = town(4, 5, np.random.default_rng(2), step=4)
    own = effect_in(series)
    names = sorted(series)
    place = np.repeat(np.arange(len(names)), DAYS)
    time = np.tile(np.arange(DAYS), len(names))
    treated = np.array([name[0] == "T" for name in names])
    did = (treated[place] & (time >= AT)).astype(float)
    panel = np.column_stack([did, place[:, None] == np.arange(len(names)), time[:, None] == np.arange(1, DAYS)])
    values = np.concatenate([series[name].share for name in names])
    assert own.level.estimate == pytest.approx(sm.OLS(values, panel.astype(float)).fit().params[0])
    # One date, one change per location: clustering by location is HC2 on the changes (Bell & McCaffrey 2002).
    changes = np.array([own.changes[name] for name in names])
    reference = sm.OLS(changes, sm.add_constant(treated.astype(float))).fit(cov_type="HC2")
    assert own.clustered is not None
    assert own.clustered.error == pytest.approx(reference.bse[1])
    assert own.headline == "clustered by location"
    assert (own.low, own.high) == (own.clustered.low, own.clustered.high)


def test_few_locations_fall_back_on_errors_over_time() -> None:
    own = effect_in(town(2, 3, np.random.default_rng(3)))
    assert own.clustered is not None, "shown all the same"
    assert own.headline == "Newey-West over time"
    assert effect_in(town(1, 1, np.random.default_rng(3))).clustered is None


@pytest.mark.parametrize(("treated", "compared"), [(1, 0), (1, 1), (2, 3)])
def test_nothing_done_rarely_counts_as_an_effect(treated: int, compared: int) -> None:
    """5 % are wanted; 250 null towns with autocorrelation 0.6 give 1.5 to 9.5 % (normal errors give 20 to 35 %)."""
    rng = np.random.default_rng([9, treated, compared])
    effects = [effect_in(town(treated, compared, rng, phi=0.6)) for _ in range(250)]
    assert 0.015 <= np.mean([one.found for one in effects]) <= 0.095
    for one in effects:
        assert one.found == (not one.low <= 0 <= one.high) or abs(one.p_value - 0.05) < 0.005


def test_an_effect_of_the_detectable_size_is_found_and_covered() -> None:
    rng = np.random.default_rng(4)
    size = float(np.median([effect_in(town(2, 3, rng)).level.detectable for _ in range(20)]))
    effects = [effect_in(town(2, 3, rng, step=size)) for _ in range(120)]
    assert 0.68 <= np.mean([one.found for one in effects]) <= 0.95
    assert np.mean([one.low <= size <= one.high for one in effects]) >= 0.89


def test_a_location_that_is_away_for_a_while_makes_no_jump() -> None:
    rng = np.random.default_rng(5)
    series = town(2, 2, rng, phi=0.0)
    # 25 points above its neighbour, and unseen for the last half of the time after the date.
    away = series["T1"].share + 25
    away[AT + 21 :] = np.nan
    gone = effect_in(series | {"T1": series["T1"].with_share(away)})
    assert gone.level.estimate == pytest.approx(effect_in(series).level.estimate, abs=1.5)


def test_the_effect_by_location_is_the_middle_of_its_interval_also_where_places_were_seen_for_a_while() -> None:
    """One of eight places rose by 10 points; the others went dark, so that most later days are of it alone."""
    rng = np.random.default_rng(11)
    series = town(8, 8, rng, phi=0.0, days=160)
    for name in [f"T{i}" for i in range(1, 8)]:
        dark = series[name].share.copy()
        dark[80 + 21 :] = np.nan
        series[name] = series[name].with_share(dark)
    series["T0"] = series["T0"].with_share(series["T0"].share + 10 * (np.arange(160) >= 80))
    own = effect_in(series)
    assert own.clustered is not None and own.headline == "clustered by location"
    changes = {side: [change for name, change in own.changes.items() if name[0] == side] for side in "TC"}
    assert own.estimate == pytest.approx(np.mean(changes["T"]) - np.mean(changes["C"]))
    assert own.estimate == pytest.approx((own.low + own.high) / 2)
    reach = stats.t.ppf(0.975, own.clustered.freedom) + stats.t.ppf(0.8, own.clustered.freedom)
    assert own.detectable == pytest.approx(reach * own.clustered.error)
    assert not own.found
    assert f"{own.estimate:+.1f} points" in effect_sentence(own)
    assert f"an effect of {own.detectable:.1f} points would very likely have shown" in effect_sentence(own)


def test_placebo_dates_tell_a_step_from_chance() -> None:
    rng = np.random.default_rng(6)
    true = effect_in(town(1, 2, rng, step=15, days=140, phi=0.2))
    assert true.placebo is not None
    assert (true.placebo.dates, true.placebo.share) == (29, 0.0)
    short = effect_in(town(1, 2, rng, days=60))
    assert short.placebo is None, "30 days before leave no date with enough on both sides"


def test_what_cannot_be_answered_is_refused_in_one_sentence() -> None:
    series = town(1, 1, np.random.default_rng(7))
    starts = series["T0"].starts
    with pytest.raises(EstimateError, match="the date 2024-01-01 lies outside the data, which run from 2025-03-01 to"):
        estimate_effect(series, starts[0].replace(year=2024, month=1, day=1), ["T0"], ["C0"])
    with pytest.raises(EstimateError, match="lies outside"):
        estimate_effect(series, starts[-1] + timedelta(days=5), ["T0"])
    with pytest.raises(EstimateError, match=r"T0: 8 days with a figure before 2025-03-09, and at least 21 are needed"):
        estimate_effect(series, starts[8], ["T0"], ["C0"])
    with pytest.raises(ConfigError, match="no figures of 'Moon'; there are of C0, T0"):
        estimate_effect(series, starts[AT], ["T0"], ["Moon"])
    with pytest.raises(ConfigError, match="'T0' is named twice"):
        estimate_effect(series, starts[AT], ["T0"], ["T0"])
    with pytest.raises(ConfigError, match="at least one location"):
        estimate_effect(series, starts[AT], [], ["C0"])


def test_a_day_that_the_date_falls_into_is_on_neither_side() -> None:
    series = town(1, 1, np.random.default_rng(8))
    noon = series["T0"].starts[AT] + timedelta(hours=12)
    torn = estimate_effect(series, noon, ["T0"], ["C0"])
    assert (torn.before, torn.after) == (AT, DAYS - AT - 1)


def test_the_sentence_says_against_what() -> None:
    rng = np.random.default_rng(9)
    found = effect_sentence(effect_in(town(2, 2, rng, step=-20)))
    assert found.startswith("Since 12 April 2025 T0 and T1 look ")
    assert "less happy than the course of C0 and C1 would have led to expect (95 % interval" in found
    nothing = effect_sentence(effect_in(town(1, 0, rng)))
    assert "as far as can be told from chance" in nothing
