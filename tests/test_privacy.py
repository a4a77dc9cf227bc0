"""The privacy boundary: after classify and watch, nothing holds pixels, crops, embeddings or rows about persons.

Commands run in a process of their own, in a folder of their own, under an audit hook that hears every file
opened for writing by Python, every connection and every program started, also those that are gone afterwards.
Files that libraries open in C are not heard; what they leave behind is found.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from felicity.imaging.decode import read_image
from felicity.imaging.encode import write_image
from felicity.models.bundle import open_bundle
from felicity.recognition.classifier import Classifier
from tests.support.command import environment, felicity
from tests.support.people import faces_clip, photograph

AUDITED = """
import json, os, sys
heard = []
def hear(event, arguments):
    if event == "open" and not isinstance(arguments[0], int):
        mode, flags = arguments[1], arguments[2]
        if (mode and set(mode) & set("wax+")) or (mode is None and flags & (os.O_WRONLY | os.O_RDWR)):
            heard.append(["open", str(arguments[0])])
    elif event in ("socket.connect", "socket.sendto", "subprocess.Popen", "os.posix_spawn", "sqlite3.connect"):
        heard.append([event, str(arguments[0] if event == "sqlite3.connect" else arguments)])
sys.addaudithook(hear)
report = sys.argv.pop(1)
sys.argv[0] = "felicity"
from felicity.cli.app import main
code = 0
try:
    main()
except SystemExit as leaving:
    code = leaving.code
told = json.dumps(heard)
with open(report, "w") as stream:
    stream.write(told)
sys.exit(code)
"""


IMPORTED = "from felicity.cli.app import main"


class Outcome:
    """What a command printed, wrote, connected to, and left behind in its home, its folder and ``/tmp``."""

    def __init__(self, tmp_path: Path, *arguments: object, script: str = AUDITED) -> None:
        self.home, self.folder, self.temporary = tmp_path / "home", tmp_path / "folder", tmp_path / "temporary"
        for place in (self.home, self.folder, self.temporary):
            place.mkdir(exist_ok=True)
        report = tmp_path / "heard.json"
        done = subprocess.run(
            [sys.executable, "-c", script, str(report), *map(str, arguments)],
            cwd=self.folder, capture_output=True, timeout=250,
            env=environment(self.home, TMPDIR=str(self.temporary), HOME=str(self.home), PYTHONDONTWRITEBYTECODE="1"),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        self.printed = done.stdout + done.stderr
        self.heard: list[tuple[str, str]] = [(e, a) for e, a in json.loads(report.read_text())]
        self.left = [p for place in (self.home, self.folder, self.temporary) for p in place.rglob("*") if p.is_file()]

    def everything(self) -> bytes:
        """All bytes that came out, printed or left in files."""
        return self.printed + b"".join(path.read_bytes() for path in self.left)


def traces(image: np.ndarray) -> list[bytes]:
    """What pixels of the face would look like in a file: runs of rows, as RGB, BGR and grey."""
    face = image[80:150, 190:260]
    grey = face.mean(2).astype(np.uint8)
    rows = [face[30, :12].tobytes(), face[40, :12, ::-1].tobytes(), grey[30, :24].tobytes()]
    return [*rows, b"\xff\xd8\xff", b"\x89PNG", b"JFIF", b"ftyp"]


def test_classify_leaves_nothing_behind(tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", photograph())
    outcome = Outcome(tmp_path, "classify", tmp_path / "photo.png", "--detector", "hog", "--json")
    assert b'"expression": "happy"' in outcome.printed
    assert outcome.left == []
    assert [heard for heard in outcome.heard if heard[1] != "/dev/null"] == [], "no file, no connection, no program"


def test_classify_writes_its_table_and_nothing_else(tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", photograph())
    outcome = Outcome(tmp_path, "classify", tmp_path / "photo.png", "--detector", "hog", "-o", "faces.parquet", "-j", 1)
    assert outcome.left == [outcome.folder / "faces.parquet"]
    own = f"'{outcome.temporary}/pymp-"  # a socket of its own user, by which it begins its worker processes
    reached = [heard for heard in outcome.heard if heard[0].startswith("socket.")]
    assert not [heard for heard in reached if own not in heard[1]], "no connection to anything else"
    everything = outcome.everything()
    assert not [trace for trace in traces(photograph()) if trace in everything]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    tmp_path = tmp_path_factory.mktemp("watched")
    clip = faces_clip(tmp_path / "clip.mp4")
    return Outcome(
        tmp_path, "watch", clip, "--location", "Harbour", "--detector", "hog", "--window", 2,
        "--start", "2026-05-04T09:00:00Z",
    )  # fmt: skip


def test_watch_writes_its_store_and_nothing_else(watched: Outcome) -> None:
    store = watched.home / "felicity.db"
    assert {path.name.split("-")[0] for path in watched.left} == {"felicity.db"}
    opened = {argument for _, argument in watched.heard if argument != "/dev/null"}
    assert opened == {str(store)}, "one connection, to the store"
    everything = watched.everything()
    for trace in traces(photograph()):
        assert trace not in everything


def test_the_store_holds_sums_of_people_and_no_person(watched: Outcome) -> None:
    connection = sqlite3.connect(watched.home / "felicity.db")
    connection.row_factory = sqlite3.Row
    tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
    windows = [dict(row) for row in connection.execute("select * from windows")]
    columns = {t: {row[1] for row in connection.execute(f"pragma table_info({t})")} for t in tables}
    sizes = {t: connection.execute(f"select count(*) from {t}").fetchone()[0] for t in tables}
    connection.close()
    names = set().union(*columns.values())
    forbidden = ("face", "crop", "box", "track", "embedding", "pixel", "image", "frame_", "person")
    assert not [name for name in names for word in forbidden if word in name.lower()]
    assert sizes["windows"] == len(windows) == 3
    assert all(size <= 3 for table, size in sizes.items() if table != "sqlite_sequence"), sizes
    sums = 8 * 64  # bytes of an 8x8 matrix, the largest thing a window needs
    for row in windows:
        blobs = {name: value for name, value in row.items() if isinstance(value, bytes)}
        assert sum(map(len, blobs.values())) <= sums + 2 * 64, "counts, sums and one matrix, however many people"


def test_annotated_output_is_the_only_way_out_and_only_on_request(tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", photograph())
    outcome = Outcome(tmp_path, "classify", tmp_path / "photo.png", "--detector", "hog", "--annotate", "drawn")
    assert [path.relative_to(outcome.folder) for path in outcome.left] == [Path("drawn/photo.png")]
    assert read_image(outcome.left[0]).shape == photograph().shape


def test_a_classifier_gives_probabilities_and_no_embedding() -> None:
    session, facts = Classifier.open()._session, open_bundle().facts
    shares, covered = [(8,)] * (1 + (facts.second is not None)), [(1,)] * (facts.covered is not None)
    assert [tuple(output.shape[1:]) for output in session.get_outputs()] == shares + covered


SERVED = """
import io, sys
from pathlib import Path
import numpy as np
from starlette.testclient import TestClient
from felicity import api
from felicity.serve.app import make_app
from felicity.serve.settings import Settings
from felicity.store import open_store

