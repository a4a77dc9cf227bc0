"""A model measured on one split of a data set: by each convention of labels, with and without what it may have seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from felicity.datasets.manifest import Manifest
from felicity.datasets.splits import LEFT_OUT, TRAIN, roles_of
from felicity.errors import ConfigError, DatasetError
from felicity.evaluation.figures import Figures, figures
from felicity.evaluation.fitting import Fit, judge_fit
from felicity.evaluation.intervals import DRAWS, SEED, Estimate, estimates
from felicity.evaluation.judge import Judge
from felicity.evaluation.selection import Chosen, Flags, Progress, Trained, answers, choose, data_of, labelled_sources
from felicity.metrics.classification import Floats, is_right
from felicity.training.config import DataConfig
from felicity.training.data import LabelledImages, open_prepared
from felicity.training.trained_on import as_divided, crossval_fold, own_set

MEASURED = 4000
"""Images of the training and of the validation part, at most, on which a run's weights are measured anew."""


@dataclass(frozen=True, eq=False)
class Result:
    """``chosen`` images by one convention and their ``all`` figures; ``unseen``: of those without a twin in training.

    ``unseen`` is None where every image has one.
    """

    chosen: Chosen
    all: Figures
    unseen: Figures | None

    @property
    def title(self) -> str:
        """What the images are labelled by."""
        return self.chosen.title

    @property
    def seen(self) -> int:
        """Images of which a twin, near twin or the same subject stands in the training part."""
        return int(self.chosen.seen.sum())

    def mistakes(self, limit: int) -> list[int]:
        """Rows of the wrong answers of which the model was most sure, the surest first."""
        p = self.all.probabilities
        wrong = np.flatnonzero(p.argmax(1) != self.all.labels)
        return [int(row) for row in wrong[np.argsort(-p[wrong].max(1), kind="stable")][:limit]]

    def to_json(self) -> dict[str, Any]:
        """The figures of ``all``, those of ``unseen`` below them."""
        return {
            "labels": self.title,
            **self.all.to_json(),
            "seen_in_training": self.seen,
            "without_seen_in_training": None if self.unseen is None else self.unseen.to_json(),
            "notes": list(self.chosen.notes),
        }


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One result per convention of labels, the one asked for first. ``fit`` and ``history`` are a run's."""

    model: str
    data: str
    split: str
    results: tuple[Result, ...] = field(repr=False)
    fit: Fit | None
    notes: tuple[str, ...]
    history: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, Any]:
        """For programs: the first result's figures at the top, those of other labels under ``other_labels``."""
        first, *others = (result.to_json() for result in self.results)
        return {
            "model": self.model,
            "data": self.data,
            "split": self.split,
            **first,
            "notes": [*self.notes, *first["notes"]],
            "other_labels": others,
            "fit": None if self.fit is None else {"verdict": self.fit.word, "text": self.fit.text, **self.fit.evidence},
        }


def evaluate(
    judge: Judge,
    split: str = "test",
    *,
    data: str | None = None,
    format: str | None = None,
    classes: str | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda what: None,
) -> Evaluation:
    """Measure ``judge`` on ``split`` of ``data`` (a run knows its own). ``say`` is told what is being done.

    Raises DatasetError where the data cannot be read, have no such images, or no classes in common with the model.
    """
    config = data_of(judge, data, format, classes)
    say("preparing images")
    found, notes = labelled_sources(config, progress)
    if judge.run is not None and _same_files(judge, config):
        try:
            found[0] = replace(found[0], manifest=as_divided(judge.run, found[0].manifest))
        except (ConfigError, DatasetError) as error:
            notes.append(f"not divided as they were for {judge.name}: {error}")
    elif judge.run is not None and crossval_fold(judge.run):
        notes.append(f"{config.path}: not where the fold was trained, so its parts are the set's own, not the fold's")
    trained, is_own = _trained(judge, config, found[0].manifest, notes)
    results = []
    for chosen in choose(judge, found, split, trained):
        say(f"asking the model, {chosen.title}")
        given = answers(chosen)
        say(f"drawing {draws} resamples, {chosen.title}")

        def measure(rows: Any, chosen: Chosen = chosen, given: Floats = given) -> Figures:
            return figures(
                chosen.labels[rows], given[rows], chosen.classes, chosen.groups[rows], draws=draws, seed=seed
            )

        everything = measure(slice(None))
        unseen = everything if not chosen.seen.any() else None if chosen.seen.all() else measure(~chosen.seen)
        results.append(Result(chosen, everything, unseen))
    fit = None
    if judge.run is None:
        notes.append("a bundle holds no history of its training, so nothing is said of over- or underfitting")
    else:
        say("asking the model, training and validation part")
        first = results[0]
        accuracy = first.all.found["accuracy"]
        fresh = accuracy if is_own and not first.chosen.seen.any() and np.isfinite(accuracy.low) else None
        fit = _fit(judge, fresh if split.lower() not in ("train", "validation") else None, notes, seed)
    return Evaluation(
        judge.name,
        str(config.path),
        split,
        tuple(results),
        fit,
        tuple(notes),
        () if judge.run is None else tuple(judge.run.history),
    )


