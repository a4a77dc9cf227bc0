"""Tables for papers: LaTeX with booktabs, from headings and rows of text for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from felicity.style.numbers import NO_FIGURE

SIGNS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\N{MINUS SIGN}": "$-$", "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "<": "$<$", ">": "$>$", NO_FIGURE: "--", "\n": " ", "\r": " ",
}  # fmt: skip
_FIGURE = re.compile(r"[<(]?[+\N{MINUS SIGN}-]?[\d.,]+\b.*")


class Printed(NamedTuple):
    """A table for people: cells are text, or plain values."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def to_latex(tables: Iterable[Printed]) -> bytes:
    """Return a ``tabular`` for each table, its title in a comment above; columns of figures are aligned right."""
    return "\n".join(["% needs \\usepackage{booktabs}", *map(_tabular, tables)]).encode()


def _tabular(table: Printed) -> str:
    rows = [[_text(cell) for cell in row] for row in table.rows]
    columns = list(zip(*rows, strict=True)) or [() for _ in table.columns]
    sides = "".join("r" if all(map(_is_figure, cells)) and any(cells) else "l" for cells in columns)
    lines = [f"% {' '.join(table.title.split())}", f"\\begin{{tabular}}{{{sides}}}", "\\toprule"]
    lines += [_line(table.columns), "\\midrule", *map(_line, rows), "\\bottomrule", "\\end{tabular}", ""]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return " & ".join("".join(SIGNS.get(sign, sign) for sign in cell) for cell in cells) + r" \\"


def _text(cell: Any) -> str:
    if cell is None:
        return NO_FIGURE
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def _is_figure(cell: str) -> bool:
    return cell in ("", "-", NO_FIGURE) or _FIGURE.fullmatch(cell) is not None
