"""Many photographs: read in order with constant memory on all cores; unreadable ones are set aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import FelicityError, ImageError
from felicity.faces import Detector
from felicity.faces.detection import holds_interpreter
from felicity.imaging.decode import read_image
from felicity.imaging.folder import walk_images
from felicity.recognition.classifier import BATCH, Classifier
from felicity.recognition.eyes import Eyes, open_eyes
from felicity.recognition.listing import listed
from felicity.recognition.photograph import FaceReading, read_faces, readings_of, whole_as_crop
from felicity.system import cores
from felicity.work import Here, Processes, Threads

Image = npt.NDArray[np.uint8]
FEW = 24
"""Images that are read before processes would have begun."""


@dataclass(frozen=True)
class ImageReading:
    """The reading of one photograph, or the sentence why it could not be read."""

    path: str
    faces: tuple[FaceReading, ...] = ()
    error: str | None = None

    @property
    def values(self) -> dict[str, Any]:
        """Return the plain values of ``schemas.seeing.ImageShape``."""
        return {"image": self.path, "faces": [face.values for face in self.faces], "error": self.error}


def find_images(
    paths: Iterable[str | Path], lists: Iterable[str | Path] = (), *, without: Path | None = None
) -> Iterator[Path]:
    """Yield files in the given order, of a folder all images below it by name, then those of ``lists``.

    ``without``: a folder to leave out. ``lists``: see ``listing.listed``. Raises ImageError for an empty name, and for
    a folder without images or without permission; ConfigError for a list that cannot be read.
    """
    for given in paths:
        if not str(given).strip():
            raise ImageError("an image or a folder expected, an empty name found; is a variable not set?")
        path = Path(given)
        if not path.is_dir():
            yield path
            continue
        below = walk_images(path, without=without)
        if (first := next(below, None)) is None:
            raise ImageError(f"{path}: a folder with images expected, none found; check the path")
        yield first
        yield from below
    for each in lists:
        yield from map(Path, listed(str(each)))


def read_photographs(
    paths: Iterable[Path],
    classifier: Classifier,
    detector: Detector | None,
    *,
    workers: int | None = None,
    eyes: Eyes | None = None,
) -> Iterator[tuple[ImageReading, Image | None]]:
    """Yield readings in the order of ``paths``, each with its decoded picture to draw on.

    Without a detector, each picture is a face already, and many are classified at a time. ``workers``: number of
    pictures read in parallel; None for one per core. ``eyes``: the settings of ``classifier`` and ``detector``. With
    them, more than ``FEW`` pictures are read in processes if the detector holds the interpreter, and come back as None.
    """
    workers = workers or cores()
    if eyes is not None and detector is not None and workers > 1 and holds_interpreter(detector):
        paths = iter(paths)
        first = list(islice(paths, FEW + 1))
        paths = chain(first, paths)
        if len(first) > FEW:
            yield from ((reading, None) for reading in Processes(workers).results(partial(_read_by, eyes), paths))
            return
    work = Here() if workers == 1 else Threads(workers)
    if detector is not None:
        yield from work.results(lambda path: _read_one(path, classifier, detector), paths)
        return
    decoded = work.results(_decoded, paths)
    while group := list(islice(decoded, BATCH)):
        crops = [whole_as_crop(image, classifier) for _, image in group if not isinstance(image, str)]
        answers = classifier.answers(np.stack(crops)) if crops else None
        faces = iter(readings_of([None] * len(crops), answers, classifier.classes) if answers else ())
        for path, image in group:
            if isinstance(image, str):
                yield ImageReading(str(path), error=image), None
            else:
                yield ImageReading(str(path), (next(faces),)), image


def _read_one(path: Path, classifier: Classifier, detector: Detector) -> tuple[ImageReading, Image | None]:
    _, image = _decoded(path)
    if isinstance(image, str):
        return ImageReading(str(path), error=image), None
    return ImageReading(str(path), tuple(read_faces(image, classifier, detector))), image


def _read_by(eyes: Eyes, path: Path) -> ImageReading:
    """Return the reading of this process."""
    classifier, detector = open_eyes(eyes)
    assert detector is not None
    return _read_one(path, classifier, detector)[0]


def _decoded(path: Path) -> tuple[Path, Image | str]:
    """Return a path with its picture, or with the sentence why it is unreadable."""
    try:
        return path, read_image(path)
    except FelicityError as error:
        return path, str(error)
