"""``felicity doctor``: what is installed and what works here."""

from __future__ import annotations

import typer

from felicity.cli import console, options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(json: options.Json = False) -> None:
    """Say what is installed: versions, detectors, extras, bundles and places.

    Exit code 1 if something essential is missing.
    """
    import platform
    from importlib import metadata

    from felicity import __version__, paths
    from felicity.errors import FelicityError
    from felicity.faces.registry import available
    from felicity.models.bundle import shipped

    try:
        version, required = metadata.version("felicity"), metadata.requires("felicity") or []
    except metadata.PackageNotFoundError:
        version, required = f"{__version__} (from its source folder, not installed)", []
    packages = sorted(_requirements(required))
    versions: dict[str, str | None] = {}
    for package, _ in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    extras: dict[str, bool] = {}
    for package, extra in packages:
        if extra:
            extras[extra] = extras.get(extra, True) and versions[package] is not None
    missing = [package for package, extra in packages if not extra and versions[package] is None]
    bundles: dict[str, str] = {}
    for name in shipped():
        try:
            from felicity.recognition.classifier import Classifier

            bundles[name] = Classifier.open(name).bundle.id
        except FelicityError as error:
            bundles[name] = str(error)
            missing.append(f"bundle {name}")
    detectors = available()
    report = {
        "felicity": version,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "home": str(paths.home()),
        "packages": versions,
        "extras": extras,
        "detectors": detectors,
        "bundles": bundles,
        "missing": missing,
    }
    if json:
        console.emit("doctor", report)
    else:
        rows = [(key, str(report[key])) for key in ("felicity", "python", "platform", "home")]
        rows += [(f"detector {d.name}", "works" if d.available else d.reason) for d in detectors]
        rows += [(f"bundle {name}", state) for name, state in bundles.items()]
        rows += [(f"extra {name}", "installed" if there else "not installed") for name, there in sorted(extras.items())]
        rows += [(package, versions[package] or "not installed") for package, extra in packages if not extra]
        console.table(("what", "state"), rows)
    if missing:
        console.fail(f"missing: {', '.join(missing)}; install Felicity again")
        raise typer.Exit(1)


def _requirements(lines: list[str]) -> set[tuple[str, str]]:
    """Pairs of package and extra ('' for the core) out of a distribution's requirement lines."""
    import re

    pairs = set()
    for line in lines:
        name = re.match(r"[A-Za-z0-9_.-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", line)
        if name and name.group() != "felicity":
            pairs.add((name.group(), extra.group(1) if extra else ""))
    return pairs
