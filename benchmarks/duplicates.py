"""Near-duplicates among faces: share of injected copies that are found, false groups, seconds and memory.

python benchmarks/duplicates.py DATA/fer2013/fer2013.csv.gz [--images 30000] [--pairs FOLDER] [--json]

Copies of 200 faces of each kind are put among the others: as the faces are, black outside an ellipse (as aligned sets
have them), and in three sizes. A false group is one whose members, copies apart, are not all near-duplicates of its
first member at the default similarity; pairs of originals that are found are drawn with --pairs, to be judged by eye.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from felicity.datasets import open_dataset
from felicity.datasets.duplicates import Duplicates, find_duplicates, members
from felicity.datasets.facts import examine_images

Image = npt.NDArray[np.uint8]
EACH = 200


def masked(image: Image) -> Image:
    """The face within an ellipse, black around it."""
    height, width = image.shape
    inside = np.zeros(image.shape, np.uint8)
    cv2.ellipse(inside, (width // 2, height // 2), (int(width * 0.4), int(height * 0.48)), 0, 0, 360, 1, -1)
    return image * inside


def cropped(image: Image) -> Image:
    """Without 3 % at each side, at the same size."""
    cut = max(1, round(0.03 * len(image)))
    return np.asarray(cv2.resize(image[cut:-cut, cut:-cut], image.shape[::-1]), np.uint8)


def compressed(image: Image) -> Image:
    """As a JPEG of quality 50."""
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 0), np.uint8)


def moved(image: Image) -> Image:
    """Two pixels of 48 to the right and down, the border repeated."""
    by = 2 * len(image) / 48
    to = np.array([[1, 0, by], [0, 1, by]], np.float32)
    return np.asarray(cv2.warpAffine(image, to, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)


def lit(image: Image, by: float) -> Image:
    return np.clip(image * by, 0, 255).astype(np.uint8)


KINDS: dict[str, Callable[[Image], Image]] = {
    "identical": lambda image: image,
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "cropped 3 %": cropped,
    "JPEG 50": compressed,
    "10 % brighter": lambda image: lit(image, 1.1),
    "10 % darker": lambda image: lit(image, 0.9),
    "moved 2 px": moved,
}
SETS: dict[str, Callable[[Image, int], Image]] = {
    "as it is": lambda image, row: image,
    "black outside an ellipse": lambda image, row: masked(image),
    "three sizes": lambda image, row: np.asarray(cv2.resize(image, ((48, 72, 96)[row % 3],) * 2), np.uint8),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--images", type=int, default=30_000)
    parser.add_argument("--pairs", type=Path, help="folder for sheets of pairs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    samples = open_dataset(options.path, "fer2013-csv")
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(samples))[: options.images]
    faces = [np.asarray(samples.images[row]) for row in rows.tolist()]
    for name, change in SETS.items():
        originals = [change(face, row) for row, face in enumerate(faces)]
        chosen = rng.permutation(len(originals))[: EACH * len(KINDS)].reshape(len(KINDS), EACH)
        copies = [kind(originals[row]) for kind, some in zip(KINDS.values(), chosen, strict=True) for row in some]
        result = measured(originals, copies, chosen)
        found = result.pop("found")
        if options.pairs:
            options.pairs.mkdir(parents=True, exist_ok=True)
            sheet(originals, found, options.pairs / f"{name.replace(' ', '-')}.png", rng)  # type: ignore[arg-type]
        print(json.dumps({"set": name} | result) if options.json else f"{name}: {result}")
    large = [np.asarray(cv2.resize(face, (96, 96), interpolation=cv2.INTER_CUBIC), np.uint8) for face in faces]
    begun = time.perf_counter()
    find_duplicates(examine_images(large))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    row = {"images": len(large), "seconds": round(time.perf_counter() - begun, 1), "peak GB": round(peak, 2)}
    print(json.dumps({"set": "96x96"} | row) if options.json else f"96x96: {row}")


def measured(originals: list[Image], copies: list[Image], chosen: npt.NDArray[np.int64]) -> dict[str, object]:
    """Recall by kind and the largest group of originals, with what was found."""
    n = len(originals)
    begun = time.perf_counter()
    facts = examine_images([*originals, *copies])
    found = find_duplicates(facts)
    seconds = time.perf_counter() - begun
    recall = {}
    for number, kind in enumerate(KINDS):
        copied = n + number * EACH + np.arange(EACH)
        recall[kind] = round(float((found.similar[chosen[number]] == found.similar[copied]).mean()), 3)
    groups = [rows[rows < n] for rows in members(found.similar)]
    return {
        "recall": recall,
        "groups": len(groups),
        "largest groups": sorted((len(set(found.identical[rows].tolist())) for rows in groups), reverse=True)[:5],
        "pairs of originals": int((found.pairs < n).all(1).sum()),
        "seconds": round(seconds, 1),
        "found": found,
    }


def sheet(originals: list[Image], found: Duplicates, path: Path, rng: np.random.Generator) -> None:
    """A hundred drawn pairs of originals, one above the other, the least similar first."""
    own = np.flatnonzero((found.pairs < len(originals)).all(1))
    drawn = rng.permutation(own)[:100]
    drawn = drawn[np.argsort(found.similarities[drawn])]
    cells = [np.vstack([cv2.resize(originals[row], (64, 64)) for row in found.pairs[pair]]) for pair in drawn]
    cells += [np.zeros((128, 64), np.uint8)] * (-len(cells) % 20)
    cv2.imwrite(str(path), np.vstack([np.hstack(cells[start : start + 20]) for start in range(0, len(cells), 20)]))


if __name__ == "__main__":
    main()
