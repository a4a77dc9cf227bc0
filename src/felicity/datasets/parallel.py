"""One function over many chunks, on several processes, results in order, a bounded number under way."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from felicity.errors import DatasetError

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_order(function: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    """``function`` of each task, in their order. With one worker in this process, else in others.

    ``tasks`` is drawn from as results are taken, so that only a few tasks and results are in memory.
    ``function`` and tasks must pickle if there are several workers.
    """
    if workers <= 1:
        yield from map(function, tasks)
        return
    # Fresh processes: a fork of a process that has threads (progress bars, OpenCV) may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        under_way: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                under_way.append(pool.submit(function, task))
                if len(under_way) > 2 * workers:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        except BrokenProcessPool as error:
            raise DatasetError(
                "a worker process was ended from outside, most likely for lack of memory; try again with --workers 1"
            ) from error
        finally:
            for future in under_way:
                future.cancel()


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)
