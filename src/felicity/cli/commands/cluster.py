"""``felicity cluster``: the machines of a Ray cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

if TYPE_CHECKING:
    from felicity.api.clusters import ClusterMachine

PANEL = Panel.SET_UP


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Show the machines of a Ray cluster.", no_args_is_help=True)
    group.command("status")(status)
    app.add_typer(group, name="cluster")


def status(
    cluster: Annotated[
        str, typer.Option("--cluster", metavar="ADDRESS", help="auto, HOST:PORT or ray://HOST:PORT.")
    ] = "auto",
    json: options.Json = False,
) -> None:
    """List the machines of a Ray cluster and whether each can run this very Felicity.

    Exit code 1 if a machine cannot take work.
    """
    from felicity.api import cluster_status

    found = cluster_status(cluster)
    if json:
        console.emit("cluster-status", found)
    else:
        rows = [
            (each.address, f"{each.cores:g}", f"{each.gpus:g}", f"{each.memory / 1e9:.1f} GB", _state(each))
            for each in found.machines
        ]
        columns = ("machine", "cores", "GPUs", "memory", "state")
        console.table(columns, rows, title=f"cluster at {found.cluster}", numbers=columns[1:4])
    if any(each.trouble for each in found.machines):
        raise typer.Exit(1)


def _state(machine: ClusterMachine) -> str:
    return machine.trouble or ("ready, with the code of this machine" if machine.equipped else "ready")
