"""Tokens: every route without one, with the wrong scope and the right one; expiry, revocation, and what is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from felicity import api
from felicity.errors import ConfigError
from tests.serve.conftest import Serve, app_of, paths
from tests.serve.test_problems import check_problem
from tests.support.command import felicity, felicity_answer
from tests.support.town import fill

OPEN = {"/healthz", "/readyz", "/api/v1/schemas"}
"""Addresses that need no token: they tell nothing of people or places."""


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store of its own, to which tokens can be added."""
    return fill(tmp_path / "own.db", {"Harbour": lambda day: 0.3}, 2)


@pytest.fixture
def token(store: str) -> Callable[..., dict[str, str]]:
    """The header of a new token with these scopes."""
    return lambda *scopes: {"Authorization": f"Bearer {api.add_token('test', scopes, store=store).token}"}


def routes(client: TestClient) -> Iterator[tuple[str, str, str]]:
    """Method, address and scope of every route."""
    for path, methods in app_of(client).state.describe()["paths"].items():
        for method, said in methods.items():
            yield method.upper(), path, said["security"][0]["token"][0] if "security" in said else ""


def test_every_route_asks_for_its_scope(serve: Serve, store: str, token: Callable[..., dict[str, str]]) -> None:
    client = serve(store=store, open_access=False)
    app_of(client).state.feeds.close()  # streams end at once
    walked = list(routes(client))
    assert {path for _, path, scope in walked if not scope} == OPEN
    for method, path, scope in walked:
        if not scope:
            assert client.request(method, path).status_code == 200, path
            continue
        check_problem(client.request(method, path), "token-missing")
        wrong = token("classify" if scope != "classify" else "read")
        assert scope in check_problem(client.request(method, path, headers=wrong), "not-allowed")
        for right in (token("push:*" if scope == "push" else scope), token("admin")):
            assert client.request(method, path, headers=right).status_code not in (401, 403), path


FOR_ALL = {"/sign-in", "/enter", "/enter/{token}", "/leave", "/favicon.ico", "/assets/{name}", "/tryit/{name}"}
"""Addresses beside those of programs that anybody may ask for: forms, and the files of every installation."""
ANSWERED = {"/language/{code}": "/language/de", "/place": "/place?name=Harbour", "/tryit/{digest}/{name}": "/tryit/0/x"}


def test_every_page_asks_for_the_scope_read(serve: Serve, store: str, token: Callable[..., dict[str, str]]) -> None:
    client = serve(store=store, open_access=False)
    walked = sorted({path for path in paths() if not path.startswith("/api/")} - FOR_ALL - OPEN - {"/language/{code}"})
    assert len(walked) >= 10
    wrong, right = token("classify"), token("read")
    for path in walked:
        address = ANSWERED.get(path, path)
        closed = client.get(address, headers={"Accept": "text/html"})
        assert closed.status_code == 401 and "Harbour" not in closed.text.replace("name=Harbour", ""), path
        assert "read" in check_problem(client.get(address, headers=wrong), "not-allowed")
        assert client.get(address, headers=right).status_code in (200, 404), path


def test_a_token_is_kept_as_a_hash_and_shown_once(store: str, tmp_path: Path) -> None:
    added = felicity("token", "add", "wall", "--scope", "read", "--store", store, home=tmp_path)
    token = added.stdout.strip()
    assert token.startswith("fel_") and len(token) == 4 + 43 and token not in added.stderr
    listed, _ = felicity_answer("token", "list", "--store", store, home=tmp_path)
    assert listed[0]["prefix"] == token[:8] and listed[0]["scopes"] == ["read"] and listed[0]["used"] is None
    assert token.encode() not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_a_revoked_and_an_expired_token_open_nothing(serve: Serve, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("felicity.serve.known.SECONDS", 0.0)
    client = serve(store=store, open_access=False)
    made = api.add_token("wall", ["read"], days=1, store=store)
    header = {"Authorization": f"Bearer {made.token}"}
    assert client.get("/api/v1/index", headers=header).status_code == 200
    (listed,) = api.list_tokens(store=store)
    assert listed.used is not None and listed.is_valid(datetime.now(UTC))
    assert not listed.is_valid(datetime.now(UTC) + timedelta(days=1, seconds=1))
    with sqlite3.connect(store) as connection:
        connection.execute("update tokens set expires = 1")
    check_problem(client.get("/api/v1/index", headers=header), "token-refused")
    with sqlite3.connect(store) as connection:
        connection.execute("update tokens set expires = null")
    assert client.get("/api/v1/index", headers=header).status_code == 200
    api.revoke_token(made.record.id, store=store)
    check_problem(client.get("/api/v1/index", headers=header), "token-refused")
    with pytest.raises(ConfigError, match="no token 1 that could be revoked"):
        api.revoke_token(made.record.id, store=store)


def test_many_wrong_tokens_wait_and_each_token_has_its_own_number(
    serve: Serve, store: str, token: Callable[..., dict[str, str]]
) -> None:
    client = serve(store=store, open_access=False, rate=3)
    one, other = token("read"), token("read")
    assert [client.get("/api/v1/locations", headers=one).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get("/api/v1/locations", headers=other).status_code == 200
    wrong = [client.get("/api/v1/locations", headers={"Authorization": f"Bearer {i}"}).status_code for i in range(25)]
    assert wrong == [401] * 20 + [429] * 5


def test_a_cookie_opens_what_is_read_and_changes_nothing(serve: Serve, store: str) -> None:
    client = serve(store=store, open_access=False)
    client.cookies.set("felicity", api.add_token("browser", ["admin"], store=store).token)
    assert client.get("/api/v1/index").status_code == 200
    for method, path, scope in routes(client):
        if method != "GET" and scope:
            check_problem(client.request(method, path), "token-missing")


@pytest.mark.parametrize("scope", ["write", "push", "push:", "push:Nowhere", "READ", ""])
def test_a_scope_that_is_none_is_refused(store: str, scope: str) -> None:
    with pytest.raises(ConfigError, match="scope"):
        api.add_token("test", [scope], store=store)


def test_the_audit_log_tells_who_changed_and_took_what(serve: Serve, store: str, tmp_path: Path) -> None:
    made = api.add_token("analyst", ["read"], store=store)
    client = serve(store=store, open_access=False)
    header = {"Authorization": f"Bearer {made.token}"}
    assert client.get("/api/v1/index?format=csv&by=day", headers=header).status_code == 200
    felicity("locations", "add", "Pier", "--store", store, home=tmp_path)
    felicity("locations", "rename", "Pier", "Quay", "--store", store, home=tmp_path)
    felicity("locations", "remove", "Quay", "--yes", "--store", store, home=tmp_path)
    felicity("runs", "remove", 1, "--yes", "--store", store, home=tmp_path)
    entries, _ = felicity_answer("audit", "--store", store, home=tmp_path)
    told = [(entry["action"], entry["subject"]) for entry in entries]
    assert told == [
        ("token-add", "analyst"), ("export", "index"), ("location-add", "Pier"), ("location-rename", "Pier"),
        ("location-remove", "Quay"), ("run-remove", "Harbour"),
    ]  # fmt: skip
    assert entries[1]["actor"] == "token 1 analyst" and entries[1]["detail"] == {"by": "day", "format": "csv"}
    assert entries[2]["actor"].startswith("user ") and made.token not in str(entries)
    assert [entry.id for entry in api.audit_log(store=store, most=2)] == [5, 6]
    assert api.audit_log(store=store, begin=datetime.now(UTC) + timedelta(minutes=1)) == []
