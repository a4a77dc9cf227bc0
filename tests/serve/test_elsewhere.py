"""Figures for other places: what they say, and who may show them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from felicity import api
from felicity.reports.badges import broken, text_width
from tests.serve.conftest import Serve
from tests.serve.test_pages import PEOPLE, Reader, text
from tests.serve.test_problems import check_problem
from tests.support.town import fill

PICTURES = ["/badge.svg", "/sentence.svg", "/sign.svg"]


@pytest.mark.parametrize("address", [*PICTURES, "/sign.svg?size=A3", "/badge.svg?place=Harbour&period=7"])
def test_pictures_are_svg_without_a_script_or_anything_from_elsewhere(serve: Serve, address: str) -> None:
    answer = serve().get(address)
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/svg+xml"
    root = ET.fromstring(answer.text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and {"width", "height", "viewBox"} <= set(root.keys())
    assert "<script" not in answer.text and "href" not in answer.text and "url(http" not in answer.text


def test_a_badge_and_a_sentence_say_figure_interval_and_date(serve: Serve, town: str) -> None:
    client = serve()
    city = api.overview(store=town).city
    assert city is not None
    badge = client.get("/badge.svg").text
    assert f"{city.share:.0f} % (95 % interval {city.low:.0f} to {city.high:.0f})" in badge
    assert "2 February to 16 March 2026" in badge
    sentence = ET.fromstring(client.get("/sentence.svg?place=Harbour").text).get("aria-label")
    assert sentence and "judged at Harbour looked happy (95 % interval: " in sentence and "16 March 2026" in sentence
    framed = client.get("/embed?place=Harbour").text
    assert "judged at Harbour looked happy" in text(framed) and "<script" not in framed
    assert "Harbour: people looking happy" in client.get("/embed?place=Harbour&show=badge").text
    check_problem(client.get("/badge.svg?place=Nowhere"), "not-found")
    check_problem(client.get("/wall?place=Nowhere"), "not-found")


def test_too_few_people_are_no_figure_anywhere(serve: Serve, tmp_path: Path) -> None:
    client = serve(store=fill(tmp_path / "few.db", {"Pier": lambda day: 0.4}, 1, people=1.0))
    for address in ("/badge.svg?place=Pier", "/badge.svg", "/embed?show=badge"):
        assert "no figure" in client.get(address).text
    for address in ("/sentence.svg?place=Pier", "/embed", "/wall?period=all", "/wall?place=Pier&period=all"):
        shown = client.get(address).text
        assert "looked happy" not in text(shown).replace("share of people who looked happy", ""), address
    assert "Nothing was counted in this period" in client.get("/sentence.svg?period=7").text


def test_only_what_is_public_may_be_framed_by_others(serve: Serve, tmp_path: Path) -> None:
    store = fill(tmp_path / "own.db", {"Harbour": lambda day: 0.4, "Market": lambda day: 0.3}, 3)
    api.make_releases(store=store)
    closed, public = serve(store=store), serve(store=store, open_access=False, public=True)
    for address in ("/embed", "/badge.svg", "/sentence.svg"):
        own, answer = closed.get(address), public.get(address)
        assert "frame-ancestors 'none'" in own.headers["content-security-policy"]
        assert own.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors *" in answer.headers["content-security-policy"]
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "x-frame-options" not in answer.headers
        again = public.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert again.headers["content-security-policy"] == answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in public.get("/").headers["content-security-policy"]
    for address in ("/embed", "/badge.svg", "/sign.svg", "/wall"):
        assert serve(store=store, open_access=False).get(address, headers=PEOPLE).status_code == 401


def test_the_wall_is_one_page_that_needs_no_hand(serve: Serve) -> None:
    for address in ("/wall?period=all", "/wall?place=Harbour&period=all", "/wall"):
        answer = serve().get(address)
        page = Reader(answer.text.replace('<meta http-equiv="refresh" content="300">', ""))
        assert [link for link in page.addresses if not link.startswith("/assets/")] == []
        assert "Counted until 18:01, 16 March 2026" in text(answer.text) or "place=" in address


def test_lines_are_broken_where_they_fit() -> None:
    said = "People look happier at the harbour than they did last year, and nobody knows why that is so."
    lines = broken(said, 16, 300)
    assert " ".join(lines) == said and len(lines) > 1
    assert all(text_width(line, 16) <= 300 for line in lines)
    assert broken("Donaudampfschifffahrtsgesellschaft is long", 16, 40)[0] == "Donaudampfschifffahrtsgesellschaft"
