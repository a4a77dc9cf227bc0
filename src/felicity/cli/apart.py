"""Commands that never write an output over one of their inputs, whatever their options are called."""

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
"""Suffixes of the files of a SQLite store."""


class Command(TyperCommand):
    """A command that checks, before it begins, that no output file is one of its input files."""

    def invoke(self, ctx: Any) -> Any:
        """Raise ConfigError if an output file is an input file; else run the command."""
        if outputs := ctx.meta.get(OUTPUTS):
            check_apart(outputs, _inputs(ctx, outputs))
        return super().invoke(ctx)


def _inputs(ctx: Any, outputs: list[Path]) -> Iterator[Path]:
    """Return every text and path of a command line that may name an input file, without the output files."""
    for name, value in ctx.params.items():
        if name == "store":
            store = str(value or paths.home() / "felicity.db").removeprefix("sqlite:///")
            yield from (Path(f"{store}{ending}") for ending in _BESIDE)
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(one, (str, Path)) and not any(one is output for output in outputs):
                yield Path(one)


def use(app: typer.Typer) -> None:
    """Make all commands of ``app`` and of its groups check their outputs."""
    for command in app.registered_commands:
        command.cls = Command if command.cls is TyperCommand else command.cls
    for group in app.registered_groups:
        if group.typer_instance is not None:
            use(group.typer_instance)