def _trained(judge: Judge, config: DataConfig, first: Manifest, notes: list[str]) -> tuple[Trained, bool]:
    """Which rows of a manifest the model was trained on, as far as can be told; and whether the data are its own."""
    if judge.run is None:
        return _training_part, False
    own: DataConfig = judge.run.config.data
    same_files = _same_files(judge, config)
    is_own = same_files and config == own.model_copy(update={"path": config.path})
    try:
        manifest = first if is_own else as_divided(judge.run, open_prepared(own)[0])
    except (ConfigError, DatasetError) as error:
        notes.append(f"not compared with the images it was trained on: {error}")
        return lambda other: np.zeros(len(other.names), dtype=np.bool_), False
    part = manifest.splits == TRAIN
    if same_files:
        return lambda other: np.isin(other.names, manifest.names[part]), is_own
    hashes = np.array(manifest.hashes)[part]
    return lambda other: np.isin(np.array(other.hashes), hashes), False


def _same_files(judge: Judge, config: DataConfig) -> bool:
    return Path(config.path).resolve() == Path(judge.run.config.data.path).resolve()


def _training_part(manifest: Manifest) -> Flags:
    """What the data set itself calls training; where it says nothing, what was not held out."""
    if (roles := roles_of(manifest.folds)).any():
        return np.asarray(roles == TRAIN, dtype=np.bool_)
    return np.isin(manifest.splits, (TRAIN, LEFT_OUT))


def _fit(judge: Judge, test: Estimate | None, notes: list[str], seed: int) -> Fit:
    run = judge.run
    history = run.history
    counts = run.facts["data"]["images"]["train"]
    chance = max(counts.values()) / max(sum(counts.values()), 1)
    try:
        own = own_set(run)
    except (ConfigError, DatasetError) as error:
        notes.append(f"its weights are not measured on the images it was trained on: {error}")
        return judge_fit(history, chance)
    if own.digest != run.facts["data"]["digest"]:
        notes.append(
            f"{run.config.data.path}: is not what it was when the run was trained on it, or the run is a fold that was "
            f"moved out of its cross-validation; so its weights are not measured on its training part, and images held "
            f"out may have been trained on"
        )
        return judge_fit(history, chance)
    kept = {
        "training": _accuracy(judge, own.train, seed),
        "validation": _accuracy(judge, own.validation, seed),
    } | ({} if test is None else {"test": test})
    return judge_fit(history, chance, kept)


def _accuracy(judge: Judge, part: LabelledImages, seed: int) -> Estimate:
    """Of a part, or of MEASURED of its images drawn by ``seed``."""
    rows = np.flatnonzero(part.labels >= 0)
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:MEASURED])
    right = is_right(part.labels[rows], judge.probabilities(part.images[rows])).astype(np.float64)
    found = estimates(lambda weights: {"accuracy": weights @ right / weights.sum(1)}, np.arange(len(rows)), seed=seed)
    return found["accuracy"]
