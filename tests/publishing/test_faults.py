"""A ledger stays whole when releases are broken off, killed, or made by many at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from felicity import api
from felicity.store import Store, open_store
from felicity.store.tables import crowds, releases
from felicity.store.tables import windows as stored
from felicity.windows import Location
from tests.support.releases import arrive, window
from tests.support.town import FIRST, MODEL, ZONE
from tests.support.windows import soft_matrix

PLACES = ("Harbour", "Market", "Station")
NOW = FIRST + timedelta(days=2, minutes=20)


def fill(store: Store) -> None:
    rng = np.random.default_rng(3)
    store.save_model(MODEL, soft_matrix(rng))
    store.add_locations([Location(name, ZONE.key, population=100) for name in PLACES])
    for name in PLACES:
        arrive(store, [window(rng, name, minute, 3, source=name) for minute in range(540, 2400, 20)])


def release(store: Store) -> None:
    api.make_releases(store=store, now=NOW)


def check_whole(store: Store) -> dict[str, int]:
    """Every window's crowd is in the ledger, with as many people, and numbers have no gap; people by location."""
    with store.transaction(writes=False, doing="testing") as connection:
        numbers = list(connection.execute(sa.select(releases.c.number).order_by(releases.c.number)).scalars())
        assert numbers == list(range(1, len(numbers) + 1))
        told = dict(row for row in connection.execute(sa.select(crowds.c.crowd, crowds.c.people)).all())
        query = sa.select(stored.c.crowd, sa.func.sum(stored.c.people)).where(stored.c.crowd.is_not(None))
        found = {row[0]: int(row[1]) for row in connection.execute(query.group_by(stored.c.crowd)).all()}
    assert found == told
    return {row.location: row.people for row in api.published_index(store=store).rows}


def at_statement(number: int, do: Callable[[], Any], engine: sa.Engine) -> None:
    """Do something when the engine is about to execute its ``number``-th statement from now on."""
    count = 0

    def on(*_: object) -> None:
        nonlocal count
        count += 1
        if count == number:
            do()

    sa.event.listen(engine, "before_cursor_execute", on)


class Stop(Exception):
    """Somebody has had enough."""


def stop() -> None:
    raise Stop


@pytest.fixture
def town(store: Store) -> Store:
    fill(store)
    return store


def test_a_release_that_is_broken_off_leaves_whole_locations(town: Store, url: str) -> None:
    seen = set()
    for number in range(2, 40, 6):
        with open_store(url) as own:
            at_statement(number, stop, own._engine)
            with pytest.raises(Stop):
                release(own)
        seen.add(tuple(check_whole(town)))
    release(town)
    assert check_whole(town) == dict.fromkeys(PLACES, 279)
    assert len(seen) > 1, "some were broken off after a location was done"


def test_a_process_killed_at_any_moment_leaves_whole_locations(town: Store, url: str) -> None:
    town.close()  # no connection is shared with the children
    for number in range(2, 40, 3):
        child = os.fork()
        if child == 0:
            try:
                with open_store(url) as own:
                    at_statement(number, lambda: os.kill(os.getpid(), signal.SIGKILL), own._engine)
                    release(own)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        check_whole(town)
    release(town)
    assert check_whole(town) == dict.fromkeys(PLACES, 279)


def test_processes_at_once_publish_each_crowd_once(town: Store, url: str) -> None:
    town.close()
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with open_store(url) as own:
                    release(own)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0, 0]
    assert check_whole(town) == dict.fromkeys(PLACES, 279)
    assert api.published_version(store=town).number == 3


def test_people_who_arrive_meanwhile_are_published_later_or_now_but_once(town: Store, url: str) -> None:
    rng = np.random.default_rng(4)
    late = [window(rng, "Harbour", minute, 2, source="late") for minute in range(540, 900, 10)]
    town.close()
    child = os.fork()
    if child == 0:
        try:
            with open_store(url) as own:
                for one in late:
                    arrive(own, [one])
        finally:
            os._exit(0)
    for _ in range(5):
        release(town)
    os.waitpid(child, 0)
    release(town)
    assert check_whole(town)["Harbour"] in range(279 + 72 - 9, 279 + 72 + 1)
