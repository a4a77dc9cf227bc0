"""TLS files: served, and what is wrong with them in one sentence."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from felicity.errors import ConfigError
from felicity.serve import tls
from felicity.serve.settings import Settings
from tests.support.command import environment

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates of this test")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine for two days, and its key."""
    return make(tmp_path_factory.mktemp("tls"))


def make(folder: Path) -> tuple[Path, Path]:
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", *words, "-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout", files[1]],
        check=True,
        capture_output=True,
    )
    return files


def test_a_pair_is_in_force_until_it_expires(pair: tuple[Path, Path]) -> None:
    now = datetime.now(UTC)
    end = tls.check(*pair, now)
    assert timedelta(days=1) < end - now <= timedelta(days=2, minutes=1)
    with pytest.raises(ConfigError, match=r"expired on .*; renew it"):
        tls.check(*pair, now + timedelta(days=3))
    with pytest.raises(ConfigError, match=r"valid from .*; look at the clock"):
        tls.check(*pair, now - timedelta(days=1))


def test_files_that_are_no_pair_are_one_sentence(pair: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = pair
    _, other = make(tmp_path)
    locked, torn = tmp_path / "locked.pem", tmp_path / "torn.pem"
    subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked], check=True)
    torn.write_text(cert.read_text().replace("MII", "MIJ", 1))
    for certificate, private, said in (
        (tmp_path / "none.pem", key, "--tls-cert .*none.pem: cannot be read"),
        (cert, tmp_path / "none.pem", "--tls-key .*none.pem: cannot be read"),
        (cert, tmp_path, "--tls-key .*: cannot be read"),
        (key, key, "a certificate in PEM expected"),
        (torn, key, "--tls-cert .*torn.pem: a certificate in PEM expected"),
        (cert, other, "is not the key of --tls-cert"),
        (cert, cert, "is not the key of --tls-cert"),
        (cert, locked, "is encrypted; decrypt it"),
    ):
        with pytest.raises(ConfigError, match=said):
            tls.check(certificate, private, datetime.now(UTC))
    with pytest.raises(ConfigError, match="belong together"):
        Settings(tls_cert=cert)


def test_it_serves_https_and_tells_browsers_to_stay_with_it(pair: tuple[Path, Path], tmp_path: Path, town: str) -> None:
    words = [sys.executable, "-W", "error", "-m", "felicity", "serve", town, "--port", "0", "--open-access"]
    files = ["--tls-cert", str(pair[0]), "--tls-key", str(pair[1])]
    with subprocess.Popen(
        [*words, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)
    ) as server:
        try:
            assert server.stdout and server.stderr
            address = server.stdout.readline().split()[-1]
            assert address.startswith("https://127.0.0.1:")
            assert "expires on" in server.stderr.readline(), "it is warned of two weeks before"
            trust = ssl.create_default_context(cafile=str(pair[0]))
            with urllib.request.urlopen(f"{address}healthz", timeout=30, context=trust) as answer:
                assert answer.headers["strict-transport-security"] == "max-age=31536000"
            server.terminate()
            assert server.wait(30) == 0 and "Traceback" not in server.stderr.read()
        finally:
            server.kill()
