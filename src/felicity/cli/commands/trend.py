"""``felicity trend``: the change of happy shares over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

if TYPE_CHECKING:
    from felicity.over_time.trends import Trends

PANEL = Panel.READ


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
    from felicity.api.answers import trend_answer
    from felicity.reports.sentences import trend_sentence

    found = felicity.trends(store=store, begin=begin, end=end, by=by, locations=location, k=k, model=model)
    console.notes((*found.notes, *(one.reason for one in found.missing)))
    if json:
        console.emit_answer(trend_answer(found))
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
    from felicity.reports.printed import printed_trends

    table = printed_trends(found)
    console.table(table.columns, table.rows, title=table.title, numbers=table.columns[1:8])