def main():
    picture, store = Path(sys.argv[1]).read_bytes(), sys.argv[2]
    key = {"Authorization": "Bearer " + api.add_token("kiosk", ["admin"], store=store).token}
    with open_store(store) as opened:
        client = TestClient(make_app(opened, Settings(classify=True, public=True), print), "http://127.0.0.1:8000")
        for _ in range(2):
            seen = client.post("/api/v1/classify", content=picture, headers=key | {"Content-Type": "image/png"})
            assert [face["expression"] for face in seen.json()["data"]["faces"]] == ["happy"], seen.text
        damaged = client.post("/api/v1/classify", content=picture[:900], headers=key | {"Content-Type": "image/png"})
        assert damaged.status_code == 422, damaged.text
        for address in ("/", "/about", "/api/v1/index?format=csv"):
            for header in ({}, key):
                assert client.get(address, headers=header).status_code == 200
        assert client.get("/api/v1/schemas").status_code == 200
"""


def test_a_server_keeps_nothing_of_pictures_and_reaches_nobody(tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", photograph())
    home = tmp_path / "home"
    home.mkdir()
    store = tmp_path / "store.db"
    felicity("locations", "add", "Harbour", "--store", store, home=home)
    outcome = Outcome(tmp_path, tmp_path / "photo.png", store, script=AUDITED.replace(IMPORTED, SERVED))
    assert outcome.printed == b"", "nothing of it is logged"
    assert outcome.left == [], "and nothing is left in any folder"
    opened = {argument for event, argument in outcome.heard if argument != "/dev/null" and event != "open"}
    assert opened == {str(store)}, "one connection, to the store"
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    for trace in traces(photograph()):
        assert trace not in kept
    assert b"happy" not in kept.replace(b"happy_", b"")
