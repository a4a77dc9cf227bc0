"""Pages speak the reader's language; programs are answered in English."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from felicity.api.demo import simulated_city
from tests.serve.conftest import Serve
from tests.serve.test_pages import COMPARED, EFFECT, PEOPLE, Reader, text
from tests.serve.test_problems import check_problem

GERMAN = {"Accept": PEOPLE["Accept"], "Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
PAGES = ["/", "/place?name=Harbour", COMPARED, EFFECT, "/about", "/wall?period=all", "/embed"]
ENGLISH = (" the ", " people ", " of ", " and ", " with ", " is ")


@pytest.fixture
def client(serve: Serve) -> TestClient:
    return serve()


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("language", ["de", "id"])
def test_a_page_speaks_one_language(client: TestClient, address: str, language: str) -> None:
    answer = client.get(address, headers=PEOPLE | {"Accept-Language": language})
    assert answer.status_code == 200 and f'<html lang="{language}">' in answer.text
    assert answer.headers["content-language"] == language and "Accept-Language" in answer.headers["vary"]
    Reader(answer.text.replace('<meta http-equiv="refresh" content="300">', ""))
    said = text(answer.text).replace("EU AI Act", "")
    assert [word for word in ENGLISH if word in said] == []


def test_what_is_kept_of_one_language_is_not_shown_to_readers_of_another(client: TestClient) -> None:
    first, second, again = (client.get("/", headers=PEOPLE | {"Accept-Language": one}) for one in ("de", "en", "de"))
    assert "Alle Orte" in first.text and "All places" in second.text and again.text == first.text
    assert "2. Februar 2026" in first.text and "," in text(first.text).split(" %")[0][-4:]


def test_a_link_chooses_a_language_for_good_and_leads_back(client: TestClient) -> None:
    page = Reader(client.get("/place?name=Harbour&period=28", headers=PEOPLE).text)
    (link,) = (address for address in page.addresses if address.startswith("/language/id"))
    chosen = client.get(link, follow_redirects=False)
    assert chosen.status_code == 303 and chosen.headers["location"] == "/place?name=Harbour&period=28"
    assert "Sekarang" in client.get("/place?name=Harbour", headers=GERMAN).text
    client.get("/language/en")
    assert "Sekarang" not in client.get("/place?name=Harbour", headers=GERMAN).text
    check_problem(client.get("/language/xx"), "not-found")
    for away in ("https://example.org/", "//example.org", "/\\example.org", "x"):
        check_problem(client.get("/language/de", params={"to": away}, follow_redirects=False), "invalid")


def test_problems_and_pictures_speak_it_too_and_programs_hear_english(client: TestClient) -> None:
    problem = client.get("/nothing", headers=GERMAN)
    assert "Unter dieser Adresse ist nichts." in problem.text
    assert "glücklich aussehende Menschen" in client.get("/badge.svg", headers=GERMAN).text
    assert "Wie glücklich sehen die" in text(client.get("/sign.svg", headers=GERMAN).text)
    sentences = client.get("/api/v1/effect?at=2026-02-23&locations=Harbour", headers=GERMAN).json()["data"]
    assert "Since 23 February 2026 Harbour looks" in str(sentences)


def test_what_a_bundle_says_of_itself_is_marked_as_english(serve: Serve, tmp_path: Path) -> None:
    simulated_city(tmp_path / "town.db", days=1)
    page = serve(store=str(tmp_path / "town.db")).get("/about", headers=GERMAN).text
    assert page.count('<td lang="en">') == 4 and "trainiert mit" in page


def test_a_note_is_said_and_introduced_in_one_language(client: TestClient) -> None:
    said = text(client.get("/compare?place=Harbour&at=2026-02-23", headers=GERMAN).text)
    assert "Hinweis: ohne Vergleich zählt als Wirkung, was immer sich sonst zu dieser Zeit änderte" in said


def test_the_choice_of_a_language_is_no_token(serve: Serve) -> None:
    client = serve(rate=3)
    client.cookies.set("language", "de")
    answers = [client.get("/about").status_code for _ in range(6)]
    assert answers[0] == 200 and answers[-1] == 429, "a cookie of any other name does not lift the limit"
