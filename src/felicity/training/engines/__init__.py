"""One training step on each framework. Network, optimiser and constants are the same; only this differs."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from felicity.models.backend import use_backend
from felicity.training.config import TrainConfig
from felicity.training.engines.base import Engine

__all__ = ["Engine", "open_engine"]


def open_engine(config: TrainConfig, heads: Sequence[int]) -> Engine:
    """The network of ``config`` with its initial weights, on its backend, ready to step.

    ``heads``: how many classes each head has, the main one first.
    """
    use_backend(config.backend, threads=config.threads)
    module = importlib.import_module(f"{__name__}.{config.backend}")
    engine: Engine = module.make(config, heads)
    return engine
