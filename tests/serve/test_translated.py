"""Whatever pages say is in the catalogues: notes, reasons why there is no figure, and what is wrong with a request.

A made-up language puts each text of a catalogue between brackets, and leaves what is put into it outside of them. So
English outside of brackets was never given to a catalogue.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from felicity.api import users
from felicity.store import open_store
from felicity.style import language
from felicity.windows import Location, Window, WindowKey
from tests.conftest import CHECKOUT
from tests.serve.conftest import Serve, form
from tests.serve.test_pages import PEOPLE
from tests.support.town import FIRST, MODEL, ZONE, fill
from tests.support.windows import answers, make_windows, shares, soft_matrix

SOURCE = CHECKOUT / "src" / "felicity"
NAMES = {"Harbour", "Market", "Quay", "Pier", "Kiosk", "Nowhere", "Happiness", "index", "Felicity", "Europe", "Paris"}
OF_DATA = NAMES | {"hog", "yunet", "model", "min", "from", "soon", "English", "Deutsch", "Bahasa", "Indonesia"}
"""Names, units, and words that are the same in every language."""
BRACKETED = re.compile("⟦[^⟦⟧]*⟧")
WORD = re.compile(r"[^\W\d_]{3,}")
DAY_AFTER, LATER = FIRST + timedelta(days=1), FIRST + timedelta(days=30)


class Marked(dict[str, str]):
    """A catalogue of a language that puts each text between brackets."""

    def get(self, text: str, default: Any = None) -> str:  # type: ignore[override]
        parts = Formatter().parse(text)
        return "".join((f"⟦{said}⟧" if said else "") + (f"{{{name}}}" if name else "") for said, name, _, _ in parts)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "catalogue", lambda code: Marked() if code != "en" else {})


def english(html: str) -> list[str]:
    """What a page says outside of brackets, by word."""
    bare = re.sub(r"<(style|title|script|code|pre|option)\b[^>]*>.*?</\1>", " ", html, flags=re.DOTALL)
    labels = " ".join(re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', bare))
    said = BRACKETED.sub(" ", re.sub(r"<[^>]+>", " ", bare) + " " + labels)
    return [word for word in WORD.findall(said) if word not in OF_DATA]


def seen(rng: np.random.Generator, day: int, hour: int, **more: Any) -> Window:
    """A window of the quay with 60 people found."""
    columns = {
        "frames_seen": 100, "frames_expected": 100, "pictures": 100, "brightness": 12_000.0, "contrast": 5_000.0,
        "sharpness": 5_000.0, "noise": 200.0, "seconds_covered": 60.0,
    } | more  # fmt: skip
    people = 60 - sum(columns.get("rejected", {}).values())  # type: ignore[attr-defined]
    p = answers(rng, rng.choice(8, people, p=shares(0.4)))
    begin = (FIRST + timedelta(days=day)).astimezone(UTC) + timedelta(hours=hour)
    key = WindowKey("Quay", "camera", "made-up", FIRST, MODEL, begin, 60)
    sums = {"hard_counts": np.bincount(p.argmax(axis=1), minlength=8), "prob_sums": p.sum(0), "prob_cross": p.T @ p}
    return Window(key, people_seen=60, people=people, **sums, **columns)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A town whose places give every remark that pages show."""
    url = fill(
        tmp_path_factory.mktemp("troubled") / "town.db",
        {"Harbour": lambda day: 0.3, "Market": lambda day: 0.5}, 43, hours=range(9, 19, 9), populations={"Harbour": 10},
    )  # fmt: skip
    rng = np.random.default_rng(3)
    poor = {
        "lifted": 20, "frames_unfit": {"faint": 40, "noisy": 20}, "frames_frozen": 30, "frames_damaged": 20,
        "brightness": 4_000.0, "noise": 900.0, "rejected": {"blurred": 14, "covered": 28, "turned": 8},
    }  # fmt: skip
    with open_store(url) as store:
        store.add_locations([Location(name, timezone=ZONE.key) for name in ("Quay", "Pier", "Kiosk", "Empty")])
        store.remove_location("Empty")
        windows = [seen(rng, day, hour, **(poor if day >= 8 else {})) for day in range(12) for hour in (9, 10, 15)]
        store.write_windows(store.begin_run("Quay", "camera", "made-up", FIRST, MODEL), windows)
        store.save_model("model-2", soft_matrix(np.random.default_rng(2)))
        for place, model, detector, begin in (
            ("Market", "model-2", "", FIRST), ("Pier", MODEL, "hog 1", FIRST), ("Pier", MODEL, "", DAY_AFTER),
            ("Pier", MODEL, "yunet 1", DAY_AFTER), ("Pier", MODEL, "hog 1", LATER),
        ):  # fmt: skip
            made = make_windows(
                rng, 90, location=place, model=model, detector=detector, people=3.0, begin=begin, source=detector or "x"
            )
            key = made[0].key
            run = store.begin_run(place, key.camera, key.source, key.run_start, model, detector=detector)
            store.write_windows(run, made)
    return url


