"""The Python API: what the commands do, as functions with typed results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from felicity.index import IndexRow
    from felicity.index.buckets import By
    from felicity.recognition.photograph import FaceReading
    from felicity.watching import WatchSummary


def read(
    image: str | Path | bytes | npt.NDArray[np.uint8],
    *,
    detector: str = "auto",
    crop: bool = False,
    bundle: str | Path | None = None,
) -> list[FaceReading]:
    """Faces of one picture and what they show, best detection first.

    ``image``: a file, its bytes, or uint8 ``(height, width, 3)`` RGB. ``crop``: it is a face already.
    For many pictures use ``felicity.recognition.photographs.read_photographs``, which opens the
    network once. Raises ImageError, DetectorError, BundleError.
    """
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
    store: str | None = None,
    window: int = 60,
    fps: float | None = None,
    start: datetime | None = None,
    detector: str = "auto",
    bundle: str | Path | None = None,
    annotate: str | Path | None = None,
    on_frame: Callable[[WatchSummary], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    on_open: Callable[[Callable[[], None]], None] | None = None,
) -> WatchSummary:
    """Watch a source to its end and write its windows; the options are those of ``felicity watch``.

    ``on_open`` is given a function that ends the watch soon, the open window written. Raises SourceError,
    StoreError, DetectorError, BundleError, ConfigError.
    """
    from felicity.errors import ConfigError
    from felicity.index import Location
    from felicity.index.window import LONGEST
    from felicity.recognition.classifier import Classifier
    from felicity.sources.registry import SourceOptions, open_source
    from felicity.store import open_store
    from felicity.watching import watch_source

    Location(location)
    if not 1 <= window <= LONGEST:
        raise ConfigError(f"a window lasts 1 to {LONGEST} seconds, not {window}")
    path = Path(str(source))
    name = str(path.resolve()) if path.exists() else str(source)
    classifier = Classifier.open(bundle)
    with (
        open_store(store) as opened,
        open_source(name, options=SourceOptions(start=start, fps=fps, on_note=on_note)) as frames,
    ):
        if on_open:
            on_open(frames.stop)
        return watch_source(
            frames,
            location=location,
            camera=camera or Path(frames.source_id).stem or frames.source_id,
            store=opened,
            classifier=classifier,
            detector=detector,
            seconds=window,
            annotate=Path(annotate) if annotate else None,
            on_frame=on_frame,
            on_note=on_note,
        )


def happiness(
    *,
    store: str | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    by: By = "total",
    locations: Sequence[str] | None = None,
    k: int = 10,
    model: str | None = None,
) -> tuple[list[IndexRow], list[str]]:
    """The happiness index of places and periods, and remarks on what was left out of it.

    ``begin`` ≤ start of a window < ``end``; a time without a zone is meant on each location's clock. ``by``:
    total, minute, hour, day, week or month. Figures of fewer than ``k`` people are None. ``model``: a bundle's
    ``id``, by default that of the latest windows. Raises StoreError, ConfigError.
    """
    from felicity.index import compute_index
    from felicity.store import open_store

    with open_store(store) as opened:
        groups = opened.sums(by, begin=begin, end=end, locations=locations, model=model)
        return compute_index(groups, opened.soft_matrices(), k=k), list(groups.notes)
