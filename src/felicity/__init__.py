"""Felicity: how happy do the people in a place look, with an interval, keeping no face.

import felicity

felicity.read("photo.jpg")                         # faces with expressions
felicity.watch("clip.mp4", location="Harbour")     # windows into the store
felicity.happiness(by="day")                       # the index, with intervals
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pragma: no cover
    from felicity.api import happiness, read, watch

__version__ = "0.1.0"
__all__ = ["__version__", "happiness", "read", "watch"]


def __getattr__(name: str) -> Any:
    # Late, so that `import felicity` stays cheap.
    if name in {"happiness", "read", "watch"}:
        return getattr(importlib.import_module("felicity.api"), name)
    raise AttributeError(f"module 'felicity' has no attribute {name!r}")
