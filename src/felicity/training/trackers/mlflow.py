"""A training as a run of MLflow, in the database ``mlflow.db`` beside its run folder; nothing leaves the machine."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from felicity.errors import require
from felicity.training.checkpoint import write
from felicity.training.history import Epoch
from felicity.training.same import flat
from felicity.training.watcher import Watcher, figures_of

if TYPE_CHECKING:
    from felicity.training.run import TrainingRun

DATABASE, FILES, EXPERIMENT = "mlflow.db", "mlartifacts", "felicity"
ID = "mlflow.txt"
"""File in the run's folder with the run of MLflow that a resumed training continues."""
SILENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""Environment that keeps MLflow from reporting its use to its makers and from searching for Git."""
MOST_LETTERS = 500
"""Longest value of a parameter."""


class MlflowTracker(Watcher):
    """Configuration as parameters, figures as metrics by epoch."""

    def __init__(self) -> None:
        for name, value in SILENT.items():
            os.environ.setdefault(name, value)
        self._client_of = require("mlflow.tracking", "mlflow").MlflowClient
        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it prints how it makes its tables
        self._entities = require("mlflow.entities", "mlflow")
        self._client: Any = None
        self._id = ""

    def begin(self, run: TrainingRun, done: Sequence[Epoch]) -> None:
        """Begin a run of MLflow, or continue that of the resumed training."""
        beside = run.folder.resolve().parent
        self._client = self._client_of(tracking_uri=f"sqlite:///{beside / DATABASE}")
        known = run.folder / ID
        if done and known.is_file():
            self._id = known.read_text(encoding="utf-8").strip()
            self._client.update_run(self._id, status="RUNNING")
            return
        self._id = self._client.create_run(self._experiment(beside), run_name=run.folder.resolve().name).info.run_id
        write(known, f"{self._id}\n".encode())
        self._log(params=_parameters(run.config.model_dump()))
        for one in done:
            self.epoch(one, run.config.epochs)

    def epoch(self, done: Epoch, epochs: int) -> None:
        """Write the figures of an epoch; see ``Watcher``."""
        now = int(time.time() * 1000)
        self._log(metrics=[(name, figure, now, done.epoch) for name, figure in figures_of(done).items()])

    def end(self) -> None:
        """End the run of MLflow; see ``Watcher``."""
        if self._id:
            self._client.set_terminated(self._id)
            self._id = ""

    def _experiment(self, beside: Path) -> str:
        if known := self._client.get_experiment_by_name(EXPERIMENT):
            return str(known.experiment_id)
        return str(self._client.create_experiment(EXPERIMENT, artifact_location=(beside / FILES).as_uri()))

    def _log(self, *, params: Sequence[tuple[str, str]] = (), metrics: Sequence[tuple[Any, ...]] = ()) -> None:
        self._client.log_batch(
            self._id,
            params=[self._entities.Param(*each) for each in params],
            metrics=[self._entities.Metric(*each) for each in metrics],
        )


def _parameters(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(value)[:MOST_LETTERS]) for name, value in flat(config).items() if value not in (None, "", [])]


def open_tracker() -> Watcher:
    """Return the tracker; see ``training.watcher.tracker``."""
    return MlflowTracker()
