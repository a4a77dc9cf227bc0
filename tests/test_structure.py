"""The shape of the code: no import cycles, and modules and functions of a size that fits a screen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

import felicity

pytestmark = pytest.mark.quick
ROOT = Path(felicity.__file__).parent
MODULES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}
MODULE_LINES, FUNCTION_LINES = 320, 60

LONG_FUNCTIONS = {
    "store/migrations/versions/0001_first.py:upgrade": "a released migration stays as it ran",
    "api/seeing.py:watch": "to be divided",
    "cli/commands/bundle.py:export": "to be divided",
    "cli/commands/compare.py:compare": "to be divided",
    "cli/commands/data.py:inspect": "to be divided",
    "cli/commands/data.py:prepare": "to be divided",
    "cli/commands/doctor.py:doctor": "to be divided",
    "cli/commands/evaluate.py:evaluate": "to be divided",
    "cli/commands/simulate.py:simulate": "to be divided",
    "cli/commands/train.py:train": "to be divided",
    "cli/commands/watch.py:watch": "to be divided",
    "watching/watch.py:watch_source": "to be divided",
}
"""Functions over FUNCTION_LINES, each with the reason. ruff's C901 holds the complexity."""


def test_no_two_modules_import_each_other() -> None:
    graph = grimp.build_graph("felicity", cache_dir=None)
    cycles = []
    for module in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            if back := graph.find_shortest_chain(imported, module):
                cycles.append(" -> ".join((module, *back)))
    assert not cycles, "imports inside functions count, too; move what both need into a module of its own"


def test_modules_are_short() -> None:
    found = {name: lines for name, text in MODULES.items() if (lines := len(text.splitlines())) > MODULE_LINES}
    assert not found, f"at most {MODULE_LINES} lines: divide a module by what it does"


def test_functions_are_short() -> None:
    found = {name: lines for name, lines in _functions() if lines > FUNCTION_LINES}
    long = {name: lines for name, lines in found.items() if name not in LONG_FUNCTIONS}
    assert not long, f"at most {FUNCTION_LINES} lines: give the parts of a function names"
    assert not LONG_FUNCTIONS.keys() - found.keys(), "these are short by now: no exceptions any more"


def _functions() -> Iterator[tuple[str, int]]:
    for name, text in MODULES.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{name}:{node.name}", node.end_lineno - node.lineno + 1
