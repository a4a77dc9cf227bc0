"""A simulated town: places over weeks, with stated true shares, and the windows that a camera would count there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from felicity.errors import ConfigError
from felicity.parsing import read_toml
from felicity.simulation.people import draw_labels
from felicity.windows import Location, PersonObservation, Window, WindowAccumulator

if TYPE_CHECKING:
    from felicity.models.bundle import Bundle
    from felicity.store import Store

MARK = " (simulated)"
"""Suffix of every simulated place's name, so that nobody takes it for a real one."""
OPENING_HOURS = range(8, 20)


@dataclass(frozen=True)
class SimulatedLocation:
    """A simulated place: its true happy share (0..1) in the first week, the change by the last, people per hour.

    ``evening``: change of the share from opening to closing.
    """

    name: str
    happy: float
    change: float
    people_per_hour: float
    latitude: float
    longitude: float
    evening: float = 0.0

    def share(self, progress: float, weekday: int, hour: int = OPENING_HOURS.start) -> float:
        """Return the true share at ``progress`` (0..1) through the weeks; weekends are brighter."""
        late = self.evening * (hour - OPENING_HOURS.start) / (len(OPENING_HOURS) - 1)
        return float(np.clip(self.happy + self.change * progress + (0.05 if weekday >= 5 else 0.0) + late, 0.0, 1.0))


@dataclass(frozen=True)
class Measure:
    """Something that changes the true share of a place by ``change`` (-1..1) from ``date`` on."""

    place: str
    date: datetime
    change: float


class AnswerSampler(Protocol):
    """A source of a classifier's answers to people of known expression."""

    def draw(self, labels: npt.NDArray[np.intp], rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Return probabilities (N, 8) for true ``labels`` (N,)."""
        ...


TOWN = (
    SimulatedLocation("Harbour (simulated)", 0.42, 0.15, 22, 53.5446, 9.9836),
    SimulatedLocation("Market (simulated)", 0.55, 0.0, 30, 53.5503, 9.9920),
    SimulatedLocation("Museum (simulated)", 0.33, 0.0, 12, 53.5560, 10.0020),
    SimulatedLocation("Station (simulated)", 0.21, -0.05, 40, 53.5528, 10.0067),
)


def simulate_days(
    place: SimulatedLocation,
    first_day: datetime,
    days: int,
    answers: AnswerSampler,
    model: str,
    seed: int,
    *,
    measure: Measure | None = None,
    gaps: float = 0.0,
    stream: Sequence[int] = (),
) -> Iterator[tuple[datetime, float, int, list[Window]]]:
    """Yield for each day: its start, the share of truly happy people (0..1), their number, and the windows.

    People come in small groups that share a mood: half of a group's members follow it. ``measure``: a change at the
    place. ``gaps``: fraction of the hours in which the camera is off. ``stream``: numbers that draw other people for
    the same seed and the same beginning of the name.
    """
    rng = np.random.default_rng([seed, _beginning(place.name), *stream])
    for day in range(days):
        midnight = first_day + timedelta(days=day)
        windows = WindowAccumulator(place.name, "simulated", "simulated", first_day, model)
        happy, total = 0, 0
        for hour in OPENING_HOURS:
            if gaps and rng.random() < gaps:
                continue
            target = place.share(day / max(days - 1, 1), midnight.weekday(), hour)
            if measure is not None and midnight + timedelta(hours=hour) >= measure.date:
                target = float(np.clip(target + measure.change, 0.0, 1.0))
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


def _beginning(name: str) -> int:
    return int.from_bytes(name.encode()[:8], "big")


class _PlaceFacts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, description="Name of the place; Felicity adds (simulated).")
    happy: float = Field(ge=0, le=1, description="True happy share in the first week.")
    change: float = Field(default=0, ge=-1, le=1, description="Change of the share by the last week.")
    evening: float = Field(default=0, ge=-1, le=1, description="Change of the share from opening to closing.")
    people_per_hour: float = Field(default=20, gt=0, le=10_000, description="Mean number of people an hour.")
    latitude: float = Field(default=0, ge=-90, le=90, description="Degrees north.")
    longitude: float = Field(default=0, ge=-180, le=180, description="Degrees east.")


class PlacesFile(BaseModel):
    """A TOML file of simulated places."""

    model_config = ConfigDict(extra="forbid")

    place: list[_PlaceFacts] = Field(min_length=1)


def read_places(path: Path) -> tuple[SimulatedLocation, ...]:
    """Read the places of a TOML file: tables ``[[place]]`` with ``name``, ``happy`` (0..1) and further keys.

    Names are marked as simulated. Raises ConfigError for an unreadable file and for unknown keys.
    """
    try:
        found = PlacesFile.model_validate(read_toml(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as a TOML file of places ({error})") from error
    places = tuple(
        SimulatedLocation(**(p.model_dump() | {"name": p.name.removesuffix(MARK) + MARK})) for p in found.place
    )
    if len({place.name for place in places}) < len(places):
        raise ConfigError(f"{path}: two places have one name; each needs its own")
    return places


@dataclass(frozen=True)
class Truth:
    """The truth of a simulated place: the share (0..1) of happy people, by day and overall."""

    place: str
    days: tuple[tuple[datetime, float], ...]
    happy: float
    people: int


def write_town(
    store: Store,
    bundle: Bundle,
    answers: AnswerSampler,
    first_day: datetime,
    days: int,
    *,
    places: Sequence[SimulatedLocation] = TOWN,
    measure: Measure | None = None,
    gaps: float = 0.0,
    seed: int = 1,
    tick: Callable[[], None] | None = None,
) -> list[Truth]:
    """Simulate the places and write their windows; return the truth of each. ``tick`` is called after every day.

    An existing place keeps its time zone, its population and its area.
    """
    soft = bundle.soft_matrix
    store.save_model(bundle.id, soft, name=bundle.name)
    truths = []
    beginnings = Counter(_beginning(place.name) for place in places)
    for place in places:
        there = store.location(place.name) or Location(place.name)
        if there.geometry is None or there.geometry["type"] == "Point":
            there = replace(there, geometry={"type": "Point", "coordinates": [place.longitude, place.latitude]})
        store.add_location(there, update=True)
        # Names that begin alike draw by the whole name, so that they do not draw the same people.
        stream = tuple(place.name.encode()) if beginnings[_beginning(place.name)] > 1 else ()
        run = store.begin_run(place.name, "simulated", "simulated", first_day, bundle.id)
        happy, people, written, by_day = 0.0, 0, [], []
        own = measure if measure is not None and measure.place == place.name else None
        for midnight, share, count, windows in simulate_days(
            place, first_day, days, answers, bundle.id, seed, measure=own, gaps=gaps, stream=stream
        ):
            by_day.append((midnight, share))
            happy, people = happy + share * count, people + count
            written += windows
            if tick:
                tick()
        store.write_windows(run, written)
        store.finish_run(run)
        truths.append(Truth(place.name, tuple(by_day), happy / max(people, 1), people))
    return truths
