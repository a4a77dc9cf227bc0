"""A picture in, faces out; off unless it was asked for, and nothing kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from felicity import api
from felicity.imaging.encode import write_image
from tests.serve.conftest import Serve
from tests.serve.test_problems import check_problem
from tests.support.people import photograph
from tests.support.town import fill


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str], bytes]:
    """A store, the header of a token that may classify, and the bytes of a photograph."""
    folder: Path = tmp_path_factory.mktemp("classify")
    store = fill(folder / "own.db", {"Harbour": lambda day: 0.3}, 1)
    token = api.add_token("kiosk", ["classify"], store=store).token
    write_image(folder / "photo.png", photograph())
    return store, {"Authorization": f"Bearer {token}", "Content-Type": "image/png"}, (folder / "photo.png").read_bytes()


def test_it_is_off_unless_it_was_asked_for(serve: Serve, world: tuple[str, dict[str, str], bytes]) -> None:
    store, header, picture = world
    client = serve(store=store, open_access=False)
    assert "--classify" in check_problem(
        client.post("/api/v1/classify", content=picture, headers=header), "not-enabled"
    )


def test_the_faces_are_those_of_the_library_and_nothing_is_kept(
    serve: Serve, world: tuple[str, dict[str, str], bytes]
) -> None:
    store, header, picture = world
    told: list[str] = []
    client = serve(store=store, open_access=False, classify=True, log=told.append)
    before = {path: path.stat().st_size for path in Path(store).parent.iterdir()}
    answer = client.post("/api/v1/classify", content=picture, headers=header)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    (face,), (expected,) = answer.json()["data"]["faces"], api.read(picture)
    assert face["expression"] == expected.expression == "happy"
    assert face["probabilities"]["happy"] == pytest.approx(expected.happy, abs=1e-6)
    assert set(face) == {"box_xyxy", "detection_score", "expression", "probabilities", "happy", "covered"}
    assert told == [] and {path.name for path in before} >= {p.name for p in Path(store).parent.iterdir()} - {
        "own.db-wal", "own.db-shm"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [(b"no picture", "image/png", "invalid"), (b"", "image/jpeg", "invalid"), (b"x", "application/json", "wrong-type")],
)
def test_what_is_no_picture_is_said(
    serve: Serve, world: tuple[str, dict[str, str], bytes], content: bytes, kind: str, code: str
) -> None:
    store, header, _ = world
    client = serve(store=store, open_access=False, classify=True)
    check_problem(client.post("/api/v1/classify", content=content, headers=header | {"Content-Type": kind}), code)
