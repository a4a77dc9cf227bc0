"""Numbers as people read them: counts, percentages, intervals, points, durations, for charts, pages and tables."""

from __future__ import annotations

import math

NO_FIGURE = "\u2013"
"""Stands where there is no figure."""


def _minus(text: str) -> str:
    """A minus as wide as the plus."""
    return text.replace("-", "\u2212")


def known(value: float | None) -> bool:
    """Return whether there is a figure: neither None nor NaN."""
    return value is not None and not math.isnan(value)


def number(value: float | None, digits: int = 1) -> str:
    """Return ``1,234.5``, or a dash where there is no figure."""
    return NO_FIGURE if value is None or math.isnan(value) else _minus(f"{value:,.{digits}f}")


def count(value: float) -> str:
    """Return ``1,234``."""
    return f"{value:,.0f}"


def percent(value: float | None, digits: int = 1) -> str:
    """Return ``46.2 %`` of a figure that is in percent, or a dash where there is none."""
    return NO_FIGURE if value is None or math.isnan(value) else _minus(f"{value:.{digits}f} %")


def share(part: float | None, digits: int = 1) -> str:
    """Return ``46.2 %`` of a share from 0 to 1, or a dash where there is none."""
    return percent(None if part is None else 100 * part, digits)


def span(low: float | None, high: float | None, digits: int = 1) -> str:
    """Return ``46.2 to 53.0``, or a dash where an end is not known."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return NO_FIGURE
    return _minus(f"{low:.{digits}f} to {high:.{digits}f}")


def percent_span(low: float | None, high: float | None, digits: int = 1) -> str:
    """Return ``46.2 to 53.0 %``, or a dash where an end is not known."""
    shown = span(low, high, digits)
    return shown if shown == NO_FIGURE else f"{shown} %"


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """Return ``95 % interval 46.2 to 53.0``."""
    return f"95 % interval {span(low, high, digits)}"


def points(value: float | None, digits: int = 1) -> str:
    """Return ``+3.1``: a difference in points with its sign, the minus as wide as the plus."""
    return NO_FIGURE if value is None or math.isnan(value) else _minus(f"{value:+.{digits}f}")


def points_span(low: float | None, high: float | None, digits: int = 1) -> str:
    """Return ``+1.0 to +5.2``, or a dash where an end is not known."""
    if not known(low) or not known(high):
        return NO_FIGURE
    return f"{points(low, digits)} to {points(high, digits)}"


def in_points(size: float) -> str:
    """Return ``3.1 points``, ``1.0 point``."""
    return f"{size:.1f} point" if f"{size:.1f}" == "1.0" else f"{size:.1f} points"


def people(number_of: int) -> str:
    """Return ``1 person``, ``1,234 people``."""
    return f"{number_of:,} {'person' if number_of == 1 else 'people'}"


def duration(seconds: float) -> str:
    """Return ``42 s``, ``5 min``, ``1,234 min``."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:,.0f} min"


def p_value(value: float) -> str:
    """Return ``0.032``, or ``< 0.001``."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Return ``A``, ``A and B``, ``A, B and C``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
