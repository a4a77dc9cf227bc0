"""The command as a process: it prints its address, answers, and ends at once with nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from felicity.simulation.passing import write_passing
from tests.conftest import CHECKOUT
from tests.support.command import environment, felicity


def test_it_prints_its_address_answers_and_ends_at_once(tmp_path: Path, town: str) -> None:
    words = [sys.executable, "-W", "error", "-m", "felicity", "serve", town, "--port", "0"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)
    ) as server:
        try:
            check_process(server)
        finally:
            server.kill()


def check_process(server: subprocess.Popen[str]) -> None:
    assert server.stdout and server.stderr
    address = server.stdout.readline().split()[-1]
    entering = server.stderr.readline().strip()
    assert entering.startswith(f"enter with {address}enter/")
    key = entering.rpartition("/")[2]
    asked = urllib.request.Request(f"{address}api/v1/index", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert json.load(answer)["data"]["k"] == 10
        assert "server" not in answer.headers
    listening = urllib.request.Request(f"{address}api/v1/events", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(listening, timeout=30) as stream:
        assert stream.readline() == b"retry: 3000\n"
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) == 0, "a stream that is open does not keep the server"
    told = server.stderr.read()
    assert "Traceback" not in told and key not in told


def test_what_cannot_be_served_is_one_sentence(tmp_path: Path, town: str) -> None:
    missing = felicity("serve", tmp_path / "missing.db", home=tmp_path, expect=1)
    assert "there is no such file" in missing.stderr
    public = felicity("serve", town, "--host", "0.0.0.0", "--open-access", home=tmp_path, expect=1)
    assert "may read without a token" in public.stderr
    away = felicity("serve", town, "--host", "192.0.2.7", home=tmp_path, expect=1)
    assert "--host 192.0.2.7" in away.stderr and "cannot be served" in away.stderr
    video = felicity("serve", "--demo", "--clip", town, home=tmp_path, expect=1)
    assert "cannot be read as a video" in video.stderr
    alone = felicity("serve", town, "--clip", tmp_path / "clip.mp4", home=tmp_path, expect=1)
    assert "--clip is a camera of the simulated city; add --demo" in alone.stderr
    both = felicity("serve", town, "--demo", home=tmp_path, expect=1)
    assert "leave STORE out" in both.stderr


def test_a_clip_plays_as_a_camera_of_the_simulated_city(tmp_path: Path) -> None:
    clip = write_passing(tmp_path / "people.mp4")
    home, temporary = environment(tmp_path), tmp_path / "temporary"
    temporary.mkdir()
    words = [sys.executable, "-W", "error", "-m", "felicity", "serve", "--demo", "--clip", str(clip), "--port", "0"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=home | {"TMPDIR": str(temporary)}
    ) as server:
        try:
            assert server.stdout and server.stderr
            address = server.stdout.readline().split()[-1]
            asked = f"{address}api/v1/index?location={urllib.parse.quote('people (clip)')}"
            end = time.monotonic() + 120
            while not (people := people_at(asked)):
                assert time.monotonic() < end, "nobody was counted"
                time.sleep(1)
            assert people > 0
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=30) == 0
            assert "Traceback" not in server.stderr.read()
        finally:
            server.kill()
    assert list(temporary.glob("felicity-demo-*")) == [], "the clip's process ends before its store is removed"


def test_make_demo_names_the_command_that_opens_the_pages() -> None:
    words = ["make", "--no-print-directory", "--dry-run", "demo"]  # a make around the tests asks for directories
    said = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1].endswith('felicity serve --demo --clip demo/people.mp4 --open"')


def people_at(address: str) -> int:
    """The people seen at a location, 0 before it is there."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return sum(row["people_seen"] for row in json.load(answer)["data"]["rows"])
    except urllib.error.HTTPError:
        return 0
