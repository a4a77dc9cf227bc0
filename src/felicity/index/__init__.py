"""Counting: windows, the happy share and its interval."""

from felicity.index.accumulator import WindowAccumulator
from felicity.index.happiness import Figure, GroupKey, Groups, IndexRow, compute_index
from felicity.index.location import Location
from felicity.index.soft_matrix import SoftMatrix
from felicity.index.sums import Sums
from felicity.index.window import PersonObservation, Window, WindowKey

__all__ = [
    "Figure",
    "GroupKey",
    "Groups",
    "IndexRow",
    "Location",
    "PersonObservation",
    "SoftMatrix",
    "Sums",
    "Window",
    "WindowAccumulator",
    "WindowKey",
    "compute_index",
]
