"""Cross-validation: one run per fold, each measured on images that had no say in it.

Folds share most of their training images, so their scores are not independent and no estimate of the mean's variance
is unbiased (Bengio & Grandvalet 2004, JMLR 5): the interval given, Student's t over folds, is approximate.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from felicity.errors import ConfigError, TrainingError
from felicity.metrics.calibration import Probabilities, log_loss
from felicity.metrics.classification import Rows, Scores
from felicity.parsing import read_json
from felicity.training.checkpoint import write
from felicity.training.config import TrainConfig
from felicity.training.elsewhere import check_digest, check_shared, need_of
from felicity.training.fit import fit
from felicity.training.folds import Fold, Pool, open_pool, plan_folds
from felicity.training.run import predict
from felicity.training.same import check_same
from felicity.training.several import begin_another
from felicity.training.watcher import Watcher, Watchers, tracker
from felicity.work import Here, Work

FORMAT = 1
SUMMARY, PICTURE = "crossval.json", "crossval"
METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "happy_f1", "loss")
CONFIDENCE = 0.95
NOTE = (
    "approximate: Student's t over folds, which share training images and so are not independent "
    "(Bengio & Grandvalet 2004)"
)


def cross_validate(
    config: TrainConfig,
    pool: Pool,
    k: int,
    folder: Path,
    *,
    resume: bool = False,
    watch: Callable[[Fold], Watcher | None] = lambda fold: None,
    scored: Callable[[dict[str, Any]], None] = lambda fold: None,
    work: Work | None = None,
    track: Sequence[str] = (),
) -> dict[str, Any]:
    """Train ``k`` folds into ``folder``/fold-1 and so on; the contents of ``crossval.json``, written after each.

    ``resume`` skips the folds that are done and goes on with the one under way. ``scored`` is told of each fold that
    is done. ``work``: where folds are trained, in this process without; elsewhere nobody watches but the trackers that
    ``track`` names, and folds are ``scored`` as they come.

    Raises ConfigError if folds, network or batch do not fit the data, before anything is written;
    TrainingError where ``folder`` holds another cross-validation, and as ``fit`` does.
    """
    folds = plan_folds(pool, k, seed=config.data.split_seed, validation_share=config.data.validation_share)
    plan: dict[str, Any] = {"number_of_folds": k, "classes": list(pool.classes), "data_digest": pool.digest}
    begun = {"format": FORMAT, **plan, "config": config.model_dump()}
    done: dict[int, dict[str, Any]] = {}
    if stored := read(folder):
        if not resume:
            raise TrainingError(f"{folder}: holds a cross-validation already; add --resume, or choose another folder")
        check_same(str(folder), {name: stored[name] for name in plan} | stored["config"], plan | config.model_dump())
        done = {fold["fold"]: fold for fold in stored["folds"]}
    else:
        _check_fits(config, pool, folds)
    _save(folder, begun, list(done.values()), k)
    for fold in done.values():
        scored(fold)

    def here(number: int) -> dict[str, Any]:
        begin_another()
        return _one(config, pool, folds[number - 1], folder, watch(folds[number - 1]))

    work = work or Here()
    train = here if isinstance(work, Here) else _Elsewhere(config, k, folder, pool.digest, tuple(track))
    todo = [fold.number for fold in folds if fold.number not in done]
    with closing(work.outcomes(train, todo, ordered=False, need=need_of(config, work))) as trained:
        for outcome in trained:
            fold_done = outcome.get()
            done = dict(sorted({**done, int(fold_done["fold"]): fold_done}.items()))
            _save(folder, begun, list(done.values()), k)
            scored(fold_done)
    from felicity.style.charts import save_each
    from felicity.training.crossval_chart import draw_crossval
    from felicity.training.crossval_tables import write_tables

    result = _save(folder, begun, list(done.values()), k)
    save_each(draw_crossval(result), folder / PICTURE)
    write_tables(result, folder / PICTURE)
    return result


@dataclass(frozen=True)
class _Elsewhere:
    """Trains a fold in another process, perhaps of another machine: it goes on where one was lost."""

    config: TrainConfig
    folds: int
    folder: Path
    digest: str
    track: tuple[str, ...]

    def __call__(self, number: int) -> dict[str, Any]:
        from felicity.models.backend import use_backend

        config = self.config
        check_shared(self.folder / SUMMARY)
        use_backend(config.backend, threads=config.threads, device=config.device)
        pool = open_pool(config.data, soft=config.soft_labels)
        check_digest(config.data.path, pool.digest, self.digest)
        share = config.data.validation_share
        fold = plan_folds(pool, self.folds, seed=config.data.split_seed, validation_share=share)[number - 1]
        return _one(config, pool, fold, self.folder, Watchers(*map(tracker, self.track)))


def read(folder: Path) -> dict[str, Any] | None:
    """Return the content of ``crossval.json`` in ``folder``; None where there is none. Raises TrainingError."""
    file = folder / SUMMARY
    try:
        facts: dict[str, Any] = read_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise TrainingError(f"{file}: cannot be read as JSON ({error}); choose another folder") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise TrainingError(f"{file}: is no cross-validation of format {FORMAT}; choose another folder")
    return facts


def summarise_folds(folds: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return each figure's mean, standard deviation over folds, and approximate 95 % interval of the mean.

    Intervals end where the figure's range does: 0, and 1 for shares. Needs two folds or more.
    """
    from scipy.stats import t

    n = len(folds)
    factor = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) / math.sqrt(n)
    summary = {}
    for name in METRICS:
        values = [fold[name] for fold in folds]
        if None in values:
            continue
        mean = sum(values) / n
        deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
        high = mean + factor * deviation
        summary[name] = {
            "mean": mean,
            "deviation": deviation,
            "low": max(0.0, mean - factor * deviation),
            "high": high if name == "loss" else min(1.0, high),
        }
    return summary


