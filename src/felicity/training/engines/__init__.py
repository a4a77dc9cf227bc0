"""The training step of each framework. Network, optimiser and constants are the same; only the step differs."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from felicity.models.backend import use_backend
from felicity.training.config import TrainConfig
from felicity.training.engines.base import Engine

__all__ = ["Engine", "open_engine"]


def open_engine(config: TrainConfig, heads: Sequence[int]) -> Engine:
    """Return the network of ``config`` with its initial weights, on its backend, ready to step.

    ``heads``: the number of classes of each head, the main one first.
    """
    use_backend(config.backend, threads=config.threads, device=config.device)
    module = importlib.import_module(f"{__name__}.{config.backend}")
    engine: Engine = module.make(config, heads)
    return engine
