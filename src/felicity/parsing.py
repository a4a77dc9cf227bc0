"""JSON and TOML from untrusted sources, read with bounds: every fault of a text becomes one ValueError.

The standard library accepts values that break later: NaN and Infinity, numbers beyond the range of floats, and nesting
that ends in a RecursionError.
"""

from __future__ import annotations

import json
import math
import tomllib
from typing import Any

DEEPEST = 100
"""Deepest accepted nesting of lists and tables."""
LARGEST_INTEGER = 2**63 - 1
"""Largest integer of TOML, databases and NumPy."""


def read_json(text: str | bytes, *, finite: bool = True) -> Any:
    """Return the values of a JSON document: finite numbers, integers of 64 bits. Raises ValueError.

    ``finite``: False for files that Felicity wrote with NaN and Infinity in Python's spelling.
    """
    try:
        value = json.loads(text, parse_constant=_constant if finite else None, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise ValueError(f"lists and tables are more than {DEEPEST} deep") from None
    return _shallow(value)


def read_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML document under the same bounds. Raises ValueError."""
    try:
        tables = tomllib.loads(text, parse_float=_float)
    except RecursionError:
        raise ValueError(f"lists and tables are more than {DEEPEST} deep") from None
    _shallow(tables)
    return tables


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


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
    """Return the value unless its lists and tables are nested too deeply; search level by level, without recursion."""
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
