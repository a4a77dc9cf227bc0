"""Trials: suggest settings, train, report every epoch, prune what does worse than the median, record what fails."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy as sa

from felicity.errors import FelicityError, NetworkError, StoreError
from felicity.training.config import TrainConfig, make_config
from felicity.training.data import TrainingSet, load_training_set
from felicity.training.elsewhere import check_digest, check_shared, need_of
from felicity.training.fit import fit
from felicity.training.history import Epoch
from felicity.training.run import TrainingRun
from felicity.training.several import begin_another
from felicity.training.tuning.sampler import PLACE, place_of
from felicity.training.tuning.space import Space
from felicity.training.tuning.study import (
    HISTORY,
    IMPOSSIBLE,
    SENTENCE,
    SURPLUS,
    check_possible,
    counted,
    fail_stale,
    is_impossible,
    is_lost,
    is_one_too_many,
    open_study,
    running,
    storage_errors,
)
from felicity.training.watcher import Watcher
from felicity.work import Work

WAIT_SECONDS = 1.0
SCRATCH = ".trials"


class _Failed(Exception):
    """The trial is recorded as failed; the study goes on."""


class _Impossible(Exception):
    """The trial drew a network that cannot be built; another takes its place."""


class _OneTooMany(Exception):
    """Another process has begun the last trial."""


@dataclass
class _Reporter(Watcher):
    """A watcher that reports the validation loss of every epoch, and ends a trial that is not worth its time."""

    trial: Any
    url: sa.URL
    shown: Watcher
    history: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, run: TrainingRun, done: Sequence[Epoch]) -> None:
        """Begin to report, first the epochs of a lost trial that this one goes on from; see ``Watcher``."""
        self.shown.begin(run, done)
        for each in done:
            self.history.append(asdict(each))
            with storage_errors(self.url, f"reporting trial {self.trial.number}"):
                self.trial.report(each.val_loss, each.epoch)

    def end(self) -> None:
        """End the report; see ``Watcher``."""
        self.shown.end()

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Check a step; see ``Watcher``."""
        self.shown.step(epoch, step, steps, loss, accuracy)

    def epoch(self, done: Epoch, epochs: int) -> None:
        """Report an epoch; see ``Watcher``."""
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
    watch: Callable[[int, TrainConfig], Watcher] = lambda number, config: Watcher(),
    ended: Callable[[Any], None] = lambda trial: None,
    waiting: Callable[[int], None] = lambda running: None,
    most: int | None = None,
) -> None:
    """Run trials until ``trials`` of the study count; ``waiting`` receives how many others still run elsewhere.

    A trial trains in ``folder``/.trials, which is removed; its history stays in the study. One that takes the place of
    a lost trial goes on from its checkpoint. ``ended`` is also told of trials that are skipped. ``most``: return after
    this number of trials that count. Raises StoreError if the database cannot be reached any more, TrainingError where
    the space holds hardly a network that can be built.
    """
    _sweep(folder, keep=_under_way_or_lost(study))

    begun: list[int] = []
    here: list[bool] = []

    def tell(_: Any, trial: Any) -> None:
        if counted(trial) or is_impossible(trial):
            here.append(counted(trial))
            ended(trial)

    def objective(trial: Any) -> float:
        begun.append(trial.number)
        _take_place(study, trial, trials)
        return _train(trial, url, space, base, data, folder / SCRATCH / str(trial.number), watch)

    told = False
    with storage_errors(url, "tuning"):
        while True:
            seen = study.get_trials(deepcopy=False)
            if (done := sum(map(counted, seen))) >= trials or sum(here) == most:
                _sweep(folder, keep=[t for t in seen if running(t)] if done >= trials else _under_way_or_lost(study))
                return
            others = sum(map(running, seen))
            if done + others >= trials:
                if not told:
                    waiting(others)
                    told = True
                time.sleep(WAIT_SECONDS)
                fail_stale(study)
                continue
            check_possible(study)
            begun.clear()
            try:
                study.optimize(objective, n_trials=1, catch=(_Failed, _Impossible, _OneTooMany), callbacks=[tell])
            except (optuna.exceptions.UpdateFinishedTrialError, ValueError):
                # This process stood still for so long that another gave its trial up.
                if not begun or running(study.get_trials(deepcopy=False)[begun[0]]):
                    raise


@dataclass(frozen=True)
class TrialElsewhere:
    """Runs one trial of a study in another process, perhaps of another machine; returns the numbers that ended.

    A trial whose machine is lost is given up after the second number of ``heartbeat``; another goes on in its place.
    """

    base: TrainConfig
    space: Space
    agreed: dict[str, Any]
    url: sa.URL
    name: str
    folder: Path
    trials: int
    heartbeat: tuple[int, int]

    def __call__(self, _: int) -> list[int]:
        """Run it. Raises as ``run_trials``, and where this machine does not find what the others have."""
        from felicity.models.backend import use_backend

        base = self.base
        check_shared(self.folder / "tuning.json")
        use_backend(base.backend, threads=base.threads, device=base.device)
        data = load_training_set(base.data, soft=base.soft_labels)
        check_digest(base.data.path, data.digest, self.agreed["data_digest"])
        with open_study(
            self.url, self.name, self.agreed, seed=base.seed, epochs=base.epochs, heartbeat=self.heartbeat
        ) as study:
            ended: list[int] = []
            run_trials(
                study, self.url, self.space, base, data, self.folder, self.trials, most=1,
                ended=lambda trial: ended.append(trial.number),
            )  # fmt: skip
            return ended


