"""``felicity retention``: for how long windows and hours are kept."""

from __future__ import annotations

from typing import Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.errors import ConfigError

PANEL = Panel.PUBLISH


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(
        help="Set how long windows and hours are kept, and reduce older ones to hours and days.", no_args_is_help=True
    )
    group.command("set")(set_rule)
    group.command("show")(show)
    group.command("run")(run)
    app.add_typer(group, name="retention")


def set_rule(
    days: Annotated[int | None, typer.Option(metavar="N", min=1, help="Keep windows for N days.")] = None,
    months: Annotated[
        int | None, typer.Option(metavar="M", min=1, help="Keep hours for M months (default: for ever).")
    ] = None,
    forever: Annotated[bool, typer.Option("--forever", help="Keep windows and hours for ever.")] = False,
    location: options.Locations = None,
    store: options.Store = None,
) -> None:
    """Keep windows for N days, then hours until M months, then days; for all locations, or for those named.

    Nothing is deleted before you run: felicity retention run.
    """
    from felicity.api import set_retention

    if forever == (days is not None) or (forever and months is not None):
        raise ConfigError("give --days N, with --months M if hours go as well, or --forever")
    set_retention(days, months, locations=location, store=store)
    where = ", ".join(location) if location else "locations without a rule of their own"
    console.say(f"{where}: windows are kept {_span(days, 'days')}, hours {_span(months, 'months')}, days for ever")


def show(location: options.Locations = None, store: options.Store = None, json: options.Json = False) -> None:
    """Show for how long locations keep windows and hours."""
    from felicity.api import show_retention

    rules = show_retention(locations=location, store=store)
    if json:
        console.emit("retention-show", rules)
        return
    rows = [
        (
            each.location,
            _span(each.days, "days"),
            _span(each.months, "months"),
            "its own" if each.own else "of the store",
            f"{each.windows_from:%Y-%m-%d}" if each.windows_from else "-",
            f"{each.hours_from:%Y-%m-%d}" if each.hours_from else "-",
        )
        for each in rules
    ]
    console.table(("location", "windows", "hours", "rule", "windows from", "hours from"), rows)


def run(
    location: options.Locations = None,
    store: options.Store = None,
    json: options.Json = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do it; without --yes, only print what would change.")
    ] = False,
) -> None:
    """Reduce old windows to hours and old hours to days, for good. Figures by hour or day, and coarser ones, stay.

    Without --yes nothing changes. Run it every day, by cron or a systemd timer.
    """
    from felicity.api import run_retention

    folded = run_retention(locations=location, dry_run=not yes, store=store)
    if json:
        console.emit("retention-run", {"done": yes, "locations": folded})
        return
    columns = ("location", "windows", "become hours", "hours", "become days")
    rows = [
        (each.location, *(f"{n:,}" for n in (each.windows, each.into_hours, each.hours, each.into_days)))
        for each in folded
    ]
    console.table(columns, rows, numbers=columns[1:])
    if not yes:
        console.say("nothing was changed; pass --yes to delete these windows and hours for good")


def _span(number: int | None, unit: str) -> str:
    return "for ever" if number is None else f"{number:,} {unit}"
