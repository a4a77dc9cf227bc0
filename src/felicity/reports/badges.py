"""A figure as a small picture for other pages: a badge and a sentence, as SVG without a script or a foreign font."""

from __future__ import annotations

import html
from functools import lru_cache

from felicity.style.palette import INK, LINE, MAIN, MUTED, PAPER

FONT = "DejaVu Sans,Verdana,sans-serif"
_SIZE, _HEIGHT, _PAD = 12.0, 26.0, 9.0
_LINE, _MARGIN = 23.0, 14.0
_COLOURS = (
    f"<style>.p{{fill:{PAPER}}}.i{{fill:{INK}}}.m{{fill:{MUTED}}}.g{{fill:{MAIN}}}.o{{fill:{PAPER}}}.l{{stroke:{LINE}}}"
    f"@media(prefers-color-scheme:dark){{.p{{fill:{PAPER.dark}}}.i{{fill:{INK.dark}}}.m{{fill:{MUTED.dark}}}"
    f".g{{fill:{MAIN.dark}}}.o{{fill:{PAPER.dark}}}.l{{stroke:{LINE.dark}}}}}</style>"
)


def draw_badge(label: str, value: str, when: str) -> str:
    """Return one line of ``label``, ``value`` and ``when`` side by side as an SVG document, 26 pixels high."""
    parts, left = [], 0.0
    for text, ground, ink in ((label, "p", "i"), (value, "g", "o"), (when, "p", "m")):
        wide = text_width(text, _SIZE, bold=ground == "g") + 2 * _PAD
        parts.append(f'<rect class="{ground}" x="{left:.1f}" width="{wide:.1f}" height="{_HEIGHT:g}"/>')
        parts.append(_text(text, left + _PAD, 17.5, _SIZE, ink, bold=ground == "g"))
        left += wide
    frame = f'<rect class="l" x=".5" y=".5" width="{left - 1:.1f}" height="{_HEIGHT - 1:g}" rx="5" fill="none"/>'
    clip = f'<clipPath id="r"><rect width="{left:.1f}" height="{_HEIGHT:g}" rx="5"/></clipPath>'
    return _document(
        left, _HEIGHT, f"{label}: {value}, {when}", f'{clip}<g clip-path="url(#r)">{"".join(parts)}</g>{frame}'
    )


def draw_sentence(sentence: str, when: str, width: float = 480.0) -> str:
    """Return ``sentence`` in lines of at most ``width`` pixels, and ``when`` below it, as an SVG document."""
    lines = broken(sentence, 16, width - 2 * _MARGIN - 8)
    height = _LINE * (len(lines) + 1) + 2 * _MARGIN
    parts = [
        f'<rect class="p l" x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>',
        f'<path class="g" d="M0 8a8 8 0 0 1 6-7.7v{height - 0.6:g}A8 8 0 0 1 0 {height - 8:g}z"/>',
    ]
    for number, line in enumerate(lines, 1):
        parts.append(_text(line, _MARGIN + 8, _MARGIN + number * _LINE - 6, 16, "i"))
    parts.append(_text(when, _MARGIN + 8, _MARGIN + (len(lines) + 1) * _LINE - 5, 13, "m"))
    return _document(width, height, f"{sentence} {when}", "".join(parts))


def broken(text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
    """Return ``text`` in lines of at most ``width`` at a font size of ``size``; a longer word stays whole."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size, bold=bold) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@lru_cache(4096)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of ``text`` in DejaVu Sans of ``size``, the widest of the named fonts."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    prop = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    wide, _, _ = text_to_path.get_text_width_height_descent(text, prop, ismath=False)
    return float(wide)


def _text(text: str, x: float, y: float, size: float, kind: str, *, bold: bool = False) -> str:
    fitted = f'textLength="{text_width(text, size, bold=bold):.1f}" lengthAdjust="spacingAndGlyphs"'
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{weight} {fitted}>{html.escape(text)}</text>'
    )


def _document(width: float, height: float, title: str, content: str) -> str:
    name = html.escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}" height="{height:g}" role="img" '
        f'viewBox="0 0 {width:.1f} {height:g}" aria-label="{name}" font-family="{FONT}"><title>{name}</title>'
        f"{_COLOURS}{content}</svg>"
    )
