"""The manifest of a prepared data set: a row per image, in a Parquet file beside ``images.npy``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import DatasetError, require
from felicity.notes import Note
from felicity.parsing import read_json

VERSION = 2
MANIFEST, IMAGES = "manifest.parquet", "images.npy"
OTHER = "label of "
"""Prefix of the columns of ``other_labels``."""
MOST_BYTES = 512 << 20
"""Largest size of an unpacked manifest in bytes; that of a million images has some 200 million."""
PLAN = "plan.json"
"""A file that lies beside them until the preparation is finished."""


@dataclass(frozen=True, eq=False)
class Manifest:
    """N prepared images: the origin, the label and the part of each.

    ``labels``: index into ``classes``, -1 if the annotators agree on none. ``folds``: the data set's own. ``splits``:
    ``train``, ``validation``, ``test`` or ``left out``. ``k_folds``: fold in which an image is held out, or None
    without folds. ``groups``: images of one number resemble each other or show one subject. ``hashes``: of the decoded
    pixels, 32 hexadecimal digits. ``other_labels``: labels of another source of the same set, by its name: classes, ""
    without a label. ``remarks``: decisions of the reader that a user should know; ``warnings``: doubts about the groups
    and the parts, a sentence each. ``members``: see ``Samples``.
    """

    format: str
    classes: tuple[str, ...]
    options: Mapping[str, Any]
    left_out: Mapping[str, int]
    names: npt.NDArray[np.str_] = field(repr=False)
    labels: npt.NDArray[np.int64] = field(repr=False)
    soft_labels: npt.NDArray[np.float32] | None = field(repr=False)
    folds: npt.NDArray[np.str_] = field(repr=False)
    splits: npt.NDArray[np.str_] = field(repr=False)
    k_folds: npt.NDArray[np.int64] | None = field(repr=False)
    groups: npt.NDArray[np.int64] = field(repr=False)
    subjects: npt.NDArray[np.str_] | None = field(repr=False)
    hashes: list[str] = field(repr=False)
    heights: npt.NDArray[np.int64] = field(repr=False)
    widths: npt.NDArray[np.int64] = field(repr=False)
    flags: list[list[str]] = field(repr=False)
    other_labels: Mapping[str, npt.NDArray[np.str_]] = field(default_factory=dict, repr=False)
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return notes on how the images were read, left out and divided."""
        return (
            *(Note("read-as", remark) for remark in self.remarks),
            *(Note("left-out", f"left out of the data set: {n:,} {reason}") for reason, n in self.left_out.items()),
            *(Note("parts-doubtful", warning) for warning in self.warnings),
        )

    @property
    def leaky(self) -> bool:
        """Return whether the user allowed duplicates and subjects to straddle the splits."""
        return bool(self.options["split"]["leaky"])

    @property
    def keys(self) -> list[str]:
        """Return a unique name per image that depends on its content."""
        return keys_of(self.hashes, self.names)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return split to class to number of images."""
        return {
            part: {name: int(((self.splits == part) & (self.labels == i)).sum()) for i, name in enumerate(self.classes)}
            for part in sorted(set(self.splits.tolist()))
        }


def keys_of(hashes: Sequence[str], names: npt.NDArray[np.str_]) -> list[str]:
    """Return a unique name per image, made from the hash of its content and its own name."""
    return [f"{digest}:{name}" for digest, name in zip(hashes, names.tolist(), strict=True)]


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write ``manifest.parquet`` into ``folder``. The same manifest gives the same bytes."""
    pyarrow, parquet = require("pyarrow", "data"), require("pyarrow.parquet", "data")
    n = len(manifest.names)
    labels = [manifest.classes[label] if label >= 0 else None for label in manifest.labels]
    soft = [None] * n if manifest.soft_labels is None else list(manifest.soft_labels)
    text, whole = pyarrow.string(), pyarrow.int32()
    columns = {
        "source": pyarrow.array(manifest.names.tolist(), text),
        "label": pyarrow.array(labels, text),
        "soft_label": pyarrow.array(soft, pyarrow.list_(pyarrow.float32())),
        "fold": pyarrow.array(manifest.folds.tolist(), text),
        "split": pyarrow.array(manifest.splits.tolist(), text),
        "k_fold": pyarrow.array([None] * n if manifest.k_folds is None else manifest.k_folds.tolist(), whole),
        "group": pyarrow.array(manifest.groups.tolist(), whole),
        "subject": pyarrow.array([None] * n if manifest.subjects is None else manifest.subjects.tolist(), text),
        "content_hash": pyarrow.array(manifest.hashes, text),
        "height": pyarrow.array(manifest.heights.tolist(), whole),
        "width": pyarrow.array(manifest.widths.tolist(), whole),
        "flags": pyarrow.array(manifest.flags, pyarrow.list_(text)),
    }
    columns |= {
        f"{OTHER}{source}": pyarrow.array([name or None for name in said.tolist()], text)
        for source, said in manifest.other_labels.items()
    }
    facts = {
        "version": VERSION,
        "format": manifest.format,
        "classes": list(manifest.classes),
        "options": dict(manifest.options),
        "left_out": dict(manifest.left_out),
        "remarks": list(manifest.remarks),
        "warnings": list(manifest.warnings),
        "members": dict(manifest.members),
    }
    table = pyarrow.table(columns).replace_schema_metadata({"felicity": json.dumps(facts, sort_keys=True)})
    parquet.write_table(table, folder / MANIFEST, compression="zstd")


