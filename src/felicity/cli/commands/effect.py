"""``felicity effect``: what a measure changed at the locations it touched."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options
from felicity.cli.times import time_parser
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.over_time.effect import Effect


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
            help="When the measure began, in the locations' time zone.",
        ),
    ],
    locations: Annotated[
        list[str], typer.Option("--locations", metavar="A,B", help="Locations that it touched; may be repeated.")
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
    """Estimate the effect of a measure against the locations' earlier course, or better against other locations."""
    import felicity
    from felicity.api import opened, split_names
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
    sentence = effect_sentence(found)
    if json:
        console.emit("effect", {"sentence": sentence, "effect": found}, found.notes)
    else:
        console.out.print(sentence, markup=False, soft_wrap=True)
        show(found)
    if chart is not None:
        from felicity.reports.effect_chart import draw_effect

        draw_effect(found, chart)
        console.say(f"drawn in {chart}")


def show(found: Effect) -> None:
    """Print the figures, and each location's own change."""
    columns = ("figure", "points", "95 % interval", "p")

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
    console.table(columns, rows, title=title, numbers=columns[1:])
