"""The simulated town in windows of an hour, drawn all at once, so that a store to explore is ready in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from felicity.labels import EXPRESSIONS
from felicity.simulation.people import draw_labels
from felicity.simulation.town import OPENING_HOURS, TOWN, AnswerSampler, SimulatedLocation
from felicity.windows import Location, Window, WindowKey

if TYPE_CHECKING:
    from felicity.models.bundle import Bundle
    from felicity.store import Store

REFUSED = {"small": 0.12, "blurred": 0.05, "turned": 0.03}
"""People seen but not judged, per judged person, by reason."""


def write_hours(
    store: Store,
    bundle: Bundle,
    answers: AnswerSampler,
    first_day: datetime,
    end: datetime,
    *,
    places: Sequence[SimulatedLocation] = TOWN,
    seed: int = 1,
) -> None:
    """Write the opening hours of the places from ``first_day``, a midnight, until ``end``.

    The rules are those of ``town.simulate_days``: people come in small groups, half of whose members share a mood.
    """
    store.save_model(bundle.id, bundle.soft_matrix, name=bundle.name)
    for number, place in enumerate(places):
        point = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
        store.add_location(Location(place.name, geometry=point, site_type="square"), update=True)
        run = store.begin_run(place.name, "simulated", "simulated", first_day, bundle.id)
        rng = np.random.default_rng([seed, number])
        store.write_windows(run, hourly_windows(place, first_day, end, answers, bundle.id, rng))
        store.finish_run(run)


def hourly_windows(
    place: SimulatedLocation,
    first_day: datetime,
    end: datetime,
    answers: AnswerSampler,
    model: str,
    rng: np.random.Generator,
) -> list[Window]:
    """Return a window for each opening hour that is over at ``end``."""
    days = max((end - first_day).days, 1)
    starts = [first_day + timedelta(days=day, hours=hour) for day in range(days + 1) for hour in OPENING_HOURS]
    starts = [start for start in starts if start + timedelta(hours=1) <= end]
    target = np.array([place.share((s - first_day).days / days, s.weekday(), s.hour) for s in starts])
    groups = rng.poisson(place.people_per_hour / 2, len(starts))
    hour_of_group = np.repeat(np.arange(len(starts)), groups)
    mood = rng.random(len(hour_of_group)) < target[hour_of_group]
    group_of = np.repeat(np.arange(len(hour_of_group)), 1 + rng.poisson(1.0, len(hour_of_group)))
    hour_of = hour_of_group[group_of]
    follows = rng.random(len(group_of)) < 0.5
    labels = draw_labels(np.where(follows, mood[group_of].astype(float), target[hour_of]), rng)
    p = answers.draw(labels, rng)
    ends = np.searchsorted(hour_of, np.arange(len(starts) + 1))
    windows = []
    for i, start in enumerate(starts):
        own = p[ends[i] : ends[i + 1]]
        rejected = {reason: int(rng.poisson(share * len(own))) for reason, share in REFUSED.items()}
        rejected = {reason: count for reason, count in rejected.items() if count}
        windows.append(
            Window(
                WindowKey(place.name, "simulated", "simulated", first_day, model, start, 3600),
                people_seen=len(own) + sum(rejected.values()),
                people=len(own),
                hard_counts=np.bincount(own.argmax(axis=1), minlength=len(EXPRESSIONS)),
                prob_sums=own.sum(axis=0),
                prob_cross=own.T @ own,
                frames_seen=18_000,
                seconds_covered=3600.0,
                rejected=rejected,
            )
        )
    return windows
