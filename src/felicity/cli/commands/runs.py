"""``felicity runs``: list the passes over sources, and remove mistaken ones."""

from __future__ import annotations

from typing import Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.style.dates import moment

PANEL = Panel.COUNT


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="List the runs of a store, and remove those made by mistake.", no_args_is_help=True)
    group.command("list")(list_runs)
    group.command("remove")(remove)
    app.add_typer(group, name="runs")


def list_runs(
    location: options.Locations = None,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """List the runs of a store: each is one pass over a source. Times are in the location's time zone."""
    from felicity import api

    listed = api.list_runs(store=store, locations=location)
    if json:
        console.emit("runs-list", listed)
        return
    if not listed:
        console.say("no run here yet; felicity watch makes them")
        return
    rows = [
        (
            str(run.id),
            run.location,
            run.camera,
            run.source,
            moment(run.first) if run.first else "-",
            moment(run.last) if run.last else "-",
            f"{run.windows:,}",
            f"{run.people:,}",
            run.state.value,
            f"{run.heartbeat:%Y-%m-%d %H:%M}" if run.heartbeat else "-",
            f"{run.ended:%Y-%m-%d %H:%M}" if run.ended else "-",
        )
        for run in listed
    ]
    columns = ("run", "location", "camera", "source", "from", "to", "windows", "people", "state", "heartbeat", "ended")
    console.table(columns, rows, numbers=("run", "windows", "people"))


def remove(
    runs: Annotated[list[int], typer.Argument(metavar="RUN...", help="Numbers that runs list shows.")],
    store: options.Store = None,
    yes: options.Yes = False,
) -> None:
    """Remove runs with their windows: all of them, or none."""
    from felicity import api

    chosen = [run for run in api.list_runs(store=store) if run.id in runs]
    windows, people = sum(run.windows for run in chosen), sum(run.people for run in chosen)
    if len(chosen) == len(set(runs)):
        console.confirm(f"{len(chosen)} run(s) with {windows:,} windows and {people:,} people", yes=yes)
    for run in api.remove_runs(runs, store=store):
        console.say(f"removed: {run.source} at {run.location}, {run.windows:,} windows with {run.people:,} people")
