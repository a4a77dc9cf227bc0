"""Counting: windows, the happy share and its interval."""

from felicity.index.window import PersonObservation, Window, WindowKey

__all__ = ["PersonObservation", "Window", "WindowKey"]
