"""The face detectors: their names, their availability here, and their opening.

A new detector is a file in ``faces/detectors``: a class with ``@register(name, rank)``. Other packages announce theirs
(``felicity.plugins``) with a ``rank`` of the class, and any class is found by its import path.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, Protocol, TypeVar

from felicity import plugins
from felicity.errors import ConfigError, DetectorError
from felicity.faces.detection import Detector
from felicity.faces.weights import NotInstalledError, WeightsFile


class DetectorClass(Protocol):
    """A registered class: opening may take options, and ``check`` tests beforehand whether it would work.

    ``weights`` is the file to install for it, if it needs one.
    """

    weights: WeightsFile | None

    def __call__(self, **options: Any) -> Detector:
        """Open the detector."""
        ...

    def check(self) -> None:
        """Raise NotInstalledError if a part is missing, DetectorError if a part is invalid."""
        ...


class Availability(NamedTuple):
    """A line of ``felicity detectors list``; ``reason`` is empty where ``available``."""

    name: str
    available: bool
    reason: str


_REGISTERED: dict[str, tuple[int, DetectorClass]] = {}
C = TypeVar("C", bound=Callable[..., Any])


def register(name: str, *, rank: int) -> Callable[[C], C]:
    """Register a detector; ``auto`` opens the working one of the highest ``rank``; a decorator."""

    def add(cls: C) -> C:
        if name == "auto" or name in _REGISTERED:
            raise ValueError(f"there is already a detector {name!r}")
        _REGISTERED[name] = (rank, cls)  # type: ignore[assignment]
        return cls

    return add


@cache
def _discover() -> None:
    from felicity.faces import detectors

    for module in sorted(m.name for m in pkgutil.iter_modules(detectors.__path__)):
        importlib.import_module(f"{detectors.__name__}.{module}")


def _known() -> dict[str, tuple[int, DetectorClass]]:
    """Return all detectors by name with their ranks, the best first, including those that packages announce."""
    _discover()
    others = plugins.announced("detectors")
    plugins.check_new("detector", others, _REGISTERED)
    loaded = {name: plugins.load(entry) for name, entry in others.items()}
    known = _REGISTERED | {name: (getattr(cls, "rank", 0), cls) for name, cls in loaded.items()}
    return dict(sorted(known.items(), key=lambda item: (-item[1][0], item[0])))


def names() -> list[str]:
    """Return names of all detectors, the best first."""
    return list(_known())


def available() -> list[Availability]:
    """Return every detector, the best first, with its availability here and the reason if it is unavailable."""
    return [_availability(name, cls) for name, (_, cls) in _known().items()]


def _availability(name: str, cls: DetectorClass) -> Availability:
    try:
        cls.check()
    except DetectorError as error:
        return Availability(name, False, str(error))
    return Availability(name, True, "")


def open_detector(name: str = "auto", **options: Any) -> Detector:
    """Open the detector ``name``, or with ``auto`` the best that is installed, whose ``name`` it has.

    Raises DetectorError if the name is unknown or the detector cannot work here, with a remedy, and ConfigError for an
    option that the detector does not accept; None counts as not given. ``threads``, of one search, is a wish: a
    detector without such an option ignores it.
    """
    options = {option: value for option, value in options.items() if value is not None}
    if name == "auto":
        name = _best()
    cls = _class(name)
    known = inspect.signature(cls).parameters
    if "threads" not in known:
        options.pop("threads", None)
    for option in options:
        if option not in known:
            raise ConfigError(f"the {name} detector has no option {option!r}; it has: {', '.join(known)}")
    return cls(**options)


def weights_of(name: str) -> WeightsFile:
    """Return the file that the detector ``name`` needs; DetectorError if it needs none or is unknown."""
    if (weights := _class(name).weights) is None:
        raise DetectorError(f"the {name} detector needs no file; there is nothing to install")
    return weights


def _class(name: str) -> DetectorClass:
    if plugins.is_path(name):
        return plugins.import_callable(name, "detector")  # type: ignore[return-value]
    known = _known()
    if name not in known:
        raise DetectorError(f"there is no face detector {name!r}; there are: auto, {', '.join(known)}")
    return known[name][1]


def _best() -> str:
    reasons = []
    for name, (_, cls) in _known().items():
        try:
            cls.check()
        except NotInstalledError as error:
            reasons.append(str(error))
        else:
            return name
    raise DetectorError(f"no face detector is installed: {'; '.join(reasons)}")
