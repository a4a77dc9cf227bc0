"""A small simulated town for demonstrations: four places over weeks, with stated true shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from felicity.index import PersonObservation, Window, WindowAccumulator
from felicity.simulation.people import AnswerModel, draw_labels

OPENING_HOURS = range(8, 20)


@dataclass(frozen=True)
class Place:
    """A simulated place: its true happy share (0..1) in the first week, the change by the last, people per hour."""

    name: str
    happy: float
    change: float
    people_per_hour: float
    latitude: float
    longitude: float

    def share(self, progress: float, weekday: int) -> float:
        """The true share at ``progress`` (0..1) through the weeks; weekends are brighter."""
        return float(np.clip(self.happy + self.change * progress + (0.05 if weekday >= 5 else 0.0), 0.0, 1.0))


TOWN = (
    Place("Harbour (simulated)", 0.42, 0.15, 22, 53.5446, 9.9836),
    Place("Market (simulated)", 0.55, 0.0, 30, 53.5503, 9.9920),
    Place("Museum (simulated)", 0.33, 0.0, 12, 53.5560, 10.0020),
    Place("Station (simulated)", 0.21, -0.05, 40, 53.5528, 10.0067),
)


def simulate_days(
    place: Place, first_day: datetime, days: int, answers: AnswerModel, model: str, seed: int
) -> Iterator[tuple[datetime, float, int, list[Window]]]:
    """Day by day: its start, the share of people who truly were happy (0..1), their number, and the windows.

    People come in small groups that share a mood, as they do: half of a group's members follow it.
    """
    rng = np.random.default_rng([seed, int.from_bytes(place.name.encode()[:8], "big")])
    for day in range(days):
        midnight = first_day + timedelta(days=day)
        target = place.share(day / max(days - 1, 1), midnight.weekday())
        windows = WindowAccumulator(place.name, "simulated", "simulated", first_day, model)
        happy, total = 0, 0
        for hour in OPENING_HOURS:
            groups = rng.poisson(place.people_per_hour / 2)
            seconds = np.sort(rng.uniform(0, 3600, groups))
            for second in seconds:
                moment = midnight + timedelta(hours=hour, seconds=float(second))
                windows.add_frame(moment)
                size = 1 + rng.poisson(1.0)
                mood = rng.random() < target
                follows = rng.random(size) < 0.5
                labels = draw_labels(np.where(follows, float(mood), target), rng)
                happy += int((labels == 1).sum())
                total += size
                for p in answers.draw(labels, rng):
                    windows.add_person(PersonObservation(moment, p))
        yield midnight, happy / max(total, 1), total, windows.flush()
