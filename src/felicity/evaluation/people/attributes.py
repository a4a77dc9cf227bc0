"""Attributes of the people in images, such as their age: columns of a table beside the labels, as groups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from felicity.datasets.archives import FolderTree, Tree, open_tree
from felicity.datasets.label_columns import PATHS
from felicity.datasets.tables import header_of, rows_of
from felicity.errors import DatasetError

Names = npt.NDArray[np.str_]
UNKNOWN = ""
"""Group of an image for which the table has no value."""
WORDS = 8
"""Number of values from which a column of numbers becomes three bands."""
PEOPLE = ("subject", "person", "identity", "participant", "actorid")
"""Names of a column that identifies the person shown."""
RAFDB = re.compile(r"(^|/)((?:train|test)_\d+)_manu_attri\.txt$")
RAFDB_LINES = {
    "gender": {"0": "male", "1": "female", "2": "unsure"},
    "race": {"0": "Caucasian", "1": "African-American", "2": "Asian"},
    "age": {"0": "0-3", "1": "4-19", "2": "20-39", "3": "40-69", "4": "70 and over"},
}
"""The last three lines of RAF-DB's file of a face, in this order, and its codes. Source: Li, Deng, Du, CVPR 2017."""


def read_attributes(data: Path, table: Path | None, names: Names, columns: Sequence[str]) -> dict[str, Names]:
    """Return the group of each image (N,) by column, UNKNOWN if the table has no value for it.

    ``table``: a CSV with a column that names images; None for one in the folder ``data`` that has all ``columns``.
    Images are found by the name in the data set, else by their file's name if that is unique. A column of people
    (``PEOPLE``) is read, too, if there is one. A table of people without a column of images describes the
    images whose names begin with the person and ``_``, as CREMA-D's do. RAF-DB's own files tell ``gender``, ``race``
    and ``age``. Numbers become three bands of about equal size. Raises DatasetError for a missing column or table, and
    if the table names none of the images.
    """
    if table is None and (own := _of_rafdb(data, names, columns)) is not None:
        return own
    tree, name = _table(data, table, columns)
    header = header_of(tree, name)
    image = next((column for column in PATHS if column in header), None)
    person = next((column for column in PEOPLE if column in header), None)
    if image is None and person is None:
        raise DatasetError(f"{_of(tree, name)} has no column that names images; call one of its columns {PATHS[0]}")
    wanted = [image or str(person), *(column.lower() for column in columns), *(c for c in PEOPLE if c in header)]
    said = {cells[0].replace("\\", "/"): cells[1:] for _, cells in rows_of(tree, name, wanted)}
    keys = _keys(names, said) if image else [PurePosixPath(each).name.partition("_")[0] for each in names.tolist()]
    found = [said.get(key) for key in keys]
    if not any(found):
        raise DatasetError(f"{_of(tree, name)} names none of the {len(names):,} images, such as {names[0]}")
    result = {}
    for i, column in enumerate((*columns, *wanted[1 + len(columns) :])):
        values = np.array([UNKNOWN if cells is None else cells[i] for cells in found])
        result[column] = values if column in PEOPLE else banded(values)
    return result


def _of_rafdb(data: Path, names: Names, columns: Sequence[str]) -> dict[str, Names] | None:
    """Return what RAF-DB's files say of each image; None where ``data`` has none, or a column is not of theirs.

    A file has five lines of landmarks, then one each for gender, race and age.
    """
    asked = [column.lower() for column in columns]
    if not set(asked) <= RAFDB_LINES.keys() or not isinstance(tree := open_tree(data), FolderTree):
        return None
    files = {match[2]: name for name in tree.names if (match := RAFDB.search(name))}
    if not files:
        return None
    faces = [PurePosixPath(name).stem.removesuffix("_aligned") for name in names.tolist()]
    said = {}
    for face in set(faces) & files.keys():
        codes = tree.read(files[face]).decode("utf-8", "replace").split()[-len(RAFDB_LINES) :]
        if len(codes) < len(RAFDB_LINES):
            raise DatasetError(f"{tree.path}: {files[face]} should end in codes of gender, race and age")
        said[face] = dict(zip(RAFDB_LINES, codes, strict=True))
    return {
        column: np.array([RAFDB_LINES[key].get(said.get(face, {}).get(key, ""), UNKNOWN) for face in faces])
        for column, key in zip(columns, asked, strict=True)
    }


def banded(values: Names) -> Names:
    """Return numbers as three bands, cut between values at the thirds; other values, and few values, as they are."""
    known = values != UNKNOWN
    try:
        numbers = values[known].astype(np.float64)
    except ValueError:
        return values
    if len(np.unique(numbers)) <= WORDS or not np.isfinite(numbers).all():
        return values
    low, high = np.unique(np.quantile(numbers, (1 / 3, 2 / 3), method="higher"))[[0, -1]]
    bands = np.array([f"under {low:g}", f"{low:g} to under {high:g}", f"{high:g} and over"])
    result = np.full(len(values), UNKNOWN, dtype=bands.dtype)
    result[known] = bands[np.digitize(numbers, (low, high))]
    return result


def in_order(values: Names) -> list[str]:
    """Return the groups of a column by name, bands of numbers from the lowest up."""
    groups = sorted(set(values.tolist()) - {UNKNOWN})
    return sorted(groups, key=lambda group: (not group.startswith("under "), group.endswith(" and over")))


def _table(data: Path, table: Path | None, columns: Sequence[str]) -> tuple[Tree, str]:
    wanted = {column.lower() for column in columns}
    if table is not None:
        tree: Tree = open_tree(table)
        return tree, table.name
    tree = open_tree(data)
    if not isinstance(tree, FolderTree):
        raise DatasetError(f"{data}: is no folder with a table beside its images; name one with --people FILE.csv")
    tables = [name for name in tree.names if name.lower().endswith(".csv")]
    for name in tables:
        if wanted <= set(header_of(tree, name)):
            return tree, name
    listed = "; ".join(f"{name} has {', '.join(header_of(tree, name))}" for name in tables[:5]) or "there is no csv"
    raise DatasetError(
        f"{data}: no table has the columns {', '.join(columns)}: {listed}; name one with --people FILE.csv"
    )


def _keys(names: Names, said: dict[str, list[str]]) -> list[str]:
    """Return the table's name of each image."""
    plain = {PurePosixPath(key).as_posix(): key for key in said}
    by_file: dict[str, list[str]] = {}
    for key in said:
        by_file.setdefault(PurePosixPath(key).name, []).append(key)
    result = []
    for name in names.tolist():
        alike = by_file.get(PurePosixPath(name).name, [])
        result.append(plain.get(PurePosixPath(name).as_posix(), alike[0] if len(alike) == 1 else ""))
    return result


def _of(tree: Tree, name: str) -> str:
    return str(tree.path) if tree.path.name == name else f"{tree.path}: {name}"
