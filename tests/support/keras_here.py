"""Keras for tests: on PyTorch in the process of the tests, on each other backend in one process that is kept."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from felicity.evaluation.frameworks import contestant as contestants
from felicity.evaluation.frameworks.contestant import PLAIN
from felicity.models.backend import Backend, check_backend, use_backend

HERE: Backend = "torch"
"""It starts soonest, and takes no time to compile."""


def keras_here() -> Backend:
    """Start Keras in this process, and return its backend."""
    use_backend(HERE, threads=1)
    return HERE


T = TypeVar("T")


def on_backend(backend: Backend, function: Callable[..., T], *arguments: Any) -> T:
    """Return what ``function`` does in the process that runs Keras on ``backend``."""
    if backend == HERE:
        keras_here()
        return function(*arguments)
    return _process(backend).submit(function, *arguments).result(timeout=250)


@cache
def _process(backend: Backend) -> ProcessPoolExecutor:
    """Return the process of ``backend``; it starts once, for all tests that ask for it."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_prepare, initargs=(backend,))


def _prepare(backend: Backend) -> None:
    warnings.simplefilter("error")
    use_backend(backend, threads=1)


def race(contestant: str, _: int, job: Path, __: object) -> None:
    """Do a job of a comparison of frameworks, but in the process that is kept for its backend."""
    on_backend("torch" if contestant == PLAIN else check_backend(contestant), _quietly, job)


def _quietly(job: Path) -> None:
    with redirect_stdout(None):
        contestants.main(job)
