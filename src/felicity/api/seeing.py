"""Seeing: the faces of one picture, and a source watched into a store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from felicity.api.selection import counting_classifier, opened, to_datetime

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import numpy as np
    import numpy.typing as npt

    from felicity.api.selection import StoreLike
    from felicity.notes import Note
    from felicity.recognition.photograph import FaceReading
    from felicity.watching.watch import WatchSummary


def read(
    image: str | Path | bytes | npt.NDArray[np.uint8],
    *,
    detector: str = "auto",
    crop: bool = False,
    bundle: str | Path | None = None,
) -> list[FaceReading]:
    """Find the faces of one picture and what they show, best detection first.

    ``image``: a file, its bytes, or uint8 ``(height, width, 3)`` RGB. ``crop``: it is a face already.
    For many pictures use ``felicity.recognition.photographs.read_photographs``, which opens the
    network once. Raises ImageError, DetectorError, BundleError; ValueError for an array of another kind.
    """
    import numpy as np

    from felicity.faces.registry import open_detector
    from felicity.imaging.decode import read_image
    from felicity.recognition.classifier import Classifier
    from felicity.recognition.photograph import read_faces

    pixels = image if isinstance(image, np.ndarray) else read_image(image)
    return read_faces(pixels, Classifier.open(bundle), None if crop else open_detector(detector))


def watch(
    source: str | Path | int,
    *,
    location: str,
    camera: str | None = None,
    store: StoreLike = None,
    window: int = 60,
    fps: float | None = None,
    start: date | None = None,
    detector: str = "auto",
    smallest_face: float | None = None,
    every_frame: bool = False,
    bundle: str | Path | None = None,
    annotate: str | Path | None = None,
    on_frame: Callable[[WatchSummary], None] | None = None,
    on_note: Callable[[Note], None] | None = None,
    on_open: Callable[[Callable[[], None]], None] | None = None,
) -> WatchSummary:
    """Watch a source to its end and write its windows; the options are those of ``felicity watch``.

    Times without a zone, ``start`` and those of photographs, are in the location's time zone: UTC until the store
    has another. ``on_open`` is given a function that ends the watch soon, the open window written. Raises SourceError,
    StoreError, DetectorError, BundleError, ConfigError, ImageError.
    """
    from felicity.faces.registry import open_detector
    from felicity.imaging.encode import check_video
    from felicity.sources.registry import SourceOptions, open_source
    from felicity.watching.watch import watch_source

    _check_names(camera, window)
    zone, doubts = _place_of(location, store)
    name = _source_name(source, annotate)
    begin, doubt = _begin(start, zone)
    if doubt:
        doubts.append(replace(doubt, location=location))
    if annotate is not None:
        check_video(Path(annotate))
    classifier, finder = counting_classifier(bundle), open_detector(detector, smallest_face=smallest_face)
    with (
        open_source(name, options=SourceOptions(start=begin, fps=fps, zone=zone, on_note=on_note)) as frames,
        opened(store, create=True) as open_store,
    ):
        if on_open:
            on_open(frames.stop)
        return watch_source(
            frames,
            location=location,
            camera=camera or _named_after(frames.source_id),
            store=open_store,
            classifier=classifier,
            detector=finder,
            every_frame=every_frame,
            seconds=window,
            annotate=Path(annotate) if annotate else None,
            notes=doubts,
            on_frame=on_frame,
            on_note=on_note,
        )


def _begin(start: date | None, zone: ZoneInfo) -> tuple[datetime | None, Note | None]:
    """Return when the source began, in the location's time zone unless ``start`` has one, and a doubt about it."""
    from felicity.windows.buckets import clock_doubt

    begin = None if start is None else to_datetime(start, "start")
    if begin is None or begin.tzinfo is not None:
        return begin, None
    return begin.replace(tzinfo=zone), clock_doubt(begin, zone)


def _check_names(camera: str | None, window: int) -> None:
    from felicity.errors import ConfigError
    from felicity.windows.names import check_name
    from felicity.windows.window import LONGEST

    if not 1 <= window <= LONGEST:
        raise ConfigError(f"a window lasts 1 to {LONGEST} seconds, not {window}")
    if camera is not None:
        try:
            check_name(camera, "a camera")
        except ValueError as error:
            raise ConfigError(f"{error}; without --camera it is named after the source") from error


def _named_after(source_id: str) -> str:
    """Return a camera's name for a source; what no name may hold is spelt out."""
    from felicity.visible import visible
    from felicity.windows.names import LONGEST_NAME

    return visible(Path(source_id).stem or source_id).strip()[:LONGEST_NAME].strip() or "camera"


def _source_name(source: str | Path | int, annotate: str | Path | None) -> str:
    """Return what the store calls the source: a file's or folder's whole path, else the source as it is given."""
    from felicity.errors import ConfigError, SourceError

    path = Path(str(source))
    name = str(path.resolve()) if str(source).strip() and path.exists() else str(source)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SourceError(f"{str(source)!a}: a name in UTF-8 expected, for the store keeps it; rename it") from None
    if annotate is not None and path.exists() and Path(annotate).resolve() == path.resolve():
        raise ConfigError(f"{annotate} is what is to be watched; write the annotated video elsewhere")
    return name


def _place_of(location: str, store: StoreLike) -> tuple[ZoneInfo, list[Note]]:
    """Return the location's time zone, and a note where it is new and called almost like another.

    The zone is UTC, as a new location has it, where there is no store or it is not known. Raises ConfigError for a new
    location whose name is impossible, or that of a workplace or school.
    """
    from felicity.api.locations import slips
    from felicity.errors import StoreError
    from felicity.windows import Location

    there: dict[str, Location] = {}
    # Without a store there is none yet; what else is wrong with it is said when it is opened for writing.
    with suppress(StoreError), opened(store) as open_store:
        there = {place.name: place for place in open_store.locations()}
    if location in there:
        return there[location].zone, []
    return Location(location).zone, list(slips([location], list(there)))
