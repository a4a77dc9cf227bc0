"""Readers: one file per format in ``readers/``, found by its presence, chosen by looking at the files.

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
    """What a reader may need beyond the files. ``votes`` matters to FER+ alone.

    ``outside``: a table may name images that are not below its folder.
    """

    classes: ClassMap
    votes: VoteRule
    outside: bool = False


class Reader(Protocol):
    """Reads one format. ``name`` is what ``--format`` takes."""

    name: ClassVar[str]

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """How surely the tree is of this format: 0 not at all, the larger the more particular the signs.

        Looks at names, and at the first line of a table at most. ``classes``: what the set's own names mean.
        """
        ...

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """All samples, labelled with the eight expressions. Raises DatasetError."""
        ...


@runtime_checkable
class LooksBeside(Protocol):
    """A reader that may take more than the one file that was named."""

    def beside(self, tree: FileTree) -> list[Path]:
        """The other files that samples of ``tree`` depend on, whether they are there or not. Raises DatasetError."""
        ...


_READERS: dict[str, Reader] = {}


def register(reader: type[Reader]) -> type[Reader]:
    """Class decorator: makes the reader known by its name."""
    _READERS[reader.name] = reader()
    return reader


def known_readers() -> dict[str, Reader]:
    """All readers by name, those of other packages among them. Raises ConfigError where one cannot be loaded."""
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
    """The data set at ``path``: a folder, a csv (also ``.gz``, ``.zst``), a zip or a tar.

    ``format``: a reader's name; without it the readers look at the files. ``classes``: see
    ``parse_classes``. ``votes``: how FER+ votes become labels. ``outside``: see ``ReadOptions``. Raises
    DatasetError.
    """
    tree = open_tree(Path(path))
    chosen = classes if isinstance(classes, ClassMap) else parse_classes(classes)
    samples = _reader(tree, format, chosen).read(tree, ReadOptions(chosen, votes or VoteRule(), outside))
    return samples.select(chosen) if chosen.asked else samples


def files_of(path: Path, format: str | None = None) -> list[Path]:
    """What ``open_dataset`` would look at: all below a folder, an archive, or a file and what belongs to it beside it.

    Files in linked folders are among them. Raises DatasetError.
    """
    tree = open_tree(path)
    if isinstance(tree, FolderTree):
        return [path / name for name in tree.names]
    if isinstance(tree, FileTree) and isinstance(reader := _reader(tree, format), LooksBeside):
        return [path, *reader.beside(tree)]
    return [path]


def check_not_read(output: Path, path: Path, format: str | None = None) -> None:
    """Raise ConfigError where writing ``output`` would replace a file of the data set at ``path``."""
    if output.exists() and any(file.exists() and output.samefile(file) for file in files_of(path, format)):
        raise ConfigError(f"{output}: belongs to the data set {path}; choose another file to write")


def _reader(tree: Tree, format: str | None, classes: ClassMap = EIGHT) -> Reader:
    """The reader of that name, or the one that is most sure of ``tree``."""
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
                f"{tree.path}: is none of the formats {', '.join(known)}; if it is one, name it with --format "
                f"(images without labels are for: felicity classify)"
            )
    return known[format]
