"""``felicity train``: a data set into a run folder."""

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
    app.command(cls=settings.with_settings())(train)


def train(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="Run folder to write.")] = Path("run"),
    config: settings.Config = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume from the last checkpoint of RUN.")] = False,
    track: settings.Track = None,
    json: options.Json = False,
) -> None:
    """Train a network on a data set and write a run folder: settings, history, curves, checkpoints."""
    from felicity.api import training
    from felicity.cli.training_display import Shown

    with console.told_how_to_go_on("the same command with --resume"), Shown() as shown:
        made = training.train(
            None,
            output,
            settings=settings.given(ctx),
            config=config,
            resume=resume,
            track=track or (),
            told=shown,
        )
    if json:
        run = {"run": str(made.folder), "classes": list(made.classes), "history": made.history}
        console.emit("train", run, made.notes)
        return
    columns = ("epoch", "loss", "accuracy", "validation loss", "validation accuracy", "seconds", "images/s")
    console.table(
        columns,
        [
            (
                row["epoch"], f"{row['loss']:.4f}", numbers.share(row["accuracy"], 2), f"{row['val_loss']:.4f}",
                numbers.share(row["val_accuracy"], 2), f"{row['seconds']:.1f}", f"{row['images_per_second']:.0f}",
            )
            for row in made.history
        ],
        title=f"{made.config.model.name} on {made.config.backend}",
        numbers=columns,
    )  # fmt: skip
    console.say(f"least validation loss: epoch {made.best['epoch']}; written: {made.folder}")
