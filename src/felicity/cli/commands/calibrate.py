"""``felicity calibrate``: a location's own soft matrix, from faces of its own camera."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.index.bias import Biases
    from felicity.index.calibration import Calibration

PANEL = Panel.COUNT


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(calibrate)


def calibrate(
    location: Annotated[str, typer.Argument(metavar="LOCATION", help="A location of the store.")],
    labelled: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER|CSV",
            help="Labelled faces of the location: a folder per expression, or a csv of path,label.",
        ),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Choose pictures of this folder to label, and write a page for labelling."),
    ] = None,
    number: Annotated[int, typer.Option(metavar="N", help="--pictures: number of pictures to choose.")] = 240,
    seed: Annotated[int, typer.Option(min=0, help="--pictures: the same seed chooses the same.")] = 1,
    crop: Annotated[bool, typer.Option("--crop", help="The pictures are faces already: detect nothing.")] = False,
    store: options.Store = None,
    detector: options.Detector = "auto",
    bundle: options.Bundle = None,
    json: options.Json = False,
) -> None:
    """Measure how a bundle reads the faces of one location, and adjust the location's index by it from then on.

    Light, height and distance of a camera change what a network answers. Take faces with this camera, of people who
    consented: at least 30 happy ones and 30 others, labelled by people. --pictures chooses the pictures to label.
    --labelled then prints the bias before and after, and how many more faces would bring it below one point.
    Felicity keeps none of the pictures.
    """
    import felicity
    from felicity.errors import ConfigError

    if (labelled is None) == (pictures is None):
        raise ConfigError("give either --pictures, to draw pictures to label, or --labelled, what they show")
    if pictures is not None:
        _draw(location, pictures, number, crop, detector, bundle, seed, json)
        return
    assert labelled is not None
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
    _show(location, made.model, found)


def _draw(
    location: str,
    pictures: Path,
    number: int,
    crop: bool,
    detector: str,
    bundle: str | None,
    seed: int,
    json: bool,
) -> None:
    import felicity

    with console.progress() as progress:
        task = progress.add_task("reading faces", total=None)
        made = felicity.calibration_sample(
            pictures,
            number=number,
            crop=crop,
            detector=detector,
            bundle=bundle,
            seed=seed,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if json:
        said = {"table": str(made.table), "page": str(made.page), "drawn": made.drawn}
        console.emit("calibrate-sample", vars(made) | said)
        return
    drawn = ", ".join(f"{count:,} {name}" for name, count in made.strata.items())
    rows = [
        ("pictures", f"{made.pictures:,}, {made.without_face:,} of them without a face, or with a covered one"),
        ("drawn, by the answer", f"{made.drawn:,}: {drawn}"),
        ("to fill in", made.table),
        ("or to label on", made.page),
    ]
    console.table(("what", "value"), rows)
    console.say(f"then: felicity calibrate {location!r} --labelled {made.table}")


def _show_biases(found: Biases) -> None:
    rows = [
        (
            numbers.percent(before.share, 0),
            f"{numbers.points(before.points)} ({numbers.points_span(before.low, before.high)})",
            f"{numbers.points(after.points)} ({numbers.points_span(after.low, after.high)})",
        )
        for before, after in zip(found.before, found.after, strict=True)
    ]
    title = "Points that the adjusted share is too high, with 95 % interval"
    console.table(("true share", "before", "after"), rows, title=title, numbers=("true share", "before", "after"))
    happy, others = found.lacking
    if happy or others:
        console.say(f"for an interval within ± 1 point, label about {happy:,} more happy faces and {others:,} others")
    else:
        console.say("the interval after lies within ± 1 point: enough faces are labelled")


def _show(location: str, model: str, found: Calibration) -> None:
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
        title=f"{location}: calibrated for {model}",
        numbers=(f"at {location}", "as the bundle has it"),
    )
    _show_biases(found.biases)
    if found.borrowed:
        console.say(f"few or no local faces: {', '.join(found.borrowed)}; there the bundle's faces count as well")
