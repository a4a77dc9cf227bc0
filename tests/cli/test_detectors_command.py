import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError

import pytest
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.errors import ConfigError, DetectorError, FelicityError
from felicity.faces.registry import open_detector, weights_of
from felicity.paths import home
from tests.conftest import absent


@pytest.fixture
def weights(shared: Path) -> bytes:
    path = shared / "models" / weights_of("yunet").file_name
    if not path.exists():
        absent(f"{path} not found")
    return path.read_bytes()


class Handler(BaseHTTPRequestHandler):
    """Answers by path: /good, /long, /wrong, /truncated, /stalled, /trickling, /moved; 404 for others."""

    good = b""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
            return
        bodies = {
            "/good": self.good,
            "/long": b"x" * 20_000_000,
            "/wrong": b"<html>Sign in to the network</html>",
            "/truncated": self.good[:1000],
            "/stalled": self.good[:1000],
            "/trickling": b"",
        }
        if self.path not in bodies:
            self.send_error(404, "Not Found")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(max(len(bodies[self.path]), len(self.good))))
        self.end_headers()
        try:
            self.wfile.write(bodies[self.path])
            if self.path == "/stalled":
                self.server.released.wait(20)  # type: ignore[attr-defined]
            while self.path == "/trickling" and not self.server.released.wait(0.05):  # type: ignore[attr-defined]
                self.wfile.write(b"x")
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def server() -> Iterator[str]:
    class Server(ThreadingHTTPServer):
        daemon_threads = True
        released = threading.Event()

    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.released.set()
        running.shutdown()
        thread.join()


def run(*arguments: str) -> str:
    """What the command prints; raises what it raises."""
    result = CliRunner().invoke(app, ["detectors", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def nothing_installed() -> bool:
    return not any(home().rglob("*"))


def test_list_names_every_detector() -> None:
    lines = json.loads(run("list", "--json"))["data"]
    assert [line["name"] for line in lines] == ["yunet", "hog"]
    assert [line["available"] for line in lines] == [False, True]
    assert "felicity detectors install yunet" in lines[0]["reason"]
    assert "yunet" in run("list") and "hog" in run("list")


@pytest.mark.shared_data
def test_install_from_a_file(weights: bytes, tmp_path: Path) -> None:
    file = tmp_path / "mine.onnx"
    file.write_bytes(weights)
    printed = run("install", "yunet", "--from", str(file))
    assert Path(printed.strip()).read_bytes() == weights
    assert [p.name for p in Path(printed.strip()).parent.iterdir()] == [weights_of("yunet").file_name]
    assert open_detector().name == "yunet"
    assert json.loads(run("list", "--json"))["data"][0] == {"name": "yunet", "available": True, "reason": ""}


@pytest.mark.shared_data
@pytest.mark.parametrize("path", ["/good", "/moved"])
def test_install_by_download(path: str, weights: bytes, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "good", weights)
    printed = run("install", "yunet", "--url", server + path)
    assert Path(printed.strip()).read_bytes() == weights
    assert open_detector("yunet").name == "yunet"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/absent", "the server answered 404 Not Found; nothing was installed"),
        ("/wrong", "35 bytes with .* found; nothing was installed"),
        ("/long", "more with .* found; nothing was installed"),
        ("/truncated", "1000 bytes with .* found; nothing was installed"),
    ],
)
def test_a_bad_download_is_one_sentence_and_leaves_nothing(
    path: str, sentence: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "good", b"y" * 3000)
    with pytest.raises(DetectorError, match=sentence) as failure:
        run("install", "yunet", "--url", server + path)
    assert server + path in str(failure.value)
    assert nothing_installed()
    if isinstance(answer := failure.value.__cause__, HTTPError):
        assert answer.fp is None or answer.fp.closed, "the connection is let go"


@pytest.mark.parametrize("path", ["/stalled", "/trickling"])
def test_a_server_that_falls_silent_is_given_up(path: str, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "good", b"y" * 3000)
    began = time.monotonic()
    with pytest.raises(DetectorError, match=r"no answer in time, .* bytes came; nothing was installed"):
        weights_of("yunet").download(server + path, timeout=0.2)
    assert time.monotonic() - began < 15, "given up, not waited out"


def test_no_network_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        with pytest.raises(DetectorError, match=r"cannot be reached .*refused.*; nothing was installed; .*--from"):
            run("install", "yunet", "--url", nobody)
    assert nothing_installed()


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    mistakes: list[tuple[type[FelicityError], str, list[str]]] = [
        (DetectorError, "wrong.onnx is not face_detection", ["yunet", "--from", str(wrong)]),
        (DetectorError, "absent.onnx cannot be read", ["yunet", "--from", str(tmp_path / "absent.onnx")]),
        (DetectorError, "http or https address expected", ["yunet", "--url", wrong.as_uri()]),
        (ConfigError, "exclude each other", ["yunet", "--from", str(wrong), "--url", "http://127.0.0.1/"]),
        (DetectorError, "hog detector needs no file", ["hog"]),
        (DetectorError, "no face detector 'yolo'; there are: auto, yunet, hog", ["yolo"]),
    ]
    for kind, sentence, arguments in mistakes:
        with pytest.raises(kind, match=sentence):
            run("install", *arguments)
    assert nothing_installed()


@pytest.mark.shared_data
def test_a_folder_that_cannot_be_written(weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("a file")
    (tmp_path / "w.onnx").write_bytes(weights)
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path / "home"))
    with pytest.raises(DetectorError, match="cannot be written"):
        run("install", "yunet", "--from", str(tmp_path / "w.onnx"))


@pytest.mark.shared_data
def test_a_file_named_elsewhere_is_pointed_out(weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.onnx").write_bytes(weights)
    monkeypatch.setenv("FELICITY_YUNET", str(tmp_path / "w.onnx"))
    result = CliRunner().invoke(app, ["detectors", "install", "yunet", "--from", str(tmp_path / "w.onnx")])
    assert result.exit_code == 0
    assert "FELICITY_YUNET is set" in result.stderr
