"""One document as Markdown and as a page."""

from __future__ import annotations

from felicity.style.charts import new_canvas, style
from felicity.style.document import Block, Code, Heading, Items, Picture, Table, to_markdown, to_page


@style()
def blocks() -> list[Block]:
    return [
        "Of <b> and `x < 1`, see [there](other.md): 5 %.",
        Heading("Part & parcel"),
        Table(("a", "b"), [("x", 1.5)]),
        Items(["one", "two"]),
        Code("felicity <command>"),
        Picture("shown", "what is shown", new_canvas(1.0)),
    ]


def test_markdown_holds_every_block() -> None:
    text = to_markdown("A title", blocks(), pictures="folder")
    assert text.startswith("# A title\n\nOf <b> and `x < 1`, see [there](other.md): 5 %.\n\n## Part & parcel\n\n")
    assert "| a | b |\n|---|---|\n| x | 1.5 |" in text and "- one\n- two" in text
    assert "```\nfelicity <command>\n```" in text and "![what is shown](folder/shown.png)" in text


def test_a_page_holds_every_block_escaped() -> None:
    text = to_page("A title", blocks())
    assert "<p>Of &lt;b&gt; and <code>x &lt; 1</code>, see there: 5\u00a0%.</p>" in text
    assert "<h2>Part &amp; parcel</h2>" in text and "<td>1.5</td>" in text and "<li>two</li>" in text
    assert "<pre>felicity &lt;command&gt;</pre>" in text and 'aria-label="what is shown"' in text
