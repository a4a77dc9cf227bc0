"""How cameras are stands on the page of their place, for those who look after them alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from felicity import api
from felicity.schemas.cameras import CamerasStatusShape, CameraStatusShape
from tests.serve.conftest import Serve
from tests.serve.test_pages import Reader, text
from tests.support.town import fill

FILE = """status = "{status}"

[[camera]]
name = "quay"
location = "Harbour"
source = "rtsp://quay.example.org/live"
"""


def camera(name: str, location: str, state: str, why: str = "") -> CameraStatusShape:
    begin = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    return CameraStatusShape(
        name=name, location=location, source="rtsp://quay.example.org/live", state=state, why=why, since=begin,
        last_frame=begin, last_window=None, reconnects=3, fps=4.2, dropped=1200, width=640, height=480,
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture
def cameras(tmp_path: Path) -> Path:
    now = datetime.now(UTC) - timedelta(minutes=1)
    told = CamerasStatusShape(
        running=True, process=7, started=now, updated=now, windows_waiting=12, windows_lost=0,
        store_trouble="disk full",
        cameras=[camera("quay", "Harbour", "offline", "no route to host"), camera("stalls", "Market", "watching")],
    )  # fmt: skip
    (tmp_path / "status.json").write_text(told.model_dump_json())
    (tmp_path / "cameras.toml").write_text(FILE.format(status=tmp_path / "status.json"))
    return tmp_path / "cameras.toml"


def test_cameras_are_told_to_those_who_look_after_them_alone(serve: Serve, tmp_path: Path, cameras: Path) -> None:
    store = fill(tmp_path / "town.db", {"Harbour": lambda day: 0.4, "Market": lambda day: 0.3}, 2)
    api.make_releases(store=store)
    client = serve(store=store, open_access=False, public=True, cameras=cameras, fresh_seconds=60)
    tokens = {scope: api.add_token(scope, [scope], store=store).token for scope in ("admin", "read")}
    for _ in range(2):  # what is kept of one is not shown to others
        for scope in ("admin", "read", ""):
            headers = {"Authorization": f"Bearer {tokens[scope]}"} if scope else {}
            page = client.get("/place?name=Harbour", headers=headers).text
            Reader(page)
            said = text(page)
            assert ("quay offline: no route to host 2026-05-04 11:30" in said) == (scope == "admin")
            assert ("no route to host" in said) == ("The cameras are not watched since" in said) == (scope == "admin")
            assert ("12 windows wait: disk full" in said) == (scope == "admin")
            assert "stalls" not in said and "rtsp" not in page


def test_what_is_not_known_of_cameras_is_said(serve: Serve, tmp_path: Path, cameras: Path) -> None:
    store = fill(tmp_path / "town.db", {"Harbour": lambda day: 0.4, "Pier": lambda day: 0.3}, 2)
    token = {"Authorization": f"Bearer {api.add_token('anna', ['admin'], store=store).token}"}
    client = serve(store=store, open_access=False, cameras=cameras, fresh_seconds=0)
    assert "No camera of the file is at this place." in text(client.get("/place?name=Pier", headers=token).text)
    (tmp_path / "status.json").unlink()
    assert "were never watched here" in text(client.get("/place?name=Pier", headers=token).text)
    without = serve(store=store, open_access=False)
    assert "Cameras" not in text(without.get("/place?name=Pier", headers=token).text)
