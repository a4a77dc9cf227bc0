"""The images of a folder, listed alike wherever a command accepts a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from felicity.errors import ImageError
from felicity.imaging.decode import image_suffixes


def images_below(folder: Path, *, without: Path | None = None) -> list[Path]:
    """Return image files below ``folder`` by name, see ``walk_images``."""
    return [*walk_images(folder, without=without)]


def walk_images(folder: Path, *, without: Path | None = None) -> Iterator[Path]:
    """Yield image files below ``folder`` by name, numbers in names as numbers (``img2`` before ``img10``).

    No more than the names of one folder and its parents are in memory. Hidden files and folders are skipped, and so is
    the folder ``without``; links to folders are not followed. Raises ImageError for an unreadable folder.
    """
    suffixes = image_suffixes()
    spared = without.resolve() if without else None

    def below(parent: Path) -> Iterator[Path]:
        try:
            with os.scandir(parent) as entries:
                # A folder is sorted as the paths in it are, by its name and the slash.
                names = [(entry.name + "/" * entry.is_dir(), entry.is_symlink()) for entry in entries]
        except OSError as error:
            raise ImageError(f"the folder {error.filename} may not be read; check its permissions") from error
        for name, linked in sorted(names, key=lambda entry: _natural(entry[0])):
            path = parent / name
            if name.startswith("."):
                continue
            if not name.endswith("/"):
                if path.suffix.lower() in suffixes:
                    yield path
            elif not linked and (spared is None or path.resolve() != spared):
                yield from below(path)

    yield from below(folder)


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return a key that sorts ``img2`` before ``img10``; the name itself settles ties."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], name
