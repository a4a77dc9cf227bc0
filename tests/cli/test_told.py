"""What others wrote, on its way to a terminal: it neither steers the terminal nor tells a secret."""

from __future__ import annotations

import http.server
import json
import os
import threading
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest

from felicity.errors import FelicityError
from felicity.notes import Note
from felicity.redaction import redacted
from felicity.store import open_store
from felicity.style.tables import to_csv
from tests.support.command import SRC, felicity, felicity_json
from tests.support.media import write_images

HOSTILE = "a\x1b]0;owned\x07\nerror all is well\u202egnp\u2028\x9b31m"


def steering(text: str) -> set[str]:
    """Return the characters that steer a terminal, but for the ends of lines."""
    return {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp") and one != "\n"}


@pytest.mark.parametrize(
    "arguments", [["classify", "--crop", "{path}"], ["watch", "{path}", "-l", "Here"], ["data", "inspect", "{path}"]]
)
def test_errors_spell_out_what_steers_a_terminal(arguments: list[str], tmp_path: Path) -> None:
    path = tmp_path / f"{HOSTILE}.png"
    path.write_bytes(b"no picture")
    done = felicity(*(word.format(path=path) for word in arguments), home=tmp_path, expect=1)
    told = done.stdout + done.stderr
    assert not steering(told)
    assert "\\x1b]0;owned\\x07\\n" in told and "\\u202e" in told and not told.startswith("error all is well")


def test_names_of_pictures_are_spelt_out(tmp_path: Path) -> None:
    picture = write_images(tmp_path / "some", [1]) / "frame1.png"
    picture = picture.rename(tmp_path / f"{HOSTILE}.png")
    done = felicity("classify", "--crop", picture, home=tmp_path)
    assert not steering(done.stdout + done.stderr) and "\\x1b]0;owned" in done.stdout
    done = felicity("classify", "--crop", picture, "--json", home=tmp_path)
    assert not steering(done.stdout) and len(done.stdout.splitlines()) == 1
    assert str(picture) in json.loads(done.stdout).values(), "JSON keeps the name"


def test_tables_spell_out_names(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.db") as store:
        store.begin_run("Here", "door", f"/films/{HOSTILE}.mp4", datetime(2026, 1, 1, tzinfo=UTC), "m@1")
    done = felicity("runs", "list", "--store", tmp_path / "s.db", home=tmp_path)
    assert not steering(done.stdout) and "owned" in done.stdout
    (answer,) = felicity_json("runs", "list", "--store", tmp_path / "s.db", home=tmp_path)
    assert f"/films/{HOSTILE}.mp4" in {run["source"] for run in answer["data"]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgresql://me:s3cret@db/x?a=1&password=s3cret: no", "postgresql://db/x?a=1&password=…: no"),
        ("store sqlite:////home/a@b/c.db: locked", "store sqlite:////home/a@b/c.db: locked"),
        ("http://me:s3cret@host/a.onnx: answered 404 gone", "http://host/a.onnx: answered 404 gone"),
        ("see 'rtsp://me:s3cret@cam:554/1', then go on", "see 'rtsp://cam:554/1', then go on"),
        ("host=db user=me password='s3 cret' port=1", "host=db user=me password=… port=1"),
        ("learning rate = 3, epochs = 2", "learning rate = 3, epochs = 2"),
    ],
)  # fmt: skip
def test_errors_and_notes_hold_no_secret(text: str, told: str) -> None:
    assert str(FelicityError(text)) == Note("left-out", text).text == told
    assert redacted(told) == told


@pytest.mark.parametrize(
    "arguments",
    [
        ["index", "--store", "postgresql://me:s3cret@127.0.0.1:9/x?password=s3cret&user=me"],
        ["index", "--store", "mysql://127.0.0.1:9/x?password=s3cret"],
        ["detectors", "install", "yunet", "--url", "http://me:s3cret@127.0.0.1:9/yunet.onnx?token=s3cret"],
        ["detectors", "install", "yunet", "--url", "ftp://me:s3cret@127.0.0.1:9/yunet.onnx?token=s3cret"],
        ["watch", "http://me:s3cret@127.0.0.1:9/film?password=s3cret", "-l", "Here"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_commands_tell_no_secret(arguments: list[str], tmp_path: Path) -> None:
    done = felicity(*arguments, home=tmp_path, expect=1)
    assert "s3cret" not in done.stdout + done.stderr and "me:" not in done.stderr


@pytest.mark.parametrize("name", ["a\x1b[31m", "a\nb", "a\0b", "a\u2028b", " a", "", "x" * 201])
def test_cameras_locations_and_models_have_names_of_one_line(name: str, tmp_path: Path) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    with open_store(tmp_path / "s.db") as store:
        for place, camera, model in ((name, "door", "m@1"), ("Here", name, "m@1"), ("Here", "door", name)):
            with pytest.raises(ValueError, match="name"):
                store.begin_run(place, camera, "film", begin, model)
        with pytest.raises(ValueError, match="source"):
            store.begin_run("Here", "door", "fi\0lm", begin, "m@1")
        assert store.runs() == [] and store.locations() == []
    (tmp_path / "a.png").write_bytes(b"")
    if "\0" not in name:
        done = felicity("watch", tmp_path / "a.png", "-l", "Here", "--camera", name, home=tmp_path, expect=1)
        assert "a camera" in done.stderr and not steering(done.stderr)


def test_names_that_a_spreadsheet_would_compute_stay_names() -> None:
    rows = [
        {"name": name} for name in ("=1+1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", "\n=1", "plain", "a=1")
    ]
    assert to_csv(rows).decode().count("'") == 6


def test_a_pipe_is_no_file_of_weights(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = felicity("detectors", "install", "yunet", "--from", tmp_path / "pipe", home=tmp_path, expect=1)
    assert "is no file" in done.stderr


def test_a_download_goes_to_no_other_host_unasked(tmp_path: Path) -> None:
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302, "Found\x1b[31m")
            self.send_header("Location", "http://localhost:9/secret")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/yunet.onnx"
        done = felicity("detectors", "install", "yunet", "--url", url, home=tmp_path, expect=1)
        server.shutdown()
    assert "another host" in done.stderr and "localhost:9" in done.stderr


def test_pages_may_load_and_run_nothing() -> None:
    shells = [one for one in (SRC / "felicity").rglob("*.html.j2") if "<html" in one.read_text(encoding="utf-8")]
    assert [one.name for one in shells] == ["page.html.j2"], "one shell for every page"
    assert "default-src 'none'" in shells[0].read_text(encoding="utf-8")
