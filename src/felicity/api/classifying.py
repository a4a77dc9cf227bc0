"""Photographs by the million: faces and expressions of many images into Parquet, over processes or a cluster."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from felicity.recognition.classifier import Shares
    from felicity.recognition.eyes import Eyes
    from felicity.recognition.shards import Counts, Plan


@dataclass(frozen=True)
class Classified:
    """Counts of classified images. ``output``: the file or folder with a row for each image.

    ``happy``: faces that are happy; None if no class of the bundle is happy alone. ``covered``: faces whose lower part
    is covered, none of which is among the happy ones. ``unreadable``: images that could not be read, whose rows say
    why. ``there``: images that were there before.
    """

    output: str
    images: int
    faces: int
    happy: int | None
    covered: int
    unreadable: int
    there: int


def classify(
    images: Sequence[str | Path] | str | Path = (),
    output: str | Path = "classified.parquet",
    *,
    lists: Sequence[str | Path] = (),
    detector: str = "auto",
    smallest_face: float | None = None,
    crop: bool = False,
    bundle: str | Path | None = None,
    shares: Shares = "in-use",
    cluster: str | None = None,
    workers: int | None = None,
    resume: bool = False,
    on_images: Callable[[int], None] = lambda images: None,
    on_error: Callable[[str], None] = lambda error: None,
) -> Classified:
    """Find the faces of many images and their expressions, and write a row for each image, in order, as Parquet.

    ``images``: files and folders; ``lists``: files that name images, see ``felicity classify --list``. ``output``: a
    file that ends with ``.parquet``, or a folder of such files, the shards. ``resume``: leave out the shards that are
    there; other images or settings than before are refused. ``cluster``: address of a Ray cluster; ``workers``: number
    of processes without one, one for each core if None. ``on_images`` receives the number of images of each finished
    shard, ``on_error`` a sentence for each unreadable one. Few images are in memory, however many there are. Raises
    ConfigError, ImageError, DetectorError, BundleError, ExtraMissingError, WorkError.
    """
    from felicity.errors import ConfigError, require
    from felicity.recognition.listing import Listing
    from felicity.recognition.photographs import find_images
    from felicity.recognition.shards import Plan, join, write_shards
    from felicity.work.opening import open_work

    require("pyarrow.parquet", "data")
    target = Path(output)
    check_output(target, resume=resume)
    eyes, knows_happy = _eyes(bundle, None if crop else detector, smallest_face, shares)
    given = [images] if isinstance(images, str | Path) else images
    with Listing.of(find_images(given, lists, without=None if _is_file(target) else target)) as listing:
        if not listing.images:
            raise ConfigError("name images, folders of them, or a --list")
        plan = Plan.of(listing, eyes)
        if resume and (whole := _whole(target, plan)) is not None:
            found = there = whole
        else:
            with open_work(cluster, workers=workers) as work:
                found, there = write_shards(listing, eyes, shards_of(target), work, on_images, on_error)
            if _is_file(target):
                join(shards_of(target), listing, target, {"plan": asdict(plan), "counts": asdict(found)})
                shutil.rmtree(shards_of(target))
    happy = found.happy if knows_happy else None
    return Classified(str(output), found.images, found.faces, happy, found.covered, found.unreadable, there.images)


def _whole(target: Path, plan: Plan) -> Counts | None:
    """Return the counts of a file that was written to its end; None without one. Raises ConfigError for another's."""
    from felicity.recognition.shards import Counts, Plan, read_about

    about = None if shards_of(target).exists() or not _is_file(target) else read_about(target)
    if about is None:
        return None
    plan.check(Plan(**about["plan"]), target)
    return Counts(**about["counts"])


def check_output(path: Path, *, resume: bool) -> None:
    """Raise ConfigError for an output that cannot be written, or that was begun and is not resumed."""
    from felicity.errors import ConfigError
    from felicity.files import check_folder, check_place

    if _is_file(path):
        check_place(path)
    elif path.suffix.lower() in (".csv", ".json", ".jsonl", ".xlsx"):
        raise ConfigError(f"{path}: images are written as .parquet, or as a folder of such files; choose another name")
    else:
        check_folder(path)
    folder = shards_of(path)
    if not resume and folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(f"{folder}: is not empty; go on with --resume, or choose another --output")


def _is_file(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def shards_of(path: Path) -> Path:
    """Return the folder of the shards: the output itself, or one beside the file that they become."""
    return path.with_name(path.name + ".shards") if _is_file(path) else path


def _eyes(
    bundle: str | Path | None, detector: str | None, smallest_face: float | None, shares: Shares
) -> tuple[Eyes, bool]:
    """Return the settings for all workers, and whether a class is happy alone."""
    from felicity.faces.detection import identity
    from felicity.faces.registry import open_detector
    from felicity.models.bundle import open_bundle
    from felicity.recognition.classifier import checked_shares
    from felicity.recognition.eyes import Eyes

    known = open_bundle(bundle)
    found_by = "" if detector is None else identity(open_detector(detector, smallest_face=smallest_face))
    where = None if bundle is None else str(bundle)
    eyes = Eyes(where, known.id, detector, found_by, smallest_face, checked_shares(shares))
    return eyes, known.classes.happy is not None
