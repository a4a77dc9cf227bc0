"""Commands, found by the presence of their modules; each is imported and made when it is asked for.

To make all of them takes longer than many of them run.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from felicity.cli import apart, commands
from felicity.cli.panels import Panel


class Group(TyperGroup):
    """The group of all commands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings | {"commands": _Commands()})

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, those of one purpose together."""
        order = list(Panel)
        return sorted(self.commands, key=lambda name: (order.index(_make(name).rich_help_panel), name))


class _Commands(Mapping[str, Any]):
    """Commands by name; a module has one, or one group, of its own name."""

    def __iter__(self) -> Iterator[str]:
        return iter(_names())

    def __len__(self) -> int:
        return len(_names())

    def __getitem__(self, name: str) -> Any:
        if name not in _names():
            raise KeyError(name)
        return _make(name)


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(commands.__path__)))


@cache
def _make(name: str) -> Any:
    alone = typer.Typer(pretty_exceptions_enable=False)
    module = importlib.import_module(f"{commands.__name__}.{name}")
    module.register(alone)
    apart.use(alone)
    made: Any = get_group(alone).commands[name]
    made.rich_help_panel = module.PANEL
    return made
