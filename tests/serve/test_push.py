"""Windows that other machines push: judged one by one, stored once, and nothing of a request that is not whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from felicity import api
from felicity.api.pushing import MOST, REFUSALS
from felicity.models.bundle import open_bundle
from felicity.store import open_store
from felicity.windows import Location
from tests.conftest import CHECKOUT
from tests.serve.conftest import Serve
from tests.serve.test_problems import check_problem
from tests.support.windows import make_windows

Push = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """An empty store with one location."""
    with open_store(tmp_path / "own.db") as opened:
        opened.add_locations([Location("Harbour"), Location("Pier")])
    return str(tmp_path / "own.db")


@pytest.fixture
def push(serve: Serve, store: str) -> Push:
    """Send windows with a token that may push to Harbour."""
    client = serve(store=store, open_access=False)
    token = api.add_token("quay", ["push:Harbour"], store=store).token
    header = {"Authorization": f"Bearer {token}"}

    def send(windows: Any, **more: Any) -> Any:
        return client.post("/api/v1/windows", json={"windows": windows} | more, headers=header)

    return send


def made(minutes: int = 5, **more: Any) -> list[dict[str, Any]]:
    return [window.to_json() for window in make_windows(np.random.default_rng(1), minutes, people=3.0, **more)]


def kept(store: str) -> list[dict[str, Any]]:
    with open_store(store) as opened:
        return [window.to_json() for window in opened.windows()]


def codes(answer: Any) -> list[str | None]:
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    verdicts = data["verdicts"]
    assert [each["index"] for each in verdicts] == list(range(len(verdicts)))
    assert all((each["reason"] is not None) == (each["verdict"] == "refused") for each in verdicts)
    assert data["refused"] == sum(each["verdict"] == "refused" for each in verdicts)
    return [each["code"] or each["verdict"] for each in verdicts]


def test_what_is_pushed_is_stored_once_however_often_it_is_sent(push: Push, store: str) -> None:
    windows = made()
    for _ in range(3):
        assert codes(push(windows)) == ["stored"] * 5
        assert kept(store) == windows
    more = made(9)
    assert codes(push(more[4:], ended=True)) == ["stored"] * 5
    assert kept(store) == more, "a later batch of the run replaces nothing but its own minutes"
    (run,) = api.list_runs(store=store)
    assert run.state == "stopped" and run.windows == 9
    assert [(entry.action, entry.actor) for entry in api.audit_log(store=store)[1:]] == [("push", "token 1 quay")]


def test_each_window_has_its_own_verdict(push: Push, store: str) -> None:
    good = made(3)
    ahead = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=1)
    other = good[1] | {"frames_seen": good[1]["frames_seen"] + 1}
    longer = good[2] | {"seconds": 1, "start": good[2]["start"].replace(":00+", ":30+")}
    batch = [
        good[0], good[1], good[1], other, good[2], longer, good[0] | {"people": 99}, {"no": "window"}, 7,
        *made(1, location="Pier"), *made(1, location="Nowhere"), *made(1, begin=ahead),
    ]  # fmt: skip
    assert codes(push(batch)) == [
        "stored", "stored", "duplicate", "conflict", "stored", "conflict", "not-a-window", "not-a-window",
        "not-a-window", "not-allowed", "not-allowed", "future",
    ]  # fmt: skip
    assert kept(store) == good


def test_an_unknown_location_is_not_made_up(serve: Serve, store: str) -> None:
    token = api.add_token("all", ["push:*"], store=store).token
    client = serve(store=store, open_access=False)
    answer = client.post(
        "/api/v1/windows", json={"windows": made(1, location="Nowhere")}, headers={"Authorization": f"Bearer {token}"}
    )
    assert codes(answer) == ["unknown-location"]
    assert [place.name for place in api.list_locations(store=store)] == ["Harbour", "Pier"]


def test_a_shipped_model_brings_its_errors_and_an_unknown_one_is_said(push: Push, store: str) -> None:
    known = open_bundle("fast").id
    assert push(made(20, model=known)).json()["notes"] == []
    assert api.happiness(store=store).rows[0].happy_share.adjusted is not None
    (note,) = push(made(1, model="somebody's")).json()["notes"]
    assert note["code"] == "not-calibrated" and "somebody's" in note["text"]


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b'{"windows": [', "application/json", "malformed"),
        (b"", "application/json", "malformed"),
        (b"\xff\xfe", "application/json", "malformed"),
        (b"[" * 5000, "application/json", "malformed"),
        (b'{"windows": [NaN]}', "application/json", "malformed"),
        (b"[]", "application/json", "invalid"),
        (b'{"windows": {}}', "application/json", "invalid"),
        (b'{"windows": [], "more": 1}', "application/json", "invalid"),
        (b'{"windows": []}', "text/plain", "wrong-type"),
        (b'{"windows": []}', "", "wrong-type"),
        (b'{"windows": [' + b",".join([b"1"] * (MOST + 1)) + b"]}", "application/json", "too-large"),
    ],
)
def test_a_body_that_is_none_is_refused_whole(serve: Serve, store: str, content: bytes, kind: str, code: str) -> None:
    client = serve(store=store, open_access=False)
    header = {"Authorization": f"Bearer {api.add_token('all', ['push:*'], store=store).token}", "Content-Type": kind}
    check_problem(client.post("/api/v1/windows", content=content, headers=header), code)
    assert kept(store) == []


def test_half_a_body_stores_nothing(push: Push, serve: Serve, store: str) -> None:
    whole = json.dumps({"windows": made()})
    client = serve(store=store, open_access=False)
    header = {"Authorization": f"Bearer {api.add_token('all', ['push:*'], store=store).token}"}
    half = whole[: len(whole) // 2]
    answer = client.post("/api/v1/windows", content=half, headers=header | {"Content-Type": "application/json"})
    check_problem(answer, "malformed")
    assert kept(store) == []


def test_refusals_are_documented() -> None:
    page = (CHECKOUT / "docs" / "serve.md").read_text()
    assert [code for code, said in REFUSALS.items() if f"| `{code}` | {said} |" not in page] == []
