"""The errors that Felicity raises on purpose.

FelicityError
├── ConfigError          an option or a configuration file is invalid
│   └── NetworkError     … because no network can be built with these options
├── ExtraMissingError    an optional package is needed; the message names the extra
├── ImageError           an image cannot be read
├── SourceError          a folder, video, camera or stream cannot be read (any more)
├── DetectorError        a face detector is unknown or unavailable
├── BundleError          a bundle is missing, incomplete or tampered with
├── DatasetError         a data set cannot be read in its claimed format
├── TrainingError        a training cannot continue, or its run folder cannot be read
├── EstimateError        the data do not suffice for the requested figure
├── WorkError            distributed work cannot be finished: its workers are lost
└── StoreError           a store cannot be opened, read or written
    └── SchemaError      … because this version does not know its schema

Each message is one sentence that names the thing, what was expected, what was found and what to do. Its ``__notes__``
hold remarks on earlier steps that may explain it.
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
    """Root of the tree; the command line prints its message and exits with 1. The message holds no secret."""

    def __str__(self) -> str:
        return redacted(super().__str__())


class ConfigError(FelicityError):
    """An option or a configuration file is invalid."""


class NetworkError(ConfigError):
    """A network cannot be built with its options, such as more stages than its images have room for."""


class ExtraMissingError(FelicityError):
    """An optional package is not installed."""


class ImageError(FelicityError):
    """An image cannot be read."""


class SourceError(FelicityError):
    """A source of frames cannot be read, or can no longer be read."""


class DetectorError(FelicityError):
    """A face detector is unknown or unavailable."""


class BundleError(FelicityError):
    """A bundle is missing, incomplete or tampered with."""


class DatasetError(FelicityError):
    """A data set cannot be read in its claimed format."""


class TrainingError(FelicityError):
    """A training cannot continue, or its results cannot be read."""


class EstimateError(FelicityError):
    """The data do not suffice for the requested figure."""


class WorkError(FelicityError):
    """Distributed work cannot be finished because its workers are lost."""


class StoreError(FelicityError):
    """A store cannot be opened, read or written."""


class SchemaError(StoreError):
    """The schema of a store is unknown to this version."""


@contextmanager
def noted(notes: Iterable[Note | str]) -> Iterator[None]:
    """Attach ``notes`` to a Felicity error: the notes that the figure would have carried."""
    try:
        yield
    except FelicityError as error:
        for note in notes:
            error.add_note(str(note))
        raise


def require(module: str, extra: str) -> ModuleType:
    """Import an optional ``module``, or raise ExtraMissingError with the name of the ``extra`` that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExtraMissingError(
            f"{module} is not installed; install it with: pip install 'felicity[{extra}]' ({error})"
        ) from error
