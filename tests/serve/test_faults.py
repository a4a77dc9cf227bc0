"""What goes wrong around a server: slow and idle clients, a database that is away, a full disk, a wrong clock."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import sqlalchemy as sa

from felicity import api
from felicity.api import users
from felicity.store import open_store
from tests.serve.conftest import Serve, app_of, form
from tests.serve.test_problems import check_problem
from tests.store.conftest import postgres_url as postgres_url
from tests.support.command import environment, felicity
from tests.support.town import fill
from tests.support.windows import make_windows

IDLE = 2500


@pytest.fixture
def store(tmp_path: Path) -> str:
    return fill(tmp_path / "own.db", {"Harbour": lambda day: 0.3}, 2)


def windows(store: str, minutes: int = 5) -> dict[str, Any]:
    """The body of a push of new windows."""
    begin = api.latest(store=store)["Harbour"] + timedelta(hours=1)
    rng = np.random.default_rng(1)
    made = make_windows(rng, minutes, location="Harbour", camera="new", begin=begin, people=9.0, happy=0.4)
    return {"windows": [window.to_json() for window in made]}


def count(store: str) -> int:
    with open_store(store) as opened:
        return sum(1 for _ in opened.windows())


def test_a_body_that_comes_too_slowly_is_answered_and_stores_nothing(serve: Serve, store: str) -> None:
    app = app_of(serve(store=store, open_access=False, body_seconds=0.05))
    token = api.add_token("box", ["push:*"], store=store).token
    sent: list[Any] = []

    async def ask() -> None:
        begun = False

        async def receive() -> Any:
            nonlocal begun
            if begun:
                await asyncio.sleep(60)
            begun = True
            return {"type": "http.request", "body": b'{"windows": [', "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = {"host": "127.0.0.1", "authorization": f"Bearer {token}", "content-type": "application/json"}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "POST", "path": "/api/v1/windows", "raw_path": b"", "query_string": b""}
        await app(scope | {"headers": raw, "client": ("127.0.0.1", 1), "scheme": "http"}, receive, send)

    before = count(store)
    asyncio.run(asyncio.wait_for(ask(), 20))
    assert sent[0]["status"] == 408 and json.loads(sent[1]["body"])["code"] == "too-slow"
    assert (b"connection", b"close") in sent[0]["headers"] and count(store) == before


def test_a_full_disk_loses_no_window_and_the_same_batch_is_stored_later(serve: Serve, store: str) -> None:
    client = serve(store=store, open_access=False)
    header = {"Authorization": f"Bearer {api.add_token('box', ['push:*'], store=store).token}"}
    client.get("/api/v1/index", headers=header)
    body, before = windows(store, 300), count(store)
    engine = app_of(client).state.store._engine

    def fill_up(connection: Any, *_: Any) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # no smaller than the file is

    sa.event.listen(engine, "checkout", fill_up)
    check_problem(client.post("/api/v1/windows", json=body, headers=header), "store-away")
    assert count(store) == before and client.get("/api/v1/locations", headers=header).status_code in (200, 403)
    sa.event.remove(engine, "checkout", fill_up)
    engine.dispose()
    assert client.post("/api/v1/windows", json=body, headers=header).json()["data"]["stored"] == 300
    assert count(store) == before + 300


def test_a_clock_that_goes_back_refuses_windows_until_it_is_right(serve: Serve, store: str) -> None:
    users.add_user("anna", "analyst", "a password of hers", store=store)
    client = serve(store=store, open_access=False)
    header = {"Authorization": f"Bearer {api.add_token('box', ['push:*'], store=store).token}"}
    body, before = windows(store), count(store)
    with mock.patch("felicity.api.pushing.datetime") as clock:
        clock.now.return_value = datetime(2026, 2, 2, tzinfo=UTC)
        told = client.post("/api/v1/windows", json=body, headers=header).json()["data"]
        assert (told["stored"], told["refused"], told["verdicts"][0]["code"]) == (0, 5, "future")
    assert count(store) == before
    assert client.post("/api/v1/windows", json=body, headers=header).json()["data"]["stored"] == 5
    given = form(client, name="anna", password="a password of hers", to="/")
    assert client.post("/sign-in", data=given, follow_redirects=False).status_code == 303
    with sqlite3.connect(store) as connection:
        connection.execute("update sessions set used = used + 7200")
    assert client.get("/api/v1/index").status_code == 200, "a session of later is no session that ended"


def test_a_page_in_the_middle_of_a_migration_is_answered(serve: Serve, store: str) -> None:
    client = serve(store=store, fresh_seconds=0)
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("begin immediate")
        other.execute("alter table windows add column later integer not null default 0")
        other.execute("alter table locations rename to places")
        for address in ("/", "/api/v1/index", "/place?name=Harbour", "/readyz"):
            assert client.get(address).status_code == 200, "readers see the schema of before"
        other.execute("alter table places rename to locations")
        other.execute("commit")
    for address in ("/", "/api/v1/index", "/readyz"):
        assert client.get(address).status_code == 200


@pytest.mark.service
def test_a_database_that_goes_away_comes_back(serve: Serve, postgres_url: str) -> None:
    fill(postgres_url, {"Harbour": lambda day: 0.3}, 1)
    told: list[str] = []
    client = serve(store=postgres_url, fresh_seconds=0, log=told.append)
    first = client.get("/api/v1/index")
    assert first.status_code == 200
    engine = sa.create_engine(sa.make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        mine = list(app_of(client).state.store._engine.pool._pool.queue)
        pids = [record.dbapi_connection.info.backend_pid for record in mine]
        pids.append(app_of(client).state.store.changes._connection.info.backend_pid)
        for pid in pids:
            connection.execute(sa.text("select pg_terminate_backend(:pid)"), {"pid": pid})
    engine.dispose()
    again = client.get("/api/v1/index")
    assert again.status_code == 200 and again.json() == first.json(), "broken connections are opened again"


@pytest.mark.service
def test_a_page_waits_for_a_migration_that_locks_its_table(serve: Serve, postgres_url: str) -> None:
    fill(postgres_url, {"Harbour": lambda day: 0.3}, 1)
    client = serve(store=postgres_url, fresh_seconds=0)
    engine = sa.create_engine(sa.make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as connection:
            connection.execute(sa.text("alter table days add column later integer"))  # keeps readers out until the end
            asked = threads.submit(client.get, "/api/v1/index")
            assert client.get("/healthz").status_code == 200
            with pytest.raises(TimeoutError):
                asked.result(1)
        answer = asked.result(30)
    engine.dispose()
    assert answer.status_code == 200 and len(answer.json()["data"]["rows"]) == 1


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path, subprocess.Popen[str]]]:
    """A server as it is run: its address, the token of its owner, its log and its process."""
    home = tmp_path_factory.mktemp("faults")
    store = fill(home / "own.db", {"Harbour": lambda day: 0.3}, 2)
    users.add_user("anna", "analyst", "a password of hers", store=store)
    words = [sys.executable, "-W", "error", "-m", "felicity", "serve", store, "--port", "0", "--rate", "0"]
    log = home / "serve.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment(home)) as server,
    ):
        try:
            assert server.stdout
            netloc = server.stdout.readline().split()[-1].removeprefix("http://").rstrip("/")
            while "enter with" not in log.read_text():
                pass
            token = log.read_text().partition("/enter/")[2].split()[0]
            yield netloc, token, home, server
        finally:
            server.kill()


def megabytes(server: subprocess.Popen[str]) -> float:
    return int(Path(f"/proc/{server.pid}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1000


def test_many_idle_and_half_open_connections_keep_nobody_out(
    running: tuple[str, str, Path, subprocess.Popen[str]],
) -> None:
    netloc, token, _, server = running
    host, _, port = netloc.partition(":")
    before = megabytes(server)
    with ExitStack() as stack:
        for number in range(IDLE):
            opened = stack.enter_context(socket.create_connection((host, int(port)), 20))
            if number % 3 == 1:
                opened.sendall(b"GET /api/v1/index HTTP/1.1\r\nHost: 127")
            elif number % 3 == 2:
                opened.sendall(b"POST /api/v1/windows HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{")
        connection = http.client.HTTPConnection(netloc, timeout=60)
        stack.callback(connection.close)
        for _ in range(30):  # while the server still refuses the many that came at once, it says when to come again
            connection.request("GET", "/api/v1/index", headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 503:
                break
            time.sleep(int(answer.headers["Retry-After"]))
        assert answer.status == 200
        assert megabytes(server) - before < 60


def test_memory_stays_and_no_secret_reaches_any_log(running: tuple[str, str, Path, subprocess.Popen[str]]) -> None:
    netloc, token, home, server = running
    store = str(home / "own.db")
    other = api.add_token("box", ["read"], store=store).token
    header = {"Authorization": f"Bearer {other}"}
    asked = [
        ("GET", "/api/v1/index?by=day", None, header),
        ("GET", f"/nothing?token={other}", None, header),
        ("GET", f"/enter/{other}", None, {}),
        ("GET", "/api/v1/index?by=year", None, header | {"Cookie": "felicity_session=secret-session"}),
        ("POST", "/sign-in", "name=anna&password=a+password+of+hers&to=%2F", {"Cookie": "felicity_form=secret-form"}),
        ("POST", "/api/v1/windows", "{", header | {"Content-Type": "application/json"}),
        ("GET", "/api/v1/effect?at=1999-01-01&locations=Harbour", None, {"Authorization": "Bearer secret-token"}),
    ]
    connection = http.client.HTTPConnection(netloc, timeout=60)

    def walk(times: int) -> None:
        for _ in range(times):
            for method, address, body, headers in asked:
                sent = headers if body is None else {"Content-Type": "application/x-www-form-urlencoded", **headers}
                connection.request(method, address, body, sent)
                answer = connection.getresponse()
                assert answer.status < 500 and b"Traceback" not in answer.read(), address

    walk(40)
    before = megabytes(server)
    walk(80)
    assert megabytes(server) - before < 8
    connection.close()
    server.terminate()
    assert server.wait(20) == 0
    log = "".join(line for line in (home / "serve.log").read_text().splitlines() if not line.startswith("enter with"))
    log += felicity("audit", "--store", store, home=home).stdout + str(api.audit_log(store=store))
    for secret in (token, other, "password of hers", "password+of", "secret-", "$argon2"):
        assert secret not in log
    assert "Traceback" not in log
