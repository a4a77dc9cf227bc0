"""``felicity trend``: which way places drift, and what changed when."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from felicity.cli import console, options

if TYPE_CHECKING:
    from felicity.over_time.control import Change, Limits
    from felicity.over_time.series import Series

By = Literal["hour", "day", "week"]
YEARS = 2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trend)


def trend(
    store: options.Store = None,
    location: Annotated[
        list[str] | None, typer.Option("--location", "-l", metavar="NAME", help="Only this place; may be repeated.")
    ] = None,
    begin: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From then on, ISO 8601.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until then, not included.")] = None,
    by: Annotated[
        By, typer.Option(help="Periods of the series; hours lose their weekly rhythm and are averaged to days.")
    ] = "day",
    k: Annotated[int, typer.Option(min=1, help="Leave out periods of fewer people.")] = 10,
    model: Annotated[
        str | None, typer.Option(metavar="ID", help="Windows of this bundle (default: the latest).")
    ] = None,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the trends (PNG, SVG, PDF).", callback=options.chart_file)
    ] = None,
    json: options.Json = False,
) -> None:
    """Say whether places look happier or less happy as time goes by, with slope, interval and lasting shifts."""
    from felicity import api
    from felicity.cli.commands.watch import parse_time
    from felicity.errors import noted
    from felicity.reports.sentences import trend_sentence

    read, notes = api.series(
        store=store,
        begin=parse_time(begin, zone=None) if begin else None,
        end=parse_time(end, zone=None) if end else None,
        by=by,
        locations=location,
        k=k,
        model=model,
    )
    with noted(notes):
        trends, lacking = api.trends(read, location)
    limits, changes = _control(read, [one.location for one in trends])
    if any((one.starts[-1] - one.starts[0]).days < 365 * YEARS for one in trends):
        notes.append(f"in less than {YEARS} years a trend cannot be told from the season of the year")
    for note in dict.fromkeys((*notes, *lacking.values())):
        console.warn(note)
    if json:
        listed = []
        for one in trends:
            shifts = [
                {"at": change.at.isoformat(), "before": change.before, "after": change.after}
                for change in changes.get(one.location, [])
            ]
            limit = limits.get(one.location)
            outside = [limit.starts[i].isoformat() for i in limit.outside.nonzero()[0]] if limit else []
            listed.append(one.to_json() | {"sentence": trend_sentence(one), "shifts": shifts, "outside": outside})
        missing = [{"location": name, "reason": reason} for name, reason in lacking.items()]
        console.emit_json({"by": by, "locations": listed, "missing": missing, "notes": notes})
    else:
        for one in trends:
            console.out.print(trend_sentence(one), markup=False, soft_wrap=True)
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
                    f"{one.slope:+.2f}",
                    f"{one.low:+.2f} to {one.high:+.2f}",
                    f"{one.p_value:.3f}",
                    f"{one.detectable:.2f}",
                    f"{one.phi:.2f}",
                    f"{one.periods} of {one.span}",
                    f"{one.people:,}",
                    "; ".join(
                        f"{change.at:%Y-%m-%d} {change.after - change.before:+.1f}"
                        for change in changes.get(one.location, [])
                    )
                    or "-",
                )
                for one in trends
            ],
            title=f"Trend of the happy share by {trends[0].step}, Theil-Sen slope and Mann-Kendall test",
            numbers=columns[1:8],
        )
    if chart is not None:
        from felicity.reports.trend_chart import draw_trends, trend_picture

        draw_trends(
            [trend_picture(one, limits.get(one.location), changes.get(one.location, [])) for one in trends], chart
        )
        console.say(f"drawn in {chart}")


def _control(read: Mapping[str, Series], names: list[str]) -> tuple[dict[str, Limits], dict[str, list[Change]]]:
    """Limits and shifts of the series that are long enough for them."""
    from felicity.errors import EstimateError
    from felicity.over_time.control import change_points, control_limits

    limits, changes = {}, {}
    for name in names:
        try:
            limits[name] = control_limits(read[name])
            changes[name] = change_points(read[name])
        except EstimateError:
            continue
    return limits, changes
