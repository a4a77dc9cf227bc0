"""Figures over HTTP are those of the commands: same shapes, same values, as JSON, CSV and Parquet."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from unittest import mock

import jsonschema
import pyarrow.parquet as pq
import pytest

from felicity import api
from felicity.schemas import envelope
from tests.serve.conftest import Serve
from tests.support.command import felicity_answer
from tests.support.town import fill, watch

ASKED = {
    "index": ("/api/v1/index?by=day&limit=100000", ["index", "--by", "day"]),
    "trend": ("/api/v1/trend?location=Harbour", ["trend", "--location", "Harbour"]),
    "effect": (
        "/api/v1/effect?at=2026-02-23&locations=Harbour&comparison=Market",
        ["effect", "--at", "2026-02-23", "--locations", "Harbour", "--comparison", "Market"],
    ),
    "city": ("/api/v1/city", ["city"]),
}


@pytest.mark.parametrize("name", ASKED)
def test_an_address_answers_what_the_command_prints(name: str, serve: Serve, town: str, tmp_path: Any) -> None:
    address, words = ASKED[name]
    answer = serve().get(address)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    jsonschema.Draft202012Validator(envelope.json_schema(name)).validate(answer.json())
    data, notes = felicity_answer(*words, "--store", town, home=tmp_path)
    assert answer.json()["data"] == data and answer.json()["notes"] == notes


def test_tables_have_times_of_the_place_with_their_offset(serve: Serve) -> None:
    client = serve()
    plain = client.get("/api/v1/index?by=day&limit=100000").json()["data"]["rows"]
    answer = client.get("/api/v1/index?by=day&format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["location"], row["start"]) for row in rows] == [(row["location"], row["start"]) for row in plain]
    assert rows[0]["start"] == "2026-02-02T00:00:00+01:00"
    table = pq.read_table(io.BytesIO(client.get("/api/v1/index?by=day&format=parquet").content))
    assert table.column("start").to_pylist() == [row["start"] for row in rows]
    assert table.column("people").to_pylist() == [row["people"] for row in plain]


def test_pages_of_rows_join_to_all_of_them(serve: Serve) -> None:
    client = serve()
    whole = client.get("/api/v1/index?by=day&limit=100000").json()["data"]["rows"]
    joined: list[Any] = []
    address: str | None = "/api/v1/index?by=day&limit=20"
    while address:
        answer = client.get(address)
        rows = answer.json()["data"]["rows"]
        assert 0 < len(rows) <= 20
        joined += rows
        address = answer.links["next"]["url"] if "next" in answer.links else None
    assert joined == whole and len(joined) == 86


def test_locations_are_geojson(serve: Serve) -> None:
    answer = serve().get("/api/v1/locations")
    assert answer.headers["content-type"] == "application/geo+json"
    first = answer.json()["features"][0]
    assert first["type"] == "Feature" and first["geometry"] == {"type": "Point", "coordinates": [2.3, 48.8]}
    assert first["properties"] == {
        "name": "Harbour", "timezone": "Europe/Paris", "population": 10, "site_type": None, "code": None,
    }  # fmt: skip


def test_schemas_are_those_of_the_command(serve: Serve) -> None:
    told = serve().get("/api/v1/schemas").json()
    assert told == {name: envelope.json_schema(name) for name in envelope.names()}


def test_an_answer_is_not_sent_again_to_whoever_has_it(serve: Serve) -> None:
    client = serve()
    first = client.get("/api/v1/index?by=day")
    assert first.headers["cache-control"] == "private, max-age=5" and first.headers["content-encoding"] == "gzip"
    again = client.get("/api/v1/index?by=day", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == first.headers["etag"]
    plain = client.get("/api/v1/index?by=day", headers={"Accept-Encoding": "identity"})
    assert plain.json() == first.json() and "content-encoding" not in plain.headers


def test_fewer_people_than_the_server_shows_are_not_to_be_had(serve: Serve) -> None:
    client = serve(k=20)
    assert client.get("/api/v1/index").json()["data"]["k"] == 20
    assert client.get("/api/v1/index?k=30").json()["data"]["k"] == 30
    refused = client.get("/api/v1/index?k=19")
    assert refused.status_code == 422 and "fewer than 20 people" in refused.json()["detail"]


def test_an_answer_stays_while_the_data_do_and_changes_with_them(serve: Serve, tmp_path: Path) -> None:
    store = fill(tmp_path / "own.db", {"Harbour": lambda day: 0.3}, 2)
    with mock.patch.object(api, "happiness", wraps=api.happiness) as computed:
        for fresh, times in ((0, 1), (60, 1)):
            computed.reset_mock()
            client = serve(store=store, fresh_seconds=fresh)
            first = client.get("/api/v1/index")
            assert [client.get("/api/v1/index").headers["etag"] for _ in range(5)] == [first.headers["etag"]] * 5
            assert computed.call_count == times
            watch(store, "Harbour")
            again = client.get("/api/v1/index")
            assert (again.headers["etag"] != first.headers["etag"]) == (fresh == 0)
            assert computed.call_count == times + (fresh == 0)


def test_a_public_answer_changes_with_the_release_alone(serve: Serve, tmp_path: Path) -> None:
    store = fill(tmp_path / "own.db", {"Harbour": lambda day: 0.3}, 2)
    client = serve(store=store, open_access=False, public=True)
    with mock.patch.object(api, "published_index", wraps=api.published_index) as computed:
        api.make_releases(store=store)
        first = client.get("/api/v1/index?by=day").headers["etag"]
        api.add_token("wall", ["read"], store=store)
        assert client.get("/api/v1/index?by=day").headers["etag"] == first and computed.call_count == 1
        watch(store, "Harbour")
        assert client.get("/api/v1/index?by=day").headers["etag"] == first and computed.call_count == 1
        api.make_releases(store=store)
        assert client.get("/api/v1/index?by=day").status_code == 200 and computed.call_count == 2
