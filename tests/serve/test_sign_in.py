"""People sign in with a password: roles, sessions that end, waits after wrong passwords, and what is kept."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from felicity import api
from felicity.api import users
from felicity.errors import ConfigError
from felicity.serve import lockout
from felicity.serve.lockout import Lockout
from tests.serve.conftest import Serve, app_of, form
from tests.serve.test_access import OPEN, routes
from tests.serve.test_problems import check_problem
from tests.support.command import felicity, felicity_answer
from tests.support.town import fill

PASSWORD = "correct horse battery"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one user of each role."""
    file: Path = tmp_path_factory.mktemp("users") / "own.db"
    fill(file, {"Harbour": lambda day: 0.3}, 2)
    for role in users.ROLES:
        users.add_user(role, role, PASSWORD, store=str(file))
    return file


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> str:
    """A copy of it, to be changed."""
    copy = tmp_path / "own.db"
    with sqlite3.connect(filled) as one, sqlite3.connect(copy) as other:
        one.backup(other)
    return str(copy)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look each credential up again, so that nothing waits for what is remembered."""
    monkeypatch.setattr("felicity.serve.known.SECONDS", 0.0)


def sign_in(client: TestClient, name: str, password: str = PASSWORD, **fields: str) -> Any:
    given = form(client, name=name, password=password, to="/", **fields)
    return client.post("/sign-in", data=given, follow_redirects=False)


def change(store: str, query: str) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute(query)


def test_every_route_by_role(serve: Serve, store: str) -> None:
    app = app_of(client := serve(store=store, open_access=False))
    app.state.feeds.close()  # streams end at once
    api.make_releases(store=store, k=10)
    may = {"": OPEN, "viewer": {"read"}, "analyst": {"read"}, "operator": {"read", "admin"}}
    for role, scopes in may.items():
        client.cookies.clear()
        if role:
            assert sign_in(client, role).status_code == 303
        for method, path, scope in routes(client):
            answer = client.request(method, path)
            if not scope or (method == "GET" and scope in scopes):
                assert answer.status_code not in (401, 403), (role, path)
            else:
                code = "token-missing" if not role or method != "GET" else "not-allowed"
                check_problem(answer, code)
        for page in ("/", "/compare", "/about", "/wall", "/badge.svg"):
            assert client.get(page).status_code == (200 if role else 401), (role, page)


def test_a_viewer_sees_releases_alone_and_others_see_all(serve: Serve, store: str) -> None:
    client = serve(store=store, open_access=False)
    sign_in(client, "viewer")
    assert client.get("/api/v1/locations").json()["features"] == []
    assert "k: the release decides this" in check_problem(client.get("/api/v1/index?k=20"), "invalid")
    answer = client.get("/badge.svg")
    assert (
        answer.headers["cache-control"].startswith("private")
        and "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    ), "what a user sees is nobody else's"
    client.cookies.clear()
    sign_in(client, "analyst")
    assert len(client.get("/api/v1/locations").json()["features"]) == 1
    assert client.get("/api/v1/index?k=20").json()["data"]["k"] == 20


def test_pages_say_who_reads_them_and_each_reader_is_told_the_own_name(serve: Serve, store: str) -> None:
    client = serve(store=store, open_access=False, fresh_seconds=60)
    closed = client.get("/place?name=Harbour&period=7", headers=HTML)
    assert closed.status_code == 401 and 'value="/place?name=Harbour&amp;period=7"' in closed.text
    for name, another in (("operator", "analyst"), ("analyst", "operator")):
        sign_in(client, name)
        page = client.get("/about", headers=HTML | {"Accept-Language": "de"}).text
        assert f"<span>{name}</span>" in page and f">{another}<" not in page and "Abmelden" in page
    public = serve(store=store, open_access=False, public=True)
    assert 'href="/sign-in?to=%2Fabout"' in public.get("/about", headers=HTML).text
    assert "/sign-in" not in serve(store=store).get("/about", headers=HTML).text


def test_a_session_is_new_at_every_sign_in_and_ends_at_sign_out(serve: Serve, store: str) -> None:
    client = serve(store=store, open_access=False)
    client.cookies.set("felicity_session", "chosen-by-somebody-else", domain="127.0.0.1", path="/")
    answer = sign_in(client, "analyst")
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 303 and "HttpOnly" in cookie and "SameSite=strict" in cookie
    first = answer.cookies["felicity_session"]
    assert len(first) == 43 and "chosen" not in first
    second = sign_in(client, "analyst").cookies["felicity_session"]
    assert second != first
    for session, status in ((first, 401), ("chosen-by-somebody-else", 401), (second, 200)):
        client.cookies.clear()
        client.cookies.set("felicity_session", session)
        assert client.get("/api/v1/index").status_code == status
    assert client.post("/leave", data=form(client), follow_redirects=False).status_code == 303
    client.cookies.set("felicity_session", second)
    check_problem(client.get("/api/v1/index"), "token-missing")
    told = [(entry.actor, entry.action) for entry in api.audit_log(store=store)][3:]
    assert told == [("account analyst", "sign-in"), ("account analyst", "sign-in"), ("account analyst", "sign-out"),
                    ("account analyst", "sign-out")]  # fmt: skip


@pytest.mark.parametrize("query", ["update sessions set used = used - 8 * 3600", "update sessions set expires = used"])
def test_a_session_ends_when_idle_and_in_any_case(serve: Serve, store: str, query: str) -> None:
    client = serve(store=store, open_access=False)
    sign_in(client, "analyst")
    assert client.get("/api/v1/index").status_code == 200
    change(store, query)
    check_problem(client.get("/api/v1/index"), "token-missing")


def test_another_password_or_a_removed_user_ends_the_sessions(serve: Serve, store: str) -> None:
    client = serve(store=store, open_access=False)
    sign_in(client, "analyst")
    users.change_password("analyst", "another password", store=store)
    check_problem(client.get("/api/v1/index"), "token-missing")
    check_problem(sign_in(client, "analyst"), "sign-in-refused")
    assert sign_in(client, "analyst", "another password").status_code == 303
    users.remove_user("analyst", store=store)
    check_problem(client.get("/api/v1/index"), "token-missing")


def test_forms_of_others_change_nothing(serve: Serve, store: str) -> None:
    client, elsewhere = (serve(store=store, open_access=False) for _ in range(2))
    fields = {"name": "analyst", "password": PASSWORD, "to": "/"}
    check_problem(client.post("/sign-in", data=fields), "stale-form")
    foreign = form(elsewhere, **fields)
    form(client)
    check_problem(client.post("/sign-in", data=foreign), "stale-form")
    check_problem(
        client.post("/sign-in", data=form(client, **fields), headers={"Sec-Fetch-Site": "same-site"}), "not-allowed"
    )
    away = form(client, **fields | {"to": "//example.org"})
    check_problem(client.post("/sign-in", data=away), "invalid")
    sign_in(client, "analyst")
    check_problem(client.post("/leave"), "wrong-type")
    check_problem(client.post("/leave", data={"form": foreign["form"]}), "stale-form")
    assert client.get("/api/v1/index").status_code == 200


def test_wrong_passwords_wait_and_keep_nobody_out_elsewhere(serve: Serve, store: str, filled: Path) -> None:
    client = serve(store=store, open_access=False)
    given = form(client, name="analyst", password="wrong password", to="/")
    codes = [client.post("/sign-in", data=given).status_code for _ in range(7)]
    assert codes == [401] * 5 + [429] * 2
    assert int(sign_in(client, "analyst").headers["retry-after"]) >= 1, "not even with the right one"
    assert sign_in(client, "operator").status_code == 303, "others of the same address are not kept out"
    assert [entry.action for entry in api.audit_log(store=store)][3:] == ["sign-in-refused", "sign-in"]


def test_waits_grow_to_their_limit_and_are_of_one_address() -> None:
    now = [0.0]
    waits = Lockout(lambda: now[0])
    for _ in range(lockout.FREE):
        assert waits.begin("anna", "192.0.2.1") == 0.0
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        assert waits.begin("anna", "192.0.2.1") == wait and waits.begin("anna", "192.0.2.2") == 0.0
        now[0] += wait
        waits.succeed("anna", "192.0.2.2")
        assert waits.begin("anna", "192.0.2.1") == 0.0
    waits.succeed("anna", "192.0.2.1")
    assert not waits.is_waiting("anna", "192.0.2.1")


def test_many_addresses_share_the_rate_of_an_account_but_not_with_its_owner() -> None:
    now = [0.0]
    waits = Lockout(lambda: now[0])
    assert waits.begin("anna", "198.51.100.7") == 0.0
    waits.succeed("anna", "198.51.100.7")
    found = [waits.begin("anna", f"2001:db8:0:{number:x}::1") for number in range(40)]
    assert found[:29] == [0.0] * 29 and all(found[30:])
    assert waits.begin("anna", "198.51.100.7") == 0.0, "an address from which she signed in is free of it"
    assert waits.begin("berta", "2001:db8:0:1::1") == 0.0
    now[0] += 60
    assert waits.begin("anna", "2001:db8:0:ffff::1") == 0.0, "the wait ends by itself"
    many = [waits.begin(f"user {number}", f"2001:db8:1:1::{number:x}") for number in range(21)]
    assert many[:20] == [0.0] * 20 and many[20] > 0, "64 bits of IPv6 are one address"


def test_passwords_are_not_taken_over_an_open_network(serve: Serve, store: str) -> None:
    client = serve(store=store, open_access=False, client="192.0.2.7", names=("127.0.0.1",))
    check_problem(sign_in(client, "analyst"), "not-encrypted")
    client.base_url = "https://127.0.0.1:8000"  # type: ignore[assignment]
    answer = sign_in(client, "analyst")
    assert answer.status_code == 303 and "Secure" in answer.headers["set-cookie"]


def test_an_unknown_name_is_answered_as_a_wrong_password_is(serve: Serve, store: str) -> None:
    client = serve(store=store, open_access=False)
    one, other = sign_in(client, "nobody"), sign_in(client, "analyst", "wrong")
    check_problem(one, "sign-in-refused")
    assert one.json() == other.json()
    page = client.post("/sign-in", data=form(client, name="x", password="y", to="/"), headers=HTML)
    assert page.status_code == 401 and "The name or the password is wrong." in page.text


def test_a_password_is_kept_as_a_hash_and_shown_nowhere(
    serve: Serve, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a line of secret words\n"))
    added, _ = felicity_answer("user", "add", "Zoë", "--role", "operator", "--store", store, home=tmp_path)
    assert (added["name"], added["role"], added["used"]) == ("Zoë", "operator", None)
    monkeypatch.setattr("sys.stdin", io.StringIO("other secret words\n"))
    changed, _ = felicity_answer("user", "password", "Zoe\u0308", "--store", store, home=tmp_path)
    assert set(changed) == {"id", "name", "role", "created", "used"}
    told: list[str] = []
    client = serve(store=store, open_access=False, log=told.append)
    session = sign_in(client, "Zoë", "other secret words").cookies["felicity_session"]
    listed = felicity("user", "list", "--store", store, home=tmp_path).stdout
    with sqlite3.connect(store) as connection:
        (kept,) = connection.execute("select password from users where name = 'Zoë'").fetchone()
    assert kept.startswith("$argon2id$") and "Zoë" in listed and "argon2" not in listed
    pages = [client.get(page, headers=HTML).text for page in ("/", "/about", "/sign-in")]
    log = str(api.audit_log(store=store)) + felicity("audit", "--store", store, home=tmp_path).stdout
    files = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for secret in ("secret words", session):
        assert secret not in "".join([*pages, *told, log, listed]) and secret.encode() not in files
    assert "argon2" not in "".join([*pages, *told, log])


@pytest.mark.parametrize(
    ("name", "role", "password", "said"),
    [
        ("anna", "viewer", "short", "12 to 200 characters"),
        ("anna", "viewer", "x" * 201, "12 to 200 characters"),
        ("anna", "viewer", "abababababab", "at least 5 different"),
        ("anna-maria-b", "viewer", "anna-maria-b2026", "little more than the user's name"),
        ("anna", "admin", PASSWORD, "choose from viewer, analyst, operator"),
        ("", "viewer", PASSWORD, "one line"),
        ("a\nb", "viewer", PASSWORD, "one line"),
        ("analyst", "viewer", PASSWORD, "there is a user 'analyst' already"),
    ],
)
def test_what_cannot_be_a_user_is_one_sentence(store: str, name: str, role: str, password: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        users.add_user(name, role, password, store=store)
    assert password not in str(raised.value)


def test_an_unknown_user_and_no_password_are_one_sentence(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no user 'anna'" in felicity("user", "remove", "anna", "--store", store, home=tmp_path, expect=1).stderr
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    nothing = felicity("user", "add", "anna", "--store", store, home=tmp_path, expect=1)
    assert "a line of standard input" in nothing.stderr
    assert len(users.list_users(store=store)) == 3
    felicity("user", "remove", "analyst", "--store", store, home=tmp_path)
    assert [user.name for user in users.list_users(store=store)] == ["operator", "viewer"]
