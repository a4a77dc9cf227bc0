"""Figures about places as tables for people, in the terminal and in notebooks."""

from __future__ import annotations

from collections.abc import Sequence

from felicity.cities.city import CityIndex
from felicity.index import IndexRow
from felicity.over_time.effect import Effect
from felicity.over_time.trends import Trends
from felicity.style import numbers
from felicity.style.dates import period
from felicity.style.latex import Printed
from felicity.windows.buckets import By


def printed_trends(found: Trends) -> Printed:
    """Return a row per location."""
    columns = (
        "location",
        "points a month",
        "95 % interval",
        "p",
        "detectable",
        "memory",
        "periods",
        "people",
        "shifts",
    )
    rows = [
        (
            one.location,
            numbers.points(one.trend.slope, 2),
            numbers.points_span(one.trend.low, one.trend.high, 2),
            f"{one.trend.p_value:.3f}",
            f"{one.trend.detectable:.2f}",
            f"{one.trend.phi:.2f}",
            f"{one.trend.periods} of {one.trend.span}",
            f"{one.trend.people:,}",
            "; ".join(f"{shift.at:%Y-%m-%d} {numbers.points(shift.after - shift.before)}" for shift in one.shifts)
            or "-",
        )
        for one in found.items
    ]
    title = f"Trend of the happy share by {found.items[0].trend.step}, Theil-Sen slope and Mann-Kendall test"
    return Printed(title, columns, rows)


def printed_effect(found: Effect) -> Printed:
    """Return the estimates, and each location's own change."""

    def row(name: str, estimate: float, low: float, high: float, p: float) -> tuple[str, ...]:
        return name, numbers.points(estimate, 2), numbers.points_span(low, high, 2), f"{p:.3f}"

    level = found.level
    rows = [row("effect, errors over time (Newey-West)", level.estimate, level.low, level.high, level.p_value)]
    if one := found.clustered:
        rows.append(row("effect, errors clustered by location", one.estimate, one.low, one.high, one.p_value))
    if slope := found.slope:
        rows.append(row("change of slope, a month", slope.estimate, slope.low, slope.high, slope.p_value))
    if drift := found.parallel:
        rows.append(
            row("difference of the groups before, a month", drift.estimate, drift.low, drift.high, drift.p_value)
        )
    if placebo := found.placebo:
        share = f"{numbers.share(placebo.share, 0)} of {placebo.dates}"
        rows.append(("placebo dates with an effect at least this large", share, "-", "-"))
    rows.extend(
        (f"{name}, its own change", numbers.points(change, 2), "-", "-") for name, change in found.changes.items()
    )
    title = f"{found.method[0].upper()}{found.method[1:]}, {found.before} {found.step}s before, {found.after} after"
    return Printed(title, ("figure", "points", "95 % interval", "p"), rows)


def printed_city(found: CityIndex) -> Printed:
    """Return a row per location."""
    columns = ("location", "people", "weight", "happy share", "95 % interval", "visits covered")
    rows = []
    for part in found.parts:
        known = part.share is not None and part.low is not None and part.high is not None
        rows.append(
            (
                part.location.name,
                f"{part.people:,}",
                numbers.share(part.weight) if not part.missing else "missing",
                numbers.percent(part.share) if known else "-",
                numbers.percent_span(part.low, part.high) if known else "-",
                "-" if part.covered is None else numbers.share(part.covered, 0),
            )
        )
    return Printed(f"Places, weighted by {found.weight}", columns, rows)


def printed_index(rows: Sequence[IndexRow], by: By, k: int) -> Printed:
    """Return the happy share of each location and period, adjusted."""
    timed = by != "total"
    columns = ("location", *((by,) if timed else ()), "people", "happy share", "95 % interval")
    cells = []
    for row in rows:
        share = row.happy_share
        known = not row.suppressed and share.adjusted is not None
        shown = (
            numbers.percent(share.adjusted) if known else row.hidden_because(k) if row.suppressed else "not calibrated"
        )
        interval = numbers.percent_span(share.low, share.high) if known else "-"
        cells.append((row.location, *((period(row.start, by),) if timed else ()), f"{row.people:,}", shown, interval))
    return Printed(f"Happy share by {by}" if timed else "Happy share", columns, cells)
