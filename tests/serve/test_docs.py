"""The reference names every setting, route and code of problems."""

from __future__ import annotations

import re

import typer.main

from felicity.cli.app import app
from felicity.serve.problems import CODES
from tests.conftest import CHECKOUT
from tests.serve.conftest import Serve, app_of, paths

PAGE = (CHECKOUT / "docs" / "serve.md").read_text()


def test_every_setting_is_documented() -> None:
    command = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    options = [max(parameter.opts, key=len) for parameter in command.params]
    assert [name for name in options if name.startswith("--") and f"| `{name}" not in PAGE] == []


def test_every_route_is_documented_with_its_parameters(serve: Serve) -> None:
    described = app_of(serve()).state.describe()["paths"]
    assert len(described) > 7
    for path, methods in described.items():
        for method, said in methods.items():
            (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{method.upper()} {path}` |"))
            for parameter in said.get("parameters", ()):
                assert f"`{parameter['name']}`" in row, (path, parameter["name"])


def test_every_page_and_file_is_documented() -> None:
    asked = {path.partition("/{")[0] for path in paths()}
    said = set(re.findall(r"`(?:[A-Z]+ )?(/[\w./-]*?)/?(?:[A-Z]+|\?[^`]*|\u2026)?`", PAGE))
    assert sorted(asked - said - {""}) == []
    assert len(asked) > 25


def test_every_kind_of_event_is_documented(serve: Serve) -> None:
    feeds = app_of(serve()).state.feeds
    for kind in (feeds.windows.kind, feeds.releases.kind, "reset"):
        assert f"n event `{kind}`" in PAGE


def test_every_code_is_documented_and_only_these() -> None:
    rows = [f"| `{code}` | {status} | {title} |" for code, (status, title) in CODES.items()]
    start = PAGE.index("## Problems")
    assert [line for line in PAGE[start:].split("## ")[1].splitlines() if line.startswith("| `")] == rows
