"""The check that a resumed job uses its original settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from felicity.errors import TrainingError

MACHINE = frozenset({"threads", "device", "data.path", "data.name", "data.licence", "data.more"})
"""Settings that may differ between machines, or that only name the data.

A digest identifies the data.
"""


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by their dotted names."""
    values: dict[str, Any] = {}
    for key, value in settings.items():
        values |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return values


def check_same(where: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Check that a resumed job uses its original settings; raise TrainingError naming the first that differs."""
    before, after = flat(then), flat(now)
    for name in sorted((before.keys() | after.keys()) - MACHINE):
        if before.get(name) != after.get(name):
            raise TrainingError(
                f"{where}: was begun with {name} = {_shown(before, name)}, not {_shown(after, name)}; "
                f"go on as it was begun, or choose another folder or name"
            )


def _shown(values: Mapping[str, Any], name: str) -> str:
    return repr(values[name]) if values.get(name) is not None else "nothing"
