"""The window: what is kept of the people at a place in a minute. No person is in it.

It is the only thing that crosses from seeing to counting, and it merges by addition, so hours,
days and places are sums of windows. Its JSON form is the wire format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from felicity.windows.columns import CLASSES, COLUMN, WINDOW_COLUMNS, Floats, Ints
from felicity.windows.names import check_name

LONGEST = 86_400
"""The longest window, in seconds."""
SCHEMA = 1
"""Version of the JSON form."""


@dataclass(frozen=True)
class PersonObservation:
    """One person at the end of a track; lives in memory until its window closes, and is then gone.

    ``time``: with a time zone; the moment the person was last seen. ``probabilities``: float ``(8,)`` in
    the order of ``labels.EXPRESSIONS``, sums to 1 (kept scaled to exactly 1), or None where the quality
    gate let no face pass; ``rejected`` then gives the reason.
    """

    time: datetime
    probabilities: Floats | None = field(repr=False)
    rejected: str | None = None

    def __post_init__(self) -> None:
        _aware(self.time, "an observation's time")
        if (self.probabilities is None) != bool(self.rejected):
            raise ValueError("an observation has either probabilities or the reason why it was rejected")
        if self.probabilities is None:
            return
        p = np.asarray(self.probabilities, dtype=np.float64)
        if p.shape != (CLASSES,) or not np.isfinite(p).all() or p.min() < 0 or abs(p.sum() - 1) > 1e-3:
            raise ValueError(f"probabilities are {CLASSES} numbers from 0 to 1 that sum to 1, not {p.tolist()}")
        scaled = p / p.sum()
        scaled.setflags(write=False)
        object.__setattr__(self, "probabilities", scaled)


@dataclass(frozen=True)
class WindowKey:
    """Whose window it is.

    ``start`` is UTC and a whole multiple of ``seconds`` since the epoch. ``run_start`` tells runs of
    one source apart: a run repeated with the same source, camera and start replaces its windows.
    ``model`` is the bundle's identity (``Bundle.id``).
    """

    location: str
    camera: str
    source: str
    run_start: datetime
    model: str
    start: datetime
    seconds: int

    def __post_init__(self) -> None:
        for name in ("location", "camera", "model"):
            check_name(getattr(self, name), f"a {name}")
        if not isinstance(self.source, str) or not self.source.strip() or "\0" in self.source:
            raise ValueError(f"a window's source is a name, not {self.source!r:.60}")
        object.__setattr__(self, "run_start", _aware(self.run_start, "a run's start").astimezone(UTC))
        object.__setattr__(self, "start", _aware(self.start, "a window's start").astimezone(UTC))
        check_seconds(self.seconds)
        if self.start.timestamp() % self.seconds:
            raise ValueError(
                f"a window of {self.seconds} s starts at a multiple of it, not at {self.start.isoformat()}"
            )


def check_seconds(seconds: int) -> None:
    """Raise ValueError unless ``seconds`` is a length a window can have: whole, 1 s to a day."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= LONGEST:
        raise ValueError(f"a window lasts 1 to {LONGEST} whole seconds, not {seconds!r}")


@dataclass(frozen=True)
class Window:
    """Counts and sums over the people of one window: the sufficient statistics of the index.

    ``columns.WINDOW_COLUMNS`` says what each column means and how it adds up.

    ``people_seen``: all tracks; ``people``: those good enough to judge. ``hard_counts`` (8,): people
    by most probable expression. ``prob_sums`` (8,): sum of p. ``prob_cross`` (8, 8): sum of p pᵀ.
    ``rejected``: people by reason of rejection; ``people_seen = people + sum(rejected)``.
    The arrays are read-only. Windows of one key add up.
    """

    key: WindowKey
    people_seen: int = 0
    people: int = 0
    hard_counts: Ints = field(default_factory=COLUMN["hard_counts"].zero)
    prob_sums: Floats = field(default_factory=COLUMN["prob_sums"].zero)
    prob_cross: Floats = field(default_factory=COLUMN["prob_cross"].zero)
    frames_seen: int = 0
    frames_dropped: int = 0
    seconds_covered: float = 0.0
    rejected: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for column in WINDOW_COLUMNS:
            object.__setattr__(self, column.name, column.checked(getattr(self, column.name)))
        if self.people_seen != self.people + sum(self.rejected.values()):
            raise ValueError(
                f"{self.people_seen} people seen are not {self.people} judged and "
                f"{sum(self.rejected.values())} rejected"
            )
        if self.hard_counts.sum() != self.people:
            raise ValueError(f"hard_counts are {CLASSES} counts that sum to {self.people} people")
        slack = 1e-6 * max(self.people, 1)
        if abs(self.prob_sums.sum() - self.people) > slack:
            raise ValueError(f"prob_sums sum to {self.prob_sums.sum():g}, not to {self.people} people")
        if np.abs(self.prob_cross.sum(axis=1) - self.prob_sums).max() > slack:
            raise ValueError("the rows of prob_cross do not sum to prob_sums")
        if np.abs(self.prob_cross - self.prob_cross.T).max() > slack:
            raise ValueError("prob_cross is not symmetric")

    def merge(self, other: Window) -> Window:
        """The sum of two parts of one window; ValueError if their keys differ."""
        if self.key != other.key:
            raise ValueError(f"windows of different keys do not merge: {self.key} and {other.key}")
        both = {c.name: c.added(getattr(self, c.name), getattr(other, c.name)) for c in WINDOW_COLUMNS}
        return Window(self.key, **both)

    def __add__(self, other: Window) -> Window:
        return self.merge(other)

    def to_json(self) -> dict[str, Any]:
        """The wire format: plain values, times in ISO 8601 UTC; floats survive exactly."""
        times = {name: getattr(self.key, name).isoformat() for name in _TIMES}
        columns = {column.name: column.plain(getattr(self, column.name)) for column in WINDOW_COLUMNS}
        return {"schema": SCHEMA} | vars(self.key) | times | columns

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Window:
        """Read the wire format; ValueError says what is missing, unknown or impossible."""
        if not isinstance(value, Mapping) or set(value) != {"schema", *_KEY, *_NAMES}:
            found = (
                sorted(set(value) ^ {"schema", *_KEY, *_NAMES}) if isinstance(value, Mapping) else type(value).__name__
            )
            raise ValueError(f"not a window: missing or unknown {found}")
        if value["schema"] != SCHEMA:
            raise ValueError(f"a window of schema {SCHEMA} was expected, not {value['schema']!r}")
        try:
            times = {name: datetime.fromisoformat(value[name]) for name in _TIMES}
            key = WindowKey(**{name: value[name] for name in _KEY} | times)
            return cls(key, **{name: value[name] for name in _NAMES})
        except (TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a window: {error}") from error


_KEY = tuple(field.name for field in fields(WindowKey))
_TIMES = ("run_start", "start")
_NAMES = tuple(column.name for column in WINDOW_COLUMNS)


def _aware(time: datetime, what: str) -> datetime:
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise ValueError(f"{what} is a time with a time zone, not {time!r}")
    return time
