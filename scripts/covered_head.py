"""Give a bundle an output that tells faces whose lower part is covered, by a head on features that it computes anyway.

    python scripts/covered_head.py BUNDLE OUTPUT --data FER2013 --more NEWS_FACES [--recipe recipes/covered.toml]

Masks, hands, cups and more are drawn before the faces of both data sets (``felicity.datasets.covers``), placed by the
eyes and noses that YuNet finds; where it finds none, the face stays free. A head learns from training faces which
mouths are hidden; validation faces as they are set its threshold; test faces, of other people, measure it, also with
styles that were never learnt. The network and its answers on expressions stay as they are. BUNDLE has eight bits;
OUTPUT may be BUNDLE, and an older output goes.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from felicity.datasets.augment import Augmentation, augment
from felicity.datasets.cover_styles import STYLES
from felicity.datasets.covers import Covered, Covering, draw_before
from felicity.datasets.drawing import FaceFrame
from felicity.errors import FelicityError
from felicity.export.covered_output import (
    OUTPUT,
    CoveredHead,
    features_after,
    with_covered_output,
    with_features,
    without_covered_output,
)
from felicity.faces.crop import lifted
from felicity.faces.registry import open_detector
from felicity.labels import EXPRESSIONS
from felicity.models.bundle import Bundle, open_bundle, write_bundle
from felicity.runtime import open_session
from felicity.training.config import DataConfig
from felicity.training.data import open_prepared

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
CAMERA = Augmentation(shift=0.08, zoom=0.15, turn=14.0, erase=0.0)
ENLARGED = 64
"""Pixels of a crop in which eyes and nose are looked for."""
KEPT = {"format", "weights", "weights_sha256", "facts_sha256", "training_weights", "covered"}
PARTS = ("train", "validation", "test")
BATCH, RANGES = 64, 8192


@dataclass(frozen=True)
class LabelledFaces:
    """Crops (N, s, s) of a part of the data, the place of each label, (N,), and the frame of faces with one."""

    images: Image = field(repr=False)
    frames: Sequence[FaceFrame | None] = field(repr=False)
    labels: npt.NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        return len(self.images)


Sets = Mapping[str, Mapping[str, LabelledFaces]]
"""Faces by data set and part."""


def faces_of(path: str, form: str | None, size: int, parts: Sequence[str] = PARTS) -> dict[str, LabelledFaces]:
    """Return the labelled faces of each part, ``size`` pixels wide; those with exactly one found face have a frame."""
    manifest, images = open_prepared(DataConfig(path=path, format=form, size=size))
    detector = open_detector("yunet", threads=1)
    places = np.array([EXPRESSIONS.index(name) for name in manifest.classes])[manifest.labels]
    found: dict[str, LabelledFaces] = {}
    for part in parts:
        rows = np.flatnonzero((manifest.splits == part) & (manifest.labels >= 0))
        frames = [_frame(images[row], detector) for row in rows]
        found[part] = LabelledFaces(np.ascontiguousarray(images[rows]), frames, places[rows])
        print(f"{path}, {part}: {sum(map(bool, frames)):,} of {len(rows):,} faces have a frame", flush=True)
    return found


def _frame(crop: Image, detector: Any) -> FaceFrame | None:
    large = cv2.resize(crop, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
    around = ENLARGED // 2
    picture = cv2.cvtColor(cv2.copyMakeBorder(large, *[around] * 4, cv2.BORDER_REPLICATE), cv2.COLOR_GRAY2RGB)
    seen = detector.detect(picture)
    if len(seen) != 1 or seen[0].eyes_xy is None:
        return None
    points = (np.array([*seen[0].eyes_xy, seen[0].nose_xy]) - around) * len(crop) / ENLARGED
    return FaceFrame.of(points[:2], points[2])


def spoilt(images: Image, rng: np.random.Generator) -> Image:
    """Return crops as cameras give them: shifted, turned, blurred, noisy, compressed, dark; then lifted as in use."""
    made = augment(images, rng, CAMERA)
    for row, image in enumerate(made):
        if rng.random() < 0.3:
            dark = (image / 255.0) ** rng.uniform(0.5, 2.2) * rng.uniform(0.25, 1.1)
            image = (255 * dark).clip(0, 255).astype(np.uint8)
        made[row] = lifted(image)
    return made


class Trunk:
    """The features of a bundle's network; float32 (N, C, H, W)."""

    def __init__(self, bundle: Bundle, block: int) -> None:
        self.onnx, self.bundle = without_covered_output(bundle.weights.read_bytes()), bundle
        self.features = features_after(self.onnx, block)
        self._session = open_session(with_features(self.onnx, self.features), threads=1)

    def bytes_of(self, images: Image) -> Image:
        """Return the features in their eight bits."""
        name = self._session.get_inputs()[0].name
        parts = (images[i : i + BATCH] for i in range(0, len(images), BATCH))
        return np.concatenate([self._session.run(None, {name: self.bundle.input.batch(part)})[0] for part in parts])

    def floats(self, eight_bits: Image) -> Floats:
        """Return the numbers that eight bits stand for."""
        return (eight_bits.astype(np.float32) - self.features.zero_point) * np.float32(self.features.scale)


