"""The window: the only record of the people at a place in a minute. No person is in it.

Windows are the only data that cross from seeing to counting. They merge by addition, so hours, days and places are sums
of windows. Their JSON form is the wire format.
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
COVERED = "covered"
"""The reason why a person whose lower face is covered is not judged: without the mouth no expression can be told."""
SCHEMA = 3
"""Version of the JSON form; older versions are read, too."""


@dataclass(frozen=True)
class PersonObservation:
    """One person at the end of a face track, who stays in memory until the window closes and is then gone.

    ``time``: with a time zone; the moment the person was last seen. ``probabilities``: float ``(8,)`` in the order of
    ``labels.EXPRESSIONS``, sums to 1 (kept scaled to exactly 1), or None if no face passed the quality gate;
    ``rejected`` then gives the reason. ``face_side``: mean size of the face in pixels, None if not measured.
    ``lifted``: most of the faces were so faint that Felicity raised their contrast before it judged them.
    """

    time: datetime
    probabilities: Floats | None = field(repr=False)
    rejected: str | None = None
    face_side: float | None = None
    lifted: bool = False

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
    """The key of a window.

    ``start`` is UTC and a whole multiple of ``seconds`` since the epoch. ``run_start`` distinguishes runs of one
    source: a run repeated with the same source, camera and start replaces its windows. ``model`` is the bundle's
    identity (``Bundle.id``), ``detector`` that of the face detector; it is empty for older windows, which do not hold
    it.
    """

    location: str
    camera: str
    source: str
    run_start: datetime
    model: str
    start: datetime
    seconds: int
    detector: str = ""

    def __post_init__(self) -> None:
        for name in ("location", "camera", "model"):
            check_name(getattr(self, name), f"a {name}")
        if self.detector != "":
            check_name(self.detector, "a detector")
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
    """Raise ValueError unless ``seconds`` is a possible length of a window: whole, 1 s to a day."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= LONGEST:
        raise ValueError(f"a window lasts 1 to {LONGEST} whole seconds, not {seconds!r}")


@dataclass(frozen=True)
class Window:
    """Counts and sums over the people of one window: the sufficient statistics of the index.

    ``columns.WINDOW_COLUMNS`` defines each column and its addition.

    ``people_seen``: all face tracks; ``people``: those that were judged. ``hard_counts`` (8,): people by most probable
    expression. ``prob_sums`` (8,): sum of p. ``prob_cross`` (8, 8): sum of p pᵀ. ``rejected``: people by reason of
    rejection; ``people_seen = people + sum(rejected)``. The columns from ``frames_expected`` on hold the seeing
    conditions (``columns.SEEING_COLUMNS``). The arrays are read-only. Windows of one key add up.
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
    frames_expected: int = 0
    frames_damaged: int = 0
    frames_frozen: int = 0
    frames_unfit: Mapping[str, int] = field(default_factory=dict)
    pictures: int = 0
    brightness: float = 0.0
    contrast: float = 0.0
    sharpness: float = 0.0
    noise: float = 0.0
    sized: int = 0
    sides: float = 0.0
    lifted: int = 0

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
        """Return the sum of two parts of one window; raises ValueError if their keys differ."""
        if self.key != other.key:
            raise ValueError(f"windows of different keys do not merge: {self.key} and {other.key}")
        both = {c.name: c.added(getattr(self, c.name), getattr(other, c.name)) for c in WINDOW_COLUMNS}
        return Window(self.key, **both)

    def __add__(self, other: Window) -> Window:
        return self.merge(other)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes as on every other wire."""
        return Window.from_json, (self.to_json(),)

    def to_json(self) -> dict[str, Any]:
        """Return the wire format: plain values, times in ISO 8601 UTC; floats survive exactly."""
        times = {name: getattr(self.key, name).isoformat() for name in _TIMES}
        columns = {column.name: column.plain(getattr(self, column.name)) for column in WINDOW_COLUMNS}
        return {"schema": SCHEMA} | vars(self.key) | times | columns

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Window:
        """Read the wire format; raises ValueError naming missing, unknown or impossible fields."""
        if not isinstance(value, Mapping):
            raise ValueError(f"not a window: missing or unknown {type(value).__name__}")
        schema = value.get("schema", SCHEMA)
        if isinstance(schema, bool) or not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
            raise ValueError(f"a window of schema 1 to {SCHEMA} was expected, not {schema!r}")
        names = tuple(column.name for column in WINDOW_COLUMNS if column.since <= schema)
        of_key = [name for name in _KEY if schema > 1 or name != "detector"]
        if set(value) != {"schema", *of_key, *names}:
            found = sorted(set(value) ^ {"schema", *of_key, *names})
            raise ValueError(f"not a window: missing or unknown {found}")
        try:
            times = {name: datetime.fromisoformat(value[name]) for name in _TIMES}
            key = WindowKey(**{name: value[name] for name in of_key} | times)
            return cls(key, **{name: value[name] for name in names})
        except (TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a window: {error}") from error


_KEY = tuple(field.name for field in fields(WindowKey))
_TIMES = ("run_start", "start")


def _aware(time: datetime, what: str) -> datetime:
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise ValueError(f"{what} is a time with a time zone, not {time!r}")
    return time
