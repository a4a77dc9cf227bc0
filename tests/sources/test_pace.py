from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from felicity.sources._pyav import Pace


def kept(times: list[float], fps: float | None) -> list[int]:
    pace = Pace(fps)
    return [i for i, time in enumerate(times) if pace.wants(time)]


@pytest.mark.parametrize(("rate", "fps"), [(30, 3), (30, 10), (25, 5), (60, 1), (10, 0.5)])
@pytest.mark.parametrize("decimals", [2, 3, 9])
def test_every_nth_frame_also_when_times_are_rounded(rate: int, fps: float, decimals: int) -> None:
    times = [round(7 + i / rate, decimals) for i in range(240)]
    assert kept(times, fps) == list(range(0, 240, int(rate / fps)))


@pytest.mark.parametrize("rate", [8, 12.5, 25, 29.97, 30, 50])
def test_asking_for_the_rate_itself_or_more_keeps_all(rate: float) -> None:
    times = [round(i / rate, 3) for i in range(1000)]
    assert len(kept(times, rate)) >= 999
    assert kept(times, 2 * rate) == kept(times, None) == list(range(1000))


def test_jitter_costs_hardly_a_frame() -> None:
    times = np.arange(1000) / 10 + np.random.default_rng(0).uniform(-0.03, 0.03, 1000)
    assert len(kept(sorted(times.tolist()), 10)) > 980


@given(
    st.lists(st.floats(0, 0.5), min_size=1, max_size=300),
    st.floats(0.5, 60),
)
def test_never_more_than_asked_for_and_never_idle(gaps: list[float], fps: float) -> None:
    times = np.cumsum(gaps).tolist()
    chosen = [times[i] for i in kept(times, fps)]
    assert chosen[0] == times[0]
    for width in (1, 10, 100):
        starts = range(len(chosen) - width)
        # So many periods hold at most so many frames, give or take the two at the ends.
        assert all(chosen[i + width] - chosen[i] >= (width - 2) / fps - 1e-6 for i in starts)
    for before, after in zip(chosen, [*chosen[1:], times[-1]], strict=True):
        waiting = [time for time in times if before < time < after]
        assert not waiting or waiting[-1] - before < 2 / fps
