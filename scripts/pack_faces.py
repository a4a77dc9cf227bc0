"""Pack the faces that teachers learn from, without loss, into one small file for another machine.

    python scripts/pack_faces.py RECIPE.toml [RECIPE.toml ...] --data fer2013/ [--more labels.csv] [--without-test]
        [--output faces.npz]

Recipes say how images are read and divided, and which views their students will see. ``--more`` names a data set that
teachers learn from besides, by a head of its own; people of its validation set are not in its training set. Packed
are images, labels, votes and facts. ``scripts/teachers_gpu.py`` reads the file with NumPy alone.

A pixel is foretold from its neighbours (the median edge detector of JPEG-LS, Weinberger et al. 2000); what is left is
coded by Huffman, apart for every degree of unrest among the neighbours. It takes about two thirds of the bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
UNREST = np.array([4, 8, 12, 16, 21, 26, 32, 38, 45, 53, 62, 73, 86, 101, 119, 142, 172, 215, 285], dtype=np.int16)
"""Limits between the degrees: sums of differences between neighbours."""


@dataclass(frozen=True)
class Part:
    """``images`` uint8 ``(N, S, S)``; ``labels`` int8 ``(N, heads)``, -1 unknown; ``votes`` float16 ``(N, C)``."""

    images: Images
    labels: npt.NDArray[np.int8]
    votes: npt.NDArray[np.float16] | None = None


def squeeze(images: Images) -> list[bytes]:
    """Return a stream for every degree of unrest, from uint8 ``(N, S, S)``."""
    padded = _padded(images.shape)
    padded[2:, 2:-1] = images.transpose(1, 2, 0)
    streams: list[list[bytes]] = [[] for _ in range(len(UNREST) + 1)]
    for y, x, guess, order, ends in _looked_at(padded):
        left = ((padded[y, x] - guess) & 255).astype(np.uint8)[order]
        for stream, here in zip(streams, np.split(left, ends[:-1]), strict=True):
            stream.append(here.tobytes())
    return [_coded(b"".join(stream)) for stream in streams]


def expand(streams: list[bytes], number: int, side: int) -> Images:
    """Undo ``squeeze``."""
    flat = [np.frombuffer(zlib.decompress(stream), np.uint8) for stream in streams]
    padded = _padded((number, side, side))
    at = np.zeros(len(flat), dtype=np.int64)
    for y, x, guess, order, ends in _looked_at(padded):
        then = at + np.diff(ends, prepend=0)
        left = np.empty(number, dtype=np.int16)
        left[order] = np.concatenate([stream[a:b] for stream, a, b in zip(flat, at, then, strict=True)])
        padded[y, x], at = (guess + left) & 255, then
    return np.ascontiguousarray(padded[2:, 2:-1].transpose(2, 0, 1)).astype(np.uint8)


def _padded(shape: tuple[int, ...]) -> npt.NDArray[np.int16]:
    number, side, _ = shape
    return np.zeros((side + 2, side + 3, number), dtype=np.int16)


def _looked_at(padded: npt.NDArray[np.int16]) -> Iterator[tuple[int, int, Any, Any, Any]]:
    """Each place in turn with its guess for every image, images in order of their unrest, and where degrees end."""
    height, width, _ = padded.shape
    for y in range(2, height):
        for x in range(2, width - 1):
            west, north, corner = padded[y, x - 1], padded[y - 1, x], padded[y - 1, x - 1]
            low, high = np.minimum(west, north), np.maximum(west, north)
            guess = np.where(corner >= high, low, np.where(corner <= low, high, west + north - corner))
            pairs = (west, corner), (corner, north), (north, padded[y - 1, x + 1]), (padded[y, x - 2], west)
            unrest = sum(np.abs(one - other) for one, other in (*pairs, (padded[y - 2, x], north)))
            degree = np.searchsorted(UNREST, unrest, side="right").astype(np.uint8)
            order = np.argsort(degree, kind="stable")
            yield y, x, guess, order, np.cumsum(np.bincount(degree, minlength=len(UNREST) + 1))


def _coded(content: bytes) -> bytes:
    coder = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
    return coder.compress(content) + coder.flush()


def write(path: Path, parts: dict[str, Part], facts: dict[str, Any]) -> None:
    """Write the packed file, whole or not at all."""
    arrays: dict[str, npt.NDArray[Any]] = {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8)}
    for name, part in parts.items():
        arrays[f"{name}/shape"] = np.array(part.images.shape)
        arrays[f"{name}/labels"] = part.labels
        if part.votes is not None:
            arrays[f"{name}/votes"] = part.votes
        for number, stream in enumerate(squeeze(part.images)):
            arrays[f"{name}/{number}"] = np.frombuffer(stream, np.uint8)
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)
    os.replace(beside, path)


def read(path: Path) -> tuple[dict[str, Part], dict[str, Any]]:
    """Parts by name, and facts, as ``write`` took them."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    parts = {}
    for name in [key.removesuffix("/shape") for key in arrays if key.endswith("/shape")]:
        number, side, _ = arrays[f"{name}/shape"].tolist()
        streams = [arrays[f"{name}/{stream}"].tobytes() for stream in range(len(UNREST) + 1)]
        parts[name] = Part(expand(streams, number, side), arrays[f"{name}/labels"], arrays.get(f"{name}/votes"))
    return parts, json.loads(arrays["facts"].tobytes())


