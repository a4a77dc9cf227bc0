"""The choice of prepared images: the part of each, and remarks on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from felicity.datasets.duplicates import Duplicates, Rows, find_duplicates, join_by
from felicity.datasets.facts import ImageFacts
from felicity.datasets.manifest import Manifest, keys_of
from felicity.datasets.prepare_options import PrepareOptions
from felicity.datasets.samples import Samples
from felicity.datasets.splits import LEFT_OUT, TEST, TRAIN, VALIDATION, k_folds, roles_of, split
from felicity.errors import DatasetError
from felicity.style import numbers

MUCH = 0.05
"""Share of the training set whose loss deserves a warning."""
RESEMBLE = "of the training set that resemble a held-out image (kept, but in no set)"
"""A reason to leave images out."""


def make_manifest(
    samples: Samples, options: PrepareOptions, facts: ImageFacts, face: npt.NDArray[np.bool_]
) -> tuple[Manifest, Rows]:
    """Return the manifest, and the rows of ``samples`` that it keeps."""
    duplicates = find_duplicates(facts, similarity=options.similarity)
    rows, left_out = _kept_rows(samples, options, facts, face, duplicates)
    groups = duplicates.similar
    if samples.subjects is not None:
        groups = join_by(groups, samples.subjects)
    kept = samples.take(rows)
    hashes = [row.tobytes().hex() for row in facts.digest[rows]]
    keys = keys_of(hashes, kept.names)
    parts = split(kept.labels, kept.folds, groups[rows], keys, options.split)
    loose = np.arange(len(rows)) if options.split.leaky else groups[rows]
    numbers = k_folds(kept.labels, loose, keys, options.folds, options.split.seed) if options.folds else None
    for reason in [text for text in left_out if "resemble" in text]:  # was counted when the data were prepared before
        del left_out[reason]
    if tied := int((parts == LEFT_OUT).sum()):
        left_out[RESEMBLE] = tied
    manifest = Manifest(
        format=samples.format,
        classes=samples.classes,
        members=samples.members,
        options=asdict(options),
        left_out=dict(left_out),
        names=kept.names,
        labels=kept.labels,
        soft_labels=kept.soft_labels,
        folds=kept.folds,
        splits=parts,
        k_folds=numbers,
        groups=groups[rows],
        subjects=kept.subjects,
        hashes=hashes,
        heights=facts.height[rows],
        widths=facts.width[rows],
        flags=_flags(samples, facts, duplicates, rows),
        other_labels={source: _names_of(said, kept.classes) for source, said in kept.other_labels.items()},
        remarks=samples.remarks,
        warnings=(*duplicates.warnings(), *_losses(parts), *_gaps(kept, parts)),
    )
    return manifest, rows


def _losses(parts: npt.NDArray[np.str_]) -> list[str]:
    """Return a warning if much of the training set resembles held-out images and is therefore left out."""
    tied, trained = int((parts == LEFT_OUT).sum()), int((parts == TRAIN).sum())
    share = tied / max(tied + trained, 1)
    if share <= MUCH:
        return []
    return [
        f"{tied:,} of {tied + trained:,} training images ({numbers.share(share, 0)}) resemble a held-out image and "
        "are in no set; felicity data prepare leaves out fewer with a larger --similarity, and none with --leaky"
    ]


def _gaps(kept: Samples, parts: npt.NDArray[np.str_]) -> list[str]:
    """Return a remark for each class that is missing in one set but not in another."""
    said = []
    for part in (VALIDATION, TEST):
        inside = parts == part
        there = {label for label in kept.labels.tolist() if label >= 0}
        lacking = [kept.classes[label] for label in sorted(there - set(kept.labels[inside].tolist()))]
        if inside.any() and lacking:
            few = ", ".join(f"{name} ({int((kept.labels == kept.classes.index(name)).sum()):,})" for name in lacking)
            said.append(f"the {part} set has no image of {few}: the data set has too few of them for each set")
    return said


def _kept_rows(
    samples: Samples,
    options: PrepareOptions,
    facts: ImageFacts,
    face: npt.NDArray[np.bool_],
    duplicates: Duplicates,
) -> tuple[Rows, Counter[str]]:
    """Return the rows to keep, and the number of left-out rows by reason. Raises DatasetError if none is left."""
    left_out = Counter(dict(samples.left_out))
    keep = np.ones(len(samples), dtype=np.bool_)

    def drop(wrong: npt.NDArray[np.bool_], reason: str) -> None:
        if number := int((keep & wrong).sum()):
            left_out[reason] += number
            keep[wrong] = False

    drop(~facts.readable, "that cannot be decoded")
    drop(facts.readable & ~face, "in which no face was found")
    if options.drop_blank:
        drop(facts.blank, "that are blank")
    if options.deduplicate:
        drop(~_first_of_each(samples, duplicates.identical, keep), "that are copies of another")
    rows = np.flatnonzero(keep)
    if not len(rows):
        raise DatasetError(f"no image is left to prepare ({'; '.join(f'{n} {r}' for r, n in left_out.items())})")
    return rows, left_out


def _flags(samples: Samples, facts: ImageFacts, duplicates: Duplicates, rows: Rows) -> list[list[str]]:
    """Return the remarks on each of ``rows``."""
    flags: list[list[str]] = [[] for _ in rows]
    for flag, column in (
        ("blank", facts.blank),
        ("identical", _shared(duplicates.identical)),
        ("near duplicate", _shared(duplicates.similar) & ~_shared(duplicates.identical)),
        ("conflicting labels", _conflicting(duplicates.identical, samples.labels)),
    ):
        for position in np.flatnonzero(column[rows]):
            flags[position].append(flag)
    return flags


def _first_of_each(samples: Samples, groups: Rows, allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the image to keep of each identical group: from a held-out fold, with the majority label, by name."""
    first = (TEST, VALIDATION, TRAIN, LEFT_OUT, "")
    role = np.array([first.index(role) for role in roles_of(samples.folds).tolist()])
    pair = groups * (len(samples.classes) + 1) + samples.labels + 1
    _, inverse, counts = np.unique(pair, return_inverse=True, return_counts=True)
    order = np.lexsort((samples.names, -counts[inverse], role, ~allowed, groups))
    stays = np.zeros(len(groups), dtype=np.bool_)
    stays[order[np.unique(groups[order], return_index=True)[1]]] = True
    return stays


def _names_of(labels: Rows, classes: tuple[str, ...]) -> npt.NDArray[np.str_]:
    """Return classes by name, "" for UNDECIDED."""
    return np.array([*classes, ""], dtype=np.str_)[labels]


def _shared(groups: Rows) -> npt.NDArray[np.bool_]:
    """Return a mask of the rows that share a group with another row."""
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    several: npt.NDArray[np.bool_] = counts[inverse] > 1
    return several


def _conflicting(groups: Rows, labels: Rows) -> npt.NDArray[np.bool_]:
    """Return a mask of the rows that share a group with a row of another label."""
    pairs = np.unique(np.stack([groups, labels], axis=1), axis=0)
    found, counts = np.unique(pairs[:, 0], return_counts=True)
    return np.isin(groups, found[counts > 1])
