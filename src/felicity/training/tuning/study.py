"""The study: trials in a database that several processes and machines may share, whichever of them is killed.

A running trial sends a heartbeat every few seconds. The process that asks for the next trial fails those without one
for a minute; they do not count, and another takes the place of each, with the same settings.
"""

from __future__ import annotations

import json
import math
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from felicity.errors import StoreError, TrainingError, require
from felicity.training.same import check_same

SIGN_OF_LIFE_SECONDS, GIVEN_UP_SECONDS = 10, 60
BUSY_SECONDS = 60
MOST_IMPOSSIBLE = 100
"""Trials in a row that may draw a network which cannot be built."""
BEGUN, SENTENCE, HISTORY, SURPLUS, IMPOSSIBLE = "begun", "sentence", "history", "surplus", "impossible"
"""Keys beside Optuna's own columns.

They hold the settings of the study, and for a trial why it failed, its epochs, and why its network cannot be built.
"""


@contextmanager
def open_study(
    url: sa.URL,
    name: str,
    begun: dict[str, Any],
    *,
    seed: int,
    epochs: int,
    heartbeat: tuple[int, int] = (SIGN_OF_LIFE_SECONDS, GIVEN_UP_SECONDS),
) -> Iterator[Any]:
    """Yield the ``optuna.Study`` called ``name``, created if it is missing; it is closed at the end.

    ``begun``: plain values that all who take part must agree on. ``heartbeat``: seconds between heartbeats, and
    after which a trial without any is given up.
    Raises ExtraMissingError without Optuna or the database's driver,
    StoreError where the database cannot be used, TrainingError where the study was begun with other settings.
    """
    optuna = require("optuna", "tune")
    if url.get_backend_name() == "postgresql":
        require("psycopg", "postgres")
    from felicity.training.tuning.sampler import NumberedTPE

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    with storage_errors(url, "opening"), ExitStack() as closing:
        storage = _storage(optuna, url, heartbeat)
        closing.callback(storage.engine.dispose)
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            sampler=NumberedTPE(seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=first_pruned(epochs)),
            load_if_exists=True,
        )
        if (then := study.user_attrs.get(BEGUN)) is None:
            study.set_user_attr(BEGUN, begun)
        opened = closing.pop_all()
    with opened:
        if then is not None:
            check_same(f"study {name}", then, json.loads(json.dumps(begun)))
        yield study


def first_pruned(epochs: int) -> int:
    """Return the first epoch after which a trial may be pruned: a quarter of all, at least the second."""
    return max(2, math.ceil(epochs / 4))


def fail_stale(study: Any, seconds: float = GIVEN_UP_SECONDS) -> None:
    """Fail the trials without a heartbeat for this time."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)
    for trial in study.get_trials(deepcopy=False):
        # Killed before its first heartbeat, which Optuna waits for.
        if running(trial) and not trial.params and datetime.now() - trial.datetime_start > timedelta(seconds=seconds):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL, skip_if_finished=True)


@contextmanager
def storage_errors(url: sa.URL, doing: str) -> Iterator[None]:
    """Turn an error of the database within the context into a StoreError of one sentence, without the password."""
    import optuna

    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause: BaseException = error
        while (inner := getattr(cause, "orig", None) or cause.__cause__) is not None:
            cause = inner
        text = " ".join(str(cause).split()) or type(cause).__name__
        if url.password:
            text = text.replace(str(url.password), "***")
        raise StoreError(
            f"storage {url.render_as_string(hide_password=True)}: {doing} failed: {text}; what was written is kept, "
            f"the same command goes on"
        ) from error


def counted(trial: Any) -> bool:
    """Return whether a trial counts: done, pruned or failed by itself.

    One that was killed, was one too many, or whose network cannot be built, does not.
    """
    name = trial.state.name
    return name in ("COMPLETE", "PRUNED") or (name == "FAIL" and SENTENCE in trial.user_attrs)


def is_impossible(trial: Any) -> bool:
    """Return whether the trial was skipped, as the network that it drew cannot be built."""
    return IMPOSSIBLE in trial.user_attrs


def is_lost(trial: Any) -> bool:
    """Return whether the trial ended without a result of its own: it was killed, interrupted or given up."""
    return trial.state.name == "FAIL" and not {SENTENCE, SURPLUS, IMPOSSIBLE} & trial.user_attrs.keys()


def check_possible(study: Any) -> None:
    """Raise TrainingError where the last MOST_IMPOSSIBLE trials all drew networks that cannot be built."""
    ended = [each for each in study.get_trials(deepcopy=False) if counted(each) or is_impossible(each)]
    last = ended[-MOST_IMPOSSIBLE:]
    if len(last) == MOST_IMPOSSIBLE and all(map(is_impossible, last)):
        raise TrainingError(
            f"study {study.study_name}: the last {MOST_IMPOSSIBLE} draws from the space are networks that cannot be "
            f"built; choose another space and another study; the last: {last[-1].user_attrs[IMPOSSIBLE]}"
        )


def running(trial: Any) -> bool:
    """Return whether somebody works at it, or was killed not long ago."""
    return bool(trial.state.name == "RUNNING")


def is_one_too_many(study: Any, number: int, trials: int) -> bool:
    """Return whether ``trials`` of a lower ``number`` are done or under way; two processes may begin at once."""
    earlier = [t for t in study.get_trials(deepcopy=False) if t.number < number]
    return sum(counted(t) or (running(t) and SURPLUS not in t.user_attrs) for t in earlier) >= trials


def _storage(optuna: Any, url: sa.URL, heartbeat: tuple[int, int]) -> Any:
    options: dict[str, Any] = {"pool_pre_ping": True}
    local = url.get_backend_name() == "sqlite"
    options["connect_args"] = {"timeout": BUSY_SECONDS} if local else {"connect_timeout": 10}
    for attempt in range(5):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                storage = optuna.storages.RDBStorage(
                    url.render_as_string(hide_password=False),
                    engine_kwargs=options,
                    heartbeat_interval=heartbeat[0],
                    grace_period=heartbeat[1],
                )
            if local:
                sa.event.listen(storage.engine, "connect", _on_connect)
                storage.engine.dispose()
            return storage
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            # Two processes that begin at once both make the tables; the slower one finds them.
            if attempt == 4 or not re.search("already exists|duplicate key|UNIQUE", str(error)):
                raise
            time.sleep(0.2 * (attempt + 1))
        except RuntimeError as error:
            raise TrainingError(
                f"storage {url.render_as_string(hide_password=True)}: holds studies of another version of Optuna "
                f"({str(error).splitlines()[0]}); choose another database"
            ) from error
    raise AssertionError("unreachable")


def _on_connect(connection: Any, _record: Any) -> None:
    # Readers do not wait for the writer; a killed process leaves a whole file, a lost machine its last commits.
    connection.execute("PRAGMA journal_mode=WAL").close()
    connection.execute("PRAGMA synchronous=NORMAL").close()