def gather(
    recipes: list[Path], data: str, more: str | None, names: tuple[str, ...]
) -> tuple[dict[str, Part], dict[str, Any]]:
    """Return the parts ``names`` of the recipes' data, and the facts on students that a teacher needs."""
    from felicity.errors import ConfigError
    from felicity.training.config import DataConfig, make_config, read_toml
    from felicity.training.data import load_training_set
    from felicity.training.fit import views_of
    from felicity.training.views import digest_of

    configs = {path.stem: make_config(read_toml(path), {"data": {"path": data}}) for path in recipes}
    first = next(iter(configs.values()))
    for name, config in configs.items():
        if not config.views:
            raise ConfigError(f"recipe {name}: makes no views that teachers could answer to; set views")
        if (config.data, config.soft_labels) != (first.data, first.soft_labels):
            raise ConfigError(f"recipe {name}: reads other images or labels than {recipes[0].stem}; pack it by itself")
    found = load_training_set(first.data, soft=first.soft_labels)
    parts = {}
    for name in names:
        part = getattr(found, name)
        labels = [
            part.labels,
            *([part.second] if part.second is not None else []),
            *([[-1] * len(part)] if more else []),
        ]
        votes = part.soft.astype(np.float16) if name == "train" and part.soft is not None else None
        parts[name] = Part(part.images, np.stack(labels, 1).astype(np.int8), votes)
    classes = [found.classes, *([found.second_classes] if found.second_classes else [])]
    if more:
        others = load_training_set(DataConfig(path=more, size=first.data.size, test_share=0.0, validation_share=0.15))
        for name in ("train", "validation"):
            part = getattr(others, name)
            unknown = np.full((len(part), len(classes)), -1)
            labels = np.concatenate([unknown, part.labels[:, None]], 1).astype(np.int8)
            parts[f"more-{name}"] = Part(part.images, labels)
        classes.append(others.classes)
    students = {
        name: {"number": config.views, "views": asdict(views_of(config, len(found.train)))}
        for name, config in configs.items()
    }
    facts = {"classes": classes, "more": bool(more), "images": digest_of(found.train.images), "students": students}
    return parts, facts


def main() -> None:
    """Pack what the command line names."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("recipes", type=Path, nargs="+")
    asked.add_argument("--data", required=True)
    asked.add_argument("--more")
    asked.add_argument("--without-test", action="store_true", help="a smaller file; teachers are not tested")
    asked.add_argument("--output", "-o", type=Path, default=Path("faces.npz"))
    flags = asked.parse_args()
    from felicity.errors import FelicityError

    try:
        names = ("train", "validation") if flags.without_test else ("train", "validation", "test")
        parts, facts = gather(flags.recipes, flags.data, flags.more, names)
        write(flags.output, parts, facts)
    except FelicityError as error:
        sys.exit(f"error: {error}")
    raw, packed = sum(part.images.nbytes for part in parts.values()), flags.output.stat().st_size
    counts = ", ".join(f"{name} {len(part.labels):,}" for name, part in parts.items())
    print(f"{flags.output}: {counts} faces, {raw / 1e6:.1f} MB in {packed / 1e6:.1f} MB ({packed / raw:.1%})")


if __name__ == "__main__":
    main()
