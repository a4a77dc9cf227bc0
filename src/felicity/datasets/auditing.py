"""The audit of a data set: counts and findings; it changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.datasets.classes import ClassMap
from felicity.datasets.duplicates import Duplicates, Rows, find_duplicates, members
from felicity.datasets.facts import ImageFacts, examine
from felicity.datasets.near import SIMILARITY
from felicity.datasets.samples import UNDECIDED, Image, Samples, as_input
from felicity.datasets.splits import LEFT_OUT, TEST, TRAIN, VALIDATION, roles_of
from felicity.errors import DatasetError, require
from felicity.imaging.spec import Colour
from felicity.labels import EIGHT_CLASSES, EXPRESSIONS, Classes

Predict = Callable[[Samples, Rows], npt.NDArray[np.floating[Any]]]
"""A function to the probabilities ``(len(rows), len(samples.classes))`` that a classifier gives to images."""


JUDGED_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class Disagreement:
    """The disagreement of another source of labels for the same images.

    ``rows``: readable images for which both name a class and the classes differ. ``compared``: images for which both
    name one. ``counts``: int64 ``(classes, classes)``, the set's label by the other source's, over the compared images.
    """

    rows: Rows
    compared: int
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Audit:
    """Findings, as rows of ``samples``; groups hold at least two images.

    ``near_groups``: similar but not all identical. ``across_folds`` and ``conflicting``: those of the
    ``identical_groups`` that lie in several folds (``left out`` is not a fold), and that have several labels;
    ``near_…`` likewise for ``near_groups``. ``held_out``: images of validation and test folds, by the folds' names;
    ``seen_in_training``: those of them that resemble an image of a training fold. ``suspicious``: most suspicious
    first, or None without a classifier.
    """

    samples: Samples
    facts: ImageFacts
    duplicates: Duplicates
    unreadable: Rows
    blank: Rows
    identical_groups: list[Rows]
    across_folds: list[Rows]
    conflicting: list[Rows]
    near_groups: list[Rows]
    near_across_folds: list[Rows]
    near_conflicting: list[Rows]
    held_out: int = 0
    seen_in_training: Rows = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    disagreements: Mapping[str, Disagreement] = field(default_factory=dict)
    suspicious: Rows | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return a sentence for each choice made in reading, and for each implausibly large group."""
        return (*self.samples.remarks, *self.duplicates.warnings())

    @property
    def imbalance(self) -> float:
        """Return the ratio of the largest class to the smallest class with images."""
        counts = np.bincount(self.samples.labels[self.samples.labels >= 0])
        return float(counts.max() / counts[counts > 0].min()) if len(counts) else 1.0

    def sizes(self) -> list[tuple[str, int]]:
        """Return size and mode (``48x48 gray``) to number of readable images, most frequent first."""
        ok = self.facts.readable
        names = [
            f"{w}x{h} {'gray' if gray else 'colour'}"
            for w, h, gray in zip(self.facts.width[ok], self.facts.height[ok], self.facts.gray[ok], strict=True)
        ]
        found, counts = np.unique(np.array(names, dtype=np.str_), return_counts=True)
        return sorted(zip(found.tolist(), counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))

    def counts(self) -> dict[str, Any]:
        """Return all counts by name. ``images`` includes unreadable ones; None for a finding that was not sought."""
        return {
            "images": len(self.samples),
            "unreadable": len(self.unreadable),
            "blank": len(self.blank),
            "identical_groups": len(self.identical_groups),
            "identical_images": sum(map(len, self.identical_groups)),
            "identical_across_splits": len(self.across_folds),
            "identical_conflicting_labels": len(self.conflicting),
            "near_duplicate_groups": len(self.near_groups),
            "near_duplicate_images": sum(map(len, self.near_groups)),
            "suspicious_labels": None if self.suspicious is None else len(self.suspicious),
            "classes": self.samples.counts(),
            "left_out": dict(self.samples.left_out),
        }


