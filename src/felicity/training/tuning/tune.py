"""Tuning from end to end: check, open the study, run trials, write what was found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from felicity.errors import ConfigError, TrainingError, require
from felicity.style import numbers
from felicity.training.checkpoint import write
from felicity.training.config import TrainConfig, make_config, to_toml
from felicity.training.data import TrainingSet
from felicity.training.same import flat
from felicity.training.tuning.space import Space, check_space, nest_settings
from felicity.training.tuning.study import (
    GIVEN_UP_SECONDS,
    HISTORY,
    IMPOSSIBLE,
    SENTENCE,
    SIGN_OF_LIFE_SECONDS,
    counted,
    is_impossible,
    open_study,
    storage_errors,
)
from felicity.training.watcher import Watcher
from felicity.work import Here, Work

FORMAT = 1
SUMMARY, BEST, STUDY, PICTURE, SLICES = "tuning.json", "best.toml", "study.db", "tuning", "slices"
STATES = {"COMPLETE": "done", "PRUNED": "pruned", "FAIL": "failed"}
ENOUGH = 4
"""Trials that must be done before importances are worth a look."""


def tune(
    base: TrainConfig,
    space: Space,
    data: TrainingSet,
    folder: Path,
    trials: int,
    *,
    where: str = "space",
    url: sa.URL | None = None,
    name: str | None = None,
    heartbeat: tuple[int, int] = (SIGN_OF_LIFE_SECONDS, GIVEN_UP_SECONDS),
    watch: Callable[[int, TrainConfig], Watcher] = lambda number, config: Watcher(),
    ended: Callable[[dict[str, Any]], None] = lambda trial: None,
    waiting: Callable[[int], None] = lambda others: None,
    work: Work | None = None,
) -> dict[str, Any]:
    """Run trials until ``trials`` of the study count; the contents of ``tuning.json``, written after each.

    ``url``: the database, ``folder``/study.db without. ``name``: of the study in it, else that of ``folder``. The same
    call again goes on. ``work``: where trials train, in this process without; elsewhere ``watch`` is not asked. The
    least validation loss wins. Raises ConfigError for a space that ``base`` cannot take, before anything is written;
    TrainingError where no trial came to its end or the study was begun otherwise; StoreError.
    """
    if trials < 1:
        raise ConfigError(f"there must be 1 trial or more, not {trials}")
    require("optuna", "tune")
    check_space(space, base, where=where)
    from felicity.training.tuning.trials import TrialElsewhere, run_elsewhere, run_trials

    if url is None:
        _make(folder)
        url = sa.URL.create("sqlite", database=str(folder / STUDY))
    name = name or folder.resolve().name
    elsewhere = None if isinstance(work, Here) else work
    agreed, how = _begun(base, space, data), {"seed": base.seed, "epochs": base.epochs}
    with open_study(url, name, agreed, **how, heartbeat=heartbeat) as study:
        _make(folder)

        def record() -> dict[str, Any]:
            with storage_errors(url, "reading"):
                found = summarise_study(study, space, base, trials)
            found["storage"] = url.render_as_string(hide_password=True)
            if found["best"]:
                write(folder / BEST, _best_toml(found).encode())
            write(folder / SUMMARY, (json.dumps(found, indent=1, allow_nan=False) + "\n").encode())
            return found

        def one_ended(trial: Any) -> None:
            record()
            ended(_facts(trial))

        if elsewhere is not None:
            record()
            one = TrialElsewhere(base, space, agreed, url, name, folder, trials, heartbeat)
            run_elsewhere(study, one, elsewhere, one_ended)
        run_trials(study, url, space, base, data, folder, trials, watch=watch, ended=one_ended, waiting=waiting)
        result = record()
        _check_best(name, result)
        _write_pictures(folder, result)
        return result


def _check_best(name: str, result: dict[str, Any]) -> None:
    """Raise TrainingError if no trial came to its end."""
    if not result["best"]:
        last = next(trial["sentence"] for trial in reversed(result["trials"]) if trial["sentence"])
        raise TrainingError(f"study {name}: none of {len(result['trials'])} trials came to its end; the last: {last}")


def _begun(base: TrainConfig, space: Space, data: TrainingSet) -> dict[str, Any]:
    """Return what a study must be begun with for a call to go on with it."""
    begun = {key: value for key, value in flat(base.model_dump()).items() if value is not None}
    tuned = {each.name: "tuned" for each in space.dimensions}
    return begun | tuned | {"space": space.to_json(), "data_digest": data.digest, "classes": list(data.classes)}


def _write_pictures(folder: Path, result: dict[str, Any]) -> None:
    from felicity.style.charts import save_each
    from felicity.training.tuning.charts import draw_slices, draw_tuning

    save_each(draw_tuning(result), folder / PICTURE)
    save_each(draw_slices(result), folder / SLICES)


def summarise_study(study: Any, space: Space, base: TrainConfig, wanted: int) -> dict[str, Any]:
    """Return the trials that count, the best one, the skipped ones, and at the end each setting's importance."""
    all_trials = study.get_trials(deepcopy=False)
    trials = [_facts(trial) for trial in all_trials if counted(trial)]
    done = [trial for trial in trials if trial["state"] == "done"]
    best = min(done, key=lambda trial: float(trial["val_loss"])) if done else None
    return {
        "format": FORMAT,
        "study": study.study_name,
        "model": base.model.name,
        "backend": base.backend,
        "epochs": base.epochs,
        "space": space.to_json(),
        "best": best
        and best | {"config": make_config(base.model_dump(), nest_settings(best["settings"].items())).model_dump()},
        "importances": importances(study, len({t["val_loss"] for t in done})) if len(trials) >= wanted else None,
        "trials": trials,
        "impossible": [_facts(trial) for trial in all_trials if is_impossible(trial)],
    }


def importances(study: Any, done: int) -> dict[str, float] | None:
    """Return each setting's importance for good trials, with sum 1; None before enough trials are ``done``.

    PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255), over the trials that were done.
    """
    if done < ENOUGH:
        return None
    from optuna.importance import get_param_importances

    return {name: round(float(share), 4) for name, share in get_param_importances(study).items()}


def _facts(trial: Any) -> dict[str, Any]:
    history = trial.user_attrs.get(HISTORY, [])
    best = min(history, key=lambda row: float(row["val_loss"])) if history else {}
    return {
        "number": trial.number,
        "state": "impossible" if is_impossible(trial) else STATES[trial.state.name],
        "val_loss": best.get("val_loss"),
        "val_accuracy": best.get("val_accuracy"),
        "best_epoch": best.get("epoch"),
        "epochs": len(history),
        "seconds": round(trial.duration.total_seconds(), 2) if trial.duration else None,
        "settings": dict(trial.params),
        "sentence": trial.user_attrs.get(IMPOSSIBLE) or trial.user_attrs.get(SENTENCE),
        "history": history,
    }


def _best_toml(found: dict[str, Any]) -> str:
    best = found["best"]
    head = (
        f"# Trial {best['number']} of study {found['study']}: validation loss {best['val_loss']:.4f}, accuracy "
        f"{numbers.share(best['val_accuracy'], 2)} after epoch {best['best_epoch']} of {found['epochs']}.\n"
    )
    return head.replace("\r", " ") + to_toml(make_config(best["config"]))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
