"""What pages do beyond what they show, in Chromium: they renew themselves, give tips, and let one look closer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from felicity.serve.own_files import FOLDER
from tests.support.browser import PHONE, chromium, served, tab
from tests.support.town import fill, watch

pytestmark = pytest.mark.browser
PLACE = "/place?name=Harbour"
MOST_BYTES = 30_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, town: str) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("home"), town, "--open-access", "--rate", "0") as address:
        yield address


def test_all_scripts_together_are_small() -> None:
    assert 0 < sum(path.stat().st_size for path in FOLDER.glob("*.js")) < MOST_BYTES


def test_a_page_renews_what_is_new_and_leaves_the_reader_where_they_are(browser: Browser, tmp_path: Path) -> None:
    store = fill(tmp_path / "town.db", {"Harbour": lambda day: 0.3, "Market": lambda day: 0.5}, 4)
    with served(tmp_path, store, "--open-access") as own, tab(browser, own) as opened:
        page = opened.goto(PLACE)
        page.locator("summary").click()
        page.locator("summary").focus()
        rows = page.locator("details tr").count()
        page.wait_for_timeout(2500)  # it listens
        watch(store, "Harbour", minutes=30)
        page.get_by_text("Renewed at").wait_for()
        assert page.locator("details[open]").count() == 1
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert page.locator("details tr").count() == rows
        assert "20:0" in page.locator("#lead").inner_text() or "19:0" in page.locator("#lead").inner_text()


def test_a_mark_says_its_figure_to_pointer_and_keys(browser: Browser, address: str) -> None:
    with tab(browser, address) as opened:
        page = opened.goto(PLACE)
        chart = page.locator(".wide-plot svg.plot")
        chart.hover(position={"x": 200, "y": 60})
        tip = page.locator(".tip")
        assert "95 % interval" in tip.inner_text() and "people" in tip.inner_text()
        page.keyboard.press("Escape")
        assert tip.is_hidden()
        chart.focus()
        page.keyboard.press("ArrowRight")
        first = tip.inner_text()
        page.keyboard.press("ArrowRight")
        assert first.startswith("Week from 2 February") and tip.inner_text() != first
        page.goto(address)
        page.locator(".track").first.hover()
        assert "95\u00a0% interval" in tip.inner_text()


def test_a_stretch_that_is_dragged_over_is_looked_at_closer(browser: Browser, address: str) -> None:
    with tab(browser, address) as opened:
        page = opened.goto(PLACE)
        box = page.locator(".wide-plot svg.plot").bounding_box()
        assert box is not None and page.get_by_role("heading", name="By week").count() == 1
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=4)
        assert page.locator(".chosen").count() == 1
        page.mouse.up()
        page.wait_for_url("**from=*")
        asked = parse_qs(urlsplit(page.url).query)
        begin, end = (date.fromisoformat(asked[name][0]) for name in ("from", "to"))
        assert date(2026, 2, 2) < begin < end < date(2026, 3, 17) and timedelta(5) < end - begin < timedelta(14)
        assert page.get_by_role("heading", name="By day").count() == 1
        assert page.get_by_label("From").input_value() == begin.isoformat()
        assert page.locator("details tr").count() == 1 + (end - begin).days


def part(page: Page) -> list[float]:
    return [float(one) for one in str(page.locator("svg.page-map").get_attribute("viewBox")).split()]


def test_a_map_comes_nearer_and_moves(browser: Browser, address: str) -> None:
    with tab(browser, address) as opened:
        page = opened.goto("/")
        whole = part(page)
        size = page.locator("svg.page-map text").first.bounding_box()
        page.get_by_role("button", name="Bring the map nearer").click()
        near = part(page)
        assert near[2] == pytest.approx(whole[2] / 1.6)
        after = page.locator("svg.page-map text").first.bounding_box()
        assert size and after and after["height"] == pytest.approx(size["height"], rel=0.05), "names keep their size"
        page.keyboard.press("ArrowLeft")
        left = part(page)
        assert left[0] < near[0] and left[1] == near[1]
        box = page.locator("svg.page-map").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2 - 30, box["y"] + 60, steps=3)
        page.mouse.up()
        moved = part(page)
        assert moved[0] > left[0] and moved[1] < left[1] and urlsplit(page.url).path == "/"
        page.get_by_role("button", name="Show the whole map").click()
        assert part(page) == whole


def test_a_finger_pans_nothing_but_the_page_until_the_map_is_near(browser: Browser, address: str) -> None:
    with tab(browser, address, size=PHONE, has_touch=True, is_mobile=True) as opened:
        page = opened.goto("/")
        style = "getComputedStyle(document.querySelector('svg.page-map')).touchAction"
        assert page.evaluate(style) == "auto"
        page.get_by_role("button", name="Bring the map nearer").tap()
        assert page.evaluate(style) == "none"
        opened.goto(PLACE)
        page.locator(".narrow-plot svg.plot").tap()
        assert "95 % interval" in page.locator(".tip").inner_text()
