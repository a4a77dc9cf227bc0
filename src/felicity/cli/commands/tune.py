"""``felicity tune``: settings found by trials, chosen on the validation set."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from felicity.cli import console, options, settings
from felicity.cli.panels import Panel
from felicity.style import numbers

MOST = 10
PANEL = Panel.TRAIN


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=settings.with_settings())(tune)


def tune(
    ctx: typer.Context,
    trials: Annotated[
        int, typer.Option("--trials", "-n", help="Number of trials, of all processes that share the study.")
    ] = 20,
    space: Annotated[
        str,
        typer.Option(
            "--space", metavar="NAME|FILE.toml", help="Settings to tune: default, study, optimiser or a file."
        ),
    ] = "default",
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write.")] = Path("tuning"),
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage", metavar="URL", help="Database of the trials: FOLDER/study.db, or a postgresql:// URL."
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", metavar="NAME", help="Name in the storage (that of FOLDER).")
    ] = None,
    config: settings.Config = None,
    cluster: options.Cluster = None,
    json: options.Json = False,
) -> None:
    """Search for settings by trials and write the best as a configuration for train.

    A setting given as an option is fixed and is not searched. The same command again resumes the search.
    """
    from felicity.api import training
    from felicity.cli.training_display import Shown

    def line(trial: dict[str, Any], number: int) -> str:
        if trial["state"] == "impossible":
            return f"trial {trial['number']} skipped: {trial['sentence']}"
        about = trial["sentence"] or f"validation loss {trial['val_loss']:.4f} in {trial['epochs']} epochs"
        return f"trial {trial['number']} {trial['state']}: {about}"

    with console.told_how_to_go_on("the same command"), Shown(line) as shown:
        made = training.tune(
            None, folder, trials=trials, space=space, storage=storage, study=study,
            settings=settings.given(ctx), config=config, told=shown, cluster=cluster,
        )  # fmt: skip
    if json:
        console.emit("tune", {"folder": str(folder)} | made.figures, made.notes)
        return
    print_table(made.figures)
    console.say(f"written: {folder}; train with: felicity train --config {quote(str(folder / 'best.toml'))}")


def print_table(result: dict[str, Any]) -> None:
    """Print the best trials, and the outcome of all."""
    rows = [trial for trial in result["trials"] if trial["state"] == "done"]
    rows = sorted(rows, key=lambda trial: float(trial["val_loss"]))[:MOST]
    names = list(result["space"])
    columns = ["trial", "loss", "accuracy", "epoch", *(name.split(".")[-1].replace("_", " ") for name in names)]
    console.table(
        columns,
        [
            [
                trial["number"], f"{trial['val_loss']:.4f}", numbers.share(trial["val_accuracy"], 2),
                trial["best_epoch"],
                *(_short(trial["settings"].get(name)) for name in names),
            ]
            for trial in rows
        ],
        title="best trials, by validation loss",
        numbers=columns,
    )  # fmt: skip
    states = [trial["state"] for trial in result["trials"]]
    became = [f"{states.count(state)} {state}" for state in ("done", "pruned", "failed")]
    if over := len(result["impossible"]):
        became.append(f"{over} skipped, because their networks cannot be built")
    console.say(", ".join(became))
    for trial in result["trials"]:
        if trial["sentence"]:
            console.warn(f"trial {trial['number']} failed: {trial['sentence']}")


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
