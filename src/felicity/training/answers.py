"""Answers of teachers to the views of a data set, in files, so that a student need not compute them.

A folder of ``answers.json`` and ``views-NN.npz``. Large teachers answer on another machine than the student's.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.array_files import read_arrays
from felicity.datasets.augment import Augmentation
from felicity.errors import ConfigError
from felicity.files import make_folder, write_whole
from felicity.parsing import read_json
from felicity.training.views import ImageArray, View, Views, digest_of, lightness

FORMAT, FACTS = 1, "answers.json"
LARGEST = 15_000_000
"""Bytes of a file of views, about."""
MOST_BYTES = 1 << 30
"""Largest size of a file of answers in bytes; it is written unpacked."""
NEAR, MOST = 2, 0.99
"""Views count as equal if the lightness of most images differs by at most this: OpenCV's versions round differently."""

Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """Answers to ``number`` views of images, as made by ``views``.

    ``classes``: of each head. ``images``: their digest. ``id``: folder and digest, as ``answers@0123456789ab``.
    """

    folder: Path
    id: str
    views: Views
    number: int
    classes: tuple[tuple[str, ...], ...]
    images: str
    probabilities: Sequence[npt.NDArray[np.float16]]
    lightness: Sequence[ImageArray]

    def __call__(self, images: ImageArray, view: View) -> Floats32:
        """Return probabilities ``(B, C)`` for ``view``: the mean over its ``images`` and their mirror images.

        Raises ConfigError if the images are not those of the answers.
        """
        apart = np.abs(lightness(images).astype(int) - self.lightness[view.number][view.rows])
        if (apart <= NEAR).mean() < MOST:
            raise ConfigError(
                f"{self.folder}: answers to other pictures than view {view.number} shows from image "
                f"{view.rows.start:,} on; make the answers again with the versions of NumPy and OpenCV in use here"
            )
        return self.probabilities[view.number][view.rows].astype(np.float32)

    def check(self, views: Views, number: int, classes: Sequence[Sequence[str]], images: ImageArray) -> None:
        """Raise ConfigError unless these are answers to ``number`` such views of ``images`` by those ``classes``."""
        if not number:
            raise ConfigError(f"{self.folder}: answers to views, but views is 0; train with --views {self.number}")
        if number > self.number:
            raise ConfigError(
                f"{self.folder}: answers to {self.number} views, not {number}; choose at most {self.number}"
            )
        for name, found, asked in (
            ("seed", self.views.seed, views.seed),
            ("batch_size", self.views.block, views.block),
            ("mix", self.views.mix, views.mix),
            ("augmentation", self.views.how, views.how),
            ("classes", self.classes, tuple(map(tuple, classes))),
        ):
            if found != asked:
                raise ConfigError(f"{self.folder}: answers were made for {name} {found}, not {asked}; choose the same")
        if self.images != digest_of(images):
            raise ConfigError(f"{self.folder}: answers to other images; train on the data set that they were made for")


def is_answers(where: str | Path) -> bool:
    """Return whether a folder holds answers."""
    return (Path(where) / FACTS).is_file()


def write_answers(
    folder: Path,
    views: Views,
    classes: Sequence[Sequence[str]],
    images: str,
    said: Sequence[tuple[npt.NDArray[np.float16], ImageArray]],
    made: Mapping[str, Any],
) -> None:
    """Write probabilities ``(N, C)`` and lightness ``(N,)`` of each view. ``made``: their origin, plain values.

    ``answers.json`` is written last. Raises ConfigError if the folder cannot be written.
    """
    make_folder(folder)
    several = max(1, LARGEST // (said[0][0].nbytes + said[0][1].nbytes))
    files = {}
    for first in range(0, len(said), several):
        arrays: dict[str, npt.NDArray[Any]] = {}
        for number, (probabilities, light) in enumerate(said[first : first + several], first):
            arrays |= {f"answers-{number}": probabilities, f"lightness-{number}": light}
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, **arrays)
        name = f"views-{first:02}.npz"
        write_whole(folder / name, packed.getvalue())
        files[name] = sha256(packed.getvalue()).hexdigest()
    facts = {
        "format": FORMAT,
        "number": len(said),
        "views": asdict(views),
        "classes": [list(each) for each in classes],
        "images": images,
        "files": files,
        "made": dict(made),
    }
    write_whole(folder / FACTS, (json.dumps(facts, indent=1) + "\n").encode())


def open_answers(where: str | Path) -> Answers:
    """Read the files of ``write_answers``. Raises ConfigError if they are damaged or of another version."""
    folder = Path(where)
    try:
        content = (folder / FACTS).read_bytes()
        facts = read_json(content)
        if (found := facts["format"]) != FORMAT:
            raise ConfigError(f"{folder / FACTS}: format {FORMAT} expected, found {found!r}; make the answers again")
        arrays: dict[str, npt.NDArray[Any]] = {}
        for name, digest in facts["files"].items():
            packed = (folder / name).read_bytes()
            if sha256(packed).hexdigest() != digest:
                raise ConfigError(f"{folder / name}: was changed after it was written; copy the answers again")
            arrays |= read_arrays(packed, MOST_BYTES, packed=False)
        how, number = facts["views"].pop("how"), facts["number"]
        return Answers(
            folder,
            f"{folder.resolve().name}@{sha256(content).hexdigest()[:12]}",
            Views(**facts["views"], how=None if how is None else Augmentation(**how)),
            number,
            tuple(map(tuple, facts["classes"])),
            facts["images"],
            [arrays[f"answers-{view}"] for view in range(number)],
            [arrays[f"lightness-{view}"] for view in range(number)],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{folder}: cannot be read as answers of teachers ({error}); copy them again") from error
