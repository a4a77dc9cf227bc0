"""Everything Felicity raises on purpose.

FelicityError
├── ConfigError          an option or a configuration file says something impossible
├── ExtraMissingError    an optional package is needed; the message names the extra
├── ImageError           an image cannot be read
├── SourceError          a folder, video, camera or stream cannot be read (any more)
├── DetectorError        a face detector is unknown or not available
├── BundleError          a bundle is missing, incomplete or tampered with
├── DatasetError         a data set cannot be read as what it claims to be
├── TrainingError        a training cannot go on, or its run folder cannot be read
├── EstimateError        there is too little, or the wrong, data for the figure asked for
└── StoreError           a store cannot be opened, read or written
    └── SchemaError      … because its schema is not the one this version knows

Each message is one sentence that names the thing, what was expected, what was found and what to do. Remarks on what
was done before, which may explain it, are its ``__notes__``.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from felicity.redaction import redacted

if TYPE_CHECKING:
    from felicity.notes import Note


class FelicityError(Exception):
    """Root of the tree; the command line prints its message and exits with 1. Its text tells no secret."""

    def __str__(self) -> str:
        return redacted(super().__str__())


class ConfigError(FelicityError):
    """An option or a configuration file says something impossible."""


class ExtraMissingError(FelicityError):
    """An optional package is not installed."""


class ImageError(FelicityError):
    """An image cannot be read."""


class SourceError(FelicityError):
    """A source of frames cannot be read, or not any more."""


class DetectorError(FelicityError):
    """A face detector is unknown or not available."""


class BundleError(FelicityError):
    """A bundle is missing, incomplete or tampered with."""


class DatasetError(FelicityError):
    """A data set cannot be read as what it claims to be."""


class TrainingError(FelicityError):
    """A training cannot go on, or what it left cannot be read."""


class EstimateError(FelicityError):
    """The data do not carry the figure that was asked for."""


class StoreError(FelicityError):
    """A store cannot be opened, read or written."""


class SchemaError(StoreError):
    """A store's schema is not the one this version knows."""


@contextmanager
def noted(notes: Iterable[Note | str]) -> Iterator[None]:
    """Let an error of ours carry ``notes`` as its own: what would have been said beside the figure."""
    try:
        yield
    except FelicityError as error:
        for note in notes:
            error.add_note(str(note))
        raise


def require(module: str, extra: str) -> ModuleType:
    """Import an optional ``module``, or raise ExtraMissingError naming the ``extra`` that brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExtraMissingError(
            f"{module} is not installed; install it with: pip install 'felicity[{extra}]' ({error})"
        ) from error
