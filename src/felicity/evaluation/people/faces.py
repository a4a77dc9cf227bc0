"""A bundle's results on labelled pictures of people: found or not, refused or not, and its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from felicity.datasets.samples import UNDECIDED, Samples
from felicity.errors import DatasetError, ImageError
from felicity.faces import Detector
from felicity.faces.quality import QualityGate
from felicity.labels import HAPPY_INDEX
from felicity.metrics.classification import Floats
from felicity.recognition.classifier import Classifier
from felicity.recognition.photograph import read_faces

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Seen:
    """N labelled pictures, and the answers of a bundle to them.

    ``names`` (N,); ``happy`` (N,), whether labelled happy; ``found`` (N,), whether a face was found; ``judged`` (N,),
    whether it was also good enough to be judged; ``probabilities`` (N, 8), NaN if not judged; ``people`` (N,), the
    person shown. ``undecided``, ``unreadable``: numbers of pictures left out without a single label, or because they
    are unreadable.
    """

    names: npt.NDArray[np.str_] = field(repr=False)
    happy: Flags = field(repr=False)
    found: Flags = field(repr=False)
    judged: Flags = field(repr=False)
    probabilities: Floats = field(repr=False)
    people: npt.NDArray[np.str_] = field(repr=False)
    undecided: int = 0
    unreadable: int = 0

    @property
    def called_happy(self) -> Flags:
        """Return whether happy is the most probable answer, (N,)."""
        return np.asarray(self.judged & (np.nan_to_num(self.probabilities).argmax(1) == HAPPY_INDEX))


def see(
    samples: Samples,
    classifier: Classifier,
    detector: Detector | None,
    *,
    gate: QualityGate | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Seen:
    """Read the pictures of ``samples`` with ``classifier``; no picture is kept.

    ``detector`` None: the pictures are faces already, and each is found and judged. Otherwise the best detection
    counts, if it passes ``gate`` and its lower part is not covered, as it does for a camera. Raises DatasetError if no
    class is happy, or no picture is readable; single unreadable pictures are left out and counted.
    """
    if "happy" not in samples.classes or len(samples.classes) < 2:
        raise DatasetError(f"the data are labelled {', '.join(samples.classes)}; happy and one other are needed")
    rows = np.flatnonzero(samples.labels != UNDECIDED)
    found, judged, readable = np.zeros((3, len(rows)), dtype=np.bool_)
    probabilities = np.full((len(rows), 8), np.nan)
    gate = gate or QualityGate()
    for i, row in enumerate(rows.tolist()):
        if on_progress:
            on_progress(i + 1, len(rows))
        try:
            image = samples.images[row]
        except ImageError:
            continue
        readable[i] = True
        rgb = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
        faces = read_faces(rgb, classifier, detector)
        found[i] = bool(faces)
        if not faces:
            continue
        detection = faces[0].detection
        judged[i] = not faces[0].covered and (detection is None or gate.judge(rgb, detection).rejected is None)
        if judged[i]:
            probabilities[i] = faces[0].probabilities
    if not readable.any():
        raise DatasetError(f"none of the {len(rows):,} pictures can be read; name others")
    kept = rows[readable]
    names = samples.names[kept]
    return Seen(
        names=names,
        happy=samples.labels[kept] == samples.classes.index("happy"),
        found=found[readable],
        judged=judged[readable],
        probabilities=probabilities[readable],
        people=names if samples.subjects is None else samples.subjects[kept],
        undecided=len(samples) - len(rows),
        unreadable=len(rows) - len(kept),
    )
