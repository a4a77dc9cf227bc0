"""Every picture of the docs has a command that makes it, and a page that shows it."""

from __future__ import annotations

import re
from pathlib import Path

from scripts import pictures

from tests.conftest import CHECKOUT

IMAGES = CHECKOUT / "docs" / "images"


def test_every_picture_can_be_made_and_is_shown() -> None:
    there = {path.name for path in IMAGES.iterdir()}
    assert {name for group in pictures.GROUPS.values() for name in group.pictures} == there
    pages = [CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md")]
    shown = {Path(name).name for page in pages for name in re.findall(r"\]\(([^)]+\.(?:png|svg))\)", page.read_text())}
    assert there <= shown


def test_the_status_of_invented_cameras_is_drawn_as_the_command_prints_it(tmp_path: Path) -> None:
    pictures.draw_status(tmp_path / "status.svg")
    drawn = (tmp_path / "status.svg").read_text()
    for word in ("quay", "watching", "stalled", "offline", "disabled", "1280x720"):
        assert word in drawn
    assert set(re.findall(r"https?://[\w.]+", drawn)) <= {"http://www.w3.org", "https://www.textualize.io"}
