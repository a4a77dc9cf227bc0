"""Trainings on other machines: their settings, and a check that each machine reads the same images."""

from __future__ import annotations

import socket
from pathlib import Path

from felicity.errors import DatasetError, TrainingError
from felicity.training.config import TrainConfig
from felicity.work import Need, Work


def need_of(config: TrainConfig, work: Work) -> Need:
    """Return the resources of a training: its threads, a GPU if the device allows one, and a process of its own.

    Without a number of threads a training takes a whole machine.
    """
    gpu = config.device == "cuda" or (config.device == "auto" and work.gpus > 0)
    return Need(cores=config.threads, gpus=1.0 if gpu else 0.0, fresh=True)


def check_shared(file: Path) -> None:
    """Raise TrainingError where this machine does not see a ``file`` that another has written."""
    if not file.is_file():
        raise TrainingError(
            f"{file.parent}: machine {socket.gethostname()} does not see what was written there; put --output on a "
            "file system that all machines share"
        )


def check_digest(path: str, digest: str, wanted: str) -> None:
    """Raise DatasetError where this machine reads other images from ``path``."""
    if digest != wanted:
        raise DatasetError(
            f"{path}: machine {socket.gethostname()} finds other images there than where the work is shared out; put "
            "the data set on a file system that all machines share"
        )
