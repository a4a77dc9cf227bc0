"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from felicity.cli.times import time_parser

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs; its shape: felicity schema.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before deleting.")]
Detector = Annotated[
    str, typer.Option("--detector", "-d", metavar="NAME", help="Face detector; see: felicity detectors list.")
]
SmallestFace = Annotated[
    float | None,
    typer.Option(
        "--smallest-face",
        metavar="PIXELS",
        help="Smallest face to look for; a larger value is faster (default: as small as the detector "
        "finds them in pictures of 1280 pixels).",
    ),
]
EveryFrame = Annotated[
    bool,
    typer.Option("--every-frame", help="Search every frame whole, not only around people and moving things."),
]
Bundle = Annotated[
    str | None,
    typer.Option("--bundle", "-b", metavar="NAME|FOLDER", help="Bundle to classify with (default: the shipped one)."),
]
ForShares = Annotated[
    str | None,
    typer.Option(
        "--shares",
        metavar="natural|in-use|equal",
        help="Answer for these shares of the expressions: natural, those of the faces that calibrated the bundle; "
        "in-use, half-way to equal ones; equal, by the mean of both heads.",
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        "-s",
        metavar="URL",
        envvar="FELICITY_STORE",
        help="Store of the windows: a SQLite file, or a sqlite:/// or postgresql:// URL (default: your own file).",
    ),
]

Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Share the work out over a Ray cluster: auto, HOST:PORT or ray://HOST:PORT (default: this machine).",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", "-j", min=1, help="Processes on this machine (default: one per core)."),
]
Begin = Annotated[
    datetime | None,
    typer.Option(
        "--from",
        metavar="TIME",
        parser=time_parser("--from"),
        help="From then on, ISO 8601; without an offset in each location's time zone.",
    ),
]
End = Annotated[
    datetime | None, typer.Option("--to", metavar="TIME", parser=time_parser("--to"), help="Until then, not included.")
]
Locations = Annotated[
    list[str] | None, typer.Option("--location", "-l", metavar="NAME", help="Only this location; may be repeated.")
]
K = Annotated[int, typer.Option("--k", min=1, help="Show no figure of fewer people.")]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="ID", help="Windows of this bundle, or BUNDLE/DETECTOR (default: the latest)."),
]
Step = Annotated[
    Literal["hour", "day", "week"],
    typer.Option("--by", help="Periods of the series; hours lose their weekly rhythm and are averaged to days."),
]
Weight = Annotated[
    Literal["population", "visits", "people"] | None,
    typer.Option(
        "--weight",
        help="Weight of a location in the city's index: people who live there, visit it, or were counted "
        "(default: visits with --footfall, else population).",
    ),
]
Footfall = Annotated[
    Path | None,
    typer.Option(
        "--footfall",
        metavar="FILE",
        help="CSV of visits (location,hour,visits) or of flows (origin,destination,flow).",
    ),
]
Comparison = Annotated[
    list[str] | None,
    typer.Option("--comparison", metavar="C,D", help="Locations that the measure did not touch; may be repeated."),
]


def is_given(ctx: typer.Context, name: str) -> bool:
    """Return whether the command line holds the option of the parameter ``name``."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def check_resumable(folder: Path, *, resume: bool) -> None:
    """Raise ConfigError if ``folder`` is not a folder, or is not empty and ``--resume`` was not given."""
    from felicity.errors import ConfigError

    try:
        taken = any(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be used ({error.strerror}); choose another folder with --output"
        ) from error
    if taken and not resume:
        raise ConfigError(f"{folder}: is not empty; go on with --resume, or choose another folder with --output")


OUTPUTS = "felicity.outputs"
"""The key under which a command's context lists its output files."""


def to_write(ctx: typer.Context, path: Path | None) -> Path | None:
    """Register an option's path as an output file, which must not be an input file of the command; a callback."""
    if path is not None:
        ctx.meta.setdefault(OUTPUTS, []).append(path)
    return path


def _file(what: str, *endings: str) -> Callable[[typer.Context, Path | None], Path | None]:
    """Return a callback for options that name an output file: it refuses early an unwritable path or a wrong ending."""

    def check(ctx: typer.Context, path: Path | None) -> Path | None:
        from felicity.files import check_place

        if path is not None:
            check_place(path, what, endings)
        return to_write(ctx, path)

    return check


page_file = _file("a page", ".html", ".htm")
table_file = _file("a table", ".csv")
map_file = _file("a map", ".geojson", ".json")


def chart_file(ctx: typer.Context, path: Path | None) -> Path | None:
    """Refuse an unwritable path of a chart before the work begins; a callback of options."""
    from felicity.style.charts import check_chart

    if path is not None:
        check_chart(path)
    return to_write(ctx, path)


Chart = Annotated[
    Path | None, typer.Option("--chart", metavar="FILE", help="Draw a chart (PNG, SVG, PDF).", callback=chart_file)
]


def any_table(ctx: typer.Context, path: Path | None) -> Path | None:
    """Refuse an unwritable path of a table, of any format, before the work begins; a callback of options."""
    from felicity.style.tables import check_table

    if path is not None:
        check_table(path)
    return to_write(ctx, path)


TableFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write the table, too: .csv, .parquet, .xlsx (Excel) or .tex (LaTeX).",
        callback=any_table,
    ),
]


def output_folder(path: Path | None) -> Path | None:
    """Refuse an unwritable output folder before the work begins; a callback of options."""
    from felicity.files import check_folder

    if path is not None:
        check_folder(path)
    return path