def _one(config: TrainConfig, pool: Pool, fold: Fold, folder: Path, watcher: Watcher | None) -> dict[str, Any]:
    data = pool.training_set(fold)
    run = fit(config, data, folder / f"fold-{fold.number}", resume=True, watcher=watcher)
    history = run.history
    return {
        "fold": fold.number,
        "run": run.folder.name,
        "images": {"train": len(data.train), "validation": len(data.validation), "held_out": len(data.test)},
        "best_epoch": min(history, key=lambda row: float(row["val_loss"]))["epoch"],
        "seconds": sum(float(row["seconds"]) for row in history),
        **score(data.test.labels, predict(run.folder, data.test.images), data.classes),
        "history": history,
    }


def score(labels: Rows, probabilities: Probabilities, classes: tuple[str, ...]) -> dict[str, float | None]:
    """Return METRICS of ``probabilities`` (N, C) against ``labels`` (N,); no ``happy_f1`` (None) without that class."""
    scores = Scores.of(labels, probabilities, classes)
    return {
        "accuracy": float(scores.accuracy),
        "balanced_accuracy": float(scores.balanced_accuracy),
        "macro_f1": float(scores.macro_f1),
        "happy_f1": None if scores.happy is None else float(scores.happy.f1[0]),
        "loss": float(log_loss(labels, probabilities)),
    }


def _check_fits(config: TrainConfig, pool: Pool, folds: Sequence[Fold]) -> None:
    from felicity.models.backend import use_backend
    from felicity.models.registry import build

    if (fewest := min(len(fold.train) for fold in folds)) < config.batch_size:
        raise ConfigError(
            f"batch_size is {config.batch_size}, but a fold trains on {fewest} images; choose a smaller one"
        )
    use_backend(config.backend, threads=config.threads, device=config.device)
    build(config.model.name, config.model_options(len(pool.classes)))


def _save(folder: Path, begun: dict[str, Any], folds: list[dict[str, Any]], k: int) -> dict[str, Any]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
    result = begun | {"complete": len(folds) == k, "folds": folds}
    if len(folds) == k:
        result |= {"summary": summarise_folds(folds), "confidence": CONFIDENCE, "interval": NOTE}
    write(folder / SUMMARY, (json.dumps(result, indent=1, allow_nan=False) + "\n").encode())
    return result
