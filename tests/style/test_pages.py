"""The shell of every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import Environment

from felicity.style.charts import new_canvas, style, svg_file, to_svg
from felicity.style.pages import render_page


def page(folder: Path, body: str, **values: object) -> str:
    template, text = folder / "some.html.j2", '{% extends "page.html.j2" %}{% block main %}' + body + "{% endblock %}"
    if not template.exists():
        template.write_text(text)
    return render_page(template, title="A & B", **values)


def test_a_page_escapes_fetches_nothing_and_keeps_units_with_numbers(tmp_path: Path) -> None:
    shown = page(tmp_path, "<p>{{ name }} {{ value | share }}</p>", name="<b>", value=0.5)
    assert "<title>A &amp; B</title>" in shown and "<p>&lt;b&gt; 50.0\u00a0%</p>" in shown
    assert "default-src 'none'" in shown and "http://" not in shown and "https://" not in shown
    assert not re.search(r"\ssrc=|<script|@import|url\(", shown)
    assert "prefers-color-scheme: dark" in shown and "--ink: #" in shown and "@media print" in shown


def test_a_template_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page(tmp_path, "<p>{{ name }}</p>", name="one")
    monkeypatch.setattr(Environment, "compile", None)
    assert "<p>two</p>" in page(tmp_path, "<p>{{ name }}</p>", name="two")


@style()
def drawn() -> str:
    canvas = new_canvas(2.0)
    canvas.subplots().plot([0, 1], label="x")
    return to_svg(canvas, "one", 'of "A" & B')


def test_a_chart_in_a_page_follows_its_colours_and_stands_alone_as_a_file() -> None:
    svg = drawn()
    assert svg == drawn(), "the same chart gives the same bytes"
    assert 'aria-label="of &quot;A&quot; &amp; B"' in svg and "var(--accent, #" in svg and "xmlns" not in svg
    assert all(name.startswith("one-") for name in re.findall(r'\bid="([^"]+)"', svg))
    assert b'xmlns="http://www.w3.org/2000/svg"' in svg_file(svg)
