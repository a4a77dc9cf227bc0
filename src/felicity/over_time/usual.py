"""A period held against the same hours of the weeks before: is it out of the ordinary?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from felicity.errors import EstimateError
from felicity.index.happiness import IndexRow

FEWEST = 4
"""Earlier weeks that are needed to say what is usual."""


@dataclass(frozen=True)
class Usual:
    """Happy share of a period, percent, beside what is usual at these hours of the week.

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
        """In points."""
        return self.share - self.usual

    @property
    def found(self) -> bool:
        """Whether the period is out of the ordinary."""
        return not self.low <= self.share <= self.high


def compare_with_usual(now: IndexRow, before: Sequence[IndexRow], *, asked: int) -> Usual:
    """Hold ``now`` against ``before``, the same hours of earlier weeks at the same location, by the same model.

    Student's prediction interval for one more value of a sample (Hahn & Meeker 1991): weeks differ by more than chance
    among people, and that is in their scatter. A period of fewer people than usual has the excess of its sampling
    variance added. The soft matrix moves all weeks alike and is left out.

    Raises EstimateError if ``now`` or too many of ``before`` have no figure.
    """
    share, error = now.happy_share.adjusted, now.happy_share.people_error
    if share is None or error is None:
        why = "its figure is not shown" if now.suppressed else "its model has no soft matrix to adjust with"
        raise EstimateError(f"{now.location}: the period has {now.people:,} people and no adjusted share, for {why}")
    pairs = [(row.happy_share.adjusted, row.happy_share.people_error) for row in before]
    known = np.array([pair for pair in pairs if None not in pair], dtype=np.float64).reshape(-1, 2)
    weeks = len(known)
    if weeks < FEWEST:
        raise EstimateError(
            f"{now.location}: what is usual needs {FEWEST} earlier weeks with a figure at these hours, and there are "
            f"{weeks} of {asked}"
        )
    from scipy.stats import t

    usual = float(known[:, 0].mean())
    scatter = float(known[:, 0].var(ddof=1))
    fewer = max(error**2 - float((known[:, 1] ** 2).mean()), 0.0)
    reach = float(t.ppf(0.975, weeks - 1)) * math.sqrt(scatter * (1 + 1 / weeks) + fewer)
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
