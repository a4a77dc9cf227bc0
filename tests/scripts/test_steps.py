"""The reader of pages takes commands with what they show, and compares it but for numbers."""

from __future__ import annotations

from pathlib import Path

from scripts.steps import lacking, steps


def test_commands_come_with_what_the_page_shows(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Text\n\n```console\n$ felicity one \\\n  -o x\nshown\n\nmore\n$ felicity two\n```\n\n```\n$ not this\n```\n"
    )
    assert steps(page) == [("felicity one    -o x", ["shown", "more"]), ("felicity two", [])]


def test_numbers_and_spaces_may_differ_and_words_may_not() -> None:
    printed = " Harbour     1,234   52.7 %   +39.6 \n note: two of them are old"
    assert lacking(["Harbour 7 48.1 % -3.2", "note: … old"], printed) == []
    assert lacking(["Market 7", "note: … new"], printed) == ["Market 7", "note: … new"]
