"""The needs and the outcome of an item of work."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from felicity.errors import FelicityError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Need:
    """The needs of one item.

    ``cores``: processor cores, 0 for all of a machine. ``gpus``: GPUs, or a fraction of one; only a cluster provides
    them. ``fresh``: a process of its own, which ends with the item, because two frameworks, or one twice, conflict in a
    process.
    """

    cores: int = 1
    gpus: float = 0.0
    fresh: bool = False


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """The outcome of item ``number``, counted from 0: ``value``, or the ``error`` that it raised."""

    number: int
    value: Result | None = None
    error: Exception | None = None

    def get(self) -> Result:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return cast(Result, self.value)


@dataclass(frozen=True)
class Lost:
    """The worker of an item is gone, for the reason ``why``; the item is presumably not at fault."""

    why: str


@dataclass(frozen=True)
class Attempted:
    """The message of a worker: a ``value``, or a picklable ``error``."""

    value: Any = None
    error: Exception | None = None

    def outcome(self, number: int) -> Outcome[Any]:
        """Return the message as the outcome of item ``number``."""
        return Outcome(number, self.value, self.error)


def attempt(function: Callable[[Item], Result], item: Item) -> Attempted:
    """Call ``function`` in any process; an error of other code carries its traceback as text."""
    try:
        return Attempted(function(item))
    except FelicityError as error:
        return Attempted(error=_sendable(error))
    except Exception as error:
        error.add_note("in a worker:\n" + traceback.format_exc())
        return Attempted(error=_sendable(error))


def one_thread() -> None:
    """Let OpenCV compute on one core in this process, beside which others work."""
    import cv2

    cv2.setNumThreads(1)


def _sendable(error: Exception) -> Exception:
    """Return the error, or its text if it cannot be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]))
    return error
