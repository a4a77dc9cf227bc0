"""Removal of secrets from everything that Felicity shows: errors, notes, tables, logs.

Addresses of cameras and databases hold names and passwords. Errors (``errors.FelicityError``), notes (``notes.Note``)
and the terminal (``cli.console``) pass every text through ``redacted``.
"""

from __future__ import annotations

import re

HIDDEN = "…"
"""The replacement of a secret."""

_NAMES = r"user|usr|login|pass|pwd|token|key|auth|secret|sig|account|credential"
_FIELD = re.compile(rf"([?&;](?:[^=&;#?]*(?:{_NAMES})[^=&;#]*|pw|u|p)=)[^&;#]*", re.IGNORECASE)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'`<>]+")
_AROUND = ".,:;!)]}"
_SETTING = re.compile(
    r"\b((?:password|passwd|pwd|passphrase|token|secret|api[_-]?key)\s*=\s*)(?!…)('[^']*'|\"[^\"]*\"|[^\s;&,'\"]+)",
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """Return ``text`` without the secrets of its addresses and its ``password=…``; a second call changes nothing."""
    if "=" not in text and "://" not in text:
        return text
    # Repeat until nothing changes: the rest of one address may look like another address.
    while (told := _SETTING.sub(rf"\1{HIDDEN}", _ADDRESS.sub(lambda found: _in_sentence(found[0]), text))) != text:
        text = told
    return text


def redacted_address(address: str) -> str:
    """Return an address without user, password and the values of query fields whose names denote secrets."""
    protocol, _, rest = address.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        rest = rest[authority.rindex("@") + 1 :]
    elif "@" in rest and re.search(r":(?!\d*$)", authority.rpartition("]")[2]):
        # Not host:port, so it must be user:password with an unescaped slash or the like.
        rest = rest.rpartition("@")[2]
    return f"{protocol}://" + _FIELD.sub(rf"\1{HIDDEN}", rest)


def _in_sentence(address: str) -> str:
    bare = address.rstrip(_AROUND)
    return redacted_address(bare) + address[len(bare) :]
