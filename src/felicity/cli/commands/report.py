"""``felicity report``: one HTML file with everything that a city wants to know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from felicity.cli import console, options

if TYPE_CHECKING:
    from felicity.reports.place import CityReport, ModelCard, PlaceReport

Weight = Literal["population", "visits", "people"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="The page to write.", callback=options.page_file)
    ] = Path("report.html"),
    store: options.Store = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="From then on, ISO 8601, on the place's own clock if bare."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until then, not included.")] = None,
    location: Annotated[
        list[str] | None, typer.Option("--location", "-l", metavar="NAME", help="Only this place; may be repeated.")
    ] = None,
    k: Annotated[int, typer.Option(min=1, help="Do not show figures of fewer people.")] = 10,
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="Compare what was before this day with what came from then on.")
    ] = None,
    touched: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="Places that something at --at touched (default: all but --comparison)."),
    ] = None,
    comparison: Annotated[
        list[str] | None, typer.Option("--comparison", metavar="C,D", help="Places that it did not touch.")
    ] = None,
    weight: Annotated[
        Weight | None,
        typer.Option(help="Give one index for the city: places weighted by who lives, visits or was counted there."),
    ] = None,
    footfall: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="CSV of visits (location,hour,visits) or of flows (origin,destination,flow)."
        ),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write each figure as PNG and SVG, and the tables as CSV and Parquet, too.",
            callback=options.output_folder,
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Happiness index",
    json: options.Json = False,
) -> None:
    """Write a report: map, index per place, patterns, trends, what was looked at, method and model.

    One HTML file that needs no network and prints on A4.
    """
    from felicity.cli.commands.effect import known_names, split
    from felicity.cli.commands.watch import parse_time
    from felicity.errors import ConfigError
    from felicity.reports import city

    day = _day(at) if at else None
    if (touched or comparison) and day is None:
        raise ConfigError("--touched and --comparison need a day to compare around; give it with --at")
    first, last = (parse_time(text, zone=None) if text else None for text in (begin, end))
    made = gather(store, first, last, location, k=k, at=day, title=title)
    if weight or footfall:
        made = _with_city(made, store, first, last, location, weight, footfall)
    if day and (touched or comparison):
        known = known_names(store)
        names = split(touched or [], known), split(comparison or [], known)
        made = _with_effect(made, store, first, last, day, *names)
    for note in made.notes:
        console.warn(note)
    with console.progress() as progress:
        progress.add_task("drawing", total=None)
        pictures = city.draw(made)
        page = city.render(made, pictures)
        written = city.write_figures(figures, made, pictures) if figures is not None else []
        city.write_page(output, page)
    if json:
        console.emit_json(
            {
                "report": str(output),
                "bytes": len(page.encode()),
                "places": {place.name: place.state for place in made.places},
                "files": [str(path) for path in written],
            }
        )
        return
    console.out.print(f"{output}: {len(made.shown)} of {len(made.places)} places shown", markup=False, soft_wrap=True)
    if written:
        console.out.print(f"{figures}: {len(written)} files", markup=False, soft_wrap=True)


def gather(
    url: str | None,
    begin: datetime | None,
    end: datetime | None,
    names: Sequence[str] | None,
    *,
    k: int,
    at: date | None,
    title: str,
) -> CityReport:
    """What the report shows, from a store and the shipped bundles.

    Raises ConfigError for unknown locations, EstimateError if there is no window in the period.
    """
    from felicity.cities.pattern import compute_together
    from felicity.errors import ConfigError, EstimateError
    from felicity.index import compute_index
    from felicity.reports.place import CityReport, last_moment, make_place
    from felicity.store import open_store

    with open_store(url, create=False) as opened, console.progress() as progress:
        totals = opened.sums("total", begin=begin, end=end, locations=names, k=k)
        if not totals.keys:
            raise EstimateError(
                f"{opened.url}: there are no windows in this store and period, so there is nothing to report; "
                "felicity watch writes them"
            )
        soft = opened.soft_matrices()
        rows = {row.location: row for row in compute_index(totals, soft, k=k)}
        chosen = [place for place in opened.locations() if names is None or place.name in names]
        places: list[PlaceReport] = []
        for place in progress.track(chosen, description="adding up"):
            row = rows.get(place.name)
            model = row.model if row else totals.keys[0].model
            days, hours = (
                opened.sums(by, begin=begin, end=end, locations=[place.name], model=model, k=k)
                for by in ("day", "hour")
            )
            places.append(make_place(place, row, days, hours, soft, k=k, at=at))
        together = compute_together(totals, soft, k=k, name="All places shown")
    first = min(row.start.date() for row in rows.values())
    last = max(last_moment(row).date() for row in rows.values())
    if at is not None and not first < at <= last:
        raise ConfigError(f"--at {at} lies outside the data, which run from {first} to {last}")
    models = sorted({row.model for row in rows.values()})
    return CityReport(
        title=title,
        places=places,
        together=together,
        k=k,
        at=at,
        notes=list(totals.notes),
        models=[_card(model) for model in models],
        made=datetime.now(UTC),
    )


def _card(identity: str) -> ModelCard:
    from felicity.models.bundle import open_bundle, shipped
    from felicity.reports.place import ModelCard

    for name in shipped():
        if (bundle := open_bundle(name)).id == identity:
            return ModelCard(identity, bundle.facts.model_dump(exclude={"soft_matrix"}))
    return ModelCard(identity)


def _with_city(
    made: CityReport,
    url: str | None,
    begin: datetime | None,
    end: datetime | None,
    names: Sequence[str] | None,
    weight: Weight | None,
    footfall: Path | None,
) -> CityReport:
    """The report with the weighted index, or why there is none."""
    from dataclasses import replace

    from felicity import api
    from felicity.errors import EstimateError

    try:
        found = api.city(store=url, weight=weight, footfall=footfall, begin=begin, end=end, locations=names, k=made.k)
    except EstimateError as error:
        return replace(made, city_lack=str(error))
    return replace(made, city=found, notes=list(dict.fromkeys((*made.notes, *found.notes))))


def _with_effect(
    made: CityReport,
    url: str | None,
    begin: datetime | None,
    end: datetime | None,
    at: date,
    touched: Sequence[str],
    comparison: Sequence[str],
) -> CityReport:
    """The report with the effect on the touched places, or why there is none."""
    from dataclasses import replace

    from felicity import api
    from felicity.errors import EstimateError

    names = touched or [place.name for place in made.shown if place.name not in comparison]
    moment = datetime(at.year, at.month, at.day)
    try:
        found, _ = api.effect(moment, names, comparison, store=url, begin=begin, end=end, k=made.k)
    except EstimateError as error:
        return replace(made, effect_lack=str(error))
    return replace(made, effect=found)


def _day(text: str) -> date:
    from felicity.errors import ConfigError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--at {text!r}: a day in ISO 8601 expected, such as 2026-05-01") from None
