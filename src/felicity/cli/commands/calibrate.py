"""``felicity calibrate``: a location's own soft matrix, from faces of its own camera."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from felicity.datasets import Samples
    from felicity.faces import Detector as FaceDetector
    from felicity.recognition.classifier import Classifier


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(calibrate)


def calibrate(
    location: Annotated[str, typer.Argument(metavar="LOCATION", help="A location of the store.")],
    labelled: Annotated[
        Path,
        typer.Option(metavar="FOLDER|CSV", help="Its labelled faces: a folder per expression, or a csv of path,label."),
    ],
    crop: Annotated[bool, typer.Option("--crop", help="The pictures are faces already: detect nothing.")] = False,
    store: options.Store = None,
    detector: options.Detector = "auto",
    bundle: options.Bundle = None,
    json: options.Json = False,
) -> None:
    """Measure how the bundle reads the faces of one location; its index is adjusted by that from then on.

    A camera is not a data set: light, height and distance change what a network answers. Take faces of this
    very camera, at least 30 happy and 30 others, labelled by people. Of the pictures nothing is kept.
    """
    from felicity.datasets import open_dataset
    from felicity.errors import ConfigError
    from felicity.faces.registry import open_detector
    from felicity.index.calibration import calibrate as measure
    from felicity.recognition.classifier import Classifier
    from felicity.store import open_store

    classifier = Classifier.open(bundle)
    shipped = classifier.bundle.soft_matrix
    with open_store(store, create=False) as opened:
        if opened.location(location) is None:
            raise ConfigError(f"there is no location {location!r}; see: felicity locations list")
        probabilities, labels, faceless = _answers(
            open_dataset(labelled), classifier, None if crop else open_detector(detector)
        )
        if faceless:
            console.warn(
                f"{faceless} pictures without a face that was found; use --crop if the pictures are cut-out faces"
            )
        found = measure(probabilities, labels, shipped, name=str(labelled))
        opened.save_model(classifier.bundle.id, shipped, name=classifier.bundle.name)
        opened.save_calibration(location, classifier.bundle.id, found.soft)
    if json:
        console.emit_json(
            {
                "location": location,
                "model": classifier.bundle.id,
                "faces": len(labels),
                "without_face": faceless,
                "local": vars(found.local),
                "bundle": vars(found.bundle),
                "borrowed": list(found.borrowed),
            }
        )
        return
    console.table(
        ("answers 'happy' to", f"at {location}", "as the bundle has it"),
        [
            ("happy faces (recall)", f"{found.local.recall:.1%}", f"{found.bundle.recall:.1%}"),
            ("others (false alarms)", f"{found.local.false_alarms:.1%}", f"{found.bundle.false_alarms:.1%}"),
            ("faces", f"{found.local.happy} + {found.local.others}", f"{found.bundle.happy} + {found.bundle.others}"),
        ],
        title=f"{location}: calibrated for {classifier.bundle.id}",
        numbers=(f"at {location}", "as the bundle has it"),
    )
    if found.borrowed:
        console.say(f"few or no local faces: {', '.join(found.borrowed)}; there the bundle's faces count as well")


def _answers(
    samples: Samples, classifier: Classifier, detector: FaceDetector | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], int]:
    """Answers (N, 8) and labels (N,) of the pictures with a face, and how many had none; the surest face counts."""
    import numpy as np

    from felicity.datasets.samples import UNDECIDED
    from felicity.recognition.photograph import read_faces

    rows, labels, faceless = [], [], 0
    with console.progress() as progress:
        task = progress.add_task("reading faces", total=len(samples))
        for row, label in enumerate(samples.labels.tolist()):
            progress.advance(task)
            if label == UNDECIDED:
                continue
            image = samples.images[row]
            rgb = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
            faces = read_faces(rgb, classifier, detector)
            if not faces:
                faceless += 1
                continue
            rows.append(faces[0].probabilities)
            labels.append(label)
    return np.array(rows).reshape(-1, 8), np.array(labels, dtype=np.int64), faceless
