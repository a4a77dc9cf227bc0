"""The check of the site's links finds each kind of wrong link, and no other."""

from __future__ import annotations

from pathlib import Path

from scripts.links import wrong


def test_wrong_links_are_named_and_right_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text('<h1 id="here">Other</h1>')
    (tmp_path / "own.css").write_text("")
    right = ["other.html", "other.html#here", "#top", "https://doi.org/10.1/x", "mailto:a@example.org", "own.css"]
    bad = ["gone.html", "other.html#gone", "#gone", "http://example.org/", "https://nowhere/"]
    links = "".join(f'<a href="{target}">x</a>' for target in right + bad)
    loaded = '<link rel="stylesheet" href="own.css"><script src="https://cdn.example.org/x.js"></script>'
    (tmp_path / "page.html").write_text(f'<p id="top">{links}</p>{loaded}')
    found = list(wrong(tmp_path))
    assert len(found) == len(bad) + 1
    for target in [*bad, "https://cdn.example.org/x.js"]:
        assert any(f"page.html: {target} " in reason for reason in found), target
