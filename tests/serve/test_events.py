"""News of new windows: sent to all who listen, resumed after the last one heard, and ended with the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from felicity import api
from felicity.errors import StoreError
from felicity.serve import events
from felicity.serve.events import Feed, Feeds
from felicity.store import Store, open_store
from tests.support.windows import make_windows


def write(store: Store, minutes: int, location: str = "Harbour") -> str:
    """Write windows; returns when the last one ends."""
    windows = make_windows(np.random.default_rng(1), minutes, location=location)
    key = windows[0].key
    store.write_windows(store.begin_run(key.location, key.camera, key.source, key.run_start, key.model), windows)
    return api.latest(store=store)[location].isoformat()


async def taken(stream: AsyncIterator[str], number: int) -> list[dict[str, Any]]:
    """The next events of a stream, without heartbeats and how often to try."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while len(found) < number:
            fields = dict(
                line.split(": ", 1) for line in (await anext(stream)).splitlines() if line[:1] not in ("", ":")
            )
            if "event" in fields:
                found.append(fields | {"data": json.loads(fields["data"])})
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.01)


def test_all_who_listen_hear_of_new_windows_and_go_on_where_they_were(tmp_path: Path) -> None:
    async def listen(store: Store) -> None:
        feed = Feeds(store).windows
        streams = [feed.stream(None) for _ in range(3)]
        assert [await anext(stream) for stream in streams] == ["retry: 3000\n\n"] * 3
        last = await asyncio.to_thread(write, store, 5)
        for stream in streams:
            (event,) = await taken(stream, 1)
            assert event["event"] == "windows" and event["data"] == {"location": "Harbour", "last": last}
        await streams[0].aclose()  # type: ignore[attr-defined]
        later = []
        for minutes in (6, 7):
            later.append(await asyncio.to_thread(write, store, minutes))
            await taken(streams[1], 1)  # two windows between two looks are one event
        back = feed.stream(event["id"])
        assert [one["data"]["last"] for one in await taken(back, 2)] == later
        (lost,) = await taken(feed.stream("elsewhere-3"), 1)
        assert lost["event"] == "reset"
        feed.close()
        with pytest.raises(StopAsyncIteration):
            await anext(back)

    with open_store(tmp_path / "own.db") as store:
        write(store, 3)
        asyncio.run(listen(store))


def test_news_that_comes_while_a_listener_is_told_other_news_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 1000.0)
    state = {"Harbour": {"last": 1}}

    async def listen() -> None:
        feed = Feed("windows", lambda: {name: dict(told) for name, told in state.items()})
        stream = feed.stream(None)
        await anext(stream)
        for last in (2, 3):
            state["Harbour"]["last"] = last
            while len(feed.events) < last - 1:
                await asyncio.sleep(0.01)
            if last == 2:
                await taken(stream, 1)
        assert [one["data"]["last"] for one in await taken(stream, 1)] == [3]
        feed.close()

    asyncio.run(listen())


def test_a_silent_stream_has_a_heartbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)

    async def listen(store: Store) -> list[str]:
        feed = Feeds(store).windows
        stream = feed.stream(None)
        heard = [await anext(stream) for _ in range(3)]
        feed.close()
        return heard

    with open_store(tmp_path / "own.db") as store:
        assert asyncio.run(listen(store))[1:] == [": still here\n\n"] * 2


def test_a_store_that_is_away_ends_no_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)

    def away(*_: Any, **__: Any) -> Any:
        raise StoreError("away")

    async def listen(store: Store) -> None:
        feed = Feeds(store).windows
        stream = feed.stream(None)
        await anext(stream)
        with monkeypatch.context() as patch:
            patch.setattr(Store, "transaction", away)
            assert await anext(stream) == ": still here\n\n"
        await asyncio.to_thread(write, store, 4)
        assert (await taken(stream, 1))[0]["data"]["location"] == "Harbour"
        feed.close()

    with open_store(tmp_path / "own.db") as store:
        write(store, 3)
        asyncio.run(listen(store))
