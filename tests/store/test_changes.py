"""A store says whether anything has been written since, in every kind of store."""

from __future__ import annotations

import threading

import pytest

from felicity.errors import StoreError
from felicity.store import Store
from felicity.windows import Location


def test_the_state_stays_until_something_is_written(store: Store) -> None:
    first = store.changes.state()
    store.locations()
    assert store.changes.state() == first
    found: list[str] = []
    asking = threading.Thread(target=lambda: found.append(store.changes.state()))
    asking.start()
    asking.join()
    assert found == [first], "any thread may ask"
    store.add_location(Location("Harbour"))
    second = store.changes.state()
    assert second != first and store.changes.state() == second
    store.access.record("user anna", "test", "Harbour", {})
    assert store.changes.state() != second


def test_a_change_that_fails_or_is_not_over_changes_nothing(store: Store) -> None:
    store.add_location(Location("Harbour"))
    first = store.changes.state()
    with pytest.raises(StoreError), store.transaction(writes=True, doing="a test") as connection:
        connection.exec_driver_sql("update locations set name = 'Pier'")
        assert [location.name for location in store.locations()] == ["Harbour"]
        connection.exec_driver_sql("select * from nowhere")
    names = [location.name for location in store.locations()]
    assert names == ["Harbour"]
    store.changes.close()
    assert store.changes.state() != first, "a new connection cannot know what changed meanwhile"