def fitted(features: Image, covered: npt.NDArray[np.bool_], trunk: Trunk, recipe: Mapping[str, Any]) -> CoveredHead:
    """Return the head that a logistic loss fits (AdamW, one-cycle)."""
    import torch
    from torch import nn

    torch.manual_seed(recipe["seed"])
    torch.set_num_threads(1)
    channels, (_, depth, height, width) = recipe["channels"], features.shape
    mix, sum_up = nn.Conv2d(depth, channels, 1), nn.Linear(channels * height * width, 1)
    drop = nn.Dropout(recipe["dropout"])
    parameters = [*mix.parameters(), *sum_up.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=recipe["learning_rate"], weight_decay=recipe["weight_decay"])
    batch, rng = recipe["batch_size"], np.random.default_rng(recipe["seed"])
    steps = recipe["epochs"] * (len(features) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe["learning_rate"], total_steps=steps)
    smooth = recipe["smoothing"]
    targets = torch.from_numpy(covered.astype(np.float32) * (1 - smooth) + smooth / 2)
    for epoch in range(recipe["epochs"]):
        order, total = rng.permutation(len(features)), 0.0
        for i in range(0, len(order) - batch + 1, batch):
            rows = np.sort(order[i : i + batch])
            mixed = torch.relu(mix(torch.from_numpy(trunk.floats(features[rows]))))
            loss = nn.functional.binary_cross_entropy_with_logits(sum_up(drop(mixed.flatten(1)))[:, 0], targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / (len(order) // batch):.4f}", flush=True)
    with torch.no_grad():
        largest = max(
            float(mix(torch.from_numpy(trunk.floats(features[i : i + 512]))).max())
            for i in range(0, min(len(features), RANGES), 512)
        )
        kernel, weights = mix.weight.numpy()[:, :, 0, 0], sum_up.weight.numpy().reshape(channels, height, width)
        return CoveredHead(kernel, mix.bias.numpy(), weights, float(sum_up.bias), largest)


class Judge:
    """The finished network's logits of a covered face."""

    def __init__(self, onnx: bytes, bundle: Bundle) -> None:
        self._session, self._bundle = open_session(onnx, threads=1), bundle

    def logits(self, images: Image) -> Floats:
        """Return logits (N,) of crops (N, s, s)."""
        name = self._session.get_inputs()[0].name
        parts = [self._bundle.input.batch(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
        return np.concatenate([self._session.run([OUTPUT], {name: part})[0][:, 0] for part in parts])


def as_used(images: Iterable[Image]) -> Image:
    """Return crops, lifted where they are dark."""
    return np.stack([lifted(image) for image in images])


def measured(
    parts: Mapping[str, LabelledFaces], judge: Judge, threshold: float, recipe: Mapping[str, Any]
) -> dict[str, Any]:
    """Return, for each data set's part: free faces taken for covered, and covered ones found, by style, as shares."""
    told: dict[str, Any] = {}
    for name, faces in parts.items():
        rng = np.random.default_rng([recipe["seed"], 2])
        free = judge.logits(as_used(faces.images)) > threshold
        drawn = draw_before(faces.images, faces.frames, rng, Covering(0.7, 0.3))
        called = judge.logits(as_used(drawn.images)) > threshold
        told[name] = {"faces": len(faces), "free_taken": round(float(free.mean()), 4)}
        told[name] |= {"found": _by_style(drawn, called, covered=True), "decoys_taken": _by_style(drawn, called)}
    return told


def _by_style(drawn: Covered, called: npt.NDArray[np.bool_], *, covered: bool = False) -> dict[str, float]:
    there = (drawn.covered == covered) & (drawn.style != "")
    styles = sorted(set(drawn.style[there].tolist()))
    return {"all": round(float(called[there].mean()), 4)} | {
        style: round(float(called[there & (drawn.style == style)].mean()), 4) for style in styles
    }


def lessons(sets: Sets, recipe: Mapping[str, Any]) -> tuple[Image, npt.NDArray[np.bool_]]:
    """Return the crops to learn from, with things before them, and whether their mouths are hidden."""
    rng = np.random.default_rng([recipe["seed"], 1])
    styles = [style for style in STYLES if style not in recipe["held_out"]]
    images, covered = [], []
    for _ in range(recipe["draws"]):
        for faces in (parts["train"] for parts in sets.values()):
            drawn = draw_before(faces.images, faces.frames, rng, Covering(recipe["covered"], recipe["decoys"], styles))
            images.append(spoilt(drawn.images, rng))
            covered.append(drawn.covered)
    print(f"{sum(map(len, covered)):,} faces drawn", flush=True)
    return np.concatenate(images), np.concatenate(covered)


def words(recipe: Mapping[str, Any], faces: Sequence[LabelledFaces]) -> str:
    """Return in words what the head was trained on."""
    learnt = [style for style in STYLES if style not in recipe["held_out"]]
    return (
        f"{sum(map(len, faces)):,} training faces of FER2013 and press photographs, {recipe['draws']} times, with "
        f"{', '.join(learnt)} drawn before {recipe['covered']:.0%} of the mouths"
    )


def main() -> None:
    """Train the head, choose its threshold, measure it, and write the bundle."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("bundle")
    asked.add_argument("output", type=Path)
    asked.add_argument("--data", required=True)
    asked.add_argument("--more", required=True)
    asked.add_argument("--recipe", type=Path, default=Path("recipes/covered.toml"))
    asked.add_argument("--name", help="of the bundle (default: as it is)")
    flags = asked.parse_args()
    recipe = tomllib.loads(flags.recipe.read_text(encoding="utf-8"))
    try:
        bundle = open_bundle(flags.bundle)
        trunk = Trunk(bundle, recipe["block"])
        size = bundle.input.size
        sets = {"FER2013": faces_of(flags.data, "ferplus", size), "press": faces_of(flags.more, None, size)}
        made = with_head(bundle, trunk, sets, recipe, flags.output, flags.name)
    except FelicityError as error:
        sys.exit(f"error: {error}")
    print(f"{bundle.id} is {made.id} now, in {made.folder}")


def with_head(
    bundle: Bundle,
    trunk: Trunk,
    sets: Sets,
    recipe: Mapping[str, Any],
    output: Path,
    name: str | None = None,
    drawn: tuple[Image, npt.NDArray[np.bool_]] | None = None,
) -> Bundle:
    """Train on the training faces of ``sets``, measure on the others, and write the bundle with its new output.

    ``drawn``: the ``lessons`` of these faces, if they were drawn before.
    """
    images, covered = drawn or lessons(sets, recipe)
    head = fitted(trunk.bytes_of(images), covered, trunk, recipe)
    onnx = with_covered_output(trunk.onnx, trunk.features, head)
    judge = Judge(onnx, bundle)
    free = np.concatenate([judge.logits(as_used(parts["validation"].images)) for parts in sets.values()])
    threshold = round(float(np.quantile(free, 1 - recipe["free_taken"])), 3)
    parts = {f"{name}, {part}": of[part] for name, of in sets.items() for part in ("validation", "test")}
    metrics = measured(parts, judge, threshold, recipe)
    for part, told in metrics.items():
        print(part, told, flush=True)
    facts = bundle.facts.model_dump(exclude=KEPT)
    facts["covered"] = {
        "output": OUTPUT,
        "threshold": threshold,
        "trained_on": words(recipe, [parts["train"] for parts in sets.values()]),
        "held_out": list(recipe["held_out"]),
        "multiply_adds": head.multiply_adds,
        "metrics": metrics,
    }
    if name:
        facts["name"] = name
    kept, weights = bundle.facts.training_weights, bundle.training_weights()
    more = {"trained": weights, "origin": kept.origin} if kept and weights else {}
    return write_bundle(output, onnx, facts, **more)


if __name__ == "__main__":
    main()
