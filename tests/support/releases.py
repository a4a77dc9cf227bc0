"""Stores whose windows arrive bit by bit, for tests of what is published of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from felicity.store import RunState, Store
from felicity.windows import Window, WindowKey
from tests.support.town import FIRST, MODEL
from tests.support.windows import answers, shares


def window(
    rng: np.random.Generator,
    place: str,
    minute: int,
    people: int,
    *,
    source: str = "s",
    model: str = MODEL,
    happy: float | None = None,
    begin: datetime = FIRST,
) -> Window:
    """A minute of so many people who show what is drawn for them."""
    share = rng.uniform(0.1, 0.9) if happy is None else happy
    p = answers(rng, rng.choice(8, people, p=shares(share))) if people else np.zeros((0, 8))
    return Window(
        key=WindowKey(place, "c", source, begin, model, begin + timedelta(minutes=minute), 60),
        people_seen=people,
        people=people,
        hard_counts=np.bincount(p.argmax(axis=1), minlength=8) if people else np.zeros(8, dtype=np.int64),
        prob_sums=p.sum(axis=0),
        prob_cross=p.T @ p,
        frames_seen=60,
        seconds_covered=60.0,
    )


def arrive(store: Store, windows: Sequence[Window], *, state: RunState = RunState.STOPPED) -> None:
    """Write windows of one run, which may have been begun before; what it wrote then stays."""
    key = windows[0].key
    run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
    store.write_windows(run, windows)
    store.finish_run(run, state)


def moved(windows: Sequence[Window], place: str) -> list[Window]:
    """The same windows at another place."""
    return [replace(window, key=replace(window.key, location=place)) for window in windows]
