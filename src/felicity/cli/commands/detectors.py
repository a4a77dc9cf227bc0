"""``felicity detectors``: list the face detectors, and download the file that one needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

if TYPE_CHECKING:
    from felicity.faces.weights import WeightsFile

PANEL = Panel.SET_UP


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="List face detectors and install the files they need.", no_args_is_help=True)
    group.command("list")(list_detectors)
    group.command()(install)
    app.add_typer(group, name="detectors")


def list_detectors(json: options.Json = False) -> None:
    """List the face detectors, the best first; auto uses the first available one."""
    from felicity.faces.registry import available

    lines = available()
    if json:
        console.emit("detectors-list", lines)
        return
    console.table(
        ("detector", "available", "what to do"),
        [(line.name, "yes" if line.available else "no", line.reason) for line in lines],
    )


def install(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Detector to install, such as yunet.")],
    file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Take this file instead of downloading it.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Download from here instead.")] = None,
) -> None:
    """Download the file of weights that a detector needs, check it, and put it into your data folder."""
    from felicity.errors import ConfigError
    from felicity.faces.registry import weights_of
    from felicity.notes import Note

    if file and url:
        raise ConfigError("--from and --url exclude each other; give one of them")
    weights = weights_of(name)
    content = _content(file, weights) if file else _downloaded(url, weights)
    target = weights.install(content, str(file or url or weights.url))
    console.out.print(str(target), markup=False, soft_wrap=True)
    if weights.path() != target:
        text = f"{weights.variable} is set: {weights.path()} is used, not the file just installed"
        console.warn(Note("weights-elsewhere", text))


def _content(file: Path, weights: WeightsFile) -> bytes:
    from felicity.errors import DetectorError

    if file.exists() and not file.is_file():  # opening a pipe would wait for its writer
        raise DetectorError(f"{file} is no file; name the file of weights")
    try:
        with file.open("rb") as stream:
            return stream.read(weights.size + 1)
    except OSError as error:
        raise DetectorError(f"{file} cannot be read ({error.strerror}); check the path") from error


def _downloaded(url: str | None, weights: WeightsFile) -> bytes:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=console.err, transient=True) as progress:
        task = progress.add_task(weights.file_name, total=weights.size)
        return weights.download(url, on_progress=lambda done: progress.update(task, completed=done))
