"""``felicity doctor``: the installed parts, and whether each works here."""

from __future__ import annotations

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

PANEL = Panel.SET_UP


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(json: options.Json = False) -> None:
    """Show the installation: versions, detectors, devices, extras, bundles and places.

    Exit code 1 if an essential part is missing.
    """
    import platform

    from felicity import paths
    from felicity.faces.registry import available
    from felicity.models.backend import installed_backends
    from felicity.models.devices import survey
    from felicity.work.cluster import ray_here

    version, packages = _packages()
    versions = {package: _version(package) for package, _ in packages}
    extras: dict[str, bool] = {}
    for package, extra in packages:
        if extra:
            extras[extra] = extras.get(extra, True) and versions[package] is not None
    core = [package for package, extra in packages if not extra]
    bundles, broken = _bundles()
    missing = [package for package in core if versions[package] is None] + broken
    detectors, devices = available(), survey(installed_backends())
    report = {
        "felicity": version,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "home": str(paths.home()),
        "packages": versions,
        "extras": extras,
        "detectors": detectors,
        "devices": devices,
        "bundles": bundles,
        "ray": ray_here(),
        "missing": missing,
    }
    if json:
        console.emit("doctor", report)
    else:
        rows = [(key, str(report[key])) for key in ("felicity", "python", "platform", "home")]
        rows += [(f"detector {d.name}", "works" if d.available else d.reason) for d in detectors]
        rows += [(f"{d.backend} on {d.device}" if d.device else d.backend, d.trouble or d.name) for d in devices]
        rows.append(("cluster", str(report["ray"])))
        rows += [(f"bundle {name}", state) for name, state in bundles.items()]
        rows += [(f"extra {name}", "installed" if there else "not installed") for name, there in sorted(extras.items())]
        rows += [(package, versions[package] or "not installed") for package in core]
        console.table(("what", "state"), rows)
    if missing:
        console.fail(f"missing: {', '.join(missing)}; install Felicity again")
        raise typer.Exit(1)


def _packages() -> tuple[str, list[tuple[str, str]]]:
    """Return Felicity's version, and the packages that it requires, each with the extra that needs it."""
    from importlib import metadata

    from felicity import __version__

    try:
        return metadata.version("felicity"), sorted(_requirements(metadata.requires("felicity") or []))
    except metadata.PackageNotFoundError:
        return f"{__version__} (from its source folder, not installed)", []


def _version(package: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _bundles() -> tuple[dict[str, str], list[str]]:
    """Return the shipped bundles, each with its identity or its fault, and the names of those that do not open."""
    from felicity.errors import FelicityError
    from felicity.models.bundle import shipped

    found, broken = {}, []
    for name in shipped():
        try:
            from felicity.recognition.classifier import Classifier

            found[name] = Classifier.open(name).bundle.id
        except FelicityError as error:
            found[name] = str(error)
            broken.append(f"bundle {name}")
    return found, broken


def _requirements(lines: list[str]) -> set[tuple[str, str]]:
    """Return pairs of package and extra ('' for the core) from a distribution's requirement lines."""
    import re

    pairs = set()
    for line in lines:
        name = re.match(r"[A-Za-z0-9_.-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", line)
        if name and name.group() != "felicity":
            pairs.add((name.group(), extra.group(1) if extra else ""))
    return pairs
