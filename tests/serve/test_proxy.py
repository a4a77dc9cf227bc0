"""A proxy in front: it names visitors and users, and nobody else does."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from felicity.errors import ConfigError
from felicity.serve.settings import Settings
from tests.serve.conftest import Serve
from tests.serve.test_problems import check_problem

PROXY = "10.0.0.5"
BEHIND: dict[str, Any] = {"open_access": False, "trust_proxy": ("10.0.0.0/24",), "user_header": "X-Forwarded-User"}


@pytest.fixture
def proxied(serve: Serve) -> TestClient:
    return serve(client=PROXY, **BEHIND)


def user(name: str = "anna", **more: str) -> dict[str, str]:
    return {"X-Forwarded-User": name} | more


@pytest.mark.parametrize(
    ("role", "index", "cameras"),
    [(None, 200, 403), ("viewer", 200, 403), ("staff, Analyst", 200, 403), ("viewer,operator", 200, 404)],
)
def test_the_proxy_signs_people_in(proxied: TestClient, role: str | None, index: int, cameras: int) -> None:
    headers = user() | ({} if role is None else {"X-Forwarded-Role": role})
    assert proxied.get("/api/v1/index", headers=headers).status_code == index
    assert proxied.get("/api/v1/cameras", headers=headers).status_code == cameras
    page = proxied.get("/about", headers=headers | {"Accept": "text/html"}).text
    assert '<span class="account">anna</span>' in page and "Sign out" not in page


def test_a_viewer_of_the_proxy_sees_releases_alone(proxied: TestClient) -> None:
    assert proxied.get("/api/v1/locations", headers=user()).json()["features"] == []
    analyst = user(**{"X-Forwarded-Role": "analyst"})
    assert len(proxied.get("/api/v1/locations", headers=analyst).json()["features"]) == 2


def test_nobody_else_names_a_user(serve: Serve) -> None:
    for client in (serve(client="192.0.2.9", **BEHIND), serve(client="192.0.2.9", public=True, **BEHIND)):
        for headers in (user(), {"X-Forwarded-Role": "operator"}):
            assert "only the trusted proxy" in check_problem(
                client.get("/api/v1/index", headers=headers), "not-allowed"
            )
        spoofed = user() | {"X-Forwarded-For": PROXY}
        check_problem(client.get("/api/v1/index", headers=spoofed), "not-allowed")
    unused = serve(open_access=False, trust_proxy=(PROXY,), client=PROXY)
    check_problem(unused.get("/api/v1/index", headers=user()), "token-missing")


def test_a_role_or_name_that_is_none_is_refused(proxied: TestClient) -> None:
    check_problem(proxied.get("/api/v1/index", headers=user(**{"X-Forwarded-Role": "root"})), "not-allowed")
    check_problem(proxied.get("/api/v1/index", headers=user("x" * 101)), "not-allowed")
    check_problem(proxied.get("/api/v1/index", headers=user("")), "token-missing")
    check_problem(proxied.post("/api/v1/windows", headers=user(**{"X-Forwarded-Role": "operator"})), "token-missing")


def test_limits_count_visitors_and_what_a_visitor_writes_counts_nothing(serve: Serve) -> None:
    client = serve(client=PROXY, open_access=False, trust_proxy=(PROXY, "10.0.0.6"), rate=3)
    for chain in ("192.0.2.1", "192.0.2.2, 10.0.0.6"):
        last = [client.get("/api/v1/schemas", headers={"X-Forwarded-For": chain}).status_code for _ in range(4)]
        assert last == [200, 200, 200, 429]
    forged = [client.get("/api/v1/schemas", headers={"X-Forwarded-For": f"8.8.8.{i}, 192.0.2.3"}) for i in range(4)]
    assert [answer.status_code for answer in forged] == [200, 200, 200, 429]
    assert client.get("/api/v1/schemas", headers={"X-Forwarded-For": "nonsense"}).status_code == 200
    open_one = serve(client="192.0.2.9", open_access=False, trust_proxy=(PROXY,), rate=3)
    told = [open_one.get("/api/v1/schemas", headers={"X-Forwarded-For": f"8.8.8.{i}"}).status_code for i in range(4)]
    assert told == [200, 200, 200, 429], "nobody but the proxy is another address"


def test_the_proxy_says_that_the_visitor_uses_https(proxied: TestClient) -> None:
    headers = {"X-Forwarded-Proto": "https", "Accept": "text/html"}
    assert "Secure" in proxied.get("/sign-in", headers=headers).headers["set-cookie"]
    assert "Secure" not in proxied.get("/sign-in", headers={"X-Forwarded-Proto": "x"}).headers["set-cookie"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trust_proxy": ("proxy.example",)}, "--trust-proxy"),
        ({"trust_proxy": ("10.0.0.1/8",)}, "--trust-proxy"),
        ({"user_header": "X-User"}, "--user-header: name the proxy"),
        ({"user_header": "X-User", "trust_proxy": ("10.0.0.1",), "open_access": True}, "choose one"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Settings(**given)