def audit(
    samples: Samples,
    *,
    judge: Predict | None = None,
    similarity: float = SIMILARITY,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> Audit:
    """Examine every image of ``samples``.

    ``judge``: returns a classifier's probabilities; the audit then finds labels that contradict them by confident
    learning (Northcutt, Jiang, Chuang: Confident Learning, JAIR 2021), which needs the package cleanlab.
    ``similarity``: least similarity of two near-duplicates, 0.5 to 1. ``progress`` receives how many more images were
    examined.
    """
    facts = examine(samples.images, workers=workers, progress=progress)
    duplicates = find_duplicates(facts, similarity=similarity)
    identical = members(duplicates.identical)
    near = [rows for rows in members(duplicates.similar) if len(set(duplicates.identical[rows].tolist())) > 1]

    def several(groups: list[Rows], column: npt.NDArray[Any]) -> list[Rows]:
        return [rows for rows in groups if len(set(column[rows].tolist()) - {LEFT_OUT}) > 1]

    roles = roles_of(samples.folds)
    held_out = (roles == VALIDATION) | (roles == TEST)
    seen = held_out & np.isin(duplicates.similar, duplicates.similar[roles == TRAIN])
    return Audit(
        samples=samples,
        facts=facts,
        duplicates=duplicates,
        unreadable=np.flatnonzero(~facts.readable),
        blank=np.flatnonzero(facts.blank),
        identical_groups=identical,
        across_folds=several(identical, samples.folds),
        conflicting=several(identical, samples.labels),
        near_groups=near,
        near_across_folds=several(near, samples.folds),
        near_conflicting=several(near, samples.labels),
        held_out=int(held_out.sum()),
        seen_in_training=np.flatnonzero(seen),
        disagreements={
            source: _compare(samples, other, facts.readable) for source, other in samples.other_labels.items()
        },
        suspicious=None if judge is None else suspicious_labels(samples, facts, judge),
    )


def judge_by(
    probabilities: Callable[[Image], npt.NDArray[np.float64]],
    size: int,
    colour: Colour,
    chosen: ClassMap,
    classes: Sequence[str],
    told: Classes = EIGHT_CLASSES,
) -> Predict:
    """Return a judge of samples of ``classes`` from a classifier with the classes ``told``.

    ``probabilities``: of crops uint8 ``(N, size, size[, 3])``, as ``(N, 8)``; they are summed by class, according to
    the expressions in ``chosen``. Raises DatasetError for a class that the classifier does not have, and that is not a
    union of its classes.
    """
    known = list(chosen.classes)
    if unknown := [name for name in classes if name not in known]:
        raise DatasetError(
            f"the data are labelled {', '.join(classes)}, and the bundle knows {', '.join(known)}, not "
            f"{', '.join(unknown)}; leave --bundle out, or inspect the data they were prepared from, with --classes"
        )
    whole = np.zeros((len(EXPRESSIONS), len(classes)))
    for place, made_of in zip(told.places, told.members.values(), strict=True):
        whole[place] = [set(made_of) <= set(chosen.classes[name]) for name in classes]
    if lacking := [name for name, column in zip(classes, whole.T, strict=True) if not column.any()]:
        raise DatasetError(
            f"the bundle tells {told.text} apart, and {', '.join(lacking)} of the data is not one of them; "
            f"leave --bundle out, or read the data with its classes: --classes '{told.option}'"
        )

    def judge(samples: Samples, rows: Rows) -> npt.NDArray[np.float64]:
        parts = []
        for some in np.array_split(rows, -(-len(rows) // JUDGED_AT_ONCE)):
            crops = np.stack([as_input(samples.images[row], size, colour) for row in some])
            parts.append(probabilities(crops) @ whole)
        return np.concatenate(parts)

    return judge


def _compare(samples: Samples, other: Rows, readable: npt.NDArray[np.bool_]) -> Disagreement:
    both = readable & (samples.labels != UNDECIDED) & (other != UNDECIDED)
    counts = np.zeros((len(samples.classes),) * 2, dtype=np.int64)
    np.add.at(counts, (samples.labels[both], other[both]), 1)
    return Disagreement(np.flatnonzero(both & (samples.labels != other)), int(both.sum()), counts)


def suspicious_labels(samples: Samples, facts: ImageFacts, judge: Predict) -> Rows:
    """Return rows whose label a classifier contradicts, most suspicious first (confident learning)."""
    find_label_issues = require("cleanlab.filter", "audit").find_label_issues
    rows = np.flatnonzero(facts.readable & ~facts.blank & (samples.labels != UNDECIDED))
    present, labels = np.unique(samples.labels[rows], return_inverse=True)
    if len(present) < 2:
        raise DatasetError(f"suspicious labels are sought among two classes or more, but {len(present)} has images")
    probabilities = np.asarray(judge(samples, rows), dtype=np.float64)[:, present]
    probabilities /= np.maximum(probabilities.sum(1, keepdims=True), 1e-12)
    ranked = find_label_issues(labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    found: Rows = rows[np.asarray(ranked, dtype=np.int64)]
    return found
