"""``felicity city``: one index for the whole city, from its locations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

if TYPE_CHECKING:
    from felicity.cities.city import CityIndex

PANEL = Panel.READ


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
    """Print the happy share of the city, which is the weighted mean of its locations, and the missing locations."""
    import felicity
    from felicity.api.answers import city_answer
    from felicity.reports.sentences import city_sentence

    found = felicity.city(
        store=store, weight=weight, footfall=footfall, begin=begin, end=end, locations=location, k=k, model=model
    )
    console.notes(found.notes)
    if geojson is not None:
        felicity.write_geojson(found, geojson)
    if json:
        console.emit_answer(city_answer(found))
    else:
        console.out.print(city_sentence(found), markup=False, soft_wrap=True)
        show(found)
    if geojson is not None:
        console.say(f"written to {geojson}")


def show(found: CityIndex) -> None:
    """Print a row per location."""
    from felicity.reports.printed import printed_city

    table = printed_city(found)
    console.table(table.columns, table.rows, title=table.title, numbers=table.columns[1:])
