"""A model measured on one split of a data set: by each convention of labels, with and without what it may have seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from felicity.datasets.manifest import Manifest
from felicity.datasets.splits import LEFT_OUT, TEST, TRAIN, roles_of
from felicity.errors import ConfigError, DatasetError
from felicity.evaluation.calibrated import note_on_answers
from felicity.evaluation.figures import Figures, figures
from felicity.evaluation.fitting import Fit, judge_fit
from felicity.evaluation.intervals import DRAWS, SEED, Estimate, estimates
from felicity.evaluation.judge import Judge
from felicity.evaluation.selection import (
    ALL,
    Chosen,
    Flags,
    Progress,
    Trained,
    answers,
    choose,
    data_of,
    labelled_sources,
)
from felicity.metrics.classification import Floats, is_right
from felicity.notes import Note
from felicity.training.config import DataConfig
from felicity.training.data import open_prepared
from felicity.training.labelled_images import LabelledImages
from felicity.training.trained_on import as_divided, crossval_fold, own_set

MEASURED = 4000
"""The most images of each of the training and validation sets on which a run's weights are measured again."""


@dataclass(frozen=True, eq=False)
class Result:
    """``chosen`` images by one convention and their ``all`` figures.

    ``unseen``: figures of the images without a near-duplicate in training; None where every image has one.
    """

    chosen: Chosen
    all: Figures
    unseen: Figures | None

    @property
    def title(self) -> str:
        """Return the source of the labels."""
        return self.chosen.title

    @property
    def seen(self) -> int:
        """Return images of which a duplicate, a near-duplicate or the same subject stands in the training set."""
        return int(self.chosen.seen.sum())

    def mistakes(self, limit: int) -> list[int]:
        """Return rows of the wrong answers of which the model was most sure, the surest first."""
        p = self.all.probabilities
        wrong = np.flatnonzero(p.argmax(1) != self.all.labels)
        return [int(row) for row in wrong[np.argsort(-p[wrong].max(1), kind="stable")][:limit]]

    def plain(self) -> dict[str, Any]:
        """Return the figures of ``all`` and of ``unseen`` as plain values, with the notes."""
        return {
            "labels": self.title,
            "figures": self.all.plain(),
            "seen_in_training": self.seen,
            "without_seen_in_training": None if self.unseen is None else self.unseen.plain(),
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
    notes: tuple[Note, ...]
    history: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    def plain(self) -> dict[str, Any]:
        """Return everything but ``notes`` and ``history`` as plain values."""
        fit = self.fit
        return {
            "model": self.model,
            "data": self.data,
            "split": self.split,
            "results": [result.plain() for result in self.results],
            "fit": None if fit is None else {"verdict": fit.word, "text": fit.text, "evidence": fit.evidence},
        }


def evaluate(
    judge: Judge,
    split: str | None = None,
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

    ``split``: by name, or ``all``. None is the test split of a run's own data, and of data with a test fold for a
    bundle, which may have been trained on the rest; else all images, because the model has seen none of them.

    Raises DatasetError if the data cannot be read, have no such images, or no classes in common with the model.
    """
    config = data_of(judge, data, format, classes)
    say("preparing images")
    found, notes = labelled_sources(config, progress)
    if judge.run is not None and _same_files(judge, config):
        try:
            found[0] = replace(found[0], manifest=as_divided(judge.run, found[0].manifest))
        except (ConfigError, DatasetError) as error:
            notes.append(Note("parts-unknown", f"not divided as they were for {judge.name}: {error}"))
    elif judge.run is not None and crossval_fold(judge.run):
        text = f"{config.path}: not where the fold was trained, so its parts are the set's own, not the fold's"
        notes.append(Note("parts-unknown", text))
    trained, is_own = _trained(judge, config, found[0].manifest, notes)
    if split is None:
        split = _default_split(judge, config, found[0].manifest, trained, notes)
    results = []
    for chosen in choose(judge, found, split, trained):
        say(f"asking the model, {chosen.title}")
        given = answers(chosen)
        say(f"drawing {draws} resamples, {chosen.title}")
        if (note := note_on_answers(chosen, given)) is not None:
            chosen = replace(chosen, notes=(*chosen.notes, note))
        results.append(_result(chosen, given, draws, seed))
    fit = None
    if judge.run is None:
        text = "a bundle holds no history of its training, so Felicity cannot tell over- or underfitting"
        notes.append(Note("no-history", text))
    else:
        say("asking the model about the training and validation sets")
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


def _result(chosen: Chosen, given: Floats, draws: int, seed: int) -> Result:
    def measure(rows: Any) -> Figures:
        return figures(chosen.labels[rows], given[rows], chosen.classes, chosen.groups[rows], draws=draws, seed=seed)

    everything = measure(slice(None))
    unseen = everything if not chosen.seen.any() else None if chosen.seen.all() else measure(~chosen.seen)
    return Result(chosen, everything, unseen)


def _default_split(judge: Judge, config: DataConfig, manifest: Manifest, trained: Trained, notes: list[Note]) -> str:
    """Return the test split of what the model was, or may have been, trained on; all images of other data."""
    own_tests = roles_of(manifest.folds) == TEST
    if judge.run is None and own_tests.any():
        return TEST
    if judge.run is not None and (_same_files(judge, config) or trained(manifest).any()):
        return TEST
    known = "was not trained on them" if judge.run is not None else "is taken not to have been trained on them"
    further = f"; --split test measures the {own_tests.sum():,} of its test fold" if own_tests.any() else ""
    text = f"all {len(manifest.names):,} images of {config.path} are measured, for {judge.name} {known}{further}"
    notes.append(Note("all-images", text))
    return ALL


def _trained(judge: Judge, config: DataConfig, first: Manifest, notes: list[Note]) -> tuple[Trained, bool]:
    """Return the rows of a manifest that the model was trained on, if known, and whether the data are its own."""
    if judge.run is None:
        return _training_part, False
    own: DataConfig = judge.run.config.data
    same_files = _same_files(judge, config)
    is_own = same_files and config == own.model_copy(update={"path": config.path})
    try:
        manifest = first if is_own else as_divided(judge.run, open_prepared(own)[0])
    except (ConfigError, DatasetError) as error:
        notes.append(Note("parts-unknown", f"not compared with the images it was trained on: {error}"))
        return lambda other: np.zeros(len(other.names), dtype=np.bool_), False
    part = manifest.splits == TRAIN
    if same_files:
        return lambda other: np.isin(other.names, manifest.names[part]), is_own
    hashes = np.array(manifest.hashes)[part]
    return lambda other: np.isin(np.array(other.hashes), hashes), False


def _same_files(judge: Judge, config: DataConfig) -> bool:
    return Path(config.path).resolve() == Path(judge.run.config.data.path).resolve()


def _training_part(manifest: Manifest) -> Flags:
    """Return the images that the data set calls training; where it says nothing, those not held out."""
    if (roles := roles_of(manifest.folds)).any():
        return np.asarray(roles == TRAIN, dtype=np.bool_)
    return np.isin(manifest.splits, (TRAIN, LEFT_OUT))


def _fit(judge: Judge, test: Estimate | None, notes: list[Note], seed: int) -> Fit:
    run = judge.run
    history = run.history
    counts = run.facts["data"]["images"]["train"]
    chance = max(counts.values()) / max(sum(counts.values()), 1)
    try:
        own = own_set(run)
    except (ConfigError, DatasetError) as error:
        notes.append(Note("parts-unknown", f"its weights are not measured on the images it was trained on: {error}"))
        return judge_fit(history, chance)
    if own.digest != run.facts["data"]["digest"]:
        text = (
            f"{run.config.data.path}: is not what it was when the run was trained on it, or the run is a fold that was "
            f"moved out of its cross-validation; so its weights are not measured on its training set, and images held "
            f"out may have been trained on"
        )
        notes.append(Note("data-changed", text))
        return judge_fit(history, chance)
    kept = {
        "training": _accuracy(judge, own.train, seed),
        "validation": _accuracy(judge, own.validation, seed),
    } | ({} if test is None else {"test": test})
    return judge_fit(history, chance, kept)


def _accuracy(judge: Judge, part: LabelledImages, seed: int) -> Estimate:
    """Return the accuracy on a part, or on MEASURED of its images drawn by ``seed``."""
    rows = np.flatnonzero(part.labels >= 0)
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:MEASURED])
    right = is_right(part.labels[rows], judge.probabilities(part.images[rows])).astype(np.float64)
    found = estimates(lambda weights: {"accuracy": weights @ right / weights.sum(1)}, np.arange(len(rows)), seed=seed)
    return found["accuracy"]