def read_manifest(folder: Path | str) -> Manifest:
    """Read the manifest of a prepared ``folder``. Raises DatasetError, also for another version."""
    folder = Path(folder)
    pyarrow, parquet = require("pyarrow", "data"), require("pyarrow.parquet", "data")
    path = folder / MANIFEST
    try:
        unpacked = _unpacked(parquet.read_metadata(path))
        if unpacked > MOST_BYTES:
            raise DatasetError(f"{path}: would unpack to {unpacked:,} bytes; prepare it again")
        table = parquet.read_table(path)
        facts = read_json((table.schema.metadata or {}).get(b"felicity", b"{}"))
    except FileNotFoundError as error:
        raise DatasetError(f"{folder}: has no {MANIFEST}; prepare the data set first") from error
    except (OSError, ValueError, TypeError, KeyError, pyarrow.ArrowException) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); prepare the data set again") from error
    if not isinstance(facts, dict):
        raise DatasetError(f"{path}: its facts are no table; prepare the data set again")
    if (version := facts.get("version")) != VERSION:
        raise DatasetError(
            f"{path}: is a manifest of version {version or 'none'}, but this Felicity reads version {VERSION}; "
            f"prepare the data set again"
        )
    try:
        manifest = _manifest(facts, {name: table[name].to_pylist() for name in table.column_names})
        _check(manifest)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DatasetError(f"{path}: is damaged ({error}); prepare the data set again") from error
    return manifest


def _unpacked(metadata: Any) -> int:
    return sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))


def _manifest(facts: Mapping[str, Any], columns: Mapping[str, list[Any]]) -> Manifest:
    """Return the content of a file, unchecked."""
    classes = tuple(facts["classes"])
    index = {None: -1} | {name: i for i, name in enumerate(classes)}
    return Manifest(
        format=facts["format"],
        classes=classes,
        options=facts["options"],
        left_out=facts["left_out"],
        remarks=tuple(facts.get("remarks", ())),
        warnings=tuple(facts.get("warnings", ())),
        members={name: tuple(made_of) for name, made_of in facts.get("members", {}).items()},
        names=np.array(columns["source"], dtype=np.str_),
        labels=np.array([index[label] for label in columns["label"]], dtype=np.int64),
        soft_labels=_or_none(columns["soft_label"], np.float32),
        folds=np.array(columns["fold"], dtype=np.str_),
        splits=np.array(columns["split"], dtype=np.str_),
        k_folds=_or_none(columns["k_fold"], np.int64),
        groups=np.array(columns["group"], dtype=np.int64),
        subjects=_or_none(columns["subject"], np.str_),
        hashes=columns["content_hash"],
        heights=np.array(columns["height"], dtype=np.int64),
        widths=np.array(columns["width"], dtype=np.int64),
        flags=columns["flags"],
        other_labels={
            column.removeprefix(OTHER): np.array([name or "" for name in said], dtype=np.str_)
            for column, said in columns.items()
            if column.startswith(OTHER)
        },
    )


def _check(manifest: Manifest) -> None:
    """Raise ValueError, or the error of a wrong type, for an impossible manifest."""
    _ = manifest.leaky, manifest.notes, [count + 0 for count in manifest.left_out.values()]
    texts = [manifest.format, *manifest.classes, *manifest.hashes, *manifest.remarks, *manifest.warnings]
    texts += [flag for flags in manifest.flags for flag in flags]
    if wrong := [text for text in texts if not isinstance(text, str)]:
        raise ValueError(f"{wrong[0]!r:.40} is no text")
    if unknown := set(manifest.splits.tolist()) - {"train", "validation", "test", "left out"}:
        raise ValueError(f"{min(unknown)!r:.40} is neither train, validation, test nor left out")
    if len(manifest.names) != len(set(manifest.names.tolist())) or not len(manifest.names):
        raise ValueError("each image has a name of its own")
    if min(manifest.heights.min(), manifest.widths.min()) < 1:
        raise ValueError("an image has a height and a width")
    soft = manifest.soft_labels
    if soft is not None and (soft.shape[1:] != (len(manifest.classes),) or not np.isfinite(soft).all()):
        raise ValueError(f"soft labels of {soft.shape} are not shares of {len(manifest.classes)} classes")


def read_images(folder: Path | str) -> npt.NDArray[np.uint8]:
    """Return the images of a prepared ``folder``, memory-mapped and read-only. Raises DatasetError."""
    folder = Path(folder)
    try:
        images = np.load(folder / IMAGES, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy lets out every error of its reader of headers
        raise DatasetError(f"{folder / IMAGES}: cannot be read ({error}); prepare the data set again") from error
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or 0 in images.shape:
        raise DatasetError(f"{folder / IMAGES}: holds {images.dtype} {images.shape}, not images; prepare it again")
    found: npt.NDArray[np.uint8] = images
    return found


def _or_none(values: list[Any], dtype: Any) -> Any:
    return None if all(value is None for value in values) else np.array(values, dtype=dtype)
