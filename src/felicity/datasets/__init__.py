"""Data sets: reading, auditing, splitting, preparing.

``open_dataset`` reads any of the known formats into ``Samples``; ``audit`` lists their faults; ``prepare`` writes an
array and a manifest for training, split without leaks.
"""

from felicity.datasets.auditing import Audit, audit
from felicity.datasets.classes import ClassMap, parse_classes
from felicity.datasets.manifest import Manifest, read_images, read_manifest
from felicity.datasets.prepare_options import PrepareOptions
from felicity.datasets.preparing import prepare
from felicity.datasets.registry import open_dataset
from felicity.datasets.samples import Samples
from felicity.datasets.splits import SplitOptions, k_folds, split
from felicity.datasets.votes import VoteRule

__all__ = [
    "Audit",
    "ClassMap",
    "Manifest",
    "PrepareOptions",
    "Samples",
    "SplitOptions",
    "VoteRule",
    "audit",
    "k_folds",
    "open_dataset",
    "parse_classes",
    "prepare",
    "read_images",
    "read_manifest",
    "split",
]
