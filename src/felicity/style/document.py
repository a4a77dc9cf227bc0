"""A document of headings, sentences, tables and charts, written once and shown as Markdown and as a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from felicity.style.charts import to_svg
from felicity.style.pages import ROOM, render_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


@dataclass(frozen=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True)
class Code:
    """Lines to type."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    texts: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Headings and rows; ``text`` if cells hold sentences rather than figures."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    text: bool = False


@dataclass(frozen=True)
class Picture:
    """A chart: ``name`` is that of its file, ``alternative`` describes it for people who cannot see it."""

    name: str
    alternative: str
    canvas: Canvas


Block = str | Heading | Code | Items | Table | Picture
"""Plain text is a paragraph, which may hold ``code`` in backticks and links as ``[words](address)``."""


def to_markdown(title: str, blocks: Iterable[Block], *, pictures: str) -> str:
    """Return Markdown; PNG files of the pictures are expected in the folder ``pictures`` beside it."""
    return "\n\n".join([f"# {title}", *(_markdown(block, pictures) for block in blocks)]) + "\n"


def _markdown(block: Block, pictures: str) -> str:
    match block:
        case Heading(text):
            return f"## {text}"
        case Code(text):
            return f"```\n{text}\n```"
        case Items(texts):
            return "\n".join(f"- {text}" for text in texts)
        case Table(columns, rows):
            lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
            return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])
        case Picture(name, alternative):
            return f"![{alternative}]({pictures}/{name}.png)"
        case text:
            return text


def to_page(title: str, blocks: Iterable[Block]) -> str:
    """Return the document as a self-contained HTML page; a section for each heading."""
    from markupsafe import Markup

    sections: list[tuple[str, list[tuple[str, Any]]]] = [("", [])]
    for block in blocks:
        match block:
            case Heading(text):
                sections.append((text, []))
            case Picture(name, alternative, canvas):
                sections[-1][1].append(("chart", to_svg(canvas, name, alternative)))
            case Items(texts):
                sections[-1][1].append(("items", [Markup(_inline(text)) for text in texts]))
            case Code(text):
                sections[-1][1].append(("code", text))
            case Table():
                sections[-1][1].append(("table", block))
            case text:
                sections[-1][1].append(("text", Markup(_inline(text))))
    return render_page(ROOM / "document.html.j2", title=title, sections=sections)


def to_fragment(blocks: Iterable[Block]) -> str:
    """Return the document as a piece of HTML within another page, such as a notebook."""
    return "\n".join(_fragment(block) for block in blocks)


def _fragment(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h4>{_inline(text)}</h4>"
        case Code(text):
            return f"<pre>{escape(text)}</pre>"
        case Items(texts):
            return f"<ul>{''.join(f'<li>{_inline(text)}</li>' for text in texts)}</ul>"
        case Table(columns, rows):
            head = "".join(f"<th>{_inline(str(column))}</th>" for column in columns)
            body = "".join(f"<tr>{''.join(f'<td>{_inline(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
            return f"<table><tr>{head}</tr>{body}</table>"
        case Picture(name, alternative, canvas):
            return f"<div>{to_svg(canvas, f'{name}-{id(canvas):x}', alternative)}</div>"
        case text:
            return f"<p>{_inline(text)}</p>"


def _inline(text: str) -> str:
    """Return escaped text with backticks as code; a link to a local file becomes its words."""
    shown = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", shown).replace(" %", "\u00a0%")
