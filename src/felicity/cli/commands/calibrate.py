"""``felicity calibrate``: a location's own soft matrix, from faces of its own camera."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from felicity.cli import console, options
from felicity.style import numbers


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(calibrate)


def calibrate(
    location: Annotated[str, typer.Argument(metavar="LOCATION", help="A location of the store.")],
    labelled: Annotated[
        Path,
        typer.Option(metavar="FOLDER|CSV", help="Its labelled faces: a folder per expression, or a csv of path,label."),
    ],
    crop: Annotated[bool, typer.Option("--crop", help="The pictures are faces already: detect nothing.")] = False,
    store: options.Store = None,
    detector: options.Detector = "auto",
    bundle: options.Bundle = None,
    json: options.Json = False,
) -> None:
    """Measure how the bundle reads the faces of one location; its index is adjusted by that from then on.

    A camera is not a data set: light, height and distance change what a network answers. Take faces of this
    very camera, at least 30 happy and 30 others, labelled by people. Of the pictures nothing is kept.
    """
    import felicity

    with console.progress() as progress:
        task = progress.add_task("reading faces", total=None)
        made = felicity.calibrate(
            location,
            labelled,
            store=store,
            crop=crop,
            detector=detector,
            bundle=bundle,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    console.notes(made.notes)
    found = made.calibration
    if json:
        console.emit("calibrate", made, made.notes)
        return
    console.table(
        ("answers 'happy' to", f"at {location}", "as the bundle has it"),
        [
            ("happy faces (recall)", numbers.share(found.local.recall, 1), numbers.share(found.bundle.recall)),
            (
                "others (false alarms)",
                numbers.share(found.local.false_alarms, 1),
                numbers.share(found.bundle.false_alarms),
            ),
            ("faces", f"{found.local.happy} + {found.local.others}", f"{found.bundle.happy} + {found.bundle.others}"),
        ],
        title=f"{location}: calibrated for {made.model}",
        numbers=(f"at {location}", "as the bundle has it"),
    )
    if found.borrowed:
        console.say(f"few or no local faces: {', '.join(found.borrowed)}; there the bundle's faces count as well")
