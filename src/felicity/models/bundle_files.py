"""The files of a bundle: each is read once and checked, so that the checked content is the used one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from felicity.errors import BundleError

MOST_BYTES = 128 << 20
"""Largest size of a file of a bundle, in bytes."""


def digest_of(content: bytes) -> str:
    """Return the SHA-256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def checked_content(folder: Path, name: str, sha256: str) -> bytes:
    """Return the content of a bundle's file. Raises BundleError if it is missing or was changed."""
    file = folder / name
    if Path(name).name != name or not file.is_file():
        raise BundleError(f"{folder}: weights {name!r} are missing; get the bundle again")
    with file.open("rb") as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BundleError(f"{file}: has more than the {MOST_BYTES >> 20} MB allowed; get a smaller bundle")
    if (found := digest_of(content)) != sha256:
        raise BundleError(
            f"{file}: SHA-256 {sha256[:12]}… expected, found {found[:12]}…; "
            "the weights were changed or damaged, get the bundle again"
        )
    return content
