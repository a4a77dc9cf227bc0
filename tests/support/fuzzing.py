"""Mutated files into every parser: each raises what it promises, whatever it is given."""

from __future__ import annotations

import io
import random
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from felicity.array_files import read_arrays
from felicity.cities.location_files import read_geometry, read_locations
from felicity.datasets.classes import parse_classes
from felicity.datasets.manifest import IMAGES, MANIFEST, Manifest, read_images, read_manifest, write_manifest
from felicity.datasets.registry import open_dataset
from felicity.errors import FelicityError
from felicity.imaging.decode import read_image
from felicity.models.onnx_wire import check_network
from felicity.parsing import read_json, read_toml
from felicity.redaction import redacted
from felicity.sources import open_source
from felicity.store.engine import parse_url
from felicity.training import checkpoint
from felicity.training.run import LAST, RUN, open_run
from felicity.visible import steers, visible
from felicity.windows import Window
from felicity.windows.location import check_geometry
from tests.support import networks
from tests.support.media import write_video

KEPT = Path(__file__).parents[1] / "fuzz"
"""Inputs that once crashed, ``TARGET/anything``: never again."""
PROMISED = (FelicityError, ValueError)
_SPLICES = (
    b"9" * 400,
    b"[" * 300,
    b"NaN",
    b"\x00",
    b"\xff\xff\xff\xff",
    b"../",
    b"\x1b[31m",
    b"=1",
    b'"',
    b"\n",
    b"-1",
    b"1e999",
)


@dataclass(frozen=True)
class Target:
    """A parser: ``run`` takes bytes and raises only what is promised; ``seeds`` are files it accepts."""

    run: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]


def of_file(read: Callable[[Path], object], name: str) -> Callable[[bytes], object]:
    """Return ``read`` for content, which is put into a file called ``name``."""

    def run(content: bytes) -> object:
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            (Path(folder) / name).write_bytes(content)
            return read(Path(folder) / name)

    return run


def _pictures() -> list[bytes]:
    made = []
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF"):
        file = io.BytesIO()
        Image.fromarray(np.arange(24 * 16 * 3, dtype=np.uint8).reshape(24, 16, 3)).save(file, kind)
        made.append(file.getvalue())
    return made


def _videos() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        kinds = {"a.mp4": "mpeg4", "a.avi": "mjpeg", "a.mkv": "mpeg4", "a.ts": "mpeg2video"}
        pixels = {"mjpeg": "yuvj420p"}
        files = [
            write_video(Path(folder) / name, 3, codec=codec, pixel_format=pixels.get(codec, "yuv420p"))
            for name, codec in kinds.items()
        ]
        return [file.read_bytes() for file in files]


def _archives() -> list[bytes]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, picture in zip(("happy/1.png", "sad/2.jpg"), _pictures(), strict=False):
            archive.writestr(name, picture)
    return [file.getvalue()]


def _arrays() -> list[bytes]:
    plain, packed = io.BytesIO(), io.BytesIO()
    np.savez(plain, a=np.arange(6.0), b=np.zeros((2, 3), np.uint8))
    np.savez_compressed(packed, a=np.arange(60.0))
    return [plain.getvalue(), packed.getvalue()]


