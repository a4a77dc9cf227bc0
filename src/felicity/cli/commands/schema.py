"""``felicity schema``: the JSON Schema of every ``--json`` answer."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from felicity.cli import console
from felicity.cli.panels import Panel

PANEL = Panel.CHECK


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(schema)


def schema(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A command with its words joined by hyphens, such as runs-list."),
    ] = None,
) -> None:
    """Print the names of all JSON answers, or the JSON Schema (draft 2020-12) of one."""
    from felicity.schemas import envelope

    if name is None:
        console.out.print("\n".join(envelope.names()), markup=False)
    else:
        print(json.dumps(envelope.json_schema(name), ensure_ascii=False, indent=2))
