"""Every page in Chromium, against the server as it is run: nothing goes wrong, nothing is fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser

from felicity import api
from tests.support.browser import DESKTOP, PHONE, check_axe, check_layout, chromium, served, tab
from tests.support.town import fill, watch

pytestmark = pytest.mark.browser
PLACE = "Market%20(simulated)"
COMPARED = "/compare?first=Market+%28simulated%29&second=Harbour+%28simulated%29"
PAGES = ["/", "/?period=7", f"/place?name={PLACE}", f"/place?name={PLACE}&period=28", "/compare", COMPARED, "/about"]
PAGES += ["/sign-in", "/tryit"]
ALONE = ["/wall", f"/wall?place={PLACE}", "/embed", "/embed?show=badge"]
"""Pages that fill a screen or a frame, without the way to others."""
MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("demo")
    with served(home, "--demo", "--rate", "0") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("address", PAGES + ALONE)
def test_a_page_reads_at_every_size_and_in_every_light(browser: Browser, demo: str, address: str) -> None:
    with tab(browser, demo, size=PHONE, color_scheme="light") as opened:
        page = opened.goto(address)
        assert 0 < opened.bytes < MOST_BYTES
        assert page.locator("h1").count() == (0 if "embed" in address else 1)
        check_layout(page)
        check_axe(page)
        page.emulate_media(color_scheme="dark")
        check_axe(page)
        page.set_viewport_size({"width": 3840, "height": 2160})
        check_layout(page)
        page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        check_layout(page)
        check_axe(page)
        page.emulate_media(color_scheme="light")
        check_axe(page)
        page.emulate_media(media="print")
        check_layout(page)


@pytest.mark.parametrize(("address", "status"), [("nothing", 404), ("place?name=Nowhere", 404), ("?period=9", 422)])
def test_a_problem_reads_as_pages_do(browser: Browser, demo: str, address: str, status: int) -> None:
    with tab(browser, demo, size=PHONE, color_scheme="dark") as opened:
        page = opened.page
        answer = page.goto(demo + address)
        assert answer is not None and answer.status == status and page.locator("h1").count() == 1
        check_layout(page)
        check_axe(page)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        check_axe(page)
        (said,) = opened.wrong
        assert str(status) in said
        opened.wrong.clear()


@pytest.mark.parametrize("locale", ["de-DE", "id-ID"])
def test_pages_have_room_for_longer_languages(browser: Browser, demo: str, locale: str) -> None:
    with tab(browser, demo, size=PHONE, locale=locale) as opened:
        for address in PAGES + ALONE:
            page = opened.goto(address)
            assert page.evaluate("document.documentElement.lang") == locale[:2]
            check_layout(page)


def test_the_keyboard_reaches_the_content_and_each_place(browser: Browser, demo: str) -> None:
    with tab(browser, demo) as opened:
        page = opened.goto("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0, (
            "it is seen when it is reached"
        )
        page.keyboard.press("Enter")
        assert page.url.endswith("#content")
        page.locator("svg.page-map a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/place?name=*")
        assert "simulated" in page.inner_text("h1")


def test_a_comparison_is_asked_for_without_a_script(browser: Browser, demo: str) -> None:
    with tab(browser, demo, java_script_enabled=False) as opened:
        page = opened.goto("/compare")
        page.get_by_label("First place").select_option("Museum (simulated)")
        page.get_by_label("Second place").select_option("Market (simulated)")
        page.get_by_role("button", name="Compare").first.click()
        assert "the difference is more than chance" in page.locator(".finding").inner_text()


def test_people_enter_with_a_token_and_others_do_not(browser: Browser, tmp_path: Path, town: str) -> None:
    with served(tmp_path, town) as address, tab(browser, address) as opened:
        page = opened.page
        answer = page.goto(address)
        assert answer is not None and answer.status == 401
        check_axe(page)
        page.get_by_label("Token").fill(api.add_token("anna", ["read"], store=town).token)
        page.get_by_role("button", name="Enter").click()
        assert page.get_by_role("link", name="Harbour").count()
        (refused,) = opened.wrong
        assert "401" in refused
        opened.wrong.clear()


@pytest.fixture
def own_town(tmp_path: Path) -> str:
    return fill(tmp_path / "town.db", {"Harbour": lambda day: 0.3, "Market": lambda day: 0.5}, 3)


def test_the_wall_renews_itself_and_comes_back_after_the_server_was_away(
    browser: Browser, tmp_path: Path, own_town: str
) -> None:
    with served(tmp_path, own_town, "--open-access") as address, tab(browser, address) as opened:
        page = opened.goto("/wall?period=all")
        before = page.locator(".rows").inner_text()
        page.wait_for_timeout(2500)  # it listens
        watch(own_town, "Harbour")
        page.wait_for_function("before => document.querySelector('.rows').innerText !== before", arg=before)
        port = address.rstrip("/").rpartition(":")[2]
        assert page.locator(".lost").is_hidden()
        opened.wrong.clear()
        page.context.set_offline(True)
        page.evaluate("dispatchEvent(new Event('online'))")
        page.locator(".lost").wait_for(state="visible")
        assert "the figures are from" in page.locator(".lost").inner_text()
        page.context.set_offline(False)
        page.locator(".lost").wait_for(state="hidden")
        assert port in page.url
        opened.wrong.clear()  # the browser says that the server was away


def test_the_wall_takes_no_more_memory_the_longer_it_hangs(browser: Browser, demo: str) -> None:
    with tab(browser, demo) as opened:
        page = opened.goto("/wall")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")

        def used() -> dict[str, float]:
            session.send("HeapProfiler.collectGarbage")
            told = session.send("Performance.getMetrics")["metrics"]
            return {one["name"]: one["value"] for one in told}

        def renew(times: int) -> None:
            page.evaluate(
                """async times => {
                    const { renew } = await import("/assets/fresh.js");
                    for (let i = 0; i < times; i++) {
                        document.querySelector("#screen h1").textContent = i; // as if it had changed
                        await renew();
                    }
                }""",
                times,
            )

        renew(20)
        begin = used()
        renew(200)
        end = used()
        assert end["Nodes"] <= begin["Nodes"] + 20
        assert end["JSHeapUsedSize"] < begin["JSHeapUsedSize"] + 1_000_000


@pytest.mark.parametrize("size", ["A4", "A3"])
def test_the_code_of_the_sign_leads_to_what_is_measured(browser: Browser, demo: str, size: str) -> None:
    with tab(browser, demo, size=(1700, 2400)) as opened:
        page = opened.goto(f"/sign.svg?size={size}")
        picture = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == f"{demo}about"
