"""``felicity crossval``: how well a training does, fold by fold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from felicity.cli import console, options, settings
from felicity.style import numbers

COLUMNS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "happy_f1": "happy F1",
    "loss": "loss",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=settings.with_settings())(crossval)


def crossval(
    ctx: typer.Context,
    folds: Annotated[
        int | None, typer.Option("--folds", help="How many (as many as the preparation drew, else 5).")
    ] = None,
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write.")] = Path(
        "crossval"
    ),
    config: settings.Config = None,
    resume: Annotated[bool, typer.Option("--resume", help="Skip folds that are done, go on with the next.")] = False,
    json: options.Json = False,
) -> None:
    """Train once per fold and measure each run on the images it never saw. The test part is not touched."""
    from felicity.api import training
    from felicity.cli.training_display import Shown

    def line(fold: dict[str, Any], number: int) -> str:
        return (
            f"fold {fold['fold']}/{number}: held out {fold['images']['held_out']} images, accuracy "
            f"{numbers.share(fold['accuracy'], 2)}, loss {fold['loss']:.4f} (epoch {fold['best_epoch']})"
        )

    with console.told_how_to_go_on("the same command with --resume"), Shown(line) as shown:
        made = training.crossval(
            None, folder, folds=folds, settings=settings.given(ctx), config=config, resume=resume, told=shown
        )
    if json:
        console.emit("crossval", {"folder": str(folder)} | made.figures, made.notes)
        return
    print_table(made.figures)
    console.say(f"written: {folder}")


def print_table(result: dict[str, Any]) -> None:
    """A line per fold, then the mean and its interval."""
    names = [name for name in COLUMNS if name in result["summary"]]

    def cells(row: dict[str, Any]) -> list[str]:
        return [f"{row[name]:.4f}" if name == "loss" else numbers.share(row[name], 2) for name in names]

    rows = [
        [str(fold["fold"]), str(fold["images"]["held_out"]), str(fold["best_epoch"]), *cells(fold)]
        for fold in result["folds"]
    ]
    for label, key in (("mean", "mean"), ("95 % from", "low"), ("95 % to", "high")):
        rows.append([label, "", "", *cells({name: result["summary"][name][key] for name in names})])
    columns = ["fold", "held out", "epoch", *(COLUMNS[name] for name in names)]
    console.table(columns, rows, title=f"{len(result['folds'])} folds, held-out images", numbers=columns[1:])
    console.say(f"the interval is {result['interval']}")
