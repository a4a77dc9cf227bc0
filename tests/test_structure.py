"""The shape of the code: no import cycles, and modules and functions of a size that fits a screen."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import grimp
import pytest

import felicity

pytestmark = pytest.mark.quick
ROOT = Path(felicity.__file__).parent
MODULES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}
MODULE_LINES, FUNCTION_LINES = 320, 60

LONG_FUNCTIONS = {
    "cli/commands/archive.py:archive": "lists its options",
    "cli/commands/bundle.py:export": "lists its options",
    "cli/commands/data.py:inspect": "lists its options",
    "cli/commands/evaluate.py:evaluate": "lists its options",
    "cli/commands/serve.py:serve": "lists its options",
    "cli/commands/simulate.py:simulate": "lists its options",
    "cli/commands/watch.py:watch": "lists its options",
    "store/migrations/versions/0001_first.py:upgrade": "is a released migration, which stays as it ran",
}
"""Functions over FUNCTION_LINES, each with the reason. ruff's C901 holds the complexity."""
COMMAND_LINES = 45
"""Limit of a listed command without its options and its docstring."""


def test_no_two_modules_import_each_other() -> None:
    graph = grimp.build_graph("felicity", cache_dir=None)
    cycles = []
    for module in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            if back := graph.find_shortest_chain(imported, module):
                cycles.append(" -> ".join((module, *back)))
    assert not cycles, "imports inside functions count, too; move what both need into a module of its own"


def test_docstrings_of_functions_begin_with_a_verb_and_no_clause() -> None:
    clauses = {"Whether", "What", "Which", "Of", "How", "As", "By", "In", "From", "For", "Where", "When", "Without"}
    functions = [
        (f"{name}:{node.name}", (ast.get_docstring(node) or "").split(maxsplit=1)[:1])
        for name, text in MODULES.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert not [name for name, first in functions if clauses.intersection(first)], "say Return …, or what it does"


def test_each_migration_follows_the_one_before() -> None:
    texts = {name: text for name, text in MODULES.items() if "/versions/0" in name}
    said = [
        (Path(name).name[:4], *re.findall(r"^(?:down_)?revision = (.*)", text, re.M)) for name, text in texts.items()
    ]
    numbers = [f"{number:04}" for number in range(len(said) + 1)]
    assert said == [(here, f'"{here}"', f'"{before}"' if int(before) else "None") for before, here in pairwise(numbers)]


def test_modules_are_short() -> None:
    found = {name: lines for name, text in MODULES.items() if (lines := len(text.splitlines())) > MODULE_LINES}
    assert not found, f"at most {MODULE_LINES} lines: divide a module by what it does"


def test_functions_are_short() -> None:
    long = {name: node for name, node in _functions() if _last(node) - node.lineno >= FUNCTION_LINES}
    assert not long.keys() - LONG_FUNCTIONS.keys(), "give the parts of these functions names"
    assert not LONG_FUNCTIONS.keys() - long.keys(), "these are short by now: no exceptions any more"
    for name in (name for name, reason in LONG_FUNCTIONS.items() if "options" in reason):
        first = long[name].body[1]  # after the docstring
        assert _last(long[name]) - first.lineno < COMMAND_LINES, f"{name}: a command parses, calls and prints"


def _functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for name, text in MODULES.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}:{node.name}", node


def _last(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno
