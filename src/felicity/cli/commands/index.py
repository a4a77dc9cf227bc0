"""``felicity index``: the happiness index per location and period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.notes import Note
from felicity.style import numbers
from felicity.style.dates import period, short_date

if TYPE_CHECKING:
    from felicity.index import IndexRow

CAVEAT = "Visible expression of those who passed a camera; it is not what they felt."


By = Literal["total", "minute", "hour", "day", "week", "month"]
PANEL = Panel.READ


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(index)


def index(
    store: options.Store = None,
    begin: options.Begin = None,
    end: options.End = None,
    by: Annotated[By, typer.Option(help="Length of a period, in the location's time zone.")] = "total",
    location: options.Locations = None,
    k: options.K = 10,
    model: options.Model = None,
    output: options.TableFile = None,
    chart: options.Chart = None,
    json: options.Json = False,
) -> None:
    """Print the share of people who look happy, counted and adjusted, with its 95 % interval."""
    import felicity

    found = felicity.happiness(store=store, begin=begin, end=end, by=by, locations=location, k=k, model=model)
    rows, notes = found.rows, found.notes
    drawable = any(row.happy_share.adjusted is not None for row in rows)
    if chart is not None and not drawable:
        text = f"{chart} is not drawn, because there is no adjusted figure to draw"
        notes = (*notes, Note("nothing-to-draw", text))
    console.notes(notes)
    if json:
        console.emit("index", found, notes)
    elif not rows:
        console.say("no windows in this store and period yet; felicity watch writes them")
    else:
        show_rows(rows, by=by, k=k)
        console.say(CAVEAT)
    if output is not None:
        from felicity.reports.tables import index_table
        from felicity.style.tables import write_table

        write_table(output, index_table(rows), title=f"Happy share by {by}")
        console.say(f"written to {output}")
    if chart is not None and drawable:
        from felicity.reports.index_chart import draw_index, index_series

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
    """Print a table of index rows; ``extra`` is one more column: a heading and a cell per row."""
    timed = by != "total"
    twice = {key for key, number in Counter(map(_local, rows)).items() if number > 1}
    unknown = all(row.seeing.quality is None for row in rows)
    columns = (
        "location",
        *((by,) if timed else ()),
        "people",
        "not judged",
        *(() if unknown else ("quality",)),
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
            interval = numbers.percent_span(share.low, share.high)
            shown = (_percent(share.raw), _percent(share.adjusted), interval, numbers.points(balance))
        when = (_period(row, by, twice=_local(row) in twice),) if timed else ()
        judged = (f"{row.people:,}", f"{row.people_seen - row.people:,}")
        sight = () if unknown else (_percent(row.seeing.quality),)
        cells.append((row.location, *when, *judged, *sight, *shown) + ((extra[1][i],) if extra else ()))
    columns += (extra[0],) if extra else ()
    console.table(columns, cells, title=f"{title} by {by}" if timed else title, numbers=columns[1 + timed :])


def _period(row: IndexRow, by: str, *, twice: bool) -> str:
    """Return the period's name, with the days that windows cover if they cover only a part of it."""
    if twice:
        return f"{row.start:%Y-%m-%d %H:%M %z}"
    name = period(row.start, by)
    if not row.partial or by not in ("week", "month") or row.first_day is None or row.last_day is None:
        return name
    return f"{name} ({short_date(row.first_day)} to {short_date(row.last_day)} only)"


def _local(row: IndexRow) -> tuple[str, datetime]:
    """Return location and local time; at the end of summer time, an hour comes twice."""
    return row.location, row.start.replace(tzinfo=None)


def _percent(value: float | None) -> str:
    return "-" if value is None else numbers.percent(value)
