"""A server over a made-up town, in this process."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import felicity.serve
from felicity.serve.app import make_app
from felicity.serve.settings import Settings
from felicity.store import open_store
from tests.support.town import fill

Serve = Callable[..., TestClient]


def app_of(client: TestClient) -> FastAPI:
    assert isinstance(client.app, FastAPI)
    return client.app


def paths() -> set[str]:
    """The path of every route of the server's modules."""
    found = set()
    for module in pkgutil.iter_modules(felicity.serve.__path__):
        router = getattr(importlib.import_module(f"felicity.serve.{module.name}"), "router", None)
        found |= {route.path for route in getattr(router, "routes", ())}
    return found


def form(client: TestClient, **fields: str) -> dict[str, str]:
    """The fields of a form with the hidden one, as the page to sign in gives it to this client."""
    html = client.get("/sign-in", headers={"Accept": "text/html"}).text
    return {"form": html.partition('name="form" value="')[2].partition('"')[0], **fields}


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two places over six weeks: as much as a trend needs."""
    places = {"Harbour": lambda day: 0.3, "Market": lambda day: 0.5}
    folder: Path = tmp_path_factory.mktemp("town")
    return fill(folder / "town.db", places, 43, hours=range(9, 19, 9), populations={"Harbour": 10, "Market": 20})


@pytest.fixture
def serve(town: str) -> Iterator[Serve]:
    """A client of a server with the settings that are given, over the town or another ``store``."""
    with ExitStack() as stack:

        def start(
            *,
            store: str | None = None,
            log: Callable[[str], None] = lambda text: None,
            client: str = "127.0.0.1",
            **given: Any,
        ) -> TestClient:
            opened = stack.enter_context(open_store(store or town))
            settings = Settings(**{"open_access": True, "rate": 0} | given)
            app = make_app(opened, settings, log)
            asking = TestClient(app, "http://127.0.0.1:8000", raise_server_exceptions=False, client=(client, 50_000))
            return stack.enter_context(asking)

        yield start
