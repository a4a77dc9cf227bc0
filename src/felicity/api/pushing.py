"""Windows from other machines: each is judged by itself, and written once however often it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from felicity.api.selection import opened
from felicity.notes import Note

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.store import Store, WatchRun
    from felicity.windows import Window

AHEAD = timedelta(minutes=5)
"""Accepted lead of another machine's clock over this one's."""
MOST = 5000
"""Windows in one batch."""
REFUSALS = {
    "not-a-window": "It does not have the form of a window, or its sums do not agree.",
    "not-allowed": "The token may not push to this location.",
    "unknown-location": "The store has no such location; its operator adds it first.",
    "future": "It ends more than 5 minutes after the server's clock.",
    "conflict": "Another window of the same run in this batch covers these minutes.",
}
"""The reasons of refusals, by code."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of one window: ``index`` in the batch; ``code`` of ``REFUSALS`` and ``reason`` if it is refused."""

    index: int
    verdict: Literal["stored", "duplicate", "refused"]
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Pushed:
    """The outcome of a batch; ``runs``: the runs that the batch continued or began."""

    verdicts: tuple[Verdict, ...]
    runs: tuple[WatchRun, ...] = ()
    notes: tuple[Note, ...] = ()

    def count(self, verdict: str) -> int:
        """Return how many windows have that verdict."""
        return sum(each.verdict == verdict for each in self.verdicts)

    @property
    def stored(self) -> int:
        """Return how many windows are in the store now."""
        return self.count("stored")

    @property
    def duplicates(self) -> int:
        """Return how many windows the batch holds twice."""
        return self.count("duplicate")

    @property
    def refused(self) -> int:
        """Return how many windows were refused and are not in the store."""
        return self.count("refused")


@dataclass
class _Batch:
    """The windows to write, by run, and the verdict on each."""

    verdicts: dict[int, Verdict] = field(default_factory=dict)
    runs: dict[tuple[Any, ...], dict[datetime, tuple[int, Window]]] = field(default_factory=dict)

    def refuse(self, index: int, code: str, reason: str) -> None:
        self.verdicts[index] = Verdict(index, "refused", code, reason)

    def take(self, index: int, window: Window) -> None:
        key = window.key
        own = self.runs.setdefault((key.location, key.camera, key.source, key.run_start, key.model, key.detector), {})
        if (same := own.get(key.start)) is not None:
            if same[1].to_json() == window.to_json():
                self.verdicts[index] = Verdict(index, "duplicate")
            else:
                self.refuse(index, "conflict", REFUSALS["conflict"])
            return
        own[key.start] = index, window
        self.verdicts[index] = Verdict(index, "stored")


def push_windows(
    given: Sequence[Any],
    *,
    may_push: Callable[[str], bool] = lambda location: True,
    ended: bool = False,
    store: StoreLike = None,
) -> Pushed:
    """Write windows in their wire format (``Window.to_json``), each judged by itself.

    A window that is already in the store is written again, which changes nothing. ``may_push``: returns whether the
    sender may push windows of a location. ``ended``: runs that send no more windows. A model that the store does not
    know is kept without its errors, which a note says, unless it is a shipped bundle. Raises StoreError; windows
    written until then stay, and the same batch may be sent again.
    """
    batch = _Batch()
    with opened(store) as open_store:
        known = {location.name for location in open_store.locations()}
        latest = datetime.now(UTC) + AHEAD
        for index, value in enumerate(given):
            _judge(batch, index, value, known, may_push, latest)
        _without_overlaps(batch)
        notes = tuple(_know_models(open_store, {names[4] for names, own in batch.runs.items() if own}))
        runs = tuple(
            _write(open_store, names, [window for _, window in own.values()], ended)
            for names, own in batch.runs.items()
            if own
        )
    return Pushed(tuple(batch.verdicts[index] for index in range(len(given))), runs, notes)


def _judge(
    batch: _Batch, index: int, value: Any, known: set[str], may_push: Callable[[str], bool], latest: datetime
) -> None:
    from felicity.windows import Window

    try:
        window = Window.from_json(value)
    except ValueError as error:
        batch.refuse(index, "not-a-window", str(error))
        return
    key = window.key
    if not may_push(key.location):
        batch.refuse(index, "not-allowed", REFUSALS["not-allowed"])
    elif key.location not in known:
        batch.refuse(index, "unknown-location", REFUSALS["unknown-location"])
    elif max(key.start + timedelta(seconds=key.seconds), key.run_start) > latest:
        batch.refuse(index, "future", REFUSALS["future"])
    else:
        batch.take(index, window)


def _without_overlaps(batch: _Batch) -> None:
    """Refuse windows that overlap an earlier one of their run, because a person would count twice."""
    for own in batch.runs.values():
        until = None
        for start in sorted(own):
            index, window = own[start]
            if until is not None and start < until:
                batch.refuse(index, "conflict", REFUSALS["conflict"])
                del own[start]
                continue
            until = start + timedelta(seconds=window.key.seconds)


@cache
def _shipped_models() -> dict[str, str]:
    """Return the names of the shipped bundles by their identity."""
    from felicity.models.bundle import open_bundle, shipped

    return {open_bundle(name).id: name for name in shipped()}


def _know_models(store: Store, models: set[str]) -> Iterator[Note]:
    from felicity.models.bundle import open_bundle

    matrices = store.soft_matrices()
    unknown = {model for model in models if matrices("", model) is None}
    for model, name in _shipped_models().items() if unknown else ():
        if model in unknown:
            store.save_model(model, open_bundle(name).soft_matrix, name=open_bundle(name).name)
            unknown.remove(model)
    for model in sorted(unknown):
        yield Note(
            "not-calibrated", f"the store does not know the errors of model {model}, so its counts stay as they are"
        )


def _write(store: Store, names: tuple[Any, ...], windows: Sequence[Window], ended: bool) -> WatchRun:
    from felicity.store import RunState

    run = store.begin_run(*names[:5], detector=names[5], go_on=True)
    store.write_windows(run, windows)
    if ended:
        store.finish_run(run, RunState.STOPPED)
    return run
