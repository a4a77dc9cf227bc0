"""The report in Chromium: it reads on a phone and a desk, in light and dark, and prints with a place on a page."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import felicity
from felicity.store import open_store
from felicity.windows import Location
from tests.conftest import absent
from tests.support.browser import check_axe, check_layout, chromium
from tests.support.town import ZONE, fill

pytestmark = pytest.mark.browser
SCREENS = [(360, 740), (820, 1180), (1600, 900)]
PLACES = {"Harbour": 0.3, "Market": 0.5, "Park": 0.6, "Museum": 0.4, "Sylt Promenade": 0.55}
QUESTIONS = [
    "Where do people look happiest?", "What changed?", "How sure is this?", "How many people is this?",
    "What was not seen?",
]  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Four places of a town and one far off, of which one becomes happier; the address of their report."""
    folder: Path = tmp_path_factory.mktemp("report")
    truths = {name: (lambda day, share=share: share) for name, share in PLACES.items()}
    store = fill(folder / "town.db", truths | {"Harbour": lambda day: 0.3 + 0.2 * (day >= 25)}, 50)
    with open_store(store) as opened:
        far = {"type": "Point", "coordinates": [8.3, 54.9]}
        opened.add_locations([Location("Sylt Promenade", timezone=ZONE.key, geometry=far)], update=True)
    made = felicity.report(store=store, at=date(2026, 2, 27), touched=["Harbour"], comparison=["Market", "Park"])
    felicity.write_report(made, folder / "report.html")
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_the_five_answers_stand_on_the_first_screen(
    browser: Browser, report: str, screen: tuple[int, int], light: str
) -> None:
    context = browser.new_context(viewport={"width": screen[0], "height": screen[1]}, color_scheme=light)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(report)
    assert page.locator(".answers dt").all_inner_texts() == QUESTIONS
    for tile in page.locator(".answers .tile").all():
        box = tile.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= screen[0]
        assert box["y"] + box["height"] <= screen[1], tile.inner_text()
    check_layout(page)
    check_axe(page)
    context.close()


def test_a_place_prints_on_a_page_and_headings_stay_with_what_they_head(
    browser: Browser, report: str, tmp_path: Path
) -> None:
    if shutil.which("pdftotext") is None:
        absent("no pdftotext (poppler-utils) is installed")
    page = browser.new_page()
    page.goto(report)
    headings = {" ".join(text.split()) for text in page.locator("h2, h3, figcaption").all_inner_texts()}
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    printed = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "report.pdf", "-"], check=True, capture_output=True, text=True
    ).stdout
    pages = [" ".join(text.split()) for text in printed.split("\f") if text.strip()]
    of_places = [number for number, text in enumerate(pages) if "By weekday" in text]
    for name in PLACES:
        (own,) = [number for number in of_places if re.search(rf"judged at {name} looked happy", pages[number])]
        assert pages[own].index(f"judged at {name} looked") < pages[own].rindex("By weekday")
    assert len(of_places) <= len(PLACES)
    assert len(pages) <= 2 + len(PLACES) + 3, "answers, before and after, the places, and all figures"
    for text in pages:
        assert not [heading for heading in headings if text.endswith(heading)], "a heading at the foot of a page"
    page.close()
