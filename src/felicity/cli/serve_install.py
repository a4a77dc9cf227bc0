"""``felicity serve install tryit``: what the page *Try it* needs beside Felicity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.main import get_command

from felicity.cli import apart, console

HELP = "install what the page Try it needs."


def install(
    part: Annotated[Literal["tryit"], typer.Argument(metavar="PART", help="tryit: networks in a visitor's browser.")],
    file: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Take this package instead of letting npm fetch it."),
    ] = None,
) -> None:
    """Fetch onnxruntime-web with npm, check it, and put two of its files into your data folder."""
    from felicity.api import try_it_lacks, web_runtime
    from felicity.notes import Note

    target = web_runtime.install(file)
    console.out.print(str(target), markup=False, soft_wrap=True)
    if web_runtime.folder() != target:
        text = f"{web_runtime.VARIABLE} is set: {web_runtime.folder()} is used, not the files just installed"
        console.warn(Note("runtime-elsewhere", text))
    for command in try_it_lacks():
        console.say(f"the page needs also: {command}")


class Serve(apart.Command):
    """``felicity serve``, which leaves ``felicity serve install`` to that command; other first words are a store."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context of the command that the arguments ask for."""
        if args[:1] != ["install"]:
            return super().make_context(info_name, args, parent, **extra)
        app = typer.Typer(add_completion=False)
        app.command()(install)
        return get_command(app).make_context(f"{info_name} install", args[1:], parent, **extra)
