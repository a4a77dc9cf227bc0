"""``felicity city``: one index for the whole city, from its locations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.cities.city import CityIndex


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(city)


def city(
    weight: options.Weight = None,
    footfall: options.Footfall = None,
    location: options.Locations = None,
    store: options.Store = None,
    begin: options.Begin = None,
    end: options.End = None,
    k: options.K = 10,
    model: options.Model = None,
    geojson: Annotated[
        Path | None,
        typer.Option(metavar="FILE.geojson", help="Write locations and figures as GeoJSON.", callback=options.map_file),
    ] = None,
    json: options.Json = False,
) -> None:
    """Print the happy share of the city, the weighted mean of its locations, and which locations are missing."""
    import felicity
    from felicity.reports.sentences import city_sentence

    found = felicity.city(
        store=store, weight=weight, footfall=footfall, begin=begin, end=end, locations=location, k=k, model=model
    )
    console.notes(found.notes)
    if geojson is not None:
        felicity.write_geojson(found, geojson)
    if json:
        console.emit("city", {"sentence": city_sentence(found), "city": found}, found.notes)
    else:
        console.out.print(city_sentence(found), markup=False, soft_wrap=True)
        show(found)
    if geojson is not None:
        console.say(f"written to {geojson}")


def show(found: CityIndex) -> None:
    """Print a row per location."""
    columns = ("location", "people", "weight", "happy share", "95 % interval", "visits covered")
    rows = []
    for part in found.parts:
        known = part.share is not None and part.low is not None and part.high is not None
        rows.append(
            (
                part.location.name,
                f"{part.people:,}",
                numbers.share(part.weight) if not part.missing else "missing",
                numbers.percent(part.share) if known else "-",
                numbers.percent_span(part.low, part.high) if known else "-",
                "-" if part.covered is None else numbers.share(part.covered, 0),
            )
        )
    console.table(columns, rows, title=f"Places, weighted by {found.weight}", numbers=columns[1:])
