"""A page on which a person labels pictures that lie beside it; it holds no picture itself and asks no server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from felicity.labels import EXPRESSIONS
from felicity.style.pages import render_page


def labelling_page(rows: Sequence[tuple[str, float]]) -> str:
    """Return the page for pictures, each a path from the page's folder and its weight."""
    faces = [{"path": path, "address": quote(path), "weight": f"{weight:.6g}"} for path, weight in rows]
    return render_page(
        Path(__file__).with_name("labelling.html.j2"),
        title="What do these faces show?",
        faces=faces,
        labels=[str(expression) for expression in EXPRESSIONS],
    )
