"""Results in a notebook: as a piece of HTML, as data frames, and a line that shows the progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from felicity.errors import require

if TYPE_CHECKING:
    from felicity.style.document import Block

_LOOK = (
    ".felicity table{border-collapse:collapse;margin:.4em 0}.felicity td,.felicity th{padding:.15em .7em;text-align:"
    "right;border-bottom:1px solid #d9dee4}.felicity td:first-child,.felicity th:first-child{text-align:left}"
    ".felicity svg{max-width:100%;height:auto;width:var(--wide)}.felicity p{margin:.4em 0}"
)
EVERY = 0.2
"""Seconds between two updates of a line."""


class Shown:
    """A result whose ``blocks`` a notebook shows."""

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks from top to bottom."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        from felicity.style.document import to_fragment

        return f'<style>{_LOOK}</style><div class="felicity">{to_fragment(self.blocks)}</div>'

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print a short text for front ends without HTML, instead of the figures of years."""
        printer.text(f"<{type(self).__name__}, a page of tables and charts in a notebook>")


def to_frame(rows: Iterable[Any], columns: Sequence[str] | None = None, index: str | None = None) -> Any:
    """Return a ``pandas.DataFrame``. Raises ExtraMissingError without the extra ``notebook``."""
    frame = require("pandas", "notebook").DataFrame(list(rows), columns=columns)
    return frame if index is None else frame.set_index(index)


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell is not None and hasattr(shell, "kernel")


class Line:
    """A line below a cell, which shows the progress and keeps its last text."""

    def __init__(self) -> None:
        self._display = require("IPython.display", "notebook")
        self._handle = self._display.display(self._display.HTML(""), display_id=True)
        self._said = 0.0

    def say(self, text: str, *, always: bool = True) -> None:
        """Replace the line by ``text``; unless ``always``, no more often than people can read."""
        now = time.monotonic()
        if always or now - self._said >= EVERY:
            self._said = now
            self._handle.update(self._display.HTML(f"<code>{escape(text)}</code>"))
