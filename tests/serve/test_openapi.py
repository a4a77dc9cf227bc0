"""Requests drawn from the OpenAPI description: no failure, no answer that it does not describe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as described_by

from felicity.serve.access import Caller
from felicity.serve.app import make_app
from felicity.serve.settings import Settings
from felicity.serve.sight import Everything
from felicity.store import open_store
from tests.serve.conftest import Serve, app_of
from tests.support.town import fill

CHECKS = [
    not_a_server_error,
    described_by.status_code_conformance,
    described_by.content_type_conformance,
    described_by.response_schema_conformance,
]
DRAWN = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The description of a server of a small store that lets everybody do everything; its streams end at once."""
    folder: Path = tmp_path_factory.mktemp("described")
    with open_store(fill(folder / "town.db", {"Harbour": lambda day: 0.3}, 2)) as store:
        app = make_app(store, Settings(rate=0, names=("testserver", "localhost", "127.0.0.1")))

        def anybody(request: Any, scope: str) -> Caller:
            request.state.sight = Everything(store, 10, 5.0, app.state.access.versions)
            request.state.caller = Caller("test", frozenset({"admin"}))
            return request.state.caller  # type: ignore[no-any-return]

        app.state.access.check = anybody
        app.state.feeds.close()
        yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


def test_requests_of_all_kinds_get_described_answers(described: Any) -> None:
    asked = []
    for result in described.get_all_operations():
        operation = result.ok()

        @DRAWN
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            asked.append(case.path)
            case.validate_response(case.call(), checks=CHECKS)

        check()
    assert len(set(asked)) >= 12


def test_the_description_is_served_and_names_all_problems(serve: Serve) -> None:
    client = serve()
    told = client.get("/api/v1/openapi.json").json()
    assert told == app_of(client).state.describe() and told["openapi"].startswith("3.1")
    for path, methods in told["paths"].items():
        for method, said in methods.items():
            assert said["description"], (method, path)
            assert {"200", "422", "429", "500", "503"} <= set(said["responses"]), (method, path)
