"""The study: trials in a database that several processes and machines may share, whichever of them is killed.

A trial that runs gives a sign of life every few seconds; one that has given none for a minute is failed by whoever asks
for the next trial, and does not count.
"""

from __future__ import annotations

import json
import math
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from felicity.errors import StoreError, TrainingError, require
from felicity.training.same import check_same

SIGN_OF_LIFE_SECONDS, GIVEN_UP_SECONDS = 10, 60
BUSY_SECONDS = 60
BEGUN, SENTENCE, HISTORY, SURPLUS = "begun", "sentence", "history", "surplus"
"""What is kept beside Optuna's own columns: settings of the study; of a trial why it failed, and its epochs."""


def open_study(
    url: sa.URL,
    name: str,
    begun: dict[str, Any],
    *,
    seed: int,
    epochs: int,
    heartbeat: tuple[int, int] = (SIGN_OF_LIFE_SECONDS, GIVEN_UP_SECONDS),
) -> Any:
    """The ``optuna.Study`` called ``name``, made if it is not there.

    ``begun``: plain values that all who take part must agree on. ``heartbeat``: seconds between signs of life, and
    after which a trial without any is given up. Raises ExtraMissingError without Optuna or the database's driver,
    StoreError where the database cannot be used, TrainingError where the study was begun with other settings.
    """
    optuna = require("optuna", "tune")
    if url.get_backend_name() == "postgresql":
        require("psycopg", "postgres")
    from felicity.training.tuning.sampler import NumberedTPE

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    with storage_errors(url, "opening"):
        study = optuna.create_study(
            storage=_storage(optuna, url, heartbeat),
            study_name=name,
            sampler=NumberedTPE(seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=first_pruned(epochs)),
            load_if_exists=True,
        )
        if (then := study.user_attrs.get(BEGUN)) is None:
            study.set_user_attr(BEGUN, begun)
    if then is not None:
        check_same(f"study {name}", then, json.loads(json.dumps(begun)))
    return study


def first_pruned(epochs: int) -> int:
    """The first epoch after which a trial may be pruned: a quarter of all, at least the second."""
    return max(2, math.ceil(epochs / 4))


def fail_stale(study: Any, seconds: float = GIVEN_UP_SECONDS) -> None:
    """Fail the trials that have given no sign of life for so long."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)
    for trial in study.get_trials(deepcopy=False):
        # Killed before its first sign of life, which Optuna waits for.
        if running(trial) and not trial.params and datetime.now() - trial.datetime_start > timedelta(seconds=seconds):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL, skip_if_finished=True)


@contextmanager
def storage_errors(url: sa.URL, doing: str) -> Iterator[None]:
    """Within, an error of the database is a StoreError of one sentence, without the password."""
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
    """Whether a trial counts: done, pruned or failed by itself; one that was killed, or was one too many, does not."""
    name = trial.state.name
    return name in ("COMPLETE", "PRUNED") or (name == "FAIL" and SENTENCE in trial.user_attrs)


def running(trial: Any) -> bool:
    """Whether somebody works at it, or was killed not long ago."""
    return bool(trial.state.name == "RUNNING")


def is_one_too_many(study: Any, number: int, trials: int) -> bool:
    """Whether ``trials`` of a lower ``number`` are done or under way, as two processes may have begun at once."""
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
