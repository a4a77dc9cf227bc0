"""Photographs by the million: shards of them read on any worker, as Parquet, in order, each image once.

A shard is a file that appears whole. So a restart finds the finished ones, and does the others. Rows are what
``felicity classify --json`` prints; no pixel leaves the process that decoded it.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from felicity.errors import ConfigError, WorkError, require
from felicity.files import NewFile, make_folder, put
from felicity.labels import Classes
from felicity.parsing import read_json
from felicity.recognition.eyes import Eyes, open_eyes
from felicity.recognition.listing import Listing, Shard
from felicity.recognition.photographs import ImageReading, read_photographs
from felicity.schemas.envelope import line
from felicity.work import Outcome, Work

PLAN = "_felicity.json"
"""The settings with which a folder of shards was begun; readers of Parquet skip names that begin so."""
ABOUT = b"felicity"
"""The key of Parquet's metadata under which a file holds its counts."""


@dataclass(frozen=True)
class Counts:
    """Images, the faces in them, the happy and the covered ones of these, and images that could not be read."""

    images: int = 0
    faces: int = 0
    happy: int = 0
    covered: int = 0
    unreadable: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))


@dataclass(frozen=True)
class Plan:
    """The settings that all shards of a folder share: the images, and how they are looked at."""

    images: int
    digest: str
    model: str
    detector: str
    smallest_face: float | None
    shares: str

    @classmethod
    def of(cls, listing: Listing, eyes: Eyes) -> Plan:
        """Return the plan for these images and settings."""
        return cls(listing.images, listing.digest, eyes.model, eyes.found_by, eyes.smallest_face, eyes.shares)

    def check(self, begun: Plan, place: Path) -> None:
        """Raise ConfigError if ``place`` was begun with another plan."""
        if (begun.images, begun.digest) != (self.images, self.digest):
            raise ConfigError(
                f"{place}: the list of images has changed ({begun.images:,} images when it was begun, {self.images:,} "
                "now, or others); give the same images in the same order, or choose another --output"
            )
        for name, was in asdict(begun).items():
            if was != (now := getattr(self, name)):
                told = name.replace("_", " ")
                raise ConfigError(
                    f"{place}: was begun with {told} {was or 'none'}, not {now or 'none'}; go on with the same "
                    "options, or choose another --output"
                )


@dataclass(frozen=True)
class Part:
    """A read shard: its rows as a Parquet file, and ``errors``, a sentence for each unreadable image."""

    number: int
    content: bytes
    counts: Counts
    errors: tuple[str, ...] = ()


def read_shard(eyes: Eyes, shard: Shard) -> Part:
    """Read the images of a shard on one core. Raises BundleError, DetectorError, ExtraMissingError."""
    classifier, detector = open_eyes(eyes)
    paths = [Path(name) for name in shard.images]
    readings = [reading for reading, _ in read_photographs(paths, classifier, detector, workers=1)]
    return _part(shard, readings, classifier.classes)


def _part(shard: Shard, readings: list[ImageReading], classes: Classes) -> Part:
    faces = [face for reading in readings for face in reading.faces]
    errors = tuple(reading.error for reading in readings if reading.error is not None)
    covered = sum(bool(face.covered) for face in faces)
    happy = sum(not face.covered and face.expression == classes.happy for face in faces)
    counts = Counts(len(readings), len(faces), happy, covered, len(errors))
    rows = [line("classify", _storable(reading).values) for reading in readings]
    return Part(
        shard.number, _parquet(rows, classes, {"digest": shard.digest, "counts": asdict(counts)}), counts, errors
    )


def _storable(reading: ImageReading) -> ImageReading:
    """Return the reading with its path as text; bytes that are no text are escaped."""
    return replace(
        reading, path=os.fsencode(reading.path).decode(errors="backslashreplace"), error=_text(reading.error)
    )


def _text(error: str | None) -> str | None:
    return None if error is None else os.fsencode(error).decode(errors="backslashreplace")


