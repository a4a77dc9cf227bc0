"""Windows: counts and sums of one minute, without any person; the only data that cross from seeing to counting."""

from felicity.windows.accumulator import WindowAccumulator
from felicity.windows.location import Location
from felicity.windows.sums import Sums
from felicity.windows.window import PersonObservation, Window, WindowKey

__all__ = ["Location", "PersonObservation", "Sums", "Window", "WindowAccumulator", "WindowKey"]