@pytest.fixture
def client(serve: Serve, troubled: str, marked: None) -> TestClient:
    return serve(store=troubled, fresh_seconds=0)


PAGES = {
    "/": ["models are never mixed", "places weighted"],
    "/?period=7": ["Nothing was counted in this period."],
    "/place?name=Quay": [
        " of the frames to find all faces; ", " people found could not be judged (", " had faces so faint",
        " people found were too blurred to judge; ", ": the picture stood still in ", " of the frames were damaged",
        ": the picture was ", "much darker", "the lower face was covered, as by a mask, on ", "a trend needs at least ",
        "too little light or contrast", "with the lower face covered",
    ],
    "/place?name=Market": [": windows of ", " are left out (", "models are never mixed"],
    "/place?name=Pier": ["detectors find other people", " windows do not say which detector found their faces"],
    "/place?name=Kiosk": ["there are no data of the day yet"],
    "/place?name=Harbour&from=2026-02-09T10:30": [": "],
    "/compare?first=Harbour&second=Harbour": ["is compared with itself"],
    "/compare?first=Harbour&second=Kiosk": ["a ranking needs two locations with figures, and there are "],
    "/compare?first=Harbour&second=Nowhere": ["there is no location ", "; known are "],
    "/compare?first=Harbour&second=Market&from=2026-05-01&to=2026-04-01": ["must be after the begin"],
    "/compare?first=Harbour&second=Market&from=soon": ["a time in ISO 8601 expected"],
    "/compare?place=Harbour&at=1999-01-01": [" lies outside the data, which run from "],
    "/compare?place=Harbour&at=2026-02-05": [" with a figure before "],
    "/compare?place=Harbour&at=2026-03-12": [" with a figure from "],
    "/compare?place=Kiosk&at=2026-02-23": ["there are no figures of "],
    "/compare?place=Harbour&at=2026-02-23&beside=Harbour": [" is named twice; "],
    "/compare?place=Harbour&at=2026-02-23": ["whatever else changed at that time counts as effect"],
    "/about": [], "/wall?period=all": [], "/wall?place=Quay": [], "/embed": [], "/embed?show=badge": [], "/tryit": [],
    "/sign-in": [],
}  # fmt: skip
"""Pages, and parts of remarks that they show."""


@pytest.mark.parametrize("address", PAGES)
def test_no_page_shows_a_remark_that_no_catalogue_has(client: TestClient, address: str) -> None:
    answer = client.get(address, headers=PEOPLE | {"Accept-Language": "de"})
    assert answer.status_code == 200, answer.text
    said = answer.text.replace("\u00a0", " ")
    assert [part for part in PAGES[address] if part not in said] == []
    assert english(said) == []


PROBLEMS = [
    ("/nothing", 404), ("/place", 422), ("/place?name=Nowhere", 404), ("/place?name=", 422), ("/?period=9", 422),
    (f"/place?name={'x' * 201}", 422), ("/?days=3", 422), ("/place?name=Harbour&from=soon", 422), ("/language/xx", 404),
    ("/badge.svg?place=Nowhere", 404), ("/sign-in?to=//example.org", 422), ("/wall?place=Nowhere", 404),
    ("/place?name=Harbour&from=2026-03-01&to=2026-02-01", 422), ("/enter/wrong", 401),
]  # fmt: skip