def _parquet(rows: list[dict[str, Any]], classes: Classes, about: dict[str, Any]) -> bytes:
    arrow, parquet = require("pyarrow", "data"), require("pyarrow.parquet", "data")
    number = arrow.float64()
    face = arrow.struct(
        {
            "box_xyxy": arrow.list_(number),
            "detection_score": number,
            "expression": arrow.string(),
            "probabilities": arrow.struct(dict.fromkeys(classes.names, number)),
            "happy": number,
            "covered": arrow.bool_(),
        }
    )
    schema = arrow.schema({"image": arrow.string(), "faces": arrow.list_(face), "error": arrow.string()})
    stream = io.BytesIO()
    table = arrow.Table.from_pylist(rows, schema.with_metadata({ABOUT: json.dumps(about)}))
    parquet.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def write_shards(
    listing: Listing,
    eyes: Eyes,
    folder: Path,
    work: Work,
    on_images: Callable[[int], None] = lambda images: None,
    on_error: Callable[[str], None] = lambda error: None,
) -> tuple[Counts, Counts]:
    """Read all images that ``folder`` does not hold yet, and write a file for each shard.

    Returns the counts of all images, and of those that were there. ``on_images`` receives the number of images of each
    shard, ``on_error`` a sentence for each unreadable image. An image that ends its worker each time is set aside.
    Raises ConfigError if ``folder`` was begun with other images or settings, or cannot be written; WorkError where
    no worker can be reached; what is written until then stays.
    """
    make_folder(folder)
    _begin(folder, Plan.of(listing, eyes))
    there, read = Counts(), Counts()
    order = count()
    drawn: dict[int, Shard] = {}
    given_up: list[Shard] = []

    def missing() -> Iterator[Shard]:
        nonlocal there
        for shard in listing.shards():
            counts = _written(folder, shard)
            if counts is None:
                drawn[next(order)] = shard
                yield shard
            else:
                there += counts
                on_images(counts.images)

    def take(part: Part) -> None:
        nonlocal read
        _put(_path(folder, part.number), part.content)
        read += part.counts
        on_images(part.counts.images)
        for error in part.errors:
            on_error(error)

    for outcome in work.outcomes(partial(read_shard, eyes), missing(), ordered=False):
        shard = drawn.pop(outcome.number)
        if isinstance(outcome.error, WorkError):
            given_up.append(shard)
        else:
            take(outcome.get())
    for shard in given_up:
        take(_one_by_one(shard, eyes, work))
    return there + read, there


def _one_by_one(shard: Shard, eyes: Eyes, work: Work) -> Part:
    """Read a shard whose workers were lost image by image, and set those aside with which they are lost."""
    arrow, parquet = require("pyarrow", "data"), require("pyarrow.parquet", "data")
    classes = open_eyes(eyes)[0].classes
    alone = [Shard(number, (image,)) for number, image in enumerate(shard.images)]
    parts = [_or_error(each, outcome, classes) for each, outcome in
             zip(alone, work.outcomes(partial(read_shard, eyes), alone, retries=1), strict=True)]  # fmt: skip
    counts = sum((part.counts for part in parts), Counts())
    table = arrow.concat_tables(parquet.read_table(io.BytesIO(part.content)) for part in parts)
    about = {"digest": shard.digest, "counts": asdict(counts)}
    content = _parquet(table.to_pylist(), classes, about)
    return Part(shard.number, content, counts, tuple(error for part in parts for error in part.errors))


def _or_error(shard: Shard, outcome: Outcome[Part], classes: Classes) -> Part:
    if not isinstance(outcome.error, WorkError):
        return outcome.get()
    (image,) = shard.images
    return _part(shard, [ImageReading(image, error=f"{image}: cannot be read: {outcome.error}")], classes)


def _begin(folder: Path, plan: Plan) -> None:
    """Write the plan, or compare it with that of the folder."""
    begun = read_plan(folder / PLAN)
    if begun is not None:
        plan.check(begun, folder)
    elif any(folder.iterdir()):
        raise ConfigError(f"{folder}: holds other files, and no begun classification; choose another --output")
    else:
        _put(folder / PLAN, json.dumps(asdict(plan)).encode())
    for left in folder.glob(".*.part"):  # of a process that was killed
        left.unlink(missing_ok=True)


def read_plan(path: Path) -> Plan | None:
    """Return the plan in a file, None without one. Raises ConfigError for a file that is none."""
    try:
        return Plan(**read_json(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: is no plan of a classification; choose another --output") from error


def _path(folder: Path, number: int) -> Path:
    return folder / f"part-{number:06}.parquet"


def _written(folder: Path, shard: Shard) -> Counts | None:
    """Return the counts of a complete shard in the folder; None if the shard must be read."""
    about = read_about(_path(folder, shard.number))
    return Counts(**about["counts"]) if about and about["digest"] == shard.digest else None


def read_about(path: Path) -> dict[str, Any] | None:
    """Return what a Parquet file of ours says of itself; None without one, or where it is cut short."""
    arrow, parquet = require("pyarrow", "data"), require("pyarrow.parquet", "data")
    try:
        metadata = parquet.read_metadata(path).metadata or {}
        return dict(read_json(metadata[ABOUT])) if ABOUT in metadata else None
    except (OSError, ValueError, arrow.ArrowException):
        return None


def join(folder: Path, listing: Listing, path: Path, about: dict[str, Any]) -> None:
    """Write the shards of a folder into one file, in order, a row group for each. Raises ConfigError."""
    parquet = require("pyarrow.parquet", "data")
    new = NewFile(path)
    try:
        writer = None
        for shard in listing.shards():
            table = parquet.read_table(_path(folder, shard.number), partitioning=None)
            if writer is None:
                schema = table.schema.with_metadata({ABOUT: json.dumps(about)})
                writer = parquet.ParquetWriter(new.stream, schema, compression="zstd")
            writer.write_table(table.replace_schema_metadata(schema.metadata))
        assert writer is not None
        writer.close()
        new.keep()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    finally:
        new.drop()


def _put(path: Path, content: bytes) -> None:
    try:
        put(path, content, sync=True)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written ({error.strerror}); make room, or choose another place"
        ) from error
