"""``felicity index``: the happiness index per place and period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from felicity.cli import console, options

if TYPE_CHECKING:
    from felicity.index import IndexRow

CAVEAT = "Visible expression of those who passed a camera; it is not what they felt."


By = Literal["total", "minute", "hour", "day", "week", "month"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(index)


def index(
    store: options.Store = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From then on, ISO 8601; on the place's clock if bare.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until then, not included.")] = None,
    by: Annotated[By, typer.Option(help="Length of a period, on the location's own clock.")] = "total",
    location: Annotated[
        list[str] | None, typer.Option("--location", "-l", metavar="NAME", help="Only this place; may be repeated.")
    ] = None,
    k: Annotated[int, typer.Option(min=1, help="Do not show figures of fewer people.")] = 10,
    model: Annotated[
        str | None, typer.Option(metavar="ID", help="Windows of this bundle (default: the latest).")
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the index over time (PNG, SVG, PDF).", callback=options.chart_file),
    ] = None,
    json: options.Json = False,
) -> None:
    """Print the share of people who look happy, counted and adjusted, with its 95 % interval."""
    from felicity.api import happiness
    from felicity.cli.commands.watch import parse_time

    rows, notes = happiness(
        store=store,
        begin=parse_time(begin, zone=None) if begin else None,
        end=parse_time(end, zone=None) if end else None,
        by=by,
        locations=location,
        k=k,
        model=model,
    )
    for note in notes:
        console.warn(note)
    if json:
        console.emit_json([row.to_json() for row in rows])
    elif not rows:
        console.say("no windows in this store and period yet; felicity watch writes them")
    else:
        show_rows(rows, by=by, k=k)
        console.say(CAVEAT)
    if chart is not None:
        from felicity.reports.index_chart import draw_index, index_series

        if all(row.happy_share.adjusted is None for row in rows):
            console.warn(f"{chart} is not drawn, for there is no adjusted figure to draw")
            return
        draw_index(index_series(rows), chart, title=f"Happy share by {by}, adjusted, with 95 % interval")
        console.say(f"drawn in {chart}")


def show_rows(
    rows: Sequence[IndexRow],
    *,
    by: By = "total",
    title: str = "Happy share",
    extra: tuple[str, Sequence[str]] | None = None,
    k: int = 10,
) -> None:
    """A table of index rows; ``extra`` is one more column, a heading and a cell per row."""
    timed = by != "total"
    twice = {key for key, number in Counter(map(_clock, rows)).items() if number > 1}
    columns = (
        "location",
        *(("from",) if timed else ()),
        "people",
        "counted",
        "happy share",
        "95 % interval",
        "balance",
    )
    cells = []
    for i, row in enumerate(rows):
        share, balance = row.happy_share, row.balance.adjusted
        if row.suppressed:
            shown = ("-", row.hidden_because(k), "-", "-")
        elif share.adjusted is None:
            shown = (_percent(share.raw), "not calibrated", "-", "-")
        else:
            interval = f"{share.low:.1f} to {share.high:.1f} %"
            shown = (_percent(share.raw), _percent(share.adjusted), interval, f"{balance:+.1f}")
        when = (f"{row.start:{'%Y-%m-%d %H:%M %z' if _clock(row) in twice else '%Y-%m-%d %H:%M'}}",) if timed else ()
        cells.append((row.location, *when, f"{row.people:,}", *shown) + ((extra[1][i],) if extra else ()))
    columns += (extra[0],) if extra else ()
    console.table(columns, cells, title=f"{title} by {by}" if timed else title, numbers=columns[1 + timed :])


def _clock(row: IndexRow) -> tuple[str, datetime]:
    """What the place's clock shows; in an autumn night it shows an hour twice."""
    return row.location, row.start.replace(tzinfo=None)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"