def run_elsewhere(study: Any, one: TrialElsewhere, work: Work, ended: Callable[[Any], None]) -> None:
    """Share out as many trials as the study lacks; ``ended`` is told of each. Raises as ``run_trials``."""
    lacking = range(one.trials - sum(map(counted, study.get_trials(deepcopy=False))))
    with contextlib.closing(work.outcomes(one, lacking, ordered=False, need=need_of(one.base, work))) as outcomes:
        for number in (number for outcome in outcomes for number in outcome.get()):
            ended(study.get_trials(deepcopy=False)[number])


def _train(
    trial: Any,
    url: sa.URL,
    space: Space,
    base: TrainConfig,
    data: TrainingSet,
    folder: Path,
    watch: Callable[[int, TrainConfig], Watcher],
) -> float:
    """Return the least validation loss of the trial's epochs."""
    chosen = space.suggest(trial)
    begin_another()
    _inherit(trial, folder)
    reporter: _Reporter | None = None
    sentence, stopped = "", False
    try:
        config = make_config(base.model_dump(), chosen)
        reporter = _Reporter(trial, url, watch(trial.number, config))
        run = fit(config, data, folder, resume=True, watcher=reporter)
        reporter.history = reporter.history or run.history
        return min(float(row["val_loss"]) for row in reporter.history)
    except (StoreError, optuna.TrialPruned):
        raise
    except NetworkError as error:
        trial.set_user_attr(IMPOSSIBLE, str(error))
        raise _Impossible from error
    except FelicityError as error:
        sentence = str(error)
        raise _Failed from error
    except Exception as error:
        # A framework that is out of memory says so in an error of its own.
        sentence = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        raise _Failed from error
    except KeyboardInterrupt:
        stopped = True  # its checkpoint stays for the trial that takes its place
        raise
    finally:
        if not stopped:
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # others' trials may be in it
                folder.parent.rmdir()
        trial.set_user_attr(HISTORY, reporter.history if reporter else [])
        if sentence:
            trial.set_user_attr(SENTENCE, sentence.replace(str(folder), f"trial {trial.number}"))


def _take_place(study: Any, trial: Any, trials: int) -> None:
    """Give the trial its place in the study; raise _OneTooMany where ``trials`` others have theirs."""
    if is_one_too_many(study, trial.number, trials):
        trial.set_user_attr(SURPLUS, True)
        raise _OneTooMany
    trial.set_user_attr(PLACE, _free_place(study, trial.number))


def _free_place(study: Any, number: int) -> int:
    """Return the first place in the study that trial ``number`` may take; a lost trial's is free again.

    Trials that began a moment before and have not taken theirs yet take the first ones.
    """
    others = [t for t in study.get_trials(deepcopy=False) if t.number != number and SURPLUS not in t.user_attrs]
    beginning = [t.number for t in others if running(t) and PLACE not in t.user_attrs]
    taken = {place_of(t) for t in others if not is_lost(t) and t.number not in beginning}
    free = (place for place in itertools.count() if place not in taken)
    return next(itertools.islice(free, sum(each < number for each in beginning), None))


def _inherit(trial: Any, folder: Path) -> None:
    """Move the run of a lost trial of the same place and settings to ``folder``.

    The lost trial's process, if it only stood still, then finds its folder gone and ends, too.
    """
    for lost in reversed(trial.study.get_trials(deepcopy=False)):
        if is_lost(lost) and place_of(lost) == place_of(trial) and lost.params == trial.params:
            with contextlib.suppress(OSError):
                (folder.parent / str(lost.number)).rename(folder)
                return


def _under_way_or_lost(study: Any) -> list[Any]:
    """Return the trials whose checkpoints are wanted: those that run, and lost ones whose place is free."""
    trials = study.get_trials(deepcopy=False)
    taken = {place_of(trial) for trial in trials if not is_lost(trial) and SURPLUS not in trial.user_attrs}
    return [trial for trial in trials if running(trial) or (is_lost(trial) and place_of(trial) not in taken)]


def _sweep(folder: Path, keep: Sequence[Any]) -> None:
    """Remove what trials other than those of ``keep`` left behind."""
    kept = {str(trial.number) for trial in keep}
    for left in (folder / SCRATCH).glob("*"):
        if left.name not in kept:
            shutil.rmtree(left, ignore_errors=True)
    with contextlib.suppress(OSError):
        (folder / SCRATCH).rmdir()
