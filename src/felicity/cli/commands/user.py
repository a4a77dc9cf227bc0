"""``felicity user``: people who sign in to a server with a password."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.style.dates import moment

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name with which the user signs in.")]
PANEL = Panel.PUBLISH


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Add, list and remove users of felicity serve.", no_args_is_help=True)
    group.command("add")(add)
    group.command("list")(list_users)
    group.command("remove")(remove)
    group.command("password")(password)
    app.add_typer(group, name="user")


def add(
    name: Name,
    role: Annotated[
        Literal["viewer", "analyst", "operator"],
        typer.Option(help="A viewer sees releases, an analyst every figure, an operator also the state of cameras."),
    ] = "viewer",
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Add a user. Felicity asks for the password, or reads a line of standard input if that is no terminal."""
    from felicity.api.users import add_user

    added = add_user(name, role, _ask(), store=store)
    if json:
        console.emit("user-add", added)
    else:
        console.say(f"{added.name} may sign in as {added.role}")


def list_users(store: options.Store = None, json: options.Json = False) -> None:
    """List the users of a store."""
    from felicity.api.users import list_users as read

    listed = read(store=store)
    if json:
        console.emit("user-list", listed)
        return
    rows = [
        (user.name, user.role, moment(user.created), moment(user.used) if user.used else "never") for user in listed
    ]
    console.table(("name", "role", "added", "last sign-in"), rows)


def remove(name: Name, store: options.Store = None, json: options.Json = False) -> None:
    """Remove a user and end their sessions."""
    from felicity.api.users import remove_user

    gone = remove_user(name, store=store)
    if json:
        console.emit("user-remove", gone)
    else:
        console.say(f"{gone.name} may not sign in any more")


def password(name: Name, store: options.Store = None, json: options.Json = False) -> None:
    """Give a user another password and end their sessions. Felicity asks for it as felicity user add does."""
    from felicity.api.users import change_password

    changed = change_password(name, _ask(), store=store)
    if json:
        console.emit("user-password", changed)
    else:
        console.say(f"{changed.name} has another password; all sessions have ended")


def _ask() -> str:
    from felicity.errors import ConfigError

    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True))
    line = sys.stdin.readline(10_000).rstrip("\r\n")
    if not line:
        raise ConfigError("the password is expected as a line of standard input, or at a terminal; found none")
    return line
