"""``felicity report``: one HTML file with a city's figures, maps and charts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.cli.times import parse_day

if TYPE_CHECKING:
    from felicity.api import WrittenReport
    from felicity.reports.place import CityReport

Figures = Annotated[
    Path | None,
    typer.Option(
        "--figures",
        metavar="DIR",
        help="Write each figure as PNG and SVG, and the tables as CSV and Parquet, too.",
        callback=options.output_folder,
    ),
]
PANEL = Panel.READ


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="The page to write.", callback=options.page_file)
    ] = Path("report.html"),
    store: options.Store = None,
    begin: options.Begin = None,
    end: options.End = None,
    location: options.Locations = None,
    k: options.K = 10,
    model: options.Model = None,
    at: Annotated[
        date | None,
        typer.Option(
            metavar="DATE", parser=parse_day, help="Compare the time before this day with the time from then on."
        ),
    ] = None,
    touched: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B", help="Locations that a measure at --at touched (default: all but those of --comparison)."
        ),
    ] = None,
    comparison: options.Comparison = None,
    weight: options.Weight = None,
    footfall: options.Footfall = None,
    figures: Figures = None,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Happiness index",
    json: options.Json = False,
) -> None:
    """Write a report: map, index per location, patterns, trends, coverage, method and model.

    One HTML file that needs no network and prints on A4.
    """
    import felicity
    from felicity.api import opened, split_names

    with console.progress() as progress:
        adding = progress.add_task("adding up", total=None)
        with opened(store) as open_store:
            made = felicity.report(
                store=open_store,
                begin=begin,
                end=end,
                locations=location,
                k=k,
                model=model,
                at=at,
                touched=split_names(touched or (), open_store),
                comparison=split_names(comparison or (), open_store),
                weight=weight,
                footfall=footfall,
                title=title,
                on_progress=lambda done, total: progress.update(adding, completed=done, total=total),
            )
        progress.add_task("drawing", total=None)
        written = felicity.write_report(made, output, figures=figures)
    show(made, written, json=json)


def show(made: CityReport, written: WrittenReport, *, json: bool) -> None:
    """Print notes and the written files."""
    console.notes(made.all_notes)
    if json:
        data = {
            "report": str(written.page),
            "bytes": written.bytes,
            "places": {place.name: place.state for place in made.places},
            "files": [str(path) for path in written.files],
        }
        console.emit("report", data, made.all_notes)
        return
    shown = f"{written.page}: {len(made.shown)} of {len(made.places)} locations shown"
    console.out.print(shown, markup=False, soft_wrap=True)
    if written.files:
        folder = written.files[0].parent
        console.out.print(f"{folder}: {len(written.files)} files", markup=False, soft_wrap=True)
