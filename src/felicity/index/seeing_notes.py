"""Notes on cameras that saw worse than usual."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from felicity.index.happiness import GroupKey, Groups
from felicity.index.seeing import REASONS, seeing_columns
from felicity.notes import Note
from felicity.style import numbers
from felicity.style.language import say
from felicity.windows.columns import Floats
from felicity.windows.sums import Sums

Mask = npt.NDArray[np.bool_]

POOR = 0.05
"""Largest share of unfit, frozen or damaged frames, of people with raised contrast and of blurred ones, without a note.

Where one person in 13 was too blurred to judge, those who were judged looked 4 points less happy
(``benchmarks/conditions.py``, blur of 2 pixels).
"""
MANY = 0.25
"""Share of the people found who may be rejected without a note: with a third the share was off by 6 points
(``benchmarks/conditions.py``, blur of 3 pixels)."""
FEWEST_DAYS = 5
"""Fewest days that define what is usual."""
FEWEST_PEOPLE = 20
"""Fewest expected people per day; of fewer, chance alone may keep half away."""
_NAMED = 3  # number of named days of a kind; the others are counted
UNFIT = {"faint": "too little light or contrast", "noisy": "too much noise"}
"""Reasons why faces are not found in a frame, in words."""


def seeing_notes(groups: Groups, days: Groups | None) -> tuple[Note, ...]:
    """Return notes on whatever kept the cameras of these groups from seeing.

    ``days``: sums by day of the same locations, of all time, including those of the groups; they define what is usual.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for i, key in enumerate(groups.keys):
        rows[key.location].append(i)
    notes: list[Note] = []
    for name, members in rows.items():
        notes += _lacking(name, groups.sums.take(members).total())
    if days is not None:
        of_place: dict[str, list[int]] = defaultdict(list)
        for i, key in enumerate(days.keys):
            of_place[key.location].append(i)
        for name, members in rows.items():
            own = [groups.keys[i] for i in members]
            there = [i for i in of_place[name] if _same_reader(days.keys[i], own[0])]
            begin, end = min(key.start for key in own), max(key.end for key in own)
            inside = [begin < days.keys[i].end and days.keys[i].start < end for i in there]
            sums = days.sums.take(np.array(there, dtype=np.int64))
            notes += _unlike_usual(name, [days.keys[i] for i in there], sums, np.array(inside, dtype=bool))
    return tuple(notes)


def _same_reader(one: GroupKey, other: GroupKey) -> bool:
    return (one.model, one.detector) == (other.model, other.detector)


def _lacking(name: str, total: Sums) -> Iterable[Note]:
    """Return notes on unfit, unchanging and damaged frames of a location."""
    seen, expected = max(1, int(total.frames_seen[0])), max(1, int(total.frames_expected[0]))
    unfit, rejected = total.frames_unfit[0], total.rejected[0]
    if sum(unfit.values()) > POOR * seen:
        text = say(
            "{name}: {why} of the frames to find all faces; {people} found people were not judged for it, and "
            "people who were not found are in no figure",
            name=name,
            why=", ".join(
                say("{what} in {share}", what=say(UNFIT.get(reason, reason)), share=numbers.share(count / seen, 0))
                for reason, count in unfit.items()
            ),
            people=numbers.count(sum(rejected.get(reason, 0) for reason in UNFIT)),
        )
        yield Note("seeing-poor", text, name)
    found, judged = int(total.people_seen[0]), int(total.people[0])
    if found >= FEWEST_PEOPLE and found - judged > MANY * found:
        ordered = sorted(rejected.items(), key=lambda one: -one[1])
        text = say(
            "{name}: {unjudged} of {found} people found could not be judged ({why}); the share is that of the others",
            name=name,
            unjudged=numbers.count(found - judged),
            found=numbers.count(found),
            why=", ".join(f"{numbers.count(people)} {say(REASONS.get(reason, reason))}" for reason, people in ordered),
        )
        yield Note("people-unjudged", text, name)
    if (lifted := int(total.lifted[0])) > POOR * int(total.people[0]):
        text = say(
            "{name}: {lifted} of {judged} people judged had faces so faint that Felicity more than doubled their "
            "contrast first, which makes answers a little less sure",
            name=name,
            lifted=numbers.count(lifted),
            judged=numbers.count(judged),
        )
        yield Note("faces-lifted", text, name)
    if found >= FEWEST_PEOPLE and (blurred := rejected.get("blurred", 0)) > POOR * found:
        text = say(
            "{name}: {blurred} of {found} people found were too blurred to judge; the faces of others are likely "
            "little sharper, and a blurred smile is often missed, so the share may be some points too low",
            name=name,
            blurred=numbers.count(blurred),
            found=numbers.count(found),
        )
        yield Note("faces-blurred", text, name)
    if total.frames_frozen[0] > POOR * seen:
        text = say(
            "{name}: the picture stood still in {share} of the frames; nobody is judged in them",
            name=name,
            share=numbers.share(total.frames_frozen[0] / seen, 0),
        )
        yield Note("frames-frozen", text, name)
    if total.frames_damaged[0] > POOR * expected:
        text = say(
            "{name}: {share} of the frames were damaged and left out",
            name=name,
            share=numbers.share(total.frames_damaged[0] / expected, 0),
        )
        yield Note("frames-damaged", text, name)


