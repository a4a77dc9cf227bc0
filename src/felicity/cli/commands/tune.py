"""``felicity tune``: settings found by trials, chosen on the validation part."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from felicity.cli import console, options, settings
from felicity.cli.training_display import Display, prepared, remark_on_votes
from felicity.style import numbers

if TYPE_CHECKING:
    import sqlalchemy as sa

    from felicity.training.config import TrainConfig
    from felicity.training.tuning.space import Space

MOST = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=settings.with_settings())(tune)


def tune(
    ctx: typer.Context,
    trials: Annotated[int, typer.Option("--trials", "-n", help="How many, of all who share the study.")] = 20,
    space: Annotated[
        str,
        typer.Option("--space", metavar="NAME|FILE.toml", help="What is tuned: default, study, optimiser or a file."),
    ] = "default",
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write.")] = Path("tuning"),
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage", metavar="URL", help="Where trials are kept: FOLDER/study.db, or a postgresql:// URL."
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", metavar="NAME", help="Name in the storage (that of FOLDER).")
    ] = None,
    config: settings.Config = None,
    json: options.Json = False,
) -> None:
    """Search for settings by trials and write the best as a configuration for train.

    A setting given as an option is fixed and leaves the space. The same command again goes on.
    """
    from felicity.errors import require
    from felicity.models.backend import check_backend
    from felicity.models.registry import check_network
    from felicity.store.engine import parse_url
    from felicity.training.config import make_config
    from felicity.training.data import check_asked
    from felicity.training.same import flat
    from felicity.training.tuning.space import check_space, read_space

    require("optuna", "tune")
    given = settings.given(ctx)
    chosen = make_config(settings.from_file(config), given)
    check_network(chosen.model.name)
    check_backend(chosen.backend)
    tuned = read_space(space).without(flat(given), where=space)
    check_space(tuned, chosen, where=space)
    check_asked(chosen.data, given=given.get("data", {}))
    result = run_tuning(chosen, tuned, folder, trials, space, parse_url(storage) if storage else None, study)
    if json:
        console.emit_json({"folder": str(folder)} | result)
        return
    print_table(result)
    console.say(f"written: {folder}; train with: felicity train --config {quote(str(folder / 'best.toml'))}")


def run_tuning(
    chosen: TrainConfig, space: Space, folder: Path, trials: int, where: str, url: sa.URL | None, study: str | None
) -> dict[str, Any]:
    """Tune with a display per trial."""
    from contextlib import ExitStack

    from felicity.training.data import load_training_set
    from felicity.training.tuning.tune import tune

    data = prepared(load_training_set, chosen)
    remark_on_votes(chosen, data.train)
    with console.told_how_to_go_on("the same command"), ExitStack() as shown:

        def watch(number: int, config: TrainConfig) -> Display:
            return shown.enter_context(Display(config.epochs, f"trial {number} "))

        def ended(trial: dict[str, Any]) -> None:
            shown.close()
            about = trial["sentence"] or f"validation loss {trial['val_loss']:.4f} in {trial['epochs']} epochs"
            console.say(f"trial {trial['number']} {trial['state']}: {about}")

        def waiting(others: int) -> None:
            console.say(f"{others} of the {trials} trials run elsewhere; waiting for them")

        return tune(
            chosen, space, data, folder, trials, where=where, url=url, name=study,
            watch=watch, ended=ended, waiting=waiting,
        )  # fmt: skip


def print_table(result: dict[str, Any]) -> None:
    """The best trials, and what became of all."""
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
    console.say(", ".join(f"{states.count(state)} {state}" for state in ("done", "pruned", "failed")))
    for trial in result["trials"]:
        if trial["sentence"]:
            console.warn(f"trial {trial['number']} failed: {trial['sentence']}")


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
