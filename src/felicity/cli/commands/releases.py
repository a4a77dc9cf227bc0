"""``felicity releases``: publish whole crowds, list releases, and show the public's figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

By = Literal["total", "hour", "day", "week", "month"]
COLUMNS = ("release", "location", "kind", "made", "from", "to", "crowds", "people", "taken back", "replaces", "waiting")
PANEL = Panel.PUBLISH


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Publish figures of whole crowds, and see what the public sees.", no_args_is_help=True)
    group.command("make")(make)
    group.command("list")(list_releases)
    group.command("show")(show)
    group.command("index")(index)
    group.command("now")(now)
    app.add_typer(group, name="releases")


def make(
    store: options.Store = None,
    over: Annotated[
        Literal["day", "hour", "minute"],
        typer.Option(help="Publish people of days (hours, minutes) that are over, in the location's time zone."),
    ] = "day",
    wait: Annotated[
        float, typer.Option(min=0, max=100_000, metavar="MINUTES", help="Wait this long after the end of a period.")
    ] = 10,
    location: options.Locations = None,
    k: Annotated[int, typer.Option("--k", min=1, help="Fewest people of a crowd.")] = 10,
    json: options.Json = False,
) -> None:
    """Publish all crowds that are complete by now, and correct changed ones. You may run it as often as you like."""
    from felicity import api

    made = api.make_releases(store=store, over=over, wait=timedelta(minutes=wait), locations=location, k=k)
    if json:
        console.emit("releases-make", made)
        return
    rows = [
        (one.location, ", ".join(map(str, one.releases)) or "-", f"{one.waiting:,}", f"{one.blocked:,}") for one in made
    ]
    console.table(("location", "new releases", "waiting", "blocked"), rows, numbers=("waiting", "blocked"))
    if any(one.waiting for one in made):
        console.say(f"people wait until {k} of their hour, day, week or month do")
    if any(one.blocked for one in made):
        console.say("people are blocked whose windows were published otherwise before; see docs/publishing.md")


def list_releases(store: options.Store = None, location: options.Locations = None, json: options.Json = False) -> None:
    """List the releases of a store. Times are in the location's time zone."""
    from felicity import api

    listed = api.releases(store=store, locations=location)
    if json:
        console.emit("releases-list", listed)
        return
    if not listed:
        console.say("nothing is published yet; felicity releases make publishes it")
        return
    rows = [
        (
            str(one.number),
            one.location,
            one.kind.value,
            f"{one.made:%Y-%m-%d %H:%M}",
            f"{one.start:%Y-%m-%d %H:%M}" if one.start else "-",
            f"{one.end:%Y-%m-%d %H:%M}" if one.end else "-",
            f"{one.crowds:,}",
            f"{one.people:,}",
            f"{one.taken_back:,}",
            _few(one.replaces) or "-",
            f"under {one.k}" if one.waiting is None else f"{one.waiting:,}",
        )
        for one in listed
    ]
    console.table(COLUMNS, rows, numbers=("release", "crowds", "people", "taken back", "waiting"))


def show(
    release: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Number that releases list shows.")],
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Show the crowds of a release as they were published."""
    from felicity import api
    from felicity.cli.commands.index import show_rows

    found = api.release(release, store=store)
    crowds = api.release_crowds(release, store=store)
    if json:
        console.emit("releases-show", {"release": found, "crowds": crowds})
        return
    when = [f"{row.start:%Y-%m-%d %H:%M} to {_end(row.start, row.end)}" for row in crowds]
    show_rows(crowds, title=f"Release {release} ({found.kind}) of {found.location}", extra=("time", when), k=found.k)
    if found.replaces:
        console.say(f"takes back {found.taken_back:,} people of release {_few(found.replaces)}")


def index(
    store: options.Store = None,
    begin: options.Begin = None,
    end: options.End = None,
    by: Annotated[By, typer.Option(help="Length of a period, in the location's time zone.")] = "total",
    location: options.Locations = None,
    release: Annotated[
        int | None, typer.Option("--as-of", min=1, metavar="NUMBER", help="The index as it was after this release.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Print the happiness index that the public sees."""
    from felicity import api
    from felicity.cli.commands.index import CAVEAT, show_rows

    found = api.published_index(store=store, begin=begin, end=end, by=by, locations=location, release=release)
    console.notes(found.notes)
    if json:
        console.emit("releases-index", found, found.notes)
    elif not found.rows:
        console.say("nothing is published of this period; felicity releases make publishes it")
    else:
        show_rows(found.rows, by=by, k=found.k)
        console.say(CAVEAT)


def now(store: options.Store = None, location: options.Locations = None, json: options.Json = False) -> None:
    """Print the latest crowd of the day of each location, as the public sees it."""
    from felicity import api
    from felicity.cli.commands.index import CAVEAT, show_rows

    found = api.published_now(store=store, locations=location)
    if json:
        console.emit("releases-now", found)
        return
    rows = [one.row for one in found if one.row is not None]
    if rows:
        when = [f"{row.start:%H:%M} to {row.end:%H:%M}" for row in rows]
        show_rows(rows, title="Happy share now", extra=("time", when))
        console.say(CAVEAT)
    for one in found:
        if one.row is None:
            console.say(f"{one.location}: no crowd of today is published yet")


def _end(start: datetime, end: datetime) -> str:
    return f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"


def _few(numbers: Sequence[int]) -> str:
    """Return the numbers, or the first three of many."""
    more = f" and {len(numbers) - 3} more" if len(numbers) > 4 else ""
    return ", ".join(map(str, numbers[:3] if more else numbers)) + more
