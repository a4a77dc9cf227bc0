"""A cluster that docs/scale.md closes with a token and TLS: its own commands, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from felicity.errors import ConfigError
from felicity.work.knock import knock
from tests.conftest import CHECKOUT, absent
from tests.support.command import felicity_process
from tests.support.following import free_port
from tests.support.media import write_video

pytestmark = pytest.mark.service
RAY = Path(sys.executable).with_name("ray")
PAGE = (CHECKOUT / "docs" / "scale.md").read_text()
SMALL = ["--num-cpus", "1", "--object-store-memory", str(80 << 20), "--block"]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of those who may join a cluster of two nodes, and its address as ``RAY_ADDRESS``."""
    if shutil.which("openssl") is None or not RAY.exists():
        absent("openssl or Ray is not installed")
    from ray._common.network_utils import node_ip_address_from_perspective

    ip, folder = node_ip_address_from_perspective(), tmp_path_factory.mktemp("certificates")
    settings = certify(folder, ip)
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as short:
        how = settings | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4, "RAY_TMPDIR": short}
        how |= {"RAY_ADDRESS": f"{ip}:{free_port()}", "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
        port = how["RAY_ADDRESS"].rpartition(":")[2]
        here = f"--node-ip-address={ip}"
        head = ["--head", here, "--port", port, "--include-dashboard=false", f"--ray-client-server-port={free_port()}"]
        with started(head, how), started(["--address", how["RAY_ADDRESS"], here], how):
            yield how


def certify(folder: Path, ip: str) -> dict[str, str]:
    """Run the page's commands that make certificates; return the variables that the page sets."""
    (block,) = re.findall(r"```\n(openssl .*?)```", PAGE, re.DOTALL)
    program = block.replace("THIS", ip) + "\nenv"
    done = subprocess.run(["bash", "-euc", program], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = dict(
        line.split("=", 1) for line in done.stdout.splitlines() if line.startswith(("RAY_TLS_", "RAY_USE_TLS"))
    )
    assert sorted(found) == ["RAY_TLS_CA_CERT", "RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY", "RAY_USE_TLS"]
    return found


@contextmanager
def started(words: list[str], how: Mapping[str, str]) -> Iterator[None]:
    """Run ``ray start`` with its processes until the end of the block."""
    without = {name: value for name, value in how.items() if name != "RAY_ADDRESS"}
    path = os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])
    command = [str(RAY), "start", *words, *SMALL]
    process = subprocess.Popen(
        command, env=os.environ | without | {"PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert process.stdout is not None
        said = b""
        while b"runtime started" not in said:
            said += (line := process.stdout.readline())
            assert line, said.decode()
        yield
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_an_archive_over_machines_with_a_token_and_tls(closed: dict[str, str], tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 30, fps=10)
    os.utime(clip, (1_780_000_020.0, 1_780_000_020.0))  # its three seconds are in one minute
    words = ("--cluster", closed["RAY_ADDRESS"])
    status = felicity_process("cluster", "status", *words, home=tmp_path, **closed)
    assert status.stdout.count("ready") == 2
    done = felicity_process(
        "archive", clip, "--location", "Harbour", "--detector", "hog", "--store", tmp_path / "town.db", *words,
        home=tmp_path, **closed,
    )  # fmt: skip
    assert "clip.mp4: 1 windows" in done.stderr


def test_who_has_no_certificate_or_another_one_is_told_so_within_seconds(
    closed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = closed["RAY_ADDRESS"]
    other = certify(tmp_path, "192.0.2.77")
    began = time.monotonic()
    for settings, told in (
        ({}, "it ends connections without TLS; if it uses TLS, set RAY_USE_TLS=1"),
        ({"RAY_USE_TLS": "1"}, "RAY_USE_TLS is set without RAY_TLS_CA_CERT"),
        (closed | {"RAY_TLS_SERVER_KEY": "nowhere.key"}, "RAY_TLS_SERVER_KEY names nowhere.key, which is no file"),
        (closed | {"RAY_TLS_SERVER_KEY": other["RAY_TLS_SERVER_KEY"]}, "do not name a certificate and its key in PEM"),
        (other, "the certificate of .* is not valid here"),
        (other | {"RAY_TLS_CA_CERT": closed["RAY_TLS_CA_CERT"]}, "no connection in TLS comes about"),
    ):
        with monkeypatch.context() as patched:
            for name in ("RAY_USE_TLS", "RAY_TLS_CA_CERT", "RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY"):
                patched.delenv(name, raising=False)
                if name in settings:
                    patched.setenv(name, settings[name])
            with pytest.raises(ConfigError, match=told):
                knock(address)
    assert time.monotonic() - began < 30


def test_a_certificate_must_name_the_machine_that_the_others_answer(
    closed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {name: Path(closed[name]) for name in ("RAY_TLS_CA_CERT", "RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY")}
    folder = files["RAY_TLS_CA_CERT"].parent
    done = subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-CA", folder / "ca.crt",
            "-CAkey", folder / "ca.key", "-addext", "subjectAltName=IP:192.0.2.77", "-keyout", tmp_path / "other.key",
            "-out", tmp_path / "other.crt",
        ],
        capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    for name, value in closed.items():
        monkeypatch.setenv(name, value)
    knock(closed["RAY_ADDRESS"])
    monkeypatch.setenv("RAY_TLS_SERVER_CERT", str(tmp_path / "other.crt"))
    monkeypatch.setenv("RAY_TLS_SERVER_KEY", str(tmp_path / "other.key"))
    with pytest.raises(ConfigError, match=r"is not valid here .*subjectAltName"):
        knock(closed["RAY_ADDRESS"])
