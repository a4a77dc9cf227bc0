"""Work over processes of this machine."""

from __future__ import annotations

import multiprocessing
import multiprocessing.context
import os
import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any

from felicity.work.outcome import Attempted, Lost, Need, Outcome, attempt, one_thread
from felicity.work.work import Crew, Work

Found = list[tuple[int, Outcome[Any] | Lost]]
UnderWay = dict[Future[Attempted | None], tuple[int, Any]]
_GONE = Lost("a worker process was ended from outside")


class Processes(Work):
    """Works in ``workers`` processes, each computing on one core. They end with this one, also if it is killed.

    They end with a call. In a ``with`` block they stay for the next call, because a process takes a second to begin.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._stay = False
        self._idle: _Hands | None = None

    def __enter__(self) -> Processes:
        self._stay = True
        return self

    def __exit__(self, *_: object) -> None:
        self._stay = False
        self._engage(0)

    @property
    def workers(self) -> int:
        """Return the number of processes."""
        return self._workers

    def hire(self, function: Callable[[Any], Any], need: Need) -> Crew:
        """Return the processes, fewer where an item takes several cores."""
        workers = max(1, self._workers // (need.cores or self._workers))
        if need.fresh:
            return _Fresh(function, workers)
        return _Pool(function, self._engage(workers) or _Hands(workers, function), self._release)

    def _engage(self, workers: int) -> _Hands | None:
        """Return the idle processes if there are as many; let others go."""
        idle, self._idle = self._idle, None
        if idle is None or idle.workers == workers:
            return idle
        idle.close(at_once=False)
        return None

    def _release(self, hands: _Hands) -> None:
        if self._stay and self._idle is None:
            self._idle = hands
        else:
            hands.close(at_once=False)


class _Hands:
    """Processes that live as long as this one, and no longer than they are wanted."""

    def __init__(self, workers: int, function: Callable[[Any], Any]) -> None:
        context = _context(function)
        self.workers = workers
        self._call, self._function, self._sent = 0, b"", 0
        self._theirs, self._mine = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_begin_worker, initargs=(self._theirs, dict(os.environ))
        )

    def learn(self, function: Callable[[Any], Any]) -> None:
        """Have the processes call ``function`` from now on. Raises what pickling raises."""
        self._call, self._function, self._sent = self._call + 1, pickle.dumps(function), 0

    def submit(self, item: Any, *, again: bool = False) -> Future[Attempted | None]:
        """Let a process work at ``item``; it returns None where it has not got the function, which ``again`` sends.

        The first items carry it, one for each process. Raises BrokenProcessPool if one is gone.
        """
        carries = again or self._sent < self.workers
        self._sent += 1
        return self._pool.submit(_work, self._call, self._function if carries else None, item)

    def close(self, *, at_once: bool) -> None:
        """Let the processes go, ``at_once`` or when they have done what they are at."""
        if at_once:
            self._mine.close()
        self._pool.shutdown(cancel_futures=True)
        self._mine.close()
        self._theirs.close()


class _Pool:
    """Processes that work at item after item; ``release`` takes them when all items are done."""

    knows_who = False

    def __init__(self, function: Callable[[Any], Any], hands: _Hands, release: Callable[[_Hands], None]) -> None:
        self._function, self._hands, self._release = function, hands, release
        self._hands.learn(function)
        self._items: UnderWay = {}
        self._refused: list[int] = []

    def room(self) -> int:
        return 2 * self._hands.workers

    def begin(self, number: int, item: Any) -> None:
        try:
            self._items[self._hands.submit(item)] = number, item
        except BrokenProcessPool:
            self._refused.append(number)

    def finished(self) -> Found:
        found: Found = []
        while self._items and not found:
            found = self._taken(wait(self._items, return_when=FIRST_COMPLETED).done)
        if self._refused or any(what is _GONE for _, what in found):
            # Where one process is gone, all that is under way is lost.
            while self._items:
                found += self._taken(wait(self._items, return_when=ALL_COMPLETED).done)
            found += [(number, _GONE) for number in self._refused]
            self._refused = []
            self._hands.close(at_once=True)
            self._hands = _Hands(self._hands.workers, self._function)
            self._hands.learn(self._function)
        return found

    def _taken(self, done: set[Future[Attempted | None]]) -> Found:
        found, lacking = _taken(self._items, done)
        for number, item in lacking:
            try:
                self._items[self._hands.submit(item, again=True)] = number, item
            except BrokenProcessPool:
                self._refused.append(number)
        return found

    def close(self) -> None:
        if self._items:
            self._hands.close(at_once=True)
        else:
            self._release(self._hands)


class _Fresh:
    """A process for each item."""

    knows_who = True

    def __init__(self, function: Callable[[Any], Any], workers: int) -> None:
        self._function, self._workers = function, workers
        self._hands: dict[int, _Hands] = {}
        self._items: UnderWay = {}

    def room(self) -> int:
        return self._workers

    def begin(self, number: int, item: Any) -> None:
        self._hands[number] = _Hands(1, self._function)
        self._hands[number].learn(self._function)
        self._items[self._hands[number].submit(item)] = number, item

    def finished(self) -> Found:
        found, _ = _taken(self._items, wait(self._items, return_when=FIRST_COMPLETED).done)
        for number, _ in found:
            self._hands.pop(number).close(at_once=False)
        return found

    def close(self) -> None:
        for hands in self._hands.values():
            hands.close(at_once=True)


def _taken(items: UnderWay, done: set[Future[Attempted | None]]) -> tuple[Found, list[tuple[int, Any]]]:
    """Take those that are ``done`` out of ``items``; return them, and those whose process lacked the function."""
    found: Found = []
    lacking: list[tuple[int, Any]] = []
    for future in done:
        number, item = items.pop(future)
        try:
            if (attempted := future.result()) is None:
                lacking.append((number, item))
            else:
                found.append((number, attempted.outcome(number)))
        except BrokenProcessPool:
            found.append((number, _GONE))
        except Exception as error:  # item or result cannot be sent
            found.append((number, Outcome(number, error=error)))
    return found, lacking


_call = 0
_function: Callable[[Any], Any]


def _context(function: Callable[[Any], Any]) -> multiprocessing.context.BaseContext:
    """Return the way in which processes begin that call ``function``.

    A fork of this process, which has threads (progress bars, OpenCV), may hang; a fork of a server without threads does
    not. The server imports what the first function needs, once for all processes. Without one they begin from nothing.
    """
    if sys.platform == "linux":
        while isinstance(function, partial):
            function = function.func
        module = getattr(function, "__module__", None)  # methods of built-in types have none
        forkserver.set_forkserver_preload(["__main__", "cv2", *([module] if module else [])])
        with suppress(OSError):  # its socket lies in the folder of temporary files, whose path may be too long
            forkserver.ensure_running()
            return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def _begin_worker(parent: Connection, environment: dict[str, str]) -> None:
    os.environ.clear()  # is that of the server's start
    os.environ.update(environment)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    one_thread()


def _end_with(parent: Connection) -> None:
    """End this process when the one that began it has closed the connection, or is gone."""
    try:
        parent.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


def _work(call: int, function: bytes | None, item: Any) -> Attempted | None:
    """Attempt an item of the ``call``-th call; return None if its function has not come with any item yet."""
    global _call, _function
    if call != _call:
        if function is None:
            return None
        _function = pickle.loads(function)
        _call = call
    return attempt(_function, item)
