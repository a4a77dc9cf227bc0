"""Readers: one file per format in ``readers/``, found in that folder, chosen by the files of the data set.

Other packages announce theirs (``felicity.plugins``), and any class is found by its import path.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from felicity import plugins
from felicity.datasets.archives import FileTree, FolderTree, Tree, open_tree
from felicity.datasets.classes import EIGHT, ClassMap, parse_classes
from felicity.datasets.samples import Samples
from felicity.datasets.votes import VoteRule
from felicity.errors import ConfigError, DatasetError


@dataclass(frozen=True)
class ReadOptions:
    """Options of readers. ``votes`` matters to FER+ alone.

    ``outside``: a table may name images that are not below its folder.
    """

    classes: ClassMap
    votes: VoteRule
    outside: bool = False


class Reader(Protocol):
    """A reader of one format. ``name`` is its value of ``--format``."""

    name: ClassVar[str]

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Return the confidence that the tree has this format: 0 for none, larger for more particular signs.

        The method reads names, and at most the first line of a table. ``classes``: the meaning of the set's own names.
        """
        ...

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return all samples, labelled with the eight expressions. Raises DatasetError."""
        ...


@runtime_checkable
class LooksBeside(Protocol):
    """A reader that may read more than the one file that was named."""

    def beside(self, tree: FileTree) -> list[Path]:
        """Return the other files that samples of ``tree`` depend on, existing or not. Raises DatasetError."""
        ...


_READERS: dict[str, Reader] = {}


def register(reader: type[Reader]) -> type[Reader]:
    """Register a reader class under its name; a decorator."""
    _READERS[reader.name] = reader()
    return reader


def known_readers() -> dict[str, Reader]:
    """Return all readers by name, including those of other packages. Raises ConfigError if one cannot be loaded."""
    package = importlib.import_module("felicity.datasets.readers")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    others = {name: plugins.load(entry)() for name, entry in plugins.announced("readers").items()}
    plugins.check_new("reader", others, _READERS)
    return dict(sorted((others | _READERS).items()))


def open_dataset(
    path: Path | str,
    format: str | None = None,
    *,
    classes: ClassMap | str | None = None,
    votes: VoteRule | None = None,
    outside: bool = False,
) -> Samples:
    """Return the data set at ``path``: a folder, a CSV (also ``.gz``, ``.zst``), a zip or a tar.

    ``format``: a reader's name; without it, the readers recognise the files. ``classes``: see ``parse_classes``.
    ``votes``: the rule that turns FER+ votes into labels. ``outside``: see ``ReadOptions``. Raises DatasetError.
    """
    tree = open_tree(Path(path))
    chosen = classes if isinstance(classes, ClassMap) else parse_classes(classes)
    samples = _reader(tree, format, chosen).read(tree, ReadOptions(chosen, votes or VoteRule(), outside))
    return samples.select(chosen) if chosen.asked else samples


def files_of(path: Path, format: str | None = None) -> list[Path]:
    """Return the files that ``open_dataset`` reads: all below a folder, or a file and those that belong to it.

    They include files in linked folders. Raises DatasetError.
    """
    tree = open_tree(path)
    if isinstance(tree, FolderTree):
        return [path / name for name in tree.names]
    if isinstance(tree, FileTree) and isinstance(reader := _reader(tree, format), LooksBeside):
        return [path, *reader.beside(tree)]
    return [path]


def check_not_read(output: Path, path: Path, format: str | None = None) -> None:
    """Raise ConfigError if writing ``output`` would replace a file of the data set at ``path``."""
    if output.exists() and any(file.exists() and output.samefile(file) for file in files_of(path, format)):
        raise ConfigError(f"{output}: belongs to the data set {path}; choose another file to write")


def _reader(tree: Tree, format: str | None, classes: ClassMap = EIGHT) -> Reader:
    """Return the reader of that name, or the one with the highest confidence."""
    if format is not None and plugins.is_path(format):
        made: Reader = plugins.import_callable(format, "format")()
        return made
    known = known_readers()
    if format is not None and format not in known:
        raise DatasetError(f"format {format!r} is not known; there are {', '.join(known)}")
    if not tree.names:
        raise DatasetError(f"{tree.path}: is empty")
    if format is None:
        sure = {name: reader.sniff(tree, classes) for name, reader in known.items()}
        format = max(sure, key=lambda name: sure[name])
        if sure[format] == 0:
            raise DatasetError(
                f"{tree.path}: is not one of the formats {', '.join(known)}; if it is one, name it with --format "
                f"(images without labels are for: felicity classify)"
            )
    return known[format]
