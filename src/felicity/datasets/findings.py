"""The audit in words: one finding per kind of fault, with its meaning and its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from felicity.datasets.auditing import Audit
from felicity.datasets.duplicates import Rows
from felicity.style import numbers

LEAST_ALIKE = 24
"""Number of pairs shown to judge the similarity by."""


@dataclass(frozen=True)
class AuditFinding:
    """One kind of fault.

    ``count`` of ``unit`` (images or groups); 0 if it was sought and not found. ``meaning``: one or two sentences.
    ``examples``: groups of rows to show, each a group of its own.
    """

    title: str
    count: int
    unit: str
    meaning: str
    examples: tuple[Rows, ...] = field(default=(), repr=False)


def audit_findings(audit: Audit) -> list[AuditFinding]:
    """Return all findings, those that bias a test result most first."""
    return [*_leaks(audit), *_conflicts(audit), *_copies(audit), *_doubtful_labels(audit), *_useless(audit)]


def _images(groups: list[Rows]) -> int:
    return sum(map(len, groups))


def _leaks(audit: Audit) -> Iterator[AuditFinding]:
    if audit.held_out:
        yield AuditFinding(
            "Held-out images seen in training",
            len(audit.seen_in_training),
            "images",
            f"{numbers.share(len(audit.seen_in_training) / audit.held_out, 0)} of the {audit.held_out:,} "
            "images meant for testing "
            "have an identical image or a near-duplicate in the training set, which flatters every result on them. "
            "Prepared data leave these training images out.",
            tuple(audit.seen_in_training[:, None]),
        )
    yield AuditFinding(
        "Identical images across folds",
        len(audit.across_folds),
        "groups",
        "The very same picture is in several folds: a network can know the answer by heart.",
        tuple(audit.across_folds),
    )
    yield AuditFinding(
        "Near-duplicates across folds",
        len(audit.near_across_folds),
        "groups",
        "The same photograph, cut, scaled or lit a little differently, is in several folds. It leaks as a copy does.",
        tuple(audit.near_across_folds),
    )


def _conflicts(audit: Audit) -> Iterator[AuditFinding]:
    yield AuditFinding(
        "Identical images under different labels",
        len(audit.conflicting),
        "groups",
        "One picture cannot show two expressions: at least one label of each group is wrong.",
        tuple(audit.conflicting),
    )
    yield AuditFinding(
        "Near-duplicates under different labels",
        len(audit.near_conflicting),
        "groups",
        "Nearly the same picture was judged differently, which bounds the accuracy that any network can reach.",
        tuple(audit.near_conflicting),
    )


def _copies(audit: Audit) -> Iterator[AuditFinding]:
    yield AuditFinding(
        "Identical images",
        len(audit.identical_groups),
        "groups",
        f"{_images(audit.identical_groups):,} images are in groups of equal pixels. Copies weigh more in training "
        "than they should; --deduplicate keeps one of each.",
        tuple(audit.identical_groups),
    )
    yield AuditFinding(
        "Near-duplicates",
        len(audit.near_groups),
        "groups",
        f"{_images(audit.near_groups):,} images are in groups of one photograph, cut, scaled, mirrored or lit "
        "differently.",
        tuple(audit.near_groups),
    )
    if len(pairs := audit.duplicates.pairs):
        alike = audit.duplicates.similarities
        least = np.argsort(alike, kind="stable")[:LEAST_ALIKE]
        yield AuditFinding(
            "Pairs of near-duplicates",
            len(pairs),
            "pairs",
            f"The {len(least)} least similar pairs ({alike[least[0]]:.3f} to {alike[least[-1]]:.3f}) stand here, so "
            "that you can judge the similarity. If some show different people, choose a larger --similarity.",
            tuple(pairs[least]),
        )


def _doubtful_labels(audit: Audit) -> Iterator[AuditFinding]:
    for source, found in audit.disagreements.items():
        share = len(found.rows) / max(found.compared, 1)
        yield AuditFinding(
            f"Labels that {source} contradicts",
            len(found.rows),
            "images",
            f"Of {found.compared:,} images that both label, {numbers.share(share, 0)} have another label in {source}.",
            tuple(found.rows[:, None]),
        )
    if audit.suspicious is not None:
        yield AuditFinding(
            "Suspicious labels",
            len(audit.suspicious),
            "images",
            "A classifier is sure of another expression (confident learning). Look at them before believing either; "
            "images that the classifier was trained on are judged too kindly.",
            tuple(audit.suspicious[:, None]),
        )


def _useless(audit: Audit) -> Iterator[AuditFinding]:
    yield AuditFinding(
        "Blank images",
        len(audit.blank),
        "images",
        "One shade of grey nearly everywhere: nothing to learn; --drop-blank leaves them out.",
        tuple(audit.blank[:, None]),
    )
    yield AuditFinding(
        "Unreadable files",
        len(audit.unreadable),
        "images",
        "Damaged, cut short, or no image; they are left out of prepared data.",
    )
