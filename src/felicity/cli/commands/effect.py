"""``felicity effect``: what a measure did to the places it touched."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from felicity.cli import console, options

if TYPE_CHECKING:
    from felicity.over_time.effect import Effect

By = Literal["hour", "day", "week"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(effect)


def effect(
    at: Annotated[str, typer.Option("--at", metavar="DATE", help="When the measure began, on the places' clock.")],
    locations: Annotated[list[str], typer.Option("--locations", metavar="A,B", help="Places that it touched.")],
    comparison: Annotated[
        list[str] | None, typer.Option("--comparison", metavar="C,D", help="Places that it did not touch.")
    ] = None,
    store: options.Store = None,
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
        Path | None,
        typer.Option(metavar="FILE", help="Draw before and after (PNG, SVG, PDF).", callback=options.chart_file),
    ] = None,
    json: options.Json = False,
) -> None:
    """Say what changed with a measure: against the places' earlier course, or better against other places."""
    from felicity import api
    from felicity.cli.commands.watch import parse_time
    from felicity.reports.sentences import effect_sentence

    moment, known = parse_date(at), known_names(store)
    found, notes = api.effect(
        moment,
        split(locations, known),
        split(comparison or [], known),
        store=store,
        begin=parse_time(begin, zone=None) if begin else None,
        end=parse_time(end, zone=None) if end else None,
        by=by,
        k=k,
        model=model,
    )
    if not found.comparison:
        notes.append(
            "without comparison, whatever else changed at that time counts as effect; name others with --comparison"
        )
    elif found.parallel and found.parallel.p_value <= 0.05:
        notes.append(
            "the two groups drifted apart already before "
            f"({found.parallel.estimate:+.1f} points a month), so the comparison is doubtful"
        )
    for note in notes:
        console.warn(note)
    sentence = effect_sentence(found)
    if json:
        console.emit_json({"sentence": sentence} | found.to_json() | {"notes": notes})
    else:
        console.out.print(sentence, markup=False, soft_wrap=True)
        show(found)
    if chart is not None:
        from felicity.reports.effect_chart import draw_effect

        draw_effect(found, chart)
        console.say(f"drawn in {chart}")


def show(found: Effect) -> None:
    """The figures, and each location's own change."""
    columns = ("figure", "points", "95 % interval", "p")

    def row(name: str, estimate: float, low: float, high: float, p: float) -> tuple[str, ...]:
        return name, f"{estimate:+.2f}", f"{low:+.2f} to {high:+.2f}", f"{p:.3f}"

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
        share = f"{100 * placebo.share:.0f} % as large"
        rows.append((f"the same at {placebo.dates} dates before, when nothing was done", share, "-", "-"))
    rows.extend((f"{name}, its own change", f"{change:+.2f}", "-", "-") for name, change in found.changes.items())
    title = f"{found.method[0].upper()}{found.method[1:]}, {found.before} {found.step}s before, {found.after} after"
    console.table(columns, rows, title=title, numbers=columns[1:])


def known_names(url: str | None) -> set[str]:
    """Names of all locations of a store."""
    from felicity.store import open_store

    with open_store(url, create=False) as opened:
        return {location.name for location in opened.locations()}


def split(texts: list[str], known: set[str]) -> list[str]:
    """``A,B`` and repeated options to names. A known name may hold commas: as much as is one is taken for one."""
    names = []
    for text in texts:
        parts = text.split(",")
        while parts:
            joined = [",".join(parts[:n]).strip() for n in range(len(parts), 0, -1)]
            name = next((one for one in joined if one in known), joined[-1])
            parts = parts[len(parts) - joined.index(name) :]
            names += [name] if name else []
    return names


def parse_date(text: str) -> datetime:
    """ISO 8601; without a zone it is left to the places' clock."""
    from felicity.errors import ConfigError
    from felicity.windows.buckets import read_time

    try:
        return read_time(text)
    except ValueError:
        raise ConfigError(
            f"--at: a date in ISO 8601 expected, such as 2026-05-01, or 2026-05-01T00:00+02:00, not {text!r}"
        ) from None
