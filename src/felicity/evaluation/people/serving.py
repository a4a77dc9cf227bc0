"""Rates by group of people, tests of their differences, and the change of the index with the group.

A difference is tested by permutation: groups are reassigned to people, with all pictures of a person together (Good
2005, ch. 3). p-values of one table are corrected by Holm's method. Intervals are those of ``evaluation.intervals``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from felicity.errors import DatasetError
from felicity.evaluation.intervals import DRAWS, SEED, Estimate, estimates, settled, with_width
from felicity.evaluation.people.attributes import UNKNOWN, Names, in_order
from felicity.evaluation.people.faces import Flags, Seen
from felicity.index.estimate import adjust
from felicity.index.soft_matrix import SoftMatrix
from felicity.labels import HAPPY_INDEX
from felicity.metrics.classification import Floats, Rows
from felicity.metrics.multiple import holm
from felicity.notes import Note

RATES = ("found", "refused", "recall", "false_positive_rate")
"""Found: of all pictures. Refused: of found ones. Recall: of judged happy ones; the last: of judged others."""
SHARE = 0.3
"""True happy share at which the index of groups is compared."""
PERMUTATIONS = 2000
FEW = 10
"""Number of pictures of a group below which its figures are unreliable."""


@dataclass(frozen=True, eq=False)
class Group:
    """People with one value of a column. ``rates``: by RATES, 0 to 1, NaN without pictures of that kind.

    ``index``: the happy share that the index would show for them if ``SHARE`` of them were happy; None if pictures of
    one kind, or a soft matrix, are missing.
    """

    name: str
    pictures: int
    people: int
    happy: int
    rates: Mapping[str, Estimate] = field(repr=False)
    index: Estimate | None = field(repr=False)


@dataclass(frozen=True, eq=False)
class Column:
    """A column's groups, the p-values of their differences by RATES, and the largest difference of the index.

    ``p``: corrected for the number of tests; None if a rate cannot differ. ``apart``: the two groups whose indices
    differ most, the higher first, and the difference (0 to 1); None with fewer than two indices.
    """

    name: str
    groups: tuple[Group, ...]
    p: Mapping[str, float | None]
    apart: tuple[str, str, Estimate] | None


@dataclass(frozen=True, eq=False)
class Serving:
    """The rates of a bundle for all people, and for each group of each column.

    ``share``: true share at which the index is compared.
    """

    model: str
    data: str
    everybody: Group
    columns: tuple[Column, ...]
    share: float
    notes: tuple[Note, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return everything but ``notes`` as plain values."""
        columns = [
            {
                "name": column.name,
                "groups": [_plain_group(group) for group in column.groups],
                "p": dict(column.p),
                "apart": None
                if column.apart is None
                else {"higher": column.apart[0], "lower": column.apart[1], "difference": column.apart[2].plain()},
            }
            for column in self.columns
        ]
        everybody = _plain_group(self.everybody)
        told = {"model": self.model, "data": self.data, "share": self.share}
        return told | {"everybody": everybody, "columns": columns}


