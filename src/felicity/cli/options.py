"""Options that several commands share, and numbers as people and programs want them."""

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
        help="Look for faces from that many pixels on: larger ones are found faster (default: as small as the detector "
        "finds them in pictures of 1280 pixels).",
    ),
]
EveryFrame = Annotated[
    bool,
    typer.Option("--every-frame", help="Search every frame whole, not only where something moves or somebody is."),
]
Bundle = Annotated[
    str | None,
    typer.Option("--bundle", "-b", metavar="NAME|FOLDER", help="Bundle to classify with (default: the shipped one)."),
]
Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        "-s",
        metavar="URL",
        envvar="FELICITY_STORE",
        help="Where windows are kept: a SQLite file, or a sqlite:/// or postgresql:// URL (default: your own file).",
    ),
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
    str | None, typer.Option("--model", metavar="ID", help="Windows of this bundle (default: the latest).")
]
Step = Annotated[
    Literal["hour", "day", "week"],
    typer.Option("--by", help="Periods of the series; hours lose their weekly rhythm and are averaged to days."),
]
Weight = Annotated[
    Literal["population", "visits", "people"] | None,
    typer.Option(
        "--weight",
        help="What a location counts by in the city's index: who lives there, who visits it, or who was counted "
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
    """Whether the option of the parameter ``name`` stands on the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def check_resumable(folder: Path, *, resume: bool) -> None:
    """Raise ConfigError where ``folder`` is none, or holds something that is not gone on with."""
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
"""Where a command's context lists the files that it will write."""


def to_write(ctx: typer.Context, path: Path | None) -> Path | None:
    """Callback of options that name a file to write: it must be none of those that the command reads."""
    if path is not None:
        ctx.meta.setdefault(OUTPUTS, []).append(path)
    return path


def _file(what: str, *endings: str) -> Callable[[typer.Context, Path | None], Path | None]:
    """Callback of options that name ``what`` to write: refused early if it could not be, or ends otherwise."""

    def check(ctx: typer.Context, path: Path | None) -> Path | None:
        from felicity.files import check_place

        if path is not None:
            check_place(path, what, endings)
        return to_write(ctx, path)

    return check


page_file = _file("a page", ".html", ".htm")
png_file = _file("a picture", ".png")
table_file = _file("a table", ".csv")
map_file = _file("a map", ".geojson", ".json")


def chart_file(ctx: typer.Context, path: Path | None) -> Path | None:
    """Callback of options that name a chart: refused before the work where it could not be drawn."""
    from felicity.style.charts import check_chart

    if path is not None:
        check_chart(path)
    return to_write(ctx, path)


Chart = Annotated[
    Path | None, typer.Option("--chart", metavar="FILE", help="Draw a chart (PNG, SVG, PDF).", callback=chart_file)
]


def _table(path: Path | None) -> Path | None:
    from felicity.style.tables import check_table

    if path is not None:
        check_table(path)
    return path


TableFile = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write the table, too: .csv, .parquet or .xlsx (Excel).", callback=_table
    ),
]


def output_folder(path: Path | None) -> Path | None:
    """Callback of options that name a folder to fill: refused before the work where it could not be."""
    from felicity.files import check_folder

    if path is not None:
        check_folder(path)
    return path
