"""Whatever is wrong, the answer is one problem document with a code, and nothing is told that should not be."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from felicity import __version__
from felicity.errors import ConfigError
from felicity.serve.limits import Limiter
from felicity.serve.problems import CODES
from felicity.serve.settings import Settings
from tests.serve.conftest import Serve, app_of
from tests.support.town import fill


def check_problem(answer: Any, code: str) -> str:
    """The answer is the problem ``code`` in its one shape; returns its detail."""
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert set(told) - {"errors"} == {"type", "title", "status", "detail", "code"}
    assert (told["code"], told["status"], told["title"]) == (code, *CODES[code]) and answer.status_code == told[
        "status"
    ]
    assert told["type"] == f"urn:felicity:problem:{code}"
    assert "Traceback" not in answer.text and ".py" not in answer.text
    return str(told["detail"])


@pytest.mark.parametrize(
    ("method", "address", "code", "said"),
    [
        ("GET", "/nothing", "not-found", ""),
        ("GET", "/api/v1/nothing", "not-found", ""),
        ("POST", "/api/v1/index", "method-not-allowed", ""),
        ("DELETE", "/healthz", "method-not-allowed", ""),
        ("GET", "/api/v1/index?by=year", "invalid", "by"),
        ("GET", "/api/v1/index?form=csv", "invalid", "form"),
        ("GET", "/api/v1/index?from=yesterday", "invalid", "from 'yesterday'"),
        ("GET", "/api/v1/index?from=2026-05-01&to=2026-04-01", "invalid", "must be after"),
        ("GET", "/api/v1/index?location=Nowhere", "invalid", "'Nowhere'"),
        ("GET", "/api/v1/index?after=bm8=", "invalid", "after"),
        ("GET", "/api/v1/index?limit=0", "invalid", "limit"),
        ("GET", "/api/v1/trend?from=2026-03-01", "no-figure", "needs at least"),
        ("GET", "/api/v1/effect", "invalid", "at"),
        ("GET", "/healthz?verbose=1", "invalid", "verbose"),
    ],
)
def test_what_is_wrong_is_one_document(serve: Serve, method: str, address: str, code: str, said: str) -> None:
    assert said in check_problem(serve().request(method, address), code)


def test_a_failure_tells_its_kind_to_the_log_and_nothing_to_the_caller(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def fail(**_: Any) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("felicity.api.happiness", fail)
    assert "secret" not in check_problem(serve(log=told.append).get("/api/v1/index"), "internal")
    assert len(told) == 1 and "RuntimeError at" in told[0] and "secret" not in told[0]


def test_a_store_that_fails_is_away_and_comes_back(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    told: list[str] = []
    client = serve(store=fill(file, {"Pier": lambda day: 0.3}, 1), log=told.append, fresh_seconds=0)
    with sqlite3.connect(file) as connection:
        connection.execute("alter table locations rename to places")
    for address in ("/readyz", "/api/v1/index"):
        assert str(file) not in check_problem(client.get(address), "store-away")
        assert client.get(address).headers["retry-after"] == "5"
    assert client.get("/healthz").status_code == 200
    assert all(line.startswith("StoreError: ") for line in told) and told
    with sqlite3.connect(file) as connection:
        connection.execute("alter table places rename to locations")
    assert client.get("/readyz").status_code == 200


def test_every_answer_has_the_headers_that_protect(serve: Serve) -> None:
    client = serve()
    for address in ("/healthz", "/api/v1/index", "/nothing"):
        headers = client.get(address).headers
        assert headers["x-felicity-version"] == __version__
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "'unsafe-eval'" not in policy and "http" not in policy
        assert "script-src 'self'" in policy and "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""])
def test_a_page_elsewhere_cannot_take_our_address_for_its_own(serve: Serve, host: str) -> None:
    check_problem(serve().get("/api/v1/index", headers={"Host": host}), "wrong-host")


def test_names_that_were_given_are_answered(serve: Serve) -> None:
    client = serve(names=("happy.example",))
    assert client.get("/healthz", headers={"Host": "happy.example:443"}).status_code == 200
    check_problem(client.get("/healthz"), "wrong-host")


def test_a_large_request_is_refused_before_it_is_read(serve: Serve) -> None:
    client = serve(body_bytes=1000)
    check_problem(client.post("/api/v1/index", content=b"x" * 1001), "too-large")


def test_many_requests_of_one_address_wait(serve: Serve) -> None:
    client = serve(rate=3)
    assert [client.get("/api/v1/schemas").status_code for _ in range(4)] == [200, 200, 200, 429]
    check_problem(client.get("/api/v1/schemas"), "too-many")
    assert 1 <= int(client.get("/api/v1/schemas").headers["retry-after"]) <= 20
    assert client.get("/healthz").status_code == 200, "whoever watches over the server is not told to wait"


def test_a_bucket_fills_again_and_is_of_one_caller() -> None:
    now = [0.0]
    limiter = Limiter(60, now=lambda: now[0])
    assert [limiter.wait("a") for _ in range(60)] == [0.0] * 60
    assert limiter.wait("a") == 1.0 and limiter.wait("b") == 0.0
    now[0] = 2.0
    assert [limiter.wait("a") for _ in range(3)] == [0.0, 0.0, 1.0]


def test_no_token_no_figures(serve: Serve) -> None:
    client = serve(open_access=False)
    answer = client.get("/api/v1/index")
    check_problem(answer, "token-missing")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    for wrong in ("Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer \xff"):
        check_problem(client.get("/api/v1/index", headers={"Authorization": wrong.encode("latin-1")}), "token-refused")
    key = app_of(client).state.access.key
    assert client.get("/api/v1/index", headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_other_machines_need_a_token(host: str) -> None:
    with pytest.raises(ConfigError, match="may read without a token"):
        Settings(host=host, open_access=True)
    assert not Settings(host=host).is_local


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "127.9.9.9"])
def test_this_machine_needs_none_if_it_was_said(host: str) -> None:
    assert Settings(host=host, open_access=True).is_local
