"""Server-sent events: locations with new windows, or a new release. One query serves all listeners."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from felicity import api
from felicity.errors import FelicityError
from felicity.serve.queries import NoQuery
from felicity.serve.routes import answered

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike

router = APIRouter(prefix="/api/v1", tags=["events"])
Told = Mapping[str, str | int]
LOOK_SECONDS = 2.0
HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 3000
MOST_KEPT = 1000
"""Number of events that are kept for listeners who reconnect."""


@dataclass(frozen=True)
class Event:
    """News of location ``name``, with the content ``told``."""

    number: int
    name: str
    told: Told

    def text(self, boot: str, kind: str) -> str:
        """Return the text to send."""
        data = json.dumps({"location": self.name} | dict(self.told), ensure_ascii=False)
        return f"id: {boot}-{self.number}\nevent: {kind}\ndata: {data}\n\n"


class Feed:
    """A feed of news for any number of listeners; it queries the store only while somebody listens.

    ``find`` returns the present state of each location; a change of it gives an event of this ``kind``.
    """

    def __init__(self, kind: str, find: Callable[[], Mapping[str, Told]]) -> None:
        self.kind, self.find = kind, find
        self.boot = secrets.token_hex(4)
        self.events: deque[Event] = deque(maxlen=MOST_KEPT)
        self._number, self._listeners, self._closed = 0, 0, False
        self._latest: Mapping[str, Told] | None = None
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def stream(self, last_id: str | None) -> AsyncIterator[str]:
        """Yield events after ``last_id``, or from now on, with a heartbeat if there are none; until ``close``."""
        if self._closed:
            return
        self._listeners += 1
        if self._looking is None:
            await self._look()
            self._looking = asyncio.create_task(self._look_again())
        try:
            seen = self._begin(last_id)
            yield f"retry: {RETRY_MILLISECONDS}\n\n"
            if seen is None:  # the events in between are no longer known
                seen = self._number
                yield f"id: {self.boot}-{seen}\nevent: reset\ndata: {{}}\n\n"
            while not self._closed:
                news = self._news  # before the events are read, so that none of those that come meanwhile waits
                for event in [event for event in self.events if event.number > seen]:
                    seen = event.number
                    yield event.text(self.boot, self.kind)
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await news.wait()
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._listeners -= 1

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._news.set()
        if self._looking is not None:
            self._looking.cancel()

    def _begin(self, last_id: str | None) -> int | None:
        """Return the number after which events are sent; None if the stream cannot be resumed."""
        if not last_id:
            return self._number
        boot, _, number = last_id.rpartition("-")
        oldest = self.events[0].number if self.events else self._number + 1
        if boot != self.boot or not number.isdecimal() or not oldest - 1 <= int(number[:18]) <= self._number:
            return None
        return int(number)

    async def _look_again(self) -> None:
        while self._listeners:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()
        self._looking = None

    async def _look(self) -> None:
        try:
            found = await run_in_threadpool(self.find)
        except FelicityError:
            return  # the next query tries again; readyz reports the store
        before, self._latest = self._latest, found
        fresh = [] if before is None else [name for name, told in found.items() if before.get(name) != told]
        for name in fresh:
            self._number += 1
            self.events.append(Event(self._number, name, found[name]))
        if fresh:
            news, self._news = self._news, asyncio.Event()
            news.set()


class Feeds:
    """News of windows for callers who may see everything, and of releases for the public."""

    def __init__(self, store: StoreLike) -> None:
        def windows() -> dict[str, Told]:
            return {name: {"last": last.isoformat()} for name, last in api.latest(store=store).items()}

        def releases() -> dict[str, Told]:
            numbers = api.published_version(store=store).of_location
            return {name: {"release": number} for name, number in numbers.items()}

        self.windows, self.releases = Feed("windows", windows), Feed("release", releases)

    def close(self) -> None:
        """End all streams."""
        self.windows.close()
        self.releases.close()


@router.get("/events", **answered(None, "text/event-stream"))
async def events(request: Request, query: Annotated[NoQuery, Query()]) -> StreamingResponse:
    """Stream locations with new windows, for the public new releases; ``Last-Event-ID`` resumes after an event."""
    feeds: Feeds = request.app.state.feeds
    feed = feeds.releases if request.state.sight.public else feeds.windows
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = feed.stream(request.headers.get("last-event-id"))
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
