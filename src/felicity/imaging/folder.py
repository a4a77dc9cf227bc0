"""The images of a folder, listed alike wherever a folder can be given."""

from __future__ import annotations

import os
import re
from pathlib import Path

from felicity.errors import ImageError
from felicity.imaging.decode import image_suffixes


def images_below(folder: Path, *, without: Path | None = None) -> list[Path]:
    """Image files below ``folder`` by name, numbers in names as numbers (``img2`` before ``img10``).

    Hidden files and folders are passed over, and so is the folder ``without``. Raises ImageError for a folder that
    may not be read.
    """
    suffixes = image_suffixes()
    spared = without.resolve() if without else None
    found: list[Path] = []

    def fail(error: OSError) -> None:
        raise ImageError(f"the folder {error.filename} may not be read; check its permissions") from error

    for parent, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".") and Path(parent, name).resolve() != spared]
        found += [
            Path(parent, name) for name in files if not name.startswith(".") and Path(name).suffix.lower() in suffixes
        ]
    return sorted(found, key=lambda path: _natural(str(path.relative_to(folder))))


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sorts ``img2`` before ``img10``; the name itself settles ties."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], name
