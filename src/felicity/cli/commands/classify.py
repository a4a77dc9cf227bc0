"""``felicity classify``: faces and expressions in photographs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.faces import Detector
    from felicity.index.people_share import PeopleShare
    from felicity.models.bundle import Bundle
    from felicity.recognition.classifier import Classifier
    from felicity.recognition.eyes import Eyes
    from felicity.recognition.photograph import FaceReading
    from felicity.recognition.photographs import ImageReading

PANEL = Panel.COUNT


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(classify)


def classify(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH...]", help="Images, or folders to go through.")
    ] = None,
    lists: Annotated[
        list[str] | None,
        typer.Option(
            "--list",
            metavar="FILE",
            help="Names more images: a text file with a path in each line (- for standard input), or a CSV or Parquet "
            "table with a column image, path or file; may be repeated.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.parquet|FOLDER",
            help="Write a row for each image there, as a file or a folder of files, and print no faces.",
            callback=options.to_write,
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="With --output: resume, and read no image twice.")] = False,
    detector: options.Detector = "auto",
    smallest_face: options.SmallestFace = None,
    crop: Annotated[bool, typer.Option("--crop", help="Each image is a face already: do not look for one.")] = False,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write each picture there, with the found faces drawn on it.")
    ] = None,
    share: Annotated[
        bool,
        typer.Option(
            "--share",
            help="Print the happy share of all faces, small and blurred ones too: counted, adjusted, and by EMQ. "
            "With --json: one document of images and share, instead of a line per image.",
        ),
    ] = False,
    shares: options.ForShares = None,
    bundle: options.Bundle = None,
    cluster: options.Cluster = None,
    workers: options.Workers = None,
    json: options.Json = False,
) -> None:
    """Find the faces in photographs and print the expression of each, or write them with --output.

    Images keep their order. Felicity names an image that it cannot read, goes on, and ends with exit code 1.
    """
    if crop:
        _check_no_search(ctx)
    if not paths and not lists:
        raise typer.BadParameter("give images, folders, or a --list", ctx, param_hint="PATH")
    looking = {"detector": detector, "smallest_face": smallest_face, "crop": crop, "bundle": bundle, "shares": shares}
    if output is not None:
        _check_alone("--output", {"--annotate": annotate, "--share": share})
        _write(output, paths or [], lists or [], json, looking, resume=resume, cluster=cluster, workers=workers)
    else:
        _check_alone("no --output", {"--resume": resume, "--cluster": cluster})
        _print_all(paths or [], lists or [], annotate, share, json, looking, workers)


def _check_alone(given: str, others: dict[str, Any]) -> None:
    """Raise ConfigError for options that say nothing beside what is ``given``."""
    from felicity.errors import ConfigError

    for option, value in others.items():
        if value:
            told = "belongs to --output: name a file or folder with it" if given.startswith("no") else ""
            raise ConfigError(
                f"{option} {told or f'prints or draws, and {given} writes a table; leave one of them out'}"
            )


def _write(output: Path, paths: list[str], lists: list[str], json: bool, looking: dict[str, Any], **how: Any) -> None:
    """Write a row for each image."""
    from felicity.api import classify as run

    with console.told_how_to_go_on("the same command with --resume"), console.progress() as progress:
        task, done = progress.add_task("listing images", total=None), 0

        def show(images: int) -> None:
            nonlocal done
            done += images
            progress.update(task, description=f"{done:,} images")

        looking["shares"] = looking["shares"] or "in-use"
        found = run(paths, output, lists=lists, on_images=show, on_error=console.fail, **looking, **how)
    if json:
        console.emit("classify-output", found)
    else:
        _say_sums(found.images, found.faces, found.happy, found.covered, found.unreadable)
        console.say(f"written to {output}" + (f", {found.there:,} images were there before" if found.there else ""))
    raise typer.Exit(int(found.unreadable > 0))


def _print_all(
    paths: list[str], lists: list[str], annotate: Path | None, share: bool, json: bool, looking: dict[str, Any],
    workers: int | None,
) -> None:  # fmt: skip
    """Print the faces of each image, or the share of all."""
    from felicity.faces.registry import open_detector
    from felicity.recognition.photographs import find_images, read_photographs

    crop, shares = looking["crop"], looking["shares"]
    images = [*find_images(paths, lists, without=annotate)]
    targets = _targets(annotate, paths, images) if annotate else {}
    threads = 1 if len(images) > 1 else None  # several are looked at side by side
    classifier = _open(looking["bundle"], shares or "in-use", share, threads)
    how = {"smallest_face": looking["smallest_face"], "threads": threads}
    finder = None if crop else open_detector(looking["detector"], **how)
    if finder is not None:
        console.say(f"detector: {finder.name}, bundle: {classifier.bundle.id}")
    faces = covered = happy = bad = 0
    readings: list[ImageReading] = []
    eyes = None if finder is None else _eyes(classifier, finder, looking)
    for reading, picture in read_photographs(images, classifier, finder, workers=workers, eyes=eyes):
        if reading.error is None and annotate is not None:
            _annotate(targets[reading.path], reading, picture)
        faces += len(reading.faces)
        covered += sum(bool(face.covered) for face in reading.faces)
        happy += sum(not face.covered and face.expression == classifier.classes.happy for face in reading.faces)
        bad += reading.error is not None
        if share:
            readings.append(reading)
        if not json:
            _print(reading)
        elif not share:
            console.emit_line("classify", reading.values)
    if share:
        _print_share(readings, classifier.bundle, json)
    if not json:
        _say_sums(len(images), faces, None if classifier.classes.happy is None else happy, covered, bad)
    raise typer.Exit(int(bad > 0))


def _say_sums(images: int, faces: int, happy: int | None, covered: int, bad: int) -> None:
    among = "" if happy is None else f", {happy:,} happy"
    among += f", {covered:,} covered" if covered else ""
    sums = f"{images:,} image{'s' * (images != 1)}, {faces:,} face{'s' * (faces != 1)}"
    console.say(sums + among + (f", {bad:,} not readable" if bad else ""))


def _check_no_search(ctx: typer.Context) -> None:
    """Raise ConfigError for options of the face search if each image is a face already."""
    from felicity.errors import ConfigError

    for option in ("detector", "smallest_face"):
        if options.is_given(ctx, option):
            given = "--" + option.replace("_", "-")
            raise ConfigError(f"--crop takes each image for a face, and {given} looks for faces; leave one of them out")


def _open(bundle: str | None, shares: str, share: bool, threads: int | None) -> Classifier:
    """Return the classifier for these shares. Raises ConfigError if ``share`` asks for a happy share of others."""
    from felicity.errors import ConfigError
    from felicity.index.soft_matrix import check_countable
    from felicity.recognition.classifier import Classifier, checked_shares

    if share and shares != "in-use":
        raise ConfigError(f"--share takes answers as they are in use, not --shares {shares}; leave one of them out")
    classifier = Classifier.open(bundle, threads=threads, shares=checked_shares(shares))
    if share:
        check_countable(classifier.classes, f"bundle {classifier.bundle.id}")
    return classifier


def _eyes(classifier: Classifier, finder: Detector, looking: dict[str, Any]) -> Eyes:
    """Return the settings by which processes open the same."""
    from felicity.faces.detection import identity
    from felicity.recognition.eyes import Eyes

    bundle, detector, smallest, shares = (looking[key] for key in ("bundle", "detector", "smallest_face", "shares"))
    return Eyes(bundle, classifier.bundle.id, detector, identity(finder), smallest, shares or "in-use")


def _print_share(readings: list[ImageReading], bundle: Bundle, json: bool) -> None:
    from felicity.index.people_share import happy_share
    from felicity.notes import Note

    answers = [face.probabilities for reading in readings for face in reading.faces if not face.covered]
    found = happy_share(answers, bundle.soft_matrix, bundle.assumed_prior)
    notes = []
    if not answers:
        notes.append(Note("no-faces", "no face is found, or none is uncovered, so there is no happy share"))
    elif found is None:
        notes.append(Note("not-calibrated", f"bundle {bundle.id} knows no errors on happy faces, so no share is shown"))
    for note in notes:
        console.warn(note)
    if json:
        console.emit(
            "classify-share", {"images": [reading.values for reading in readings], "happy_share": found}, notes
        )
    elif found is not None:
        console.out.print(share_sentence(found), markup=False, soft_wrap=True)


def share_sentence(found: PeopleShare) -> str:
    """Return a sentence with the three figures and the interval."""
    return (
        f"happy share of {found.people:,} people: counted {numbers.percent(found.counted)}, adjusted "
        f"{numbers.percent(found.adjusted)} "
        f"({numbers.interval(found.low, found.high)}), by EMQ {numbers.percent(found.emq)}"
    )


def _print(reading: ImageReading) -> None:
    if reading.error is not None:
        console.fail(reading.error)
        return
    found = ", ".join(_said(face) for face in reading.faces)
    console.out.print(f"{reading.path}: {found or 'no face'}", markup=False, soft_wrap=True)


def _said(face: FaceReading) -> str:
    return "lower face covered" if face.covered else f"{face.expression} {numbers.share(face.probabilities.max(), 0)}"


def _targets(folder: Path, given: list[str], images: list[Path]) -> dict[str, Path]:
    """Return the path of each image's annotated copy; no copy replaces an image or another copy."""
    from felicity.errors import ConfigError

    roots = [Path(name) for name in given if Path(name).is_dir()]
    originals = {path.resolve() for path in images}
    owners: dict[Path, Path] = {}
    targets: dict[str, Path] = {}
    for path in images:
        root = next((root for root in roots if path.is_relative_to(root)), path.parent)
        target = folder / path.relative_to(root)
        if target.suffix.lower() not in (".jpg", ".jpeg", ".png"):
            target = target.with_name(target.name + ".png")
        place = target.resolve()
        if place in originals:
            raise ConfigError(
                f"--annotate {folder}: {target} is an image to read and would be overwritten; choose another folder"
            )
        if (owner := owners.setdefault(place, path)) != path:
            raise ConfigError(
                f"--annotate {folder}: {owner} and {path} would both be written to {target}; give one at a time"
            )
        targets[str(path)] = target
    return targets


def _annotate(target: Path, reading: ImageReading, picture: Any) -> None:
    from felicity.imaging.decode import read_image
    from felicity.imaging.draw import draw_faces
    from felicity.imaging.encode import write_image

    if picture is None:  # another process decoded it
        picture = read_image(Path(reading.path))
    height, width = picture.shape[:2]
    write_image(target, draw_faces(picture, [face.label(width, height) for face in reading.faces]))
