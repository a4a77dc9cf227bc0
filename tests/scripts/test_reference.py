"""The site's reference names everything that a user can type or read."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from pydantic import BaseModel
from scripts import reference

import felicity
from felicity import metrics, serve
from felicity.api.pushing import REFUSALS
from felicity.cameras.settings import CamerasFile
from felicity.cli.app import app
from felicity.notes import CODES
from felicity.schemas import envelope
from felicity.serve import entering
from felicity.serve import pages as serve_pages
from felicity.serve.problems import CODES as PROBLEMS
from felicity.simulation.town import PlacesFile
from felicity.training.config import TrainConfig
from tests.conftest import CHECKOUT

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def made() -> reference.Pages:
    return reference.pages()


def test_every_command_and_option_has_its_place(made: reference.Pages) -> None:
    for name, command in COMMANDS.items():
        page = made[f"commands/{name}.md"]
        assert f"(commands/{name}.md)" in made["commands.md"]
        for word, part in getattr(command, "commands", {"": command}).items():
            assert f"felicity {name} {word}".strip() in page
            for option in (o for p in part.params if not p.hidden for o in p.opts if o.startswith("--")):
                assert f"`{option}`" in page, f"{name} {word} {option}"


def test_every_answer_has_its_keys(made: reference.Pages) -> None:
    for name in envelope.names():
        assert f"(answers/{name}.md)" in made["answers.md"]
        assert re.search(r"^\| `[^`]+` \| \S", made[f"answers/{name}.md"], re.MULTILINE), name


@pytest.mark.parametrize("model", [TrainConfig, CamerasFile, PlacesFile])
def test_every_key_of_the_toml_files_is_listed(made: reference.Pages, model: type[BaseModel]) -> None:
    listed = set(re.findall(r"^\| `([^`]+)`", made["settings.md"], re.MULTILINE))
    assert {
        key for key in model.model_fields if not any(k == key or k.startswith((f"{key}.", f"{key}[")) for k in listed)
    } == set()


def test_every_code_of_a_note_is_listed(made: reference.Pages) -> None:
    assert set(re.findall(r"^\| `([^`]+)`", made["notes.md"], re.MULTILINE)) == set(CODES)


def test_every_environment_variable_that_is_read_is_listed(made: reference.Pages) -> None:
    listed = set(re.findall(r"^\| `([^`]+)`", made["environment.md"], re.MULTILINE))
    assert set(variables(CHECKOUT / "src")) == listed


def variables(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        yield from re.findall(r"\bFELICITY_[A-Z]+(?:_[A-Z]+)*\b", path.read_text())


def test_every_address_of_a_server_and_every_code_of_it_is_listed(made: reference.Pages) -> None:
    modules = [
        importlib.import_module(f"{serve.__name__}.{found.name}") for found in pkgutil.iter_modules(serve.__path__)
    ]
    served = {
        f"{method} {route.path}"
        for module in modules if module not in (entering, serve_pages)
        for route in getattr(getattr(module, "router", None), "routes", ()) if route.include_in_schema
        for method in route.methods
    }  # fmt: skip
    listed = set(re.findall(r"^## ((?:GET|POST) \S+)$", made["rest.md"], re.MULTILINE))
    assert {one.replace("/api/v1/", "/") for one in served} == {one.replace("/api/v1/", "/") for one in listed}
    assert len(listed) > 8
    codes = set(re.findall(r"^\| `([a-z-]+)` \|", made["rest.md"].partition("## Codes of problems")[2], re.MULTILINE))
    assert codes == {*PROBLEMS, *REFUSALS}


def test_every_metric_is_defined(made: reference.Pages) -> None:
    for module in pkgutil.iter_modules(metrics.__path__):
        assert f"## {module.name}\n" in made["metrics.md"]
        tree = ast.parse((Path(metrics.__path__[0]) / f"{module.name}.py").read_text())
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert f"### {node.name}\n" in made["metrics.md"], node.name


def test_every_public_name_is_described(made: reference.Pages) -> None:
    for name in felicity.__all__:
        assert name == "__version__" or f"## felicity.{name}\n" in made["python.md"]


def test_pages_that_are_gone_are_removed(tmp_path: Path) -> None:
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands" / "gone.md").write_text("old")
    reference.write(tmp_path)
    assert not (tmp_path / "commands" / "gone.md").exists()
    assert (tmp_path / "commands" / "index.md").read_text().startswith("# felicity index\n")
