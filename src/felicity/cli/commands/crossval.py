"""``felicity crossval``: the accuracy of a training, fold by fold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from felicity.cli import console, options, settings
from felicity.cli.panels import Panel
from felicity.style import numbers

PANEL = Panel.TRAIN


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=settings.with_settings())(crossval)


def crossval(
    ctx: typer.Context,
    folds: Annotated[
        int | None, typer.Option("--folds", help="Number of folds (default: as many as the preparation drew, else 5).")
    ] = None,
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write.")] = Path(
        "crossval"
    ),
    config: settings.Config = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip finished folds, and resume the unfinished one.")
    ] = False,
    track: settings.Track = None,
    cluster: options.Cluster = None,
    json: options.Json = False,
) -> None:
    """Train once per fold and measure each run on the images it never saw. The test set stays untouched."""
    from felicity.api import training
    from felicity.cli.training_display import Shown

    def line(fold: dict[str, Any], number: int) -> str:
        return (
            f"fold {fold['fold']}/{number}: held out {fold['images']['held_out']} images, accuracy "
            f"{numbers.share(fold['accuracy'], 2)}, loss {fold['loss']:.4f} (epoch {fold['best_epoch']})"
        )

    with console.told_how_to_go_on("the same command with --resume"), Shown(line) as shown:
        made = training.crossval(
            None,
            folder,
            folds=folds,
            settings=settings.given(ctx),
            config=config,
            resume=resume,
            track=track or (),
            told=shown,
            cluster=cluster,
        )
    if json:
        console.emit("crossval", {"folder": str(folder)} | made.figures, made.notes)
        return
    print_table(made.figures)
    console.say(f"written: {folder}")


def print_table(result: dict[str, Any]) -> None:
    """Print a line per fold, then the mean and its interval."""
    from felicity.training.crossval_tables import printed

    table = printed(result)
    console.table(table.columns, table.rows, title=table.title, numbers=table.columns[1:])
    console.say(f"the interval is {result['interval']}")
