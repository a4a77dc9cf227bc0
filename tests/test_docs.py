"""Documentation that does not match the program fails here."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

import felicity
from felicity.cli.app import app
from felicity.cli.panels import Panel
from tests.conftest import CHECKOUT

PAGES = [
    CHECKOUT / "README.md",
    *sorted((CHECKOUT / "docs").glob("*.md")),
    *sorted((CHECKOUT / "docs" / "tutorials").glob("*.md")),
    *sorted((CHECKOUT / "docs" / "how-to").glob("*.md")),
]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def shown_commands(page: Path) -> list[str]:
    """The ``felicity …`` lines of a page's code blocks, without comments."""
    blocks = re.findall(r"```\w*\n(.*?)```", page.read_text(), re.DOTALL)
    shown = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines = [line.split("#")[0].strip().removeprefix("$ ") for line in shown]
    return [line for line in lines if line.startswith("felicity ")]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_page_of_commands_lists_each_where_help_does(name: str) -> None:
    text = (CHECKOUT / "docs" / "commands.md").read_text()
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    assert list(parts) == list(Panel)
    assert f"felicity {name}" in re.findall(r"^felicity [a-z]+", parts[COMMANDS[name].rich_help_panel], re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_that_are_shown_exist(page: Path) -> None:
    for line in shown_commands(page):
        words = shlex.split(line)[1:]
        command = COMMANDS[words[0]]
        if hasattr(command, "commands"):
            command = command.commands[words[1]]
        options = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            if word.startswith("-") and not re.fullmatch(r"-\d+", word):
                assert word.split("=")[0] in options, f"{line}: {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_what_it_does(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0 and (COMMANDS[name].help or "").strip()


def test_make_model_goes_the_whole_way_where_nothing_is_trained_yet(tmp_path: Path) -> None:
    words = ["make", "--dry-run", "model", f"WORK={tmp_path}"]
    shown = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    recipes = [Path(name).stem for name in re.findall(r"felicity train .*--config (\S+)", shown)]
    assert sorted(recipes) == sorted(
        file.stem for file in (CHECKOUT / "recipes").glob("*.toml") if file.stem not in ("card", "covered")
    )
    written = re.findall(r"covered_head.py \S+-plain (\S+) ", shown)
    assert written == ["src/felicity/models/zoo/best", "src/felicity/models/zoo/fast"]


def resolve(name: str) -> object:
    """The module, class or function of felicity that a dotted name means."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(["felicity", *parts[:end]]))
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("felicity"):
                raise
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise LookupError(name)


WAYS = re.split(r"^##+ ", (CHECKOUT / "CONTRIBUTING.md").read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("title", ["From a frame to a figure", "From a csv row to a bundle"])
def test_the_ways_through_the_house_name_what_is_there(title: str) -> None:
    (way,) = (part for part in WAYS if part.startswith(title))
    names = re.findall(r"`([a-z_]+(?:\.\w+)+)`", way)
    assert len(names) > 15
    for name in names:
        resolve(name)


def test_every_room_is_in_the_table_of_the_house() -> None:
    rooms = {path.parent.name for path in (CHECKOUT / "src/felicity").glob("*/__init__.py")}
    (house,) = (part for part in WAYS if part.startswith("The house"))
    assert rooms <= set(re.findall(r"`(\w+)/`", house))


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "src/felicity/__init__.py"
    assert CliRunner().invoke(app, ["--version"]).stdout == f"felicity {felicity.__version__}\n"


def test_decisions_are_short_and_say_why() -> None:
    records = sorted((CHECKOUT / "docs/decisions").glob("[0-9]*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text()
        assert text.count("\n") <= 40, record.name
        for part in ("**Context.**", "**Decision.**", "**Consequences.**"):
            assert part in text, record.name
