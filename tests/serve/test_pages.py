"""Pages: what they say, that they load nothing and need no script, and that only those who may see them do."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from felicity import api
from tests.serve.conftest import Serve, app_of, form
from tests.serve.test_problems import check_problem
from tests.support.town import fill

PEOPLE = {"Accept": "text/html,application/xhtml+xml"}
COMPARED = "/compare?first=Harbour&second=Market&from=&to="
EFFECT = "/compare?place=Harbour&at=2026-02-23&beside=Market"
PAGES = [
    "/",
    "/?period=7",
    "/place?name=Harbour",
    "/place?name=Market&period=28",
    "/compare",
    COMPARED,
    EFFECT,
    "/about",
]
VOID = {"meta", "link", "input", "br", "hr", "img"}


class Reader(HTMLParser):
    """The addresses of a page, and whether its elements close in the order in which they open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.addresses += [str(found[name]) for name in ("href", "src", "action") if name in found]
        self.ids += [str(found["id"])] if "id" in found else []
        assert not [name for name in found if name.startswith("on")], "no script within a page"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in ("li", "p", "option") or tag in VOID:
            while self.open and self.open[-1] != tag:
                self.open.pop()
        assert self.open.pop() == tag, (tag, self.open)


def text(html: str) -> str:
    """What a page says, on one line."""
    bare = re.sub(r"<(style|title)[^>]*>.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).replace("\u00a0", " ").split())


@pytest.fixture
def client(serve: Serve) -> TestClient:
    return serve(contact="space@example.org", fresh_seconds=60)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_loads_nothing_and_leads_to_pages_that_are_there(client: TestClient, address: str) -> None:
    answer = client.get(address, headers=PEOPLE)
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Reader(answer.text)
    assert "http-equiv" not in answer.text and "url(" not in answer.text
    scripts = re.findall(r"<script[^>]*>[^<]*</script>", answer.text)
    assert scripts == ['<script type="module" src="/assets/live.js" data-fresh="60"></script>']
    assert len(set(page.ids)) == len(page.ids)
    assert '<html lang="en">' in answer.text and 'name="viewport"' in answer.text and "<h1>" in answer.text
    assert len(answer.content) < 150_000
    for link in page.addresses:
        assert not urlsplit(link).netloc, link
        if link.startswith("/"):
            assert client.get(link, headers=PEOPLE).status_code == 200, link


def test_the_city_shows_each_figure_with_its_interval_and_who_shares_a_rank(client: TestClient, town: str) -> None:
    said = text(client.get("/").text)
    found = api.overview(store=town)
    assert found.city is not None and found.ranking is not None
    for place in found.places:
        share = place.share
        assert f"{share.adjusted:.1f} % {share.low:.1f} to {share.high:.1f} %" in said
    assert f"{found.city.share:.1f} % of people look happy" in said and "weighted by population" in said
    assert "Market looks happiest" in said
    figures = {row.location: row.happy_share for row in api.happiness(store=town).rows}
    assert {place.name: place.share for place in found.places} == figures


def test_places_that_cannot_be_told_apart_share_their_ranks_and_what_was_not_watched_is_named(
    serve: Serve, tmp_path: Path
) -> None:
    store = fill(tmp_path / "own.db", {"Harbour": lambda day: 0.4, "Market": lambda day: 0.4}, 3)
    api.save_locations([{"name": "Pier"}], store=store)
    said = text(serve(store=store).get("/").text)
    assert said.count("rank 1\u20132") == 2 and "No location can be told from the others" in said
    assert "Not watched in this period: Pier" in said and "not on the map: Pier" in said


def test_a_place_says_what_is_now_what_is_usual_and_who_was_not_judged(client: TestClient) -> None:
    said = text(client.get("/place?name=Harbour").text)
    assert "The latest hour with enough people: 18:00 to 19:00, 16 March 2026" in said
    assert "Usually" in said and "of people look happy" in said
    assert "By week" in said and "By hour of the day" in said and "By weekday" in said
    assert "No trend was found in 43 days" in said and "control limits" in said
    assert "Everybody who was seen was judged" in said


def test_a_place_is_looked_at_closer_between_two_days(client: TestClient) -> None:
    said = text(client.get("/place?name=Harbour&from=2026-02-09&to=2026-02-16").text)
    assert "9 February 2026 to 15 February 2026" in said and "By day" in said
    assert "The latest hour with enough people: 18:00 to 19:00, 16 March 2026" in said, "now stays now"
    assert client.get("/place?name=Harbour&from=&to=").status_code == 200
    check_problem(client.get("/place?name=Harbour&from=soon"), "invalid")


def test_a_comparison_says_whether_the_difference_is_real(client: TestClient) -> None:
    said = text(client.get(COMPARED).text)
    assert "Market looks happier than Harbour: the difference is more than chance" in said
    said = text(client.get(EFFECT).text)
    assert "Since 23 February 2026 Harbour looks neither happier nor less happy" in said
    assert "These places cannot be compared" in text(client.get("/compare?first=Harbour&second=Harbour").text)
    assert "The effect cannot be told" in text(client.get("/compare?place=Harbour&at=1999-01-01").text)


def test_what_is_measured_is_said(client: TestClient) -> None:
    said = text(client.get("/about").text)
    assert "No figure here is made of fewer than 10 people" in said and "space@example.org" in said
    assert "Art. 5(1)(f)" in said and "It keeps windows as long as" in said and "model-1" in said


def test_names_from_outside_are_text(serve: Serve, tmp_path: Path) -> None:
    name = "<b>Pier</b> & \"co\" 'x'"
    client = serve(store=fill(tmp_path / "own.db", {name: lambda day: 0.4, "Market": lambda day: 0.3}, 3))
    for address in ("/", "/about", "/compare"):
        html = client.get(address).text
        assert "<b>Pier" not in html and "&lt;b&gt;Pier" in html
        Reader(html)
    (link,) = {link for link in Reader(client.get("/").text).addresses if "Pier" in link}
    assert "&lt;b&gt;Pier" in client.get(link).text


def test_people_get_pages_of_problems_and_programs_get_documents(serve: Serve, client: TestClient) -> None:
    page = client.get("/place?name=Nowhere", headers=PEOPLE)
    assert page.status_code == 404 and "there is no location" in text(page.text)
    check_problem(client.get("/place?name=Nowhere"), "not-found")
    assert client.get("/nothing", headers=PEOPLE).headers["content-type"].startswith("text/html")
    check_problem(client.get("/api/v1/nothing", headers=PEOPLE), "not-found")
    check_problem(client.get("/?days=3"), "invalid")


def test_people_enter_with_a_token_and_leave(serve: Serve, tmp_path: Path) -> None:
    store = fill(tmp_path / "own.db", {"Harbour": lambda day: 0.4}, 2)
    client = serve(store=store, open_access=False)
    for address in PAGES:
        closed = client.get(address, headers=PEOPLE)
        assert closed.status_code == 401 and "Harbour" not in text(closed.text) and 'action="/enter"' in closed.text
    token = api.add_token("anna", ["read"], store=store).token
    check_problem(client.post("/enter", data=form(client, token="wrong")), "token-refused")
    given = form(client, token=token)
    check_problem(client.post("/enter", data=given, headers={"Sec-Fetch-Site": "cross-site"}), "not-allowed")
    check_problem(client.post("/enter", data=form(client, other=token)), "invalid")
    check_problem(client.get(f"/enter/{token}"), "token-refused")
    entered = client.post("/enter", data=given, follow_redirects=False)
    assert entered.status_code == 303 and entered.headers["location"] == "/"
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert "Harbour" in client.get("/").text
    check_problem(client.post("/leave", data={"form": "guessed"}), "stale-form")
    assert "Sign out" in client.get("/").text
    client.post("/leave", data=form(client))
    assert client.get("/").status_code == 401
    assert client.get(f"/enter/{app_of(client).state.access.key}", follow_redirects=False).status_code == 303
    assert "Harbour" in client.get("/").text


def test_the_simulated_city_is_made_at_once_and_ends_now(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from felicity.api.demo import simulated_city

    now = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
    simulated_city(tmp_path / "town.db", days=3, now=now)
    assert len(api.list_locations(store=tmp_path / "town.db")) == 4
    assert set(api.latest(store=tmp_path / "town.db").values()) == {datetime(2026, 6, 1, 12, tzinfo=UTC)}
    rows = api.happiness(store=tmp_path / "town.db").rows
    assert all(row.rejected and row.happy_share.low is not None for row in rows)
    market = next(row for row in rows if row.location.startswith("Market")).happy_share
    assert market.low < 57 < market.high, "55 % of people there are truly happy, 60 % at weekends"  # type: ignore[operator]
