"""What a watch has seen so far; sums only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from felicity.index.people_share import PeopleShare
from felicity.labels import EXPRESSIONS, INDEX, Expression
from felicity.notes import Note
from felicity.style.dates import moment
from felicity.windows import PersonObservation


@dataclass
class WatchSummary:
    """What a watch has seen so far; sums only.

    ``start``, ``end``: times of the first and the latest frame, on the location's clock. ``unsaved``: windows that the
    store has not taken yet. ``happy_share``: of all people of a folder or recording, at the end.
    """

    location: str
    camera: str
    source: str
    detector: str
    start: datetime | None = None
    end: datetime | None = None
    frames: int = 0
    dropped: int = 0
    reconnects: int = 0
    people_seen: int = 0
    people: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    hard_counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(EXPRESSIONS), np.int64))
    windows: int = 0
    unsaved: int = 0
    complete: bool = False
    happy_share: PeopleShare | None = None
    notes: list[Note] = field(default_factory=list)

    @property
    def happy_share_raw(self) -> float | None:
        """Percent of the judged people whose most probable expression is happy; None without people."""
        return 100 * float(self.hard_counts[INDEX[Expression.HAPPY]]) / self.people if self.people else None

    def count(self, person: PersonObservation) -> None:
        """Add one person to the sums."""
        self.people_seen += 1
        if person.probabilities is None:
            self.rejected[str(person.rejected)] += 1
            return
        self.people += 1
        self.hard_counts[int(person.probabilities.argmax())] += 1


def clock(time: datetime) -> str:
    """A time as people read it, to the second and with what its clock is ahead of UTC."""
    return moment(time, seconds=True)
