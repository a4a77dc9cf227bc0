"""``felicity locations``: the places where people are counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

if TYPE_CHECKING:
    from felicity.api import SavedLocations

Update = Annotated[bool, typer.Option("--update", help="Change a location that is there already; the rest is kept.")]
PANEL = Panel.PUBLISH


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(
        help="List, add, import, rename, merge and remove locations. Workplaces and schools are refused "
        "(EU AI Act, Art. 5(1)(f)).",
        no_args_is_help=True,
    )
    group.command("list")(list_locations)
    group.command("add")(add)
    group.command("import")(import_file)
    group.command("rename")(rename)
    group.command("merge")(merge)
    group.command("remove")(remove)
    app.add_typer(group, name="locations")


def list_locations(store: options.Store = None, json: options.Json = False) -> None:
    """List the locations of a store."""
    from felicity.api import list_locations as read

    listed = read(store=store)
    if json:
        console.emit("locations-list", listed)
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
    site_type: Annotated[
        str | None, typer.Option(metavar="WORD", help="Kind of place: park, station, street …")
    ] = None,
    code: Annotated[
        str | None, typer.Option(metavar="CODE", help="Name of the location in tables of visits and flows.")
    ] = None,
    update: Update = False,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Add a location."""
    from felicity.api import save_locations
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
    known = {key: value for key, value in given.items() if value is not None}
    _show_saved("locations-add", save_locations([known], store=store, update=update), json)


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
    json: options.Json = False,
) -> None:
    """Add all locations of a file, or none of them if one is invalid."""
    from felicity.api import import_locations

    saved = import_locations(file, store=store, name_field=name_field, timezone=timezone, update=update)
    _show_saved("locations-import", saved, json)


def _show_saved(answer: str, saved: SavedLocations, json: bool) -> None:
    if json:
        console.emit(answer, saved, saved.notes)
        return
    console.notes(saved.notes)
    number = len(saved.added) + len(saved.changed)
    done = [f"{len(names)} {word}" for names, word in ((saved.added, "added"), (saved.changed, "changed")) if names]
    console.say(f"{number} location{'s' if number != 1 else ''} saved in {saved.store}: {', '.join(done)}")


def rename(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The location's name.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Give a location another name. Its windows stay with it."""
    from felicity.api import rename_location

    renamed = rename_location(name, new.strip(), store=store)
    if json:
        console.emit("locations-rename", renamed)
        return
    console.say(f"renamed: {name} is called {renamed.into}, with its {renamed.windows:,} windows")


def merge(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The location that goes.")],
    into: Annotated[str, typer.Argument(metavar="INTO", help="The location that takes its windows.")],
    store: options.Store = None,
    json: options.Json = False,
    yes: options.Yes = False,
) -> None:
    """Move a location's windows to another location, then remove the first. Only its own entry is deleted."""
    from felicity.api import location_content, merge_locations

    windows = location_content(name, store=store).windows
    console.confirm(f"location {name} and moves its {windows:,} windows to {into}", yes=yes)
    merged = merge_locations(name, into, store=store)
    if json:
        console.emit("locations-merge", merged)
        return
    console.say(f"merged: {merged.windows:,} windows with {merged.people:,} people of {name} are now at {into}")


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The location's name.")],
    store: options.Store = None,
    json: options.Json = False,
    yes: options.Yes = False,
) -> None:
    """Remove a location with all its windows. To keep the windows, use rename or merge."""
    from felicity.api import location_content, remove_location

    content = location_content(name, store=store)
    console.confirm(f"location {name} with {content.windows:,} windows and {content.people:,} people", yes=yes)
    removed = remove_location(name, store=store)
    if json:
        console.emit("locations-remove", removed)
        return
    console.say(f"removed: {name}, and {removed.windows:,} windows with {removed.people:,} people")
