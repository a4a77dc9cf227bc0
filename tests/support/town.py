"""A made-up town in a store: places over weeks, whose true happy shares are known day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from felicity.store import Store, open_store
from felicity.windows import Location, Window, WindowKey
from tests.support.windows import answers, make_windows, shares, soft_matrix

ZONE = ZoneInfo("Europe/Paris")
FIRST = datetime(2026, 2, 2, tzinfo=ZONE)
MODEL = "model-1"

Truth = Callable[[int], float]
"""Day from the first to true happy share, 0..1."""


def fill(
    url: str | Path,
    places: Mapping[str, Truth],
    days: int,
    *,
    people: float = 30,
    hours: range = range(9, 19, 3),
    populations: Mapping[str, float] | None = None,
    seed: int = 0,
    begin: datetime = FIRST,
    model: str = MODEL,
    update: bool = False,
) -> str:
    """Write a window per place, day and hour, with ``people`` each on average; returns the store's URL."""
    rng = np.random.default_rng(seed)
    with open_store(str(url)) as store:
        store.save_model(model, soft_matrix(np.random.default_rng(1)))
        store.add_locations(
            [
                Location(
                    name,
                    timezone=ZONE.key,
                    geometry={"type": "Point", "coordinates": [2.3 + i / 100, 48.8]},
                    population=(populations or {}).get(name),
                )
                for i, name in enumerate(places)
            ],
            update=update,
        )
        for name, truth in places.items():
            _fill_place(store, name, truth, days, people, hours, rng, begin, model)
    return str(url)


def _fill_place(
    store: Store,
    name: str,
    truth: Truth,
    days: int,
    people: float,
    hours: range,
    rng: np.random.Generator,
    begin: datetime,
    model: str,
) -> None:
    run = store.begin_run(name, "camera", "made-up", begin, model)
    windows = []
    for day in range(days):
        midnight = (begin.replace(tzinfo=None) + timedelta(days=day)).replace(tzinfo=ZONE)
        for hour in hours:
            labels = rng.choice(8, rng.poisson(people), p=shares(truth(day)))
            p = answers(rng, labels)
            windows.append(
                Window(
                    key=WindowKey(name, "camera", "made-up", begin, model, midnight.replace(hour=hour), 60),
                    people_seen=len(labels),
                    people=len(labels),
                    hard_counts=np.bincount(p.argmax(axis=1), minlength=8),
                    prob_sums=p.sum(axis=0),
                    prob_cross=p.T @ p,
                    frames_seen=60,
                    seconds_covered=60.0,
                )
            )
    store.write_windows(run, windows)
    store.finish_run(run)


def watch(store: str, name: str, *, minutes: int = 30, happy: float = 0.95) -> None:
    """Let a camera see happy people at a place, right after its last window."""
    from felicity import api

    begin = api.latest(store=store)[name]
    windows = make_windows(
        np.random.default_rng(1), minutes, location=name, camera="camera", begin=begin, people=20.0, happy=happy
    )
    key = windows[0].key
    with open_store(store) as opened:
        opened.write_windows(opened.begin_run(name, key.camera, key.source, key.run_start, key.model), windows)
