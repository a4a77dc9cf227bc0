"""``felicity effect``: the change that a measure brought to its locations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.cli.times import time_parser

if TYPE_CHECKING:
    from felicity.over_time.effect import Effect

PANEL = Panel.READ


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(effect)


def effect(
    at: Annotated[
        datetime,
        typer.Option(
            "--at",
            metavar="DATE",
            parser=time_parser("--at"),
            help="Day on which the measure began, in the locations' time zone.",
        ),
    ],
    locations: Annotated[
        list[str],
        typer.Option("--locations", metavar="A,B", help="Locations that the measure touched; may be repeated."),
    ],
    comparison: options.Comparison = None,
    store: options.Store = None,
    begin: options.Begin = None,
    end: options.End = None,
    by: options.Step = "day",
    k: options.K = 10,
    model: options.Model = None,
    chart: options.Chart = None,
    json: options.Json = False,
) -> None:
    """Estimate the effect of a measure, against other locations or against the locations' earlier course."""
    import felicity
    from felicity.api import opened, split_names
    from felicity.api.answers import effect_answer
    from felicity.reports.sentences import effect_sentence

    with opened(store) as open_store:
        found = felicity.effect(
            at,
            split_names(locations, open_store),
            split_names(comparison or (), open_store),
            store=open_store,
            begin=begin,
            end=end,
            by=by,
            k=k,
            model=model,
        )
    console.notes(found.notes)
    if json:
        console.emit_answer(effect_answer(found))
    else:
        console.out.print(effect_sentence(found), markup=False, soft_wrap=True)
        show(found)
    if chart is not None:
        from felicity.reports.effect_chart import draw_effect

        draw_effect(found, chart)
        console.say(f"drawn in {chart}")


def show(found: Effect) -> None:
    """Print the figures, and each location's own change."""
    from felicity.reports.printed import printed_effect

    table = printed_effect(found)
    console.table(table.columns, table.rows, title=table.title, numbers=table.columns[1:])
