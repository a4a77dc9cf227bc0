"""Numbers for people: counts, percentages, intervals, points, durations, for charts, pages and tables."""

from __future__ import annotations

import math

from felicity.style.language import in_digits, say

NO_FIGURE = "\u2013"
"""Stands in place of a missing figure."""


def _minus(text: str) -> str:
    """Return a minus as wide as the plus, and digits as the language has them."""
    return in_digits(text).replace("-", "\u2212")


def known(value: float | None) -> bool:
    """Return whether the figure exists: neither None nor NaN."""
    return value is not None and not math.isnan(value)


def number(value: float | None, digits: int = 1) -> str:
    """Return ``1,234.5``, or a dash for a missing figure."""
    return NO_FIGURE if value is None or math.isnan(value) else _minus(f"{value:,.{digits}f}")


def count(value: float) -> str:
    """Return ``1,234``."""
    return in_digits(f"{value:,.0f}")


def percent(value: float | None, digits: int = 1) -> str:
    """Return ``46.2 %`` for a figure in percent, or a dash for a missing one."""
    return NO_FIGURE if value is None or math.isnan(value) else _minus(f"{value:.{digits}f} %")


def share(part: float | None, digits: int = 1) -> str:
    """Return ``46.2 %`` for a share from 0 to 1, or a dash for a missing one."""
    return percent(None if part is None else 100 * part, digits)


def span(low: float | None, high: float | None, digits: int = 1) -> str:
    """Return ``46.2 to 53.0``, or a dash if an end is unknown."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return NO_FIGURE
    return say("{low} to {high}", low=_minus(f"{low:.{digits}f}"), high=_minus(f"{high:.{digits}f}"))


def percent_span(low: float | None, high: float | None, digits: int = 1) -> str:
    """Return ``46.2 to 53.0 %``, or a dash if an end is unknown."""
    shown = span(low, high, digits)
    return shown if shown == NO_FIGURE else f"{shown} %"


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """Return ``95 % interval 46.2 to 53.0``."""
    return say("95 % interval {span}", span=span(low, high, digits))


def points(value: float | None, digits: int = 1) -> str:
    """Return ``+3.1``: a difference in points with its sign, the minus as wide as the plus."""
    return NO_FIGURE if value is None or math.isnan(value) else _minus(f"{value:+.{digits}f}")


def points_span(low: float | None, high: float | None, digits: int = 1) -> str:
    """Return ``+1.0 to +5.2``, or a dash if an end is unknown."""
    if not known(low) or not known(high):
        return NO_FIGURE
    return say("{low} to {high}", low=points(low, digits), high=points(high, digits))


def in_points(size: float) -> str:
    """Return ``3.1 points``, ``1.0 point``."""
    shown = f"{size:.1f}"
    return say("{size} point" if shown == "1.0" else "{size} points", size=in_digits(shown))


def people(number_of: int) -> str:
    """Return ``1 person``, ``1,234 people``."""
    return say("{count} person" if number_of == 1 else "{count} people", count=count(number_of))


def duration(seconds: float) -> str:
    """Return ``42 s``, ``5 min``, ``1,234 min``."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{count(seconds / 60)} min"


def p_value(value: float) -> str:
    """Return ``0.032``, or ``< 0.001``."""
    return in_digits("< 0.001" if value < 0.001 else f"{value:.3f}")


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Return ``A``, ``A and B``, ``A, B and C``."""
    if len(names) == 1:
        return names[0]
    return say("{names} and {last}", names=", ".join(names[:-1]), last=names[-1])
