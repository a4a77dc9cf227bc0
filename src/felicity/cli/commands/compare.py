"""``felicity compare``: the influence of the framework when everything else is equal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from felicity.cli import console, options, settings
from felicity.cli.panels import Panel
from felicity.style import numbers

PANEL = Panel.TRAIN


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=settings.with_settings(without={"backend"}))(compare)


def compare(
    ctx: typer.Context,
    backends: Annotated[
        str | None,
        typer.Option("--backends", help="Frameworks, with commas between them (default: all that are installed)."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="Number of seeds; intervals need two.")] = 3,
    config: settings.Config = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for runs, table and picture.")
    ] = Path("comparison"),
    resume: Annotated[bool, typer.Option("--resume", help="Keep the runs that FOLDER has already.")] = False,
    cluster: options.Cluster = None,
    json: options.Json = False,
) -> None:
    """Train one network on several frameworks with equal weights, order, pixels and constants, and compare them."""
    from felicity.api.comparing import compare as run

    options.check_resumable(output, resume=resume)

    def told(contestant: str, seed: int, line: str) -> None:
        epoch, accuracy, seconds = line.split()
        console.say(
            f"{contestant}, seed {seed}, epoch {epoch}: validation {numbers.share(float(accuracy), 2)}, {seconds} s"
        )

    names = [name.strip() for name in backends.split(",")] if backends else []
    asked = settings.given(ctx)
    with console.told_how_to_go_on("the same command with --resume"):
        report = run(
            None, output, backends=names, seeds=seeds, settings=asked, config=config, on_epoch=told, cluster=cluster
        )
    if json:
        console.emit("compare", report.facts)
        return
    console.table(report.columns, report.rows, title=report.title, numbers=report.columns[1:])
    for line in report.first_steps:
        console.out.print(line)
    console.out.print(report.verdict, soft_wrap=True)
    console.say(f"written: {output}")
