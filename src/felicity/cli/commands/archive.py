"""``felicity archive``: recordings of many places and days into a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

if TYPE_CHECKING:
    from felicity.watching.archive import ArchivedFile

PANEL = Panel.COUNT


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(archive)


def archive(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Video files, folders of them, or patterns with * and **; also at s3:// and the like.",
        ),
    ],
    locations: Annotated[
        Path | None,
        typer.Option(
            "--locations",
            metavar="TABLE.csv",
            help="Columns file, location and, if known, camera and start (ISO 8601).",
        ),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX", help="Finds (?P<location>…), (?P<camera>…) and (?P<start>…) in the path of a file."
        ),
    ] = None,
    location: Annotated[
        str | None,
        typer.Option("--location", "-l", metavar="NAME", help="Location of files for which nothing else names one."),
    ] = None,
    store: options.Store = None,
    window: Annotated[int, typer.Option(metavar="SECONDS", help="Length of a window.")] = 60,
    fps: Annotated[
        float | None, typer.Option(metavar="N", help="Look at no more than N frames per second of a recording.")
    ] = None,
    piece: Annotated[
        int, typer.Option(metavar="SECONDS", help="Cut long recordings into pieces of about that length.")
    ] = 600,
    detector: options.Detector = "auto",
    smallest_face: options.SmallestFace = None,
    every_frame: options.EveryFrame = False,
    bundle: options.Bundle = None,
    cluster: options.Cluster = None,
    workers: options.Workers = None,
    json: options.Json = False,
) -> None:
    """Watch an archive of recordings on all cores, or on a cluster, and write their windows into a store.

    The same command again resumes: it skips recordings that the store has. Felicity names a file that it cannot read,
    sets it aside, goes on, and ends with exit code 1.
    """
    from felicity.api import archive as run

    with console.told_how_to_go_on("the same command"), console.progress() as progress:
        task = progress.add_task("reading what there is", total=None)

        def show(done: int, under_way: int) -> None:
            progress.update(task, description=f"{done} pieces seen, {under_way} on their way")

        found = run(
            sources, locations=locations, pattern=pattern, location=location, store=store, window=window, fps=fps,
            detector=detector, smallest_face=smallest_face, every_frame=every_frame, bundle=bundle, cluster=cluster,
            workers=workers, piece=piece, on_file=_tell, on_piece=show, on_note=console.warn,
        )  # fmt: skip
    if json:
        console.emit("archive", found, found.notes)
    else:
        show_files(found.files)
    if found.of("failed"):
        raise typer.Exit(1)


def _tell(file: ArchivedFile) -> None:
    if file.state == "failed":
        console.fail(file.error or "")
    elif file.state == "stored":
        console.say(f"{file.path}: {file.windows} windows, {file.people_seen} people")


def show_files(files: tuple[ArchivedFile, ...]) -> None:
    """Print a row for each location."""
    places = sorted({file.location for file in files})
    rows = []
    for place in places:
        here = [file for file in files if file.location == place]
        states = [file.state for file in here]
        rows.append(
            (
                place or "not known", states.count("stored"), states.count("there"), states.count("failed"),
                f"{sum(file.windows for file in here):,}", f"{sum(file.people_seen for file in here):,}",
                f"{sum(file.people for file in here):,}",
            )
        )  # fmt: skip
    columns = ("location", "stored", "there before", "set aside", "windows", "people", "judged")
    console.table(columns, rows, title=f"{len(files):,} recording{'s' * (len(files) != 1)}", numbers=columns[1:])
