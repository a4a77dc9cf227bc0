"""What covered faces do to the index, and how surely they are told from others.

    python benchmarks/covered.py FER2013 [--faces FACES] [--sizes NEWS_FACES] [--bundles best,fast] [--days 60]

*Index*: days of 2,000 people drawn from FER2013's PublicTest, of whom 30 % are happy, whether covered or not. A mask or
another thing is drawn before the mouths of 0 to 100 % of them. The soft matrix is of the validation part alone. Bias of
the adjusted share in points, and in how many days its 95 % interval holds the truth: as if the bundle had no output for
covered faces, and with it; and how many people are then judged.

*Photographs*: FACES is a folder of portraits with ``labels.csv``, as for ``posed_faces.py``. Each is searched for faces
as it is, and with each thing drawn before it in its own resolution: in how many a face is found, and called covered.

*Sizes*: faces of NEWS_FACES' test set, shrunk as if YuNet's box were so many pixels high, with noise and as JPEG: how
many free ones are called covered, and how many of those with something before the mouth.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from felicity.datasets.cover_styles import STYLES
from felicity.datasets.covers import Covering, draw_before
from felicity.datasets.drawing import FaceFrame
from felicity.faces.detectors.yunet import YuNetDetector
from felicity.faces.registry import open_detector
from felicity.imaging.decode import read_image
from felicity.index.people_share import happy_share
from felicity.labels import HAPPY_INDEX
from felicity.models.bundle import Bundle, open_bundle
from felicity.recognition.classifier import Answers, Classifier
from felicity.recognition.photograph import read_faces
from felicity.simulation.labelled import AnsweredFaces

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from covered_head import LabelledFaces, as_used, faces_of

PEOPLE, HAPPY = 2000, 0.3
SIDES = (20, 24, 28, 32, 40, 48)
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SIDE = 500
"""Longer side to which photographs are shrunk, in pixels."""


@dataclass(frozen=True)
class Answered:
    """Answers to faces as they are, and to the same with things before them."""

    labels: np.ndarray
    free: Answers
    masked: Answers

    @classmethod
    def of(cls, faces: LabelledFaces, classifier: Classifier, seed: int = 3) -> Answered:
        """Draw something before every face, and ask for both."""
        rng = np.random.default_rng(seed)
        drawn = draw_before(faces.images, faces.frames, rng, Covering(1.0, 0.0))
        rows = drawn.covered
        return cls(
            faces.labels[rows],
            classifier.answers(as_used(faces.images[rows])),
            classifier.answers(as_used(drawn.images[rows])),
        )


def day(faces: Answered, drawn: AnsweredFaces, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the answers (N, 8) to the people of a day, and who is called covered, (N,)."""
    others = rng.choice(8, size=PEOPLE, p=drawn.others)
    labels = np.where(rng.random(PEOPLE) < HAPPY, HAPPY_INDEX, others).astype(np.intp)
    rows = drawn.rows_of(labels, rng)
    masked = rng.random(PEOPLE) < share
    p = np.where(masked[:, None], faces.masked.probabilities[rows], faces.free.probabilities[rows])
    assert faces.free.covered is not None and faces.masked.covered is not None
    return p, np.where(masked, faces.masked.covered[rows], faces.free.covered[rows])


def index_table(bundle: Bundle, faces: Answered, days: int) -> None:
    """Print a line for each share of covered people."""
    soft = bundle.without("test").soft_matrix
    drawn = AnsweredFaces(faces.labels, faces.free.probabilities)
    print(f"\n{bundle.id}: bias (points) and coverage (%) without the output; with it; people judged of {PEOPLE:,}")
    for share in SHARES:
        rng = np.random.default_rng([5, round(100 * share)])
        rows = []
        for _ in range(days):
            p, covered = day(faces, drawn, share, rng)
            told = [happy_share(each, soft, bundle.assumed_prior) for each in (p, p[~covered])]
            rows.append([x for one in told if one for x in (one.adjusted - 100 * HAPPY, one.low <= 30 <= one.high)])
            rows[-1].append(int((~covered).sum()))
        bias, held, own_bias, own_held, judged = np.mean(np.array(rows, dtype=float), axis=0)
        print(
            f"covered {share:4.0%}: {bias:+6.2f}, {100 * held:5.1f} %; {own_bias:+6.2f}, {100 * own_held:5.1f} %; "
            f"{judged:,.0f}",
            flush=True,
        )


