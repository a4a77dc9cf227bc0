"""Code from other packages: their announced plug-ins, and objects named by their import path.

A package announces its networks, readers, detectors and augmentations as entry points of the group ``felicity.KIND``.
An import path is ``package.module:name``; the current folder is searched last.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import sys
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, Literal, get_args

from felicity.errors import ConfigError

Kind = Literal["networks", "readers", "detectors", "augmentations"]


def is_path(name: str) -> bool:
    """Return whether ``name`` is an import path rather than a short name."""
    return ":" in name


def announced(kind: Kind) -> dict[str, importlib.metadata.EntryPoint]:
    """Return the plug-ins of installed packages by name, without importing them.

    Raises ConfigError for a duplicate name.
    """
    found: dict[str, importlib.metadata.EntryPoint] = {}
    for entry in _entry_points(f"felicity.{kind}", tuple((folder, _changed(folder)) for folder in sys.path)):
        other = found.setdefault(entry.name, entry)
        if other.value != entry.value:
            raise ConfigError(
                f"{kind} {entry.name!r}: announced by {_package(other)} and by {_package(entry)}; uninstall one of them"
            )
    return dict(sorted(found.items()))


def check_new(what: str, others: Collection[str], ours: Collection[str]) -> None:
    """Raise ConfigError if a package announces a name that Felicity itself uses."""
    if taken := sorted(set(others) & set(ours)):
        raise ConfigError(
            f"{what} {taken[0]!r}: a package announces this name, which is one of Felicity's own; uninstall the package"
        )


def load(entry: importlib.metadata.EntryPoint) -> Any:
    """Import an announced plug-in. Raises ConfigError naming the package."""
    return _import(f"{entry.name} of the package {_package(entry)}", entry.value)


def import_path(path: str, what: str) -> Any:
    """Import the object at ``path``; ``what`` names its purpose in messages, such as ``model``. Raises ConfigError."""
    if "" not in sys.path and "." not in sys.path:
        sys.path.append("")  # last, so that a file here hides no installed package
    return _import(what, path)


def import_callable(path: str, what: str) -> Callable[..., Any]:
    """Import the function or class at ``path``; see ``import_path``."""
    found = import_path(path, what)
    if not callable(found):
        raise ConfigError(f"{what} {path}: a function or class expected, found {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def origin(path: str) -> dict[str, str]:
    """Return the origin of the code at an import path: the path, and its package and version if it is in a package.

    Nothing is imported.
    """
    top = path.partition(":")[0].partition(".")[0]
    packages = importlib.metadata.packages_distributions().get(top, [])
    if not packages:
        return {"path": path}
    return {"path": path, "package": packages[0], "version": importlib.metadata.version(packages[0])}


def _import(what: str, path: str) -> Any:
    module, _, names = path.partition(":")
    if not (module and names and all(part.isidentifier() for part in (*module.split("."), *names.split(".")))):
        raise ConfigError(f"{what} {path!r}: an import path such as package.module:name expected")
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        if module == missing or module.startswith(f"{missing}."):
            raise ConfigError(
                f"{what} {path}: there is no module {missing}; install its package, or run Felicity in its folder"
            ) from error
        raise ConfigError(f"{what} {path}: needs the module {missing}, which is not installed") from error
    except Exception as error:
        raise ConfigError(f"{what} {path}: importing {module} failed: {type(error).__name__}: {error}") from error
    for name in names.split("."):
        if not hasattr(found, name):
            raise ConfigError(f"{what} {path}: {module} has no {name}; check the name behind the colon")
        found = getattr(found, name)
    return found


@lru_cache(maxsize=len(get_args(Kind)))
def _entry_points(group: str, folders: tuple[tuple[str, int], ...]) -> importlib.metadata.EntryPoints:
    """Return the entry points of the packages in ``folders``, which is ``sys.path``; read again when one changed."""
    return importlib.metadata.entry_points(group=group)


def _changed(folder: str) -> int:
    """Return when the list of files of a folder or archive last changed, in nanoseconds; 0 if there is none."""
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return 0


def _package(entry: importlib.metadata.EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value
