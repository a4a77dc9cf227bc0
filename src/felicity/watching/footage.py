"""Footage: the recordings of an archive, with location, camera and start from a table or a pattern."""

from __future__ import annotations

import csv
import glob
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from felicity.errors import ConfigError, SourceError
from felicity.sources.remote import find_files, is_address
from felicity.windows.buckets import read_time

ENDINGS = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"}
    | {".flv", ".wmv", ".asf", ".3gp", ".ogv", ".mjpeg", ".mjpg", ".mxf"}
)
"""Endings of the files that a folder contributes; a named file is accepted with any ending."""
COLUMNS = ("file", "location", "camera", "start")


@dataclass(frozen=True)
class Made:
    """Location, camera and start of a recording; None if unknown."""

    location: str | None = None
    camera: str | None = None
    start: datetime | None = None


def find_recordings(sources: Sequence[str | Path]) -> list[str]:
    """Return the named files, those that match a pattern (``*``, ``**``), and the videos of folders; each once.

    Sources are on this machine, or at addresses (``sources.remote``). Raises SourceError for a missing file and for a
    folder or pattern without a video, ExtraMissingError without the package of an address.
    """
    found: dict[str, None] = {}
    for given in map(str, sources):
        path = Path(given)
        if not given.strip():
            raise SourceError("a file, folder or pattern expected, an empty name found; is a variable not set?")
        if is_address(given):
            if not (addresses := find_files(given, ENDINGS)):
                raise SourceError(f"{given}: no video is there; expected files such as .mp4, .mkv or .avi")
            found |= dict.fromkeys(addresses)
            continue
        if path.is_dir():
            listed = [file for file in path.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file()]
        elif path.exists():
            listed = [path]
        elif glob.has_magic(given):
            listed = [file for name in glob.glob(given, recursive=True) if (file := Path(name)).is_file()]
        else:
            raise SourceError(f"{given}: there is no such file or folder")
        if not listed:
            raise SourceError(f"{given}: no video is there; expected files such as .mp4, .mkv or .avi")
        found |= dict.fromkeys(str(file.resolve()) for file in sorted(listed))
    return list(found)


class Table:
    """A CSV file with the columns ``file``, ``location`` and, if they are known, ``camera`` and ``start``.

    ``file``: a path, relative to the table's folder, an address, or a name without folders. ``start``: ISO 8601;
    without an offset in the location's time zone.
    """

    def __init__(self, path: Path) -> None:
        """Read the table. Raises ConfigError in one sentence for an invalid one."""
        self.path = path
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path}: is not a text file in UTF-8") from error
        rows = csv.DictReader(io.StringIO(text), strict=True)
        given = [name.strip().lower() for name in rows.fieldnames or ()]
        if not {"file", "location"} <= set(given) or set(given) - set(COLUMNS):
            raise ConfigError(
                f"{path}: the columns file and location expected, and perhaps camera and start; found "
                f"{', '.join(given) or 'no columns'}"
            )
        rows.fieldnames = given
        self._by_path: dict[str, Made] = {}
        self._by_name: dict[str, Made] = {}
        for row in rows:
            self._add(row, rows.line_num)

    def _add(self, row: Mapping[str | None, str | None], line: int) -> None:
        if None in row or None in row.values():
            raise ConfigError(f"{self.path}, line {line}: as many values as columns expected")
        values = {str(name): str(value).strip() for name, value in row.items()}
        file, location, start = values["file"], values["location"], values.get("start")
        if not file or not location:
            raise ConfigError(f"{self.path}, line {line}: a file and a location expected")
        try:
            begin = read_time(start) if start else None
        except ValueError:
            raise ConfigError(
                f"{self.path}, line {line}: start {start!r} is no time in ISO 8601, such as 2026-05-01T09:00"
            ) from None
        made = Made(location, values.get("camera") or None, begin)
        if Path(file).name == file:
            twice = self._by_name.setdefault(file, made)
        else:
            path = file if is_address(file) else str((self.path.parent / file).resolve())
            twice = self._by_path.setdefault(path, made)
        if twice != made:
            raise ConfigError(f"{self.path}, line {line}: {file}: duplicate row; give each file one row")

    def find(self, path: str) -> Made | None:
        """Return the table's entry for a file, by its path or address, else by its name; None without one."""
        return self._by_path.get(path) or self._by_name.get(Path(path).name)


class Pattern:
    """A regular expression with named groups (``location``, ``camera``, ``start``), searched for in a file's path.

    ``start``: digits of year, month, day and optionally hour, minute and second, with any separators.
    """

    def __init__(self, text: str) -> None:
        """Compile the pattern. Raises ConfigError for an invalid one, and for other groups."""
        try:
            self._pattern = re.compile(text)
        except re.error as error:
            raise ConfigError(f"--pattern {text!r}: is no regular expression ({error})") from error
        if not self._pattern.groupindex or set(self._pattern.groupindex) - {"location", "camera", "start"}:
            raise ConfigError(f"--pattern {text!r}: named groups location, camera and start expected, as (?P<camera>…)")

    def find(self, path: str) -> Made | None:
        """Return the groups found in a file's path; None if the pattern is not found. Raises ConfigError."""
        matches = list(self._pattern.finditer(path.replace(os.sep, "/")))
        if not matches:
            return None
        groups = {name: value for name, value in matches[-1].groupdict().items() if value}
        digits, begin = re.sub(r"\D", "", groups.get("start", "")), None
        if digits:
            kind = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}.get(len(digits), "")
            try:
                begin = datetime.strptime(digits, kind)
            except ValueError:
                raise ConfigError(
                    f"{path}: the pattern finds the start {groups['start']!r}; digits of year, month, day and perhaps "
                    "hour, minute and second expected"
                ) from None
        return Made(groups.get("location"), groups.get("camera"), begin)
