"""Calibration: a location's own soft matrix, from labelled faces of its own camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from felicity.api.auditing import record
from felicity.api.selection import counting_classifier, opened, to_path
from felicity.notes import Note

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from felicity.api.selection import StoreLike
    from felicity.datasets import Samples
    from felicity.faces import Detector
    from felicity.index.calibration import Calibration
    from felicity.labels import Classes
    from felicity.recognition.classifier import Classifier

Progress = Callable[[int, int], None]
"""Callback that receives how many of how many pictures are read."""


@dataclass(frozen=True)
class LocationCalibration:
    """The ``calibration`` of a location for a model, from ``faces`` labelled faces.

    ``without_face``: pictures in which no face was found.
    """

    location: str
    model: str
    calibration: Calibration
    faces: int
    without_face: int
    notes: tuple[Note, ...] = ()


def calibrate(
    location: str,
    labelled: str | Path,
    *,
    store: StoreLike = None,
    crop: bool = False,
    detector: str = "auto",
    bundle: str | Path | None = None,
    on_progress: Progress | None = None,
) -> LocationCalibration:
    """Measure how a bundle reads the faces of one location, and keep the location's soft matrix in the store.

    ``labelled``: a data set of faces of this very camera, at least 30 happy and 30 others; a csv may have a column
    ``weight``, for how many pictures each stands (``calibration_sample``). ``crop``: its pictures are faces already.
    Nothing of the pictures is kept. Raises ConfigError for an unknown location, StoreError, DatasetError, BundleError,
    DetectorError; EstimateError for too few faces, or where recall is too near the false-positive rate.
    """
    from felicity.api.sampling import weights_in
    from felicity.datasets import open_dataset
    from felicity.datasets.samples import UNDECIDED
    from felicity.errors import ConfigError, noted
    from felicity.faces.registry import open_detector
    from felicity.index.calibration import calibrate as measure

    path = to_path(labelled, "labelled")
    classifier = counting_classifier(bundle)
    identity = classifier.bundle.id
    shipped = classifier.bundle.soft_matrix
    with opened(store) as open_store:
        if open_store.location(location) is None:
            raise ConfigError(f"there is no location {location!r}; see: felicity locations list")
        finder = None if crop else open_detector(detector)
        samples = open_dataset(path)
        answers, labels, rows = _answers(samples, classifier, finder, on_progress)
        faceless = int((samples.labels != UNDECIDED).sum()) - len(rows)
        weights = weights_in(path, samples.names[rows].tolist())
        text = (
            f"{faceless} pictures without a face, or with a covered one; use --crop if the pictures are cut-out faces"
        )
        notes = (Note("pictures-without-face", text, location),) if faceless else ()
        with noted(notes):
            found = measure(answers, labels, shipped, weights=weights, name=str(path))
        open_store.save_model(identity, shipped, name=classifier.bundle.name)
        open_store.save_calibration(location, identity, found.soft)
        record(open_store, "calibrate", location, {"model": identity, "faces": len(labels)})
    return LocationCalibration(location, identity, found, len(labels), faceless, notes)


def _answers(
    samples: Samples, classifier: Classifier, detector: Detector | None, on_progress: Progress | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return answers (N, 8) and labels (N,), places of classes, of the pictures with a face, and their rows (N,).

    Of several faces in a picture, the best detection counts; covered ones are left out, as in the index.
    """
    import numpy as np

    from felicity.datasets.samples import UNDECIDED
    from felicity.recognition.photograph import read_faces

    places = _places(samples, classifier.classes)
    answers, labels, rows = [], [], []
    for row, label in enumerate(samples.labels.tolist()):
        if on_progress:
            on_progress(row + 1, len(samples))
        if label == UNDECIDED:
            continue
        image = samples.images[row]
        rgb = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
        faces = read_faces(rgb, classifier, detector)
        if faces and not faces[0].covered:
            answers.append(faces[0].probabilities)
            labels.append(places[label])
            rows.append(row)
    return np.array(answers).reshape(-1, 8), np.array(labels, dtype=np.int64), np.array(rows, dtype=np.int64)


def _places(samples: Samples, told: Classes) -> list[int]:
    """Return the place of each class of the samples: the place of the bundle's class that contains it, else its own.

    Raises DatasetError for a class of which only a part belongs to a class of the bundle.
    """
    from felicity.datasets.samples import classes_of
    from felicity.errors import DatasetError

    own, places = classes_of(samples), []
    for (name, made_of), place in zip(own.members.items(), own.places, strict=True):
        known = told.class_of(made_of)
        if known is None and (len(made_of) > 1 or place in told.places):
            raise DatasetError(
                f"class {name} of the data is no class of the bundle, which tells {told.text} apart; label the faces "
                f"by expressions, or use a bundle of the data's classes"
            )
        places.append(place if known is None else told.place(known))
    return places
