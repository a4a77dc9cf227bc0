"""``felicity usual``: a period compared with the same hours of the weeks before."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.cli.times import time_parser
from felicity.style import numbers
from felicity.style.dates import moment

PANEL = Panel.READ


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(usual)


def usual(
    begin: Annotated[
        datetime,
        typer.Option(
            "--from",
            metavar="TIME",
            parser=time_parser("--from"),
            help="Begin of the period, ISO 8601; without an offset in each location's time zone.",
        ),
    ],
    end: Annotated[
        datetime,
        typer.Option("--to", metavar="TIME", parser=time_parser("--to"), help="End of the period, not included."),
    ],
    weeks: Annotated[
        int, typer.Option(metavar="N", help="Number of weeks before the period that define what is usual.")
    ] = 8,
    store: options.Store = None,
    location: options.Locations = None,
    k: options.K = 10,
    model: options.Model = None,
    json: options.Json = False,
) -> None:
    """Compare a period, such as last Saturday evening, with the same hours of the weeks before."""
    import felicity
    from felicity.reports.sentences import usual_sentence

    found = felicity.usual(begin, end, weeks=weeks, store=store, locations=location, k=k, model=model)
    console.notes((*found.notes, *(one.reason for one in found.missing)))
    if json:
        told = [{"sentence": usual_sentence(one), "usual": one} for one in found.items]
        console.emit("usual", {"locations": told, "missing": found.missing}, found.notes)
        return
    for one in found.items:
        console.out.print(usual_sentence(one), markup=False, soft_wrap=True)
    columns = ("location", "from", "people", "happy share", "usual", "19 of 20 within", "difference", "weeks")
    cells = [
        (
            one.location,
            moment(one.start),
            f"{one.people:,}",
            numbers.percent(one.share),
            numbers.percent(one.usual),
            numbers.percent_span(one.low, one.high),
            numbers.points(one.difference),
            f"{one.weeks} of {one.asked}",
        )
        for one in found.items
    ]
    console.table(columns, cells, title="Happy share, adjusted, beside what is usual", numbers=columns[2:])
