"""The public sees releases and nothing else, on every address and page; whoever has a token sees more."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from felicity import api
from felicity.errors import ConfigError
from felicity.serve.settings import Settings
from felicity.store import open_store
from tests.serve.conftest import Serve
from tests.serve.test_pages import text
from tests.serve.test_problems import check_problem
from tests.support.town import FIRST, fill
from tests.support.windows import make_windows

DAYS = 43
PEOPLE = {"Harbour": 10.0, "Market": 20.0}
SEEN = [
    "/api/v1/locations", "/api/v1/index?by=day&limit=100000", "/api/v1/index?by=week&format=csv", "/api/v1/trend",
    "/api/v1/city", "/api/v1/effect?at=2026-02-23&locations=Harbour&comparison=Market", "/", "/place?name=Harbour",
    "/compare?first=Harbour&second=Market", "/compare?place=Harbour&at=2026-02-23", "/about",
    "/wall?period=all", "/wall?place=Harbour&period=all", "/badge.svg", "/sentence.svg?place=Harbour", "/embed",
    "/place?name=Harbour&from=2026-02-09&to=2026-02-16",
]  # fmt: skip
"""Everything that the public is shown of people."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two places that were published, and windows since then: days that are not released yet, and late ones."""
    folder: Path = tmp_path_factory.mktemp("public")
    places = {"Harbour": lambda day: 0.3, "Market": lambda day: 0.5}
    url = fill(folder / "town.db", places, DAYS, hours=range(9, 19, 9), populations=PEOPLE)
    api.make_releases(store=url, k=10)
    return url


def watch(store: str, name: str, begin: datetime) -> None:
    """Two hours of happy people from ``begin`` on."""
    windows = make_windows(
        np.random.default_rng(1), 120, location=name, camera="camera", begin=begin, people=3.0, happy=0.95
    )
    key = windows[0].key
    with open_store(store) as opened:
        opened.write_windows(opened.begin_run(name, key.camera, key.source, key.run_start, key.model), windows)


def seen(serve: Serve, store: str) -> dict[str, Any]:
    client = serve(store=store, open_access=False, public=True)
    answers = {address: client.get(address, headers={"Accept": "text/html"}) for address in SEEN}
    assert {address: answer.status_code for address, answer in answers.items()} == dict.fromkeys(SEEN, 200)
    assert all(answer.headers["cache-control"] == "public, max-age=60" for answer in answers.values())
    return {address: answer.content for address, answer in answers.items()}


def test_what_is_not_released_changes_nothing_that_the_public_sees(serve: Serve, store: str) -> None:
    before = seen(serve, store)
    assert b"Harbour" in before["/"] and b"happy_share" in before["/api/v1/index?by=day&limit=100000"]
    whole = api.happiness(store=store).rows
    for days, name in ((DAYS, "Harbour"), (0, "Market")):
        watch(store, name, FIRST + timedelta(days=days, hours=10))
    fill(store, {"Secret": lambda day: 1.0}, 2, seed=5)
    assert api.happiness(store=store).rows != whole
    assert seen(serve, store) == before


def test_the_public_gets_what_was_published(serve: Serve, store: str) -> None:
    client = serve(store=store, open_access=False, public=True)
    rows = client.get("/api/v1/index?by=week").json()["data"]["rows"]
    expected = api.published_index(store=store, by="week").rows
    assert [(row["location"], row["start"], row["people"]) for row in rows] == [
        (row.location, row.start.isoformat(), row.people) for row in expected
    ]
    assert rows[0]["happy_share"]["adjusted"] == expected[0].happy_share.adjusted
    assert "Secret" not in text(client.get("/about").text)
    check_problem(client.get("/place?name=Secret"), "not-found")
    check_problem(client.get("/api/v1/index?location=Secret"), "invalid")


def test_the_public_chooses_no_k_and_pushes_nothing(serve: Serve, store: str) -> None:
    client = serve(store=store, open_access=False, public=True)
    for asked in ("k=20", "model=model-1"):
        check_problem(client.get(f"/api/v1/index?{asked}"), "invalid")
    check_problem(client.post("/api/v1/windows", json={"windows": []}), "not-allowed")
    check_problem(client.post("/api/v1/classify", content=b"x"), "not-allowed")
    check_problem(client.get("/api/v1/cameras"), "not-allowed")
    check_problem(client.get("/api/v1/index", headers={"Authorization": "Bearer wrong"}), "token-refused")


def test_a_token_sees_more_than_the_public_and_is_kept_apart(serve: Serve, store: str) -> None:
    watch(store, "Harbour", FIRST + timedelta(days=DAYS + 1))
    client = serve(store=store, open_access=False, public=True)
    header = {"Authorization": f"Bearer {api.add_token('analyst', ['read'], store=store).token}"}
    public, whole = client.get("/api/v1/index"), client.get("/api/v1/index", headers=header)
    assert public.json() != whole.json() == client.get("/api/v1/index?k=10", headers=header).json()
    assert whole.headers["cache-control"].startswith("private") and client.get("/api/v1/index").json() == public.json()


def test_a_release_shows_at_once(serve: Serve, tmp_path: Path) -> None:
    store = fill(tmp_path / "own.db", {"Pier": lambda day: 0.3}, 2)
    client = serve(store=store, open_access=False, public=True)
    assert "Nothing was counted" in text(client.get("/").text)
    assert client.get("/api/v1/locations").json()["features"] == []
    api.make_releases(store=store)
    first = client.get("/api/v1/index")
    assert [row["location"] for row in first.json()["data"]["rows"]] == ["Pier"]
    assert "Pier" in text(client.get("/").text)
    again = client.get("/api/v1/index", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_public_and_open_are_two_things() -> None:
    with pytest.raises(ConfigError, match="choose one"):
        Settings(public=True, open_access=True)
    assert not Settings(host="0.0.0.0", public=True).is_local, "releases may be shown to anybody"
