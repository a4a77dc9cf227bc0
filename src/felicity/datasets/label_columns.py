"""Columns of tables that label image files, recognised by their usual names."""

from __future__ import annotations

from dataclasses import dataclass

PATHS = ("path", "pth", "file", "filename", "file_name", "filepath", "image", "image_path", "image_name", "img")
LABELS = ("label", "expression", "emotion", "class")
FOLDS = ("split", "usage", "fold")
SUBJECTS = ("subject",)


@dataclass(frozen=True)
class LabelColumns:
    """The names of a table's columns; None for missing ones."""

    path: str
    label: str
    fold: str | None
    subject: str | None

    @property
    def names(self) -> list[str]:
        """Return the columns that exist, in this order."""
        return [name for name in (self.path, self.label, self.fold, self.subject) if name]

    def cells(self, row: list[str]) -> tuple[str, str, str | None, str | None]:
        """Return path, label, fold and subject of a row of ``names``."""
        rest = iter(row[2:])
        return row[0], row[1], next(rest) if self.fold else None, next(rest) if self.subject else None


def label_columns(header: list[str]) -> LabelColumns | None:
    """Return the columns of ``header`` (in lower case) by meaning; None without a path or a label."""
    path, label, fold, subject = (
        next((name for name in names if name in header), None) for names in (PATHS, LABELS, FOLDS, SUBJECTS)
    )
    return LabelColumns(path, label, fold, subject) if path and label else None


def expected_columns() -> str:
    """Return text for messages: the columns that a table needs."""
    return f"a column for the image ({', '.join(PATHS)}) and one for the label ({', '.join(LABELS)})"
