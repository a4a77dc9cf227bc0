"""Options that several commands share, and numbers as people and programs want them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs; its shape: felicity schema.")]
Detector = Annotated[
    str, typer.Option("--detector", "-d", metavar="NAME", help="Face detector; see: felicity detectors list.")
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


def _file(what: str, *endings: str) -> Callable[[Path | None], Path | None]:
    """Callback of options that name ``what`` to write: refused early if it could not be, or ends otherwise."""

    def check(path: Path | None) -> Path | None:
        from felicity.files import check_place

        if path is not None:
            check_place(path, what, endings)
        return path

    return check


page_file = _file("a page", ".html", ".htm")
png_file = _file("a picture", ".png")
map_file = _file("a map", ".geojson", ".json")


def chart_file(path: Path | None) -> Path | None:
    """Callback of options that name a chart: refused before the work where it could not be drawn."""
    from felicity.style.figures import check_chart

    if path is not None:
        check_chart(path)
    return path


def output_folder(path: Path | None) -> Path | None:
    """Callback of options that name a folder to fill: refused before the work where it could not be."""
    from felicity.files import check_folder

    if path is not None:
        check_folder(path)
    return path
