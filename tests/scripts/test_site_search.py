"""The site is built, and its search finds the pages on a subject."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.support.browser import chromium
from tests.support.command import environment

SUBJECTS = {
    "retention": "retention.html",
    "pruned trial": "tuning.html",
    "smallest-face": "reference/commands/watch.html",
    "seeing-poor": "reference/notes.html",
    "confidence interval": "glossary.html",
}
"""What a reader types, and a page that must be among the results."""


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_the_search_of_the_site_finds_pages(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "sphinx", "--quiet", "--builder", "html", str(CHECKOUT / "docs"), str(tmp_path)]
    subprocess.run(build, env=environment(tmp_path), check=True)
    with chromium() as browser:
        page = browser.new_page()
        hosts = []
        page.on("request", lambda request: hosts.append(request.url))
        for typed, wanted in SUBJECTS.items():
            page.goto((tmp_path / "index.html").as_uri())
            page.fill("input[name=q]", typed)
            page.press("input[name=q]", "Enter")
            page.wait_for_selector(f"#search-results a[href*='{wanted}']", timeout=20_000)
        assert all(url.startswith("file:") for url in hosts)
