"""``felicity token``: the credentials of programs at a server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.style.dates import moment

PANEL = Panel.PUBLISH


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Add, list and revoke tokens of felicity serve.", no_args_is_help=True)
    group.command("add")(add)
    group.command("list")(list_tokens)
    group.command("revoke")(revoke)
    app.add_typer(group, name="token")


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the person or program that will use the token.")],
    scope: Annotated[
        list[str],
        typer.Option(
            metavar="SCOPE", help="Permission: read, classify, admin, push:LOCATION, push:*; may be repeated."
        ),
    ],
    days: Annotated[
        int, typer.Option(min=0, max=36_500, metavar="N", help="Days until the token expires; 0: never.")
    ] = 365,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Make a token and print it. It is shown only once; the store keeps its hash."""
    from felicity.api import add_token

    made = add_token(name, scope, days=days, store=store)
    if json:
        console.emit("token-add", made)
        return
    print(made.token)
    until = f"until {moment(made.record.expires)}" if made.record.expires else "for ever"
    console.say(f"token {made.record.id} allows {', '.join(made.record.scopes)} {until}; it is not shown again")


def list_tokens(store: options.Store = None, json: options.Json = False) -> None:
    """List the tokens of a store, including expired and revoked ones."""
    from felicity.api import list_tokens as read

    listed = read(store=store)
    if json:
        console.emit("token-list", listed)
        return
    now = datetime.now(UTC)
    rows = [
        (
            str(each.id),
            each.name,
            f"{each.prefix}…",
            ", ".join(each.scopes),
            "valid" if each.is_valid(now) else "revoked" if each.revoked else "expired",
            moment(each.created),
            moment(each.expires) if each.expires else "never",
            moment(each.used) if each.used else "never",
        )
        for each in listed
    ]
    columns = ("id", "name", "token", "scopes", "state", "made", "expires", "last used")
    console.table(columns, rows, numbers=("id",))


def revoke(
    token: Annotated[int, typer.Argument(metavar="ID", help="Its number; see: felicity token list.")],
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Revoke a token. Servers then refuse it."""
    from felicity.api import revoke_token

    gone = revoke_token(token, store=store)
    if json:
        console.emit("token-revoke", gone)
    else:
        console.say(f"revoked: token {gone.id}, {gone.name}")
