"""``felicity crossval``: how well a training does, fold by fold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from felicity.cli import console, options, settings
from felicity.cli.training_display import Display, prepared, remark_on_votes
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.training.config import TrainConfig
    from felicity.training.folds import Pool

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
    from felicity.models.backend import check_backend
    from felicity.models.registry import check_network
    from felicity.training.config import make_config
    from felicity.training.crossval import read
    from felicity.training.data import check_asked
    from felicity.training.folds import number_of_folds, open_pool

    stored = (read(folder) if resume and config is None else None) or {}
    given = settings.given(ctx)
    chosen = make_config(stored.get("config") or settings.from_file(config), given)
    check_network(chosen.model.name)
    check_backend(chosen.backend)
    if not (resume and read(folder)):
        check_asked(chosen.data, given=given.get("data", {}), unless={"validation_share"})
    pool = prepared(open_pool, chosen)
    k = number_of_folds(pool, folds if folds is not None else stored.get("number_of_folds"))
    remark_on_votes(chosen, pool)
    with console.told_how_to_go_on("the same command with --resume"):
        result = run_folds(chosen, pool, k, folder, resume=resume)
    if json:
        console.emit_json({"folder": str(folder)} | result)
        return
    print_table(result)
    console.say(f"written: {folder}")


def run_folds(chosen: TrainConfig, pool: Pool, k: int, folder: Path, *, resume: bool) -> dict[str, Any]:
    """Cross-validate with a display per fold."""
    from contextlib import ExitStack

    from felicity.training.crossval import cross_validate
    from felicity.training.folds import Fold

    with ExitStack() as shown:

        def watch(fold: Fold) -> Display:
            return shown.enter_context(Display(chosen.epochs, f"fold {fold.number}/{k} "))

        def scored(fold: dict[str, Any]) -> None:
            shown.close()
            console.say(
                f"fold {fold['fold']}/{k}: held out {fold['images']['held_out']} images, accuracy "
                f"{numbers.share(fold['accuracy'], 2)}, loss {fold['loss']:.4f} (epoch {fold['best_epoch']})"
            )

        return cross_validate(chosen, pool, k, folder, resume=resume, watch=watch, scored=scored)


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
