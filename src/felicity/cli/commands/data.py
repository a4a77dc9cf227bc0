"""``felicity data``: inspect a data set, prepare it for training, draw augmented images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from felicity.cli import console, options
from felicity.cli.options import Detector, Json
from felicity.cli.panels import Panel

if TYPE_CHECKING:
    from felicity.datasets import Audit, Samples
    from felicity.datasets.manifest import Manifest
    from felicity.datasets.votes import Mode
    from felicity.notes import Note
    from felicity.recognition.classifier import Classifier

PathOf = Annotated[Path, typer.Argument(metavar="PATH", help="Folder, csv (also .gz, .zst), zip or tar.")]
Outside = Annotated[
    bool, typer.Option("--outside", help="Let a table name images outside of its folder; read the table first.")
]
Format = Annotated[str | None, typer.Option("--format", "-f", metavar="NAME", help="Format, if it is not recognised.")]
Classes = Annotated[
    str | None,
    typer.Option("--classes", metavar="LIST", help="Classes: 8, 7, happy,sad, good=happy+surprise, or a TOML file."),
]
Votes = Annotated[
    Literal["shares", "majority", "probability", "multi-target"],
    typer.Option("--votes", help="Way in which FER+ votes become labels."),
]
ColourOption = Annotated[Literal["gray", "rgb"], typer.Option("--colour", help="Colour of the images.")]
Similarity = Annotated[
    float | None,
    typer.Option(
        "--similarity",
        metavar="0.5..1",
        help="Similarity from which two images are near-duplicates (default: 0.87); a larger value joins fewer.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Another seed gives another draw.")]

group = typer.Typer(help="Check data sets, and prepare them for training.", no_args_is_help=True)
PANEL = Panel.TRAIN


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(group, name="data")


@group.command()
def inspect(
    path: PathOf,
    report: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.html", help="Write an HTML report.", callback=options.page_file),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(
            "--chart",
            metavar="FILE",
            help="Write the counts as a picture (PNG, SVG, PDF), without faces.",
            callback=options.chart_file,
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--table", metavar="FILE.csv", help="Write every finding by file name.", callback=options.table_file
        ),
    ] = None,
    bundle: Annotated[
        str | None,
        typer.Option("--bundle", "-b", metavar="NAME|FOLDER", help="Look for labels that this bundle contradicts."),
    ] = None,
    similarity: Similarity = None,
    format: Format = None,
    classes: Classes = None,
    votes: Votes = "shares",
    outside: Outside = False,
    workers: options.Workers = None,
    json: Json = False,
) -> None:
    """Show the faults of a data set: duplicates, leaks between folds, labels, files. Changes nothing."""
    from felicity.datasets.auditing import audit
    from felicity.datasets.charts import draw_audit
    from felicity.datasets.findings_table import write_findings
    from felicity.datasets.near import SIMILARITY
    from felicity.datasets.registry import check_not_read
    from felicity.datasets.report import write_audit_report
    from felicity.notes import Note
    from felicity.style.charts import save
    from felicity.system import cores

    for output in (report, chart, table):
        if output is not None:
            check_not_read(output, path, format)
    classifier = _classifier(bundle) if bundle else None
    samples = _open(path, format, classes, votes, outside)
    judge = _judge(classifier, classes, samples.classes) if classifier else None
    with _progress("looking at images", len(samples)) as advance:
        found = audit(
            samples,
            judge=judge,
            similarity=SIMILARITY if similarity is None else similarity,
            workers=workers or cores(),
            progress=advance,
        )
    title = path.resolve().name
    if report:
        write_audit_report(found, report, title=title)
    if chart:
        save(draw_audit(found, title=title), chart)
    if table:
        write_findings(found, table)
    notes = _notes([Note("read-as", remark) for remark in found.remarks])
    if json:
        console.emit("data-inspect", found.counts(), notes)
    else:
        _show_audit(found, title)
    for place in (report, chart, table):
        if place:
            console.say(f"written: {place}")


def _show_audit(found: Audit, title: str) -> None:
    """Print the counts of the images and of each finding."""
    from felicity.datasets.findings import audit_findings

    samples = found.samples
    _table_of_counts(samples.counts(), title=f"{title} ({samples.format})", part="fold")
    rows = [(one.title, f"{one.count:,}" if one.count else "none", one.unit) for one in audit_findings(found)]
    console.table(("finding", "count", ""), rows, numbers=("count",))
    _left_out(samples.left_out)


@group.command()
def prepare(
    path: PathOf,
    out: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write; must not exist.")],
    size: Annotated[int, typer.Option("--size", help="Side of the images in pixels.")] = 48,
    colour: ColourOption = "gray",
    detect_faces: Annotated[
        bool, typer.Option("--detect-faces", help="Crop the face found in each image; leave out images without a face.")
    ] = False,
    detector: Detector = "auto",
    similarity: Similarity = None,
    deduplicate: Annotated[bool, typer.Option("--deduplicate", help="Keep one of each group of equal images.")] = False,
    drop_blank: Annotated[bool, typer.Option("--drop-blank", help="Leave out images that show nothing.")] = False,
    test_share: Annotated[
        float, typer.Option("--test-share", help="Share of the test set, if the data set has no folds.")
    ] = 0.3,
    validation_share: Annotated[
        float, typer.Option("--validation-share", help="Share of the training set that becomes the validation set.")
    ] = 0.1,
    folds: Annotated[int, typer.Option("--folds", metavar="K", help="Draw K folds for cross-validation, too.")] = 0,
    leaky: Annotated[
        bool, typer.Option("--leaky", help="Let duplicates straddle the splits, to reproduce published figures.")
    ] = False,
    format: Format = None,
    classes: Classes = None,
    votes: Votes = "shares",
    outside: Outside = False,
    seed: Seed = 1,
    workers: options.Workers = None,
    json: Json = False,
) -> None:
    """Prepare a data set for training: one array of images of equal size and a manifest, split without leaks."""
    from felicity.datasets.near import SIMILARITY
    from felicity.datasets.prepare_options import PrepareOptions
    from felicity.datasets.preparing import check_output
    from felicity.datasets.preparing import prepare as make_ready
    from felicity.datasets.splits import SplitOptions
    from felicity.errors import ConfigError
    from felicity.faces.largest import LargestFace
    from felicity.system import cores

    if detector != "auto" and not detect_faces:
        raise ConfigError(f"--detector {detector} is for --detect-faces, which is not given; give both, or neither")
    asked = PrepareOptions(
        size=size,
        colour=colour,
        deduplicate=deduplicate,
        drop_blank=drop_blank,
        folds=folds,
        crop_name=detector if detect_faces else "",
        similarity=SIMILARITY if similarity is None else similarity,
        split=SplitOptions(test_share=test_share, validation_share=validation_share, seed=seed, leaky=leaky),
    )
    check_output(out)
    crop = LargestFace(detector, size, colour) if detect_faces else None
    if crop is not None:
        _ = crop.detector  # reports a missing detector at once
    samples = _open(path, format, classes, votes, outside)
    with _progress("preparing images", len(samples)) as advance:
        manifest = make_ready(samples, out, asked, crop=crop, workers=workers or cores(), progress=advance)
    _show_prepared(manifest, out, json=json)


def _show_prepared(manifest: Manifest, out: Path, *, json: bool) -> None:
    """Print the content of the folder ``out``."""
    notes = _notes([note for note in manifest.notes if note.code != "left-out"], leaky=manifest.leaky)
    size, colour = manifest.options["size"], manifest.options["colour"]
    if json:
        answer = {
            "path": str(out),
            "images": len(manifest.names),
            "classes": list(manifest.classes),
            "splits": manifest.counts(),
            "left_out": dict(manifest.left_out),
            "leaky": manifest.leaky,
            "size": size,
            "colour": colour,
        }
        console.emit("data-prepare", answer, notes)
        return
    _table_of_counts(manifest.counts(), title=f"{out} ({size}x{size} {colour})", part="split")
    _left_out(manifest.left_out)


def _notes(said: list[Note], *, leaky: bool = False) -> list[Note]:
    """Print the decisions of reading and splitting, and return them as notes."""
    from felicity.notes import Note

    if leaky:
        said = [*said, Note("leaky-splits", "duplicates straddle these splits, so results on them look too good")]
    console.notes(said)
    return said


@group.command()
def augment(
    path: PathOf,
    out: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE.png", help="Sheet to write.", callback=options.to_write),
    ],
    images: Annotated[int, typer.Option("--images", "-n", min=1, max=40, help="Number of images, a line each.")] = 8,
    variants: Annotated[int, typer.Option("--variants", min=1, max=20, help="Number of variants of each image.")] = 9,
    how: Annotated[
        str,
        typer.Option("--augment", metavar="NAME", help="geometry, camera, mild, or another value that train takes."),
    ] = "camera",
    size: Annotated[int, typer.Option("--size", min=8, max=1024, help="Side of the images in pixels.")] = 48,
    colour: ColourOption = "gray",
    format: Format = None,
    classes: Classes = None,
    seed: Seed = 1,
) -> None:
    """Draw augmented training images: images of every class, each with random variants."""
    from felicity.datasets.augment import PRESETS, own_augmentation, preview
    from felicity.datasets.preview import chosen_images
    from felicity.errors import ConfigError
    from felicity.files import check_place
    from felicity.imaging.encode import check_picture, write_image

    check_place(out)
    check_picture(out)
    if (chosen := PRESETS.get(how) or own_augmentation(how)) is None:
        raise ConfigError(f"--augment must be {', '.join(PRESETS)} or package.module:name, not {how!r}")
    shown = chosen_images(_open(path, format, classes, "shares"), images, size, colour, seed)
    write_image(out, preview(shown, seed, chosen, variants=variants))
    console.say(f"written: {out}")


def _open(path: Path, format: str | None, classes: str | None, votes: Mode, outside: bool = False) -> Samples:
    from felicity.datasets.registry import open_dataset
    from felicity.datasets.votes import VoteRule

    return open_dataset(path, format, classes=classes, votes=VoteRule(votes), outside=outside)


def _classifier(bundle: str) -> Classifier:
    from felicity.errors import require
    from felicity.recognition.classifier import Classifier

    require("cleanlab.filter", "audit")
    return Classifier.open(bundle)


def _judge(classifier: Classifier, chosen: str | None, classes: tuple[str, ...]) -> Any:
    from felicity.datasets.auditing import judge_by
    from felicity.datasets.classes import parse_classes

    spec = classifier.input
    return judge_by(
        classifier.probabilities, spec.size, spec.colour, parse_classes(chosen), classes, classifier.classes
    )


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console.err, transient=True, disable=not console.err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


def _table_of_counts(counts: dict[str, dict[str, int]], *, title: str, part: str) -> None:
    names = list(dict.fromkeys(name for row in counts.values() for name in row))
    rows = [(name, *(row.get(name, 0) for row in counts.values())) for name in names]
    rows = [row for row in rows if any(row[1:])]
    rows.append(("all", *(sum(row.values()) for row in counts.values())))
    columns = (f"class, by {part}", *counts)
    cells = [(name, *(f"{number:,}" for number in numbers)) for name, *numbers in rows]
    console.table(columns, cells, title=title, numbers=columns[1:])


def _left_out(left_out: Any) -> None:
    for reason, number in left_out.items():
        console.say(f"left out: {number:,} {reason}")
