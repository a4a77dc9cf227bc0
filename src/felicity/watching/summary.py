"""The sums of a watch so far; sums only."""

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

POOR = 0.05
"""Share of a watch's frames that may be unfit without a note."""
LIFTED = "faces so faint that Felicity more than doubled their contrast first, which makes answers a little less sure"
UNFIT = {"faint": "too little light or contrast", "noisy": "too much noise"}


@dataclass
class WatchSummary:
    """The sums of a watch so far; sums only.

    ``damaged``, ``frozen``: frames that were incomplete, or whose picture no longer changed. ``unfit``: frames in which
    faces are likely to be missed, by reason. ``start``, ``end``: times of the first and the latest frame, in the
    location's time zone. ``cuts``: number of changes of scene. ``still_again``: tracks of still faces, such as posters,
    beyond the first per place and day, which counts as rejected. ``lifted``: people whose faces were so faint that
    Felicity raised their contrast before it judged them. ``unsaved``: windows that the store has not accepted yet.
    ``happy_share``: of all people of a folder or recording, at the end.
    """

    location: str
    camera: str
    source: str
    detector: str
    start: datetime | None = None
    end: datetime | None = None
    frames: int = 0
    dropped: int = 0
    damaged: int = 0
    frozen: int = 0
    unfit: Counter[str] = field(default_factory=Counter)
    reconnects: int = 0
    cuts: int = 0
    still_again: int = 0
    people_seen: int = 0
    people: int = 0
    lifted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    hard_counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(EXPRESSIONS), np.int64))
    windows: int = 0
    unsaved: int = 0
    complete: bool = False
    happy_share: PeopleShare | None = None
    notes: list[Note] = field(default_factory=list)

    @property
    def happy_share_raw(self) -> float | None:
        """Return the percentage of judged people whose most probable expression is happy; None without people."""
        return 100 * float(self.hard_counts[INDEX[Expression.HAPPY]]) / self.people if self.people else None

    def count(self, person: PersonObservation) -> None:
        """Add one person to the sums."""
        self.people_seen += 1
        if person.probabilities is None:
            self.rejected[str(person.rejected)] += 1
            return
        self.people += 1
        self.lifted += person.lifted
        self.hard_counts[int(person.probabilities.argmax())] += 1


def seeing_notes(summary: WatchSummary, *, damaged: bool) -> list[Note]:
    """Return notes on poor seeing: a frozen picture, too little light, and, on request, ``damaged`` frames."""
    frames, place, notes = summary.frames, summary.location, []
    if damaged and summary.damaged:
        text = f"{summary.source}: damaged frames left out: {summary.damaged:,}"
        notes.append(Note("frames-damaged", text, place))
    if summary.frozen:
        text = f"{summary.source}: the picture stood still in {summary.frozen:,} of {frames:,} frames; nobody is judged"
        notes.append(Note("frames-frozen", f"{text} again in them", place))
    if sum(summary.unfit.values()) > POOR * frames:
        why = ", ".join(f"{UNFIT[reason]} in {count:,}" for reason, count in summary.unfit.most_common())
        text = (
            f"{summary.source}: {why} of {frames:,} frames; the count lacks the people who could not be found in them"
        )
        notes.append(Note("seeing-poor", text, place))
    if summary.lifted > POOR * summary.people:
        text = f"{summary.source}: {summary.lifted:,} of {summary.people:,} people judged had {LIFTED}"
        notes.append(Note("faces-lifted", text, place))
    return notes


def clock(time: datetime) -> str:
    """Return a time for people, to the second and with its offset from UTC."""
    return moment(time, seconds=True)
