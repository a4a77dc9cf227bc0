"""``felicity reproduce``: the study's tables and figures, run again."""

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
    app.command(cls=settings.with_settings(only={"data", "epochs", "images", "seed", "device"}))(reproduce)


def reproduce(
    ctx: typer.Context,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for page, pictures and runs.")
    ] = Path("reproduction"),
    resume: Annotated[bool, typer.Option("--resume", help="Keep the trainings that FOLDER has already.")] = False,
    cluster: options.Cluster = None,
    json: options.Json = False,
) -> None:
    """Run the study again, two and seven classes, TensorFlow and PyTorch, and print published beside new figures."""
    from felicity.models.backend import check_backend, use_backend

    for name in ("tensorflow", "torch"):
        check_backend(name)
    options.check_resumable(output, resume=resume)

    from felicity.evaluation.study.experiments import run_all
    from felicity.evaluation.study.page import results, write_study_page
    from felicity.models.describe import describe
    from felicity.models.registry import build
    from felicity.training.config import make_config
    from felicity.work import Here
    from felicity.work.opening import open_work

    def told(name: str, line: str) -> None:
        epoch, accuracy, seconds = line.split()
        console.say(f"{name}, epoch {epoch}: validation {numbers.share(float(accuracy), 2)}, {seconds} s")

    asked = make_config(settings.given(ctx))
    data, epochs, images, seed = asked.data.path, asked.epochs, asked.data.images, asked.seed
    with console.told_how_to_go_on("the same command with --resume"), open_work(cluster, otherwise=Here()) as work:
        outcomes = run_all(
            data, output, epochs=epochs, images=images, seed=seed, device=asked.device, told=told, work=work
        )
    words = ["felicity reproduce", Path(data).name, f"--epochs {epochs}", f"--seed {seed}"]
    if images:
        words.append(f"--images {images}")
    use_backend("tensorflow")
    found = write_study_page(outcomes, describe(build("paper-cnn")), output, " ".join(words))
    if json:
        console.emit("reproduce", {"page": str(output / "reproduction.md"), "findings": found})
        return
    columns, rows = results(outcomes)
    console.table(columns, rows, title="trainings", numbers=columns[1:])
    console.table(
        ("", "the study", "here", "agrees", "by"),
        [(f.what, f.study, f.ours, f.answer, f.why) for f in found],
        title="beside the study",
    )
    console.say(f"written: {output / 'reproduction.md'}")
