"""``felicity trend``: how the happy share of locations changes over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from felicity.cli import console, options
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.over_time.trends import Trends


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trend)


def trend(
    store: options.Store = None,
    location: options.Locations = None,
    begin: options.Begin = None,
    end: options.End = None,
    by: options.Step = "day",
    k: options.K = 10,
    model: options.Model = None,
    chart: options.Chart = None,
    json: options.Json = False,
) -> None:
    """Estimate whether people at a location look happier over time: slope, interval and lasting shifts."""
    import felicity
    from felicity.reports.sentences import trend_sentence

    found = felicity.trends(store=store, begin=begin, end=end, by=by, locations=location, k=k, model=model)
    console.notes((*found.notes, *(one.reason for one in found.missing)))
    if json:
        told = [{"sentence": trend_sentence(one.trend), "trend": one} for one in found.items]
        console.emit("trend", {"by": found.step, "trends": told, "missing": found.missing}, found.notes)
    else:
        for one in found.items:
            console.out.print(trend_sentence(one.trend), markup=False, soft_wrap=True)
        show(found)
    if chart is not None:
        from felicity.reports.trend_chart import draw_trends, trend_picture

        draw_trends([trend_picture(one.trend, one.limits, one.shifts) for one in found.items], chart)
        console.say(f"drawn in {chart}")


def show(found: Trends) -> None:
    """Print a row per location."""
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
    console.table(
        columns,
        [
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
        ],
        title=f"Trend of the happy share by {found.items[0].trend.step}, Theil-Sen slope and Mann-Kendall test",
        numbers=columns[1:8],
    )
