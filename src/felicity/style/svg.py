"""Small charts as SVG for pages: shares in percent over time or by category, in the page's colours, without a script.

Every mark has a tooltip. Text has the size of the page's text if a chart is shown at its natural width, so a page shows
a wide and a narrow one (``.wide-plot``, ``.narrow-plot`` in ``page.css``).
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 10.0, 20.0, 24.0
_SMALLEST_RANGE = 20.0


@dataclass(frozen=True)
class Mark:
    """One figure: its place on the axis, percent and interval, None if not shown, and its tooltip.

    ``joined``: a line leads to it from the mark before.
    """

    at: float
    value: float | None
    low: float | None
    high: float | None
    title: str
    joined: bool = True


@dataclass(frozen=True)
class Line:
    """A straight line of a fit, from mark to mark."""

    points: Sequence[tuple[float, float]]


Ticks = Sequence[tuple[float, str]]
"""Places on the axis with their labels."""


def fit_range(marks: Sequence[Mark]) -> tuple[float, float, float]:
    """Return low end, high end and step of an axis that shows all marks: at least 20 points, within 0 … 100."""
    ends = [v for m in marks for v in (m.value, m.low, m.high) if v is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 100.0)
    spare = max(_SMALLEST_RANGE - (high - low), 0.0) / 2
    low, high = max(low - spare, 0.0), min(high + spare, 100.0)
    step = next(step for step in (5.0, 10.0, 20.0, 25.0) if (high - low) / step <= 5 or step == 25.0)
    return max(step * math.floor(low / step), 0.0), min(step * math.ceil(high / step), 100.0), step


def course(
    marks: Sequence[Mark],
    *,
    ticks: Ticks,
    label: str,
    width: float,
    height: float,
    fit: Line | None = None,
    events: Ticks = (),
) -> str:
    """Return shares over time: a line with the band of its intervals, broken where marks are not ``joined``.

    ``label``: a description for people who cannot see it. ``events``: places of vertical lines, with their names.
    """
    drawn = _Frame(marks, ticks, width, height, pad=0.02)
    parts = drawn.grid()
    for run in _runs(marks):
        upper = [f"{drawn.x(m.at):.1f},{drawn.y(m.high):.1f}" for m in run if m.high is not None]
        lower = [f"{drawn.x(m.at):.1f},{drawn.y(m.low):.1f}" for m in reversed(run) if m.low is not None]
        if len(upper) > 1:
            parts.append(f'<polygon class="band" points="{" ".join(upper + lower)}"/>')
        line = " ".join(f"{drawn.x(m.at):.1f},{drawn.y(m.value):.1f}" for m in run)
        parts.append(f'<polyline class="line" points="{line}"/>')
    if fit is not None:
        line = " ".join(f"{drawn.x(at):.1f},{drawn.y(value):.1f}" for at, value in fit.points)
        parts.append(f'<polyline class="fit" points="{line}"/>')
    for at, name in events:
        x = drawn.x(at)
        side = "end" if x > width / 2 else "start"
        shift = -4 if side == "end" else 4
        parts.append(f'<line class="event" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 14}" y2="{height - _BOTTOM}"/>')
        parts.append(
            f'<text class="event" x="{x + shift:.1f}" y="{_TOP - 5}" text-anchor="{side}">{_text(name)}</text>'
        )
    parts += [drawn.dot(mark) for mark in marks]
    return drawn.close(parts, label, drawn.axis())


def categories(marks: Sequence[Mark], *, ticks: Ticks, label: str, width: float, height: float) -> str:
    """Return shares by category: a dot with its interval each; see ``course``."""
    drawn = _Frame(marks, ticks, width, height, pad=0.06)
    parts = drawn.grid()
    for mark in marks:
        if mark.low is not None and mark.high is not None:
            x = drawn.x(mark.at)
            ends = f'x1="{x:.1f}" x2="{x:.1f}" y1="{drawn.y(mark.low):.1f}" y2="{drawn.y(mark.high):.1f}"'
            parts.append(f'<line class="whisker" {ends}/>')
        parts.append(drawn.dot(mark))
    return drawn.close(parts, label)


class _Frame:
    """Axes: the position of a place and a percentage, and their names."""

    def __init__(self, marks: Sequence[Mark], ticks: Ticks, width: float, height: float, *, pad: float) -> None:
        self.width, self.height, self.ticks = width, height, ticks
        self.low, self.high, self.step = fit_range(marks)
        places = [mark.at for mark in marks] or [0.0]
        reach = max(places) - min(places)
        spare = pad * reach if reach else 1.0
        self.first, self.last = min(places) - spare, max(places) + spare

    def x(self, at: float) -> float:
        return _LEFT + (at - self.first) / (self.last - self.first) * (self.width - _LEFT - _RIGHT)

    def y(self, value: float | None) -> float:
        share = ((value or 0.0) - self.low) / (self.high - self.low)
        return self.height - _BOTTOM - share * (self.height - _TOP - _BOTTOM)

    def grid(self) -> list[str]:
        parts = []
        for i in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + i * self.step
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g} %</text>')
        for at, name in self.ticks:
            x = self.x(at)
            parts.append(f'<text x="{x:.1f}" y="{self.height - 6}" text-anchor="middle">{_text(name)}</text>')
        return parts

    def dot(self, mark: Mark) -> str:
        title = f"<title>{_text(mark.title)}</title>"
        if mark.value is None:
            y = self.height - _BOTTOM - 6
            place = f'x="{self.x(mark.at):.1f}" y="{y}" text-anchor="middle"'
            return f'<text class="none" {place}>\N{MULTIPLICATION SIGN}{title}</text>'
        return f'<circle class="dot" cx="{self.x(mark.at):.1f}" cy="{self.y(mark.value):.1f}" r="3">{title}</circle>'

    def axis(self) -> str:
        """Return attributes that give a script the position of each place of the axis on the picture."""
        ends = f'data-first="{self.first:.0f}" data-last="{self.last:.0f}"'
        return f' {ends} data-left="{_LEFT:g}" data-right="{self.width - _RIGHT:g}"'

    def close(self, parts: Sequence[str], label: str, more: str = "") -> str:
        size = f'viewBox="0 0 {self.width:g} {self.height:g}" style="--natural: {self.width:g}px"'
        return f'<svg class="plot" role="img" aria-label="{_text(label)}" {size}{more}>{"".join(parts)}</svg>'


def _runs(marks: Sequence[Mark]) -> list[list[Mark]]:
    runs: list[list[Mark]] = [[]]
    for mark in marks:
        if mark.value is None or not mark.joined:
            runs.append([])
        if mark.value is not None:
            runs[-1].append(mark)
    return [run for run in runs if run]


def _text(value: str) -> str:
    return html.escape(value)
