"""Write a bill of materials of Felicity and what it is installed with, CycloneDX 1.5 as JSON, and check the licences.

Run by ``make sbom``. Packages are those that ``felicity`` and its extras lead to, as they are installed here. Fails
where a licence is not known or not allowed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

OWN = ("dev", "docs", "release", "train")
"""Extras that are no user's, or that are others together."""
ALLOWED = re.compile(
    r"MIT|Apache|BSD|ISC|PSF|Python Software Foundation|MPL|Mozilla Public License 2|HPND|LGPL|"
    r"Lesser General Public License|Unlicense|0BSD|Zlib|CC0|Boost|BSL-1|CNRI|public domain|NVIDIA",
    re.IGNORECASE,
)
"""Licences under which Felicity, Apache-2.0, may use a package as it is installed. NVIDIA's are of CUDA."""
KNOWN = {
    "dlib-bin": "BSL-1.0",
    "namex": "Apache-2.0",
}
"""Packages whose metadata do not say it; their files of a licence do."""


def extras() -> tuple[str, ...]:
    """Return the extras that users install, as the installed Felicity lists them."""
    listed = metadata.metadata("felicity").get_all("Provides-Extra") or ()
    return tuple(extra for extra in listed if extra not in OWN)


def packages(root: str = "felicity", asked_for: tuple[str, ...] | None = None) -> dict[str, metadata.Distribution]:
    """Return what ``root`` and its extras (default: users') lead to, by name, without packages of other systems."""
    from packaging.requirements import Requirement

    found: dict[str, metadata.Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting: list[tuple[str, tuple[str, ...]]] = [(root, extras() if asked_for is None else asked_for)]
    while waiting:
        name, asked = waiting.pop()
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[normal(name)] = distribution
        for text in distribution.requires or ():
            need = Requirement(text)
            for extra in ("", *asked):
                key = (normal(need.name), ",".join(sorted(need.extras)))
                if key not in seen and (need.marker is None or need.marker.evaluate({"extra": extra})):
                    seen.add(key)
                    waiting.append((need.name, tuple(need.extras)))
    return dict(sorted(found.items()))


def normal(name: str) -> str:
    """Return a package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(distribution: metadata.Distribution) -> str:
    """Return what a package says of its licence, in a line; empty if it says nothing."""
    name = normal(distribution.metadata["Name"])
    if name in KNOWN:
        return KNOWN[name]
    facts = distribution.metadata
    classifiers = [c.rpartition(" :: ")[2] for c in facts.get_all("Classifier") or () if c.startswith("License ::")]
    told = facts.get("License-Expression") or ", ".join(classifiers) or (facts.get("License") or "").strip()
    return " ".join(str(told).split())[:200]


def wrong_licences(found: dict[str, metadata.Distribution]) -> Iterator[str]:
    """Yield a sentence for each package whose licence is not known or not allowed."""
    for name, distribution in found.items():
        if not ALLOWED.search(licence := licence_of(distribution)):
            yield f"{name} {distribution.version}: licence {licence or 'unknown'} is not in the list of scripts/sbom.py"


def bill(found: dict[str, metadata.Distribution]) -> dict[str, Any]:
    """Return the bill of materials, CycloneDX 1.5."""
    own = found["felicity"]

    def component(name: str, distribution: metadata.Distribution, kind: str) -> dict[str, Any]:
        reference = f"pkg:pypi/{name}@{distribution.version}"
        licences = [{"license": {"name": licence_of(distribution) or "unknown"}}]
        return {
            "type": kind, "bom-ref": reference, "name": name, "version": distribution.version, "purl": reference,
            "licenses": licences,
        }  # fmt: skip

    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component("felicity", own, "application")},
        "components": [component(name, each, "library") for name, each in found.items() if name != "felicity"],
    }


def main() -> int:
    """Write the bill to the file named, or to standard output; return how many licences are wrong."""
    found = packages()
    text = json.dumps(bill(found), indent=1) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    wrong = list(wrong_licences(found))
    print(f"{len(found)} packages, {len(wrong)} licences to look at", *wrong, sep="\n", file=sys.stderr)
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
