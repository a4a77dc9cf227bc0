"""Commands whose outputs take the place of none of their inputs, whatever the options are called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from felicity import paths
from felicity.cli.options import OUTPUTS
from felicity.files import check_apart

_BESIDE = ("", "-wal", "-shm", "-journal")
"""A SQLite store is these files."""


class Command(TyperCommand):
    """A command that looks, before it begins, whether a file to write is one that it reads."""

    def invoke(self, ctx: Any) -> Any:
        """Raise ConfigError where it is; else run the command."""
        if outputs := ctx.meta.get(OUTPUTS):
            check_apart(outputs, _inputs(ctx, outputs))
        return super().invoke(ctx)


def _inputs(ctx: Any, outputs: list[Path]) -> Iterator[Path]:
    """What of a command line may name a file to read: every text and path in it but the files to write."""
    for name, value in ctx.params.items():
        if name == "store":
            store = str(value or paths.home() / "felicity.db").removeprefix("sqlite:///")
            yield from (Path(f"{store}{ending}") for ending in _BESIDE)
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(one, (str, Path)) and not any(one is output for output in outputs):
                yield Path(one)


def use(app: typer.Typer) -> None:
    """Let all commands of ``app`` and of its groups be so."""
    for command in app.registered_commands:
        command.cls = Command if command.cls is TyperCommand else command.cls
    for group in app.registered_groups:
        if group.typer_instance is not None:
            use(group.typer_instance)
