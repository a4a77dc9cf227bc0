"""Several tests at once."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, so that any at most 5 % is false in at most 5 % of cases."""
    raised, floor = [0.0] * len(p_values), 0.0
    for done, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        floor = max(floor, min((len(p_values) - done) * p_values[i], 1.0))
        raised[i] = floor
    return raised
