"""Trials: suggest settings, train, report every epoch, prune what does worse than the median, record what fails."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy as sa

from felicity.errors import FelicityError, StoreError
from felicity.training.config import TrainConfig, make_config
from felicity.training.data import TrainingSet
from felicity.training.fit import Silent, Watcher, fit
from felicity.training.history import Epoch
from felicity.training.several import begin_another
from felicity.training.tuning.space import Space
from felicity.training.tuning.study import (
    HISTORY,
    SENTENCE,
    SURPLUS,
    counted,
    fail_stale,
    is_one_too_many,
    running,
    storage_errors,
)

WAIT_SECONDS = 1.0
SCRATCH = ".trials"


class _Failed(Exception):
    """The trial is recorded as failed; the study goes on."""


class _OneTooMany(Exception):
    """Another process has begun the last trial."""


@dataclass
class _Reporter:
    """A watcher that reports the validation loss of every epoch, and ends a trial that is not worth its time."""

    trial: Any
    url: sa.URL
    shown: Watcher
    history: list[dict[str, Any]] = field(default_factory=list)

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """See ``fit.Watcher``."""
        self.shown.step(epoch, step, steps, loss, accuracy)

    def epoch(self, done: Epoch, epochs: int) -> None:
        """See ``fit.Watcher``."""
        self.history.append(asdict(done))
        self.shown.epoch(done, epochs)
        with storage_errors(self.url, f"reporting trial {self.trial.number}"):
            self.trial.report(done.val_loss, done.epoch)
            if done.epoch < epochs and self.trial.should_prune():
                raise optuna.TrialPruned


def run_trials(
    study: Any,
    url: sa.URL,
    space: Space,
    base: TrainConfig,
    data: TrainingSet,
    folder: Path,
    trials: int,
    *,
    watch: Callable[[int, TrainConfig], Watcher] = lambda number, config: Silent(),
    ended: Callable[[Any], None] = lambda trial: None,
    waiting: Callable[[int], None] = lambda running: None,
) -> None:
    """Until ``trials`` of the study count, whoever ran them; ``waiting`` is told where only those of others are left.

    A trial trains in ``folder``/.trials, which is removed; its history stays in the study. Raises StoreError where the
    database cannot be reached any more.
    """
    _sweep(study, folder)

    begun: list[int] = []

    def tell(_: Any, trial: Any) -> None:
        if counted(trial):
            ended(trial)

    def objective(trial: Any) -> float:
        begun.append(trial.number)
        if is_one_too_many(study, trial.number, trials):
            trial.set_user_attr(SURPLUS, True)
            raise _OneTooMany
        return _train(trial, url, space, base, data, folder / SCRATCH / str(trial.number), watch)

    told = False
    with storage_errors(url, "tuning"):
        while True:
            seen = study.get_trials(deepcopy=False)
            if (done := sum(map(counted, seen))) >= trials:
                _sweep(study, folder)
                return
            others = sum(map(running, seen))
            if done + others >= trials:
                if not told:
                    waiting(others)
                    told = True
                time.sleep(WAIT_SECONDS)
                fail_stale(study)
                continue
            begun.clear()
            try:
                study.optimize(objective, n_trials=1, catch=(_Failed, _OneTooMany), callbacks=[tell])
            except (optuna.exceptions.UpdateFinishedTrialError, ValueError):
                # This process stood still for so long that another gave its trial up.
                if not begun or running(study.get_trials(deepcopy=False)[begun[0]]):
                    raise


def _train(
    trial: Any,
    url: sa.URL,
    space: Space,
    base: TrainConfig,
    data: TrainingSet,
    folder: Path,
    watch: Callable[[int, TrainConfig], Watcher],
) -> float:
    """The least validation loss of the trial's epochs."""
    chosen = space.suggest(trial)
    begin_another()
    reporter: _Reporter | None = None
    sentence = ""
    try:
        config = make_config(base.model_dump(), chosen)
        reporter = _Reporter(trial, url, watch(trial.number, config))
        fit(config, data, folder, watcher=reporter)
        return min(float(row["val_loss"]) for row in reporter.history)
    except (StoreError, optuna.TrialPruned):
        raise
    except FelicityError as error:
        sentence = str(error)
        raise _Failed from error
    except Exception as error:
        # A framework that is out of memory says so in an error of its own.
        sentence = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        raise _Failed from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # others' trials may be in it
            folder.parent.rmdir()
        trial.set_user_attr(HISTORY, reporter.history if reporter else [])
        if sentence:
            trial.set_user_attr(SENTENCE, sentence.replace(str(folder), f"trial {trial.number}"))


def _sweep(study: Any, folder: Path) -> None:
    """Remove what trials that were killed left behind."""
    under_way = {str(trial.number) for trial in study.get_trials(deepcopy=False) if running(trial)}
    for left in (folder / SCRATCH).glob("*"):
        if left.name not in under_way:
            shutil.rmtree(left, ignore_errors=True)
    with contextlib.suppress(OSError):
        (folder / SCRATCH).rmdir()
