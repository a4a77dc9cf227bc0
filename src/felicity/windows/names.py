"""Names of locations, cameras and models: one line of text, from any source."""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 200


def check_name(name: object, what: str) -> None:
    """Raise ValueError unless ``name`` is one line of at most 200 characters; ``what`` names its owner, "a camera"."""
    if not isinstance(name, str) or not name.strip() or name != name.strip():
        raise ValueError(f"{what} needs a name without spaces around it, not {name!r:.60}")
    if len(name) > LONGEST_NAME:
        raise ValueError(
            f"{what}'s name has at most {LONGEST_NAME} characters, not {len(name):,} as {name[:20]!a}… has"
        )
    if odd := next((one for one in name if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")), None):
        raise ValueError(f"{what}'s name is one line of text, and {name!a} holds {odd!a}; leave it out")
