"""``felicity audit``: the log of changes and exports, with their actors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.cli.times import time_parser
from felicity.style.dates import moment

PANEL = Panel.PUBLISH


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audit)


def audit(
    store: options.Store = None,
    begin: Annotated[
        datetime | None,
        typer.Option("--from", metavar="TIME", parser=time_parser("--from"), help="From then on, ISO 8601, UTC."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", metavar="TIME", parser=time_parser("--to"), help="Until then, not included."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, metavar="N", help="Show the last N entries.")] = 1000,
    json: options.Json = False,
) -> None:
    """Print the audit log: sign-ins, changes of users, tokens, locations and runs, data pushed and exported."""
    from felicity.api import audit_log

    entries = audit_log(store=store, begin=begin, end=end, most=most)
    if json:
        console.emit("audit", entries)
        return
    rows = [
        (
            moment(entry.time, seconds=True),
            entry.actor,
            entry.action,
            entry.subject,
            ", ".join(f"{key} {value}" for key, value in entry.detail.items()),
        )
        for entry in entries
    ]
    console.table(("time", "who", "what", "of", "detail"), rows)
