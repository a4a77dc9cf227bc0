"""``felicity compare``: what a framework changes when nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from felicity.cli import console, options, settings
from felicity.style import numbers


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=settings.with_settings(without={"backend"}))(compare)


def compare(
    ctx: typer.Context,
    backends: Annotated[
        str | None, typer.Option("--backends", help="With commas between them; default: all that are installed.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="How many; intervals need two.")] = 3,
    config: settings.Config = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where runs, table and picture go.")
    ] = Path("comparison"),
    resume: Annotated[bool, typer.Option("--resume", help="Keep the runs that FOLDER has already.")] = False,
    json: options.Json = False,
) -> None:
    """Train one network on several frameworks with equal weights, order, pixels and constants, and compare them."""
    from felicity.models.backend import check_backend, installed_backends
    from felicity.models.registry import check_network
    from felicity.training.config import make_config

    defaults = {"model": {"name": "paper-cnn"}, "epochs": 10}
    chosen = make_config(defaults, settings.from_file(config), settings.given(ctx))
    check_network(chosen.model.name)
    asked = [name.strip() for name in backends.split(",")] if backends else list(installed_backends())
    if not asked:
        check_backend("tensorflow")
    names = tuple(dict.fromkeys(check_backend(name) for name in asked))
    options.check_resumable(output, resume=resume)

    from felicity.evaluation.frameworks.comparison import compare as run
    from felicity.evaluation.frameworks.report import write_comparison

    def told(contestant: str, seed: int, line: str) -> None:
        epoch, accuracy, seconds = line.split()
        console.say(
            f"{contestant}, seed {seed}, epoch {epoch}: validation {numbers.share(float(accuracy), 2)}, {seconds} s"
        )

    first = chosen.seed
    done = run(chosen, names, tuple(range(first, first + seeds)), output, told)
    report = write_comparison(done, output)
    if json:
        console.emit_json(report.to_json())
        return
    console.table(report.columns, report.rows, title=report.title, numbers=report.columns[1:])
    for line in report.first_steps:
        console.out.print(line)
    console.out.print(report.verdict, soft_wrap=True)
    console.say(f"written: {output}")
