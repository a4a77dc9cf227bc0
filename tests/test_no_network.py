"""Nothing is sent anywhere: the commands work without a network, and do not even try to reach one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import absent
from tests.support.command import environment
from tests.support.media import write_images, write_video

WATCHED = """
import sys
from pathlib import Path
tried, failed = [], []
def hook(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        address = arguments[1] if event.startswith("socket.connect") else arguments[0]
        own = address == "127.0.0.1"  # what a server listens on
        if not own and (not isinstance(address, (str, bytes)) or event.startswith("socket.get")):
            tried.append((event, str(address)))
sys.addaudithook(hook)
from felicity.__main__ import main
if "serve" in sys.argv:  # its own address is there, and it ends as soon as it serves
    import fcntl, socket, struct
    fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 1))
    from felicity.serve.run import Server
    begin = Server.startup
    async def startup(self, sockets=None):
        await begin(self, sockets)
        self.should_exit = True
    Server.startup = startup
for line in sys.stdin.read().splitlines():
    sys.argv = ["felicity", *line.split("\\t")]
    try:
        main()
    except SystemExit as end:
        failed += [(line, end.code)] if end.code else []
lines = Path("/proc/self/net/snmp").read_text().splitlines()
names, values = [line.split() for line in lines if line.startswith("Ip:")]
counted = dict(zip(names[1:], map(int, values[1:])))
assert not counted["OutNoRoutes"] and not counted["OutRequests"], counted  # native code has no hooks, the kernel counts
assert not tried, tried
assert not failed, failed
"""


def without_a_route(folder: Path, *commands: list[object]) -> None:
    """Run commands in one process, in a network of its own that leads nowhere; fail if it was asked for anything."""
    unshare = shutil.which("unshare")
    words = [str(unshare), "--map-root-user", "--net"]
    if unshare is None or subprocess.run([*words, "true"], capture_output=True).returncode:
        absent("namespaces of the network are not allowed here")
    no_cluster = {"RAY_ADDRESS": "none"}  # Ray would look for those of other tests on this machine
    lines = "\n".join("\t".join(map(str, command)) for command in commands)
    done = subprocess.run(
        [*words, sys.executable, "-c", WATCHED, *(str(command[0]) for command in commands)], input=lines,
        capture_output=True, text=True, cwd=folder, timeout=250,
        env=environment(folder / "home") | {"FELICITY_HOME": str(folder / "home")} | no_cluster,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_watch_for_attempts_sees_them(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"OutNoRoutes|getaddrinfo|connect"):
        without_a_route(tmp_path, ["detectors", "install", "yunet", "--url", "http://192.0.2.1/yunet.onnx"])


def test_seeing_and_counting_need_no_network(tmp_path: Path) -> None:
    pictures, film = write_images(tmp_path / "pictures", [1, 2]), write_video(tmp_path / "film.mp4", 12)
    without_a_route(
        tmp_path,
        ["classify", pictures, "--crop"],
        ["classify", pictures, "-d", "hog"],
        ["watch", film, "-l", "Here"],
        ["index"],
        ["runs", "list"],
        ["report", "-o", "page.html"],
        ["doctor"],
    )


def test_the_demo_needs_no_network(tmp_path: Path) -> None:
    without_a_route(tmp_path, ["demo", "--output", "demo"])
    assert (tmp_path / "demo" / "people.mp4").stat().st_size > 10_000


def test_a_server_reaches_nobody(tmp_path: Path) -> None:
    without_a_route(tmp_path, ["serve", "--demo", "--public", "--port", 0])


def test_a_training_needs_no_network(tmp_path: Path) -> None:
    for name in ("happy", "sad", "neutral"):
        (tmp_path / "set").mkdir(exist_ok=True)
        write_images(tmp_path / "set" / name, range(8))
    words = ["train", "set", "--model", "test-tiny", "--epochs", 1, "--threads", 1, "--batch-size", 4, "-o", "run"]
    without_a_route(tmp_path, [*words, "--classes", "happy,sad,neutral"])
