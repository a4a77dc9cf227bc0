"""Whether what is gone on with is what was begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from felicity.errors import TrainingError

MACHINE = frozenset({"threads", "data.path", "data.name", "data.licence"})
"""Settings that may differ from machine to machine, or only say what data are called; that the data are the same is
told by their digest."""


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their dotted names."""
    values: dict[str, Any] = {}
    for key, value in settings.items():
        values |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return values


def check_same(where: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise TrainingError naming the first setting of ``now`` that is another than ``then``."""
    before, after = flat(then), flat(now)
    for name in sorted((before.keys() | after.keys()) - MACHINE):
        if before.get(name) != after.get(name):
            raise TrainingError(
                f"{where}: was begun with {name} = {_shown(before, name)}, not {_shown(after, name)}; "
                f"go on as it was begun, or choose another folder or name"
            )


def _shown(values: Mapping[str, Any], name: str) -> str:
    return repr(values[name]) if values.get(name) is not None else "nothing"
