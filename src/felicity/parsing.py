"""JSON and TOML of strangers, read with bounds: whatever is wrong with a text is one ValueError.

The standard library lets through what breaks later: NaN and Infinity, numbers that no float holds, and nesting that
ends in a RecursionError.
"""

from __future__ import annotations

import json
import math
import tomllib
from typing import Any

DEEPEST = 100
"""Lists and tables within each other."""
LARGEST_INTEGER = 2**63 - 1
"""As TOML, databases and NumPy have it."""


def read_json(text: str | bytes, *, finite: bool = True) -> Any:
    """Return the values of a JSON document: finite numbers, integers of 64 bits. Raises ValueError.

    ``finite``: False for what Felicity writes with NaN and Infinity as Python spells them.
    """
    try:
        value = json.loads(text, parse_constant=_constant if finite else None, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise ValueError(f"lists and tables are more than {DEEPEST} deep") from None
    return _shallow(value)


def read_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML document, likewise. Raises ValueError."""
    try:
        tables = tomllib.loads(text, parse_float=_float)
    except RecursionError:
        raise ValueError(f"lists and tables are more than {DEEPEST} deep") from None
    _shallow(tables)
    return tables


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no finite number")
    return number


def _int(text: str) -> int:
    if len(text) > 20 or abs(number := int(text)) > LARGEST_INTEGER:
        raise ValueError(f"{text[:20]}… has more than 64 bits")
    return number


def _shallow(value: Any) -> Any:
    """The value, unless its lists and tables are too deep; level by level, so that the search itself is not."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return value
        for each in level:
            if isinstance(each, int) and abs(each) > LARGEST_INTEGER:
                raise ValueError("an integer has more than 64 bits")
    raise ValueError(f"lists and tables are more than {DEEPEST} deep")