def photographs(folder: Path, names: list[str]) -> None:
    """Print what is found and called covered, by bundle and thing."""
    with open(folder / "labels.csv", newline="") as stream:
        files = [row["file"] for row in csv.DictReader(stream)]
    detector = open_detector("yunet")
    pictures = []
    for file in files:
        image = read_image(folder / file)
        scale = min(1.0, SIDE / max(image.shape[:2]))
        pictures.append(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    greys = [np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)) for picture in pictures]
    seen = [detector.detect(picture)[0] for picture in pictures]
    frames = [FaceFrame.of(face.eyes_xy, face.nose_xy) for face in seen]
    classifiers = {name: Classifier.open(name) for name in names}
    for thing in ("", *STYLES):
        rng = np.random.default_rng(7)
        shown = greys
        if thing:
            shown = [draw_one(grey, frame, rng, thing) for grey, frame in zip(greys, frames, strict=True)]
        found = 0
        called = dict.fromkeys(names, 0)
        for grey in shown:
            rgb = np.repeat(grey[..., None], 3, axis=2)
            for name, classifier in classifiers.items():
                faces = read_faces(rgb, classifier, detector)
                found += bool(faces)
                called[name] += bool(faces) and bool(faces[0].covered)
        said = ", ".join(f"{name} {count}" for name, count in called.items())
        print(
            f"{thing or 'nothing':11} {found // len(names)} of {len(shown)} found, called covered: {said}", flush=True
        )


def sizes_table(data: str, names: list[str]) -> None:
    """Print a line for each bundle and height of a box, from SIDES."""
    for name in names:
        classifier = Classifier.open(name, threads=1)
        faces = faces_of(data, None, classifier.input.size, parts=("test",))["test"]
        drawn = draw_before(faces.images, faces.frames, np.random.default_rng(3), Covering(1.0, 0.0))
        free = np.array([image for image, hidden in zip(faces.images, drawn.covered, strict=True) if hidden])
        for side in SIDES:
            rng = np.random.default_rng(side)
            told = [
                classifier.answers(as_used(coarse(images, side, rng))) for images in (free, drawn.images[drawn.covered])
            ]
            taken, found = (float(np.mean(each.covered)) for each in told)
            print(
                f"{name}, {side} pixels: {taken:.1%} of {len(free):,} free ones, {found:.1%} of covered ones",
                flush=True,
            )


def coarse(images: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Return crops (N, s, s) as from boxes of ``side`` pixels in a noisy, compressed picture."""
    pixels, size = round(YuNetDetector.geometry.scale * side), images.shape[1]
    made = []
    for image in images:
        small = cv2.resize(image, (pixels, pixels), interpolation=cv2.INTER_AREA)
        around = cv2.copyMakeBorder(small, *[8] * 4, cv2.BORDER_REPLICATE)
        noisy = (around + rng.normal(0, 4, around.shape)).clip(0, 255).astype(np.uint8)
        packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
        read = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)[8:-8, 8:-8]
        made.append(cv2.resize(read, (size, size), interpolation=cv2.INTER_LINEAR))
    return np.stack(made)


def draw_one(grey: np.ndarray, frame: FaceFrame, rng: np.random.Generator, thing: str) -> np.ndarray:
    """Return a square picture with a thing before its face."""
    side = max(grey.shape)
    square = cv2.copyMakeBorder(grey, 0, side - grey.shape[0], 0, side - grey.shape[1], cv2.BORDER_REPLICATE)
    return draw_before(square[None], [frame], rng, Covering(1.0, 0.0, (thing,))).images[0]


def main() -> None:
    """Print both tables."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("data")
    asked.add_argument("--faces", type=Path)
    asked.add_argument("--sizes")
    asked.add_argument("--bundles", default="best,fast")
    asked.add_argument("--days", type=int, default=60)
    flags = asked.parse_args()
    names = flags.bundles.split(",")
    if flags.faces:
        photographs(flags.faces, names)
    if flags.sizes:
        sizes_table(flags.sizes, names)
    for name in names:
        bundle = open_bundle(name)
        people = faces_of(flags.data, "ferplus", bundle.input.size, parts=("test",))["test"]
        index_table(bundle, Answered.of(people, Classifier(bundle, threads=1)), flags.days)


if __name__ == "__main__":
    main()
