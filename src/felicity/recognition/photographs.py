"""Many photographs: read in order at constant memory, bad ones set aside, decoding ahead of detection."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.errors import FelicityError, ImageError
from felicity.faces import Detector
from felicity.imaging.decode import read_image
from felicity.imaging.folder import images_below
from felicity.recognition.classifier import BATCH, Classifier
from felicity.recognition.photograph import FaceReading, read_faces, whole_as_crop

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ImageReading:
    """What was found in one photograph, or the sentence why it could not be read."""

    path: str
    faces: tuple[FaceReading, ...] = ()
    error: str | None = None


def find_images(paths: Iterable[str | Path], *, without: Path | None = None) -> list[Path]:
    """Files as they come; of a folder all images below it by name, but for those in the folder ``without``.

    Raises ImageError for an empty name, and for a folder that has no image or may not be read.
    """
    found: list[Path] = []
    for given in paths:
        if not str(given).strip():
            raise ImageError("an image or a folder expected, an empty name found; is a variable not set?")
        path = Path(given)
        listed = images_below(path, without=without) if path.is_dir() else [path]
        if not listed:
            raise ImageError(f"{path}: a folder with images expected, none found; check the path")
        found += listed
    return found


def read_photographs(
    paths: Iterable[Path], classifier: Classifier, detector: Detector | None
) -> Iterator[tuple[ImageReading, Image | None]]:
    """Readings in the order of ``paths``, each with its decoded picture for whoever wants to draw on it.

    Without a detector each picture is a face already; these are classified many at a time.
    """
    decoded = _decoded_ahead(paths)
    if detector is not None:
        for path, image in decoded:
            yield _read_one(path, image, classifier, detector)
        return
    while group := list(islice(decoded, BATCH)):
        crops = [whole_as_crop(image, classifier) for _, image in group if not isinstance(image, str)]
        answers = iter(classifier.probabilities(np.stack(crops)) if crops else ())
        for path, image in group:
            if isinstance(image, str):
                yield ImageReading(str(path), error=image), None
            else:
                yield ImageReading(str(path), (FaceReading(None, next(answers), classifier.classes),)), image


def _read_one(
    path: Path, image: Image | str, classifier: Classifier, detector: Detector
) -> tuple[ImageReading, Image | None]:
    if isinstance(image, str):
        return ImageReading(str(path), error=image), None
    return ImageReading(str(path), tuple(read_faces(image, classifier, detector))), image


def _decoded_ahead(paths: Iterable[Path], ahead: int = 4) -> Iterator[tuple[Path, Image | str]]:
    """Each path with its picture, or with the sentence why not; ``ahead`` pictures are decoded in a thread."""

    def decode(path: Path) -> Image | str:
        try:
            return read_image(path)
        except FelicityError as error:
            return str(error)

    waiting: deque[tuple[Path, Future[Image | str]]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="decode") as pool:
        try:
            for path in paths:
                waiting.append((path, pool.submit(decode, path)))
                if len(waiting) > ahead:
                    done = waiting.popleft()
                    yield done[0], done[1].result()
            while waiting:
                done = waiting.popleft()
                yield done[0], done[1].result()
        finally:
            pool.shutdown(cancel_futures=True)
