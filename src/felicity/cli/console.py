"""Printing: results on stdout, everything else on stderr; tables for people, JSON for programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from felicity.redaction import redacted
from felicity.visible import visible, visible_json

if TYPE_CHECKING:
    from rich.progress import Progress

    from felicity.api.answers import Answer
    from felicity.notes import Note


class _Plain(Console):
    """A console on which no external text controls the terminal or shows a secret."""

    def render_str(self, text: str, **how: Any) -> Any:
        return super().render_str(visible(redacted(text), keep="\n\t"), **how)


def shown(text: object) -> str:
    """Return one line of text for the terminal, with brackets shown as they are."""
    return escape(visible(redacted(str(text))))


out = _Plain(highlight=False, emoji=False)
if not out.is_terminal and "COLUMNS" not in os.environ:
    out.width = 120  # a file or a pipe has no width of its own
err = _Plain(stderr=True, highlight=False, emoji=False)


def fail(message: str) -> None:
    """Print an error as one sentence on stderr."""
    err.print(f"[bold red]error[/] {shown(message)}", soft_wrap=True)


def warn(note: Note | str) -> None:
    """Print a remark on stderr."""
    err.print(f"[yellow]note[/] {shown(note)}", soft_wrap=True)


def notes(remarks: Iterable[Note | str]) -> None:
    """Print each of ``remarks`` on stderr once."""
    for remark in dict.fromkeys(remarks):
        warn(remark)


def say(message: str) -> None:
    """Print a line about the work in progress on stderr."""
    err.print(shown(message), soft_wrap=True)


def confirm(loss: str, *, yes: bool) -> None:
    """Ask whether to continue with an action that destroys ``loss``, unless ``yes``.

    Raises ConfigError if nobody can answer. Raises ``typer.Abort`` for any answer but yes.
    """
    import sys

    import typer

    from felicity.errors import ConfigError

    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"this deletes {loss}, for good; pass --yes if it is meant")
    typer.confirm(f"This deletes {loss}, for good. Go on?", abort=True, err=True)


@contextmanager
def told_how_to_go_on(how: str) -> Iterator[None]:
    """Print how to resume if a person stops the work within."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"stopped; {how} goes on from there")
        raise


def emit(name: str, data: Any, notes: Iterable[Note] = ()) -> None:
    """Print the answer ``name`` in its envelope on one line of stdout; see ``schemas.envelope.document``."""
    from felicity.schemas.envelope import document

    _print_json(document(name, data, notes))


def emit_answer(answer: Answer) -> None:
    """Print an answer of ``api.answers`` as ``emit`` does."""
    emit(answer.name, answer.data, answer.notes)


def emit_line(name: str, data: Any) -> None:
    """Print one line of the streaming answer ``name``, JSON Lines without an envelope."""
    from felicity.schemas.envelope import line

    _print_json(line(name, data))


def _print_json(value: Any) -> None:
    print(visible_json(json.dumps(value, ensure_ascii=False, allow_nan=False)), flush=True)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None, numbers: Sequence[str] = ()
) -> None:
    """Print a table on stdout; columns named in ``numbers`` are aligned right. A ``Text`` cell keeps its style."""
    drawn = Table(title=title, title_justify="left", header_style="bold", pad_edge=False, box=box.SIMPLE_HEAD)
    for column in columns:
        drawn.add_column(
            column, justify="right" if column in numbers else "left", overflow="fold", no_wrap=column in numbers
        )
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else shown(cell) for cell in row))
    out.print(drawn)


def progress() -> Progress:
    """Return a progress display on stderr, which vanishes when done and is absent without a terminal."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