def _manifests() -> list[bytes]:
    n = 4
    whole, texts = np.arange(n), np.array([f"{i}.png" for i in range(n)])
    plain = Manifest(
        format="class-folders", classes=("happy", "sad"), options={"split": {"leaky": False}}, left_out={"blank": 1},
        names=texts, labels=whole % 2, soft_labels=None, folds=np.array([""] * n),
        splits=np.array(["train", "train", "test", "left out"]), k_folds=None, groups=whole, subjects=None,
        hashes=["0" * 32] * n, heights=whole + 8, widths=whole + 8, flags=[["blank"], [], [], []],
        remarks=("read so",), members={"sad": ("sad", "anger")},
    )  # fmt: skip
    rich = replace(
        plain, soft_labels=np.full((n, 2), 0.5, np.float32), k_folds=whole % 2, subjects=texts,
        other_labels={"FER2013": texts},
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for manifest in (plain, rich):
            write_manifest(manifest, Path(folder))
            made.append((Path(folder) / MANIFEST).read_bytes())
        return made


def _images() -> list[bytes]:
    grey, colour = io.BytesIO(), io.BytesIO()
    np.save(grey, np.zeros((3, 8, 8), np.uint8))
    np.save(colour, np.zeros((2, 8, 8, 3), np.uint8))
    return [grey.getvalue(), colour.getvalue()]


def _checkpoints() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / LAST
        state = {"model/0000": np.ones((2, 3), np.float32), "optimizer/0000": np.array(3)}
        checkpoint.save(file, state, {"progress": {"epoch": 1}, "history": []})
        return [file.read_bytes()]


def _window(content: bytes) -> object:
    return Window.from_json(read_json(content)).to_json()


def _told(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    told = redacted(text)
    assert redacted(told) == told, (text, told)
    assert not any(map(steers, visible(text)))


def _geometry(content: bytes) -> None:
    geometry = read_json(content)
    if isinstance(geometry, dict):
        check_geometry(geometry)


def _frames(path: Path) -> int:
    with open_source(path) as source:
        return sum(1 for _ in zip(source, range(20), strict=False))


_JSON = b'{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "A", "population": 3}, '
_POINT = b'"geometry": {"type": "Point", "coordinates": [1.5, 2]}}]}'
_TABLE = b"image,label,split,subject\n1.png,happy,train,a\n2.png,sad,test,b\n"
_PIXELS = b"emotion,pixels,Usage\n3," + b" ".join([b"7"] * 2304) + b",Training\n"
_WINDOW = (
    b'{"schema": 1, "location": "A", "camera": "c", "source": "s", "run_start": "2026-01-01T00:00:00+00:00", "model": '
    b'"m", "start": "2026-01-01T00:00:00+00:00", "seconds": 60, "people_seen": 1, "people": 0, "hard_counts": '
    b'[0,0,0,0,0,0,0,0], "prob_sums": [0,0,0,0,0,0,0,0], "prob_cross": ['
    + b",".join([b"[0,0,0,0,0,0,0,0]"] * 8)
    + b'], "frames_seen": 3, "frames_dropped": 0, "seconds_covered": 2.5, "rejected": {"small": 1}}'
)
_RUN = (
    b'{"format": 1, "pixels": {"mean": 0.5, "std": 0.25}, "config": {"data": {"path": "x"}}, '
    b'"classes": ["happy", "sad"]}'
)
_ADDRESSES = [b"rtsp://me:pw@cam:554/a?x=1&password=b", b"postgresql://me:pw@db/x?sslmode=require", b"sqlite:///a@b.db"]

TARGETS = {
    "json": Target(read_json, lambda: [_WINDOW, _JSON + _POINT]),
    "toml": Target(lambda content: read_toml(content.decode()), lambda: [b'a = 1\n[b]\nc = [1, 2.5]\nd = {e = 1}\n']),
    "window": Target(_window, lambda: [_WINDOW]),
    "geometry": Target(_geometry, lambda: [b'{"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,0]]]}']),
    "locations": Target(of_file(read_locations, "a.json"), lambda: [_JSON + _POINT]),
    "locations table": Target(of_file(read_locations, "a.csv"), lambda: [b"name,latitude,longitude\nA,1,2\nB,3,4\n"]),
    "area": Target(of_file(read_geometry, "a.json"), lambda: [_JSON + _POINT]),
    "classes": Target(
        of_file(lambda path: parse_classes(str(path)), "a.toml"),
        lambda: [b'[classes]\nbad = ["sad"]\n[names]\nx = "happy"\n']
    ),
    "run": Target(of_file(lambda path: open_run(path.parent), RUN), lambda: [_RUN]),
    "manifest": Target(of_file(lambda path: read_manifest(path.parent), MANIFEST), _manifests),
    "images": Target(of_file(lambda path: read_images(path.parent).sum(), IMAGES), _images),
    "checkpoint": Target(of_file(checkpoint.load, LAST), _checkpoints),
    "arrays": Target(lambda content: read_arrays(content, 1 << 20), _arrays),
    "network": Target(check_network, lambda: [networks.dense()[:3000], networks.with_loop(3)[-3000:]]),
    "picture": Target(read_image, _pictures),
    "archive": Target(of_file(open_dataset, "set.zip"), _archives),
    "table": Target(of_file(open_dataset, "set.csv"), lambda: [_TABLE, _PIXELS]),
    "video": Target(of_file(_frames, "film.mp4"), _videos),
    "store address": Target(lambda content: parse_url(content.decode()), lambda: _ADDRESSES),
    "told": Target(_told, lambda: [*_ADDRESSES, "a\x1b[31m\u202e\u2028 password='x y'".encode()]),
}  # fmt: skip
SLOW = ("video", "archive", "table", "manifest")
"""Some hundred inputs a second; the others are faster by far."""


@cache
def seeds_of(name: str) -> list[bytes]:
    """Return the files that a target accepts."""
    return TARGETS[name].seeds()


def kept(name: str) -> list[bytes]:
    """Return the inputs that once crashed a target."""
    return [file.read_bytes() for file in sorted((KEPT / name).glob("*"))]


def mutated(name: str, chance: random.Random) -> Iterator[bytes]:
    """Yield mutated seeds of a target without end: bytes flipped, cut, repeated, and spliced in."""
    seeds = seeds_of(name) + kept(name)
    while True:
        content = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            at = chance.randrange(len(content) + 1)
            how = chance.randrange(6)
            if how == 0 and at < len(content):
                content[at] = chance.randrange(256)
            elif how == 1 and at < len(content):
                content[at] ^= 1 << chance.randrange(8)
            elif how == 2:
                del content[at : at + chance.choice((1, 2, 8, 64))]
            elif how == 3:
                content[at:at] = chance.choice(_SPLICES)
            elif how == 4:
                content[at:at] = content[at : at + chance.choice((1, 4, 32))]
            else:
                content[at : at + 4] = chance.choice(_SPLICES)[:4]
        yield bytes(content)


def crash(name: str, content: bytes) -> Exception | None:
    """Return what a target raises beside what it promises; None if nothing."""
    try:
        TARGETS[name].run(content)
    except PROMISED:
        return None
    except Exception as error:
        return error
    return None
