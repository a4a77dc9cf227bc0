"""``felicity train``: a data set in, a run folder out."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from felicity.cli import console, options, settings
from felicity.cli.training_display import Display, prepared, remark_on_votes
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.training.config import TrainConfig

ITS_OWN = ("epochs", "learning_rate", "schedule", "warm_up", "patience", "seed", "start", "teachers", "views")
"""Settings that a training does not take over from where it starts."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=settings.with_settings())(train)


def train(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="Run folder to write.")] = Path("run"),
    config: settings.Config = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of RUN.")] = False,
    json: options.Json = False,
) -> None:
    """Train a network on a data set and leave a run folder: settings, history, curves, checkpoints."""
    from felicity.training.config import make_config

    flags = settings.given(ctx)
    start = flags.get("start")
    stored = settings.from_file(config)
    if config is None and resume and (output / "run.json").is_file():
        stored = _settings_of(str(output))
    elif config is None and start is not None:
        stored = {key: value for key, value in _settings_of(start).items() if key not in ITS_OWN}
        stored["data"] = {key: stored["data"][key] for key in ("size", "colour", "pixels")}
    run_training(make_config(stored, flags), output, given=flags.get("data", {}), resume=resume, json=json)


def _settings_of(where: str) -> dict[str, Any]:
    from felicity.training.start import open_start

    return open_start(where).config.model_dump()


def run_training(chosen: TrainConfig, folder: Path, *, given: Collection[str], resume: bool, json: bool) -> None:
    """Train with a display, and print what came of it. ``given``: settings of the data that flags name."""
    from felicity.models.backend import check_backend
    from felicity.models.registry import check_network
    from felicity.training.data import check_asked, load_training_set

    check_network(chosen.model.name)
    check_backend(chosen.backend)
    if not (resume and (folder / "run.json").is_file()):
        check_asked(chosen.data, given=given)
    data = prepared(load_training_set, chosen)
    from felicity.training.fit import fit

    remark_on_votes(chosen, data.train)
    with console.told_how_to_go_on("the same command with --resume"), Display(chosen.epochs) as display:
        run = fit(chosen, data, folder, resume=resume, watcher=display)
    history = run.history
    if json:
        console.emit_json({"run": str(run.folder), "classes": list(run.classes), "history": history})
        return
    columns = ("epoch", "loss", "accuracy", "validation loss", "validation accuracy", "seconds", "images/s")
    console.table(
        columns,
        [
            (
                row["epoch"], f"{row['loss']:.4f}", numbers.share(row["accuracy"], 2), f"{row['val_loss']:.4f}",
                numbers.share(row["val_accuracy"], 2), f"{row['seconds']:.1f}", f"{row['images_per_second']:.0f}",
            )
            for row in history
        ],
        title=f"{chosen.model.name} on {chosen.backend}",
        numbers=columns,
    )  # fmt: skip
    best = min(history, key=lambda row: float(row["val_loss"]))
    console.say(f"least validation loss: epoch {best['epoch']}; written: {run.folder}")
