"""Work in this process: item after item, or on several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from felicity.work.outcome import Attempted, Lost, Need, Outcome
from felicity.work.work import Work


class Here(Work):
    """Works at one item after the other, each when its outcome is requested."""

    @property
    def workers(self) -> int:
        """Return 1."""
        return 1

    def hire(self, function: Callable[[Any], Any], need: Need) -> _Alone:
        """Return this process, whatever the ``need``."""
        return _Alone(function)


class _Alone:
    knows_who = True

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._next: tuple[int, Any] | None = None

    def room(self) -> int:
        return 1

    def begin(self, number: int, item: Any) -> None:
        self._next = number, item

    def finished(self) -> list[tuple[int, Outcome[Any] | Lost]]:
        assert self._next is not None
        (number, item), self._next = self._next, None
        return [(number, _plainly(self._function, item).outcome(number))]

    def close(self) -> None:
        return


class Threads(Work):
    """Works on ``workers`` threads, for functions that spend their time in libraries which use them."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    @property
    def workers(self) -> int:
        """Return the number of threads."""
        return self._workers

    def hire(self, function: Callable[[Any], Any], need: Need) -> _OnThreads:
        """Return the threads, whatever the ``need``."""
        return _OnThreads(function, self._workers)


class _OnThreads:
    knows_who = True

    def __init__(self, function: Callable[[Any], Any], workers: int) -> None:
        self._function, self._workers = function, workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="work")
        self._numbers: dict[Future[Attempted], int] = {}

    def room(self) -> int:
        return self._workers + 2

    def begin(self, number: int, item: Any) -> None:
        self._numbers[self._pool.submit(_plainly, self._function, item)] = number

    def finished(self) -> list[tuple[int, Outcome[Any] | Lost]]:
        done = wait(self._numbers, return_when=FIRST_COMPLETED).done
        numbered = [(self._numbers.pop(future), future.result()) for future in done]
        return [(number, attempted.outcome(number)) for number, attempted in numbered]

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def _plainly(function: Callable[[Any], Any], item: Any) -> Attempted:
    """Call ``function``; an error keeps its own traceback."""
    try:
        return Attempted(function(item))
    except Exception as error:
        return Attempted(error=error)
