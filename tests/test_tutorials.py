"""Each tutorial is followed from its text: its commands run in order, and print what the page shows of them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import pytest

from tests.conftest import CHECKOUT
from tests.support.following import Reader, free_port
from tests.support.mjpeg_server import MjpegServer, jpegs_of
from tests.support.people import faces_clip

pytestmark = [pytest.mark.page, pytest.mark.timeout(900)]
TUTORIALS = CHECKOUT / "docs" / "tutorials"
Instead = Mapping[str, str]


class Prepare(Protocol):
    """Make in ``folder`` what the reader of a page is said to have."""

    def __call__(self, folder: Path, clip: Path, page: str) -> AbstractContextManager[Instead]: ...


def a_recording(folder: Path, clip: Path, page: str) -> AbstractContextManager[Instead]:
    shutil.copy(clip, folder / "harbour.mp4")
    return nullcontext({})


def a_folder_of_recordings(folder: Path, clip: Path, page: str) -> AbstractContextManager[Instead]:
    (folder / "footage").mkdir()
    for name in ("monday", "tuesday", "market"):
        shutil.copy(clip, folder / "footage" / f"{name}.mp4")
    (folder / "footage" / "broken.mp4").write_bytes(b"cut short")
    (folder / "where.csv").write_text(block(page, "text"))
    return nullcontext({})


@contextmanager
def two_cameras(folder: Path, clip: Path, page: str) -> Iterator[Instead]:
    frames = jpegs_of(clip)
    written = block(page, "toml").replace('password_env = "QUAY_PASSWORD"', 'password_file = "password"')
    written = re.sub(r"expected_offline.*\n", "", written)  # this test may run at night
    (folder / "password").write_text("secret")
    with ExitStack() as cameras:
        quay = cameras.enter_context(MjpegServer(frames, credentials=("felicity", "secret")))
        market = cameras.enter_context(MjpegServer(frames))
        for address, camera in (
            ("rtsp://10.0.0.11/stream2", quay),
            ("http://10.0.0.12/mjpg/video.mjpg", market),
        ):
            assert address in written
            written = written.replace(address, camera.url)
        (folder / "cameras.toml").write_text("window = 2\n" + written)
        yield {"check cameras.toml": "check cameras.toml --seconds 1"}


def a_free_port(folder: Path, clip: Path, page: str) -> AbstractContextManager[Instead]:
    port = free_port()
    return nullcontext({":8000/": f":{port}/", "serve town.db": f"serve town.db --port {port}"})


def drawn_faces(folder: Path, clip: Path, page: str) -> AbstractContextManager[Instead]:
    program = block(page, "python").replace('Path("my-faces")', f"Path({str(folder / 'my-faces')!r})")
    exec(program, {})
    return nullcontext({})


PREPARE: dict[str, Prepare] = {
    "first-camera": a_recording,
    "archive-over-night": a_folder_of_recordings,
    "ten-cameras": two_cameras,
    "public-page": a_free_port,
    "faces-to-paper": drawn_faces,
}


def block(page: str, language: str) -> str:
    """Return the first block of a language."""
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)[0]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of people, small enough to be watched in a second."""
    return faces_clip(tmp_path_factory.mktemp("clip") / "harbour.mp4", seconds=4)


@pytest.mark.parametrize("page", sorted(TUTORIALS.glob("*.md")), ids=lambda page: page.stem)
def test_a_tutorial_does_what_it_says(page: Path, clip: Path, tmp_path: Path) -> None:
    with PREPARE[page.stem](tmp_path, clip, page.read_text()) as instead:
        reader = Reader(tmp_path, instead)
        reader.follow(page)
    written = re.findall(r"(?:-o|--chart|--output|--table|--pictures) (\S+)", " ".join(reader.ran))
    for name in written:
        assert (tmp_path / name).exists(), name