@pytest.mark.parametrize(("address", "status"), PROBLEMS)
def test_no_problem_is_told_in_english_alone(client: TestClient, address: str, status: int) -> None:
    answer = client.get(address, headers=PEOPLE | {"Accept-Language": "id"})
    assert answer.status_code == status and answer.headers["content-language"] == "id"
    said = re.sub(r"query\.\w+|[a-z]+-[a-z-]+|\binvalid\b|&#39;.*?&#39;", " ", answer.text)
    assert english(said) == []


def test_limits_and_forms_are_told_in_the_readers_language(serve: Serve, tmp_path: Path, marked: None) -> None:
    store = fill(tmp_path / "own.db", {"Harbour": lambda day: 0.4}, 2)
    users.add_user("anna", "analyst", "a password of hers", store=store)
    asking = PEOPLE | {"Accept-Language": "de"}
    client = serve(store=store, open_access=False, rate=8, body_bytes=1000)
    wrong_host = client.get("/", headers=asking | {"Host": "evil.example"})
    large = client.post("/sign-in", content=b"x" * 1001, headers=asking)
    forged = client.post("/sign-in", data={"form": "x"}, headers=asking | {"Sec-Fetch-Site": "cross-site"})
    lacking = client.post("/sign-in", data=form(client, name="anna"), headers=asking)
    many = [client.get("/", headers=asking) for _ in range(12)][-1]
    for answer, status in ((wrong_host, 421), (large, 413), (forged, 403), (lacking, 422), (many, 429)):
        assert answer.status_code == status and answer.headers["content-type"].startswith("text/html"), answer.text
        said = re.sub(r"[a-z]+-[a-z-]+|\binvalid\b|localhost|--name|⟧password", "⟧", answer.text)
        assert english(said) == [], answer.text
    assert client.get("/", headers={"Host": "evil.example"}).headers["content-type"] == "application/problem+json"


REACHED = [
    *(SOURCE / "index").glob("*.py"), *(SOURCE / "over_time").glob("*.py"), SOURCE / "cities" / "city.py",
    SOURCE / "cities" / "ranking.py", SOURCE / "publishing" / "view.py", SOURCE / "windows" / "buckets.py",
    *(SOURCE / "store" / f"{name}.py" for name in ("choosing", "folded", "query")),
    *(SOURCE / "api" / f"{name}.py" for name in ("looking", "comparing_places", "places", "published")),
]  # fmt: skip
"""Modules whose notes and reasons reach pages."""
FOR_PROGRAMS = ("figures", "push", "classify", "places")
"""Modules of the server that answer programs alone."""
ELSEWHERE = {
    "a bootstrap",
    "calibration",
    "at least",
    "a row begins",
    "two rows",
    "happy is answered",
    "weeks is",
    "period to",
}
"""Begins of reasons that no page can give: of calibrations, of programs' own mistakes."""


def made_of_words(node: ast.AST) -> bool:
    """Whether the node is English with values in it, or English alone."""
    if isinstance(node, ast.JoinedStr):
        return any(
            re.search(r"[a-z]{2,} [a-z]{2,}", str(part.value)) for part in node.values if isinstance(part, ast.Constant)
        )
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value


def remarks(path: Path, *kinds: str, place: int) -> Iterator[str]:
    """The texts of notes or errors that are written as they are, without ``say``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
            yield from (
                f"{path.name}: {ast.unparse(one)}" for one in node.args[place : place + 1] if made_of_words(one)
            )


def test_every_note_reason_and_problem_of_a_page_goes_through_the_catalogues() -> None:
    told = [text for path in REACHED for text in remarks(path, "Note", place=1)]
    told += [text for path in REACHED for text in remarks(path, "EstimateError", place=0)]
    assert [text for text in told if not any(part in text for part in ELSEWHERE)] == []
    serve = [path for path in (SOURCE / "serve").glob("*.py") if path.stem not in FOR_PROGRAMS]
    assert [text for path in serve for text in remarks(path, "Problem", place=1)] == []


def test_programs_hear_english_whatever_they_ask_for(serve: Serve, troubled: str, marked: None) -> None:
    client = serve(store=troubled, fresh_seconds=0)
    for address in ("/api/v1/index", "/api/v1/index?from=soon", "/api/v1/city", "/api/v1/index?by=year"):
        assert "⟦" not in client.get(address, headers=PEOPLE | {"Accept-Language": "de"}).text
