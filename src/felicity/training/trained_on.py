"""The data of a run, divided as in its training: the test set of a fold is its held-out part."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from felicity.datasets.manifest import Manifest
from felicity.datasets.splits import LEFT_OUT, TEST, TRAIN, VALIDATION
from felicity.training.config import DataConfig
from felicity.training.data import TrainingSet, load_training_set
from felicity.training.folds import Fold, Pool, open_pool, plan_folds

if TYPE_CHECKING:
    from felicity.training.run import TrainingRun


def crossval_fold(run: TrainingRun) -> tuple[int, int] | None:
    """Return the run's fold, from 1, and the number of folds, by its place in a cross-validation; else None."""
    folder = run.folder.resolve()
    if (named := re.fullmatch(r"fold-(\d+)", folder.name)) is None:
        return None
    from felicity.training.crossval import read

    number, folds = int(named[1]), int((read(folder.parent) or {}).get("number_of_folds", 0))
    return (number, folds) if 1 <= number <= folds else None


def own_set(run: TrainingRun, config: DataConfig | None = None) -> TrainingSet:
    """Return the run's data; ``config``: how to read them now, if moved. Raises DatasetError and ConfigError."""
    config = config or run.config.data
    if (fold := crossval_fold(run)) is None:
        return load_training_set(config, soft=run.config.soft_labels)
    pool, planned = _planned(run, config, *fold)
    return pool.training_set(planned)


def as_divided(run: TrainingRun, manifest: Manifest) -> Manifest:
    """Return a manifest of the run's own files with the split that the run had. Raises as ``own_set``.

    For a fold, images that it neither trained on, nor chose by, nor held out are left out.
    """
    if (fold := crossval_fold(run)) is None:
        return manifest
    pool, planned = _planned(run, run.config.data, *fold)
    part: dict[str, str] = {}
    for name, rows in ((TRAIN, planned.train), (VALIDATION, planned.validation), (TEST, planned.held_out)):
        part |= dict.fromkeys((pool.keys[row] for row in rows.tolist()), name)
    return replace(manifest, splits=np.array([part.get(key, LEFT_OUT) for key in manifest.keys], dtype=np.str_))


def _planned(run: TrainingRun, config: DataConfig, number: int, folds: int) -> tuple[Pool, Fold]:
    pool = open_pool(config, soft=run.config.soft_labels)
    plan = plan_folds(pool, folds, seed=config.split_seed, validation_share=config.validation_share)
    return pool, plan[number - 1]
