"""Each how-to page is followed from its text, in the simulated town that the pages share."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from felicity.imaging.encode import write_image
from tests.conftest import CHECKOUT
from tests.support.class_folders import write_class_folders
from tests.support.following import Reader, free_port
from tests.support.people import faces_clip, photograph

pytestmark = [pytest.mark.page, pytest.mark.timeout(600)]
HOW_TO = CHECKOUT / "docs" / "how-to"
BY_HAND = {
    "export-figures": "test_commands_and_options_that_are_shown_exist",
    "happiest-location": "test_commands_and_options_that_are_shown_exist",
    "own-bundle": "tests/export",
    "several-boxes": "needs a PostgreSQL; tests/store",
}
"""Pages without commands that run here, and what holds them."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What readers of the pages have: the town, a recording, photographs, and a data set."""
    folder: Path = tmp_path_factory.mktemp("reader")
    (folder / "places.toml").write_text(block(HOW_TO / "index.md", "toml"))
    Reader(folder, {}).follow(HOW_TO / "index.md")
    faces_clip(folder / "harbour.mp4")
    (folder / "photos").mkdir()
    write_image(folder / "photos" / "crew.png", photograph())
    write_class_folders(folder / "my-faces", {"happy": 30, "neutral": 30, "sad": 30})
    return folder


def block(page: Path, language: str) -> str:
    """Return the first block of a language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)[0]


PAGES = [page for page in sorted(HOW_TO.glob("*.md")) if page.stem not in ("index", *BY_HAND)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page: Path, home: Path, tmp_path: Path) -> None:
    text = page.read_text()
    for given in ("town.db", "harbour.mp4", "photos", "my-faces"):
        if given in text:
            copy = shutil.copytree if (home / given).is_dir() else shutil.copy
            copy(home / given, tmp_path / given)
    for language, name in (("toml", "cameras.toml"), ("json", "places.geojson")):
        if f"```{language}" in text:
            (tmp_path / name).write_text(block(page, language))
    (tmp_path / "quay.password").write_text("secret")
    port = free_port()
    small = {"--model resnet5": "--model test-tiny"}
    reader = Reader(tmp_path, {":8000/": f":{port}/", "serve town.db": f"serve town.db --port {port}"} | small)
    reader.follow(page)
    for name in re.findall(r"(?:-o|--chart|--geojson|--table|--predictions|--figures) (\S+)", " ".join(reader.ran)):
        assert (tmp_path / name).exists(), name


def test_every_page_is_listed_and_asks_as_the_list_does() -> None:
    listed = dict(re.findall(r"^- \[(.*)\]\((.*)\)$", (HOW_TO / "index.md").read_text(), re.MULTILINE))
    assert sorted(listed.values()) == sorted(page.name for page in HOW_TO.glob("*.md") if page.stem != "index")
    assert len(listed) > 30
    for question, name in listed.items():
        title = (HOW_TO / name).read_text().splitlines()[0].removeprefix("# ")
        assert name.removesuffix(".md") in BY_HAND or title == question
        assert "How-to." in (HOW_TO / name).read_text()
    assert BY_HAND.keys() <= {name.removesuffix(".md") for name in listed.values()}
