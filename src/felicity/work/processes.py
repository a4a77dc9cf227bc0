"""Work over processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any

from felicity.work.outcome import Attempted, Lost, Need, Outcome, attempt, one_thread
from felicity.work.work import Crew, Work

Found = list[tuple[int, Outcome[Any] | Lost]]
_GONE = Lost("a worker process was ended from outside")


class Processes(Work):
    """Works in ``workers`` processes, each computing on one core. They end with this one, also if it is killed."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    @property
    def workers(self) -> int:
        """Return the number of processes."""
        return self._workers

    def hire(self, function: Callable[[Any], Any], need: Need) -> Crew:
        """Return the processes, fewer where an item takes several cores."""
        workers = max(1, self._workers // (need.cores or self._workers))
        return _Fresh(function, workers) if need.fresh else _Pool(function, workers)


class _Hands:
    """Processes that live as long as this one, and no longer than they are wanted."""

    def __init__(self, function: Callable[[Any], Any], workers: int) -> None:
        # Fresh processes: a fork of a process that has threads (progress bars, OpenCV) may hang.
        context = multiprocessing.get_context("spawn")
        self._theirs, self._mine = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_begin_worker, initargs=(function, self._theirs)
        )

    def submit(self, item: Any) -> Future[Attempted]:
        """Let a process work at ``item``. Raises BrokenProcessPool where one is gone."""
        return self._pool.submit(_work, item)

    def close(self, *, at_once: bool) -> None:
        """Let the processes go, ``at_once`` or when they have done what they are at."""
        if at_once:
            self._mine.close()
        self._pool.shutdown(cancel_futures=True)
        self._mine.close()
        self._theirs.close()


class _Pool:
    """Processes that work at item after item."""

    knows_who = False

    def __init__(self, function: Callable[[Any], Any], workers: int) -> None:
        self._function, self._workers = function, workers
        self._hands = _Hands(function, workers)
        self._numbers: dict[Future[Attempted], int] = {}
        self._refused: list[int] = []

    def room(self) -> int:
        return 2 * self._workers

    def begin(self, number: int, item: Any) -> None:
        try:
            self._numbers[self._hands.submit(item)] = number
        except BrokenProcessPool:
            self._refused.append(number)

    def finished(self) -> Found:
        found = _taken(self._numbers, wait(self._numbers, return_when=FIRST_COMPLETED).done) if self._numbers else []
        if self._refused or any(what is _GONE for _, what in found):
            # Where one process is gone, all that is under way is lost.
            found += _taken(self._numbers, wait(self._numbers, return_when=ALL_COMPLETED).done)
            found += [(number, _GONE) for number in self._refused]
            self._refused = []
            self._hands.close(at_once=True)
            self._hands = _Hands(self._function, self._workers)
        return found

    def close(self) -> None:
        self._hands.close(at_once=bool(self._numbers))


class _Fresh:
    """A process for each item."""

    knows_who = True

    def __init__(self, function: Callable[[Any], Any], workers: int) -> None:
        self._function, self._workers = function, workers
        self._hands: dict[int, _Hands] = {}
        self._numbers: dict[Future[Attempted], int] = {}

    def room(self) -> int:
        return self._workers

    def begin(self, number: int, item: Any) -> None:
        self._hands[number] = _Hands(self._function, 1)
        self._numbers[self._hands[number].submit(item)] = number

    def finished(self) -> Found:
        found = _taken(self._numbers, wait(self._numbers, return_when=FIRST_COMPLETED).done)
        for number, _ in found:
            self._hands.pop(number).close(at_once=False)
        return found

    def close(self) -> None:
        for hands in self._hands.values():
            hands.close(at_once=True)


def _taken(numbers: dict[Future[Attempted], int], done: set[Future[Attempted]]) -> Found:
    """Take those that are ``done`` out of ``numbers``."""
    found: Found = []
    for future in done:
        number = numbers.pop(future)
        try:
            found.append((number, future.result().outcome(number)))
        except BrokenProcessPool:
            found.append((number, _GONE))
        except Exception as error:  # item or result cannot be sent
            found.append((number, Outcome(number, error=error)))
    return found


_function: Callable[[Any], Any]


def _begin_worker(function: Callable[[Any], Any], parent: Connection) -> None:
    global _function
    _function = function
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    one_thread()


def _end_with(parent: Connection) -> None:
    """End this process when the one that began it has closed the connection, or is gone."""
    try:
        parent.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


def _work(item: Any) -> Attempted:
    return attempt(_function, item)
