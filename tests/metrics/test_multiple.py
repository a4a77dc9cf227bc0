"""Several tests at once: Holm's method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from felicity.metrics.multiple import holm


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_raises_and_keeps_the_order(p: Sequence[float]) -> None:
    raised = holm(p)
    assert all(was <= now <= 1 for was, now in zip(p, raised, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(raised)[order]) >= 0).all()
    assert raised[int(order[0])] == min(1.0, len(p) * min(p))
