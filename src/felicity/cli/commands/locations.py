"""``felicity locations``: the places whose people are counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from felicity.cli import console, options

Update = Annotated[bool, typer.Option("--update", help="Change a location that is there already; the rest is kept.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(
        help="List, add, import and remove locations. Workplaces and schools are refused (EU AI Act, Art. 5(1)(f)).",
        no_args_is_help=True,
    )
    group.command("list")(list_locations)
    group.command("add")(add)
    group.command("import")(import_file)
    group.command("remove")(remove)
    app.add_typer(group, name="locations")


def list_locations(store: options.Store = None, json: options.Json = False) -> None:
    """List the locations of a store."""
    from felicity.store import open_store

    with open_store(store, create=False) as opened:
        listed = opened.locations()
    if json:
        for location in listed:
            console.emit_json(location.to_json())
        return
    if not listed:
        console.say("no location yet; add one with: felicity locations add NAME")
        return
    rows = [
        (
            place.name,
            place.timezone,
            place.geometry["type"] if place.geometry else "",
            "" if place.population is None else f"{place.population:,.0f}",
            place.site_type or "",
        )
        for place in listed
    ]
    console.table(("location", "time zone", "geometry", "population", "site type"), rows, numbers=("population",))


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The location's name.")],
    latitude: Annotated[float | None, typer.Option("--lat", metavar="DEGREES", help="Latitude, north.")] = None,
    longitude: Annotated[float | None, typer.Option("--lon", metavar="DEGREES", help="Longitude, east.")] = None,
    area: Annotated[
        Path | None, typer.Option(metavar="FILE", help="GeoJSON with the location's area, instead of a position.")
    ] = None,
    population: Annotated[float | None, typer.Option(metavar="N", help="People who live there.")] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="IANA time zone, such as Europe/Paris (default: UTC).")
    ] = None,
    site_type: Annotated[str | None, typer.Option(metavar="WORD", help="What it is: park, station, street …")] = None,
    code: Annotated[str | None, typer.Option(metavar="CODE", help="What tables of visits and flows call it.")] = None,
    update: Update = False,
    store: options.Store = None,
) -> None:
    """Add a location."""
    from felicity.cities.location_files import point, read_geometry
    from felicity.errors import ConfigError

    given: dict[str, Any] = {
        "name": name.strip(),
        "population": population,
        "timezone": timezone,
        "site_type": site_type,
        "code": code,
    }
    if (latitude is None) != (longitude is None):
        raise ConfigError("--lat and --lon go together; give both, or neither")
    if latitude is not None and longitude is not None:
        if area is not None:
            raise ConfigError("a location has a position (--lat, --lon) or an --area, not both")
        given["geometry"] = point(latitude, longitude)
    elif area is not None:
        given["geometry"] = read_geometry(area)
    _save(store, [{key: value for key, value in given.items() if value is not None}], update)


def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="GeoJSON, or CSV with name, lat, lon, population, timezone, site_type, code."
        ),
    ],
    name_field: Annotated[
        str | None, typer.Option("--name", metavar="FIELD", help="Property or column with the names (default: name).")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Time zone of locations of which the file gives none.")
    ] = None,
    update: Update = False,
    store: options.Store = None,
) -> None:
    """Add all locations of a file, or none of them if one is wrong."""
    from felicity.cities.location_files import read_locations

    found = read_locations(file, name_field=name_field)
    if timezone is not None:
        found = [{"timezone": timezone} | fields for fields in found]
    _save(store, found, update)


def _save(url: str | None, found: Sequence[dict[str, Any]], update: bool) -> None:
    from dataclasses import replace

    from felicity.store import open_store
    from felicity.windows import Location

    # Wrong ones are refused before a store is made for them.
    wanted = [Location(**fields) for fields in found]
    with open_store(url) as opened:
        if update:
            there = {location.name: location for location in opened.locations()}
            wanted = [
                replace(there[location.name], **fields) if location.name in there else location
                for location, fields in zip(wanted, found, strict=True)
            ]
        opened.add_locations(wanted, update=update)
    console.say(f"{len(wanted)} location{'s' if len(wanted) > 1 else ''} saved in {opened.url}")


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The location's name.")], store: options.Store = None
) -> None:
    """Remove a location, with all that was watched there."""
    from felicity.store import open_store

    with open_store(store, create=False) as opened:
        runs = opened.runs([name])
        opened.remove_location(name)
    windows, people = sum(run.windows for run in runs), sum(run.people for run in runs)
    console.say(f"removed: {name}, and {windows:,} windows with {people:,} people")