UNLIKE: dict[str, tuple[str, Callable[[Floats, float], Mask]]] = {
    "much darker": ("brightness", lambda day, usual: day < usual / 2),
    "much paler or foggier": ("contrast", lambda day, usual: day < usual / 2),
    "much less sharp": ("sharpness", lambda day, usual: day < usual / 2),
    "much noisier": ("noise", lambda day, usual: day > 2 * usual + 2),
    "with a frozen picture": ("frozen", lambda day, usual: day > usual + POOR),
    "with damaged frames": ("damaged", lambda day, usual: day > usual + POOR),
    "with much smaller faces": ("face_side", lambda day, usual: day < usual / 1.5),
    "with much larger faces": ("face_side", lambda day, usual: day > usual * 1.5),
}
"""The ways in which a day differs: by which measure, compared with the median day.

Half the light is one stop of a lens; noise of 2 grey levels is that of a good camera in good light; a face of two
thirds the side has half of the pixels.
"""


def _unlike_usual(name: str, keys: Sequence[GroupKey], sums: Sums, inside: Mask) -> Iterable[Note]:
    """Return notes on the days ``inside`` with unusual seeing conditions, or with far fewer people."""
    columns = seeing_columns(sums)
    said = np.isfinite(columns["brightness"])
    if said.sum() < FEWEST_DAYS or not inside.any():
        return
    dates = [datetime.fromtimestamp(key.start, ZoneInfo(key.timezone)).date() for key in keys]
    found, any_day = [], np.zeros(len(keys), dtype=bool)
    for words, (measure, unlike) in UNLIKE.items():
        values = columns[measure]
        if not np.isfinite(values).any():
            continue
        with np.errstate(invalid="ignore"):
            mine = inside & np.isfinite(values) & unlike(values, float(np.nanmedian(values)))
        if mine.any():
            found.append(say("{how} on {days}", how=say(words), days=_listed([dates[i] for i in np.flatnonzero(mine)])))
            any_day |= mine
    if found:
        rate, usual = (_per_hour(sums, chosen) for chosen in (any_day, said & ~any_day))
        if usual:
            text = (
                "{name}: the picture was {how}, against the median of {days} days; {rate} people an hour were found on "
                "these days, {usual} on others; do not compare such days with others"
            )
        else:
            text = (
                "{name}: the picture was {how}, against the median of {days} days; do not compare such days with others"
            )
        counts = {"rate": numbers.count(rate), "usual": numbers.count(usual)}
        told = say(text, name=name, how=", ".join(found), days=int(said.sum()), **counts)
        yield Note("seeing-changed", told, name)
    few = inside & _far_fewer(sums, np.array([day.weekday() >= 5 for day in dates], dtype=bool))
    if few.any():
        text = say(
            "{name}: fewer than half of the usual people were found on {days}; they did not come, or were not found",
            name=name,
            days=_listed([dates[i] for i in np.flatnonzero(few)]),
        )
        yield Note("people-missing", text, name)


def _per_hour(sums: Sums, rows: Mask) -> float:
    seconds = float(sums.seconds_covered[rows].sum())
    return 3600 * float(sums.people_seen[rows].sum()) / seconds if seconds else 0.0


def _far_fewer(sums: Sums, weekend: Mask) -> Mask:
    """Return (R,): days with less than half the people per hour of the median working day, or weekend day."""
    found = np.zeros(len(sums), dtype=bool)
    covered = sums.seconds_covered > 0
    for kind in (weekend, ~weekend):
        alike = kind & covered
        if alike.sum() < FEWEST_DAYS:
            continue
        rate = sums.people_seen[alike] / sums.seconds_covered[alike]
        expected = float(np.median(rate)) * sums.seconds_covered
        found |= alike & (expected >= FEWEST_PEOPLE) & (sums.people_seen < expected / 2)
    return found


def _listed(days: Sequence[date]) -> str:
    more = len(days) - _NAMED
    if more <= 1:
        return ", ".join(day.isoformat() for day in days)
    named = ", ".join(day.isoformat() for day in days[:_NAMED])
    return say("{days} and {number} more days", days=named, number=more)
