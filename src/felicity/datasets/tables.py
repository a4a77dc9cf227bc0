"""Small CSV tables of labels: columns by name, rows with their line numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from felicity.datasets.archives import Tree
from felicity.errors import DatasetError


def rows_of(tree: Tree, name: str, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the place of each row ("labels.csv: line 7") and its values in ``columns``.

    Case and space around column names do not matter; further columns are ignored. Raises DatasetError for a missing
    column, too short a row, and text that is not CSV.
    """
    where = f"{tree.path}: {name}" if tree.path.name != name else str(tree.path)
    try:
        reader = csv.reader(io.StringIO(tree.read(name).decode("utf-8-sig"), newline=""), strict=True)
        header = [cell.strip().lower() for cell in next(reader, [])]
        if missing := [column for column in columns if column.lower() not in header]:
            raise DatasetError(f"{where}: has no column {', '.join(missing)}; its columns are {', '.join(header)}")
        at = [header.index(column.lower()) for column in columns]
        for row in reader:
            if not row:
                continue
            if len(row) <= max(at):
                raise DatasetError(f"{where}: line {reader.line_num} has {len(row)} columns, not {len(header)}")
            yield f"{where}: line {reader.line_num}", [row[i].strip() for i in at]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"{where}: cannot be read as a csv ({error})") from error


def header_of(tree: Tree, name: str) -> list[str]:
    """Return the column names of a plain CSV in lower case; empty without any."""
    with tree.open(name) as stream:
        line = stream.readline(4096).removeprefix(b"\xef\xbb\xbf")
    return [cell.strip().strip('"').lower() for cell in line.decode("latin-1").split(",")]
