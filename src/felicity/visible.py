r"""Text that is safe to show in a terminal: characters that control the terminal or reverse the text are escaped.

Names of files, locations and bundles, and answers of servers, come from strangers. ESC starts terminal commands, a line
break forges a line of output, and a bidirectional mark reorders the text.
"""

from __future__ import annotations

import unicodedata

STEERING = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Unicode categories of control characters, format characters, and separators of lines and paragraphs."""


def visible(text: str, keep: str = "") -> str:
    r"""Return ``text`` with control characters escaped as ``\x1b`` or ``\u202e``, except those in ``keep``."""
    if text.isprintable():
        return text
    return "".join(one if one in keep or not steers(one) else repr(one)[1:-1] for one in text)


def visible_json(document: str) -> str:
    r"""Return a JSON document with control characters as ``\u`` escapes: the same values, safe to show."""
    if document.isprintable():
        return document
    return "".join(_unit(one) if one != "\n" and steers(one) else one for one in document)


def steers(one: str) -> bool:
    """Return whether the category of a character is in ``STEERING``."""
    return unicodedata.category(one) in STEERING


def _unit(one: str) -> str:
    units = one.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
