"""``felicity evaluate``: the accuracy of a run or a bundle on faces that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

if TYPE_CHECKING:
    from felicity.evaluation.evaluate import Evaluation


TABLE = ".csv, .parquet, .xlsx or .tex (LaTeX)"
PANEL = Panel.TRAIN


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
            help="Write the charts there (PNG, SVG, PDF), and a sheet of mistakes, which shows images of the data set.",
            callback=options.output_folder,
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--table", metavar="FILE", help=f"Write all figures: {TABLE}.", callback=options.any_table),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            "--predictions",
            metavar="FILE",
            help=f"Write label, answer and probabilities image by image: {TABLE}.",
            callback=options.any_table,
        ),
    ] = None,
    confusion: Annotated[
        Path | None,
        typer.Option(
            "--confusion", metavar="FILE", help=f"Write the confusion matrix: {TABLE}.", callback=options.any_table
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option("--format", "-f", metavar="NAME", help="Format of the data, if Felicity does not recognise it."),
    ] = None,
    classes: Annotated[
        str | None, typer.Option("--classes", metavar="LIST", help="Evaluate on these only: as for: data prepare.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="COLUMN",
            help="Print the rates of a bundle by groups of people instead, by a column of the table, such as "
            "gender; may be repeated.",
        ),
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option("--people", metavar="FILE.csv", help="--by: the table (default: one in the data set's folder)."),
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(
            "--detector", "-d", metavar="NAME", help="--by: find the faces (default: the pictures are faces)."
        ),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=100, help="Resamples that the intervals rest on.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the resamples.")] = 1,
    device: Annotated[
        str,
        typer.Option("--device", metavar="auto|cpu|cuda|mps", help="Device for a run; auto: a GPU if there is one."),
    ] = "auto",
    shares: options.ForShares = None,
    json: options.Json = False,
) -> None:
    """Measure a model on a split of a data set: figures with intervals, also by class, calibration, quality of fit."""
    import felicity
    from felicity.cli.people import people_by_group
    from felicity.errors import ConfigError
    from felicity.evaluation.report import write_evaluation, write_pictures
    from felicity.models.devices import check_device
    from felicity.recognition.classifier import checked_shares

    if by:
        others = {"--report": report, "--pictures": pictures, "--predictions": predictions, "--confusion": confusion}
        people_by_group(
            model, data, by, others | {"--classes": classes, "--shares": shares}, table=table, json=json,
            people=people, detector=detector, split=split, format=format, draws=draws, seed=seed,
        )  # fmt: skip
        return
    if people or detector:
        raise ConfigError("--people and --detector belong to --by; name a column with --by, or leave them out")
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
            device=check_device(device),
            shares=None if shares is None else checked_shares(shares),
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
            on_step=lambda what: bar.update(task, description=what, total=None),
        )
        bar.update(task, description="drawing", total=None)
        if report:
            write_evaluation(found, report)
        written = write_pictures(found, pictures) if pictures else []
        _write_tables(found, table, predictions, confusion)
    if json:
        console.emit("evaluate", found.plain(), found.notes)
    else:
        _print(found)
    for place in [*filter(None, (report, table, predictions, confusion)), *written]:
        console.say(f"written: {place}")


def _write_tables(found: Evaluation, table: Path | None, predictions: Path | None, confusion: Path | None) -> None:
    from felicity.evaluation import rows
    from felicity.style.tables import write_table

    if table:
        write_table(table, rows.figure_rows(found), title="Figures", printed=rows.printed(found))
    if predictions:
        write_table(predictions, rows.prediction_rows(found), title="Answers")
    if confusion:
        write_table(confusion, rows.confusion_rows(found), title="Confusion matrix")


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
