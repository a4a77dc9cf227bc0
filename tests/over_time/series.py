"""Made-up series for tests of what stands on them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from felicity.over_time.series import Series, Step, calendar

ZONE = ZoneInfo("Europe/Paris")
RHYTHM = np.array([0.0, 0.0, 1.0, 0.0, 2.0, 4.0, 3.0])

Floats = npt.NDArray[np.float64]


def noise(days: int, phi: float, rng: np.random.Generator) -> Floats:
    """Stationary first-order autoregression of variance 1."""
    level = np.empty(days)
    before = rng.standard_normal()
    for i in range(days):
        before = level[i] = phi * before + np.sqrt(1 - phi**2) * rng.standard_normal()
    return level


def daily(
    level: Floats,
    *,
    name: str = "Harbour",
    error: float = np.nan,
    people: npt.ArrayLike = 300,
    first: datetime = datetime(2025, 3, 1, tzinfo=ZONE),
) -> Series:
    """Days around 40 % with a weekly rhythm; ``level`` (n,) in points, NaN in gaps."""
    n = len(level)
    starts = calendar(first, first + timedelta(days=n - 1), Step.DAY, ZONE)
    rhythm = RHYTHM[[start.weekday() for start in starts]]
    counts = np.broadcast_to(np.asarray(people, dtype=np.int64), (n,)).copy()
    return Series(name, Step.DAY, starts, 40 + rhythm + level, np.full(n, error), counts, np.zeros(n, dtype=bool))
