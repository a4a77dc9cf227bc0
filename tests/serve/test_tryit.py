"""The page Try it and its files, without a browser; and the installation of the runtime."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from felicity.api import web_runtime
from felicity.api.web_runtime import Part
from felicity.errors import ConfigError
from felicity.serve.tryit import FOLDER
from tests.serve.conftest import Serve
from tests.support.command import felicity

MOST_BYTES = 30_000
COMMANDS = ("felicity serve install tryit", "felicity detectors install yunet")


@pytest.fixture(autouse=True)
def _nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FELICITY_TRYIT", "FELICITY_YUNET"):
        monkeypatch.delenv(variable, raising=False)


def test_its_scripts_are_small() -> None:
    assert 0 < sum(path.stat().st_size for path in FOLDER.glob("*.js")) < MOST_BYTES


def test_the_page_says_how_to_install_what_it_lacks(serve: Serve) -> None:
    answer = serve().get("/tryit")
    assert answer.status_code == 200
    assert all(command in answer.text for command in COMMANDS) and "<script" not in answer.text


def test_the_page_has_a_stricter_policy_and_the_camera_and_others_have_not(serve: Serve) -> None:
    client = serve()
    own, other = client.get("/tryit").headers, client.get("/about").headers
    assert "connect-src 'none'" in own["content-security-policy"] and "eval" not in own["content-security-policy"]
    assert "camera=(self)" in own["permissions-policy"] and "camera=()" in other["permissions-policy"]
    worker = client.get("/tryit/worker.js").headers
    assert "'wasm-unsafe-eval'" in worker["content-security-policy"]
    assert worker["content-type"].startswith("text/javascript")


def test_it_can_be_switched_off(serve: Serve) -> None:
    client = serve(try_it=False)
    for path in ("/tryit", f"/tryit/{'0' * 16}/fast.onnx"):
        answer = client.get(path)
        assert answer.status_code == 404 and answer.json()["code"] == "not-enabled"
    about = client.get("/about").text
    assert "/tryit" not in about and "Try it" not in about
    assert "/tryit" in serve().get("/about").text


def test_the_public_is_led_there_only_where_it_works(serve: Serve) -> None:
    client = serve(open_access=False, public=True)
    assert "/tryit" not in client.get("/about").text
    assert client.get("/tryit").status_code == 200


def test_it_is_for_those_who_are_let_in(serve: Serve) -> None:
    client = serve(open_access=False)
    assert client.get("/tryit").status_code == client.get(f"/tryit/{'0' * 16}/fast.onnx").status_code == 401
    assert client.get("/tryit/nothing.js").json()["code"] == "not-found"


Package = Callable[..., Path]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Make a small package, and let it be the one that is expected."""

    def make(name: str = "package.tgz") -> Path:
        contents = {part.name: part.name.encode() * 9 for part in web_runtime.PARTS}
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for file, content in contents.items():
                member = tarfile.TarInfo(f"package/dist/{file}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        parts = [Part(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()]
        whole = packed.getvalue()
        monkeypatch.setattr(web_runtime, "PARTS", tuple(parts))
        archive_part = Part(web_runtime.ARCHIVE.name, len(whole), hashlib.sha256(whole).hexdigest())
        monkeypatch.setattr(web_runtime, "ARCHIVE", archive_part)
        path = tmp_path / name
        path.write_bytes(whole)
        return path

    return make


def npm(folder: Path, does: str) -> dict[str, str]:
    """An npm that does something else, first on the path."""
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def test_the_runtime_is_installed_from_a_file_for_its_user_alone(package: Package, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = felicity("serve", "install", "tryit", "--from", package(), home=home)
    folder = Path(done.stdout.strip())
    assert home in folder.parents and "onnxruntime-web-1.30.0" in folder.name
    assert sorted(path.name for path in folder.iterdir()) == sorted(part.name for part in web_runtime.PARTS)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "felicity detectors install yunet" in done.stderr


def test_npm_fetches_the_runtime_where_there_is_one(package: Package, tmp_path: Path) -> None:
    archive = package()
    means = npm(tmp_path, f'[ "$1 $2" = "pack onnxruntime-web@1.30.0" ] && cp {archive} {web_runtime.ARCHIVE.name}')
    done = felicity("serve", "install", "tryit", home=tmp_path / "home", **means)
    assert Path(done.stdout.strip()).is_dir()


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("echo no such registry >&2; exit 1", "no such registry"),
        (f"echo something else > {web_runtime.ARCHIVE.name}", "SHA-256"),
        ("exit 0", "cannot be read"),
    ],
)
def test_what_npm_cannot_fetch_is_not_installed(does: str, reason: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = felicity("serve", "install", "tryit", home=home, expect=1, **npm(tmp_path, does))
    assert reason in done.stderr and not home.exists()


def test_without_npm_the_package_is_asked_for(tmp_path: Path) -> None:
    done = felicity("serve", "install", "tryit", home=tmp_path / "home", expect=1, PATH="/nowhere")
    assert "npm" in done.stderr and "--from FILE" in done.stderr


def test_other_packages_are_refused(package: Package, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tgz"
    wrong.write_bytes(package().read_bytes() + b"more")
    for file in (wrong, tmp_path / "absent.tgz", tmp_path):
        done = felicity("serve", "install", "tryit", "--from", file, home=tmp_path / "home", expect=1)
        assert str(file) in done.stderr
    assert not (tmp_path / "home").exists()


def test_damaged_files_are_noticed_and_the_server_says_so(
    package: Package, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = web_runtime.install(package())
    monkeypatch.setenv("FELICITY_TRYIT", str(folder))
    yunet = tmp_path / "yunet.onnx"
    yunet.write_bytes(b"not a detector")
    monkeypatch.setenv("FELICITY_YUNET", str(yunet))
    (folder / web_runtime.SCRIPT.name).write_bytes(b"changed")
    with pytest.raises(ConfigError, match="SHA-256"):
        web_runtime.read(web_runtime.SCRIPT)
    said: list[str] = []
    answer = serve(log=said.append).get("/tryit")
    assert answer.status_code == 200 and all(command in answer.text for command in COMMANDS)
    assert len(said) == 1 and "felicity serve install tryit" in said[0]


def test_another_folder_that_is_set_is_named(package: Package, tmp_path: Path) -> None:
    done = felicity(
        "serve", "install", "tryit", "--from", package(), home=tmp_path / "home", FELICITY_TRYIT=str(tmp_path)
    )
    assert f"FELICITY_TRYIT is set: {tmp_path} is used" in done.stderr


def test_help_names_the_installation(tmp_path: Path) -> None:
    assert "felicity serve install tryit" in felicity("serve", "--help", home=tmp_path).stdout
    assert "--from" in felicity("serve", "install", "--help", home=tmp_path).stdout
