"""A period compared with the same hours of the weeks before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from felicity.errors import EstimateError
from felicity.index.happiness import IndexRow
from felicity.style.language import say
from felicity.style.numbers import count

FEWEST = 4
"""Least number of earlier weeks that define what is usual."""


@dataclass(frozen=True)
class Usual:
    """The happy share of a period, percent, beside the usual one at these hours of the week.

    ``usual``: mean of the ``weeks`` earlier periods that have a figure, out of ``asked``. ``low``, ``high``: 95 %
    prediction interval, within which 19 of 20 such periods lie if nothing has changed.
    """

    location: str
    start: datetime
    end: datetime
    people: int
    share: float
    usual: float
    low: float
    high: float
    weeks: int
    asked: int

    @property
    def difference(self) -> float:
        """Return the difference in points."""
        return self.share - self.usual

    @property
    def found(self) -> bool:
        """Return whether the period lies outside the prediction interval."""
        return not self.low <= self.share <= self.high


def compare_with_usual(now: IndexRow, before: Sequence[IndexRow], *, asked: int) -> Usual:
    """Compare ``now`` with ``before``, the same hours of earlier weeks at the same location, by the same model.

    The interval is Student's prediction interval for one more value of a sample (Hahn & Meeker 1991): weeks differ by
    more than chance among people, and their scatter shows it. If the period has fewer people than usual, the excess of
    its sampling variance is added. The soft matrix moves all weeks alike, so its error is left out.

    Raises EstimateError if ``now`` or too many of ``before`` have no figure.
    """
    share, error = now.happy_share.adjusted, now.happy_share.people_error
    if share is None or error is None:
        if now.suppressed:
            text = "{name}: the period has {people} people and no adjusted share, because its figure is not shown"
        else:
            text = (
                "{name}: the period has {people} people and no adjusted share, because its model has no soft matrix to "
                "adjust with"
            )
        raise EstimateError(say(text, name=now.location, people=count(now.people)))
    pairs = [(row.happy_share.adjusted, row.happy_share.people_error) for row in before]
    known = np.array([pair for pair in pairs if None not in pair], dtype=np.float64).reshape(-1, 2)
    weeks = len(known)
    if weeks < FEWEST:
        raise EstimateError(
            say(
                "{name}: what is usual needs {least} earlier weeks with a figure at these hours, and there are {weeks} "
                "of {asked}",
                name=now.location,
                least=FEWEST,
                weeks=weeks,
                asked=asked,
            )
        )
    from scipy.special import stdtrit

    usual = float(known[:, 0].mean())
    scatter = float(known[:, 0].var(ddof=1))
    fewer = max(error**2 - float((known[:, 1] ** 2).mean()), 0.0)
    reach = float(stdtrit(weeks - 1, 0.975)) * math.sqrt(scatter * (1 + 1 / weeks) + fewer)
    return Usual(
        location=now.location,
        start=now.start,
        end=now.end,
        people=now.people,
        share=share,
        usual=usual,
        low=max(usual - reach, 0.0),
        high=min(usual + reach, 100.0),
        weeks=weeks,
        asked=asked,
    )
