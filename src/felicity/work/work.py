"""Items of work in, outcomes out: in order or as they come, tried again where a worker was lost, cancelled at will."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import Any, Generic, Protocol

from felicity.errors import WorkError
from felicity.work.outcome import Item, Lost, Need, Outcome, Result

RETRIES = 2
"""Number of restarts of an item whose worker was lost."""
_ANY = Need()

Progress = Callable[[int, int], None]
"""Called with the number of finished items and of those under way."""


class Crew(Protocol):
    """The workers of one call of ``Work.outcomes``.

    ``knows_who``: where a worker is lost, only its own item is; else all that are under way are lost with it.
    """

    knows_who: bool

    def room(self) -> int:
        """Return how many items may be under way at once, so that no worker waits; it may change."""
        ...

    def begin(self, number: int, item: Any) -> None:
        """Let a worker begin."""
        ...

    def finished(self) -> list[tuple[int, Outcome[Any] | Lost]]:
        """Wait until at least one item is done or lost; return all that are, by their numbers."""
        ...

    def close(self) -> None:
        """Let the workers go; what is under way is cancelled."""
        ...


class Work(ABC):
    """Shares out items; ``workers``: how many it works on at the same time.

    In a ``with`` block the workers of a call may stay for the next one.
    """

    def __enter__(self) -> Work:
        return self

    def __exit__(self, *_: object) -> None:
        return

    @property
    @abstractmethod
    def workers(self) -> int:
        """Return how many items of one core run at the same time; a cluster's number may change."""

    @property
    def gpus(self) -> float:
        """Return how many GPUs the machine with most of them has to give; items that stay on this one just use them."""
        return 0.0

    @abstractmethod
    def hire(self, function: Callable[[Any], Any], need: Need) -> Crew:
        """Return workers that call ``function``. Raises ConfigError if ``need`` can never be met."""

    def outcomes(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        ordered: bool = True,
        retries: int = RETRIES,
        need: Need = _ANY,
        progress: Progress = lambda done, under_way: None,
    ) -> Generator[Outcome[Result]]:
        """Yield what comes of each item, ``ordered`` as the items are or as they come.

        ``items`` are drawn as workers become free, so few are in memory however many there are. ``function``, items and
        results must pickle unless the work stays in this process; the function is sent once. An error of an item is its
        outcome; the others go on. ``retries``: how often an item is begun again whose worker was lost; then its outcome
        is a WorkError. Whoever stops iterating cancels the rest; so does ``close`` of the iterator. Raises WorkError
        where no worker can be reached any more.
        """
        with closing(self.hire(function, need)) as crew:
            yield from _Course(crew, iter(items), ordered, retries, progress).run()

    def results(self, function: Callable[[Item], Result], items: Iterable[Item], **how: Any) -> Generator[Result]:
        """Yield the result of each item in order; the first error is raised and cancels the rest. See ``outcomes``."""
        with closing(self.outcomes(function, items, **how)) as outcomes:
            for outcome in outcomes:
                yield outcome.get()


class _Course(Generic[Item]):
    """One call of ``Work.outcomes``."""

    def __init__(self, crew: Crew, items: Iterator[Item], ordered: bool, retries: int, progress: Progress) -> None:
        self._crew, self._items, self._ordered, self._retries = crew, items, ordered, retries
        self._progress = progress
        self._under_way: dict[int, Item] = {}
        self._again: deque[tuple[int, Item]] = deque()
        self._suspects: set[int] = set()
        self._tries: Counter[int] = Counter()
        self._drawn = self._given = self._done = 0
        self._over = False

    def run(self) -> Iterator[Outcome[Any]]:
        waiting: dict[int, Outcome[Any]] = {}
        while True:
            self._fill()
            if not self._under_way:
                return
            for outcome in self._collect():
                if not self._ordered:
                    yield outcome
                    continue
                waiting[outcome.number] = outcome
                while self._given in waiting:
                    yield waiting.pop(self._given)
                    self._given += 1

    def _fill(self) -> None:
        """Begin as many items as there is room for, those first whose workers were lost."""
        while len(self._under_way) < (1 if self._suspects else max(1, self._crew.room())):
            if self._again:
                number, item = self._again.popleft()
            elif self._over or self._suspects or (self._ordered and self._is_far_ahead()):
                return
            else:
                try:
                    number, item = self._drawn, next(self._items)
                except StopIteration:
                    self._over = True
                    return
                self._drawn += 1
            self._under_way[number] = item
            self._crew.begin(number, item)

    def _is_far_ahead(self) -> bool:
        return self._drawn - self._given >= max(1, self._crew.room())

    def _collect(self) -> list[Outcome[Any]]:
        finished = sorted(self._crew.finished(), key=lambda each: each[0])
        lost = sum(isinstance(what, Lost) for _, what in finished)
        outcomes = []
        for number, what in finished:
            item = self._under_way.pop(number)
            if isinstance(what, Lost):
                # Of several that were lost together one is to blame; alone, it is lost again.
                self._tries[number] += lost == 1 or self._crew.knows_who
                if self._tries[number] <= self._retries:
                    self._again.append((number, item))
                    if not self._crew.knows_who:
                        self._suspects.add(number)
                    continue
                what = Outcome(number, error=WorkError(_given_up(what, self._tries[number])))
            self._suspects.discard(number)
            del self._tries[number]
            self._done += 1
            outcomes.append(what)
            self._progress(self._done, len(self._under_way))
        return outcomes


def _given_up(lost: Lost, tries: int) -> str:
    times = "once" if tries == 1 else f"{tries} times"
    return (
        f"a worker was lost {times} with the same item ({lost.why}); most likely it takes more memory than there is: "
        "use fewer workers, or machines with more memory"
    )