def serving(
    seen: Seen,
    attributes: Mapping[str, Names],
    matrix: SoftMatrix | None,
    *,
    model: str,
    data: str,
    share: float = SHARE,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Serving:
    """Return the rates of each group of ``attributes`` (columns of (N,) values; UNKNOWN is no group).

    ``matrix``: the soft matrix that the index uses, None for no index. Pictures of one person are drawn together.
    Raises DatasetError for a column with one group, or more than 20.
    """
    people = np.unique(seen.people, return_inverse=True)[1]
    measured = _Measured(seen, people, matrix, share, draws, seed)
    everyone = np.ones(len(seen.names), dtype=np.bool_)
    columns, notes = [], list(_notes(seen, attributes))
    trials, successes = measured.trials, measured.successes
    alone: list[tuple[int, str, float]] = []
    for number, (name, values) in enumerate(attributes.items()):
        groups = in_order(values)
        if not 2 <= len(groups) <= 20:
            raise DatasetError(f"column {name} has {len(groups)} groups; 2 to 20 are needed: {', '.join(groups[:5])}")
        masks = [values == group for group in groups]
        made = tuple(measured.group(group, mask) for group, mask in zip(groups, masks, strict=True))
        for rate in RATES:
            if (p := permuted(trials[rate], successes[rate], masks, people, seed)) is not None:
                alone.append((number, rate, p))
        columns.append((name, made, _apart(measured, made, masks)))
    raised: list[dict[str, float | None]] = [dict.fromkeys(RATES) for _ in columns]
    for (number, rate, _), p in zip(alone, holm([p for *_, p in alone]), strict=True):
        raised[number][rate] = p
    told = tuple(Column(name, made, p, apart) for (name, made, apart), p in zip(columns, raised, strict=True))
    return Serving(model, data, measured.group("everybody", everyone), told, share, tuple(notes))


class _Measured:
    """The figures of any group of pictures, with their resamples."""

    def __init__(
        self, seen: Seen, people: Rows, matrix: SoftMatrix | None, share: float, draws: int, seed: int
    ) -> None:
        self._seen, self._people, self._matrix = seen, people, matrix
        self._share, self._draws, self._seed = share, draws, seed
        every = np.ones(len(seen.names), dtype=np.bool_)
        judged = seen.judged
        self.trials: dict[str, Flags] = {
            "found": every, "refused": seen.found, "recall": judged & seen.happy,
            "false_positive_rate": judged & ~seen.happy,
        }  # fmt: skip
        called = seen.called_happy
        self.successes: dict[str, Flags] = {
            "found": seen.found, "refused": seen.found & ~judged, "recall": called, "false_positive_rate": called,
        }  # fmt: skip

    def group(self, name: str, mask: Flags) -> Group:
        rates = {}
        for rate, found in self._estimates(lambda weights: self._rates(weights, mask)).items():
            rates[rate] = settled(found, np.array(len(set(self._people[mask & self.trials[rate]].tolist())), float))
        index = self._estimates(lambda weights: {"index": self.index(weights, mask)})["index"]
        index = with_width(index)
        return Group(
            name,
            int(mask.sum()),
            len(set(self._people[mask].tolist())),
            int((mask & self._seen.happy).sum()),
            rates,
            index if np.isfinite(index.value) else None,
        )

    def difference(self, one: Flags, other: Flags) -> Estimate:
        """Return the index of ``one`` minus that of ``other``."""
        found = self._estimates(lambda w: {"gap": self.index(w, one) - self.index(w, other)})["gap"]
        return with_width(found)

    def index(self, weights: Floats, mask: Flags) -> Floats:
        """Return the index of a group (B,) of which ``share`` is happy; NaN if undefined."""
        if self._matrix is None:
            return np.full(len(weights), np.nan)
        p = np.nan_to_num(self._seen.probabilities)
        kinds = []
        for happy in (True, False):
            those = weights * (mask & self._seen.judged & (self._seen.happy == happy))
            count = those.sum(1, keepdims=True)
            kinds.append(those @ p / np.where(count > 0, count, np.nan))
        return adjust(self._share * kinds[0] + (1 - self._share) * kinds[1], self._matrix.matrix)[:, HAPPY_INDEX]

    def _rates(self, weights: Floats, mask: Flags) -> dict[str, Floats]:
        result = {}
        for rate in RATES:
            of = weights @ (mask & self.trials[rate])
            got = weights @ (mask & self.trials[rate] & self.successes[rate])
            result[rate] = got / np.where(of > 0, of, np.nan)
        return result

    def _estimates(self, measures: object) -> dict[str, Estimate]:
        return estimates(measures, self._people, draws=self._draws, seed=self._seed)  # type: ignore[arg-type]


def permuted(trials: Flags, successes: Flags, masks: list[Flags], people: Rows, seed: int) -> float | None:
    """Return the p-value of differences as large as those of these groups, None if no group can differ.

    ``trials``, ``successes`` (N,): pictures that count, and those of them that succeed. ``masks``: the groups.
    ``people`` (N,): the person of each picture; a person in two groups keeps the one of the first picture.
    """
    of_group = np.full(len(trials), -1)
    for number, mask in enumerate(masks):
        of_group[mask] = number
    counted = trials & (of_group >= 0)
    rate = successes[counted].mean() if counted.any() else 0.0
    if not 0 < rate < 1 or len(set(of_group[counted].tolist())) < 2:
        return None
    persons, at = np.unique(people[counted], return_inverse=True)
    group = np.zeros(len(persons), dtype=np.int64)
    group[at[::-1]] = of_group[counted][::-1]
    n = np.bincount(at, minlength=len(persons)).astype(np.float64)
    s = np.bincount(at, weights=successes[counted], minlength=len(persons))
    rng = np.random.default_rng(seed)
    dealt = np.stack([group, *(rng.permutation(group) for _ in range(PERMUTATIONS))])
    apart = np.zeros(len(dealt))
    for number in range(len(masks)):
        member = dealt == number
        of, got = member @ n, member @ s
        apart += np.where(of > 0, (got - of * rate) ** 2 / np.maximum(of, 1), 0.0)
    return float((apart >= apart[0] * (1 - 1e-9)).mean())


def _apart(measured: _Measured, groups: tuple[Group, ...], masks: list[Flags]) -> tuple[str, str, Estimate] | None:
    known = [(float(g.index.value), i) for i, g in enumerate(groups) if g.index is not None]
    if len(known) < 2:
        return None
    (_, low), (_, high) = min(known), max(known)
    return groups[high].name, groups[low].name, measured.difference(masks[high], masks[low])


def _notes(seen: Seen, attributes: Mapping[str, Names]) -> Iterator[Note]:
    if seen.undecided:
        yield Note("left-out", f"{seen.undecided:,} pictures without a single label are left out")
    if seen.unreadable:
        yield Note("image-unreadable", f"{seen.unreadable:,} pictures that cannot be read are left out")
    for name, values in attributes.items():
        if unknown := int((values == UNKNOWN).sum()):
            yield Note("left-out", f"{name}: {unknown:,} of {len(values):,} pictures are in no group")
        few = [group for group in in_order(values) if (values == group).sum() < FEW]
        if few:
            yield Note("group-small", f"{name}: fewer than {FEW} pictures of {', '.join(few)}, which say little")


def _plain_group(group: Group) -> dict[str, Any]:
    told = {"name": group.name, "pictures": group.pictures, "people": group.people, "happy": group.happy}
    index = None if group.index is None else group.index.plain()
    return told | {rate: found.plain() for rate, found in group.rates.items()} | {"index": index}
