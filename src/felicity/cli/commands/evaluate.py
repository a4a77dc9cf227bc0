"""``felicity evaluate``: how well a run or a bundle does on faces it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options

if TYPE_CHECKING:
    from felicity.evaluation.evaluate import Evaluation


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="RUN|BUNDLE", help="A folder made by felicity train, a bundle, or a shipped one.")
    ],
    data: Annotated[
        str | None, typer.Option("--data", metavar="PATH", help="Data set (default: the one the run was trained on).")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="NAME",
            help="test, validation, train, all, or a fold such as PublicTest (default: test of the data that the model "
            "was trained on, all of other data).",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE.html",
            help="Write a report; shows images of the data set.",
            callback=options.page_file,
        ),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            "--pictures",
            metavar="FOLDER",
            help="Write the pictures there; one shows images of the data set.",
            callback=options.output_folder,
        ),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", "-f", metavar="NAME", help="Of the data, if it is not recognised.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option("--classes", metavar="LIST", help="Evaluate on these only: as for: data prepare.")
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=100, help="Resamples that the intervals rest on.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the resamples.")] = 1,
    json: options.Json = False,
) -> None:
    """Measure a model on a split of a data set: figures with intervals, by class, calibration, quality of the fit."""
    import felicity
    from felicity.evaluation.report import write_evaluation, write_pictures

    with console.progress() as bar:
        task = bar.add_task("starting", total=None)
        found = felicity.evaluate(
            model,
            data,
            split=split,
            format=format,
            classes=classes,
            draws=draws,
            seed=seed,
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
            on_step=lambda what: bar.update(task, description=what, total=None),
        )
        bar.update(task, description="drawing", total=None)
        if report:
            write_evaluation(found, report)
        written = write_pictures(found, pictures) if pictures else []
    if json:
        console.emit("evaluate", found.plain(), found.notes)
    else:
        _print(found)
    for place in ([report] if report else []) + written:
        console.say(f"written: {place}")


def _print(found: Evaluation) -> None:
    from felicity.evaluation import tables

    console.out.print(f"{found.model} on {found.split} of {found.data}, with 95 % intervals", markup=False)
    for result in found.results:
        for columns, rows in (tables.overview(result), tables.classes(result.all)):
            console.table(columns, rows, numbers=columns[1:])
    first = found.results[0].all
    console.table(
        ("label, by answer", *first.classes),
        [
            (name, *(f"{n:,}" for n in row))
            for name, row in zip(first.classes, first.scores.confusion.tolist(), strict=True)
        ],
        title=f"{found.results[0].title}: images",
        numbers=first.classes,
    )
    if found.fit:
        console.out.print(found.fit.text, markup=False, soft_wrap=True)
    for result in found.results:
        for note in (tables.about_duplicates(result), *result.chosen.notes):
            console.warn(f"{result.title}: {note}")
    for note in found.notes:
        console.warn(note)
