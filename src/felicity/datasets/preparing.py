"""The preparation of a data set: one memory-mapped array of images of equal size and a manifest, whole or not at all.

Images are decoded, cropped and resized in chunks. Each finished chunk is kept beside the output, so that an interrupted
run resumes at the next chunk. The same input and options give the same bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.datasets.archives import FolderTree
from felicity.datasets.duplicates import Rows
from felicity.datasets.facts import ImageFacts, decoded, examine_images
from felicity.datasets.manifest import IMAGES, PLAN, VERSION, Manifest, write_manifest
from felicity.datasets.prepare_options import PrepareOptions
from felicity.datasets.prepared_manifest import make_manifest
from felicity.datasets.samples import FileImages, Image, Images, Samples, as_input, pick
from felicity.datasets.splits import (
    check_k_folds,
    official_roles,
)
from felicity.errors import DatasetError, ImageError
from felicity.files import NewFile, is_own_folder, make_folder, put
from felicity.imaging.spec import Colour
from felicity.work import Here, Processes

CHUNK_BYTES, CHUNK_IMAGES, CHUNK_SEARCHED = 8 << 20, 512, 32
"""Most bytes and images of a chunk, and most images if faces are searched in them, a hundred times as much work."""
Crop = Callable[[Image], Image | None]
"""A function from an image uint8 ``(H, W, 3)`` RGB to its face as RGB, or None without one; it must pickle."""


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Prepared images ``(n, size, size[, 3])``, their facts, and whether a face was found in each."""

    images: Image
    facts: ImageFacts
    face: npt.NDArray[np.bool_]


def prepare(
    samples: Samples,
    out: Path,
    options: PrepareOptions | None = None,
    *,
    crop: Crop | None = None,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> Manifest:
    """Write the folder ``out``: ``images.npy`` and ``manifest.parquet``.

    An interrupted run leaves ``.<out>.part`` beside, which the same call resumes. ``progress`` receives how many more
    images are done. Raises DatasetError if ``out`` exists already, if the disk is full, if no image is left, and if
    only some of the folds are known; ConfigError for too many folds.
    """
    options = options or PrepareOptions()
    out = Path(os.path.abspath(out))
    check_output(out)
    official_roles(samples.folds)  # raises for folds that cannot be split, before the work
    if options.folds:
        check_k_folds(options.folds, len(samples))
    part = out.with_name(f".{out.name}.part")
    try:
        most = CHUNK_SEARCHED if crop else CHUNK_IMAGES
        step = max(1, min(most, CHUNK_BYTES // (options.size**2 * (3 if options.colour == "rgb" else 1))))
        _begin(part, _plan(samples, options) | {"chunk": step})
        rows = np.arange(len(samples))
        spans = [rows[start : start + step] for start in range(0, len(rows), step)]
        files = [part / f"chunk-{number:06}.npz" for number in range(len(spans))]
        todo = [(span, file) for span, file in zip(spans, files, strict=True) if not file.exists()]
        progress(len(rows) - sum(len(span) for span, _ in todo))
        work = partial(_prepare_chunk, size=options.size, colour=options.colour, crop=crop)
        tasks = (pick(samples.images, span) for span, _ in todo)
        several = workers > 1 and len(todo) > (1 if crop else 2)
        results = (Processes(workers) if several else Here()).results(work, tasks)
        for (span, file), chunk in zip(todo, results, strict=True):
            _save(chunk, file)
            progress(len(span))
        seen = [_load_facts(file) for file in files]
        face = np.concatenate([found for _, found in seen])
        manifest, keep = make_manifest(samples, options, ImageFacts.join(facts for facts, _ in seen), face)
        _write_images(part / IMAGES, files, keep, options)
        write_manifest(manifest, part)
        for file in (*files, part / PLAN):
            file.unlink()
        os.replace(part, out)
    except OSError as error:
        raise DatasetError(
            f"{out}: cannot be written ({error.strerror or error}); what was done is kept in {part.name}, "
            f"run the same command again to go on"
        ) from error
    return manifest


def check_output(out: Path) -> None:
    """Raise DatasetError if ``out`` exists already."""
    if out.exists():
        raise DatasetError(f"{out}: is there already; remove it, or choose another place")


def _plan(samples: Samples, options: PrepareOptions) -> dict[str, Any]:
    """Return everything on which the output depends; a part folder of another plan is not resumed."""
    seen = blake2b(digest_size=16)
    columns: list[npt.NDArray[Any] | None] = [samples.names, samples.folds, samples.labels]
    columns += [samples.soft_labels, samples.subjects]
    for column in columns:
        seen.update(b"-" if column is None else column.tobytes())
    if isinstance(samples.images, FileImages):
        tree = samples.images.tree
        own = isinstance(tree, FolderTree)
        for file in (tree.path / name for name in samples.images.names) if own else (tree.path,):
            with contextlib.suppress(OSError):  # decoding reports an unreadable file
                facts = file.stat()
                seen.update(f"{facts.st_size}:{facts.st_mtime_ns}".encode())
    else:
        seen.update(np.ascontiguousarray(samples.images).data)
    return {"version": VERSION, "classes": list(samples.classes), "input": seen.hexdigest(), "options": asdict(options)}


def _begin(part: Path, plan: dict[str, Any]) -> None:
    """Make the part folder, or resume that of an equal run."""
    record = part / PLAN
    if os.path.lexists(part) and not is_own_folder(part):
        raise DatasetError(f"{part}: is no folder of yours, and an unfinished preparation would be; remove it")
    if part.exists() and not (record.is_file() and record.read_text() == json.dumps(plan)):
        shutil.rmtree(part)
    make_folder(part)
    put(record, json.dumps(plan).encode())


def _prepare_chunk(images: Images, *, size: int, colour: Colour, crop: Crop | None) -> _Chunk:
    shape = (size, size) if colour == "gray" else (size, size, 3)
    prepared = np.zeros((len(images), *shape), dtype=np.uint8)
    face = np.ones(len(images), dtype=np.bool_)

    def each() -> Iterator[Image | ImageError]:
        for row, image in enumerate(decoded(images)):
            yield image
            if isinstance(image, ImageError):
                continue
            shown: Image | None = image
            if crop is not None:
                shown = crop(image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2))
            face[row] = shown is not None
            if shown is not None:
                prepared[row] = as_input(shown, size, colour)

    return _Chunk(prepared, examine_images(each()), face)


def _save(chunk: _Chunk, file: Path) -> None:
    columns = {f.name: getattr(chunk.facts, f.name) for f in fields(ImageFacts)}
    new = NewFile(file, own=True)
    try:
        np.savez(new.stream, images=chunk.images, face=chunk.face, **columns)
        new.keep()
    finally:
        new.drop()


def _load_facts(file: Path) -> tuple[ImageFacts, npt.NDArray[np.bool_]]:
    with np.load(file, allow_pickle=False) as stored:
        return ImageFacts(**{f.name: stored[f.name] for f in fields(ImageFacts)}), stored["face"]


def _write_images(path: Path, files: list[Path], keep: Rows, options: PrepareOptions) -> None:
    """Write the kept rows of all chunks as one array, as a stream, so that a full disk is an error."""
    shape = (len(keep), options.size, options.size) + ((3,) if options.colour == "rgb" else ())
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}
    start = 0
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for file in files:
            with np.load(file, allow_pickle=False) as stored:
                images = stored["images"]
            here = keep[(keep >= start) & (keep < start + len(images))] - start
            stream.write(images[here].tobytes())
            start += len(images)
