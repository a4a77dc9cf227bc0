"""Seeing: the faces of one picture, and a source watched into a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    from felicity.faces import Detector
    from felicity.notes import Note
    from felicity.recognition.classifier import Classifier, Shares
    from felicity.recognition.photograph import FaceReading
    from felicity.watching.watch import WatchSummary


def read(
    image: str | Path | bytes | npt.NDArray[np.uint8],
    *,
    detector: str = "auto",
    crop: bool = False,
    bundle: str | Path | None = None,
    shares: Shares = "in-use",
) -> list[FaceReading]:
    """Find the faces of one picture and their expressions, best detection first.

    ``image``: a file, its bytes, or uint8 ``(height, width, 3)`` RGB. ``crop``: the picture is a face already.
    ``shares``: natural, in-use or equal, the shares of the expressions that answers are made for, as in ``felicity
    classify``. ``covered`` of a face: whether its lower part is covered, so that it counts in no share; None where the
    bundle does not tell, or the face is too small (``classifier.COVERED_SIDE``). For many pictures use
    ``felicity.recognition.photographs.read_photographs``, which opens the network once. Raises ImageError,
    DetectorError, BundleError, ConfigError; ValueError for an array of another kind.
    """
    import numpy as np

    from felicity.faces.registry import open_detector
    from felicity.imaging.decode import read_image
    from felicity.recognition.classifier import Classifier
    from felicity.recognition.photograph import read_faces

    pixels = image if isinstance(image, np.ndarray) else read_image(image)
    return read_faces(pixels, Classifier.open(bundle, shares=shares), None if crop else open_detector(detector))


class Reader:
    """A reader of pictures, whose bundle and detector are opened once; several threads may share it."""

    def __init__(self, classifier: Classifier, detector: Detector) -> None:
        self._classifier, self._detector = classifier, detector

    def read(self, image: bytes) -> list[FaceReading]:
        """Find the faces in the bytes of a picture, and their expressions. Raises ImageError."""
        from felicity.imaging.decode import read_image
        from felicity.recognition.photograph import read_faces

        return read_faces(read_image(image), self._classifier, self._detector)


def open_reader(*, detector: str = "auto", bundle: str | Path | None = None) -> Reader:
    """Open a reader of pictures. Raises DetectorError, BundleError."""
    from felicity.faces.registry import open_detector
    from felicity.recognition.classifier import Classifier

    return Reader(Classifier.open(bundle), open_detector(detector))


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
    ignore_areas: Sequence[str] = (),
    bundle: str | Path | None = None,
    annotate: str | Path | None = None,
    on_frame: Callable[[WatchSummary], None] | None = None,
    on_note: Callable[[Note], None] | None = None,
    on_open: Callable[[Callable[[], None]], None] | None = None,
) -> WatchSummary:
    """Watch a source to its end and write its windows; the options are those of ``felicity watch``.

    Times without a time zone, both ``start`` and those of photographs, are in the location's time zone. A location
    without one has UTC. ``ignore_areas``: as for ``--ignore-area``; faces there count nowhere. ``on_open`` receives a
    function that soon ends the watch, with the open window written. Raises SourceError, StoreError, DetectorError,
    BundleError, ConfigError, ImageError.
    """
    from felicity.imaging.encode import check_video
    from felicity.sources.registry import SourceOptions, open_source
    from felicity.watching.watch import watch_source

    check_names(camera, window)
    zone, doubts = place_of(location, store)
    name = _source_name(source, annotate)
    begin, doubt = begin_of(start, zone)
    if doubt:
        doubts.append(replace(doubt, location=location))
    if annotate is not None:
        check_video(Path(annotate))
    classifier, finder = counting_classifier(bundle), _finder(detector, smallest_face, ignore_areas)
    with (
        open_source(name, options=SourceOptions(start=begin, fps=fps, zone=zone, on_note=on_note)) as frames,
        opened(store, create=True) as open_store,
    ):
        if on_open:
            on_open(frames.stop)
        return watch_source(
            frames,
            location=location,
            camera=camera or named_after(frames.source_id),
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


def _finder(detector: str, smallest_face: float | None, ignore_areas: Sequence[str]) -> Detector:
    """Open a detector that leaves out faces whose centre lies in one of the areas."""
    from felicity.cameras.areas import read_area
    from felicity.cameras.shared import CountedAreas
    from felicity.faces.registry import open_detector

    ignored = [read_area(area) for area in ignore_areas]
    finder = open_detector(detector, smallest_face=smallest_face)
    return CountedAreas(finder, ignored=ignored) if ignored else finder


def begin_of(start: date | None, zone: ZoneInfo) -> tuple[datetime | None, Note | None]:
    """Return the begin of the source, in the location's time zone unless ``start`` has one, and a note if in doubt."""
    from felicity.windows.buckets import clock_doubt

    begin = None if start is None else to_datetime(start, "start")
    if begin is None or begin.tzinfo is not None:
        return begin, None
    return begin.replace(tzinfo=zone), clock_doubt(begin, zone)


def check_names(camera: str | None, window: int) -> None:
    """Raise ConfigError for a camera or a length of windows that cannot be."""
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


def named_after(source_id: str) -> str:
    """Return a camera name from the name of a source; characters that names cannot hold are spelt out."""
    from felicity.visible import visible
    from felicity.windows.names import LONGEST_NAME

    return visible(Path(source_id).stem or source_id).strip()[:LONGEST_NAME].strip() or "camera"


def _source_name(source: str | Path | int, annotate: str | Path | None) -> str:
    """Return the name of the source in the store: the full path of a file or folder, else the source as given."""
    from felicity.errors import ConfigError, SourceError
    from felicity.files import same

    path = Path(str(source))
    name = str(path.resolve()) if str(source).strip() and path.exists() else str(source)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SourceError(f"{str(source)!a}: a name in UTF-8 expected, because the store keeps it; rename it") from None
    if annotate is not None and same(Path(annotate), path):
        raise ConfigError(f"{annotate} is the source itself; write the annotated video elsewhere")
    return name


def place_of(location: str, store: StoreLike) -> tuple[ZoneInfo, list[Note]]:
    """Return the location's time zone, and a note if the location is new and its name closely resembles another.

    The time zone is UTC, as for a new location, if there is no store or it is unknown. Raises ConfigError for a new
    location with an impossible name, or with that of a workplace or school.
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
