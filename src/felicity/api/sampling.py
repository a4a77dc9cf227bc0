"""Pictures to label for a calibration, drawn by the bundle's answers, so that a few suffice."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from felicity.api.selection import counting_classifier, to_path

if TYPE_CHECKING:
    from felicity.faces import Detector
    from felicity.recognition.classifier import Classifier

Progress = Callable[[int, int], None]
"""Callback that receives how many of how many pictures are read."""
TABLE, PAGE = "to_label.csv", "to_label.html"
STRATA = {"happy": 2 / 3, "unsure": 1 / 3, "not happy": 0.0}
"""Groups of the bundle's answers, by the least probability of happy; as many pictures are drawn from each."""
_FEWEST = 10


@dataclass(frozen=True)
class CalibrationSample:
    """Pictures drawn for labelling, named in ``table`` and shown on ``page``.

    ``pictures`` were read, of which ``without_face`` had no face, or a covered one. ``strata``: number of drawn
    pictures by answer.
    """

    table: Path
    page: Path
    pictures: int
    without_face: int
    strata: dict[str, int]

    @property
    def drawn(self) -> int:
        """Return how many were drawn."""
        return sum(self.strata.values())


def calibration_sample(
    pictures: str | Path,
    *,
    number: int = 240,
    crop: bool = False,
    detector: str = "auto",
    bundle: str | Path | None = None,
    seed: int = 1,
    on_progress: Progress | None = None,
) -> CalibrationSample:
    """Draw pictures of consenting persons to label, and write a table to fill in and a page to label them on.

    ``pictures``: a folder of pictures by the very camera, one person each; both files are written into it. As many are
    drawn of each of ``STRATA`` as there are, ``number`` in all, each with the number of pictures that it stands for
    (``weight``), so that ``calibrate`` is not biased by the choice. No picture is written or changed. Raises
    ConfigError for a folder with fewer than ten pictures with a face, BundleError, DetectorError, ImageError.
    """
    import numpy as np

    from felicity.errors import ConfigError
    from felicity.faces.registry import open_detector
    from felicity.files import write_whole
    from felicity.imaging.folder import images_below
    from felicity.reports.labelling import labelling_page

    folder = to_path(pictures, "pictures")
    if not folder.is_dir():
        raise ConfigError(f"{folder}: is no folder; give a folder of pictures")
    if number < _FEWEST:
        raise ConfigError(f"at least {_FEWEST} pictures are drawn to be labelled, not {number}")
    classifier, finder = counting_classifier(bundle), None if crop else open_detector(detector)
    paths = images_below(folder)
    happy = _happy(paths, classifier, finder, on_progress)
    found = [path for path in paths if path in happy]
    if len(found) < _FEWEST:
        raise ConfigError(
            f"{folder}: {len(found)} of {len(paths)} pictures have a face that was found and is not "
            f"covered, and at least {_FEWEST} are needed; use --crop if the pictures are cut-out faces"
        )
    stratum = {path: next(name for name, least in STRATA.items() if happy[path] >= least) for path in found}
    sizes = {name: [path for path in found if stratum[path] == name] for name in STRATA}
    shares = _shared_out(number, {name: len(members) for name, members in sizes.items()})
    rng = np.random.default_rng(seed)
    rows = []
    for name, members in sizes.items():
        for place in rng.permutation(len(members))[: shares[name]]:
            rows.append((members[place].relative_to(folder).as_posix(), len(members) / shares[name]))
    order = rng.permutation(len(rows))  # labellers must not see the bundle's answers
    drawn = [rows[place] for place in order]
    write_whole(folder / TABLE, _table(drawn))
    write_whole(folder / PAGE, labelling_page(drawn).encode())
    return CalibrationSample(folder / TABLE, folder / PAGE, len(paths), len(paths) - len(found), shares)


def _happy(
    paths: Sequence[Path], classifier: Classifier, detector: Detector | None, on_progress: Progress | None
) -> dict[Path, float]:
    """Return the probability of happy of each picture's best face, but for pictures without one or covered ones."""
    from felicity.imaging.decode import read_image
    from felicity.labels import HAPPY_INDEX
    from felicity.recognition.photograph import read_faces

    found = {}
    for number, path in enumerate(paths, 1):
        faces = read_faces(read_image(path), classifier, detector)
        if faces and not faces[0].covered:
            found[path] = float(faces[0].probabilities[HAPPY_INDEX])
        if on_progress:
            on_progress(number, len(paths))
    return found


def _shared_out(number: int, sizes: dict[str, int]) -> dict[str, int]:
    """Return how many of each stratum are drawn: equally many, and all of small ones."""
    left, shares = number, {}
    for place, name in enumerate(sorted(sizes, key=lambda name: sizes[name])):
        shares[name] = min(sizes[name], left // (len(sizes) - place))
        left -= shares[name]
    return {name: shares[name] for name in sizes}


def _table(rows: Sequence[tuple[str, float]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "label", "weight"))
    writer.writerows((path, "", f"{weight:.6g}") for path, weight in rows)
    return text.getvalue().encode()


def weights_in(table: Path, names: Sequence[str]) -> list[float] | None:
    """Return the weight of each picture of a table of labels, 1 for one without; None if the table has no weights.

    Raises DatasetError for a weight that is no number above 0.
    """
    import math
    import os

    from felicity.errors import DatasetError

    if table.suffix.lower() != ".csv":
        return None
    with open(table, newline="", encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream)
        if "weight" not in (rows.fieldnames or ()) or "path" not in (rows.fieldnames or ()):
            return None
        found = {}
        for number, row in enumerate(rows, 2):
            try:
                weight = float(row["weight"] or 1)
            except ValueError:
                weight = math.nan
            if not 0 < weight < math.inf:
                raise DatasetError(f"{table}: line {number}: weight is a number above 0, not {row['weight']!r:.40}")
            found[os.path.normpath((row["path"] or "").replace("\\", "/"))] = weight
    return [found.get(name, 1.0) for name in names]
