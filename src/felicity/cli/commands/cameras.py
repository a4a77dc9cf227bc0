"""``felicity cameras``: many cameras watched by one group of processes."""

from __future__ import annotations

import json as jsons
import signal
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.notes import Note
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.schemas.cameras import CamerasStatusShape

File = Annotated[Path, typer.Argument(metavar="FILE.toml", help="File of cameras; its keys: felicity cameras schema.")]
PANEL = Panel.COUNT


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Watch many cameras at once, and show their state.", no_args_is_help=True)
    group.command("run")(run)
    group.command("check")(check)
    group.command("list")(list_cameras)
    group.command("status")(status)
    group.command("schema")(schema)
    group.command("service")(service)
    app.add_typer(group, name="cameras")


def run(
    file: File,
    store: options.Store = None,
    log: Annotated[
        Literal["text", "json"], typer.Option("--log", help="Events on stderr: lines for people, or JSON.")
    ] = "text",
) -> None:
    """Watch all cameras of a file until stopped.

    Felicity reads the file again when it changes, and on SIGHUP; cameras whose settings stay the same go on
    undisturbed. Ctrl-C and SIGTERM write the open windows and end. Felicity reconnects to a camera that fails; the
    others go on.
    """
    from felicity.api import run_cameras

    def on_signals(group: Any) -> None:
        def stop(*_: object) -> None:
            group.stop()
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C ends at once

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: group.reload())

    run_cameras(file, store=store, log=log, on_open=on_signals)


def check(
    file: File,
    camera: Annotated[
        list[str] | None, typer.Option("--camera", metavar="NAME", help="Only this camera; may be repeated.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.5, max=600, help="Seconds to look at each camera.")] = 5.0,
    json: options.Json = False,
) -> None:
    """Open each camera and show its size, frame rate and faces. Exit code 1 if a camera does not open."""
    from felicity.api import check_cameras

    checked = check_cameras(file, cameras=camera, seconds=seconds)
    if json:
        console.emit("cameras-check", checked)
    else:
        rows = [
            (
                each.name,
                each.location,
                "opens" if each.opens else each.error,
                f"{each.width}x{each.height}" if each.width else "-",
                "-" if each.fps is None else f"{each.fps:.1f}",
                f"{each.faces:,}",
                numbers.share(each.large_enough, 0),
            )
            for each in checked
        ]
        columns = ("camera", "location", "connection", "size", "frames/s", "faces", "large enough")
        console.table(columns, rows, numbers=("frames/s", "faces", "large enough"))
    if not all(each.opens for each in checked):
        raise typer.Exit(1)


def list_cameras(file: File, json: options.Json = False) -> None:
    """List the cameras of a file."""
    from felicity.api import list_cameras as read

    listed = read(file)
    if json:
        console.emit("cameras-list", listed)
        return
    rows = [
        (
            each.name,
            each.location,
            each.source,
            "yes" if each.enabled else "no",
            f"{each.fps:g}",
            ", ".join(each.expected_offline) or "-",
            str(each.private),
            str(each.counted) if each.counted else "everywhere",
        )
        for each in listed
    ]
    columns = ("camera", "location", "source", "enabled", "frames/s", "not expected", "private areas", "counted areas")
    console.table(columns, rows, numbers=("frames/s", "private areas"))


def status(file: File, json: options.Json = False) -> None:
    """Show the state of the cameras of a file."""
    from felicity.api import cameras_status

    found = cameras_status(file)
    notes = []
    if not found.running:
        text = f"{file}: its cameras are not watched since {_ago(found.updated)}; start them with: felicity cameras run"
        notes.append(Note("cameras-not-running", text))
    if found.store_trouble:
        lost = f", {found.windows_lost:,} older ones are lost" if found.windows_lost else ""
        text = f"{found.store_trouble}; {found.windows_waiting:,} windows wait in memory{lost}"
        notes.append(Note("windows-waiting", text))
    if json:
        console.emit("cameras-status", found, notes)
        return
    show_status(found)
    console.notes(notes)


_COLOURS = {"watching": "green", "starting": "cyan", "stalled": "yellow", "offline": "red", "disabled": "dim"}


def show_status(found: CamerasStatusShape) -> None:
    """Print the state of each camera as a table."""
    from rich.text import Text

    rows = [
        (
            each.name,
            each.location,
            Text(each.state, style=_COLOURS[each.state]),
            _ago(each.last_frame),
            _ago(each.last_window),
            f"{each.fps:.1f}",
            f"{each.dropped:,}",
            f"{each.reconnects:,}",
            f"{each.width}x{each.height}" if each.width else "-",
            each.why,
        )
        for each in found.cameras
    ]
    numeric = ("frames/s", "dropped", "reconnects/h")
    columns = ("camera", "location", "state", "last frame", "last window", *numeric, "size", "why")
    console.table(columns, rows, numbers=numeric)


def _ago(time: datetime | None) -> str:
    if time is None:
        return "-"
    seconds = max(0, (datetime.now(time.tzinfo) - time).total_seconds())
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def schema() -> None:
    """Print the JSON Schema of the TOML file."""
    from felicity.api import cameras_schema

    print(jsons.dumps(cameras_schema(), ensure_ascii=False, indent=2))


def service(
    file: File,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="User that watches (default: who calls this).")
    ] = None,
    environment: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of variables, such as passwords (default: FILE.env).")
    ] = None,
) -> None:
    """Print a systemd unit that watches the cameras from boot on."""
    from felicity.api import cameras_service

    print(cameras_service(file, user=user, environment=environment), end="")
