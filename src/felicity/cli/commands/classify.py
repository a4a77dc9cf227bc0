"""``felicity classify``: faces and expressions in photographs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from felicity.cli import console, options
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.index.people_share import PeopleShare
    from felicity.models.bundle import Bundle
    from felicity.recognition.photographs import ImageReading


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(classify)


def classify(
    ctx: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Images, or folders to go through.")],
    detector: options.Detector = "auto",
    crop: Annotated[bool, typer.Option("--crop", help="Each image is a face already: do not look for one.")] = False,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write each picture there with what was found drawn on it.")
    ] = None,
    share: Annotated[
        bool,
        typer.Option(
            "--share",
            help="Print the happy share of all faces, small and blurred ones too: counted, adjusted, and by EMQ. "
            "With --json: one document of images and share, instead of a line per image.",
        ),
    ] = False,
    bundle: options.Bundle = None,
    json: options.Json = False,
) -> None:
    """Find the faces in photographs and say what each shows.

    Images keep their order; one that cannot be read is named, the others go on, and the exit code is 1.
    """
    from felicity.errors import ConfigError
    from felicity.faces.registry import open_detector
    from felicity.index.soft_matrix import check_countable
    from felicity.recognition.classifier import Classifier
    from felicity.recognition.photographs import find_images, read_photographs

    if crop and options.is_given(ctx, "detector"):
        raise ConfigError("--crop takes each image for a face, and --detector looks for faces; leave one of them out")
    images = find_images(paths, without=annotate)
    targets = _targets(annotate, paths, images) if annotate else {}
    classifier = Classifier.open(bundle)
    if share:
        check_countable(classifier.classes, f"bundle {classifier.bundle.id}")
    finder = None if crop else open_detector(detector)
    if finder is not None:
        console.say(f"detector: {finder.name}, bundle: {classifier.bundle.id}")
    faces = happy = bad = 0
    readings: list[ImageReading] = []
    for reading, picture in read_photographs(images, classifier, finder):
        if picture is not None and annotate is not None:
            _annotate(targets[reading.path], reading, picture)
        faces += len(reading.faces)
        happy += sum(face.expression == classifier.classes.happy for face in reading.faces)
        bad += reading.error is not None
        if share:
            readings.append(reading)
        if not json:
            _print(reading)
        elif not share:
            console.emit_line("classify", _shape(reading))
    if share:
        _print_share(readings, classifier.bundle, json)
    if not json:
        among = "" if classifier.classes.happy is None else f", {happy} happy"
        console.say(f"{len(images)} images, {faces} faces{among}" + (f", {bad} not readable" if bad else ""))
    if bad:
        raise typer.Exit(1)


def _shape(reading: ImageReading) -> dict[str, Any]:
    """The plain values of ``schemas.seeing.ImageShape``."""
    return {
        "image": reading.path,
        "faces": [
            {
                "box_xyxy": [round(v, 1) for v in face.detection.box_xyxy] if face.detection else None,
                "detection_score": face.detection.score if face.detection else 1.0,
                "expression": str(face.expression),
                "probabilities": face.by_class,
                "happy": face.happy,
            }
            for face in reading.faces
        ],
        "error": reading.error,
    }


def _print_share(readings: list[ImageReading], bundle: Bundle, json: bool) -> None:
    from felicity.index.people_share import happy_share
    from felicity.notes import Note

    answers = [face.probabilities for reading in readings for face in reading.faces]
    found = happy_share(answers, bundle.soft_matrix, bundle.assumed_prior)
    notes = []
    if not answers:
        notes.append(Note("no-faces", "no face is found, so there is no happy share"))
    elif found is None:
        notes.append(Note("not-calibrated", f"bundle {bundle.id} knows no errors on happy faces, so no share is shown"))
    for note in notes:
        console.warn(note)
    if json:
        console.emit("classify-share", {"images": [*map(_shape, readings)], "happy_share": found}, notes)
    elif found is not None:
        console.out.print(share_sentence(found), markup=False, soft_wrap=True)


def share_sentence(found: PeopleShare) -> str:
    """The three figures and the interval."""
    return (
        f"happy share of {found.people:,} people: counted {numbers.percent(found.counted)}, adjusted "
        f"{numbers.percent(found.adjusted)} "
        f"({numbers.interval(found.low, found.high)}), by EMQ {numbers.percent(found.emq)}"
    )


def _print(reading: ImageReading) -> None:
    if reading.error is not None:
        console.fail(reading.error)
        return
    found = ", ".join(f"{face.expression} {numbers.share(face.probabilities.max(), 0)}" for face in reading.faces)
    console.out.print(f"{reading.path}: {found or 'no face'}", markup=False, soft_wrap=True)


def _targets(folder: Path, given: list[str], images: list[Path]) -> dict[str, Path]:
    """Where each image's annotated copy goes; no copy takes the place of an image or of another copy."""
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
                f"--annotate {folder}: {target} would be overwritten, which is to be read; choose another folder"
            )
        if (owner := owners.setdefault(place, path)) != path:
            raise ConfigError(
                f"--annotate {folder}: {owner} and {path} would both be written to {target}; give one at a time"
            )
        targets[str(path)] = target
    return targets


def _annotate(target: Path, reading: ImageReading, picture: Any) -> None:
    from felicity.imaging.draw import draw_faces
    from felicity.imaging.encode import write_image

    height, width = picture.shape[:2]
    write_image(target, draw_faces(picture, [face.label(width, height) for face in reading.faces]))
